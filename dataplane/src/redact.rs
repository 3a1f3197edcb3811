//! Makes of what a job sends what may be recorded and shown: card numbers masked, secrets' literals left out.
//! Where it cannot tell, it leaves out.

use std::borrow::Cow;
use std::fmt::Write as _;

use policies::statement::Dialect;
pub use policies::statement::names_secret;
use scan::{Format, Scanner};
use wire::{Command, CommandKind};

/// Appends the statement to `out` as it may be recorded; returns how many card numbers were masked.
pub fn statement(
    text: &str,
    secret: bool,
    dialect: Dialect,
    (scanner, format): (&Scanner, Format),
    out: &mut String,
) -> usize {
    if !secret {
        return masked(text, scanner, format, out);
    }
    let mut bare = String::new();
    if policies::statement::fingerprint(text, dialect, &mut bare) {
        return masked(&bare, scanner, format, out);
    }
    // Where literals begin and end cannot be told for sure: nothing of it is shown.
    let _ = write!(out, "{UNREADABLE}, {} bytes]", text.len());
    0
}

/// What stands for a statement that names a secret and whose literals cannot be told from the rest.
const UNREADABLE: &str = "[left out: it names a secret";

/// Whether the statement, as shown, tells what it does: people cannot approve what they cannot read.
pub fn is_readable(shown: &str) -> bool {
    !shown.starts_with(UNREADABLE)
}

/// Appends `text` with its card numbers masked, those in `\x` form too.
pub fn masked(text: &str, scanner: &Scanner, format: Format, out: &mut String) -> usize {
    let hex = memchr::memmem::find(text.as_bytes(), b"\\x").is_some();
    if !hex && !scanner.suspect(text.as_bytes()) {
        out.push_str(text);
        return 0;
    }
    let mut bytes = text.as_bytes().to_vec();
    let count = wire::postgres::mask_parameter(scanner, &mut bytes, false, format);
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
    let mut bytes = value.to_vec();
    let mut count = wire::postgres::mask_parameter(scanner, &mut bytes, binary, format);
    if let Some(text) = printable(&bytes, binary) {
        return (Some(text.to_owned().into()), count == 0);
    }
    if !matches!(value.len(), 2 | 4 | 8) {
        return (Some(format!("[binary, {} bytes]", value.len()).into()), false);
    }
    let mut shown = String::new();
    // Packed digits are card numbers in hexadecimal.
    count += masked(&hex(&bytes), scanner, format, &mut shown);
    (Some(shown.into()), count == 0)
}

/// Whether a statement that writes, or a parameter of it, carries what a mask has made. The statement's text is looked
/// at where it comes, its parameters where they do.
pub fn writes_back(command: &Command<'_>, scanner: &Scanner, format: Format) -> bool {
    if command.kind != CommandKind::Execute {
        return scanner.find_masked(command.text.as_bytes(), format).is_some();
    }
    command.parameters.iter().any(|parameter| match (parameter.value, parameter.binary) {
        (Some(value), true) if value.len() == 8 => {
            let number = value.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes));
            scanner.is_masked_integer(number, format)
        }
        (Some(value), _) => scanner.find_masked(value, format).is_some(),
        (None, _) => false,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    const PAN: &str = "4111111111111111";

    fn shown(text: &str) -> String {
        let mut out = String::new();
        statement(
            text,
            names_secret(text, Dialect::Postgres),
            Dialect::Postgres,
            (&Scanner::new(), Format::Last4),
            &mut out,
        );
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
            ("select encrypt(E'a\\'b', 'thekey')", "thekey"),
            ("-- don't\nALTER ROLE x PASSWORD 'hunter2'", "hunter2"),
            ("select pgp_sym_encrypt(E'O\\'Brien', 'TheKey')", "TheKey"),
            ("select \"it's\", crypt ('pass', 'salt')", "pass"),
            ("/* token ' */ alter role x password 'hunter2' /* ' */", "hunter2"),
        ] {
            assert!(!shown(text).contains(secret), "{text}: {}", shown(text));
        }
        assert!(shown("select 'plain'").contains("plain"));
        assert!(!is_readable(&shown("/* token ' */ delete from cards /* ' */")));
        assert!(is_readable(&shown("alter role x password 'hunter2'")));
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
