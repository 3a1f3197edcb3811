//! MySQL's lexical rules, as far as literals are abstracted: strings of either quote without backslashes, plain numbers.
//! Comments, introducers, `$`, and whatever else versions or settings read otherwise make a text unfit.
use super::{abstracted, number_end};

/// As [`super::fingerprint`].
pub(super) fn fingerprint(text: &str, out: &mut String) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    // Where what stands between literals begins.
    let mut kept = 0;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let from = at;
                at = word_end(bytes, at);
                if introduces(bytes, from, at) {
                    return false;
                }
            }
            b'0'..=b'9' => {
                let Some((end, mark)) = number_end(bytes, at) else { return false };
                abstracted(text, kept, at, mark, out);
                (at, kept) = (end, end);
            }
            b'\'' | b'"' => {
                let Some(end) = string_end(bytes, at) else { return false };
                abstracted(text, kept, at, "$?", out);
                (at, kept) = (end, end);
            }
            b'`' => {
                let Some(end) = name_end(bytes, at) else { return false };
                at = end;
            }
            // A name in quotes follows, or one that begins with what is no number.
            b'@' if matches!(next, Some(b'\'' | b'"' | b'0'..=b'9')) => return false,
            b'-' if next == Some(b'-') => return false,
            b'/' if next == Some(b'*') => return false,
            // `.5` begins a number, or behind a name is one.
            b'.' if next.is_some_and(|it| it.is_ascii_digit()) => return false,
            _ if byte.is_ascii() && PLAIN.contains(&byte) => at += 1,
            _ => return false,
        }
    }
    out.push_str(text.get(kept..).unwrap_or(""));
    true
}

/// What stands for itself.
const PLAIN: &[u8] = b" \t\n\r(),;:~!@^&|?+*%<>=-/.";

/// A letter beyond ASCII, or a dollar sign, makes the text unfit with the next turn.
fn word_end(bytes: &[u8], from: usize) -> usize {
    from + bytes.iter().skip(from).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// Is this word the prefix of a string: `N'…'`, `x'…'`, `_utf8 '…'`?
fn introduces(bytes: &[u8], from: usize, end: usize) -> bool {
    let mut next = end;
    if bytes.get(from) == Some(&b'_') {
        while bytes.get(next).is_some_and(u8::is_ascii_whitespace) {
            next += 1;
        }
        return matches!(bytes.get(next), Some(b'\'' | b'"' | b'0' | b'x' | b'X' | b'b' | b'B'));
    }
    end - from == 1 && matches!(bytes.get(next), Some(b'\'' | b'"'))
}

/// A string with nothing in it that a setting could read otherwise, and none that goes on behind it.
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let quote = *bytes.get(from)?;
    let mut at = from + 1;
    loop {
        match *bytes.get(at)? {
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => break,
            b'\\' | 0 => return None,
            _ => at += 1,
        }
    }
    let mut next = at + 1;
    while bytes.get(next).is_some_and(|byte| b" \t\n\r\x0b\x0c".contains(byte)) {
        next += 1;
    }
    match bytes.get(next) {
        Some(b'\'' | b'"') => None,
        _ => Some(at + 1),
    }
}

/// A name in backticks, of ASCII.
fn name_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + 1;
    loop {
        match bytes.get(at)? {
            b'`' if bytes.get(at + 1) == Some(&b'`') => return None,
            b'`' => return Some(at + 1),
            0 | 128.. => return None,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Dialect;

    fn key(text: &str) -> Option<String> {
        let mut out = "left over".to_owned();
        super::super::fingerprint(text, Dialect::Mysql, &mut out).then_some(out)
    }

    #[test]
    fn literals_become_marks() {
        let cases = [
            ("SELECT a FROM t WHERE b = 'x' AND c = 42", "SELECT a FROM t WHERE b = $? AND c = $#"),
            ("VALUES (1.5, '', \"it''s\", 12345678901234567890)", "VALUES ($%, $?, $?, $%)"),
            ("SELECT ?, a1, `B c` , 'é\n' /2", "SELECT ?, a1, `B c` , $? /$#"),
            ("a-1", "a-$#"),
            ("SELECT @a, @@b.c, _id", "SELECT @a, @@b.c, _id"),
            ("SELECT '''\"'", "SELECT $?"),
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
            "SELECT 1--1",
            "SELECT 1 # x",
            "SELECT /* x */ 1",
            "SELECT /*! 1 */",
            "SELECT 'a\\'",
            "SELECT \"a\\\"\"",
            "SELECT N'x'",
            "SELECT x'1'",
            "SELECT B'1'",
            "SELECT _utf8'x'",
            "SELECT _utf8 'x'",
            "SELECT _utf8 0x41",
            "SELECT `a``b`",
            "SELECT `é`",
            "SELECT é",
            "SELECT aé",
            "SELECT 'a",
            "SELECT \"a",
            "SELECT `a",
            "SELECT 1a",
            "SELECT 1e5",
            "SELECT 0x1",
            "SELECT .5",
            "SELECT t.5",
            "SELECT 1..2",
            "SELECT 'a' 'b'",
            "SELECT 'a'\n\"b\"",
            "SELECT @'a'",
            "SELECT @\"a\"",
            "SELECT @1",
            "EXECUTE p USING @2a",
            "SELECT $1",
            "SELECT a$",
            "SELECT \\N",
            "SELECT \0",
            "SELECT {d '2020-01-01'}",
            "SELECT \x0b1",
            "SELECT [1]",
        ];
        for text in subtle {
            assert_eq!(key(text), None, "{text}");
        }
    }
}
