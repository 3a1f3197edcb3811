//! SHOW, DESCRIBE, EXPLAIN, ANALYZE of a statement; and statements that hold another one.
use super::super::super::Verb;
use super::super::builder::Builder;
use super::super::cursor::{Cursor, Unit as _};
use super::super::names;
use super::super::reader::{NotUnderstood, Result, absent};
use super::super::scope::Use;
use super::lexer::Lexeme;
use super::reading::Reading;
use super::{Script, Session};
use std::collections::BTreeSet;

/// Statements that EXPLAIN takes.
const EXPLAINABLE: [&str; 8] = ["select", "with", "values", "table", "insert", "replace", "update", "delete"];
/// What SHOW tells of the server rather than of data.
const OF_THE_SERVER: [&str; 20] = [
    "all",
    "binary",
    "binlog",
    "client_statistics",
    "engine",
    "explain",
    "grants",
    "host",
    "master",
    "processlist",
    "profile",
    "profiles",
    "relaylog",
    "replica",
    "replicas",
    "slave",
    "slaves",
    "analyze",
    "user_statistics",
    "users",
];
/// What SHOW tells of data in general.
const OF_DATA: [&str; 24] = [
    "authors",
    "character",
    "charset",
    "collation",
    "contributors",
    "count",
    "databases",
    "engines",
    "errors",
    "events",
    "function",
    "open",
    "package",
    "parse_tree",
    "plugins",
    "privileges",
    "procedure",
    "schemas",
    "status",
    "storage",
    "table",
    "tables",
    "triggers",
    "variables",
];

impl Script<'_> {
    /// The statement within EXPLAIN, ANALYZE, or SET STATEMENT … FOR; None: there is none, and nothing is noted.
    pub(super) fn holds_statement<'t>(
        &self,
        first: &str,
        lexemes: &'t [Lexeme],
        spellings: &BTreeSet<String>,
        facts: &mut Builder,
    ) -> Result<Option<&'t [Lexeme]>> {
        let mut cursor = Cursor::new(lexemes);
        cursor.next();
        if first == "set" {
            if !cursor.word("statement") {
                return Ok(None);
            }
            let settings = cursor.until("for");
            let mut reading = Reading::new(settings, &Session { database: &self.database, spellings }, facts);
            reading.set()?;
            reading.at.end()?;
            absent(!cursor.word("for"))?;
            // Again and again, no text would be too deep.
            absent(cursor.words(&["set", "statement"]))?;
            return Ok(Some(cursor.rest()));
        }
        if cursor.word("format") && (!cursor.operator("=") || cursor.name().is_err()) {
            return Ok(None);
        }
        while cursor.one_of(&["extended", "partitions", "analyze"]).is_some() {
            if cursor.word("format") && (!cursor.operator("=") || cursor.name().is_err()) {
                return Ok(None);
            }
        }
        if cursor.word("into") {
            // Newer servers put the plan into a variable.
            return Err(NotUnderstood);
        }
        let explains =
            cursor.peek().is_some_and(|it| it.is_sign('(') || EXPLAINABLE.iter().any(|word| it.is(word)));
        if !explains {
            return Ok(None);
        }
        facts.verb(Verb::Select);
        Ok(Some(cursor.rest()))
    }
}

impl Reading<'_, '_> {
    /// DESCRIBE and EXPLAIN of a table.
    pub(super) fn describe(&mut self) -> Result {
        self.at.next();
        if self.at.word("for") {
            // What another session runs.
            self.facts().verb(Verb::Admin);
            return self.rest_is_plain();
        }
        let object = self.object()?;
        self.facts().touch(Verb::Select, &object);
        match self.at.next() {
            None | Some(Lexeme::Text(_)) => Ok(()),
            Some(lexeme) if lexeme.name().is_some() => Ok(()),
            Some(_) => Err(NotUnderstood),
        }
    }

    pub(super) fn show(&mut self) -> Result {
        self.at.next();
        while self.at.one_of(&["full", "extended", "global", "session", "local"]).is_some() {}
        let Some(Lexeme::Word { folded, .. }) = self.at.next() else { return Err(NotUnderstood) };
        match folded.as_str() {
            "columns" | "fields" | "index" | "indexes" | "keys" => {
                absent(self.at.one_of(&["from", "in"]).is_none())?;
                let mut parts = self.path()?;
                if self.at.one_of(&["from", "in"]).is_some() {
                    let database = self.name()?;
                    let table = parts.pop().ok_or(NotUnderstood)?;
                    parts = vec![database, table];
                }
                let object = self.qualified(&parts)?;
                self.facts().touch(Verb::Select, &object);
                self.picked()
            }
            "create" => self.show_create(),
            word if OF_THE_SERVER.contains(&word) => {
                self.facts().verb(Verb::Admin);
                self.rest_is_plain()
            }
            word if OF_DATA.contains(&word) || word.ends_with("_statistics") => {
                self.facts().verb(Verb::Select);
                if matches!(word, "errors" | "count") {
                    self.facts().diagnoses();
                }
                self.shown(word)
            }
            "warnings" => {
                self.facts().verb(Verb::Select);
                self.facts().diagnoses();
                if self.at.word("limit") { self.limit() } else { Ok(()) }
            }
            _ => Err(NotUnderstood),
        }
    }

    /// Words, FROM a database, LIKE or WHERE.
    fn shown(&mut self, word: &str) -> Result {
        if word == "count" {
            return self.rest_is_plain();
        }
        while !["from", "in", "like", "where", "limit"].contains(&self.word_ahead(0)) {
            match self.at.next() {
                None => return Ok(()),
                Some(lexeme) => absent(lexeme.name().is_none() && !lexeme.is_sign('.'))?,
            }
        }
        if self.at.one_of(&["from", "in"]).is_some() {
            self.name()?;
        }
        if self.at.word("limit") {
            return self.limit();
        }
        self.picked()
    }

    /// `LIKE 'x'`, `WHERE …`.
    fn picked(&mut self) -> Result {
        if self.at.word("like") {
            return absent(!matches!(self.at.next(), Some(Lexeme::Text(_))));
        }
        if self.at.word("where") { self.expr(Use::Filter) } else { Ok(()) }
    }

    fn show_create(&mut self) -> Result {
        let what = self.at.one_of(&[
            "table",
            "view",
            "sequence",
            "trigger",
            "event",
            "procedure",
            "function",
            "database",
            "schema",
            "package",
            "user",
        ]);
        match what {
            Some("user") => {
                self.facts().verb(Verb::Admin);
                self.rest_is_plain()
            }
            Some("database" | "schema") => {
                self.at.words(&["if", "not", "exists"]);
                let name = self.name()?;
                self.facts().touch(Verb::Select, &names::part(&name));
                Ok(())
            }
            Some(_) => {
                self.at.word("body");
                let object = self.object()?;
                self.facts().touch(Verb::Select, &object);
                Ok(())
            }
            None => Err(NotUnderstood),
        }
    }
}
