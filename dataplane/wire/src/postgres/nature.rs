//! What a statement's first words say: does it begin a transaction, can it hold locks, does it change which names
//! stand for what. Not a judgement of what it does (that is policy's), only what the engine's own books need.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::startup::is_utf8;
use crate::limits::NAME_BYTES_MAX;

/// Names that a statement changes behind the protocol's back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    /// A prepared statement is made or dropped in SQL.
    Statement(String),
    /// Cursors, which share their names with portals.
    Portals,
    /// All of both.
    All,
}

/// What the first words say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nature {
    /// Begins a transaction and does nothing else.
    pub(crate) begins: bool,
    /// May hold locks in the target once run.
    pub(crate) heavy: bool,
    /// Its rows have the same columns whenever it runs (or the target refuses to run it).
    pub(crate) stable: bool,
    pub(crate) effect: Effect,
}

/// Comments longer than this before a statement are not looked behind.
const COMMENT_BYTES_MAX: usize = 1024;

impl Nature {
    pub(crate) fn of(text: &str) -> Self {
        let mut nature = Self { begins: false, heavy: true, stable: false, effect: Effect::None };
        let (first, more) = text.split_once(';').map_or((text, ""), |(first, more)| (first, more));
        let (word, rest) = first_word(first);
        let single = more.trim_ascii().is_empty();
        match word.map(Keyword) {
            Some(word) if single => {
                nature.begins = word.is("begin") || word.is("start");
                nature.heavy = !(nature.begins || word.is("set") || word.is("show"));
                nature.stable = ["select", "with", "insert", "update", "delete", "merge", "values", "table"]
                    .into_iter()
                    .any(|stable| word.is(stable));
            }
            _ => {}
        }
        nature.effect = effect(word, rest);
        // A `;` inside a string only makes this see more statements than there are.
        for more in more.split(';') {
            let (word, rest) = first_word(more);
            nature.effect = both(nature.effect, effect(word, rest));
        }
        nature
    }
}

/// Whether a statement sets what a session's bytes are read by to something else, as far as its words say: what they do
/// not say, the target does, and the session ends.
pub(crate) fn unpins(text: &str) -> bool {
    let by_function = memchr::memchr_iter(b'_', text.as_bytes()).any(|at| {
        let word = at.checked_sub(3).and_then(|start| text.get(start..at + 7));
        word.is_some_and(|word| word.eq_ignore_ascii_case("set_config"))
    });
    text.split(';').any(|part| {
        let (word, rest) = first_word(part);
        let sets = by_function || word.is_some_and(|word| Keyword(word).is("set"));
        sets && is_unpinning(part, rest)
    })
}

/// Of a part of a statement that sets something; `rest` follows its first word.
fn is_unpinning(part: &str, rest: &str) -> bool {
    let lower = part.to_ascii_lowercase();
    if !["client_encoding", "standard_conforming_strings", "names"].iter().any(|name| lower.contains(name)) {
        return false;
    }
    let (mut name, mut value) = first_word(rest);
    if name.is_some_and(|name| Keyword(name).is("session") || Keyword(name).is("local")) {
        (name, value) = first_word(value);
    }
    let Some(name) = name.map(Keyword) else { return true };
    let value = value.trim_start().trim_start_matches('=');
    let value = match first_word(value) {
        (Some(to), rest) if Keyword(to).is("to") => rest,
        _ => value,
    };
    let value = value.trim_matches(|sign: char| sign.is_ascii_whitespace() || sign == '\'' || sign == '"');
    if name.is("names") || name.is("client_encoding") {
        !is_utf8(value) || !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    } else if name.is("standard_conforming_strings") {
        !value.eq_ignore_ascii_case("on")
    } else {
        lower.contains("client_encoding") || lower.contains("standard_conforming_strings")
    }
}

fn both(one: Effect, other: Effect) -> Effect {
    match (one, other) {
        (Effect::None, effect) | (effect, Effect::None) => effect,
        (one, other) if one == other => one,
        _ => Effect::All,
    }
}

/// `word`: `None` where it could not be found behind a long comment.
fn effect(word: Option<&str>, rest: &str) -> Effect {
    let Some(word) = word.map(Keyword) else { return Effect::All };
    if word.is("discard") {
        return Effect::All;
    }
    if word.is("declare") || word.is("close") {
        return Effect::Portals;
    }
    if word.is("prepare") {
        return named(rest);
    }
    if !word.is("deallocate") {
        return Effect::None;
    }
    match first_word(rest) {
        (Some(next), rest) if Keyword(next).is("prepare") => named(rest),
        (Some(next), _) if Keyword(next).is("all") => Effect::All,
        _ => named(rest),
    }
}

/// The effect on the statement whose name comes first.
fn named(text: &str) -> Effect {
    let (Some(word), rest) = first_word(text) else { return Effect::All };
    // U&"…" is a name too; of a long name the target keeps the start.
    if !word.is_empty() {
        let plain = !rest.starts_with('&') && word.len() <= NAME_BYTES_MAX && !Keyword(word).is("all");
        return if plain { Effect::Statement(word.to_ascii_lowercase()) } else { Effect::All };
    }
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    match quoted {
        Some((name, behind)) if !behind.starts_with('"') && name.len() <= NAME_BYTES_MAX => {
            Effect::Statement(name.to_owned())
        }
        _ => Effect::All,
    }
}

struct Keyword<'a>(&'a str);

impl Keyword<'_> {
    fn is(&self, word: &str) -> bool {
        self.0.eq_ignore_ascii_case(word)
    }
}

/// The word behind white space and comments (empty where another sign comes first), and what follows it.
fn first_word(text: &str) -> (Option<&str>, &str) {
    let Some(text) = skip(text) else { return (None, "") };
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    let length = text.bytes().take_while(|byte| is_part(byte)).count();
    let (word, rest) = text.split_at_checked(length).unwrap_or((text, ""));
    (Some(word), rest)
}

/// Skips white space and comments; `None` where they go on for too long.
fn skip(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        if text.len() - rest.len() > COMMENT_BYTES_MAX {
            return None;
        }
        if let Some(comment) = rest.strip_prefix("--") {
            let end = comment.bytes().take(COMMENT_BYTES_MAX).position(|byte| matches!(byte, b'\n' | b'\r'));
            match end {
                Some(end) => rest = comment.get(end..)?,
                None if comment.len() < COMMENT_BYTES_MAX => return Some(""),
                None => return None,
            }
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = skip_block(comment)?;
        } else {
            return Some(rest);
        }
    }
}

/// Skips to behind the end of a comment that may hold others.
fn skip_block(comment: &str) -> Option<&str> {
    let mut depth = 1;
    let mut bytes = comment.as_bytes().windows(2).take(COMMENT_BYTES_MAX).enumerate();
    while let Some((at, pair)) = bytes.next() {
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return comment.get(at + 2..);
        }
        bytes.next();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_what_begins_and_what_may_hold_locks() {
        for (text, begins, heavy) in [
            ("BEGIN", true, false),
            (" begin isolation level serializable ; ", true, false),
            ("START TRANSACTION", true, false),
            ("set x = 1", false, false),
            ("/* job */ show x", false, false),
            ("begin; update t set a = 1", false, true),
            ("select 1", false, true),
            ("", false, true),
        ] {
            let nature = Nature::of(text);
            assert_eq!((nature.begins, nature.heavy), (begins, heavy), "{text}");
        }
        assert!(Nature::of("-- x\n select 1;").stable);
        assert!(!Nature::of("fetch all from c").stable);
        assert!(!Nature::of("select 1; fetch c").stable);
    }

    #[test]
    fn sees_what_would_change_how_bytes_are_read() {
        for bad in [
            "set client_encoding = 'LATIN1'",
            "SET Client_Encoding TO gb18030;",
            "select 1; /* x */ set session client_encoding to 'SJIS'",
            "set local standard_conforming_strings = off",
            "set names 'JOHAB'",
            "set client_encoding to 'UTF8', 'x'",
            "set client_encoding to default",
            "select Set_Config('client_encoding', 'GB18030', false)",
            "with a as (select set_config(n, 'off', true) from (values ('standard_conforming_strings')) v(n)) table a",
        ] {
            assert!(unpins(bad), "{bad}");
        }
        for good in [
            "set client_encoding = 'utf-8'",
            "SET client_encoding TO UTF8;",
            "set session names 'UTF8'",
            "set standard_conforming_strings to on",
            "show client_encoding",
            "select * from pg_settings where name = 'client_encoding'",
            "select set_config('application_name', 'x', false)",
            "set application_name = 'names'",
            "update names set a = '_'",
        ] {
            assert!(!unpins(good), "{good}");
        }
    }

    #[test]
    fn sees_names_that_sql_changes() {
        let statement = |name: &str| Effect::Statement(name.into());
        let long = alloc::format!("/*{}*/ select 1", "x".repeat(COMMENT_BYTES_MAX));
        for (text, effect) in [
            ("select 1", Effect::None),
            ("DEALLOCATE s1", statement("s1")),
            ("deallocate prepare S1;", statement("s1")),
            ("DEALLOCATE \"Tall s\"", statement("Tall s")),
            ("DEALLOCATE \"a\"\"b\"", Effect::All),
            ("DEALLOCATE U&\"s1\"", Effect::All),
            ("deallocate all", Effect::All),
            ("DEALLOCATE PREPARE ALL", Effect::All),
            ("DISCARD ALL", Effect::All),
            ("prepare s1 as select 1", statement("s1")),
            ("/* a /* b */ c */ prepare s1 as select 1", statement("s1")),
            ("--\nprepare s1(int) as select $1", statement("s1")),
            ("select 1; deallocate s1", statement("s1")),
            ("select 1;\n/**/deallocate s1; deallocate s2", Effect::All),
            ("declare c cursor for select 1", Effect::Portals),
            ("close c", Effect::Portals),
            ("select ';close c'", Effect::Portals),
            (&long, Effect::All),
            ("/* no end", Effect::All),
            ("-- no end", Effect::None),
        ] {
            assert_eq!(Nature::of(text).effect, effect, "{text}");
        }
    }
}
