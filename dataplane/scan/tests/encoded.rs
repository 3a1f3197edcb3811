//! Every brand and length in base64 and in hexadecimal digits: at every place of a group, in both alphabets, in lines,
//! among other text. And texts that hold none.

#![expect(clippy::indexing_slicing, reason = "a slip fails the test")]

mod facts;

use facts::{layouts, numbers, printed};
use scan::{Encoding, Format, Scanner};

const ALPHABETS: [&[u8; 64]; 2] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
];

fn base64(bytes: &[u8], alphabet: &[u8; 64], padded: bool) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word =
            (0..3).fold(0, |word, place| word << 8 | u32::from(group.get(place).copied().unwrap_or(0)));
        for place in 0..4 {
            match place <= group.len() {
                true => text.push(char::from(alphabet[(word >> (18 - 6 * place) & 63) as usize])),
                false if padded => text.push('='),
                false => {}
            }
        }
    }
    text
}

fn hex(bytes: &[u8], upper: bool) -> String {
    bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
}

fn lines(text: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(10).map(String::from_utf8_lossy).collect();
    lines.join("\n")
}

/// The number is found, at the characters that stand for it and no more, and masked as it is in plain text.
fn check(text: &str, encoding: Encoding, brand: &str, encode: impl Fn(&[u8]) -> String, plain: &str) {
    let scanner = Scanner::new();
    let hits = scanner.find_encoded(text.as_bytes(), encoding);
    assert_eq!(hits.len(), 1, "{text}");
    assert_eq!(hits[0].brand.name(), brand, "{text}");
    let begun = text.find(&encode(plain.as_bytes())).unwrap_or(usize::MAX);
    assert!(begun <= hits[0].range.start && hits[0].range.end <= text.len(), "{text}");
    let mut masked = text.as_bytes().to_vec();
    assert_eq!(scanner.mask_encoded(&mut masked, encoding, Format::Last4), 1, "{text}");
    let mut expected = plain.as_bytes().to_vec();
    scanner.mask(&mut expected, Format::Last4);
    let expected = text.replace(&encode(plain.as_bytes()), &encode(&expected));
    assert_eq!(String::from_utf8_lossy(&masked), expected);
    assert!(scanner.find_encoded(&masked, encoding).is_empty());
    assert_eq!(scanner.mask_encoded(&mut masked, encoding, Format::Last4), 0);
}

#[test]
fn base64_of_every_brand_at_every_place() {
    let mut cases = 0;
    for (brand, number) in numbers() {
        for layout in layouts(brand, number.len()) {
            for before in ["", "x", "no", "é7\u{ff}"] {
                let plain = format!("{before} {}; \u{7ff}?>~", printed(&number, &layout, "-"));
                for alphabet in ALPHABETS {
                    for padded in [false, true] {
                        for (left, right) in [("", ""), ("pan: ", " "), ("\"", "\","), ("ab=", "=")] {
                            let encode = |bytes: &[u8]| base64(bytes, alphabet, padded);
                            let text = format!("{left}{}{right}", encode(plain.as_bytes()));
                            check(&text, Encoding::Base64, brand, encode, &plain);
                            cases += 1;
                        }
                    }
                }
                let encode = |bytes: &[u8]| lines(&base64(bytes, ALPHABETS[0], true));
                check(&encode(plain.as_bytes()), Encoding::Base64, brand, encode, &plain);
            }
        }
    }
    assert!(cases > 10_000, "{cases}");
}

#[test]
fn hexadecimal_digits_of_every_brand() {
    for (brand, number) in numbers() {
        for layout in layouts(brand, number.len()) {
            for upper in [false, true] {
                let plain = format!("z {} y", printed(&number, &layout, " "));
                let encode = |bytes: &[u8]| hex(bytes, upper);
                for (left, right) in [("", ""), ("\\x", ""), ("'\\x", "'::bytea"), ("0", "g")] {
                    let text = format!("{left}{}{right}", encode(plain.as_bytes()));
                    check(&text, Encoding::Hex, brand, encode, &plain);
                }
            }
        }
    }
}

#[test]
fn what_stands_for_no_card_stays() {
    let scanner = Scanner::new();
    for plain in
        ["4111111111111112", "0.4111111111111111", "41111111111111111111", "nothing here, nothing there"]
    {
        for encoding in [Encoding::Base64, Encoding::Hex] {
            let text = match encoding {
                Encoding::Base64 => base64(plain.as_bytes(), ALPHABETS[0], true),
                Encoding::Hex => hex(plain.as_bytes(), false),
            };
            let mut masked = text.clone().into_bytes();
            assert_eq!(scanner.mask_encoded(&mut masked, encoding, Format::Full), 0);
            assert_eq!(masked, text.as_bytes());
        }
    }
    for junk in [&b"=\n=\r\n\x00"[..], b"", b"QUJD", &[b'A'; 10_000], &[b'\n'; 10_000]] {
        for encoding in [Encoding::Base64, Encoding::Hex] {
            assert!(scanner.find_encoded(junk, encoding).is_empty());
        }
    }
}
