//! What stands between the groups of a number, as texts write it. Which groups are a number's is `window`'s matter.

use crate::bytes::{before, byte};
use crate::script::Script;

/// The longest separator in bytes.
pub(crate) const SEPARATOR_BYTES_MAX: usize = 6;

/// What stands between the groups of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    None,
    Space,
    DoubleSpace,
    Dash,
    Dot,
    Slash,
    /// A form's space.
    Plus,
    /// `%20`.
    EscapedSpace,
    /// A space or a dash behind `\u`, by its four digits.
    Escaped([u8; 4]),
    /// Of a number in scientific notation, behind its first digit.
    Point,
    NoBreakSpace,
    /// A space, a dash or nothing to be seen, from U+2000 to U+203F, by its last byte.
    General(u8),
    IdeographicSpace,
    FullWidthDash,
    /// Between thousands only.
    Comma,
    /// Between lines: a number that is all of the lines with digits there.
    Line,
    /// The same with a carriage return before it.
    ReturnedLine,
    SoftHyphen,
    WordJoiner,
    ByteOrderMark,
    /// In UTF-16, a character beyond Latin 1: the three bytes between two digits, which tell the byte order.
    Wide([u8; 3]),
}

impl Separator {
    /// The separator at `index`.
    pub(crate) fn at(bytes: &[u8], index: usize) -> Separator {
        let [first, second, third] = [0, 1, 2].map(|next| byte(bytes, index.wrapping_add(next)));
        match (first, second, third) {
            (b' ', b' ', _) => Separator::DoubleSpace,
            (b' ', _, _) => Separator::Space,
            (b'-', _, _) => Separator::Dash,
            (b'.', _, _) => Separator::Dot,
            (b'/', _, _) => Separator::Slash,
            (b'+', _, _) => Separator::Plus,
            (b',', _, _) => Separator::Comma,
            (b'%', b'2', b'0') => Separator::EscapedSpace,
            (b'\\', b'u', _) => Separator::escaped(bytes, index),
            (b'\n', _, _) => Separator::Line,
            (b'\r', b'\n', _) => Separator::ReturnedLine,
            (0xc2, 0xa0, _) => Separator::NoBreakSpace,
            (0xc2, 0xad, _) => Separator::SoftHyphen,
            // Spaces of various widths, joiners and marks of no width; hyphens, figure dash, en and em dash; the narrow
            // no-break space.
            (0xe2, 0x80, 0x80..=0x94 | 0xaf) => Separator::General(third),
            (0xe2, 0x81, 0xa0) => Separator::WordJoiner,
            (0xef, 0xbb, 0xbf) => Separator::ByteOrderMark,
            (0xe3, 0x80, 0x80) => Separator::IdeographicSpace,
            (0xef, 0xbc, 0x8d) => Separator::FullWidthDash,
            _ => Separator::None,
        }
    }

    fn escaped(bytes: &[u8], index: usize) -> Separator {
        let Some(digits) = bytes.get(index + 2..).and_then(|rest| rest.first_chunk()) else {
            return Separator::None;
        };
        match digits {
            b"0020"
            | b"002d"
            | b"002D"
            | b"00a0"
            | b"00A0"
            | b"202f"
            | b"202F"
            | b"3000"
            | b"ff0d"
            | b"FF0D"
            | [b'2', b'0', b'0', b'0'..=b'9' | b'a' | b'A']
            | [b'2', b'0', b'1', b'0'..=b'4'] => Separator::Escaped(*digits),
            _ => Separator::None,
        }
    }

    /// The separator behind a digit of that script; `index` is where the next digit would be.
    pub(crate) fn behind(bytes: &[u8], index: usize, script: Script) -> Separator {
        if script == Script::Wide {
            return Separator::wide(bytes, index);
        }
        if script.spaced(bytes, index) { Separator::at(bytes, index) } else { Separator::None }
    }

    /// In UTF-16 of either byte order.
    fn wide(bytes: &[u8], index: usize) -> Separator {
        let gap = before(bytes, index, 1);
        let [low, high, next, last] = [0, 1, 2, 3].map(|place| byte(bytes, index.wrapping_add(place)));
        match (gap, high) {
            (0, 0) => match low {
                b' ' if (next, last) == (b' ', 0) => Separator::DoubleSpace,
                b' ' | b'-' | b'.' | b'/' | b'+' => Separator::at(&[low], 0),
                0xa0 => Separator::NoBreakSpace,
                0xad => Separator::SoftHyphen,
                _ => Separator::None,
            },
            (0, page) | (page, 0) if wide_separator(page, low) => Separator::Wide([gap, low, high]),
            _ => Separator::None,
        }
    }

    /// Nothing of it is to be seen, so that groups before and behind it are as one.
    pub(crate) fn is_invisible(self) -> bool {
        matches!(
            self,
            Separator::General(0x8b..=0x8f)
                | Separator::WordJoiner
                | Separator::ByteOrderMark
                | Separator::SoftHyphen
        )
    }

    /// Digits may stand one by one, with it between all of them.
    pub(crate) fn parts_digits(self) -> bool {
        matches!(self, Separator::Space | Separator::Dash | Separator::Dot | Separator::Slash)
    }

    /// The end of a line.
    pub(crate) fn is_line(self) -> bool {
        matches!(self, Separator::Line | Separator::ReturnedLine)
    }

    /// Its length in bytes, in that script.
    pub(crate) fn len_in(self, script: Script) -> usize {
        match self {
            // One character, whatever its length in UTF-8.
            Separator::NoBreakSpace | Separator::SoftHyphen | Separator::Wide(_)
                if script == Script::Wide =>
            {
                2
            }
            _ if script == Script::Wide => self.len() * 2,
            _ => self.len(),
        }
    }

    /// Its length in bytes.
    pub(crate) fn len(self) -> usize {
        match self {
            Separator::None => 0,
            Separator::Space
            | Separator::Dash
            | Separator::Dot
            | Separator::Slash
            | Separator::Plus
            | Separator::Point
            | Separator::Comma
            | Separator::Line => 1,
            Separator::DoubleSpace
            | Separator::NoBreakSpace
            | Separator::SoftHyphen
            | Separator::ReturnedLine
            | Separator::Wide(_) => 2,
            Separator::EscapedSpace
            | Separator::WordJoiner
            | Separator::ByteOrderMark
            | Separator::General(_)
            | Separator::IdeographicSpace
            | Separator::FullWidthDash => 3,
            Separator::Escaped(_) => 6,
        }
    }
}

/// Whether a character beyond Latin 1 is one of those that separate: its two bytes, the high one first. Not U+3000, of
/// which one byte looks like a digit.
fn wide_separator(page: u8, low: u8) -> bool {
    match page {
        0x20 => matches!(low, 0..=0x14 | 0x2f | 0x60),
        0xfe => low == 0xff,
        0xff => low == 0x0d,
        _ => false,
    }
}
