//! Decimal digits as UTF-8 writes them: ASCII, full-width, and those of three other scripts.

use crate::bytes::{byte, run};

/// A set of ten digits. A number is written in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Ascii,
    FullWidth,
    Arabic,
    Persian,
    Devanagari,
}

impl Script {
    /// What digits beyond ASCII begin with.
    pub(crate) const LEADS: [u8; 4] = [0xef, 0xd9, 0xdb, 0xe0];

    /// The script of the digit at `index`, where one is.
    pub(crate) fn at(bytes: &[u8], index: usize) -> Option<Script> {
        let script = match byte(bytes, index) {
            b'0'..=b'9' => Script::Ascii,
            0xef => Script::FullWidth,
            0xd9 => Script::Arabic,
            0xdb => Script::Persian,
            0xe0 => Script::Devanagari,
            _ => return None,
        };
        script.digit(bytes, index).map(|_| script)
    }

    /// The value of the digit at `index`.
    #[inline]
    pub(crate) fn digit(self, bytes: &[u8], index: usize) -> Option<u8> {
        let next = |place| byte(bytes, index.wrapping_add(place));
        let value = match self {
            Script::Ascii => next(0).wrapping_sub(b'0'),
            Script::FullWidth if next(0) == 0xef && next(1) == 0xbc => next(2).wrapping_sub(0x90),
            Script::Arabic if next(0) == 0xd9 => next(1).wrapping_sub(0xa0),
            Script::Persian if next(0) == 0xdb => next(1).wrapping_sub(0xb0),
            Script::Devanagari if next(0) == 0xe0 && next(1) == 0xa5 => next(2).wrapping_sub(0xa6),
            _ => return None,
        };
        (value < 10).then_some(value)
    }

    /// The last byte of the digit with that value: the only one in which digits of a script differ.
    pub(crate) fn last_byte(self, value: u8) -> u8 {
        let zero = match self {
            Script::Ascii => b'0',
            Script::FullWidth => 0x90,
            Script::Arabic => 0xa0,
            Script::Persian => 0xb0,
            Script::Devanagari => 0xa6,
        };
        zero + value
    }

    /// Bytes of one digit.
    pub(crate) fn width(self) -> usize {
        match self {
            Script::Ascii => 1,
            Script::Arabic | Script::Persian => 2,
            Script::FullWidth | Script::Devanagari => 3,
        }
    }

    /// What takes a hidden digit's place: as many bytes.
    pub(crate) fn hidden(self) -> &'static [u8] {
        match self {
            Script::Ascii => b"*",
            Script::Arabic | Script::Persian => b"**",
            Script::FullWidth | Script::Devanagari => "＊".as_bytes(),
        }
    }

    /// How many digits follow each other from `start` on, counted up to `most`.
    pub(crate) fn run(self, bytes: &[u8], start: usize, most: usize) -> usize {
        if self == Script::Ascii {
            return run(bytes, start, most);
        }
        (0..most).take_while(|place| self.digit(bytes, start + place * self.width()).is_some()).count()
    }

    /// A digit of the script ends right before `index`.
    pub(crate) fn ends_at(self, bytes: &[u8], index: usize) -> bool {
        index.checked_sub(self.width()).is_some_and(|start| self.digit(bytes, start).is_some())
    }

    /// A digit, or what takes a hidden one's place, is at `index`.
    pub(crate) fn digit_or_hidden(self, bytes: &[u8], index: usize) -> bool {
        self.digit(bytes, index).is_some() || self.hidden_at(bytes, index)
    }

    /// What takes a hidden digit's place is at `index`.
    pub(crate) fn hidden_at(self, bytes: &[u8], index: usize) -> bool {
        bytes.get(index..).is_some_and(|rest| rest.starts_with(self.hidden()))
    }
}
