//! A statement's text without its literals, as a key for decisions: statements that differ in literals alone share one.
//! Only text that every version and setting of its server cuts alike is abstracted; anything subtle is keyed whole.
//! PostgreSQL's rules are here, MySQL's beside this.
mod mysql;

use super::Dialect;

/// Integers of more digits may be taken otherwise than those that fit in 64 bits.
const INTEGER_DIGITS_MAX: usize = 18;

/// Writes `text` to `out`: strings as `$?`, integers as `$#`, other numbers as `$%`, all else as it stands; none
/// of these can stand in a text that is abstracted. False: the text is not abstracted (`out` then holds nothing of use)
/// and must be keyed by itself.
///
/// Two texts with one key have one set of [`Facts`](super::Facts) where the facts of either say that literals do not
/// matter. Where they do, the key must not be used: neither to ask the cache nor to fill it.
#[must_use]
pub fn fingerprint(text: &str, dialect: Dialect, out: &mut String) -> bool {
    out.clear();
    out.reserve(text.len());
    match dialect {
        Dialect::Postgres => postgres(text, out),
        Dialect::Mysql => mysql::fingerprint(text, out),
    }
}

fn postgres(text: &str, out: &mut String) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    // Where what stands between literals begins.
    let mut kept = 0;
    while let Some(&byte) = bytes.get(at) {
        match CLASS.get(usize::from(byte)).copied().unwrap_or(Class::Subtle) {
            Class::Plain => at += 1,
            Class::Word => {
                let from = at;
                at = word_end(bytes, at);
                // A prefix of a string, or U& before one.
                let prefix = matches!(bytes.get(at), Some(b'\''))
                    || matches!(bytes.get(at..at + 2), Some(b"&'" | b"&\""));
                if prefix && at - from <= 2 {
                    return false;
                }
            }
            Class::Digit => {
                let Some((end, mark)) = number_end(bytes, at) else { return false };
                abstracted(text, kept, at, mark, out);
                at = end;
                kept = end;
            }
            Class::Quote => {
                let Some(end) = string_end(bytes, at) else { return false };
                abstracted(text, kept, at, "$?", out);
                at = end;
                kept = end;
            }
            Class::Name => {
                let Some(end) = name_end(bytes, at) else { return false };
                at = end;
            }
            Class::Dollar => {
                let Some(end) = parameter_end(bytes, at) else { return false };
                at = end;
            }
            Class::Dash if bytes.get(at + 1) == Some(&b'-') => return false,
            Class::Slash if bytes.get(at + 1) == Some(&b'*') => return false,
            Class::Dash | Class::Slash => at += 1,
            Class::Dot => {
                // `.5` begins a number; `1.` has been taken with its digits.
                if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
                    return false;
                }
                at += 1;
            }
            Class::Subtle => return false,
        }
    }
    out.push_str(text.get(kept..).unwrap_or(""));
    true
}

fn abstracted(text: &str, kept: usize, at: usize, mark: &str, out: &mut String) {
    out.push_str(text.get(kept..at).unwrap_or(""));
    out.push_str(mark);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Stands for itself.
    Plain,
    /// Begins a name or keyword.
    Word,
    Digit,
    Quote,
    Name,
    Dollar,
    Dash,
    Slash,
    Dot,
    /// Makes the text unfit.
    Subtle,
}

const CLASS: [Class; 256] = {
    let mut table = [Class::Subtle; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time, within bounds")]
        {
            table[byte as usize] = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => Class::Word,
                b'0'..=b'9' => Class::Digit,
                b'\'' => Class::Quote,
                b'"' => Class::Name,
                b'$' => Class::Dollar,
                b'-' => Class::Dash,
                b'/' => Class::Slash,
                b'.' => Class::Dot,
                b' ' | b'\t' | b'\n' | b'\r' | b'(' | b')' | b'[' | b']' | b',' | b';' | b':' => Class::Plain,
                b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'+' | b'*' | b'%' => {
                    Class::Plain
                }
                b'<' | b'>' | b'=' => Class::Plain,
                _ => Class::Subtle,
            };
        }
        byte += 1;
    }
    table
};

fn word_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.iter().skip(from);
    // A letter beyond ASCII ends the loop here, and the abstraction with the next turn.
    from + rest.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_' || **byte == b'$').count()
}

/// Digits, with one dot: nothing that could go on as a name or as another form of number; and its mark.
fn number_end(bytes: &[u8], from: usize) -> Option<(usize, &'static str)> {
    let digits = |at: usize| at + bytes.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(from);
    let mut mark = if end - from <= INTEGER_DIGITS_MAX { "$#" } else { "$%" };
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
        mark = "$%";
    }
    match bytes.get(end) {
        Some(byte) if byte.is_ascii_alphanumeric() || b"_$.".contains(byte) || !byte.is_ascii() => None,
        _ => Some((end, mark)),
    }
}

/// A string with nothing in it that a setting or a prefix could read otherwise, and none that goes on behind it.
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match bytes.get(at)? {
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => break,
            b'\\' | 0 => return None,
            _ => at += 1,
        }
    }
    let mut next = at + 1;
    while bytes.get(next).is_some_and(|byte| b" \t\n\r\x0c".contains(byte)) {
        next += 1;
    }
    match bytes.get(next) {
        Some(b'\'') => None,
        _ => Some(at + 1),
    }
}

/// A name in double quotes, of ASCII.
fn name_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match bytes.get(at)? {
            b'"' if bytes.get(at + 1) == Some(&b'"') => return None,
            b'"' => return Some(at + 1),
            0 | 128.. => return None,
            _ => at += 1,
        }
    }
}

/// `$1`, which is no literal and stays.
fn parameter_end(bytes: &[u8], from: usize) -> Option<usize> {
    let digits = bytes.iter().skip(from + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let end = from + 1 + digits;
    match bytes.get(end) {
        _ if digits == 0 => None,
        Some(byte) if byte.is_ascii_alphanumeric() || b"_$".contains(byte) || !byte.is_ascii() => None,
        _ => Some(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        let mut out = "left over".to_owned();
        fingerprint(text, Dialect::Postgres, &mut out).then_some(out)
    }

    #[test]
    fn literals_become_marks() {
        let cases = [
            ("SELECT a FROM t WHERE b = 'x' AND c = 42", "SELECT a FROM t WHERE b = $? AND c = $#"),
            ("VALUES (1.5, '', 'it''s', 12345678901234567890)", "VALUES ($%, $?, $?, $%)"),
            ("SELECT $1, a1, \"B\" , 'é\n' /2", "SELECT $1, a1, \"B\" , $? /$#"),
            ("a-1", "a-$#"),
            ("SELECT 'x'::text", "SELECT $?::text"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(key(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_subtle_is_keyed_whole() {
        let subtle = [
            "SELECT 1 -- x",
            "SELECT /* x */ 1",
            "SELECT 'a\\'",
            "SELECT $$x$$",
            "SELECT $a$x$a$",
            "SELECT E'x'",
            "SELECT e'x'",
            "SELECT N'x'",
            "SELECT x'1'",
            "SELECT B'1'",
            "SELECT U&'x'",
            "SELECT U&\"x\"",
            "SELECT \"a\"\"b\"",
            "SELECT \"é\"",
            "SELECT é",
            "SELECT aé",
            "SELECT 'a",
            "SELECT \"a",
            "SELECT 1a",
            "SELECT 1e5",
            "SELECT 0x1",
            "SELECT 1_0",
            "SELECT .5",
            "SELECT 1..2",
            "SELECT 'a' 'b'",
            "SELECT 'a'\n'b'",
            "SELECT 1é",
            "SELECT $1a",
            "SELECT $",
            "SELECT $?",
            "SELECT $#",
            "SELECT \0",
            "SELECT {",
            "SELECT a\\",
            "SELECT \x0b1",
        ];
        for text in subtle {
            assert_eq!(key(text), None, "{text}");
        }
    }
}
