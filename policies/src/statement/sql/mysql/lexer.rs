//! Cuts SQL into lexemes as MySQL and MariaDB do (`sql/sql_lex.cc` of both). Refuses a text that not all their versions
//! and settings cut alike: executable comments that depend on the version (but for one that is all of the text), names that
//! few may begin with.
//!
//! The gateway pins the session's `sql_mode` so that ANSI_QUOTES, NO_BACKSLASH_ESCAPES, IGNORE_SPACE and the modes that
//! hold them (ANSI, ORACLE, MSSQL and so on) are off, and its character set to UTF-8: this is read under those.
use super::super::cursor::Unit;
use super::words::is_charset;
use std::collections::{BTreeMap, BTreeSet};

/// Where a text cannot be cut for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

type Result<T> = std::result::Result<T, Unreadable>;

/// Executable comments below this version run on every server that is served; MariaDB passes over those from here on.
const COMMENT_VERSION_END: u32 = 50_700;

/// Character sets whose strings are read as they stand.
const UTF8: [&str; 3] = ["utf8", "utf8mb3", "utf8mb4"];

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lexeme {
    /// A keyword, or a name without quotes.
    Word {
        /// In lower case.
        folded: String,
        /// A parenthesis follows directly: only so are some functions called.
        call: bool,
    },
    /// A name that is no keyword: in backticks, or beside a dot. In lower case.
    Quoted(String),
    /// A string; adjacent ones are one.
    Text(String),
    /// A value whose text is not known: `x'…'`, `0x…`, `b'…'`, `0b…`, and strings in a character set other than UTF-8.
    Bits,
    Number(String),
    /// `?`
    Parameter,
    /// `\N`
    Null,
    /// `@name`, in lower case.
    UserVariable(String),
    /// `@@name`, `@@scope.name`, in lower case.
    SystemVariable(String),
    Operator(&'static str),
    /// A bracket, a comma, a dot, a semicolon, a colon, a brace.
    Sign(char),
}

impl Unit for Lexeme {
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word { folded, .. } if folded == word)
    }

    fn is_sign(&self, sign: char) -> bool {
        matches!(self, Self::Sign(own) if *own == sign)
    }

    fn is_operator(&self, operator: &str) -> bool {
        matches!(self, Self::Operator(own) if *own == operator)
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Word { folded: name, .. } | Self::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

/// Longest first.
const OPERATORS: [&str; 24] = [
    "<=>", "->>", "->", ":=", "||", "&&", "<=", ">=", "<>", "!=", "<<", ">>", "+", "-", "*", "/", "%", "^",
    "&", "|", "~", "!", "=", "<",
];

/// A text's lexemes.
#[derive(Debug)]
pub(super) struct Lexed {
    pub(super) lexemes: Vec<Lexeme>,
    /// Words and names that the text writes in several cases, folded.
    pub(super) spellings: BTreeSet<String>,
}

/// Cuts a text.
pub(super) fn cut(text: &str) -> Result<Lexed> {
    // Servers end some texts here.
    if text.contains('\0') {
        return Err(Unreadable);
    }
    let text = commented(text).unwrap_or(text);
    let mut lexer =
        Lexer { text, at: 0, out: Vec::new(), foreign: false, executable: false, written: BTreeMap::new() };
    while lexer.at < text.len() {
        lexer.one()?;
    }
    if lexer.executable {
        return Err(Unreadable);
    }
    let several = lexer.written.into_iter().filter(|(_, written)| written.is_none());
    Ok(Lexed { lexemes: lexer.out, spellings: several.map(|(name, _)| name).collect() })
}

/// The statement of a text that is nothing but one executable comment: some servers run it whatever its version, to others
/// the text is empty, which is an error and does nothing.
fn commented(text: &str) -> Option<&str> {
    let inner = text.trim_matches(is_space).strip_prefix("/*")?.strip_suffix("*/")?;
    let code = inner.strip_prefix("M!").or_else(|| inner.strip_prefix('!'))?;
    let body = code.trim_start_matches(|c: char| c.is_ascii_digit());
    let ends = |body: &str| ["/*", "*/", "--", "#", ";"].iter().any(|mark| body.contains(mark));
    (body.starts_with(is_space) && code.len() - body.len() <= 6 && !ends(body)).then_some(body)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    out: Vec<Lexeme>,
    /// What was cut last, if it is `Bits`, is a string in another character set: one behind it is a part of it.
    foreign: bool,
    /// Within an executable comment.
    executable: bool,
    /// How each name is written; None: in several ways.
    written: BTreeMap<String, Option<String>>,
}

/// What may stand in a name without quotes (`ident_map`).
fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || ('\u{80}'..='\u{ffff}').contains(&c)
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

/// As the server compares names. Letters of which it is not certain what they are compared as are refused.
fn folded(name: &str) -> Result<String> {
    if name.is_ascii() {
        return Ok(name.to_ascii_lowercase());
    }
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        // Capitals with dots, the Kelvin and Angstrom signs, the long s; and whatever has no lower case of one letter.
        if matches!(c, '\u{130}' | '\u{131}' | '\u{17f}' | '\u{1e9e}' | '\u{212a}' | '\u{212b}' | '\u{2126}')
            || c > '\u{ffff}'
        {
            return Err(Unreadable);
        }
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(one), None) => out.push(one),
            _ => return Err(Unreadable),
        }
    }
    Ok(out)
}

impl<'a> Lexer<'a> {
    /// A name, folded; how it is written is remembered.
    fn folded(&mut self, name: &str) -> Result<String> {
        let folded = folded(name)?;
        let written = self.written.entry(folded.clone()).or_insert_with(|| Some(name.to_owned()));
        if written.as_deref() != Some(name) {
            *written = None;
        }
        Ok(folded)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn ahead(&self, by: usize) -> Option<char> {
        self.text.get(self.at + by..).and_then(|rest| rest.chars().next())
    }

    fn take_while(&mut self, test: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !test(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn push(&mut self, lexeme: Lexeme, bytes: usize) {
        self.out.push(lexeme);
        self.at += bytes;
    }

    fn one(&mut self) -> Result<()> {
        let Some(first) = self.ahead(0) else { return Ok(()) };
        match first {
            _ if is_space(first) => self.at += 1,
            '#' => self.line(),
            '-' if self.ahead(1) == Some('-')
                && self.ahead(2).is_none_or(|c| is_space(c) || c.is_ascii_control()) =>
            {
                self.line();
            }
            '/' if self.ahead(1) == Some('*') => self.comment()?,
            '*' if self.executable && self.ahead(1) == Some('/') => {
                self.executable = false;
                self.at += 2;
            }
            '\'' | '"' => {
                let text = self.string(first)?;
                self.text_literal(text);
            }
            '`' => {
                let name = self.backticked()?;
                self.out.push(Lexeme::Quoted(name));
            }
            '@' => self.variable()?,
            '\\' if self.ahead(1) == Some('N') => self.push(Lexeme::Null, 2),
            '?' => self.push(Lexeme::Parameter, 1),
            '.' if self.ahead(1).is_some_and(|c| c.is_ascii_digit()) && !self.name_ends_here() => {
                self.number()?;
            }
            '.' => {
                self.push(Lexeme::Sign('.'), 1);
                // What follows a dot directly is a name, whatever it may mean elsewhere.
                if self.ahead(0).is_some_and(in_name) {
                    let name = self.take_while(in_name);
                    let name = self.folded(name)?;
                    self.out.push(Lexeme::Quoted(name));
                }
            }
            '0'..='9' => self.number()?,
            _ if in_name(first) => self.word()?,
            _ => self.sign(first)?,
        }
        Ok(())
    }

    /// Is what comes now right behind a name without quotes? There `.5` is a name too.
    fn name_ends_here(&self) -> bool {
        let before = self.text.get(..self.at).and_then(|before| before.chars().next_back());
        before.is_some_and(in_name)
            && matches!(self.out.last(), Some(Lexeme::Word { .. } | Lexeme::Quoted(_)))
    }

    fn sign(&mut self, first: char) -> Result<()> {
        if let Some(operator) = OPERATORS.iter().find(|it| self.rest().starts_with(**it)) {
            self.push(Lexeme::Operator(operator), operator.len());
            return Ok(());
        }
        match first {
            '>' => self.push(Lexeme::Operator(">"), 1),
            '(' | ')' | ',' | ';' | ':' | '{' | '}' => self.push(Lexeme::Sign(first), 1),
            _ => return Err(Unreadable),
        }
        Ok(())
    }

    fn line(&mut self) {
        self.take_while(|c| c != '\n');
    }

    fn comment(&mut self) -> Result<()> {
        let body = self.rest().get(2..).unwrap_or("");
        if self.executable {
            // Servers differ in what a comment within one is.
            return Err(Unreadable);
        }
        if let Some(code) = body.strip_prefix('!') {
            let digits = code.bytes().take_while(u8::is_ascii_digit).count();
            let version = code.get(..digits).and_then(|version| version.parse::<u32>().ok());
            let runs = digits == 0 || digits == 5 && version.is_some_and(|it| it < COMMENT_VERSION_END);
            if !runs {
                return Err(Unreadable);
            }
            self.executable = true;
            self.at += 3 + digits;
            return Ok(());
        }
        let end = body.find("*/").ok_or(Unreadable)?;
        let inner = body.get(..end).unwrap_or("");
        if inner.starts_with("M!") {
            return Err(Unreadable);
        }
        // A hint of the optimizer: it may set variables, and a name in quotes within it may hold what ends a comment.
        let quotes = |hint: &str| hint.contains(['`', '"', '\'']);
        if inner.starts_with('+') && (quotes(inner) || inner.to_ascii_lowercase().contains("set_var")) {
            return Err(Unreadable);
        }
        self.at += 2 + end + 2;
        Ok(())
    }

    /// A string from its quote on, decoded.
    fn string(&mut self, quote: char) -> Result<String> {
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((index, c)) = chars.next() {
            if c == '\0' {
                return Err(Unreadable);
            }
            if c == '\\' {
                let (_, escaped) = chars.next().ok_or(Unreadable)?;
                match escaped {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    'b' => out.push('\x08'),
                    '0' => out.push('\0'),
                    'Z' => out.push('\x1a'),
                    '%' | '_' => out.extend(['\\', escaped]),
                    other => out.push(other),
                }
            } else if c == quote {
                if chars.next_if(|(_, next)| *next == quote).is_none() {
                    self.at += index + 1;
                    return Ok(out);
                }
                out.push(quote);
            } else {
                out.push(c);
            }
        }
        Err(Unreadable)
    }

    /// Adds a string; to the one before, where there is one.
    fn text_literal(&mut self, text: String) {
        match self.out.last_mut() {
            Some(Lexeme::Text(before)) => before.push_str(&text),
            Some(Lexeme::Bits) if self.foreign => {}
            _ => self.out.push(Lexeme::Text(text)),
        }
    }

    /// A name from its backtick on.
    fn backticked(&mut self) -> Result<String> {
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((index, c)) = chars.next() {
            match c {
                '\0' => return Err(Unreadable),
                '`' if chars.next_if(|(_, next)| *next == '`').is_none() => {
                    self.at += index + 1;
                    return if out.is_empty() { Err(Unreadable) } else { self.folded(&out) };
                }
                c => out.push(c),
            }
        }
        Err(Unreadable)
    }

    /// `@name`, `@'name'`, `@@name`, `@@scope.name`.
    fn variable(&mut self) -> Result<()> {
        self.at += 1;
        match self.ahead(0) {
            Some('@') => {
                self.at += 1;
                let mut path = vec![self.part()?];
                while self.ahead(0) == Some('.') {
                    self.at += 1;
                    path.push(self.part()?);
                }
                self.out.push(Lexeme::SystemVariable(path.join(".")));
            }
            Some(quote @ ('\'' | '"')) => {
                let name = self.string(quote)?;
                self.out.push(Lexeme::UserVariable(folded(&name)?));
            }
            Some('`') => {
                let name = self.backticked()?;
                self.out.push(Lexeme::UserVariable(name));
            }
            _ => {
                let name = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$'));
                if name.is_empty() || self.ahead(0).is_some_and(|c| !c.is_ascii()) {
                    return Err(Unreadable);
                }
                self.out.push(Lexeme::UserVariable(name.to_ascii_lowercase()));
            }
        }
        Ok(())
    }

    /// A part of a system variable's name.
    fn part(&mut self) -> Result<String> {
        if self.ahead(0) == Some('`') {
            return self.backticked();
        }
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'));
        if name.is_empty() { Err(Unreadable) } else { Ok(name.to_ascii_lowercase()) }
    }

    /// A number; or a name that begins with digits.
    fn number(&mut self) -> Result<()> {
        let rest = self.rest();
        let bits = rest.strip_prefix("0x").map(|it| (it, 16)).or(rest.strip_prefix("0b").map(|it| (it, 2)));
        if let Some((digits, radix)) = bits {
            let count = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
            let behind = digits.get(count..).and_then(|it| it.chars().next());
            if count > 0 && !behind.is_some_and(in_name) {
                self.foreign = false;
                self.push(Lexeme::Bits, 2 + count);
                return Ok(());
            }
            return Err(Unreadable);
        }
        let from = self.at;
        let whole = self.take_while(|c| c.is_ascii_digit()).len();
        let mut real = false;
        if self.ahead(0) == Some('.') {
            real = true;
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        if matches!(self.ahead(0), Some('e' | 'E')) {
            let signed = usize::from(matches!(self.ahead(1), Some('+' | '-')));
            if self.ahead(1 + signed).is_some_and(|c| c.is_ascii_digit()) {
                real = true;
                self.at += 1 + signed;
                self.take_while(|c| c.is_ascii_digit());
            }
        }
        if self.ahead(0).is_some_and(in_name) {
            if real || whole == 0 {
                return Err(Unreadable);
            }
            self.at = from;
            return self.word();
        }
        let number = self.text.get(from..self.at).unwrap_or("").to_owned();
        self.out.push(Lexeme::Number(number));
        Ok(())
    }

    /// A keyword, a name, or what stands before a string and is part of it.
    fn word(&mut self) -> Result<()> {
        let word = self.take_while(in_name);
        let next = self.ahead(0);
        // Newer servers take `$tag$…$tag$` for a string.
        if word.starts_with('$') || next.is_some_and(|c| c > '\u{ffff}') {
            return Err(Unreadable);
        }
        if let (Some(quote @ '\''), "n" | "N") = (next, word) {
            let text = self.string(quote)?;
            self.text_literal(text);
            return Ok(());
        }
        if let (Some('\''), "x" | "X" | "b" | "B") = (next, word) {
            let radix = if matches!(word, "x" | "X") { 16 } else { 2 };
            self.at += 1;
            let digits = self.take_while(|c| c.is_digit(radix)).len();
            if self.ahead(0) != Some('\'') || radix == 16 && digits % 2 == 1 {
                return Err(Unreadable);
            }
            self.foreign = false;
            self.push(Lexeme::Bits, 1);
            return Ok(());
        }
        let folded = self.folded(word)?;
        if next == Some('.') && self.ahead(1).is_some_and(in_name) {
            self.out.push(Lexeme::Quoted(folded));
            return Ok(());
        }
        if let Some(charset) = folded.strip_prefix('_').filter(|it| is_charset(it)) {
            return self.introduced(charset);
        }
        self.out.push(Lexeme::Word { folded, call: next == Some('(') });
        Ok(())
    }

    /// The string behind a character set's name. The set does not change where it ends, but what its bytes say.
    fn introduced(&mut self, charset: &str) -> Result<()> {
        self.take_while(is_space);
        let before = self.out.len();
        match self.ahead(0) {
            Some(quote @ ('\'' | '"')) => {
                let text = self.string(quote)?;
                if UTF8.contains(&charset) && text.chars().all(|c| c <= '\u{ffff}') {
                    self.text_literal(text);
                } else {
                    self.foreign = true;
                    self.out.push(Lexeme::Bits);
                }
                Ok(())
            }
            Some('x' | 'X' | 'b' | 'B' | '0') => {
                self.one()?;
                let literal = matches!(self.out.last(), Some(Lexeme::Bits)) && self.out.len() == before + 1;
                if literal { Ok(()) } else { Err(Unreadable) }
            }
            _ => Err(Unreadable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lex(text: &str) -> Result<Vec<Lexeme>> {
        cut(text).map(|lexed| lexed.lexemes)
    }

    fn word(text: &str) -> Lexeme {
        Lexeme::Word { folded: text.to_owned(), call: false }
    }

    fn text(text: &str) -> Lexeme {
        Lexeme::Text(text.to_owned())
    }

    fn name(text: &str) -> Lexeme {
        Lexeme::Quoted(text.to_owned())
    }

    #[test]
    fn names_fold() {
        assert_eq!(lex("SeLeCT _a$1 ÄB").unwrap(), [word("select"), word("_a$1"), word("äb")]);
        assert_eq!(lex("`A``b`").unwrap(), [name("a`b")]);
        assert_eq!(lex("1a 2b").unwrap(), [word("1a"), word("2b")]);
        assert_eq!(lex("a(b (").unwrap()[0], Lexeme::Word { folded: "a".into(), call: true });
        assert_eq!(lex("b (").unwrap()[0], word("b"));
        assert_eq!(lex("select.from").unwrap(), [name("select"), Lexeme::Sign('.'), name("from")]);
        assert_eq!(lex("a . b").unwrap(), [word("a"), Lexeme::Sign('.'), word("b")]);
        assert_eq!(lex("t.1e5").unwrap(), [name("t"), Lexeme::Sign('.'), name("1e5")]);
        assert_eq!(lex("`t`.5").unwrap().len(), 2);
        for doubtful in ["\u{212a}ey", "i\u{131}", "``", "`a", "$a", "a\u{1f600}", "\0", "`\0`"] {
            assert_eq!(lex(doubtful), Err(Unreadable), "{doubtful:?}");
        }
    }

    #[test]
    fn comments_end_where_the_server_ends_them() {
        let (a, b) = (word("a"), word("b"));
        for both in
            ["a # x\nb", "a -- x\nb", "a --\nb", "a --\tx\r /* \n b", "a /* /* */ b", "a/**/b", "a/*! b*/"]
        {
            assert_eq!(lex(both).unwrap(), [a.clone(), b.clone()], "{both}");
        }
        assert_eq!(lex("a/*!50110 b*/").unwrap(), [a.clone(), b.clone()]);
        assert_eq!(lex("a --").unwrap(), std::slice::from_ref(&a));
        assert_eq!(lex("a -- x").unwrap(), std::slice::from_ref(&a));
        assert_eq!(lex("1--1").unwrap().len(), 4);
        assert_eq!(lex("a--b\n").unwrap().len(), 4);
        assert_eq!(lex("select /*+ NO_ICP(t) */ a").unwrap(), [word("select"), a]);
        for doubtful in [
            "a /* b",
            "a /*! b",
            "a /*!50700 b*/",
            "a /*!99999 b*/",
            "a /*!80013 b*/",
            "a /*!100100 b*/",
            "a /*!080013 b*/",
            "a /*!5 b*/",
            "a /*M! b*/",
            "a /*M!100100 b*/",
            "/*! a /* b */ c */",
            "/*! a /*! b */ */",
            "select /*+ SET_VAR(sql_mode='ANSI_QUOTES') */ 1",
            "select /*+ SET_VAR(sql_mode=4) */ 1",
            "select /*+ QB_NAME(`*/ a /*`) */ b",
        ] {
            assert_eq!(lex(doubtful), Err(Unreadable), "{doubtful}");
        }
    }

    #[test]
    fn a_text_that_is_one_executable_comment_is_its_statement() {
        let (a, b) = (word("a"), word("b"));
        for text in ["/*!99999 a b*/", " /*M!100100 a b */\n", "/*! a b*/", "/*M! a\tb*/", "/*!100100\na b*/"]
        {
            assert_eq!(lex(text).unwrap(), [a.clone(), b.clone()], "{text}");
        }
        for doubtful in [
            "/*M!100100 a '*/ b '*/",
            "/*!99999 a */ b",
            "b /*!99999 a */",
            "/*!99999 a */ /*!99999 b */",
            "/*!99999a b*/",
            "/*!9999999 a b*/",
            "/*!99999 a; b*/",
            "/*!99999 a -- b*/",
            "/*!99999 a # b*/",
            "/*!99999 a /* b*/ */",
            "/*/",
            "/*!*/ /*M!100100",
        ] {
            assert_eq!(lex(doubtful), Err(Unreadable), "{doubtful}");
        }
    }

    #[test]
    fn strings_end_where_the_server_ends_them() {
        assert_eq!(lex("'a''b'").unwrap(), [text("a'b")]);
        assert_eq!(lex("\"a\"\"b'\"").unwrap(), [text("a\"b'")]);
        assert_eq!(lex(r"'\' or 1=1 -- '").unwrap(), [text("' or 1=1 -- ")]);
        assert_eq!(lex(r"'\\' a").unwrap(), [text("\\"), word("a")]);
        assert_eq!(lex(r"'a\n\%\_\Z\0\x'").unwrap(), [text("a\n\\%\\_\u{1a}\0x")]);
        assert_eq!(lex("'a' \"b\" /* */ 'c'").unwrap(), [text("abc")]);
        assert_eq!(lex("N'a' n'b'").unwrap(), [text("ab")]);
        assert_eq!(lex("_utf8'a'").unwrap(), [text("a")]);
        assert_eq!(lex("_utf8mb4 'a' 'b'").unwrap(), [text("ab")]);
        for foreign in
            ["_latin1 'a'", "_gbk'\u{ff}\\'' ", "_utf16le'a' 'b' \"c\"", "_ascii'a'", "_utf8'\u{1f600}'"]
        {
            assert_eq!(lex(foreign).unwrap(), [Lexeme::Bits], "{foreign}");
        }
        assert_eq!(lex("'a' _swe7'b'").unwrap(), [text("a"), Lexeme::Bits]);
        assert_eq!(lex("_binary'a', x'41' 'b'").unwrap()[2..], [Lexeme::Bits, text("b")]);
        assert_eq!(lex("_binary x'ff' X'1F' b'01' 0x1f 0b01").unwrap(), [const { Lexeme::Bits }; 5]);
        assert_eq!(lex("_x 'a'").unwrap(), [word("_x"), text("a")]);
        for bad in [
            r"'a\'",
            "'a",
            "\"a'",
            "x'1'",
            "x'zz'",
            "b'2'",
            "_utf8 a",
            "_utf8",
            "'\0'",
            "a /* \0 */ b",
            "a -- \0",
        ] {
            assert_eq!(lex(bad), Err(Unreadable), "{bad}");
        }
    }

    #[test]
    fn numbers_variables_and_operators() {
        let number = |text: &str| Lexeme::Number(text.to_owned());
        assert_eq!(
            lex("1 .5 1. 1e5 1.5E-3").unwrap(),
            [number("1"), number(".5"), number("1."), number("1e5"), number("1.5E-3")]
        );
        for bad in ["1e5a", "1.5a", "0x", "0xg", ".5a"] {
            assert_eq!(lex(bad), Err(Unreadable), "{bad}");
        }
        let user = |text: &str| Lexeme::UserVariable(text.to_owned());
        let system = |text: &str| Lexeme::SystemVariable(text.to_owned());
        assert_eq!(lex("@A @'b c' @`D` @a.b").unwrap(), [user("a"), user("b c"), user("d"), user("a.b")]);
        assert_eq!(lex("@@A @@global.B @@`c`").unwrap(), [system("a"), system("global.b"), system("c")]);
        assert_eq!(lex("@a:=1").unwrap()[1], Lexeme::Operator(":="));
        assert_eq!(lex("a<=>b<<c->>'d'->'e'").unwrap().len(), 9);
        assert_eq!(lex("\\N").unwrap(), [Lexeme::Null]);
        for bad in ["@", "@ a", "@@", "@@ a", "@é", "\\n", "\\"] {
            assert_eq!(lex(bad), Err(Unreadable), "{bad}");
        }
    }
}
