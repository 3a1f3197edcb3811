//! CREATE, REFRESH, IMPORT, and the way to the others. Of what they hold, queries and commands are read as such, other
//! expressions loosely; code of other languages is `dynamic-sql`.
use super::super::{Effect, Verb};
use super::Session;
use super::alter;
use super::builder::Builder;
use super::cursor::Cursor;
use super::grant;
use super::lexer::Lexeme;
use super::loose::loose;
use super::reader::{NotUnderstood, Result};
use super::utility::relation;

/// Kinds whose definition is or names code that runs later.
#[rustfmt::skip]
pub(super) const CODE: &[&str] = &[
    "function", "procedure", "aggregate", "operator", "cast", "language", "extension", "trigger", "event", "rule",
    "conversion", "transform", "access", "server", "subscription", "user", "foreign", "text", "type", "database",
];

impl Session<'_> {
    /// A statement that begins with `first`.
    pub(super) fn definition(&mut self, first: &str, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        cursor.next();
        match first {
            "create" => self.create(cursor, facts),
            "alter" => alter::alter(cursor, facts),
            "drop" => alter::drop(cursor, facts),
            "comment" if cursor.word("on") => alter::described(Verb::Ddl, cursor, facts),
            "security" if cursor.word("label") => {
                if cursor.word("for") {
                    cursor.next();
                }
                facts.verb(Verb::Grant);
                if cursor.word("on") {
                    alter::described(Verb::Ddl, cursor, facts)
                } else {
                    Err(NotUnderstood)
                }
            }
            "refresh" if cursor.words(&["materialized", "view"]) => {
                cursor.word("concurrently");
                facts.touch(Verb::Ddl, &cursor.object()?);
                loose(cursor.rest(), facts)
            }
            "import" if cursor.words(&["foreign", "schema"]) => {
                facts.verb(Verb::Ddl);
                facts.effect(Effect::DynamicSql);
                loose(cursor.until("limit"), facts)?;
                if cursor.words(&["limit", "to"]) {
                    relations(&mut Cursor::new(cursor.parenthesised()?), facts)?;
                }
                loose(cursor.rest(), facts)
            }
            "grant" | "revoke" => grant::grant(cursor, facts),
            "reassign" if cursor.word("owned") => {
                facts.verb(Verb::Grant);
                facts.verb(Verb::Ddl);
                loose(cursor.rest(), facts)
            }
            _ => Err(NotUnderstood),
        }
    }

    fn create(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        cursor.words(&["or", "replace"]);
        let modifiers = [
            "global",
            "local",
            "temp",
            "temporary",
            "unlogged",
            "recursive",
            "trusted",
            "procedural",
            "constraint",
            "unique",
            "default",
            "materialized",
        ];
        while cursor.one_of(&modifiers).is_some() {}
        match cursor.peek() {
            Some(Lexeme::Word(kind)) => {
                let kind = kind.as_str();
                cursor.next();
                self.create_kind(kind, cursor, facts)
            }
            _ => Err(NotUnderstood),
        }
    }

    fn create_kind(&mut self, kind: &str, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        if CODE.contains(&kind) {
            facts.effect(Effect::DynamicSql);
        }
        match kind {
            "table" => self.table(cursor, facts),
            "view" => self.view(cursor, facts),
            "rule" => self.rule(cursor, facts),
            "index" => index(cursor, facts),
            "policy" => policy(cursor, facts),
            "trigger" => trigger(cursor, facts),
            "role" | "group" => grant::role(cursor, facts),
            "user" if !cursor.word("mapping") => grant::role(cursor, facts),
            "foreign" if cursor.word("table") => self.table(cursor, facts),
            "function" | "procedure" => {
                facts.touch(Verb::Ddl, &cursor.object()?);
                loose(cursor.rest(), facts)
            }
            "schema" => self.schema(cursor, facts),
            "sequence" => {
                if_exists(cursor);
                facts.touch(Verb::Ddl, &cursor.object()?);
                loose(cursor.rest(), facts)
            }
            "statistics" => {
                facts.verb(Verb::Ddl);
                loose(cursor.until("from"), facts)?;
                cursor.next();
                relations(cursor, facts)
            }
            "publication" => publication(cursor, facts),
            "type" | "domain" => {
                facts.touch(Verb::Ddl, &cursor.object()?);
                loose(cursor.rest(), facts)
            }
            "aggregate" | "operator" | "cast" | "language" | "extension" | "event" | "conversion"
            | "transform" | "access" | "server" | "subscription" | "user" | "foreign" | "text"
            | "database" | "collation" | "tablespace" => {
                facts.verb(Verb::Ddl);
                loose(cursor.rest(), facts)
            }
            _ => Err(NotUnderstood),
        }
    }

    /// CREATE SCHEMA, with the statements that it may hold.
    fn schema(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        facts.verb(Verb::Ddl);
        let lexemes = cursor.rest();
        let starts = |it: &&Lexeme| it.is("create") || it.is("grant");
        let first = lexemes.iter().position(|it| starts(&it)).unwrap_or(lexemes.len());
        let (own, mut rest) = lexemes.split_at(first);
        loose(own, facts)?;
        while !rest.is_empty() {
            let next = rest.iter().skip(1).position(|it| starts(&it)).map_or(rest.len(), |at| at + 1);
            let (element, behind) = rest.split_at(next);
            let inner = self.statement(element);
            facts.add(&inner);
            rest = behind;
        }
        Ok(())
    }

    /// CREATE TABLE, and CREATE TABLE AS.
    fn table(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        if_exists(cursor);
        let table = cursor.object()?;
        facts.touch(Verb::Ddl, &table);
        loose(cursor.until("as"), facts)?;
        if !cursor.word("as") {
            return Ok(());
        }
        self.stored_query(cursor, facts)
    }

    fn view(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        if_exists(cursor);
        facts.touch(Verb::Ddl, &cursor.object()?);
        loose(cursor.until("as"), facts)?;
        if !cursor.word("as") {
            return Err(NotUnderstood);
        }
        self.stored_query(cursor, facts)
    }

    /// The query behind AS, without WITH DATA and WITH CHECK OPTION at its end.
    fn stored_query(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        let mut query = cursor.rest();
        let ends = [
            &["with", "data"][..],
            &["with", "no", "data"],
            &["with", "check", "option"],
            &["with", "local", "check", "option"],
            &["with", "cascaded", "check", "option"],
        ];
        for end in ends {
            let (Some(from), true) = (query.len().checked_sub(end.len()), query.len() > end.len()) else {
                continue;
            };
            let tail = query.get(from..).unwrap_or_default();
            if end.iter().zip(tail).all(|(word, it)| it.is(word)) {
                query = query.get(..from).unwrap_or_default();
            }
        }
        let starts = ["select", "values", "table", "with", "execute"];
        match query.first() {
            Some(Lexeme::Sign('(')) => {}
            Some(Lexeme::Word(word)) if starts.contains(&word.as_str()) => {}
            _ => return Err(NotUnderstood),
        }
        let inner = self.statement(query);
        facts.add(&inner);
        Ok(())
    }

    /// CREATE RULE name AS ON event TO table [WHERE …] DO [ALSO | INSTEAD] commands.
    fn rule(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        cursor.name()?;
        if !cursor.words(&["as", "on"]) {
            return Err(NotUnderstood);
        }
        cursor.next();
        if !cursor.word("to") {
            return Err(NotUnderstood);
        }
        facts.touch(Verb::Ddl, &cursor.object()?);
        let condition = cursor.until("do");
        match condition.split_first() {
            None => {}
            Some((first, condition)) if first.is("where") => super::expression(condition, None, facts)?,
            Some(_) => return Err(NotUnderstood),
        }
        if !cursor.word("do") {
            return Err(NotUnderstood);
        }
        cursor.one_of(&["also", "instead"]);
        if cursor.word("nothing") {
            return cursor.end();
        }
        let mut commands = cursor.rest();
        let mut ahead = cursor.clone();
        if let Ok(inner) = ahead.parenthesised()
            && ahead.peek().is_none()
        {
            commands = inner;
        }
        for command in super::split(commands) {
            let inner = self.statement(command);
            facts.add(&inner);
        }
        Ok(())
    }
}

pub(super) fn if_exists(cursor: &mut Cursor<'_>) {
    cursor.words(&["if", "not", "exists"]);
    cursor.words(&["if", "exists"]);
}

fn index(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.word("concurrently");
    if_exists(cursor);
    if !cursor.peek().is_some_and(|it| it.is("on")) {
        cursor.path()?;
    }
    if !cursor.word("on") {
        return Err(NotUnderstood);
    }
    facts.touch(Verb::Ddl, &relation(cursor)?);
    if cursor.word("using") {
        cursor.path()?;
    }
    loose(cursor.rest(), facts)
}

/// Row-level security: conditions may hold queries.
pub(super) fn policy(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    if_exists(cursor);
    cursor.name()?;
    if !cursor.word("on") {
        return Err(NotUnderstood);
    }
    let table = cursor.object()?;
    facts.touch(Verb::Ddl, &table);
    facts.touch(Verb::Grant, &table);
    while let Some(lexeme) = cursor.peek() {
        match lexeme {
            Lexeme::Sign('(') => {
                let condition = cursor.parenthesised()?;
                super::expression(condition, Some(&table), facts)?;
            }
            Lexeme::Word(_) | Lexeme::Quoted(_) | Lexeme::Sign(',') => {
                cursor.next();
            }
            _ => return Err(NotUnderstood),
        }
    }
    Ok(())
}

fn trigger(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.name()?;
    loose(cursor.until("on"), facts)?;
    if !cursor.word("on") {
        return Err(NotUnderstood);
    }
    facts.touch(Verb::Ddl, &cursor.object()?);
    if cursor.word("from") {
        facts.touch(Verb::Ddl, &cursor.object()?);
    }
    loose(cursor.rest(), facts)
}

/// CREATE PUBLICATION: hands tables' rows to subscribers.
pub(super) fn publication(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Ddl);
    facts.verb(Verb::Grant);
    cursor.name()?;
    published(cursor, facts)
}

/// The tables behind each TABLE, until WITH.
fn published(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    let mut listing = false;
    while let Some(lexeme) = cursor.peek() {
        match lexeme {
            Lexeme::Word(word) if word == "table" => {
                cursor.next();
                listing = true;
                facts.touch(Verb::Select, &relation(cursor)?);
            }
            Lexeme::Word(word) if word == "tables" => {
                cursor.next();
                listing = false;
            }
            Lexeme::Word(word) if ["with", "where", "for", "add", "drop", "set"].contains(&word.as_str()) => {
                cursor.next();
                if word == "with" {
                    return loose(cursor.rest(), facts);
                }
            }
            Lexeme::Sign(',') => {
                cursor.next();
                let again = cursor.peek().is_some_and(|it| it.is("table") || it.is("tables"));
                if listing && !again {
                    facts.touch(Verb::Select, &relation(cursor)?);
                }
            }
            Lexeme::Sign('(') => loose(cursor.parenthesised()?, facts)?,
            _ => {
                cursor.next();
            }
        }
    }
    Ok(())
}

/// Names between commas.
pub(super) fn relations(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    loop {
        facts.touch(Verb::Ddl, &relation(cursor)?);
        if !cursor.sign(',') {
            return cursor.end();
        }
    }
}
