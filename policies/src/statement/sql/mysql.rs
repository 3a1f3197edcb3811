//! What SQL of MySQL 5.7 to 9 and MariaDB 10.2 to 12 does. Their lexical rules cut the text, and their grammar is read
//! straight into facts. What the two would read differently, or what is not understood for certain, is `unknown`.
//!
//! Names: tables, procedures and functions are `database.name`; one without its database is taken for one of the
//! session's current database, and stands bare where that is not known. All names are in lower case: two tables whose
//! names differ in case alone are one to policy.
mod admin;
mod call;
mod change;
mod definition;
mod expression;
mod from;
mod lexer;
mod query;
mod reading;
mod session;
mod set;
mod show;
mod words;

use super::super::{Facts, Verb};
use super::builder::Builder;
use super::cursor::{Cursor, Unit as _};
use super::reader::{NotUnderstood, Result};
use super::scope::Use;
use super::{CHAIN_MAX, Context, NESTING_MAX, STATEMENTS_MAX};
use lexer::{Lexed, Lexeme};
use reading::Reading;
use std::collections::{BTreeMap, BTreeSet};

/// The facts of one request, which may hold several statements.
pub(super) fn analyse(text: &str, context: &Context<'_>) -> Facts {
    let Ok(lexed) = lexer::cut(text) else { return Facts::unknown() };
    if !bounded(&lexed.lexemes) {
        return Facts::unknown();
    }
    let mut script = Script {
        database: context.database.to_lowercase(),
        prepared: context.prepared,
        local: BTreeMap::new(),
    };
    let mut all = Builder::default();
    if set::to_default(&lexed.lexemes) {
        all.access(Verb::Set, "names");
        all.literals_matter();
        return all.finish();
    }
    let mut members = Vec::new();
    for statement in session::split(&lexed.lexemes) {
        if members.len() >= STATEMENTS_MAX {
            return Facts::unknown();
        }
        let facts = script.statement(statement, &lexed.spellings);
        all.add(&facts);
        members.push(facts);
    }
    let facts = all.finish();
    if members.len() > 1 { Facts { members, ..facts } } else { facts }
}

/// What is known of the session while its text is read.
struct Script<'a> {
    /// Empty: not known, or none.
    database: String,
    prepared: &'a dyn Fn(&str) -> Option<Facts>,
    /// Prepared by the text itself.
    local: BTreeMap<String, Facts>,
}

/// What a statement is read under.
struct Session<'t> {
    database: &'t str,
    spellings: &'t BTreeSet<String>,
}

impl Script<'_> {
    /// One statement.
    fn statement(&mut self, lexemes: &[Lexeme], spellings: &BTreeSet<String>) -> Facts {
        let mut facts = Builder::default();
        if self.dispatch(lexemes, spellings, &mut facts).is_err() {
            facts.unknown();
        }
        facts.finish()
    }

    fn dispatch(&mut self, lexemes: &[Lexeme], spellings: &BTreeSet<String>, facts: &mut Builder) -> Result {
        let first = match lexemes.first() {
            Some(Lexeme::Word { folded, .. }) => folded.as_str(),
            Some(Lexeme::Sign('(')) => "select",
            _ => return Err(NotUnderstood),
        };
        match first {
            "prepare" | "execute" | "deallocate" => return self.prepared_statement(first, lexemes, facts),
            "drop" if lexemes.get(1).is_some_and(|it| it.is("prepare")) => {
                return self.prepared_statement("deallocate", lexemes, facts);
            }
            "use" => return self.change_database(lexemes, facts),
            "explain" | "describe" | "desc" | "analyze" | "set" => {
                if let Some(inner) = self.holds_statement(first, lexemes, spellings, facts)? {
                    let inner = self.statement(inner, spellings);
                    facts.add(&inner);
                    return Ok(());
                }
            }
            _ => {}
        }
        let database = self.database.clone();
        let mut reading = Reading::new(lexemes, &Session { database: &database, spellings }, facts);
        reading.statement(first)?;
        reading.at.end()
    }
}

impl Reading<'_, '_> {
    /// A statement that begins with `first`.
    fn statement(&mut self, first: &str) -> Result {
        match first {
            "select" | "values" | "table" => {
                self.facts().verb(Verb::Select);
                self.query(Use::Output).map(|_| ())
            }
            "with" => self.with_statement(),
            "insert" | "replace" | "update" | "delete" | "load" | "handler" => {
                self.at.next();
                match first {
                    "insert" => self.insert(false),
                    "replace" => self.insert(true),
                    "update" => self.update(),
                    "delete" => self.delete(),
                    "load" if !self.comes("data") && !self.comes("xml") => self.maintenance("load"),
                    "load" => self.load(),
                    _ => self.handler(),
                }
            }
            "set" => {
                self.at.next();
                self.set()
            }
            "show" => self.show(),
            "explain" | "describe" | "desc" => self.describe(),
            "begin" | "start" | "commit" | "rollback" | "savepoint" | "release" | "xa" | "call" | "do"
            | "lock" | "unlock" => self.session_statement(first),
            "create" | "alter" | "drop" | "rename" | "truncate" => self.definition(first),
            "grant" | "revoke" => {
                self.facts().verb(Verb::Grant);
                self.rest_is_plain()
            }
            _ => {
                self.at.next();
                self.maintenance(first)
            }
        }
    }

    /// WITH before SELECT, UPDATE or DELETE.
    fn with_statement(&mut self) -> Result {
        let mut ahead = self.at.clone();
        let first = ["select", "update", "delete", "insert", "replace"];
        while let Some(lexeme) = ahead.peek() {
            if lexeme.is_sign('(') {
                ahead.parenthesised()?;
            } else if first.iter().any(|word| lexeme.is(word)) {
                break;
            } else {
                ahead.next();
            }
        }
        let changes = ahead.peek().is_some_and(|it| it.is("update") || it.is("delete"));
        if !changes {
            self.facts().verb(Verb::Select);
            return self.query(Use::Output).map(|_| ());
        }
        self.at.next();
        self.with()?;
        match self.at.one_of(&["update", "delete"]) {
            Some("update") => self.update(),
            Some(_) => self.delete(),
            None => Err(NotUnderstood),
        }
    }

    /// What is left holds no query and no statement of another kind: names, literals, words.
    fn rest_is_plain(&mut self) -> Result {
        let plain =
            self.at.rest().iter().all(|it| !matches!(it, Lexeme::Sign(';' | '{' | '}') | Lexeme::Parameter));
        self.at = Cursor::new(&[]);
        if plain { Ok(()) } else { Err(NotUnderstood) }
    }
}

/// Can it be read on any stack, in bounded time?
fn bounded(lexemes: &[Lexeme]) -> bool {
    let (mut depth, mut chain) = (0_usize, 0_usize);
    for lexeme in lexemes {
        match lexeme {
            Lexeme::Sign('(') => depth += 1,
            Lexeme::Sign(')') => depth = depth.saturating_sub(1),
            Lexeme::Sign(',' | ';') => chain = 0,
            Lexeme::Operator(_) => chain += 1,
            _ => {}
        }
        if depth > NESTING_MAX || chain > CHAIN_MAX {
            return false;
        }
    }
    true
}

/// A text within a text: what PREPARE and EXECUTE IMMEDIATE are given.
fn lexed(text: &str) -> Result<Lexed> {
    let lexed = lexer::cut(text).map_err(|_| NotUnderstood)?;
    if bounded(&lexed.lexemes) { Ok(lexed) } else { Err(NotUnderstood) }
}

#[cfg(test)]
mod tests;
