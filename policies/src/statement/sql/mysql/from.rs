//! FROM: tables, joins, derived tables, JSON_TABLE.
use super::super::super::Verb;
use super::super::cursor::Unit as _;
use super::super::reader::{NotUnderstood, Result, absent};
use super::super::scope::{Origin, Outputs, Source, Use};
use super::lexer::Lexeme;
use super::reading::Reading;

impl Reading<'_, '_> {
    /// Elements between commas: they come into the innermost frame one after the other.
    pub(super) fn from(&mut self) -> Result {
        loop {
            self.joined()?;
            if !self.at.sign(',') {
                return Ok(());
            }
        }
    }

    fn joined(&mut self) -> Result {
        self.deeper(|it| {
            it.factor()?;
            loop {
                if it.at.word("natural") {
                    absent(!it.join_words())?;
                    it.factor()?;
                    it.natural()?;
                } else if it.at.word("straight_join") || it.join_words() {
                    it.factor()?;
                } else if it.word_ahead(1) != "duplicate" && it.at.word("on") {
                    it.expr(Use::Filter)?;
                } else if it.at.word("using") {
                    it.using()?;
                } else {
                    return Ok(());
                }
            }
        })
    }

    /// `[INNER | CROSS | LEFT [OUTER] | RIGHT [OUTER]] JOIN`, if it comes.
    fn join_words(&mut self) -> bool {
        let before = self.at.clone();
        let sided = self.at.one_of(&["left", "right", "full"]).is_some();
        if sided {
            self.at.word("outer");
        } else {
            self.at.one_of(&["inner", "cross"]);
        }
        let joins = self.at.word("join");
        if !joins {
            self.at = before;
        }
        joins
    }

    fn natural(&mut self) -> Result {
        let sources = self.reader.frames.last().map(|frame| frame.sources.clone()).unwrap_or_default();
        self.reader.star(&sources, Use::Filter)?;
        if let Some(frame) = self.reader.frames.last_mut() {
            frame.natural = true;
        }
        Ok(())
    }

    fn using(&mut self) -> Result {
        for name in self.names()? {
            if let Some(frame) = self.reader.frames.last_mut() {
                frame.merged.push(name.clone());
            }
            self.column(&[name], Use::Filter)?;
        }
        Ok(())
    }

    fn factor(&mut self) -> Result {
        if self.comes_sign('(') {
            if self.query_opens() {
                return self.derived_table(false);
            }
            self.at.next();
            self.from()?;
            return self.expect_sign(')');
        }
        if self.comes("lateral") && matches!(self.at.rest().get(1), Some(Lexeme::Sign('('))) {
            self.at.next();
            return self.derived_table(true);
        }
        if self.comes("json_table") && matches!(self.at.rest().get(1), Some(Lexeme::Sign('('))) {
            return self.json_table();
        }
        if self.at.word("dual") {
            return Ok(());
        }
        self.table()
    }

    fn table(&mut self) -> Result {
        let parts = self.path()?;
        self.partitions()?;
        self.system_time()?;
        let alias = self.alias(false)?;
        self.index_hints()?;
        let source = self.relation(&parts, alias)?;
        if let Some(frame) = self.reader.frames.last_mut() {
            frame.sources.push(source);
        }
        Ok(())
    }

    /// A table, view or WITH query of this name, read.
    pub(super) fn relation(&mut self, parts: &[String], alias: Option<String>) -> Result<Source> {
        let cte = match parts {
            [name] => self.reader.ctes.iter().rev().find(|cte| cte.name == *name),
            _ => None,
        };
        if let (Some(cte), [own]) = (cte, parts) {
            let outputs = cte.outputs.clone();
            self.reader.spend(outputs.size())?;
            let name = alias.unwrap_or_else(|| own.clone());
            self.facts().derived_name(&name);
            return Ok(Source { name, schema: None, origin: Origin::Derived(outputs), renamed: vec![] });
        }
        let (object, source) = self.table_source(parts, alias)?;
        self.facts().touch(Verb::Select, &object);
        Ok(source)
    }

    /// `PARTITION (p0, p1)`.
    pub(super) fn partitions(&mut self) -> Result {
        if self.comes("partition") {
            self.at.next();
            absent(self.names()?.is_empty())?;
        }
        Ok(())
    }

    /// Rows as they were: FOR SYSTEM_TIME.
    fn system_time(&mut self) -> Result {
        if !self.at.words(&["for", "system_time"]) {
            return Ok(());
        }
        if self.at.word("all") {
            return Ok(());
        }
        let end = match self.at.one_of(&["as", "between", "from"]) {
            Some("as") => {
                self.expect("of")?;
                ""
            }
            Some("between") => "and",
            Some("from") => "to",
            _ => return Err(NotUnderstood),
        };
        self.time()?;
        if !end.is_empty() {
            self.expect(end)?;
            self.time()?;
        }
        Ok(())
    }

    fn time(&mut self) -> Result {
        if matches!(self.at.rest().get(1), Some(Lexeme::Text(_))) {
            self.at.one_of(&["timestamp"]);
        } else {
            self.at.one_of(&["timestamp", "transaction"]);
        }
        self.bits(Use::Through)
    }

    pub(super) fn index_hints(&mut self) -> Result {
        while let Some(first) = self.at.peek() {
            let hint = ["use", "force", "ignore"].iter().any(|word| first.is(word))
                && ["index", "key"].contains(&self.word_ahead(1));
            if !hint {
                return Ok(());
            }
            self.at.next();
            self.at.next();
            if self.at.word("for") && !self.at.word("join") {
                absent(self.at.one_of(&["order", "group"]).is_none())?;
                self.expect("by")?;
            }
            let inner = self.at.parenthesised()?;
            let plain = |it: &Lexeme| it.name().is_some() || it.is_sign(',');
            absent(!inner.iter().all(plain))?;
            self.at.sign(',');
        }
        Ok(())
    }

    /// A query in parentheses; LATERAL: it sees what stands before it.
    fn derived_table(&mut self, lateral: bool) -> Result {
        let inner = self.at.parenthesised()?;
        let neighbours = if lateral { None } else { self.reader.frames.pop() };
        let outputs = self.within(inner, |it| it.query(Use::Output));
        self.reader.frames.extend(neighbours);
        let outputs = outputs?;
        let name = self.alias(false)?.unwrap_or_default();
        let renamed = self.names()?;
        self.derived(name, outputs, renamed);
        Ok(())
    }

    fn json_table(&mut self) -> Result {
        self.at.next();
        self.facts().function("json_table".to_owned());
        let inner = self.at.parenthesised()?;
        let ((), columns) = self.captured(|it| {
            it.within(inner, |it| {
                it.expr(Use::Through)?;
                it.expect_sign(',')?;
                it.expr(Use::Through)?;
                it.expect("columns")?;
                it.json_columns()
            })
        })?;
        let name = self.alias(false)?.ok_or(NotUnderstood)?;
        self.derived(name, Outputs::of(columns), vec![]);
        Ok(())
    }

    /// Definitions of columns: names, types, paths and defaults, nothing that is run.
    fn json_columns(&mut self) -> Result {
        let inner = self.at.parenthesised()?;
        let plain = inner.iter().all(|it| match it {
            Lexeme::Word { folded, .. } => folded != "select",
            Lexeme::Quoted(_) | Lexeme::Text(_) | Lexeme::Number(_) => true,
            Lexeme::Sign(sign) => matches!(sign, '(' | ')' | ','),
            Lexeme::Operator(sign) => *sign == "-",
            _ => false,
        });
        absent(!plain)
    }
}
