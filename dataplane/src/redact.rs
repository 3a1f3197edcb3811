//! Makes of what a job sends what may be recorded and shown: card numbers masked, secrets' literals left out.
//! Where it cannot tell, it leaves out.

use std::borrow::Cow;
use std::fmt::Write as _;

use scan::{Format, Scanner};

/// Words that say that a literal near them may be a password or a key. Matched anywhere, whatever their case.
const SECRET_WORDS: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "pgp_",
    "encrypt",
    "decrypt",
    "crypt(",
    "hmac",
    "digest(",
    "identified",
    "authorization",
    "credential",
    "conninfo",
    "dblink",
];

/// Whether the text names something whose literals or parameters may be secret.
pub fn names_secret(text: &str) -> bool {
    let bytes = text.as_bytes();
    SECRET_WORDS
        .iter()
        .any(|word| bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes())))
}

/// Appends the statement to `out` as it may be recorded; returns how many card numbers were masked.
pub fn statement(text: &str, secret: bool, scanner: &Scanner, format: Format, out: &mut String) -> usize {
    if secret {
        let mut bare = String::with_capacity(text.len());
        without_literals(text, &mut bare);
        return masked(&bare, scanner, format, out);
    }
    masked(text, scanner, format, out)
}

/// Appends `text` with its card numbers masked.
pub fn masked(text: &str, scanner: &Scanner, format: Format, out: &mut String) -> usize {
    if !scanner.suspect(text.as_bytes()) {
        out.push_str(text);
        return 0;
    }
    let mut bytes = text.as_bytes().to_vec();
    let count = scanner.mask(&mut bytes, format);
    out.push_str(&String::from_utf8_lossy(&bytes));
    count
}

/// One parameter as it may be recorded, and whether that tells all of it (an approval may then cover a repetition).
pub fn parameter<'a>(
    value: Option<&'a [u8]>,
    binary: bool,
    secret: bool,
    scanner: &Scanner,
    format: Format,
) -> (Option<Cow<'a, str>>, bool) {
    let Some(value) = value else { return (None, true) };
    if secret {
        return (Some("[left out]".into()), false);
    }
    if let Some(text) = printable(value, binary) {
        let mut out = String::with_capacity(text.len());
        let count = masked(text, scanner, format, &mut out);
        return (Some(out.into()), count == 0);
    }
    match *value {
        [_, _] | [_, _, _, _] => (Some(hex(value).into()), true),
        [a, b, c, d, e, f, g, h] => eight([a, b, c, d, e, f, g, h], scanner, format),
        _ => (Some(format!("[binary, {} bytes]", value.len()).into()), false),
    }
}

/// Eight bytes may be an integer or a double that is a card number; then they are shown as such a mask.
fn eight(bytes: [u8; 8], scanner: &Scanner, format: Format) -> (Option<Cow<'static, str>>, bool) {
    let number = i64::from_be_bytes(bytes);
    let double = f64::from_be_bytes(bytes);
    let whole = if double.fract() == 0.0 && double.abs() < 1e19 { double as i64 } else { 0 };
    match scanner.mask_integer(number, format).or_else(|| scanner.mask_integer(whole, format)) {
        Some(masked) => (Some(masked.to_string().into()), false),
        None => (Some(hex(&bytes).into()), true),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("\\x"), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn printable(value: &[u8], binary: bool) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    (!binary || (value.len() > 8 && text.chars().all(plain))).then_some(text)
}

/// Copies `text` with every quoted literal's content left out: '…', E'…', $tag$…$tag$. An unterminated one is left
/// out to the end.
fn without_literals(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '$']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let opening = if from.starts_with('\'') { Some("'") } else { dollar_tag(from) };
        let Some(opening) = opening else {
            out.push('$');
            rest = from.get(1..).unwrap_or_default();
            continue;
        };
        out.push_str(opening);
        out.push_str("[left out]");
        let body = from.get(opening.len()..).unwrap_or_default();
        // Inside '…' neither '' nor \' is told apart from the end: the literal's rest is then a literal of its own.
        match body.find(opening) {
            Some(end) => {
                out.push_str(opening);
                rest = body.get(end + opening.len()..).unwrap_or_default();
            }
            None => return,
        }
    }
    out.push_str(rest);
}

fn dollar_tag(from: &str) -> Option<&str> {
    let end = from.get(1..)?.find('$')? + 2;
    let tag = from.get(..end)?;
    let name = tag.trim_matches('$');
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (plain && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAN: &str = "4111111111111111";

    fn shown(text: &str) -> String {
        let mut out = String::new();
        statement(text, names_secret(text), &Scanner::new(), Format::Last4, &mut out);
        out
    }

    #[test]
    fn card_numbers_are_masked_and_the_rest_stays() {
        assert_eq!(shown(&format!("select '{PAN}', 7")), "select '************1111', 7");
    }

    #[test]
    fn secret_literals_are_left_out() {
        for (text, secret) in [
            ("ALTER ROLE x PASSWORD 'hunter2'", "hunter2"),
            ("select pgp_sym_decrypt(c, 'k''ey') from t", "ey"),
            ("select crypt($q$pw$q$, gen_salt('bf'))", "pw"),
            ("create user u identified by 'abc", "abc"),
            ("select encrypt(E'a\\'b', 'k')", "a\\"),
        ] {
            assert!(!shown(text).contains(secret), "{text}");
        }
        assert!(shown("select 'plain'").contains("plain"));
    }

    #[test]
    fn parameters_show_no_card_in_any_form() {
        let scanner = Scanner::new();
        let number: i64 = PAN.parse().unwrap();
        for (value, binary) in [
            (PAN.as_bytes().to_vec(), false),
            (PAN.as_bytes().to_vec(), true),
            (number.to_be_bytes().to_vec(), true),
            ((number as f64).to_be_bytes().to_vec(), true),
            (vec![0, 4, 0, 3, 0, 0, 0, 0, 0x10, 0x1f, 0x04, 0x57, 0x04, 0x57, 0x04, 0x57], true),
        ] {
            let (text, whole) = parameter(Some(&value), binary, false, &scanner, Format::Last4);
            let text = text.unwrap();
            assert!(!text.contains("41111111") && !text.contains("000e9"), "{text}");
            assert!(!whole);
        }
        assert_eq!(parameter(None, true, false, &scanner, Format::Last4).0, None);
        assert_eq!(
            parameter(Some(&[0, 0, 0, 7]), true, false, &scanner, Format::Last4).0.as_deref(),
            Some("\\x00000007")
        );
    }
}
