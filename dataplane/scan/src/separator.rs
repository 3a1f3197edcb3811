//! What stands between the groups of a number, as texts write it. Which groups are a number's is `window`'s matter.

use crate::bytes::byte;
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
    /// A space or a dash from U+2000 to U+203F, by its last byte.
    General(u8),
    IdeographicSpace,
    FullWidthDash,
    /// Between thousands only.
    Comma,
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
            (0xc2, 0xa0, _) => Separator::NoBreakSpace,
            // Spaces of various widths; hyphens, figure dash, en and em dash; the narrow no-break space.
            (0xe2, 0x80, 0x80..=0x8a | 0x90..=0x94 | 0xaf) => Separator::General(third),
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

    /// The separator behind a digit of that script; `index` is where the next digit would be. In UTF-16 one that has a
    /// single byte in ASCII.
    pub(crate) fn behind(bytes: &[u8], index: usize, script: Script) -> Separator {
        if script != Script::Wide {
            return Separator::at(bytes, index);
        }
        let [low, high, next, last] = [0, 1, 2, 3].map(|place| byte(bytes, index.wrapping_add(place)));
        if !script.spaced(bytes, index) || high != 0 {
            return Separator::None;
        }
        match low {
            b' ' if (next, last) == (b' ', 0) => Separator::DoubleSpace,
            b' ' | b'-' | b'.' | b'/' | b'+' => Separator::at(&[low], 0),
            0xa0 => Separator::NoBreakSpace,
            _ => Separator::None,
        }
    }

    /// Its length in bytes, in that script.
    pub(crate) fn len_in(self, script: Script) -> usize {
        match self {
            // One character, whatever its length in UTF-8.
            Separator::NoBreakSpace if script == Script::Wide => 2,
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
            | Separator::Comma => 1,
            Separator::DoubleSpace | Separator::NoBreakSpace => 2,
            Separator::EscapedSpace
            | Separator::General(_)
            | Separator::IdeographicSpace
            | Separator::FullWidthDash => 3,
            Separator::Escaped(_) => 6,
        }
    }
}
