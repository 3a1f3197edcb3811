//! Names of objects as facts give them, and the patterns of rules that meet them.
//!
//! A name is `schema.name`, or `name` where the target's search_path decides. Its parts are folded already; a part that
//! holds a dot, a star or a double quote stands in double quotes. A pattern meets a name in one of two ways. *May be*
//! is for what forbids: an unqualified name may be in any schema. *Is* is for what permits: an unqualified name is taken
//! to be in `public`, and only where PostgreSQL's own catalog, which it searches first, cannot hold it.

use rkyv::{Archive, Deserialize, Serialize};

/// Bytes of an identifier that PostgreSQL keeps.
const IDENTIFIER_BYTES_MAX: usize = 63;
/// The schema that an unqualified name is taken to be in.
const DEFAULT_SCHEMA: &str = "public";
/// How every relation of the schema that is searched first begins.
const CATALOG_PREFIX: &str = "pg_";

/// Where a target looks for what a name without schema means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home<'a> {
    /// In `public`, but for what its catalog may hold.
    Postgres,
    /// In the target's default database, where its manifest names one. Facts say the database of each object, so a rule
    /// that says none means that one.
    Mysql(Option<&'a str>),
}

impl Home<'_> {
    fn is(self, schema: &str) -> bool {
        match self {
            Self::Postgres => schema == DEFAULT_SCHEMA,
            // Facts have it in lower case.
            Self::Mysql(database) => database.is_some_and(|own| own.to_lowercase() == schema),
        }
    }
}

/// Which objects a rule means.
#[derive(Debug, Clone, PartialEq, Eq, Archive, Serialize, Deserialize)]
pub(crate) enum Pattern {
    /// `*`
    Any,
    /// `schema.*`
    Schema(String),
    /// `schema.name`
    Qualified(String, String),
    /// `name`
    Name(String),
}

impl ArchivedPattern {
    /// Whether the name may mean an object of this pattern.
    pub(crate) fn may_be(&self, name: &str) -> bool {
        let (schema, name) = schema_and_name(name);
        match self {
            Self::Any => true,
            Self::Schema(wanted) => schema.is_none_or(|schema| schema == wanted.as_str()),
            Self::Qualified(wanted, own) => {
                name == own.as_str() && schema.is_none_or(|schema| schema == wanted.as_str())
            }
            Self::Name(own) => name == own.as_str(),
        }
    }

    /// Whether this is `*`.
    pub(crate) const fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// Whether the name means an object of this pattern and no other, at a target of this home.
    pub(crate) fn is(&self, name: &str, home: Home<'_>) -> bool {
        let (schema, name) = match split(name) {
            (None, name) if home != Home::Postgres || name.starts_with(CATALOG_PREFIX) => (None, name),
            (None, name) => (Some(DEFAULT_SCHEMA), name),
            (schema, name) => (schema, name),
        };
        match self {
            Self::Any => true,
            Self::Schema(wanted) => schema == Some(wanted.as_str()),
            Self::Qualified(wanted, own) => name == own.as_str() && schema == Some(wanted.as_str()),
            Self::Name(own) => name == own.as_str() && schema.is_none_or(|schema| home.is(schema)),
        }
    }

    /// Whether this names the setting: settings are in no schema, and their dots are part of their names.
    pub(crate) fn is_setting(&self, setting: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Schema(prefix) => split(setting).0 == Some(prefix.as_str()),
            Self::Qualified(prefix, own) => split(setting) == (Some(prefix.as_str()), own.as_str()),
            Self::Name(own) => setting == own.as_str(),
        }
    }
}

/// Whether the name may mean the object `own` of `schema`, or of any schema.
pub(crate) fn may_be(schema: Option<&str>, own: &str, name: &str) -> bool {
    let (in_schema, name) = schema_and_name(name);
    name == own && schema.is_none_or(|schema| in_schema.is_none_or(|in_schema| in_schema == schema))
}

/// The last two parts: what comes before them (the database's own name) is not told apart.
fn schema_and_name(name: &str) -> (Option<&str>, &str) {
    let (before, name) = split(name);
    (before.map(|before| split(before).1), name)
}

/// What is before the last dot that stands outside quotes, and what is behind it.
pub(crate) fn split(name: &str) -> (Option<&str>, &str) {
    let mut quoted = false;
    let mut dot = None;
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'.' if !quoted => dot = Some(at),
            _ => {}
        }
    }
    match dot.and_then(|at| Some((name.get(..at)?, name.get(at + 1..)?))) {
        Some((before, after)) => (Some(before), after),
        None => (None, name),
    }
}

/// What is wrong with a name in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("a name has no empty part")]
    Empty,
    #[error("a double quote is not closed")]
    Unclosed,
    #[error("`*` stands alone, or alone behind the last dot")]
    Star,
    #[error("`{0}` cannot stand in a name without double quotes")]
    Character(char),
    #[error("a column is written `schema.table.column` or `table.column`")]
    Column,
    #[error("a name has at most {0} parts here")]
    Parts(usize),
}

/// A part of a name in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Star,
    /// In the form of facts: folded, cut, quoted where it must be.
    Name(String),
}

/// Reads a name as PostgreSQL would: parts without double quotes are folded to lower case.
pub(crate) fn parts(text: &str) -> Result<Vec<Part>, NameError> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) =
            if let Some(quoted) = rest.strip_prefix('"') { unquote(quoted)? } else { bare(rest)? };
        parts.push(part);
        match after.strip_prefix('.') {
            Some(after) => rest = after,
            None if after.is_empty() => return Ok(parts),
            None => return Err(NameError::Character(after.chars().next().unwrap_or('"'))),
        }
    }
}

fn bare(text: &str) -> Result<(Part, &str), NameError> {
    let end = text.find('.').unwrap_or(text.len());
    let (part, after) = text.split_at(end);
    match part {
        "" => return Err(NameError::Empty),
        "*" => return Ok((Part::Star, after)),
        _ => {}
    }
    if part.contains('*') {
        return Err(NameError::Star);
    }
    if let Some(bad) = part.chars().find(|&c| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '-'))) {
        return Err(NameError::Character(bad));
    }
    Ok((Part::Name(in_form(&part.to_ascii_lowercase())), after))
}

fn unquote(text: &str) -> Result<(Part, &str), NameError> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"').ok_or(NameError::Unclosed)?;
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None if name.is_empty() => return Err(NameError::Empty),
            None => return Ok((Part::Name(in_form(&name)), after)),
        }
    }
}

/// A part in the form of facts as the catalog has it.
pub(crate) fn plain(part: &str) -> String {
    match part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => part.to_owned(),
    }
}

/// A part as facts write it.
pub(crate) fn in_form(name: &str) -> String {
    let mut end = name.len().min(IDENTIFIER_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let name = name.get(..end).unwrap_or(name);
    if name.contains(['.', '*', '"']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

/// Reads an object pattern: `*`, `schema.*`, `schema.name` or `name`.
pub(crate) fn pattern(text: &str) -> Result<Pattern, NameError> {
    pattern_of(&parts(text)?)
}

/// The same of parts already read.
pub(crate) fn pattern_of(parts: &[Part]) -> Result<Pattern, NameError> {
    match parts {
        [Part::Star] => Ok(Pattern::Any),
        [Part::Name(name)] => Ok(Pattern::Name(name.clone())),
        [Part::Name(schema), Part::Star] => Ok(Pattern::Schema(schema.clone())),
        [Part::Name(schema), Part::Name(name)] => Ok(Pattern::Qualified(schema.clone(), name.clone())),
        [] => Err(NameError::Empty),
        [Part::Star, _] => Err(NameError::Star),
        _ => Err(NameError::Parts(2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archived<T>(pattern: &Pattern, with: impl FnOnce(&ArchivedPattern) -> T) -> T {
        let bytes = rkyv::to_bytes::<rkyv::rancor::Error>(pattern).unwrap();
        with(rkyv::access::<ArchivedPattern, rkyv::rancor::Error>(&bytes).unwrap())
    }

    fn meets(text: &str, name: &str) -> (bool, bool) {
        archived(&pattern(text).unwrap(), |pattern| (pattern.may_be(name), pattern.is(name, Home::Postgres)))
    }

    #[test]
    fn at_mysql_a_name_alone_is_of_the_targets_database() {
        let is = |text: &str, name: &str, database: Option<&str>| {
            archived(&pattern(text).unwrap(), |pattern| pattern.is(name, Home::Mysql(database)))
        };
        assert!(is("cards", "shop.cards", Some("shop")));
        assert!(!is("cards", "audit.cards", Some("shop")));
        assert!(!is("cards", "shop.cards", None));
        assert!(is("cards", "cards", None));
        assert!(is("shop.cards", "shop.cards", None));
        assert!(is("shop.*", "shop.cards", None));
        assert!(!is("shop.*", "cards", Some("shop")));
        assert!(!is("public.*", "cards", None));
    }

    #[test]
    fn patterns_meet_names() {
        let (both, may, none) = ((true, true), (true, false), (false, false));
        for (pattern, name, expected) in [
            ("*", "anything", both),
            ("*", "pg_catalog.pg_authid", both),
            ("public.*", "public.cards", both),
            ("public.*", "cards", both),
            ("public.*", "pg_authid", may),
            ("public.*", "audit.cards", none),
            ("audit.*", "cards", may),
            ("public.cards", "public.cards", both),
            ("public.cards", "cards", both),
            ("public.cards", "audit.cards", none),
            ("public.cards", "payments.public.cards", may),
            ("audit.cards", "cards", may),
            ("audit.cards", "audit.cards", both),
            ("cards", "cards", both),
            ("cards", "public.cards", both),
            ("cards", "audit.cards", may),
            ("pg_authid", "pg_authid", both),
            ("pg_authid", "pg_catalog.pg_authid", may),
            ("PUBLIC.Cards", "public.cards", both),
            ("public.\"Cards\"", "public.Cards", both),
            ("public.\"Cards\"", "public.cards", none),
            ("public.\"a.b\"", "public.\"a.b\"", both),
            ("public.\"a.b\"", "public.a.b", none),
            ("\"*\"", "\"*\"", both),
            ("\"*\"", "cards", none),
        ] {
            assert_eq!(meets(pattern, name), expected, "{pattern} and {name}");
        }
    }

    #[test]
    fn settings_are_in_no_schema() {
        let meets = |text, setting| archived(&pattern(text).unwrap(), |pattern| pattern.is_setting(setting));
        assert!(meets("application_name", "application_name"));
        assert!(!meets("public.*", "application_name"));
        assert!(!meets("public.application_name", "application_name"));
        assert!(meets("job.*", "job.id"));
        assert!(meets("job.id", "job.id"));
        assert!(!meets("id", "job.id"));
    }

    #[test]
    fn splits_at_the_last_dot_outside_quotes() {
        assert_eq!(split("a"), (None, "a"));
        assert_eq!(split("a.b"), (Some("a"), "b"));
        assert_eq!(split("a.b.c"), (Some("a.b"), "c"));
        assert_eq!(split("\"a.b\".c"), (Some("\"a.b\""), "c"));
        assert_eq!(split("a.\"b\"\".c\""), (Some("a"), "\"b\"\".c\""));
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for (text, error) in [
            ("", NameError::Empty),
            ("a.", NameError::Empty),
            (".a", NameError::Empty),
            ("\"\"", NameError::Empty),
            ("\"a", NameError::Unclosed),
            ("*.a", NameError::Star),
            ("*.*", NameError::Star),
            ("a.b*", NameError::Star),
            ("a b", NameError::Character(' ')),
            ("\"a\"b", NameError::Character('b')),
            ("a\"b", NameError::Character('"')),
            ("a.b.c", NameError::Parts(2)),
        ] {
            assert_eq!(pattern(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_long_name_is_cut_where_postgresql_cuts_it() {
        let long = "ä".repeat(40);
        let Pattern::Name(cut) = pattern(&long).unwrap() else { panic!("a plain name") };
        assert_eq!(cut.len(), 62);
    }
}
