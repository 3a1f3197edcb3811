//! ALTER, DROP, COMMENT, SECURITY LABEL: the objects that they change; what they define is read loosely.
use super::super::{Effect, Verb};
use super::builder::Builder;
use super::cursor::Cursor;
use super::ddl::{CODE, if_exists, policy, publication};
use super::grant;
use super::lexer::Lexeme;
use super::loose::loose;
use super::names;
use super::reader::{NotUnderstood, Result};
use super::utility::relation;

/// Kinds of objects that hold rows, or stand for what does.
const RELATIONS: &[&str] = &["table", "view", "index", "sequence"];

/// ALTER, behind that word.
pub(super) fn alter(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    let Some(Lexeme::Word(kind)) = cursor.next() else { return Err(NotUnderstood) };
    if cursor.rest().iter().any(|it| it.is("owner")) {
        facts.verb(Verb::Grant);
    }
    match kind.as_str() {
        "system" => {
            facts.verb(Verb::Admin);
            Ok(())
        }
        "role" | "group" => grant::role(cursor, facts),
        "user" if !cursor.word("mapping") => grant::role(cursor, facts),
        "default" if cursor.word("privileges") => grant::default_privileges(cursor, facts),
        "policy" => policy(cursor, facts),
        "publication" => publication(cursor, facts),
        "materialized" | "foreign" if cursor.one_of(&["view", "table"]).is_some() => altered(cursor, facts),
        kind if RELATIONS.contains(&kind) => altered(cursor, facts),
        "trigger" | "rule" => {
            cursor.name()?;
            if !cursor.word("on") {
                return Err(NotUnderstood);
            }
            facts.touch(Verb::Ddl, &cursor.object()?);
            loose(cursor.rest(), facts)
        }
        "type" | "domain" => {
            facts.effect(Effect::DynamicSql);
            altered(cursor, facts)
        }
        "aggregate" | "collation" | "conversion" | "database" | "event" | "extension" | "foreign"
        | "function" | "language" | "procedural" | "large" | "operator" | "procedure" | "routine"
        | "schema" | "server" | "statistics" | "subscription" | "tablespace" | "text" | "user" | "cast"
        | "access" | "transform" => {
            facts.verb(Verb::Ddl);
            if CODE.contains(&kind.as_str()) {
                facts.effect(Effect::DynamicSql);
            }
            loose(cursor.rest(), facts)
        }
        _ => Err(NotUnderstood),
    }
}

/// ALTER TABLE and its like.
fn altered(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    if_exists(cursor);
    if cursor.words(&["all", "in", "tablespace"]) {
        facts.verb(Verb::Ddl);
        return loose(cursor.rest(), facts);
    }
    let object = relation(cursor)?;
    facts.touch(Verb::Ddl, &object);
    let rest = cursor.rest();
    let security = ["row", "level", "security"];
    if rest.windows(security.len()).any(|three| security.iter().zip(three).all(|(word, it)| it.is(word))) {
        facts.touch(Verb::Grant, &object);
    }
    loose(rest, facts)
}

/// DROP, behind that word.
pub(super) fn drop(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Ddl);
    let Some(Lexeme::Word(kind)) = cursor.next() else { return Err(NotUnderstood) };
    match kind.as_str() {
        "role" | "group" => grant::role(cursor, facts),
        "user" if !cursor.word("mapping") => grant::role(cursor, facts),
        "owned" => {
            facts.verb(Verb::Grant);
            loose(cursor.rest(), facts)
        }
        "materialized" | "foreign" if cursor.one_of(&["view", "table"]).is_some() => dropped(cursor, facts),
        kind if RELATIONS.contains(&kind) => dropped(cursor, facts),
        "function" | "procedure" | "routine" | "aggregate" => dropped(cursor, facts),
        "type" | "domain" | "schema" | "extension" | "collation" | "conversion" | "statistics" => {
            loose(cursor.rest(), facts)
        }
        "trigger" | "rule" | "policy" => {
            if_exists(cursor);
            cursor.name()?;
            if !cursor.word("on") {
                return Err(NotUnderstood);
            }
            let table = cursor.object()?;
            facts.touch(Verb::Ddl, &table);
            if kind == "policy" {
                facts.touch(Verb::Grant, &table);
            }
            loose(cursor.rest(), facts)
        }
        "access" | "cast" | "database" | "event" | "foreign" | "language" | "procedural" | "operator"
        | "publication" | "server" | "subscription" | "tablespace" | "text" | "transform" | "user" => {
            loose(cursor.rest(), facts)
        }
        _ => Err(NotUnderstood),
    }
}

fn dropped(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.word("concurrently");
    if_exists(cursor);
    loop {
        facts.touch(Verb::Ddl, &cursor.object()?);
        if cursor.peek().is_some_and(|it| it.is_sign('(')) {
            cursor.parenthesised()?;
        }
        if !cursor.sign(',') {
            return loose(cursor.rest(), facts);
        }
    }
}

/// What COMMENT and SECURITY LABEL speak of.
pub(super) fn described(verb: Verb, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(verb);
    cursor.one_of(&["materialized", "foreign"]);
    match cursor.one_of(&[
        "table",
        "view",
        "index",
        "sequence",
        "column",
        "constraint",
        "trigger",
        "rule",
        "policy",
    ]) {
        Some("column") => {
            let mut path = cursor.path()?;
            path.pop();
            facts.touch(verb, &names::object(&path).ok_or(NotUnderstood)?);
        }
        Some("constraint" | "trigger" | "rule" | "policy") => {
            cursor.name()?;
            if !cursor.word("on") {
                return Err(NotUnderstood);
            }
            if !cursor.word("domain") {
                facts.touch(verb, &cursor.object()?);
            }
        }
        Some(_) => facts.touch(verb, &cursor.object()?),
        None => {}
    }
    loose(cursor.rest(), facts)
}
