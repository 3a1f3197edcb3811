//! GRANT, REVOKE and roles.
use super::super::Verb;
use super::builder::Builder;
use super::cursor::Cursor;
use super::lexer::Lexeme;
use super::loose::loose;
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
    let kind = kind(cursor);
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

/// Takes the kind of the objects that follow. A word before TO, FROM, a comma or a dot is a table's name.
fn kind(cursor: &mut Cursor<'_>) -> &'static str {
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
    let mut ahead = cursor.clone();
    let kind = if ahead.words(&["foreign", "data", "wrapper"]) || ahead.words(&["foreign", "server"]) {
        Some("server")
    } else if ahead.words(&["large", "object"]) {
        Some("large object")
    } else {
        ahead.one_of(&kinds)
    };
    let named = match ahead.peek() {
        Some(Lexeme::Word(word)) => word != "to" && word != "from",
        Some(Lexeme::Quoted(_) | Lexeme::Number(_)) => true,
        _ => false,
    };
    match kind {
        Some(kind) if named => {
            *cursor = ahead;
            kind
        }
        _ => "table",
    }
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
