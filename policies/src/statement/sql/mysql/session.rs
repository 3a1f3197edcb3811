//! Statements about the session: transactions, prepared statements, the database in use, locks, CALL, DO; and where one
//! statement of a text ends.
use super::super::super::{Effect, TransactionVerb, Verb};
use super::super::builder::Builder;
use super::super::cursor::{Cursor, Unit as _};
use super::super::reader::{NotUnderstood, Result, absent};
use super::super::scope::{Use, is_ambiguous};
use super::lexer::Lexeme;
use super::reading::Reading;
use super::{Script, Session, lexed};
use std::collections::BTreeSet;

/// The statements of a text. The body of a stored program has its own semicolons: what follows the first of them then
/// stands as a statement that is not understood.
pub(super) fn split(lexemes: &[Lexeme]) -> impl Iterator<Item = &[Lexeme]> {
    lexemes.split(|it| it.is_sign(';')).filter(|statement| !statement.is_empty())
}

/// A prepared statement's name. One of which others may be an equal to the server's collation is refused.
fn statement_name(cursor: &mut Cursor<'_, Lexeme>) -> Result<String> {
    let name = cursor.name()?;
    if is_ambiguous(&name) { Err(NotUnderstood) } else { Ok(name) }
}

impl Script<'_> {
    /// PREPARE, EXECUTE, DEALLOCATE.
    pub(super) fn prepared_statement(
        &mut self,
        first: &str,
        lexemes: &[Lexeme],
        facts: &mut Builder,
    ) -> Result {
        let mut cursor = Cursor::new(lexemes);
        cursor.next();
        match first {
            "prepare" => {
                let name = statement_name(&mut cursor)?;
                absent(!cursor.word("from"))?;
                facts.prepares(name.clone());
                let inner = self.text(&mut cursor, facts)?;
                cursor.end()?;
                self.local.insert(name, inner);
                Ok(())
            }
            "execute" if cursor.word("immediate") => {
                self.text(&mut cursor, facts)?;
                self.using(&mut cursor, facts)
            }
            "execute" => {
                let name = statement_name(&mut cursor)?;
                facts.literals_matter();
                facts.executes(name.clone());
                self.using(&mut cursor, facts)?;
                let known = self.local.get(&name).cloned().or_else(|| (self.prepared)(&name));
                let Some(known) = known else {
                    facts.effect(Effect::DynamicSql);
                    return Err(NotUnderstood);
                };
                facts.add(&known);
                Ok(())
            }
            _ => {
                cursor.word("prepare");
                let name = statement_name(&mut cursor)?;
                self.local.remove(&name);
                facts.access(Verb::Set, "deallocate");
                cursor.end()
            }
        }
    }

    /// The statement within a literal; where it is in a variable, what it does is not known.
    fn text(&mut self, cursor: &mut Cursor<'_, Lexeme>, facts: &mut Builder) -> Result<super::Facts> {
        facts.literals_matter();
        let Some(Lexeme::Text(text)) = cursor.next() else {
            facts.effect(Effect::DynamicSql);
            return Err(NotUnderstood);
        };
        let lexed = lexed(text)?;
        let mut statements = split(&lexed.lexemes);
        let statement = statements.next().ok_or(NotUnderstood)?;
        absent(statements.next().is_some())?;
        // No statement that is prepared prepares one; and one that changes the database does so when it is run.
        absent(
            ["prepare", "execute", "deallocate", "use"]
                .iter()
                .any(|it| statement.first().is_some_and(|first| first.is(it))),
        )?;
        let inner = self.statement(statement, &lexed.spellings);
        facts.add(&inner);
        Ok(inner)
    }

    /// `USING @a, 1, f()`.
    fn using(&self, cursor: &mut Cursor<'_, Lexeme>, facts: &mut Builder) -> Result {
        if cursor.word("using") {
            let none = BTreeSet::new();
            let mut reading =
                Reading::new(cursor.rest(), &Session { database: &self.database, spellings: &none }, facts);
            reading.list(Use::Through)?;
            return reading.at.end();
        }
        cursor.end()
    }

    /// USE: what stands without a database is of this one from here on.
    pub(super) fn change_database(&mut self, lexemes: &[Lexeme], facts: &mut Builder) -> Result {
        let mut cursor = Cursor::new(lexemes);
        cursor.next();
        let name = cursor.name()?;
        cursor.end()?;
        facts.access(Verb::Set, "database");
        self.database = name;
        Ok(())
    }
}

impl Reading<'_, '_> {
    /// A statement that begins with `first`, one of those that `statement` lists.
    pub(super) fn session_statement(&mut self, first: &str) -> Result {
        self.at.next();
        match first {
            "call" => self.call(),
            "do" => {
                self.facts().verb(Verb::Select);
                self.list(Use::Through)
            }
            "lock" => self.lock(),
            "unlock" => {
                match self.at.one_of(&["tables", "table", "instance"]) {
                    Some("instance") => self.facts().verb(Verb::Admin),
                    // It gives up what the session itself has locked, and ends what ran under that.
                    Some(_) => self.facts().transaction(TransactionVerb::Commit),
                    None => return Err(NotUnderstood),
                }
                Ok(())
            }
            "xa" => self.xa(),
            // MariaDB's blocks of code.
            "begin" if self.comes("not") => Err(NotUnderstood),
            "start" if !self.at.word("transaction") => self.maintenance("start"),
            _ => self.transaction(first),
        }
    }

    fn transaction(&mut self, first: &str) -> Result {
        let verb = match first {
            "begin" | "start" => TransactionVerb::Begin,
            "commit" => TransactionVerb::Commit,
            "savepoint" => TransactionVerb::Savepoint,
            "release" => TransactionVerb::Release,
            _ => {
                self.at.word("work");
                if self.at.word("to") { TransactionVerb::RollbackTo } else { TransactionVerb::Rollback }
            }
        };
        self.facts().transaction(verb);
        // Words and a savepoint's name.
        while let Some(lexeme) = self.at.next() {
            absent(lexeme.name().is_none() && !lexeme.is_sign(','))?;
        }
        Ok(())
    }

    /// XA: a transaction of its own name, which may outlive the session.
    fn xa(&mut self) -> Result {
        let verb =
            match self.at.one_of(&["start", "begin", "end", "prepare", "commit", "rollback", "recover"]) {
                Some("start" | "begin") => TransactionVerb::Begin,
                Some("prepare") => TransactionVerb::Prepare,
                Some("commit") => TransactionVerb::CommitPrepared,
                Some("rollback") => TransactionVerb::RollbackPrepared,
                Some("end") => TransactionVerb::Savepoint,
                Some("recover") => {
                    self.facts().verb(Verb::Admin);
                    return self.rest_is_plain();
                }
                _ => return Err(NotUnderstood),
            };
        self.facts().transaction(verb);
        self.rest_is_plain()
    }

    fn call(&mut self) -> Result {
        let procedure = self.object()?;
        self.facts().touch(Verb::Call, &procedure);
        if self.comes_sign('(') { self.arguments() } else { Ok(()) }
    }

    /// LOCK TABLES.
    fn lock(&mut self) -> Result {
        if self.at.words(&["instance", "for", "backup"]) {
            self.facts().verb(Verb::Admin);
            return Ok(());
        }
        absent(self.at.one_of(&["tables", "table"]).is_none())?;
        loop {
            let object = self.object()?;
            self.facts().touch(Verb::Admin, &object);
            self.alias(false)?;
            self.at.word("low_priority");
            if self.at.word("read") {
                self.at.word("local");
            } else {
                self.expect("write")?;
                self.at.word("concurrent");
            }
            if !self.at.sign(',') {
                break;
            }
        }
        if self.at.one_of(&["nowait", "wait"]) == Some("wait") {
            self.at.next();
        }
        Ok(())
    }
}
