//! Which characters a column's text is made of, by the number of its collation: what of it can be read here. Leaves out how
//! it is masked (`value.rs`).

/// How the characters of a character set are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    /// UTF-8, or ASCII.
    Utf8,
    /// No characters.
    Binary,
    /// ASCII, and beyond it characters of one byte, among which are no digits.
    Narrow,
    /// Of two bytes and more each (ucs2, utf16, utf16le, utf32): digits in them are no text.
    Wide,
    /// Of one byte and more, among them digits that are not looked for (big5, sjis, gbk, …); or not known.
    Foreign,
}

impl Charset {
    /// By a collation's number, as MySQL up to 9 and MariaDB up to 12 give them. MariaDB counts those without padding from
    /// 1024 on, those of UCA 14.0.0 from 2048.
    pub(crate) fn of(collation: u16) -> Self {
        match collation {
            2048..=2559 => return Self::Utf8,
            2560..=3327 => return Self::Wide,
            3328.. => return Self::Foreign,
            _ => {}
        }
        match collation % 1024 {
            // ascii.
            11 | 65 => Self::Utf8,
            // utf8mb3, utf8mb4: MySQL's own from 255 on, MariaDB's from 576.
            33 | 45 | 46 | 76 | 83 | 192..=247 | 255..=323 | 576..=639 => Self::Utf8,
            63 => Self::Binary,
            35 | 54..=56 | 60..=62 | 90 | 101..=124 | 128..=151 | 159 | 160..=183 => Self::Wide,
            640..=703 | 736..=767 => Self::Wide,
            // dec8, cp850, hp8, koi8r, latin1, latin2, swe7.
            2..=10 | 15 | 21 | 27 | 31 | 47..=49 | 69 | 72 | 74 | 77 | 80 | 82 | 94 => Self::Narrow,
            // cp1250, cp1251, cp1256, cp1257.
            14 | 23 | 26 | 29 | 34 | 44 | 50..=52 | 57..=59 | 66 | 67 | 99 => Self::Narrow,
            // hebrew, koi8u, greek, latin5, armscii8, cp866, keybcs2, macce, macroman, cp852, latin7, geostd8.
            16 | 20 | 22 | 25 | 30 | 32 | 36..=43 | 53 | 64 | 68 | 70 | 71 | 73 | 75 | 78 | 79 | 81 => {
                Self::Narrow
            }
            92 | 93 => Self::Narrow,
            _ => Self::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn every_collation_of_the_servers_is_read_as_its_characters_are() {
        let numbers = |ranges: &[(u16, u16)]| -> Vec<u16> {
            ranges.iter().flat_map(|(first, last)| *first..=*last).collect()
        };
        let known = [
            // MySQL 8.4's and MariaDB 10.11's: ascii, utf8mb3, utf8mb4.
            (
                Charset::Utf8,
                numbers(&[
                    (11, 11),
                    (65, 65),
                    (33, 33),
                    (76, 76),
                    (83, 83),
                    (192, 215),
                    (223, 223),
                    (45, 46),
                ]),
            ),
            (Charset::Utf8, numbers(&[(224, 247), (255, 323), (576, 578), (608, 610), (1057, 1057)])),
            (Charset::Utf8, numbers(&[(1107, 1107), (1069, 1070), (1216, 1216), (1248, 1270), (2048, 2503)])),
            (Charset::Binary, numbers(&[(63, 63)])),
            // ucs2, utf16, utf16le, utf32.
            (Charset::Wide, numbers(&[(35, 35), (90, 90), (128, 151), (159, 159), (640, 642), (1059, 1059)])),
            (
                Charset::Wide,
                numbers(&[(54, 56), (62, 62), (101, 124), (672, 674), (1078, 1080), (1086, 1086)]),
            ),
            (
                Charset::Wide,
                numbers(&[(60, 61), (160, 183), (736, 738), (1084, 1085), (1184, 1206), (2560, 3271)]),
            ),
            // latin1, cp1251, tis620.
            (
                Charset::Narrow,
                numbers(&[(5, 5), (8, 8), (15, 15), (31, 31), (47, 49), (94, 94), (1032, 1032)]),
            ),
            (Charset::Narrow, numbers(&[(14, 14), (23, 23), (50, 52), (1074, 1075)])),
            (Charset::Foreign, numbers(&[(18, 18), (89, 89)])),
            // big5, ujis, sjis, euckr, gb2312, gbk, cp932, eucjpms, gb18030.
            (
                Charset::Foreign,
                numbers(&[(1, 1), (84, 84), (12, 13), (91, 91), (88, 88), (19, 19), (85, 85)]),
            ),
            (Charset::Foreign, numbers(&[(24, 24), (86, 86), (28, 28), (87, 87), (95, 98), (248, 250)])),
            (
                Charset::Foreign,
                numbers(&[(1025, 1025), (1052, 1052), (1119, 1122), (0, 0), (3328, 3330), (65535, 65535)]),
            ),
        ];
        for (charset, numbers) in known {
            for number in numbers {
                assert_eq!(Charset::of(number), charset, "{number}");
            }
        }
    }
}
