//! Text that may arrive in parts, and bytea in it: `\x` and the hexadecimal digits of bytes, which are scanned as
//! those bytes and masked in as many hexadecimal digits; numbers with exponents; JSON, whose numbers stay numbers. A
//! whole value is the one-part case. Leaves out framing.

use memchr::memmem;
use scan::Stream;

use crate::masker::Masker;

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
    tokens: Tokens,
}

/// Where numbers are looked for that are written otherwise than as their digits.
enum Tokens {
    None,
    /// As PostgreSQL writes a float.
    Floats,
    /// With any exponent, as JSON may have it.
    Exponents,
}

/// What one part came to.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// Leading bytes that are final; the rest comes again in front of the next part.
    pub(crate) released: usize,
    pub(crate) masked: usize,
}

/// The longest number that is kept whole between two parts: a float's, or a card's with its fraction.
const TOKEN_BYTES_MAX: usize = 64;
/// So far behind an escape a number is looked for as if it began a value.
const ESCAPED_BYTES: usize = 80;

impl Text {
    /// Characters alone.
    pub(crate) fn plain() -> Self {
        let plain = Some(Stream::new());
        Self { plain, plain_ahead: 0, hex: false, hex_ahead: 0, run: None, tokens: Tokens::None }
    }

    /// Characters among which bytea and floating numbers may stand.
    pub(crate) fn mixed() -> Self {
        Self { hex: true, tokens: Tokens::Floats, ..Self::plain() }
    }

    /// JSON; `exponents`: its numbers may have them.
    pub(crate) fn json(exponents: bool) -> Self {
        let tokens = if exponents { Tokens::Exponents } else { Tokens::None };
        Self { tokens, plain: Some(Stream::json()), ..Self::plain() }
    }

    /// bytea, behind its `\x`.
    pub(crate) fn hex() -> Self {
        Self { plain: None, tokens: Tokens::None, ..Self::mixed() }
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
        // The others only over what is final as characters: those behind it may still be masked.
        let last = last && plain_done == bytes.len();
        let settled = bytes.get_mut(..plain_done).unwrap_or_default();
        let mut released = plain_done;
        let mut hex_done = plain_done;
        if self.hex {
            let (done, found) = self.hex_part(masker, settled, last);
            hex_done = done;
            released = released.min(done);
            masked += found;
        }
        if self.hex && self.plain.is_some() {
            let (done, found) = behind_escapes(masker, settled, last);
            released = released.min(done);
            masked += found;
        }
        let settled = settled.get_mut(..released).unwrap_or_default();
        let (released, found) = self.tokens.part(masker, settled, last && released == plain_done);
        (self.plain_ahead, self.hex_ahead) = (plain_done - released, hex_done - released);
        if self.plain.is_none() {
            self.plain_ahead = 0;
        }
        Part { released, masked: masked + found }
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

/// bytea in its escaped form: what follows `\001` is no part of that number. Returns up to where all is final.
fn behind_escapes(masker: &Masker, bytes: &mut [u8], last: bool) -> (usize, usize) {
    let (mut at, mut masked) = (0, 0);
    while let Some(found) = memchr::memchr(b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        let number = at + 4;
        if !last && number + ESCAPED_BYTES > bytes.len() {
            return (at, masked);
        }
        let is_escape = matches!(bytes.get(at + 1..number), Some([b'0'..=b'3', b'0'..=b'7', b'0'..=b'7']));
        let until = bytes.len().min(number + ESCAPED_BYTES);
        if let (true, Some(behind)) = (is_escape, bytes.get_mut(number..until)) {
            masked += masker.text(behind);
        }
        at += 1;
    }
    (bytes.len(), masked)
}

fn is_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E' | b'*')
}

impl Tokens {
    /// Goes over final bytes. Returns up to where numbers are complete, and how many were masked.
    fn part(&self, masker: &Masker, bytes: &mut [u8], last: bool) -> (usize, usize) {
        let tail = bytes.iter().rev().take(TOKEN_BYTES_MAX + 1).take_while(|byte| is_number(**byte)).count();
        let held = if last || tail > TOKEN_BYTES_MAX { 0 } else { tail };
        let done = bytes.len() - held;
        let bytes = bytes.get_mut(..done).unwrap_or_default();
        match self {
            Self::None => (done + held, 0),
            Self::Floats => (done, numbers(masker, bytes, |rest| memmem::find(rest, b"e+1"))),
            Self::Exponents => (done, numbers(masker, bytes, |rest| memchr::memchr2(b'e', b'E', rest))),
        }
    }
}

/// Numbers such as `4.11e+15`, where `find` finds the exponent.
fn numbers(masker: &Masker, bytes: &mut [u8], find: impl Fn(&[u8]) -> Option<usize>) -> usize {
    let (mut at, mut masked) = (0, 0);
    while let Some(found) = find(bytes.get(at..).unwrap_or_default()) {
        let exponent = at + found;
        let (mantissa, behind) = bytes.split_at(exponent);
        let before = mantissa.iter().rev().take(TOKEN_BYTES_MAX);
        let start = exponent - before.take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let signs = 1 + usize::from(matches!(behind.get(1), Some(b'+' | b'-')));
        let end =
            exponent + signs + behind.iter().skip(signs).take_while(|byte| byte.is_ascii_digit()).count();
        if start < exponent {
            masked += bytes.get_mut(start..end).map_or(0, |token| masker.number_in_text(token));
        }
        at = exponent + 1;
    }
    masked
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
