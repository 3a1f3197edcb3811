//! Every brand, length and grouping in the encodings that hide digits from a plain look: UTF-16 of both byte orders,
//! digits and separators behind escapes and as entities, scientific notation. At every alignment and every split for some.

#![expect(clippy::indexing_slicing, clippy::single_range_in_vec_init, reason = "a slip fails the test")]

mod facts;

use facts::{layouts, numbers, printed};
use scan::{Format, Kind, Scanner, Stream};
use std::ops::Range;

/// A text, where the number is in it, and the hidden digits' own bytes.
struct Case {
    brand: &'static str,
    text: Vec<u8>,
    range: Range<usize>,
    /// The text masked with nothing left open.
    masked: Vec<u8>,
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

/// In UTF-16 a number goes from its first digit's byte to its last digit's, whatever the byte order.
fn wide(brand: &'static str, form: &str, big: bool) -> Case {
    let (before, behind) = ("pan: ", "; café");
    let encode = |form: &str| utf16(&format!("{before}{form}{behind}"), big);
    let start = before.len() * 2 + usize::from(big);
    let hidden: String =
        form.chars().map(|letter| if letter.is_ascii_digit() { '*' } else { letter }).collect();
    let end = start + form.chars().count() * 2 - 1;
    Case { brand, text: encode(form), range: start..end, masked: encode(&hidden) }
}

fn written(brand: &'static str, form: &str, digit: &str, hidden: &str, separator: &str) -> Case {
    replaced(brand, form, |letter| format!("{digit}{letter}"), hidden, separator)
}

fn replaced(
    brand: &'static str,
    form: &str,
    digit: impl Fn(char) -> String,
    hidden: &str,
    separator: &str,
) -> Case {
    let (before, behind) = ("{\"pan\":\"", "\",\"n\":1}");
    let put = |hide: bool| -> String {
        form.chars()
            .map(|letter| match letter {
                '0'..='9' if hide => hidden.to_owned(),
                '0'..='9' => digit(letter),
                _ => separator.to_owned(),
            })
            .collect()
    };
    let (plain, masked) = (put(false), put(true));
    Case {
        brand,
        text: format!("{before}{plain}{behind}").into_bytes(),
        range: before.len()..before.len() + plain.len(),
        masked: format!("{before}{masked}{behind}").into_bytes(),
    }
}

/// Digits as entities: a number ends with its last digit, before the semicolon.
fn entities(brand: &'static str, form: &str, hexadecimal: bool, separator: &str) -> Case {
    let digit = |letter: char| match hexadecimal {
        true => format!("&#x3{letter};"),
        false => format!("&#{};", u32::from(letter)),
    };
    let mut case = replaced(brand, form, digit, if hexadecimal { "&#x2A;" } else { "&#42;" }, separator);
    case.range.end -= 1;
    case
}

fn scientific(brand: &'static str, number: &str, mark: &str) -> Case {
    let (first, rest) = number.split_at(1);
    let power = format!("{mark}{}", rest.len());
    // It becomes another number.
    let value: u64 = number.parse().unwrap_or(0);
    let other = Scanner::new().mask_unsigned(value, Format::Full).unwrap_or(0).to_string();
    let (other_first, other_rest) = other.split_at(1);
    let (plain, masked) = (format!("{first}.{rest}{power}"), format!("{other_first}.{other_rest}{power}"));
    Case {
        brand,
        text: format!("x={plain};").into_bytes(),
        range: 2..2 + plain.len(),
        masked: format!("x={masked};").into_bytes(),
    }
}

fn cases() -> impl Iterator<Item = Case> {
    numbers().flat_map(|(brand, number)| {
        let mut cases = Vec::new();
        for layout in layouts(brand, number.len()) {
            for separator in [
                " ", "-", ".", "  ", "/", "\u{a0}", "\u{ad}", "\u{2011}", "\u{202f}", "\u{200b}", "\u{feff}",
                "\u{ff0d}",
            ] {
                let form = printed(&number, &layout, separator);
                cases.extend([false, true].map(|big| wide(brand, &form, big)));
            }
            let form = printed(&number, &layout, "_");
            for separator in ["%20", "+", "-"] {
                cases.push(written(brand, &form, "%3", "%2A", separator));
            }
            for separator in [r"\u0020", " ", r"\u002d", r"\u00A0"] {
                cases.push(written(brand, &form, r"\u003", r"\u002a", separator));
            }
            for separator in [r"\uFF0D", " ", r"\u3000"] {
                cases.push(written(brand, &form, r"\uFF1", r"\uFF0A", separator));
                cases.push(written(brand, &form, r"\uff1", r"\uff0a", separator));
            }
            cases.extend([" ", "-", "\u{a0}"].map(|separator| entities(brand, &form, false, separator)));
            cases.extend([" ", "-", "."].map(|separator| entities(brand, &form, true, separator)));
            for separator in [r"\u00a0", r"\u2011", r"\u2013", r"\u202f", r"\u3000", r"\uFF0D"] {
                cases.push(written(brand, &form, "", "*", separator));
            }
        }
        // Below eleven written digits it is not looked for; these have all of theirs.
        cases.extend(["e", "E+", "e+0"].map(|mark| scientific(brand, &number, mark)));
        cases
    })
}

fn check(scanner: &Scanner, kernel: &str, case: &Case) {
    let Case { brand, text, range, masked } = case;
    let shown = String::from_utf8_lossy(text);
    let found: Vec<_> = scanner.find(text).map(|hit| (hit.range, hit.brand.name())).collect();
    assert_eq!(found, [(range.clone(), *brand)], "{kernel}: {shown:?}");
    assert!(scanner.suspect(text), "{kernel}: {shown:?}");
    let mut once = text.clone();
    assert_eq!(scanner.mask(&mut once, Format::Full), 1);
    assert_eq!(&once, masked, "{kernel}: {shown:?} became {:?}", String::from_utf8_lossy(&once));
    assert_eq!(scanner.mask(&mut once, Format::Full), 0);
}

#[test]
fn every_form_in_every_encoding() {
    let scanners = Scanner::all();
    let mut count = 0;
    for case in cases() {
        for (kernel, scanner) in &scanners {
            check(scanner, kernel, &case);
            count += 1;
        }
    }
    assert!(count > 10_000, "{count}");
}

#[test]
fn every_alignment() {
    let scanners = Scanner::all();
    for case in cases().step_by(97) {
        for lead in 0..130 {
            let pad = vec![b'='; lead];
            let behind = vec![b'x'; if lead % 2 == 0 { 500 } else { 0 }];
            let text = [&pad, case.text.as_slice(), &behind].concat();
            for (kernel, scanner) in &scanners {
                let found: Vec<_> = scanner.find(&text).map(|hit| hit.range).collect();
                assert_eq!(
                    found,
                    [lead + case.range.start..lead + case.range.end],
                    "{kernel}: {lead} {text:?}"
                );
                assert!(scanner.suspect(&text), "{kernel}: {lead} {text:?}");
            }
        }
    }
}

#[test]
fn every_split() {
    let scanner = Scanner::new();
    for case in cases().step_by(53) {
        for cut in 0..=case.text.len() {
            let (mut stream, mut done) = (Stream::new(), Vec::new());
            let mut kept = case.text[..cut].to_vec();
            let first = stream.mask(&scanner, &mut kept, false, Format::Full);
            done.extend(kept.drain(..first.released));
            kept.extend_from_slice(&case.text[cut..]);
            stream.mask(&scanner, &mut kept, true, Format::Full);
            done.extend(kept);
            assert_eq!(done, case.masked, "cut at {cut}");
        }
    }
}

#[test]
fn tracks_and_codes_in_utf16() {
    let number = "4111111111111111";
    for text in [
        format!("x%B{number}^DOE/JOHN^25121010000000000?;y"),
        format!("x;{number}=25121010000?y"),
        format!("é 57 {number}D25121010000012F"),
    ] {
        for big in [false, true] {
            let scanner = Scanner::new();
            let mut wide = utf16(&text, big);
            let kinds: Vec<_> = scanner.find(&wide).map(|hit| hit.kind).collect();
            assert!(matches!(kinds[..], [Kind::Track1 | Kind::Track2]), "{text}: {kinds:?}");
            assert_eq!(scanner.mask(&mut wide, Format::Last4), 1);
            let mut plain = text.clone().into_bytes();
            scanner.mask(&mut plain, Format::Last4);
            assert_eq!(wide, utf16(&String::from_utf8(plain).unwrap(), big), "{text}");
        }
    }
    for text in [
        format!("{{\"pan\":\"{number}\",\"cvv\":\"737\"}}"),
        format!("cvc2: 737, {number}"),
        "4111 1111 1111 1111 737".to_owned(),
        format!("{number}|12/26|737"),
    ] {
        for big in [false, true] {
            let mut wide = utf16(&text, big);
            Scanner::new().mask(&mut wide, Format::Last4);
            let expected = text.replace("737", "***").replace("4111 1111 1111", "**** **** ****");
            let expected = expected.replace(number, "************1111");
            assert_eq!(wide, utf16(&expected, big), "{text}");
        }
    }
}
