//! PostgreSQL's lexical rules (`scan.l`, versions 13 to 18), so that what is a string, a comment or a name here is one
//! in the target too. Where versions or settings would read the text differently, it is refused, not guessed.
use std::iter::Peekable;
use std::str::CharIndices;

/// `NAMEDATALEN - 1`: a longer name is cut.
const NAME_BYTES_MAX: usize = 63;

/// Characters of which operators are made.
const OPERATOR: &[u8] = b"~!@#^&|`?+-*/%<>=";

/// One lexical element. Comments and white space are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lexeme {
    /// A name or keyword without quotes, folded.
    Word(String),
    /// A name in double quotes, or `U&"…"`, decoded.
    Quoted(String),
    /// A string. Its contents where they are certain: in `'…'` without backslash and in dollar quotes; otherwise it
    /// holds a backslash.
    Text(String),
    /// `b'…'`, `x'…'`.
    Bits(String),
    /// A number.
    Number(String),
    /// `$1`.
    Parameter(String),
    /// One of `( ) [ ] , ; . :`.
    Sign(char),
    /// An operator, and `::`, `:=`, `..`, `=>`.
    Operator(String),
}

impl Lexeme {
    /// Is it this unquoted word?
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(it) if it == word)
    }

    /// Is it this sign?
    pub(super) fn is_sign(&self, sign: char) -> bool {
        matches!(self, Self::Sign(it) if *it == sign)
    }

    /// Is it this operator?
    pub(super) fn is_operator(&self, operator: &str) -> bool {
        matches!(self, Self::Operator(it) if it == operator)
    }
}

/// The text is not PostgreSQL's, or PostgreSQL's versions and settings would not read it alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

type Result<T> = std::result::Result<T, Unreadable>;

/// Cuts `text` into lexemes.
pub(super) fn lex(text: &str) -> Result<Vec<Lexeme>> {
    let mut lexer =
        Lexer { text, chars: text.char_indices().peekable(), out: Vec::with_capacity(text.len() / 4) };
    while let Some(&(at, ch)) = lexer.chars.peek() {
        lexer.one(at, ch)?;
    }
    join_escapes(lexer.out)
}

struct Lexer<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
    out: Vec<Lexeme>,
}

impl<'a> Lexer<'a> {
    fn one(&mut self, at: usize, ch: char) -> Result<()> {
        match ch {
            // A vertical tab is white space from version 16 on and an error before.
            ' ' | '\t' | '\n' | '\r' | '\x0c' => self.skip(1),
            '-' if self.rest(at).starts_with("--") => self.line_comment(),
            '/' if self.rest(at).starts_with("/*") => self.block_comment()?,
            '\'' => self.string(at, Quoting::Plain)?,
            '"' => {
                self.skip(1);
                let name = self.quoted()?;
                if name.is_empty() {
                    return Err(Unreadable);
                }
                self.out.push(Lexeme::Quoted(cut(name)));
            }
            '$' => self.dollar(at)?,
            '.' if self.byte(at + 1).is_some_and(|next| next.is_ascii_digit()) => self.number(at)?,
            '.' if self.rest(at).starts_with("..") => self.operator_of(2, ".."),
            ':' if self.rest(at).starts_with("::") => self.operator_of(2, "::"),
            ':' if self.rest(at).starts_with(":=") => self.operator_of(2, ":="),
            ',' | '(' | ')' | '[' | ']' | '.' | ';' | ':' => {
                self.skip(1);
                self.out.push(Lexeme::Sign(ch));
            }
            '0'..='9' => self.number(at)?,
            _ if starts_name(ch) => self.word(at)?,
            _ if ch.is_ascii() && OPERATOR.contains(&(ch as u8)) => self.operator(at),
            _ => return Err(Unreadable),
        }
        Ok(())
    }

    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or("")
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn here(&mut self) -> usize {
        self.chars.peek().map_or(self.text.len(), |&(at, _)| at)
    }

    /// Steps over `bytes` bytes of ASCII.
    fn skip(&mut self, bytes: usize) {
        for _ in 0..bytes {
            self.chars.next();
        }
    }

    fn skip_to(&mut self, end: usize) {
        while self.chars.peek().is_some_and(|&(at, _)| at < end) {
            self.chars.next();
        }
    }

    fn operator_of(&mut self, bytes: usize, operator: &str) {
        self.skip(bytes);
        self.out.push(Lexeme::Operator(operator.to_owned()));
    }

    fn line_comment(&mut self) {
        for (_, ch) in self.chars.by_ref() {
            if ch == '\n' || ch == '\r' {
                break;
            }
        }
    }

    fn block_comment(&mut self) -> Result<()> {
        self.skip(2);
        let mut depth = 1_u32;
        while let Some((at, _)) = self.chars.next() {
            if self.rest(at).starts_with("*/") {
                self.skip(1);
                depth -= 1;
                if depth == 0 {
                    return Ok(());
                }
            } else if self.rest(at).starts_with("/*") {
                self.skip(1);
                depth += 1;
            }
        }
        Err(Unreadable)
    }

    /// A string from its opening quote on, with the parts that follow on later lines.
    fn string(&mut self, at: usize, quoting: Quoting) -> Result<()> {
        self.skip_to(at + 1);
        let mut contents = String::new();
        loop {
            match quoting {
                Quoting::Escaped => self.escaped(&mut contents)?,
                Quoting::Plain | Quoting::Bits => self.plain(&mut contents, true)?,
                // An error with standard_conforming_strings off.
                Quoting::Unicode => self.plain(&mut contents, false)?,
            }
            if !self.continues() {
                break;
            }
        }
        self.out.push(match quoting {
            Quoting::Bits => Lexeme::Bits(contents),
            Quoting::Plain | Quoting::Escaped => Lexeme::Text(contents),
            // Marked as uncertain: what it stands for is of no use here, but its end is.
            Quoting::Unicode => Lexeme::Text(format!("\\{contents}")),
        });
        Ok(())
    }

    /// Up to the closing quote. `\'` would go on with standard_conforming_strings off: refused.
    fn plain(&mut self, contents: &mut String, wary: bool) -> Result<()> {
        let mut backslashes = 0_usize;
        while let Some((_, ch)) = self.chars.next() {
            if ch == '\'' {
                if wary && backslashes % 2 == 1 {
                    return Err(Unreadable);
                }
                if self.chars.next_if(|&(_, next)| next == '\'').is_none() {
                    return Ok(());
                }
            }
            backslashes = if ch == '\\' { backslashes + 1 } else { 0 };
            contents.push(ch);
        }
        Err(Unreadable)
    }

    fn escaped(&mut self, contents: &mut String) -> Result<()> {
        while let Some((_, ch)) = self.chars.next() {
            match ch {
                '\\' => {
                    contents.push(ch);
                    let (_, next) = self.chars.next().ok_or(Unreadable)?;
                    contents.push(next);
                }
                '\'' => {
                    if self.chars.next_if(|&(_, next)| next == '\'').is_none() {
                        return Ok(());
                    }
                    contents.push(ch);
                }
                _ => contents.push(ch),
            }
        }
        Err(Unreadable)
    }

    /// Behind a closing quote: does the string go on behind a line end? Steps over its opening quote if it does.
    fn continues(&mut self) -> bool {
        let mut line_end = false;
        let mut ahead = self.here();
        loop {
            match self.byte(ahead) {
                Some(b'\n' | b'\r') => line_end = true,
                Some(b' ' | b'\t' | b'\x0c') => {}
                Some(b'-') if self.byte(ahead + 1) == Some(b'-') => {
                    while self.byte(ahead).is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                        ahead += 1;
                    }
                    continue;
                }
                Some(b'\'') if line_end => break,
                _ => return false,
            }
            ahead += 1;
        }
        self.skip_to(ahead + 1);
        true
    }

    /// A quoted name behind its opening quote.
    fn quoted(&mut self) -> Result<String> {
        let mut name = String::new();
        while let Some((_, ch)) = self.chars.next() {
            if ch == '"' && self.chars.next_if(|&(_, next)| next == '"').is_none() {
                return Ok(name);
            }
            name.push(ch);
        }
        Err(Unreadable)
    }

    /// `$1`, `$$…$$`, `$tag$…$tag$`.
    fn dollar(&mut self, at: usize) -> Result<()> {
        let rest = self.rest(at);
        let digits = rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let end = at + 1 + digits;
            if self.rest(end).starts_with(starts_name) {
                return Err(Unreadable);
            }
            self.skip_to(end);
            self.out.push(Lexeme::Parameter(self.text.get(at..end).unwrap_or("").to_owned()));
            return Ok(());
        }
        let tag_end = rest.char_indices().skip(1).find(|&(_, ch)| ch == '$' || !continues_tag(ch));
        let Some((tag_end, '$')) = tag_end else { return Err(Unreadable) };
        let tag = rest.get(..=tag_end).ok_or(Unreadable)?;
        let body = rest.get(tag.len()..).ok_or(Unreadable)?;
        let length = body.find(tag).ok_or(Unreadable)?;
        self.skip_to(at + tag.len() + length + tag.len());
        self.out.push(Lexeme::Text(body.get(..length).unwrap_or("").to_owned()));
        Ok(())
    }

    fn number(&mut self, at: usize) -> Result<()> {
        let bytes = self.rest(at).as_bytes();
        let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
        let digits = |from: usize| {
            bytes.iter().skip(from).take_while(|it| it.is_ascii_digit() || **it == b'_').count()
        };
        let mut end;
        if byte(0) == b'0' && matches!(byte(1), b'x' | b'X' | b'o' | b'O' | b'b' | b'B') {
            // Version 16 on; a number and an alias before 15, an error in 15.
            end = 2 + bytes.iter().skip(2).take_while(|it| it.is_ascii_hexdigit() || **it == b'_').count();
        } else {
            end = digits(0);
            if byte(end) == b'.' && byte(end + 1) != b'.' {
                end += 1 + digits(end + 1);
            }
            if matches!(byte(end), b'e' | b'E') {
                let sign = usize::from(matches!(byte(end + 1), b'+' | b'-'));
                let exponent = digits(end + 1 + sign);
                end += 1 + sign + exponent;
                if exponent == 0 {
                    return Err(Unreadable);
                }
            }
        }
        if self.rest(at + end).starts_with(starts_name) {
            return Err(Unreadable);
        }
        self.skip_to(at + end);
        self.out.push(Lexeme::Number(self.text.get(at..at + end).unwrap_or("").to_owned()));
        Ok(())
    }

    fn word(&mut self, at: usize) -> Result<()> {
        let rest = self.rest(at);
        let next = |index: usize| rest.as_bytes().get(index).map_or(0, u8::to_ascii_lowercase);
        match (next(0), next(1), next(2)) {
            (b'e', b'\'', _) => return self.string(at + 1, Quoting::Escaped),
            (b'n', b'\'', _) => return self.string(at + 1, Quoting::Plain),
            (b'b' | b'x', b'\'', _) => return self.string(at + 1, Quoting::Bits),
            (b'u', b'&', b'\'') => return self.string(at + 2, Quoting::Unicode),
            (b'u', b'&', b'"') => {
                self.skip(3);
                let name = self.quoted()?;
                self.out.push(Lexeme::Operator("U&".to_owned()));
                self.out.push(Lexeme::Quoted(name));
                return Ok(());
            }
            _ => {}
        }
        let length =
            rest.find(|ch: char| !starts_name(ch) && !ch.is_ascii_digit() && ch != '$').unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or("");
        // Servers with a single-byte encoding fold these too, others do not.
        if word.chars().any(|ch| !ch.is_ascii() && ch.is_uppercase()) {
            return Err(Unreadable);
        }
        let word = word.to_ascii_lowercase();
        self.skip_to(at + length);
        self.out.push(Lexeme::Word(cut(word)));
        Ok(())
    }

    /// The longest operator from here, cut as `scan.l` cuts it.
    fn operator(&mut self, at: usize) {
        let rest = self.rest(at);
        let mut length = rest.bytes().take_while(|byte| OPERATOR.contains(byte)).count();
        let all = rest.get(..length).unwrap_or("");
        for comment in ["/*", "--"] {
            length = length.min(all.find(comment).unwrap_or(length));
        }
        let bytes = all.as_bytes();
        while length > 1
            && matches!(bytes.get(length - 1), Some(b'+' | b'-'))
            && !bytes.iter().take(length - 1).any(|byte| b"~!@#^&|`?%".contains(byte))
        {
            length -= 1;
        }
        self.skip_to(at + length);
        self.out.push(Lexeme::Operator(all.get(..length).unwrap_or("").to_owned()));
    }
}

#[derive(Clone, Copy)]
enum Quoting {
    Plain,
    Escaped,
    Unicode,
    Bits,
}

/// As `ident_start` in `scan.l`, for which each byte above 127 is a letter.
fn starts_name(ch: char) -> bool {
    ch.is_ascii_alphabetic() || ch == '_' || !ch.is_ascii()
}

fn continues_tag(ch: char) -> bool {
    starts_name(ch) || ch.is_ascii_digit()
}

/// Cuts a name as the server does: at 63 bytes, between characters.
fn cut(mut name: String) -> String {
    if name.len() > NAME_BYTES_MAX {
        let mut end = NAME_BYTES_MAX;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
    }
    name
}

/// Takes up `U&"…"`, `U&'…'` and the UESCAPE behind them.
fn join_escapes(lexemes: Vec<Lexeme>) -> Result<Vec<Lexeme>> {
    let marked = |it: &Lexeme| it.is_operator("U&") || it.is("uescape");
    if !lexemes.iter().any(marked) {
        return Ok(lexemes);
    }
    let mut out = Vec::with_capacity(lexemes.len());
    let mut lexemes = lexemes.into_iter().peekable();
    while let Some(lexeme) = lexemes.next() {
        let name = lexeme.is_operator("U&");
        let value = if name { lexemes.next().ok_or(Unreadable)? } else { lexeme };
        let mut escape = '\\';
        // Of strings, only U&'…' takes UESCAPE, and is marked by its backslash.
        let takes_escape = name || matches!(&value, Lexeme::Text(text) if text.starts_with('\\'));
        if takes_escape && lexemes.next_if(|it| it.is("uescape")).is_some() {
            let Some(Lexeme::Text(text)) = lexemes.next() else { return Err(Unreadable) };
            let mut chars = text.chars();
            escape = chars.next().ok_or(Unreadable)?;
            if chars.next().is_some() || escape.is_ascii_hexdigit() || "+'\" \t\n\r\x0c".contains(escape) {
                return Err(Unreadable);
            }
        }
        out.push(match value {
            Lexeme::Quoted(text) if name => {
                let decoded = decode(&text, escape)?;
                if decoded.is_empty() {
                    return Err(Unreadable);
                }
                Lexeme::Quoted(cut(decoded))
            }
            other => other,
        });
    }
    Ok(out)
}

/// `\XXXX`, `\+XXXXXX` and the doubled escape; surrogates are refused.
fn decode(text: &str, escape: char) -> Result<String> {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(ch) = chars.next() {
        if ch != escape {
            out.push(ch);
            continue;
        }
        if chars.next_if_eq(&escape).is_some() {
            out.push(escape);
            continue;
        }
        let digits = if chars.next_if_eq(&'+').is_some() { 6 } else { 4 };
        let mut code = 0_u32;
        for _ in 0..digits {
            let digit = chars.next().and_then(|it| it.to_digit(16)).ok_or(Unreadable)?;
            code = code * 16 + digit;
        }
        if code == 0 {
            return Err(Unreadable);
        }
        out.push(char::from_u32(code).ok_or(Unreadable)?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Lexeme {
        Lexeme::Word(text.to_owned())
    }

    fn text(text: &str) -> Lexeme {
        Lexeme::Text(text.to_owned())
    }

    fn operator(text: &str) -> Lexeme {
        Lexeme::Operator(text.to_owned())
    }

    #[test]
    fn names_fold_and_are_cut() {
        assert_eq!(lex("SeLeCT _a$1 äB").unwrap(), [word("select"), word("_a$1"), word("äb")]);
        let long = "é".repeat(40);
        assert_eq!(lex(&long).unwrap(), [word(&"é".repeat(31))]);
        assert_eq!(lex("\"A\"\"b\"").unwrap(), [Lexeme::Quoted("A\"b".to_owned())]);
        assert_eq!(lex("U&\"\\0063ards\"").unwrap(), [Lexeme::Quoted("cards".to_owned())]);
        assert_eq!(lex("u&\"!+000063ards\" UESCAPE '!'").unwrap(), [Lexeme::Quoted("cards".to_owned())]);
        assert_eq!(lex("u & \"x\"").unwrap(), [word("u"), operator("&"), Lexeme::Quoted("x".to_owned())]);
    }

    #[test]
    fn comments_nest_and_end() {
        assert_eq!(lex("a /* b /* c */ d */ e -- f\ng").unwrap(), [word("a"), word("e"), word("g")]);
        assert_eq!(lex("a--b\rc").unwrap(), [word("a"), word("c")]);
        assert_eq!(lex("a /* /* */"), Err(Unreadable));
        assert_eq!(lex("1+/*x*/-2").unwrap().len(), 4);
    }

    #[test]
    fn strings_end_where_the_target_ends_them() {
        assert_eq!(lex("'a''b'").unwrap(), [text("a'b")]);
        assert_eq!(lex("'a'\n  -- c\n 'b'").unwrap(), [text("ab")]);
        assert_eq!(lex("'a' 'b'").unwrap(), [text("a"), text("b")]);
        assert_eq!(lex(r"'a\'"), Err(Unreadable));
        assert_eq!(lex(r"'a\\'").unwrap(), [text(r"a\\")]);
        assert_eq!(lex(r"E'a\'b'").unwrap(), [text(r"a\'b")]);
        assert_eq!(lex("e'a'\n'\\'b'").unwrap(), [text(r"a\'b")]);
        assert_eq!(lex("$$a'$x$b$$ $x$ $$ $x$").unwrap(), [text("a'$x$b"), text(" $$ ")]);
        assert_eq!(lex("a$$b$$").unwrap(), [word("a$$b$$")]);
        assert_eq!(lex("$é$a$é$").unwrap(), [text("a")]);
        assert_eq!(lex("$a$b"), Err(Unreadable));
        assert_eq!(lex("'a"), Err(Unreadable));
        assert_eq!(lex("U&'a\\0041' UESCAPE '!'").unwrap(), [text("\\a\\0041")]);
        assert_eq!(lex("X'1F' b'01' N'x'").unwrap().len(), 3);
    }

    #[test]
    fn numbers_and_parameters() {
        let number = |text: &str| Lexeme::Number(text.to_owned());
        assert_eq!(lex("1 .5 1. 1e5 1.5E-3 0x1F 1_000").unwrap().len(), 7);
        assert_eq!(lex("1..2").unwrap(), [number("1"), operator(".."), number("2")]);
        assert_eq!(lex("$12").unwrap(), [Lexeme::Parameter("$12".to_owned())]);
        for junk in ["1a", "1e", "$1a", "1_000x", "$", "0xg"] {
            assert_eq!(lex(junk), Err(Unreadable), "{junk}");
        }
    }

    #[test]
    fn operators_are_cut_as_scan_l_cuts_them() {
        assert_eq!(lex("=-1").unwrap()[..2], [operator("="), operator("-")]);
        assert_eq!(lex("@-1").unwrap()[..1], [operator("@-")]);
        assert_eq!(lex("*--x\n1").unwrap(), [operator("*"), Lexeme::Number("1".to_owned())]);
        assert_eq!(lex("a::b").unwrap(), [word("a"), operator("::"), word("b")]);
        assert_eq!(lex("a=>b").unwrap()[1], operator("=>"));
        assert_eq!(lex("a:=b").unwrap()[1], operator(":="));
    }

    #[test]
    fn what_no_version_reads_alike_is_refused() {
        for bad in ["ÄB", "a\x0bb", "\0", "\x01", "\\", "{", "\"\"", "U&\"\\d83d\\de00\""] {
            assert_eq!(lex(bad), Err(Unreadable), "{bad:?}");
        }
    }
}
