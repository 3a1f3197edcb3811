//! Every brand and length of the public tables, in every form that a number is printed in, wherever it may stand.
//!
#![expect(clippy::indexing_slicing, clippy::single_range_in_vec_init, reason = "a slip fails the test")]

mod facts;

use facts::{layouts, numbers, printed};
use scan::{Format, Kind, Scanner, Stream};

const SEPARATORS: [&str; 19] = [
    " ", "-", ".", "  ", "\u{a0}", "/", "+", "%20", "\u{2011}", "\u{2013}", "\u{202f}", "\u{3000}",
    "\u{200b}", "\u{200d}", "\u{2060}", "\u{feff}", "\u{ad}", "\n", "\r\n",
];

/// The zeros of other scripts.
const ZEROS: [char; 4] = ['\u{ff10}', '\u{660}', '\u{6f0}', '\u{966}'];

const SURROUNDINGS: [(&str, &str); 19] = [
    ("%7B%22pan%22%3A%22", "%22%7D"),
    ("%A0", "%20"),
    (r"{\u0022pan\u0022:\u0022", r"\u0022}"),
    ("", ""),
    ("\"", "\""),
    ("x,", ",y"),
    ("pan_", "_old"),
    ("PAN", "EUR"),
    ("no.", "."),
    ("card number: ", "\n"),
    ("\0\0\0\u{10}", "\0\0\0\u{1}7"),
    ("<pan>", "</pan>"),
    ("a=1&pan=", "&b=2"),
    ("7 | ", " | 42"),
    ("2026-01-02T03:04:05Z ", " ok"),
    ("(", ")"),
    ("é", "ü"),
    ("'", "'::text"),
    ("id ", "\tend"),
];

/// The number with all digits hidden but the last four.
fn last_four(printed: &str) -> String {
    let digits = printed.replace("%20", "_").bytes().filter(u8::is_ascii_digit).count();
    let mut seen = 0;
    let hide = |letter: char| {
        seen += usize::from(letter.is_ascii_digit());
        if letter.is_ascii_digit() && seen + 4 <= digits { '*' } else { letter }
    };
    printed.replace("%20", "_").chars().map(hide).collect::<String>().replace('_', "%20")
}

fn forms() -> impl Iterator<Item = (&'static str, String)> {
    numbers().flat_map(|(brand, number)| {
        layouts(brand, number.len()).into_iter().flat_map(move |layout| {
            let number = number.clone();
            let separators = if layout.len() == 1 { &SEPARATORS[..1] } else { &SEPARATORS[..] };
            // Six digits and thirteen are not looked for on two lines.
            let fits = |separator: &&&str| layout[0] == 4 || !separator.contains('\n') || layout.len() == 1;
            let forms = separators.iter().filter(fits);
            forms.map(|separator| (brand, printed(&number, &layout, separator))).collect::<Vec<_>>()
        })
    })
}

#[test]
fn every_form_in_every_surrounding() {
    let scanners = Scanner::all();
    let mut cases = 0;
    for (brand, form) in forms() {
        for (before, behind) in SURROUNDINGS {
            // Where characters are escaped, so is the end of a line.
            if form.contains('\n') && before.ends_with(|last: char| last.is_ascii_digit()) {
                continue;
            }
            let text = format!("{before}{form}{behind}");
            for (kernel, scanner) in &scanners {
                let hits: Vec<_> = scanner.find(text.as_bytes()).collect();
                assert_eq!(hits.len(), 1, "{kernel}: {brand} {text:?}");
                assert_eq!(
                    hits[0].range,
                    before.len()..before.len() + form.len(),
                    "{kernel}: {brand} {text:?}"
                );
                assert_eq!((hits[0].brand.name(), hits[0].kind), (brand, Kind::Pan), "{kernel}: {text:?}");
                assert!(scanner.suspect(text.as_bytes()));
                let mut masked = text.clone().into_bytes();
                assert_eq!(scanner.mask(&mut masked, Format::Last4), 1);
                let expected = format!("{before}{}{behind}", last_four(&form));
                assert_eq!(String::from_utf8(masked).unwrap(), expected);
                cases += 1;
            }
        }
    }
    assert!(cases > 10_000, "{cases}");
}

#[test]
fn other_scripts_and_thousands() {
    let scanners = Scanner::all();
    for (brand, number) in numbers() {
        let (first, rest) = number.split_at((number.len() + 2) % 3 + 1);
        let thousands = rest
            .as_bytes()
            .chunks(3)
            .fold(first.to_owned(), |text, group| text + "," + &String::from_utf8_lossy(group));
        let scripts = layouts(brand, number.len()).into_iter().zip(ZEROS).map(|(layout, zero)| {
            let digit = |digit| char::from_u32(zero as u32 + digit).unwrap();
            let form = printed(&number, &layout, "\u{3000}");
            form.chars().map(|letter| letter.to_digit(10).map_or(letter, digit)).collect::<String>()
        });
        for form in scripts.chain([thousands]) {
            for (before, behind) in [("", ""), ("x ", " y"), ("\"", "\""), ("７Ａ", "円")] {
                let text = format!("{before}{form}{behind}");
                for (kernel, scanner) in &scanners {
                    let hits: Vec<_> = scanner.find(text.as_bytes()).collect();
                    assert_eq!(hits.len(), 1, "{kernel}: {brand} {text:?}");
                    assert_eq!(hits[0].range, before.len()..before.len() + form.len(), "{kernel}: {text:?}");
                    assert!(scanner.suspect(text.as_bytes()), "{kernel}: {text:?}");
                    let mut masked = text.clone().into_bytes();
                    assert_eq!(scanner.mask(&mut masked, Format::Full), 1);
                    let masked = String::from_utf8(masked).unwrap();
                    assert!(
                        masked.starts_with(before) && masked.ends_with(behind) && masked.len() == text.len()
                    );
                    assert!(
                        !masked[before.len()..masked.len() - behind.len()].contains(char::is_numeric),
                        "{masked}"
                    );
                }
            }
        }
    }
}

/// Digit by digit, and in groups that only what is not seen parts.
fn chains(number: &str) -> impl Iterator<Item = String> {
    let one_by_one =
        [" ", "-", ".", "/", "\u{200b}"].into_iter().map(|separator| (vec![1; number.len()], separator));
    let halves = vec![number.len() / 2, number.len() - number.len() / 2];
    let odd = vec![5, 2, number.len() - 7];
    let groups = [(halves, "\u{ad}"), (odd.clone(), "\u{feff}"), (odd, "\u{200c}")];
    one_by_one.chain(groups).map(|(layout, separator)| printed(number, &layout, separator))
}

#[test]
fn digits_one_by_one_and_parted_by_what_is_not_seen() {
    let scanners = Scanner::all();
    for (lead, (brand, number)) in numbers().enumerate() {
        for form in chains(&number) {
            for (before, behind) in [("", ""), ("x ", " y"), ("\"", "\""), ("é", "ü")] {
                let before = format!("{}{before}", "=".repeat(lead % 130));
                let text = format!("{before}{form}{behind}{}", "x".repeat(lead % 3 * 250));
                for (kernel, scanner) in &scanners {
                    let hits: Vec<_> =
                        scanner.find(text.as_bytes()).map(|hit| (hit.range, hit.brand.name())).collect();
                    let range = before.len()..before.len() + form.len();
                    assert_eq!(hits, [(range.clone(), brand)], "{kernel}: {text:?}");
                    assert!(scanner.suspect(text.as_bytes()), "{kernel}: {text:?}");
                    let mut masked = text.clone().into_bytes();
                    assert_eq!(scanner.mask(&mut masked, Format::Full), 1);
                    assert!(!masked[range].iter().any(u8::is_ascii_digit), "{text:?}");
                }
            }
        }
    }
}

#[test]
fn digits_of_a_longer_list_are_no_card() {
    let one_by_one = printed("4111111111111111", &[1; 16], " ");
    let lines = printed("4111111111111111", &[4; 4], "\n");
    for (before, behind) in [("7", ""), ("", "7"), ("12", ""), ("", "12")] {
        for (form, separator) in [(&one_by_one, " "), (&lines, "\n")] {
            let before = if before.is_empty() { String::new() } else { format!("{before}{separator}") };
            let behind = if behind.is_empty() { String::new() } else { format!("{separator}{behind}") };
            let text = format!("{before}{form}{behind}");
            assert_eq!(Scanner::new().find(text.as_bytes()).count(), 0, "{text:?}");
        }
    }
}

#[test]
fn every_alignment() {
    let scanners = Scanner::all();
    for (_, form) in forms().step_by(31) {
        for lead in 0..130 {
            for trail in [0, 1, 500] {
                let text = format!("{}{form}{}", "-".repeat(lead), "x".repeat(trail));
                for (kernel, scanner) in &scanners {
                    let found: Vec<_> = scanner.find(text.as_bytes()).map(|hit| hit.range).collect();
                    assert_eq!(found, [lead..lead + form.len()], "{kernel}: {text:?}");
                    assert!(scanner.suspect(text.as_bytes()), "{kernel}: {text:?}");
                }
            }
        }
    }
}

#[test]
fn every_split() {
    let scanner = Scanner::new();
    for (_, form) in forms().step_by(11) {
        let text = format!("value {form} and more").into_bytes();
        let mut whole = text.clone();
        scanner.mask(&mut whole, Format::Bin6Last4);
        for cut in 0..=text.len() {
            let mut stream = Stream::new();
            let mut done = Vec::new();
            let mut kept = text[..cut].to_vec();
            let first = stream.mask(&scanner, &mut kept, false, Format::Bin6Last4);
            done.extend(kept.drain(..first.released));
            kept.extend_from_slice(&text[cut..]);
            stream.mask(&scanner, &mut kept, true, Format::Bin6Last4);
            done.extend(kept);
            assert_eq!(done, whole, "cut at {cut}");
        }
    }
}

#[test]
fn numbers_that_are_no_cards() {
    let scanner = Scanner::new();
    for text in [
        "4111111111111112",                             // Luhn
        "41111111111111111111",                         // a longer run
        "0.4111111111111111",                           // a fraction
        "12.4111111111111111",                          // a fraction
        "4111-1111 1111-1111",                          // mixed separators
        "4111 11111111 1111",                           // no card is printed so
        "41111111-1111-1111-1111-111111111111",         // a UUID
        "{abcd4111-1111-1111-1111-1111abcdef12}",       // a UUID
        "00000000-0000-0000-0000-501800000009",         // a UUID
        "0x00004111111111111111abcd",                   // hexadecimal
        "d41d8cd98f00b204e4111111111111111998ecf8427e", // hexadecimal
        "BE68539007547034",                             // an IBAN
        "1735689600000000000",                          // nanoseconds
        "1735689600000000",                             // microseconds
        "7111111111111111",                             // no brand
        "+628111111111",                                // a telephone number
    ] {
        assert_eq!(scanner.find(text.as_bytes()).count(), 0, "{text}");
    }
    let mut labelled = *b"00000000-0000-0000-0000-501800000009";
    assert!(scanner.mask_whole(&mut labelled, Format::Last4));
    assert_eq!(&labelled, b"********-****-****-****-************");
}
