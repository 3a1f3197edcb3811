//! Texts made to be difficult: card numbers in all forms, near-misses, and what surrounds them.

use proptest::prelude::*;

pub(crate) fn with_luhn(mut digits: Vec<u8>) -> Vec<u8> {
    for check in 0..=9 {
        if let Some(last) = digits.last_mut() {
            *last = check;
        }
        if scan::naive::luhn(&digits) {
            break;
        }
    }
    digits
}

/// Digits of a card number, as text.
pub(crate) fn pan() -> impl Strategy<Value = String> {
    let issuer = prop::sample::select(vec![
        ("4", 16),
        ("4", 13),
        ("4", 19),
        ("51", 16),
        ("2221", 16),
        ("34", 15),
        ("6011", 16),
        ("36", 14),
        ("3528", 16),
        ("62", 17),
        ("5018", 12),
        ("6304", 13),
        ("5018", 18),
        ("2200", 16),
        ("8600", 16),
        ("9704", 19),
        ("81", 16),
    ]);
    (issuer, prop::collection::vec(0u8..=9, 19)).prop_map(|((prefix, count), rest)| {
        let digits = prefix.bytes().map(|byte| byte - b'0').chain(rest).take(count).collect();
        with_luhn(digits).into_iter().map(|digit| char::from(b'0' + digit)).collect()
    })
}

pub(crate) fn separator() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "", " ", "-", ".", "  ", "/", "\u{a0}", ",", "|", "+", "%20", "\u{2011}", "\u{202f}", "\u{3000}",
        "\n", "\r\n", "\u{200b}", "\u{ad}", "\u{2060}", "   ", r"\u0020", r"\u00A0", r"\u2011", r"\u002d",
    ])
    .prop_map(str::to_owned)
}

pub(crate) fn grouped(digits: &str, layout: &[usize], separator: &str) -> String {
    let mut groups = Vec::new();
    let mut rest = digits;
    for length in layout {
        let (group, after) = rest.split_at((*length).min(rest.len()));
        groups.push(group);
        rest = after;
    }
    groups.push(rest);
    groups.retain(|group| !group.is_empty());
    groups.join(separator)
}

pub(crate) fn thousands(digits: &str, separator: &str) -> String {
    let (first, rest) = digits.split_at((digits.len() + 2) % 3 + 1);
    let groups: Vec<String> =
        rest.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    [first.to_owned()].into_iter().chain(groups).collect::<Vec<_>>().join(separator)
}

pub(crate) fn in_script(text: &str, zero: char) -> String {
    let written = |letter: char| match letter.to_digit(10) {
        Some(digit) => char::from_u32(zero as u32 + digit).unwrap_or(letter),
        None => letter,
    };
    text.chars().map(written).collect()
}

/// Digits as percent signs or `\u` write them; everything else stays.
pub(crate) fn escaped(text: &str, prefix: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_digit() { format!("{prefix}{letter}") } else { letter.to_string() })
        .collect()
}

/// Digits as entities.
pub(crate) fn entities(text: &str, hexadecimal: bool) -> String {
    let written = |letter: char| match letter.to_digit(10) {
        Some(digit) if hexadecimal => format!("&#x3{digit};"),
        Some(digit) => format!("&#{};", 48 + digit),
        None => letter.to_string(),
    };
    text.chars().map(written).collect()
}

/// Digits in groups of these lengths, over and over.
pub(crate) fn chained(digits: &str, lengths: &[usize], separator: &str) -> String {
    let mut groups = Vec::new();
    let mut rest = digits;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (group, after) = rest.split_at((*length).min(rest.len()));
        groups.push(group);
        rest = after;
    }
    groups.join(separator)
}

/// UTF-16 of characters of which no byte is beyond ASCII.
pub(crate) fn utf16(text: &str, big: bool) -> String {
    let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    text.encode_utf16().flat_map(unit).map(char::from).collect()
}

/// A zero byte behind each character.
pub(crate) fn wide(text: &str) -> String {
    text.chars().flat_map(|letter| [letter, '\0']).collect()
}

/// A whole number with a point behind its first digit and an exponent; zeros at the end may be left out.
pub(crate) fn scientific(digits: &str, mark: &str, zeros: bool) -> String {
    let (first, rest) = digits.split_at(1);
    let fraction = if zeros { rest } else { rest.trim_end_matches('0') };
    format!("{first}.{fraction}{mark}{}", rest.len())
}

fn layout() -> impl Strategy<Value = Vec<usize>> {
    prop::sample::select(vec![vec![4, 4, 4, 4], vec![4, 6], vec![4, 3, 3], vec![6], vec![4, 4, 4], vec![]])
}

/// A piece of a text; pieces are put together without anything between them.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (pan(), layout(), separator()).prop_map(|(pan, layout, separator)| grouped(&pan, &layout, &separator)),
        2 => pan(),
        1 => (pan(), prop::sample::select(vec![",", ".", " ", "-"])).prop_map(|(pan, separator)| thousands(&pan, separator)),
        1 => (pan(), layout(), separator(), prop::sample::select(vec!['\u{ff10}', '\u{660}', '\u{6f0}', '\u{966}']))
            .prop_map(|(pan, layout, separator, zero)| in_script(&grouped(&pan, &layout, &separator), zero)),
        1 => (pan(), layout(), separator(), prop::sample::select(vec!["%3", "\\u003", "\\uFF1", "\\uff1"]))
            .prop_map(|(pan, layout, separator, prefix)| escaped(&grouped(&pan, &layout, &separator), prefix)),
        1 => (pan(), layout(), prop::sample::select(vec!["", " ", "-", "  ", ".", "/"]), any::<bool>())
            .prop_map(|(pan, layout, separator, odd)| if odd { format!("\0{}", wide(&grouped(&pan, &layout, separator))) } else { wide(&grouped(&pan, &layout, separator)) }),
        1 => (pan(), layout(), prop::sample::select(vec![" ", "-", "\u{2011}", "\u{202f}", "\u{3000}", "\u{200b}"]), any::<bool>())
            .prop_map(|(pan, layout, separator, big)| utf16(&format!("{} {} ", grouped(&pan, &layout, separator), "cvv: 123"), big)),
        1 => (pan(), layout(), separator(), any::<bool>())
            .prop_map(|(pan, layout, separator, hexadecimal)| entities(&grouped(&pan, &layout, &separator), hexadecimal)),
        1 => (pan(), prop::sample::select(vec![".", "-", " ", "/"])).prop_map(|(pan, separator)| chained(&pan, &[1], separator)),
        1 => (pan(), prop::collection::vec(1usize..7, 1..5), prop::sample::select(vec!["\u{200b}", "\u{ad}", "\u{2060}", "\u{feff}"]))
            .prop_map(|(pan, lengths, separator)| chained(&pan, &lengths, separator)),
        1 => (pan(), prop::sample::select(vec!["e", "E+", "e0", "E+0", "e-"]), any::<bool>())
            .prop_map(|(pan, mark, zeros)| scientific(&pan, mark, zeros)),
        2 => "[0-9]{1,6}",
        2 => separator(),
        1 => "[0-9*]{1,20}",
        1 => "[ a-zA-Z_\"':=?^%;.*-]{1,4}",
        1 => "[0-9a-f]{8,26}",
        1 => "[0-9]{8}-[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{12}",
        1 => prop::sample::select(vec![
            "BE68539007547034", "GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "cvv=737", " 12/26 737",
            "=2512101123?", "^DOE/JOHN^2512101?", "%B", ";", "D2512101000", "\"cvc2\":\"1234\",", "\\x", "0x", "|12|2026|123|", "%22", "\\u0022", "%A0", "\\u00a0", "%", "\0", "\0\0", "%3", "\\u003", "%2A", "\\u002a", "e15", "E+15", "4.", "%20",
        ]).prop_map(str::to_owned),
    ]
}

pub(crate) fn text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat().into_bytes())
}

pub(crate) fn short_text() -> impl Strategy<Value = Vec<u8>> {
    // The oracle's time grows with the cube of the length.
    prop::collection::vec(piece(), 0..4)
        .prop_map(|pieces| pieces.concat().into_bytes().into_iter().take(70).collect())
}

/// Few different bytes, so that runs and separators come often.
pub(crate) fn dense() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"4444111105560 -.*a\0%3e\n\r&#;".to_vec()), 0..200)
}

pub(crate) fn any_text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![3 => text(), 1 => dense(), 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

pub(crate) fn format() -> impl Strategy<Value = scan::Format> {
    use scan::Format::{Bin6Last4, Bin8Last4, Full, Last4, Surrogate};
    prop::sample::select(vec![Full, Last4, Bin6Last4, Bin8Last4, Surrogate])
}
