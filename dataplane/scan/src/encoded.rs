//! Numbers in base64 and in hexadecimal digits, where a caller asks for them: such text is common and mostly something
//! else, so it is no part of the plain search. Whole values only; what is encoded twice is left out.

use crate::card::Kind;
use crate::mask::Format;
use crate::{Hit, PAN_DIGITS_MIN, Scanner};

/// How text stands for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Four characters for three bytes, by either alphabet of RFC 4648, padded or not, in lines or not.
    Base64,
    /// Two digits for each byte, as `bytea` prints it: `\x34313131`.
    Hex,
}

impl Encoding {
    /// Bits of a character.
    fn bits(self) -> usize {
        match self {
            Encoding::Base64 => 6,
            Encoding::Hex => 4,
        }
    }

    /// After so many characters a byte begins with a character again.
    fn phases(self) -> usize {
        match self {
            Encoding::Base64 => 4,
            Encoding::Hex => 2,
        }
    }

    fn value(self, character: u8) -> Option<u8> {
        match (self, character) {
            (Encoding::Base64, b'A'..=b'Z') => Some(character - b'A'),
            (Encoding::Base64, b'a'..=b'z') => Some(character - b'a' + 26),
            (Encoding::Base64, b'0'..=b'9') => Some(character - b'0' + 52),
            (Encoding::Base64, b'+' | b'-') => Some(62),
            (Encoding::Base64, b'/' | b'_') => Some(63),
            (Encoding::Hex, b'0'..=b'9') => Some(character - b'0'),
            (Encoding::Hex, b'a'..=b'f') => Some(character - b'a' + 10),
            (Encoding::Hex, b'A'..=b'F') => Some(character - b'A' + 10),
            _ => None,
        }
    }

    /// The character of a value, written as others of its run are.
    fn character(self, value: u8, style: Style) -> u8 {
        match (self, value) {
            (Encoding::Base64, 0..=25) => b'A' + value,
            (Encoding::Base64, 26..=51) => b'a' + value - 26,
            (Encoding::Base64, 52..=61) => b'0' + value - 52,
            (Encoding::Base64, 62) => {
                if style.safe {
                    b'-'
                } else {
                    b'+'
                }
            }
            (Encoding::Base64, _) => {
                if style.safe {
                    b'_'
                } else {
                    b'/'
                }
            }
            (Encoding::Hex, 0..=9) => b'0' + value,
            (Encoding::Hex, _) => (if style.upper { b'A' } else { b'a' }) + value.wrapping_sub(10),
        }
    }
}

/// What a run of characters tells of its writer.
#[derive(Clone, Copy, Default)]
struct Style {
    /// The alphabet for file names and addresses.
    safe: bool,
    /// Hexadecimal digits in upper case.
    upper: bool,
}

/// Characters of the encoding that follow each other.
#[derive(Default)]
struct Run {
    /// Where each is.
    places: Vec<usize>,
    style: Style,
}

impl Run {
    /// The next run at `from` or later that has room for a number, and where it ends.
    fn next(value: &[u8], mut from: usize, encoding: Encoding) -> Option<(Run, usize)> {
        loop {
            let ahead = value.get(from..)?;
            from += ahead.iter().position(|byte| encoding.value(*byte).is_some())?;
            let mut run = Run::default();
            while let Some(byte) = value.get(from).filter(|byte| encoding.value(**byte).is_some()) {
                run.style.safe |= matches!(byte, b'-' | b'_');
                run.style.upper |= byte.is_ascii_uppercase();
                run.places.push(from);
                from += 1;
                from += line_end(value, from, encoding);
            }
            if run.places.len() * encoding.bits() >= PAN_DIGITS_MIN * 8 {
                return Some((run, from));
            }
        }
    }

    /// The bytes that the characters from `phase` on stand for.
    fn decode(&self, value: &[u8], encoding: Encoding, phase: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.places.len());
        let (mut bits, mut held) = (0u32, 0);
        for place in self.places.iter().skip(phase) {
            let character = value.get(*place).and_then(|byte| encoding.value(*byte)).unwrap_or(0);
            bits = bits << encoding.bits() | u32::from(character);
            held += encoding.bits();
            if held >= 8 {
                held -= 8;
                bytes.push((bits >> held) as u8);
            }
        }
        bytes
    }

    /// Puts bytes back that have changed; what stands for others stays as it is, to the bit.
    fn encode(&self, value: &mut [u8], encoding: Encoding, phase: usize, old: &[u8], new: &[u8]) {
        let bits = encoding.bits();
        for (index, (old, new)) in old.iter().zip(new).enumerate().filter(|(_, (old, new))| old != new) {
            for bit in 0..8 {
                let (at, changed) = (index * 8 + bit, (old ^ new) >> (7 - bit) & 1);
                let Some(place) = self.places.get(phase + at / bits) else { continue };
                let Some(character) = value.get_mut(*place) else { continue };
                let flipped = changed << (bits - 1 - at % bits);
                if let Some(known) = encoding.value(*character).filter(|_| changed == 1) {
                    *character = encoding.character(known ^ flipped, self.style);
                }
            }
        }
    }

    /// Where bytes `range` of what is decoded from `phase` on are in the value.
    fn encoded(
        &self,
        range: &std::ops::Range<usize>,
        encoding: Encoding,
        phase: usize,
    ) -> Option<std::ops::Range<usize>> {
        let bits = encoding.bits();
        let first = self.places.get(phase + range.start * 8 / bits)?;
        let last = self.places.get(phase + (range.end * 8).div_ceil(bits) - 1)?;
        Some(*first..last + 1)
    }
}

/// The bytes of a line's end within base64.
fn line_end(value: &[u8], at: usize, encoding: Encoding) -> usize {
    let ahead = value.get(at..).unwrap_or(&[]);
    let length = if ahead.starts_with(b"\r\n") { 2 } else { usize::from(ahead.starts_with(b"\n")) };
    let goes_on = ahead.get(length).is_some_and(|byte| encoding.value(*byte).is_some());
    if encoding == Encoding::Base64 && goes_on { length } else { 0 }
}

impl Scanner {
    /// The cards in what parts of a value stand for, in order: each with the characters that stand for it. A card code
    /// has its number's. What is encoded may begin anywhere within other characters of the alphabet.
    pub fn find_encoded(&self, value: &[u8], encoding: Encoding) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        let mut from = 0;
        while let Some((run, end)) = Run::next(value, from, encoding) {
            for phase in 0..encoding.phases() {
                let bytes = run.decode(value, encoding, phase);
                hits.extend(
                    self.find(&bytes).filter_map(|hit| {
                        Some(Hit { range: run.encoded(&hit.range, encoding, phase)?, ..hit })
                    }),
                );
            }
            from = end;
        }
        hits.sort_by_key(|hit| (hit.range.start, hit.kind == Kind::Code));
        hits
    }

    /// Masks the cards in what parts of a value stand for, in place, and returns their number: what the value then
    /// stands for is masked as text is. Its length stays, and it can be decoded as before.
    pub fn mask_encoded(&self, value: &mut [u8], encoding: Encoding, format: Format) -> usize {
        let (mut count, mut from) = (0, 0);
        while let Some((run, end)) = Run::next(value, from, encoding) {
            for phase in 0..encoding.phases() {
                let old = run.decode(value, encoding, phase);
                let mut new = old.clone();
                let masked = self.mask(&mut new, format);
                if masked > 0 {
                    run.encode(value, encoding, phase, &old, &new);
                    count += masked;
                }
            }
            from = end;
        }
        count
    }
}
