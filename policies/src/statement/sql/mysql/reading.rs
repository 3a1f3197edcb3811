//! The state of reading one MySQL statement: where one is in its lexemes, and the reader that resolves names and gathers
//! facts. The text is read as the server's grammar has it (`sql_yacc.yy`), and straight into facts: FROM before what it
//! is selected for. What has no place in the grammar as it is read here is not understood.
use super::super::super::Verb;
use super::super::builder::Builder;
use super::super::cursor::{Cursor, Unit as _};
use super::super::names;
use super::super::reader::{NotUnderstood, Reader, Result, absent};
use super::super::scope::{Columns, Frame, Origin, Outputs, Source, Use, is_ambiguous};
use super::lexer::Lexeme;
use super::{Session, words};
use std::collections::BTreeSet;

/// Bytes of a name at most: those that manifests can tell apart.
const NAME_BYTES_MAX: usize = 63;

/// Reads one statement.
pub(super) struct Reading<'t, 'f> {
    pub(super) at: Cursor<'t, Lexeme>,
    pub(super) reader: Reader<'f>,
    /// The session's database; empty: not known, or none.
    pub(super) database: &'t str,
    /// Names that the text writes in several cases.
    pub(super) spellings: &'t BTreeSet<String>,
    /// What the query that was read last has in FROM: ON DUPLICATE KEY UPDATE sees it.
    pub(super) seen: Frame,
}

impl<'t, 'f> Reading<'t, 'f> {
    /// Facts go to `facts`.
    pub(super) fn new(lexemes: &'t [Lexeme], session: &Session<'t>, facts: &'f mut Builder) -> Self {
        let Session { database, spellings, .. } = *session;
        let reader = Reader::new(facts);
        Self { at: Cursor::new(lexemes), reader, database, spellings, seen: Frame::default() }
    }

    pub(super) fn facts(&mut self) -> &mut Builder {
        self.reader.facts
    }

    /// Within a frame of its own.
    pub(super) fn framed<T>(&mut self, frame: Frame, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.reader.frames.push(frame);
        let done = read(self);
        self.reader.frames.pop();
        done
    }

    /// One level deeper, within bounds.
    pub(super) fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.reader.descend()?;
        let done = read(self);
        self.reader.ascend();
        done
    }

    /// Reads, and tells which columns were read meanwhile.
    pub(super) fn captured<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, Columns)> {
        self.reader.capture();
        let done = read(self);
        let columns = self.reader.release();
        done.map(|value| (value, columns))
    }

    /// Reads other lexemes, all of them, and comes back.
    pub(super) fn within<T>(
        &mut self,
        lexemes: &'t [Lexeme],
        read: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let here = std::mem::replace(&mut self.at, Cursor::new(lexemes));
        let done = read(self).and_then(|value| self.at.end().map(|()| value));
        self.at = here;
        done
    }

    pub(super) fn comes(&self, word: &str) -> bool {
        self.at.peek().is_some_and(|it| it.is(word))
    }

    pub(super) fn comes_sign(&self, sign: char) -> bool {
        matches!(self.at.peek(), Some(Lexeme::Sign(own)) if *own == sign)
    }

    pub(super) fn word_ahead(&self, ahead: usize) -> &'t str {
        match self.at.rest().get(ahead) {
            Some(Lexeme::Word { folded, .. }) => folded,
            _ => "",
        }
    }

    /// Needs this word.
    pub(super) fn expect(&mut self, word: &str) -> Result {
        absent(!self.at.word(word))
    }

    /// Needs this sign.
    pub(super) fn expect_sign(&mut self, sign: char) -> Result {
        absent(!self.at.sign(sign))
    }

    /// A name of one part, which without quotes is no reserved word.
    pub(super) fn name(&mut self) -> Result<String> {
        if let Some(Lexeme::Word { folded, .. }) = self.at.peek() {
            absent(words::is_reserved(folded))?;
        }
        self.at.name()
    }

    /// A name's parts: `name`, `database.name`, `.name`.
    pub(super) fn path(&mut self) -> Result<Vec<String>> {
        self.at.sign('.');
        let mut parts = vec![self.name()?];
        while self.comes_sign('.')
            && self.at.rest().get(1).is_some_and(|it| !matches!(it, Lexeme::Operator(_)))
        {
            self.at.next();
            parts.push(self.name()?);
        }
        Ok(parts)
    }

    /// `database.name`; the bare name where no database is known.
    pub(super) fn qualified(&self, parts: &[String]) -> Result<String> {
        absent(parts.iter().any(|part| part.len() > NAME_BYTES_MAX))?;
        match parts {
            [name] if self.database.is_empty() => Ok(names::part(name)),
            [name] => Ok(format!("{}.{}", names::part(self.database), names::part(name))),
            [database, name] => Ok(format!("{}.{}", names::part(database), names::part(name))),
            _ => Err(NotUnderstood),
        }
    }

    /// An object's name, as facts write it.
    pub(super) fn object(&mut self) -> Result<String> {
        let parts = self.path()?;
        self.qualified(&parts)
    }

    /// Objects between commas, each with this verb.
    pub(super) fn objects(&mut self, verb: Verb) -> Result {
        loop {
            let object = self.object()?;
            self.facts().touch(verb, &object);
            if !self.at.sign(',') {
                return Ok(());
            }
        }
    }

    /// Names in parentheses; none where there are no parentheses.
    pub(super) fn names(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        if !self.at.sign('(') {
            return Ok(names);
        }
        if self.at.sign(')') {
            return Ok(names);
        }
        loop {
            names.push(self.name()?);
            if self.at.sign(')') {
                return Ok(names);
            }
            self.expect_sign(',')?;
        }
    }

    /// A reference to a column. `how` tells what becomes of its value.
    pub(super) fn column(&mut self, parts: &[String], how: Use) -> Result {
        absent(parts.iter().any(|part| part.len() > NAME_BYTES_MAX))?;
        self.reader.mysql_column(parts, how)
    }

    /// A column that is written.
    pub(super) fn writes(&mut self, object: &str, column: &str) {
        let any = is_ambiguous(column);
        let column = if any { names::any_column(object) } else { names::column(object, column) };
        self.facts().write(column);
    }

    /// A source of this origin in the innermost frame.
    pub(super) fn source(
        &mut self,
        name: String,
        schema: Option<String>,
        origin: Origin,
        renamed: Vec<String>,
    ) {
        if let Some(frame) = self.reader.frames.last_mut() {
            frame.sources.push(Source { name, schema, origin, renamed });
        }
    }

    /// A table by these parts as a source, under this alias where it has one.
    pub(super) fn table_source(&self, parts: &[String], alias: Option<String>) -> Result<(String, Source)> {
        let object = self.qualified(parts)?;
        let own = parts.last().cloned().ok_or(NotUnderstood)?;
        let database = match parts {
            [database, _] => Some(database.clone()),
            _ => (!self.database.is_empty()).then(|| self.database.to_owned()),
        };
        let name = alias.unwrap_or(own);
        let source =
            Source { name, schema: database, origin: Origin::Object(object.clone()), renamed: vec![] };
        Ok((object, source))
    }

    /// Outputs of a derived table under this name.
    pub(super) fn derived(&mut self, name: String, outputs: Outputs, renamed: Vec<String>) {
        self.facts().derived_name(&name);
        let certain = !renamed.iter().any(|it| is_ambiguous(it));
        let outputs = if certain { outputs.certain() } else { outputs.nameless() };
        self.source(name, None, Origin::Derived(outputs), renamed);
    }

    /// `[AS] alias`, where one comes. A string may be one where `text` says so.
    pub(super) fn alias(&mut self, text: bool) -> Result<Option<String>> {
        let told = self.at.word("as");
        match self.at.peek() {
            Some(Lexeme::Text(alias)) if text => {
                self.at.next();
                // What other parts of the statement mean by this name depends on it.
                self.facts().literals_matter();
                Ok(Some(alias.to_lowercase()))
            }
            Some(Lexeme::Quoted(alias)) => {
                self.at.next();
                Ok(Some(alias.clone()))
            }
            Some(Lexeme::Word { folded, .. }) if told => {
                absent(words::is_reserved(folded))?;
                self.at.next();
                Ok(Some(folded.clone()))
            }
            Some(Lexeme::Word { folded, .. }) if words::may_be_alias(folded) => {
                self.at.next();
                Ok(Some(folded.clone()))
            }
            _ if told => Err(NotUnderstood),
            _ => Ok(None),
        }
    }
}
