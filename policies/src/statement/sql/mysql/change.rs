//! INSERT, REPLACE, UPDATE, DELETE, LOAD DATA, HANDLER: what they change, where from, what they give back.
use super::super::super::{Effect, Verb};
use super::super::cursor::Unit as _;
use super::super::names;
use super::super::reader::{NotUnderstood, Result, absent};
use super::super::scope::{Frame, Origin, Source, Use, is_ambiguous};
use super::lexer::Lexeme;
use super::reading::Reading;

/// What a column that is assigned to may belong to.
type Targets = Vec<String>;

impl<'t> Reading<'t, '_> {
    /// INSERT or REPLACE, behind its word.
    pub(super) fn insert(&mut self, replaces: bool) -> Result {
        self.at.one_of(&["low_priority", "delayed", "high_priority"]);
        self.at.word("ignore");
        self.at.word("into");
        let parts = self.path()?;
        self.partitions()?;
        let (target, source) = self.table_source(&parts, None)?;
        self.facts().touch(Verb::Insert, &target);
        if replaces {
            self.facts().touch(Verb::Delete, &target);
        }
        let mut row = Frame { sources: vec![source.clone()], ..Frame::default() };
        if self.comes_sign('(') && !self.query_opens() {
            self.inserted_columns(&target)?;
        } else if !self.comes("set") {
            self.facts().write(names::any_column(&target));
        }
        match self.at.one_of(&["values", "value", "set"]) {
            Some("set") => self.framed(row.clone(), |it| it.assignments(&target, None))?,
            Some(_) => self.framed(row.clone(), Self::rows)?,
            None => {
                self.query(Use::Output)?;
                row.sources.extend(std::mem::take(&mut self.seen.sources));
            }
        }
        if self.at.word("as") {
            let name = self.name()?;
            let renamed = self.names()?;
            absent(renamed.iter().any(|it| is_ambiguous(it)))?;
            let (_, mut new) = self.table_source(&parts, Some(name))?;
            new.renamed = renamed;
            row.sources.push(new);
        }
        if self.at.words(&["on", "duplicate", "key", "update"]) {
            absent(replaces)?;
            self.facts().touch(Verb::Update, &target);
            self.framed(row, |it| it.assignments(&target, None))?;
        }
        self.returning(&target, source)
    }

    /// The list of columns in parentheses; an empty one is all.
    fn inserted_columns(&mut self, target: &str) -> Result {
        self.expect_sign('(')?;
        if self.at.sign(')') {
            self.facts().write(names::any_column(target));
            return Ok(());
        }
        loop {
            let parts = self.path()?;
            let column = parts.last().ok_or(NotUnderstood)?;
            self.writes(target, column);
            if self.at.sign(')') {
                return Ok(());
            }
            self.expect_sign(',')?;
        }
    }

    /// Rows of values.
    fn rows(&mut self) -> Result {
        loop {
            self.at.word("row");
            self.expect_sign('(')?;
            if !self.at.sign(')') {
                self.list(Use::Output)?;
                self.expect_sign(')')?;
            }
            if !self.at.sign(',') {
                return Ok(());
            }
        }
    }

    /// `column = value`, several. `target`: the one table that is changed; `verb` is noted for what each column may
    /// belong to otherwise.
    fn assignments(&mut self, target: &str, verb: Option<Verb>) -> Result {
        loop {
            let parts = self.path()?;
            let column = parts.last().ok_or(NotUnderstood)?;
            let targets = match verb {
                None => vec![target.to_owned()],
                Some(_) => self.targets_of(&parts)?,
            };
            for object in targets {
                self.writes(&object, column);
                if let Some(verb) = verb {
                    self.facts().touch(verb, &object);
                }
            }
            absent(!self.at.operator("=") && !self.at.operator(":="))?;
            self.expr(Use::Output)?;
            if !self.at.sign(',') {
                return Ok(());
            }
        }
    }

    /// The tables to which a column of these parts may belong.
    fn targets_of(&self, parts: &[String]) -> Result<Targets> {
        let sources = self.reader.frames.last().map(|frame| frame.sources.as_slice()).unwrap_or_default();
        let objects: Targets = match parts {
            [_] => sources.iter().filter_map(object_of).collect(),
            [table, _] => named(sources, None, table)?,
            [database, table, _] => named(sources, Some(database), table)?,
            _ => return Err(NotUnderstood),
        };
        if objects.is_empty() { Err(NotUnderstood) } else { Ok(objects) }
    }

    /// UPDATE, behind its word.
    pub(super) fn update(&mut self) -> Result {
        self.at.word("low_priority");
        self.at.word("ignore");
        if let Some((target, source)) = self.single_target()? {
            self.expect("set")?;
            self.facts().touch(Verb::Update, &target);
            return self.framed(Frame { sources: vec![source.clone()], ..Frame::default() }, |it| {
                it.assignments(&target, None)?;
                it.bounded_by()?;
                it.ordered()?;
                it.returning(&target, source)
            });
        }
        self.framed(Frame::default(), |it| {
            it.from()?;
            it.expect("set")?;
            it.assignments("", Some(Verb::Update))?;
            it.bounded_by()?;
            it.ordered()
        })
    }

    /// The one table before SET, where it is one; otherwise nothing is read.
    fn single_target(&mut self) -> Result<Option<(String, Source)>> {
        let before = self.at.clone();
        if self.at.peek().is_some_and(|it| it.name().is_some() || it.is_sign('.')) {
            let parts = self.path()?;
            self.partitions()?;
            let alias = self.alias(false)?;
            let cte =
                matches!(parts.as_slice(), [name] if self.reader.ctes.iter().any(|cte| cte.name == *name));
            if self.comes("set") && !cte {
                return self.table_source(&parts, alias).map(Some);
            }
        }
        self.at = before;
        Ok(None)
    }

    /// WHERE of what changes rows. One that looks at no column picks none.
    fn bounded_by(&mut self) -> Result {
        if !self.at.word("where") {
            self.facts().effect(Effect::Unbounded);
            return Ok(());
        }
        let ((), columns) = self.captured(|it| it.expr(Use::Filter))?;
        if columns.is_empty() {
            self.facts().effect(Effect::Unbounded);
        }
        Ok(())
    }

    /// ORDER BY and LIMIT of what changes rows.
    fn ordered(&mut self) -> Result {
        if self.at.words(&["order", "by"]) {
            self.order_list(Use::Filter)?;
        }
        if self.at.word("limit") { self.limit() } else { Ok(()) }
    }

    fn returning(&mut self, target: &str, source: Source) -> Result {
        if !self.at.word("returning") {
            return Ok(());
        }
        self.facts().touch(Verb::Select, target);
        self.framed(Frame { sources: vec![source], ..Frame::default() }, |it| it.items(Use::Output))
            .map(|_| ())
    }

    /// DELETE, behind its word.
    pub(super) fn delete(&mut self) -> Result {
        while self.at.one_of(&["low_priority", "quick", "ignore"]).is_some() {}
        let from = self.at.word("from");
        let first = self.path()?;
        let several = self.comes_sign(',') || self.comes_sign('.') || self.comes("using") || !from;
        if several {
            return self.delete_from_several(first, from);
        }
        self.partitions()?;
        let alias = self.alias(false)?;
        absent(matches!(first.as_slice(), [name] if self.reader.ctes.iter().any(|cte| cte.name == *name)))?;
        let (target, source) = self.table_source(&first, alias)?;
        self.facts().touch(Verb::Delete, &target);
        self.framed(Frame { sources: vec![source.clone()], ..Frame::default() }, |it| {
            it.bounded_by()?;
            it.ordered()?;
            it.returning(&target, source)
        })
    }

    /// `DELETE t1, t2.* FROM …`, `DELETE FROM t1 USING …`.
    fn delete_from_several(&mut self, first: Vec<String>, from: bool) -> Result {
        let mut targets = vec![first];
        loop {
            if self.at.sign('.') {
                absent(!self.at.operator("*"))?;
            }
            if !self.at.sign(',') {
                break;
            }
            targets.push(self.path()?);
        }
        self.expect(if from { "using" } else { "from" })?;
        self.framed(Frame::default(), |it| {
            it.from()?;
            let sources = it.reader.frames.last().map(|frame| frame.sources.clone()).unwrap_or_default();
            for parts in &targets {
                let objects = match parts.as_slice() {
                    [table] => named(&sources, None, table)?,
                    [database, table] => named(&sources, Some(database), table)?,
                    _ => return Err(NotUnderstood),
                };
                absent(objects.is_empty())?;
                for object in objects {
                    it.facts().touch(Verb::Delete, &object);
                }
            }
            it.bounded_by()?;
            it.ordered()
        })
    }

    /// LOAD DATA or LOAD XML, behind LOAD: the file is the server's, or with LOCAL the client's.
    pub(super) fn load(&mut self) -> Result {
        absent(self.at.one_of(&["data", "xml"]).is_none())?;
        self.at.one_of(&["low_priority", "concurrent"]);
        self.at.word("local");
        self.expect("infile")?;
        absent(!matches!(self.at.next(), Some(Lexeme::Text(_))))?;
        let replaces = self.at.one_of(&["replace", "ignore"]) == Some("replace");
        absent(!self.at.words(&["into", "table"]))?;
        let parts = self.path()?;
        self.partitions()?;
        let (target, source) = self.table_source(&parts, None)?;
        self.facts().effect(Effect::ReadsFile);
        self.facts().touch(Verb::Copy, &target);
        self.facts().touch(Verb::Insert, &target);
        if replaces {
            self.facts().touch(Verb::Delete, &target);
        }
        self.file_format()?;
        if self.at.words(&["rows", "identified", "by"]) {
            absent(!matches!(self.at.next(), Some(Lexeme::Text(_))))?;
        }
        if self.at.word("ignore") {
            absent(!matches!(self.at.next(), Some(Lexeme::Number(_))))?;
            absent(self.at.one_of(&["lines", "rows"]).is_none())?;
        }
        self.loaded_columns(&target)?;
        if self.at.word("set") {
            let row = Frame { sources: vec![source], ..Frame::default() };
            self.framed(row, |it| it.assignments(&target, None))?;
        }
        Ok(())
    }

    fn loaded_columns(&mut self, target: &str) -> Result {
        if !self.at.sign('(') {
            self.facts().write(names::any_column(target));
            return Ok(());
        }
        loop {
            if let Some(Lexeme::UserVariable(name)) = self.at.peek() {
                self.at.next();
                self.facts().access(Verb::Set, &format!("@{name}"));
            } else {
                let parts = self.path()?;
                self.writes(target, parts.last().ok_or(NotUnderstood)?);
            }
            if self.at.sign(')') {
                return Ok(());
            }
            self.expect_sign(',')?;
        }
    }

    /// HANDLER, behind its word: a table's rows without a query. Which table READ reads was said when its name was opened,
    /// maybe in another database.
    pub(super) fn handler(&mut self) -> Result {
        let object = self.object()?;
        self.facts().touch(Verb::Select, &object);
        match self.at.one_of(&["open", "close"]) {
            Some("open") => self.facts().whole_row(&object, &names::any_column(&object), false),
            Some(_) => {}
            None => return Err(NotUnderstood),
        }
        Ok(())
    }
}

fn object_of(source: &Source) -> Option<String> {
    match &source.origin {
        Origin::Object(object) => Some(object.clone()),
        Origin::Derived(_) => None,
    }
}

/// The objects of the sources of this name. One that is derived cannot be changed.
fn named(sources: &[Source], database: Option<&String>, table: &str) -> Result<Targets> {
    sources
        .iter()
        .filter(|it| it.answers_to(database.map(String::as_str), table))
        .map(|it| object_of(it).ok_or(NotUnderstood))
        .collect()
}
