//! What a statement's own words say to the engine: does it begin a transaction, can it hold locks, which database becomes
//! the default, does it change how texts are read. Not a judgement of what it does (that is policy's); what the words do
//! not say (SQL run from variables, procedures) the target's status flags and session tracking do.

use alloc::vec::Vec;

/// What the first words say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nature {
    /// Begins a transaction and does nothing else.
    pub(crate) begins: bool,
    /// May hold locks in the target once run.
    pub(crate) heavy: bool,
    /// Sets variables of the session and does nothing else.
    pub(crate) sets: bool,
    /// Shows what the server says of itself: a single SHOW, or system variables.
    pub(crate) shows: bool,
}

impl Nature {
    pub(crate) fn of(text: &str) -> Self {
        let mut tokens = Tokens::new(text);
        let first = tokens.next();
        let is = |word: &str| first.is_some_and(|token| token.is_word(word));
        let light = is("set") || is("show") || is("use");
        if !(light || is("begin") || is("start")) {
            let shows = is("select") && reads_variables(&mut tokens) && !is_conditional(text);
            return Self { begins: false, heavy: true, sets: false, shows };
        }
        let second = tokens.next();
        let begins = match second {
            None | Some(Token::Sign(b';')) => is("begin"),
            Some(token) => {
                is("begin") && token.is_word("work") || is("start") && token.is_word("transaction")
            }
        };
        // What stands behind the settings of SET STATEMENT is another statement.
        let light = light && !second.is_some_and(|token| token.is_word("statement"));
        let single = !matches!(second, Some(Token::Sign(b';')))
            && !tokens.any(|token| token == Token::Sign(b';'))
            || tokens.next().is_none();
        let alone = |word| single && light && is(word);
        Self {
            begins: begins && single,
            heavy: !(single && (begins || light)),
            sets: alone("set"),
            shows: alone("show") && !is_conditional(text),
        }
    }
}

/// Whether some of it may be code to some servers alone.
fn is_conditional(text: &str) -> bool {
    let has = |mark: &[u8]| memchr::memmem::find(text.as_bytes(), mark).is_some();
    has(b"/*!") || has(b"/*M!")
}

/// Whether nothing but system variables is selected: `@@a, @@session.b AS c`.
fn reads_variables(tokens: &mut Tokens<'_>) -> bool {
    loop {
        let is_variable = matches!(
            (tokens.next(), tokens.next(), tokens.next()),
            (Some(Token::Sign(b'@')), Some(Token::Sign(b'@')), Some(Token::Word(_) | Token::Name(_)))
        );
        if !is_variable {
            return false;
        }
        loop {
            match tokens.next() {
                None => return true,
                Some(Token::Sign(b',')) => break,
                Some(Token::Sign(b'.')) if matches!(tokens.next(), Some(Token::Word(_) | Token::Name(_))) => {
                }
                Some(token)
                    if token.is_word("as")
                        && matches!(tokens.next(), Some(Token::Word(_) | Token::Name(_))) => {}
                Some(_) => return false,
            }
        }
    }
}

/// In which characters answers come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Results {
    /// UTF-8.
    #[default]
    Utf8,
    /// As they are stored, which columns' definitions tell.
    Own,
    /// As they are stored, which nothing tells.
    Untold,
}

impl Results {
    /// What `character_set_results` has come to; `None`: another character set.
    pub(crate) fn told(value: &str) -> Option<Self> {
        match value {
            _ if is_utf8(value) => Some(Self::Utf8),
            // NULL.
            "" => Some(Self::Own),
            _ if value.eq_ignore_ascii_case("null") => Some(Self::Own),
            _ if value.eq_ignore_ascii_case("binary") => Some(Self::Untold),
            _ => None,
        }
    }

    /// What a text makes of it that does nothing but set it for the session, and that to what it does not convert to.
    pub(crate) fn unconverted(text: &str) -> Option<Self> {
        const SCOPES: [&str; 2] = ["session", "local"];
        let (mut room, mut count) = ([Token::Sign(0); UNCONVERTED_TOKENS_MAX], 0);
        for (place, token) in room.iter_mut().zip(Tokens::new(text)) {
            *place = token;
            count += 1;
        }
        let tokens = room.get(..count).unwrap_or_default();
        let tokens = tokens.strip_suffix(&[Token::Sign(b';')]).unwrap_or(tokens);
        let is_scope = |token: &Token<'_>| SCOPES.iter().any(|scope| token.is_word(scope));
        let [set, rest @ ..] = tokens else { return None };
        let rest = match rest {
            [Token::Sign(b'@'), Token::Sign(b'@'), scope, Token::Sign(b'.'), rest @ ..]
                if is_scope(scope) =>
            {
                rest
            }
            [Token::Sign(b'@'), Token::Sign(b'@'), rest @ ..] => rest,
            [scope, rest @ ..] if is_scope(scope) => rest,
            rest => rest,
        };
        let (name, value) = match rest {
            [Token::Word(name) | Token::Name(name), Token::Sign(b'='), value]
            | [Token::Word(name) | Token::Name(name), Token::Sign(b':'), Token::Sign(b'='), value] => {
                (name, value)
            }
            _ => return None,
        };
        if !set.is_word("set") || !name.eq_ignore_ascii_case("character_set_results") {
            return None;
        }
        match value {
            value if value.is_word("null") => Some(Self::Own),
            Token::Word(value) | Token::Text(value) if value.eq_ignore_ascii_case("binary") => {
                Some(Self::Untold)
            }
            _ => None,
        }
    }
}

/// More tokens than `SET @@session.character_set_results := NULL;` has.
const UNCONVERTED_TOKENS_MAX: usize = 12;

/// Which database a statement makes the default; `Some(None)`: it may be one that cannot be told.
pub(crate) fn uses(text: &str) -> Option<Option<&str>> {
    let mut tokens = Tokens::new(text);
    if !tokens.next().is_some_and(|token| token.is_word("use")) {
        let mut begins = false;
        let later = Tokens::new(text).any(|token| {
            let here = core::mem::replace(&mut begins, token == Token::Sign(b';'));
            here && token.is_word("use")
        });
        return later.then_some(None);
    }
    let name = match tokens.next() {
        Some(Token::Word(name) | Token::Name(name)) if !name.contains('`') => Some(name),
        _ => None,
    };
    let ends = matches!(tokens.next(), None | Some(Token::Sign(b';'))) && tokens.next().is_none();
    Some(name.filter(|_| ends))
}

/// What is known of a target where texts set what it has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target {
    /// It tells what settings come to, so that values from elsewhere (`@saved`) may pass.
    pub(crate) tracked: bool,
    /// Its default character set is UTF-8.
    pub(crate) utf8_by_default: bool,
}

/// Whether a statement sets what a session's texts are read by to something else, as far as its words say.
pub(crate) fn unpins(text: &str, target: Target) -> bool {
    if Results::unconverted(text).is_some() {
        return false;
    }
    let mut tokens = Tokens::new(text);
    let sets = tokens.next().is_some_and(|token| token.is_word("set"));
    if !sets && memchr::memchr(b';', text.as_bytes()).is_none() {
        return false;
    }
    let mut tokens = Tokens::new(text);
    let mut begins = true;
    while let Some(token) = tokens.next() {
        let here = core::mem::replace(&mut begins, token == Token::Sign(b';'));
        if here && token.is_word("set") {
            let rest: Vec<_> = tokens.by_ref().take_while(|token| *token != Token::Sign(b';')).collect();
            // The default may have changed meanwhile: no other statement must stand behind.
            let last = Tokens::new(tokens.rest).next().is_none();
            let utf8_by_default = target.utf8_by_default && last;
            if sets_otherwise(&rest, Target { utf8_by_default, ..target }) {
                return true;
            }
            begins = true;
        }
    }
    false
}

/// The same of what stands behind a SET: settings, or those of SET STATEMENT, and a statement.
fn sets_otherwise<'a>(mut rest: &'a [Token<'a>], target: Target) -> bool {
    while let [first, behind @ ..] = rest
        && first.is_word("statement")
    {
        let end = outside(behind).position(|(token, outside)| outside && token.is_word("for"));
        let (settings, inner) = behind.split_at(end.unwrap_or(behind.len()));
        if assignments(settings).any(|assignment| is_unpinning(assignment, target, true)) {
            return true;
        }
        match inner {
            [_, set, behind @ ..] if set.is_word("set") => rest = behind,
            _ => return false,
        }
    }
    assignments(rest).any(|assignment| is_unpinning(assignment, target, false))
}

/// Tokens, and whether they stand outside parentheses.
fn outside<'a>(tokens: &'a [Token<'a>]) -> impl Iterator<Item = (&'a Token<'a>, bool)> {
    let mut depth = 0_usize;
    tokens.iter().map(move |token| {
        match token {
            Token::Sign(b'(') => depth += 1,
            Token::Sign(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        (token, depth == 0)
    })
}

/// The parts between commas outside parentheses.
fn assignments<'a>(tokens: &'a [Token<'a>]) -> impl Iterator<Item = &'a [Token<'a>]> {
    let mut depth = 0_usize;
    tokens.split(move |token| {
        match token {
            Token::Sign(b'(') => depth += 1,
            Token::Sign(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *token == Token::Sign(b',')
    })
}

/// `passing`: what is set is set back behind the statement, of which the target tells in between.
fn is_unpinning(assignment: &[Token<'_>], target: Target, passing: bool) -> bool {
    const SCOPES: [&str; 5] = ["global", "session", "local", "persist", "persist_only"];
    let is_choice = |values: &[Token<'_>]| {
        let by_default = matches!(values, [value] if value.is_word("default"));
        is_utf8_choice(values) || by_default && target.tracked && target.utf8_by_default
    };
    let tracked = target.tracked;
    let is_scope = |token: &Token<'_>| SCOPES.iter().any(|scope| token.is_word(scope));
    let mut rest = assignment;
    // `@x` is the job's own; `@@` and a scope stand before a variable of the session.
    if matches!(rest, [Token::Sign(b'@'), Token::Word(_) | Token::Name(_) | Token::Text(_), ..]) {
        return false;
    }
    while let [first, behind @ ..] = rest {
        let skipped = matches!(first, Token::Sign(b'@' | b'.')) || is_scope(first);
        if !skipped || behind.is_empty() {
            break;
        }
        rest = behind;
    }
    let [Token::Word(name) | Token::Name(name), values @ ..] = rest else { return false };
    let is = |word: &str| name.eq_ignore_ascii_case(word);
    if is("names") || is("charset") {
        return passing || !is_choice(values);
    }
    if is("character") {
        let set = values.first().is_some_and(|token| token.is_word("set"));
        return set && (passing || !is_choice(values.get(1..).unwrap_or_default()));
    }
    let values = match values {
        [Token::Sign(b':'), Token::Sign(b'='), values @ ..] | [Token::Sign(b'='), values @ ..] => values,
        _ => return false,
    };
    let saved = matches!(values, [Token::Sign(b'@'), Token::Word(_) | Token::Name(_)]);
    if ["character_set_client", "character_set_connection", "character_set_results", "collation_connection"]
        .into_iter()
        .any(is)
    {
        let plain = matches!(values, [value] if value.text().is_some_and(is_utf8));
        return passing || !(plain || saved && tracked);
    }
    if is("sql_mode") {
        let is_default = matches!(values, [value] if value.is_word("default"));
        return !tracked && (saved || is_default) || !values.iter().all(|value| is_harmless_mode(*value));
    }
    name.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("session_track_"))
}

/// `utf8mb4 [COLLATE utf8mb4_bin]`.
fn is_utf8_choice(values: &[Token<'_>]) -> bool {
    let is_utf8 = |token: &Token<'_>| token.text().is_some_and(is_utf8);
    match values {
        [set] => is_utf8(set),
        [set, collate, collation] => is_utf8(set) && collate.is_word("collate") && is_utf8(collation),
        _ => false,
    }
}

/// Whether a character set, or a collation, is of UTF-8.
pub(crate) fn is_utf8(name: &str) -> bool {
    let set = name.split('_').next().unwrap_or_default();
    ["utf8", "utf8mb3", "utf8mb4"].iter().any(|utf8| set.eq_ignore_ascii_case(utf8))
}

/// Numbers stand for modes too.
fn is_harmless_mode(token: Token<'_>) -> bool {
    match token {
        Token::Word(word) if word.starts_with(|first: char| first.is_ascii_digit()) => false,
        Token::Word(word) if word.eq_ignore_ascii_case("x") || word.eq_ignore_ascii_case("b") => false,
        Token::Word(words) | Token::Name(words) | Token::Text(words) => is_readable_mode(words),
        Token::Sign(sign) => sign != b'?',
    }
}

/// Whether an sql_mode leaves texts to be read as the policy reads them.
pub(crate) fn is_readable_mode(words: &str) -> bool {
    const OTHERS: [&str; 9] = [
        "ANSI",
        "ANSI_QUOTES",
        "DB2",
        "IGNORE_SPACE",
        "MAXDB",
        "MSSQL",
        "NO_BACKSLASH_ESCAPES",
        "ORACLE",
        "POSTGRESQL",
    ];
    let parts = words.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
    parts.into_iter().all(|part| !OTHERS.iter().any(|other| part.eq_ignore_ascii_case(other)))
}

/// A token of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// Between backticks.
    Name(&'a str),
    /// Between quotes.
    Text(&'a str),
    Sign(u8),
}

impl<'a> Token<'a> {
    fn is_word(self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own.eq_ignore_ascii_case(word))
    }

    fn text(self) -> Option<&'a str> {
        match self {
            Token::Word(text) | Token::Name(text) | Token::Text(text) => Some(text),
            Token::Sign(_) => None,
        }
    }
}

/// The tokens of a text; what stands in executable comments (`/*! */`, `/*M! */`) is among them.
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Skips white space, comments, and the ends of executable ones.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches(|sign: char| sign.is_ascii_whitespace() || sign < ' ');
            let line = self
                .rest
                .strip_prefix("--")
                .filter(|rest| rest.is_empty() || rest.starts_with(|sign| sign <= ' '));
            if let Some(comment) = line.or_else(|| self.rest.strip_prefix('#')) {
                self.rest = comment.find('\n').and_then(|end| comment.get(end..)).unwrap_or("");
            } else if let Some(code) =
                self.rest.strip_prefix("/*!").or_else(|| self.rest.strip_prefix("/*M!"))
            {
                self.rest = code.trim_start_matches(|sign: char| sign.is_ascii_digit());
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                self.rest = comment.find("*/").and_then(|end| comment.get(end + 2..)).unwrap_or("");
            } else if let Some(rest) = self.rest.strip_prefix("*/") {
                self.rest = rest;
            } else {
                return;
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> &'a str {
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        while let Some(byte) = bytes.get(at) {
            match *byte {
                b'\\' if quote != b'`' => at += 1,
                byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 1,
                byte if byte == quote => break,
                _ => {}
            }
            at += 1;
        }
        let inner = self.rest.get(1..at.min(bytes.len())).unwrap_or_default();
        self.rest = self.rest.get(at + 1..).unwrap_or("");
        inner
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip();
        let first = *self.rest.as_bytes().first()?;
        match first {
            b'`' => return Some(Token::Name(self.quoted(first))),
            b'\'' | b'"' => return Some(Token::Text(self.quoted(first))),
            _ => {}
        }
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
        let length = self.rest.bytes().take_while(|byte| is_part(byte)).count();
        let (taken, rest) = self.rest.split_at_checked(length.max(1)).unwrap_or((self.rest, ""));
        self.rest = rest;
        Some(if length == 0 { Token::Sign(first) } else { Token::Word(taken) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_what_begins_and_what_may_hold_locks() {
        for (text, sets, shows) in [
            ("SET names utf8mb4", true, false),
            ("set a = 1; set b = 2", false, false),
            ("set statement a = 1 for call p()", false, false),
            ("/*!40101 SET a = 1 */;", true, false),
            ("show create table `t`", false, true),
            ("show x; select 1", false, false),
            ("select @@collation_database", false, true),
            ("SELECT @@session.a AS b, @@`c`.d.e", false, true),
            ("select @@a from t", false, false),
            ("select @@a, @b", false, false),
            ("select @@a as b, c", false, false),
            ("select @@a union select pan from t", false, false),
            ("select @@a; select pan from t", false, false),
            ("select", false, false),
            ("select @@", false, false),
            ("/*!99999 show */ select pan from t", false, false),
            ("select @@a /*M!999999 , */ pan from t", false, false),
            ("show /* x */ tables", false, true),
            ("call p()", false, false),
        ] {
            let nature = Nature::of(text);
            assert_eq!((nature.sets, nature.shows), (sets, shows), "{text}");
        }
        for (text, begins, heavy) in [
            ("set statement x = 1 for update t set a = 1", false, true),
            ("BEGIN", true, false),
            (" begin work ; ", true, false),
            ("START TRANSACTION READ ONLY", true, false),
            ("start slave", false, true),
            ("BEGIN NOT ATOMIC select 1", false, true),
            ("set x = 1", false, false),
            ("USE `a`", false, false),
            ("# job\n show x", false, false),
            ("begin; update t set a = 1", false, true),
            ("set x = 1; update t set a = 1", false, true),
            ("/*!50000 delete from t */", false, true),
            ("select 1", false, true),
            ("", false, true),
        ] {
            let nature = Nature::of(text);
            assert_eq!((nature.begins, nature.heavy), (begins, heavy), "{text}");
        }
    }

    #[test]
    fn sees_which_database_becomes_the_default() {
        assert_eq!(uses("USE a"), Some(Some("a")));
        assert_eq!(uses("/* x */ use `a b`;"), Some(Some("a b")));
        assert_eq!(uses("use a; select 1"), Some(None));
        assert_eq!(uses("select 1; use a"), Some(None));
        assert_eq!(uses("select 'use'; select 1"), None);
        assert_eq!(uses("use `a``b`"), Some(None));
    }

    const TRACKED: Target = Target { tracked: true, utf8_by_default: false };

    #[test]
    fn sees_where_the_target_s_default_is_as_good() {
        let (utf8, untold) =
            (Target { utf8_by_default: true, ..TRACKED }, Target { utf8_by_default: true, tracked: false });
        for text in [
            "SET NAMES DEFAULT",
            "set character set default;",
            "select 1; set charset default",
            "set a = 1, names default",
        ] {
            assert!(!unpins(text, utf8), "{text}");
            assert!(unpins(text, TRACKED) && unpins(text, untold), "{text}");
        }
        for text in [
            "set names default; select 1",
            "set names default collate utf8mb4_bin",
            "set character_set_client = default",
            "set statement a = 1 for set names default; select 1",
            "set statement names default for select 1",
        ] {
            assert!(unpins(text, utf8), "{text}");
        }
    }

    #[test]
    fn sees_what_set_statement_sets_and_runs() {
        for good in [
            "set statement max_statement_time = 1 for select 1, names, x from t where sql_mode = 'ANSI'",
            "SET STATEMENT sql_mode = 'STRICT_ALL_TABLES', max_statement_time = 1 FOR SELECT 4",
            "set statement sql_mode = concat(@@sql_mode, ',TRADITIONAL') for update t set a = 4",
            "set statement a = 1 for set names utf8mb4",
        ] {
            assert!(!unpins(good, TRACKED), "{good}");
        }
        for bad in [
            "set statement sql_mode = 'ANSI_QUOTES' for select 1",
            "set statement a = 1, sql_mode = 4 for select 1",
            "set statement a = (select 1 for update), sql_mode = oracle for select 1",
            "set statement character_set_results = utf8mb4 for select 1",
            "set statement character_set_client = utf8mb4, a = 1 for select 1",
            "set statement session_track_schema = 0 for select 1",
            "set statement a = 1 for set names latin1",
            "set statement a = 1 for set statement b = 2 for set sql_mode = 'ANSI'",
            "set statement a = 1 for set character_set_results = null",
            "set statement sql_mode = 'ANSI'",
        ] {
            assert!(unpins(bad, TRACKED), "{bad}");
        }
    }

    #[test]
    fn sees_what_would_change_how_texts_are_read() {
        for bad in [
            "set names latin1",
            "SET NAMES 'gbk' COLLATE gbk_bin",
            "set names utf8mb4 collate latin1_bin",
            "set names default",
            "set character set cp932",
            "set charset binary",
            "SET @@session.character_set_client = sjis",
            "set character_set_results = NULL, names utf8mb4",
            "set global character_set_results = NULL",
            "set character_set_results = latin1",
            "set @@character_set_results = (select null)",
            "set character_set_results = NULL; select 1",
            "set statement character_set_results = binary for select 1",
            "set names binary",
            "set x = 1, session collation_connection := 'gbk_chinese_ci'",
            "set sql_mode = 'ansi_quotes'",
            "set sql_mode = \"STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES\"",
            "set @@sql_mode = oracle",
            "set `sql_mode` = 4",
            "set sql_mode = 0x4",
            "set sql_mode = x'04'",
            "set sql_mode = ?",
            "set sql_mode = concat(@@sql_mode, ',IGNORE_SPACE')",
            "set statement sql_mode = 'ANSI' for select 1",
            "select 1; /* x */ set sql_mode = 'ANSI'",
            "/*!40101 SET NAMES latin1 */",
            "-- x\nset session_track_schema = off",
            "set @@session.session_track_system_variables = ''",
            "set x = (select 1, 2), names latin1",
        ] {
            assert!(unpins(bad, TRACKED), "{bad}");
        }
        for good in [
            "SET sql_mode=(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION')),time_zone='+00:00',NAMES utf8mb4 COLLATE utf8mb4_unicode_ci;",
            "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_general_ci'",
            "set names utf8",
            "set character set utf8mb3",
            "set character_set_client = utf8mb4, autocommit = 1",
            "set sql_mode = 'STRICT_TRANS_TABLES'",
            "set sql_mode = ''",
            "set @sql_mode = 'ANSI', @`names` = 'x'",
            "select 'x; set names latin1'",
            "select 1 -- ; set names latin1",
            "update names set sql_mode = 'ANSI'",
            "set autocommit = 0; select 1",
        ] {
            assert!(!unpins(good, TRACKED), "{good}");
        }
        for saved in
            ["set character_set_client = @old", "set sql_mode = @OLD_SQL_MODE", "set sql_mode = default"]
        {
            assert!(!unpins(saved, TRACKED), "{saved}");
            assert!(unpins(saved, Target::default()), "{saved}");
        }
    }

    #[test]
    fn sees_what_leaves_answers_unconverted_and_does_nothing_else() {
        for (text, results) in [
            ("SET character_set_results = NULL", Some(Results::Own)),
            ("/* driver */ set @@session.character_set_results:=null;", Some(Results::Own)),
            ("SET SESSION character_set_results = 'binary'", Some(Results::Untold)),
            ("set local `character_set_results` = BINARY", Some(Results::Untold)),
            ("set @@character_set_results = \"binary\"", Some(Results::Untold)),
            ("set character_set_results = 'null'", None),
            ("set character_set_results = `null`", None),
            ("set character_set_results = utf8mb4", None),
            ("set character_set_results = 63", None),
            ("set global character_set_results = null", None),
            ("set @character_set_results = null", None),
            ("set character_set_client = null", None),
            ("select character_set_results = null", None),
            ("set character_set_results = null, autocommit = 1", None),
            ("set character_set_results = null; select 1", None),
            ("set character_set_results = null;;", None),
            ("set statement character_set_results = null for select 1", None),
            ("", None),
        ] {
            assert_eq!(Results::unconverted(text), results, "{text}");
            assert!(results.is_none() || !unpins(text, Target::default()), "{text}");
        }
    }
}
