//! JSON texts that stay JSON texts when they are masked. Nothing is parsed: where a number may start is told from the
//! few bytes before it, so that a text may arrive in parts. What only looks like a number, within a string, gets digits
//! too, which is no harm.

use crate::bytes::{HIDDEN, before};
use crate::context::LOOKBEHIND;

/// White space looked back over.
const SPACES_MAX: usize = 40;
const _: () = assert!(SPACES_MAX + 3 < LOOKBEHIND);
/// So many spaces are no separator between groups of digits.
const SPACES_APART: usize = 3;

/// Whether a number may start at `index`: after the beginning, `:`, `[`, `,`, a line's end or much white space. A group
/// of digits before it cannot belong to it then.
#[inline(never)]
pub(crate) fn number_may_start(bytes: &[u8], index: usize) -> bool {
    let index = index - usize::from(before(bytes, index, 1) == b'-');
    let spaces = (1..=SPACES_MAX).take_while(|back| before(bytes, index, *back) == b' ').count();
    let first = index - spaces.min(index);
    spaces >= SPACES_APART
        || first == 0
        || matches!(before(bytes, first, 1), b':' | b'[' | b',' | b'\n' | b'\r' | b'\t')
}

/// Puts another byte in a place; whether it is another.
fn put(place: &mut u8, byte: u8) -> bool {
    std::mem::replace(place, byte) != byte
}

/// Hides all digits of a number: the first behind 1, or 0 where it was one, the others behind 0. Whether it changed.
pub(crate) fn hide_number(number: &mut [u8]) -> bool {
    let (mut first, mut changed) = (true, false);
    for byte in number {
        if byte.is_ascii_digit() {
            changed |= put(byte, if first && *byte != b'0' { b'1' } else { b'0' });
        }
        first &= *byte == b'-';
    }
    changed
}

/// Hides what a JSON text holds and keeps its form. Whether it changed.
pub(crate) fn hide_all(bytes: &mut [u8]) -> bool {
    let mut changed = false;
    let mut rest = bytes;
    while let Some(byte) = rest.first().copied() {
        let (length, hide): (usize, fn(&mut [u8]) -> bool) = match byte {
            b'"' => (string_bytes(rest), hide_string),
            b'-' | b'0'..=b'9' => (number_bytes(rest), hide_number),
            _ => (other_bytes(rest), hide_other),
        };
        let (piece, after) = rest.split_at_mut(length.clamp(1, rest.len()));
        changed |= hide(piece);
        rest = after;
    }
    changed
}

/// From a quotation mark to the one that ends the string, or to the end.
fn string_bytes(rest: &[u8]) -> usize {
    let mut index = 1;
    while let Some(byte) = rest.get(index) {
        index += if *byte == b'\\' { 2 } else { 1 };
        if *byte == b'"' {
            break;
        }
    }
    index
}

fn number_bytes(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)).count()
}

fn other_bytes(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| !(byte.is_ascii_digit() || matches!(byte, b'"' | b'-'))).count()
}

/// Hides a letter, a digit or a sign beyond ASCII. Whether it changed.
fn hide(byte: &mut u8) -> bool {
    (byte.is_ascii_alphanumeric() || !byte.is_ascii()) && put(byte, HIDDEN)
}

/// Hides characters; escapes of one letter stay, those of four digits become that of the hiding character.
fn hide_string(string: &mut [u8]) -> bool {
    let mut changed = false;
    let mut index = 0;
    while let Some(rest) = string.get_mut(index..).filter(|rest| !rest.is_empty()) {
        index += match rest {
            [b'\\', b'u', digits @ ..] => {
                for (place, digit) in digits.iter_mut().zip(b"002a") {
                    changed |= put(place, *digit);
                }
                6
            }
            [b'\\', ..] => 2,
            [byte, ..] => {
                changed |= hide(byte);
                1
            }
            [] => 1,
        };
    }
    changed
}

/// What stands outside strings and numbers: the three words of JSON stay, any other is hidden.
fn hide_other(text: &mut [u8]) -> bool {
    let words = text.chunk_by_mut(|one, next| one.is_ascii_alphanumeric() == next.is_ascii_alphanumeric());
    let others = words.filter(|word| !matches!(&**word, b"true" | b"false" | b"null"));
    others.flatten().fold(false, |changed, byte| changed | hide(byte))
}

#[cfg(test)]
mod tests {
    use crate::{Format, Scanner, Stream};

    fn masked(text: &str, format: Format) -> String {
        let mut bytes = text.as_bytes().to_vec();
        assert!(Scanner::new().mask_json(&mut bytes, format) > 0, "{text}");
        assert_eq!(Scanner::new().find(&bytes).count(), 0, "{text}");
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_stay_numbers_and_strings_get_stars() {
        for (text, expected) in [
            ("4111111111111111", "1000000000001111"),
            ("{\"pan\":4111111111111111}", "{\"pan\":1000000000001111}"),
            ("{\"pan\": 378282246310005 }", "{\"pan\": 100000000000005 }"),
            ("[1,\n      -4111111111111111.50]", "[1,\n      -1000000000001111.50]"),
            ("{\"pan\":\"4111111111111111\"}", "{\"pan\":\"************1111\"}"),
            ("[\"card 4111 1111 1111 1111\"]", "[\"card **** **** **** 1111\"]"),
            ("{\"pan\":4111111111111111,\"cvv\":737}", "{\"pan\":1000000000001111,\"cvv\":100}"),
            ("{\"cvv\":\"737\",\"pan\":4111111111111111}", "{\"cvv\":\"***\",\"pan\":1000000000001111}"),
        ] {
            let found = masked(text, Format::Last4);
            assert_eq!(found.len(), expected.len());
            let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
            assert_eq!(digits(&found), digits(expected), "{found}");
            // The filling's last hidden digits are chosen so that nothing passes Luhn.
            assert_eq!(found[..14.min(found.len())], expected[..14.min(expected.len())], "{found}");
            assert!(!expected.contains("cvv\":100") || found.contains("cvv\":100"), "{found}");
        }
    }

    #[test]
    fn small_numbers_in_a_list_do_not_begin_with_zero() {
        let found = masked("[4,111,111,111,111,111]", Format::Full);
        assert!(
            found[1..].split(',').all(|number| !number.starts_with('0') && !number.contains('*')),
            "{found}"
        );
    }

    #[test]
    fn every_split_of_a_json_text_gives_the_same_bytes() {
        let text = "{\"a\":  4111111111111111, \"b\":[378282246310005,\"5555555555554444\"],\n\"c\":\n                      -6011000990139424.5e0}";
        let scanner = Scanner::new();
        let whole = masked(text, Format::Last4);
        for cut in 0..=text.len() {
            let mut stream = Stream::json();
            let (mut done, mut kept) = (Vec::new(), text.as_bytes()[..cut].to_vec());
            let progress = stream.mask(&scanner, &mut kept, false, Format::Last4);
            done.extend(kept.drain(..progress.released));
            kept.extend_from_slice(&text.as_bytes()[cut..]);
            stream.mask(&scanner, &mut kept, true, Format::Last4);
            done.extend(kept);
            assert_eq!(String::from_utf8(done).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_labelled_text_shows_its_form_only() {
        for (text, expected) in [
            (r#"{"pan": 4111111111111111, "ok": true}"#, r#"{"***": 1000000000000000, "**": true}"#),
            (r#"["a\n\u00e9x\"7", -0.25e10, null, 0]"#, r#"["*\n\u002a*\"*", -0.00e00, null, 0]"#),
            ("\"unfinished 7", "\"********** *"),
        ] {
            let mut bytes = text.as_bytes().to_vec();
            assert!(Scanner::new().mask_whole_json(&mut bytes), "{text}");
            assert_eq!(String::from_utf8_lossy(&bytes), expected);
            assert!(!Scanner::new().mask_whole_json(&mut bytes), "{text}");
        }
    }
}
