//! Decimal digits as texts write them: ASCII, full-width, those of three other scripts in UTF-8, ASCII in UTF-16, and
//! digits behind percent signs, as `\u` escapes and as entities of HTML and XML.

use crate::bytes::{byte, run, tally};

/// A way to write ten digits. A number is written in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Ascii,
    FullWidth,
    Arabic,
    Persian,
    Devanagari,
    /// ASCII digits with a zero byte between each two: UTF-16 of either byte order. A number begins with its first digit
    /// and ends with its last; whether zeros stand before or behind does not matter.
    Wide,
    /// `%34`.
    Percent,
    /// `\u0034`.
    Escape,
    /// `\uFF14`, full-width.
    EscapeUpper,
    /// `\uff14`.
    EscapeLower,
    /// `&#52;`: as in UTF-16 a number ends with its last digit, whether a semicolon stands behind it or not.
    Entity,
    /// `&#x34;`.
    HexEntity,
}

impl Script {
    /// What digits that are no ASCII digits begin with.
    pub(crate) const LEADS: [u8; 7] = [0xef, 0xd9, 0xdb, 0xe0, b'%', b'\\', b'&'];

    /// The script of the digit at `index`, where one is.
    pub(crate) fn at(bytes: &[u8], index: usize) -> Option<Script> {
        let script = match byte(bytes, index) {
            b'0'..=b'9' if byte(bytes, index + 1) == 0 && Script::Ascii.digit(bytes, index + 2).is_some() => {
                Script::Wide
            }
            b'0'..=b'9' => Script::Ascii,
            0xef => Script::FullWidth,
            0xd9 => Script::Arabic,
            0xdb => Script::Persian,
            0xe0 => Script::Devanagari,
            b'%' => Script::Percent,
            b'\\' => match byte(bytes, index + 2) {
                b'F' => Script::EscapeUpper,
                b'f' => Script::EscapeLower,
                _ => Script::Escape,
            },
            b'&' if byte(bytes, index + 2) == b'x' => Script::HexEntity,
            b'&' => Script::Entity,
            _ => return None,
        };
        script.digit(bytes, index).map(|_| script)
    }

    /// What the last byte of a digit comes behind.
    #[inline(always)]
    fn prefix(self) -> &'static [u8] {
        match self {
            Script::Ascii | Script::Wide => b"",
            Script::FullWidth => b"\xef\xbc",
            Script::Arabic => b"\xd9",
            Script::Persian => b"\xdb",
            Script::Devanagari => b"\xe0\xa5",
            Script::Percent => b"%3",
            Script::Escape => b"\\u003",
            Script::EscapeUpper => b"\\uFF1",
            Script::EscapeLower => b"\\uff1",
            // The next byte differs too.
            Script::Entity => b"&#",
            Script::HexEntity => b"&#x3",
        }
    }

    /// The last byte of zero.
    fn zero(self) -> u8 {
        match self {
            Script::FullWidth => 0x90,
            Script::Arabic => 0xa0,
            Script::Persian => 0xb0,
            Script::Devanagari => 0xa6,
            _ => b'0',
        }
    }

    /// Makes a digit of the script another one.
    pub(crate) fn put(self, digit: &mut [u8], value: u8) {
        match digit {
            [.., tens, ones] if self == Script::Entity => {
                let code = b'0' + value;
                (*tens, *ones) = (b'0' + code / 10, b'0' + code % 10);
            }
            // The only byte in which digits of other scripts differ.
            [.., last] => *last = self.zero() + value,
            [] => {}
        }
    }

    /// The value of the digit at `index`.
    #[inline]
    pub(crate) fn digit(self, bytes: &[u8], index: usize) -> Option<u8> {
        let prefix = self.prefix();
        tally::add(1);
        if !prefix.is_empty() && !bytes.get(index..).is_some_and(|rest| rest.starts_with(prefix)) {
            return None;
        }
        let behind = index.wrapping_add(prefix.len());
        if self == Script::Entity {
            let (tens, ones) = (byte(bytes, behind), byte(bytes, behind + 1));
            let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
            let code = (tens & 0x0f) * 10 + (ones & 0x0f);
            return code.checked_sub(b'0').filter(|value| digits && *value < 10);
        }
        let value = byte(bytes, behind).wrapping_sub(self.zero());
        (value < 10).then_some(value)
    }

    /// Bytes of one digit.
    pub(crate) fn len(self) -> usize {
        self.prefix().len() + 1 + usize::from(self == Script::Entity)
    }

    /// From a digit to the one that follows it, in bytes.
    pub(crate) fn width(self) -> usize {
        self.len() + self.gap()
    }

    /// What stands between a digit and what follows it.
    fn between(self) -> Option<u8> {
        match self {
            Script::Wide => Some(0),
            Script::Entity | Script::HexEntity => Some(b';'),
            _ => None,
        }
    }

    /// How many bytes that are.
    pub(crate) fn gap(self) -> usize {
        usize::from(self.between().is_some())
    }

    /// What takes a hidden digit's place: as many bytes.
    pub(crate) fn hidden(self) -> &'static [u8] {
        match self {
            Script::Ascii | Script::Wide => b"*",
            Script::Arabic | Script::Persian => b"**",
            Script::FullWidth | Script::Devanagari => "＊".as_bytes(),
            Script::Percent => b"%2A",
            Script::Escape => b"\\u002a",
            Script::EscapeUpper => b"\\uFF0A",
            Script::EscapeLower => b"\\uff0a",
            Script::Entity => b"&#42",
            Script::HexEntity => b"&#x2A",
        }
    }

    /// How many digits follow each other from `start` on, counted up to `most`.
    pub(crate) fn run(self, bytes: &[u8], start: usize, most: usize) -> usize {
        if self == Script::Ascii {
            return run(bytes, start, most);
        }
        (0..most)
            .take_while(|place| {
                let index = start + place * self.width();
                self.digit(bytes, index).is_some() && (*place == 0 || self.spaced(bytes, index))
            })
            .count()
    }

    /// What stands before `index` is what stands between digits.
    pub(crate) fn spaced(self, bytes: &[u8], index: usize) -> bool {
        self.between().is_none_or(|between| byte(bytes, index.wrapping_sub(1)) == between)
    }

    /// A digit of the script ends right before `index`.
    pub(crate) fn ends_at(self, bytes: &[u8], index: usize) -> bool {
        index.checked_sub(self.width()).is_some_and(|start| self.digit(bytes, start).is_some())
            && self.spaced(bytes, index)
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
