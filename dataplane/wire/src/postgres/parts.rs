//! Text that may arrive in parts, and bytea in it: `\x` and the hexadecimal digits of bytes, which are scanned as
//! those bytes and masked in as many hexadecimal digits. A whole value is the one-part case. Leaves out framing.

use memchr::memmem;
use scan::Stream;

use super::value::Masker;

/// One value's state between its parts.
pub(crate) struct Text {
    /// The scan of the characters themselves; `None` where they are known to be bytea.
    plain: Option<Stream>,
    /// How many of the kept bytes `plain` is done with.
    plain_ahead: usize,
    /// Whether bytea is looked for.
    hex: bool,
    hex_ahead: usize,
    /// Inside the digits behind `\x`: the scan of their bytes.
    run: Option<Stream>,
}

/// What one part came to.
pub(crate) struct Part {
    /// Leading bytes that are final; the rest comes again in front of the next part.
    pub(crate) released: usize,
    pub(crate) masked: usize,
}

impl Text {
    /// Characters alone.
    pub(crate) fn plain() -> Self {
        Self { plain: Some(Stream::new()), plain_ahead: 0, hex: false, hex_ahead: 0, run: None }
    }

    /// Characters among which bytea may stand.
    pub(crate) fn mixed() -> Self {
        Self { hex: true, ..Self::plain() }
    }

    /// Bytea alone.
    pub(crate) fn bytea() -> Self {
        Self { plain: None, ..Self::mixed() }
    }

    /// Masks a value that is in hand as a whole.
    pub(crate) fn whole(mut self, masker: &mut Masker, value: &mut [u8]) -> usize {
        self.part(masker, value, true).masked
    }

    /// Masks `bytes`: what the last part left, and what has come since.
    pub(crate) fn part(&mut self, masker: &mut Masker, bytes: &mut [u8], last: bool) -> Part {
        let mut masked = 0;
        let mut plain_done = bytes.len();
        if bytes.len() < self.plain_ahead.max(self.hex_ahead) {
            return Part { released: 0, masked: 0 };
        }
        if let (Some(stream), Some(new)) = (&mut self.plain, bytes.get_mut(self.plain_ahead..)) {
            let progress = stream.mask(&masker.scanner, new, last, masker.format);
            plain_done = self.plain_ahead + progress.released;
            masked += progress.masked;
        }
        let mut hex_done = bytes.len();
        if self.hex {
            // Only over what is final as characters: those behind it may still be masked.
            let all = plain_done == bytes.len();
            let settled = bytes.get_mut(..plain_done).unwrap_or_default();
            let (done, found) = self.hex_part(masker, settled, last && all);
            hex_done = done;
            masked += found;
        }
        let released = plain_done.min(hex_done);
        (self.plain_ahead, self.hex_ahead) = (plain_done - released, hex_done - released);
        if self.plain.is_none() {
            self.plain_ahead = 0;
        }
        Part { released, masked }
    }

    fn hex_part(&mut self, masker: &mut Masker, bytes: &mut [u8], last: bool) -> (usize, usize) {
        let (mut at, mut masked) = (self.hex_ahead, 0);
        let have = bytes.len();
        loop {
            let rest = bytes.get_mut(at..).unwrap_or_default();
            let Some(stream) = &mut self.run else {
                match memmem::find(rest, b"\\x") {
                    Some(start) => at += start + 2,
                    // A backslash at the end may be the start of one.
                    None => return (have - usize::from(!last && rest.ends_with(b"\\")), masked),
                }
                self.run = Some(Stream::new());
                continue;
            };
            let length = rest.iter().position(|byte| !is_hex(*byte)).unwrap_or(rest.len());
            let ended = last || length < rest.len();
            let (digits, _) = rest.get_mut(..length).unwrap_or_default().as_chunks_mut::<2>();
            masker.scratch.clear();
            masker.scratch.extend(digits.iter().map(|[high, low]| hex_value(*high) << 4 | hex_value(*low)));
            let progress = stream.mask(&masker.scanner, &mut masker.scratch, ended, masker.format);
            masked += progress.masked;
            for (pair, byte) in digits.iter_mut().zip(&masker.scratch) {
                // Rewritten where masked here, or in the characters themselves (`*` is no hexadecimal digit).
                if hex_value(pair[0]) << 4 | hex_value(pair[1]) != *byte || pair.contains(&b'*') {
                    *pair = [hex_digit(byte >> 4), hex_digit(byte & 15)];
                }
            }
            if !ended {
                return (at + progress.released * 2, masked);
            }
            if let Some(odd) =
                rest.get_mut(..length).and_then(|run| run.last_mut()).filter(|odd| **odd == b'*')
            {
                *odd = b'0';
            }
            self.run = None;
            at += length;
        }
    }
}

/// A masked digit stands for 0.
fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b'*'
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}
