//! GRANT, REVOKE and roles.
use super::super::Verb;
use super::builder::Builder;
use super::cursor::Cursor;
use super::ddl::loose;
use super::lexer::Lexeme;
use super::names;
use super::reader::{NotUnderstood, Result};

/// CREATE, ALTER, DROP of ROLE, USER or GROUP, behind that word.
pub(super) fn role(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Grant);
    loose(cursor.rest(), facts)
}

/// GRANT or REVOKE, behind that word: privileges on objects, or membership in roles.
pub(super) fn grant(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Grant);
    words(cursor.until("on"))?;
    if !cursor.word("on") {
        return Ok(());
    }
    if cursor.word("all") {
        // ON ALL TABLES IN SCHEMA …
        return words(cursor.rest());
    }
    let kinds = [
        "table",
        "sequence",
        "function",
        "procedure",
        "routine",
        "database",
        "domain",
        "language",
        "schema",
        "tablespace",
        "type",
        "parameter",
    ];
    let kind = if cursor.words(&["foreign", "data", "wrapper"]) || cursor.words(&["foreign", "server"]) {
        "server"
    } else if cursor.words(&["large", "object"]) {
        "large object"
    } else {
        cursor.one_of(&kinds).unwrap_or("table")
    };
    loop {
        one(kind, cursor, facts)?;
        if !cursor.sign(',') {
            return words(cursor.rest());
        }
    }
}

/// ALTER DEFAULT PRIVILEGES, behind these words.
pub(super) fn default_privileges(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Grant);
    words(cursor.rest())
}

/// Privileges with their columns, roles, options: names and words.
fn words(lexemes: &[Lexeme]) -> Result {
    let plain = lexemes.iter().all(|it| {
        matches!(it, Lexeme::Word(_) | Lexeme::Quoted(_) | Lexeme::Sign(',' | '(' | ')' | '.'))
            || it.is_operator("=")
    });
    if plain { Ok(()) } else { Err(NotUnderstood) }
}

fn one(kind: &str, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    if kind == "large object" {
        return if matches!(cursor.next(), Some(Lexeme::Number(_))) { Ok(()) } else { Err(NotUnderstood) };
    }
    let path = cursor.path()?;
    let object = names::object(&path).ok_or(NotUnderstood)?;
    match kind {
        "table" | "sequence" | "function" | "procedure" | "routine" => facts.touch(Verb::Grant, &object),
        _ => facts.access(Verb::Grant, &object),
    }
    if cursor.peek().is_some_and(|it| it.is_sign('(')) {
        cursor.parenthesised()?;
    }
    Ok(())
}
