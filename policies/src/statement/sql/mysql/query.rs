//! SELECT, VALUES, TABLE, WITH, UNION and the like: what they read, what they give out, where it goes.
use super::super::super::{Effect, Verb};
use super::super::cursor::{Cursor, Unit as _};
use super::super::reader::{Cte, NotUnderstood, OUTPUTS_MAX, Result, absent};
use super::super::scope::{Frame, Origin, Outputs, Source, Use, is_ambiguous};
use super::lexer::Lexeme;
use super::reading::Reading;

/// The source that stands for a query's own aliases. No text can hold this name.
const ALIASES: &str = "\0aliases";
const SET_OPERATIONS: [&str; 4] = ["union", "except", "intersect", "minus"];

/// Does a query stand in the parenthesis that opens here, in however many more?
pub(super) fn opens(lexemes: &[Lexeme]) -> bool {
    let mut rest = lexemes;
    loop {
        let [Lexeme::Sign('('), inner @ ..] = rest else { return false };
        match inner.first() {
            Some(Lexeme::Word { folded, .. }) => {
                return matches!(folded.as_str(), "select" | "with" | "table")
                    // Elsewhere it is a function, as in ON DUPLICATE KEY UPDATE.
                    || folded == "values" && !matches!(behind_values(inner), Some(Lexeme::Quoted(_) | Lexeme::Word { .. }));
            }
            Some(Lexeme::Sign('(')) => {
                let mut behind = Cursor::new(inner);
                if behind.parenthesised().is_err() {
                    return false;
                }
                let set = ["union", "except", "intersect", "minus", "order", "limit", "for", "lock"];
                let goes_on = set.iter().any(|word| behind.peek().is_some_and(|it| it.is(word)));
                if !goes_on && !behind.peek().is_none_or(|it| it.is_sign(')')) {
                    return false;
                }
                rest = inner;
            }
            _ => return false,
        }
    }
}

/// FROM FIRST OVER, FROM LAST RESPECT NULLS: behind a window function's call.
pub(super) fn counts_from(lexemes: &[Lexeme]) -> bool {
    let [from, first, behind, ..] = lexemes else { return false };
    from.is("from")
        && (first.is("first") || first.is("last"))
        && ["over", "respect", "ignore"].iter().any(|word| behind.is(word))
}

/// What stands in the first parenthesis behind VALUES.
fn behind_values(lexemes: &[Lexeme]) -> Option<&Lexeme> {
    match lexemes {
        [_, Lexeme::Sign('('), first, Lexeme::Sign(')' | '.'), ..] => Some(first),
        _ => None,
    }
}

impl<'t> Reading<'t, '_> {
    /// A query at any place. `how` tells what becomes of its rows.
    pub(super) fn query(&mut self, how: Use) -> Result<Outputs> {
        self.deeper(|it| {
            let ctes = it.reader.ctes.len();
            let outputs = it.query_with(how);
            it.reader.ctes.truncate(ctes);
            outputs
        })
    }

    fn query_with(&mut self, how: Use) -> Result<Outputs> {
        if self.at.word("with") {
            self.with()?;
        }
        let plain = self.comes("select");
        let mut outputs = self.operand_query(how, true)?;
        let mut several = false;
        while self.at.one_of(&SET_OPERATIONS).is_some() {
            several = true;
            self.at.one_of(&["all", "distinct"]);
            let other = self.operand_query(how, false)?;
            self.reader.spend(other.size())?;
            outputs.union(&other);
        }
        if several || !plain {
            let source = Source {
                name: String::new(),
                schema: None,
                origin: Origin::Derived(outputs.clone()),
                renamed: vec![],
            };
            self.framed(Frame { sources: vec![source], ..Frame::default() }, |it| it.tail(&outputs))?;
        }
        Ok(outputs)
    }

    fn operand_query(&mut self, how: Use, first: bool) -> Result<Outputs> {
        self.deeper(|it| match it.at.peek() {
            Some(Lexeme::Sign('(')) => {
                let inner = it.at.parenthesised()?;
                it.within(inner, |it| it.query(how))
            }
            Some(lexeme) if lexeme.is("select") => {
                it.at.next();
                it.select(how, first)
            }
            Some(lexeme) if lexeme.is("values") => {
                it.at.next();
                it.values(how)
            }
            Some(lexeme) if lexeme.is("table") => {
                it.at.next();
                let parts = it.path()?;
                let source = it.relation(&parts, None)?;
                it.reader.star(&[source], how)
            }
            _ => Err(NotUnderstood),
        })
    }

    /// `VALUES (1, 2), ROW(3, 4)` as a query.
    fn values(&mut self, how: Use) -> Result<Outputs> {
        let ((), columns) = self.captured(|it| {
            loop {
                it.at.word("row");
                it.expect_sign('(')?;
                it.list(how)?;
                it.expect_sign(')')?;
                if !it.at.sign(',') {
                    return Ok(());
                }
            }
        })?;
        Ok(Outputs::of(columns))
    }

    /// WITH: each query sees those before it; under RECURSIVE itself too.
    pub(super) fn with(&mut self) -> Result {
        let recursive = self.at.word("recursive");
        loop {
            let name = self.name()?;
            // Servers differ in whether case tells such names apart.
            absent(self.spellings.contains(&name))?;
            let renamed = self.names()?;
            self.expect("as")?;
            let inner = self.at.parenthesised()?;
            self.facts().derived_name(&name);
            if recursive {
                // MariaDB lets one see those behind it too.
                absent(self.names_later(&name, inner))?;
                let opaque = Outputs { opaque: true, ..Outputs::default() };
                self.reader.ctes.push(Cte { name: name.clone(), outputs: opaque });
            }
            let mut outputs = self.within(inner, |it| it.query(Use::Output))?;
            if !renamed.is_empty() {
                outputs = outputs.nameless();
            }
            outputs = outputs.certain();
            if recursive {
                self.reader.ctes.pop();
            }
            self.reader.ctes.push(Cte { name, outputs });
            if self.at.word("cycle") {
                self.list(Use::Filter)?;
                self.expect("restrict")?;
                // Queries behind it have not been looked for in this one.
                absent(recursive && self.comes_sign(','))?;
            }
            if !self.at.sign(',') {
                return Ok(());
            }
        }
    }

    /// Does a WITH query name another one that is defined behind it?
    fn names_later(&self, own: &str, inner: &[Lexeme]) -> bool {
        let mut behind = self.at.clone();
        while behind.sign(',') {
            let Ok(name) = behind.name() else { return true };
            let named = |it: &Lexeme| it.name() == Some(name.as_str());
            if name != own && inner.iter().any(named) {
                return true;
            }
            if behind.peek().is_some_and(|it| it.is_sign('(')) && behind.parenthesised().is_err() {
                return true;
            }
            if !behind.word("as") || behind.parenthesised().is_err() {
                return true;
            }
        }
        false
    }

    /// SELECT, behind its word. `tail`: ORDER BY and what follows is its own.
    fn select(&mut self, how: Use, tail: bool) -> Result<Outputs> {
        let options = [
            "all",
            "distinct",
            "distinctrow",
            "high_priority",
            "straight_join",
            "sql_small_result",
            "sql_big_result",
            "sql_buffer_result",
            "sql_no_cache",
            "sql_cache",
            "sql_calc_found_rows",
        ];
        while self.at.one_of(&options).is_some() {}
        self.framed(Frame::default(), |it| {
            let outputs = it.items_and_from(how)?;
            it.clauses()?;
            if tail && !SET_OPERATIONS.contains(&it.word_ahead(0)) {
                it.tail(&outputs)?;
            }
            it.seen = it.reader.frames.last().cloned().unwrap_or_default();
            Ok(outputs)
        })
    }

    /// FROM first, then what is selected.
    fn items_and_from(&mut self, how: Use) -> Result<Outputs> {
        let items = self.at.clone();
        let Some(from) = self.place_of_from() else {
            let outputs = self.items(how)?;
            self.into(&outputs)?;
            return Ok(outputs);
        };
        let rest = items.rest().get(from..).ok_or(NotUnderstood)?;
        self.at = Cursor::new(rest);
        self.expect("from")?;
        self.from()?;
        let behind = std::mem::replace(&mut self.at, items);
        let outputs = self.items(how)?;
        self.into(&outputs)?;
        absent(self.at.rest().len() != rest.len())?;
        self.at = behind;
        Ok(outputs)
    }

    /// Where this query's FROM is.
    fn place_of_from(&self) -> Option<usize> {
        let mut depth = 0_usize;
        for (index, lexeme) in self.at.rest().iter().enumerate() {
            match lexeme {
                Lexeme::Sign('(') => depth += 1,
                Lexeme::Sign(')') => depth = depth.checked_sub(1)?,
                Lexeme::Word { folded, .. } if depth == 0 => match folded.as_str() {
                    "from" if !counts_from(self.at.rest().get(index..).unwrap_or_default()) => {
                        return Some(index);
                    }
                    word if SET_OPERATIONS.contains(&word) => return None,
                    _ => {}
                },
                _ => {}
            }
        }
        None
    }

    /// What is selected, or given back by RETURNING.
    pub(super) fn items(&mut self, how: Use) -> Result<Outputs> {
        let mut outputs = Outputs::default();
        let aliases = self.reader.frames.last().map_or(0, |frame| frame.sources.len());
        self.source(ALIASES.to_owned(), None, Origin::Derived(Outputs::default()), vec![]);
        loop {
            if self.at.operator("*") {
                let sources =
                    self.reader.frames.last().map(|frame| frame.sources.clone()).unwrap_or_default();
                let sources: Vec<Source> = sources.into_iter().filter(|it| it.name != ALIASES).collect();
                outputs.extend(&self.reader.star(&sources, how)?);
            } else if let Some(parts) = self.qualified_star()? {
                outputs.extend(&self.reader.mysql_star(&parts, how)?);
            } else {
                let item = self.item(how, aliases)?;
                outputs.columns.push(item);
            }
            absent(outputs.columns.len() > OUTPUTS_MAX)?;
            if !self.at.sign(',') {
                return Ok(outputs);
            }
        }
    }

    fn item(
        &mut self,
        how: Use,
        aliases: usize,
    ) -> Result<(Option<String>, std::collections::BTreeSet<String>)> {
        let own = output_name(self.at.rest()).map(str::to_owned);
        let ((), columns) = self.captured(|it| it.expr(how))?;
        let Some(alias) = self.alias(true)? else { return Ok((own, columns)) };
        // Later items, GROUP BY and HAVING may mean this or a column.
        if let Some(frame) = self.reader.frames.last_mut() {
            if let Some(Source { origin: Origin::Derived(known), .. }) = frame.sources.get_mut(aliases) {
                let certain = (!is_ambiguous(&alias)).then(|| alias.clone());
                known.columns.push((certain, columns.clone()));
            }
            frame.merged.push(alias.clone());
        }
        Ok((Some(alias), columns))
    }

    /// `t.*`, `database.t.*`.
    fn qualified_star(&mut self) -> Result<Option<Vec<String>>> {
        let lexemes = self.at.rest();
        let length = match lexemes {
            [_, Lexeme::Sign('.'), Lexeme::Operator("*"), ..] => 1,
            [_, Lexeme::Sign('.'), _, Lexeme::Sign('.'), Lexeme::Operator("*"), ..] => 2,
            _ => return Ok(None),
        };
        let mut parts = vec![self.name()?];
        if length == 2 {
            self.expect_sign('.')?;
            parts.push(self.name()?);
        }
        self.expect_sign('.')?;
        self.at.operator("*");
        Ok(Some(parts))
    }

    /// WHERE, GROUP BY, HAVING, WINDOW.
    fn clauses(&mut self) -> Result {
        if self.at.word("where") {
            self.expr(Use::Filter)?;
        }
        if self.at.words(&["group", "by"]) {
            self.order_list(Use::Filter)?;
            if self.at.word("with") {
                self.expect("rollup")?;
            }
        }
        if self.at.word("having") {
            self.expr(Use::Filter)?;
        }
        if self.at.word("window") {
            loop {
                self.name()?;
                self.expect("as")?;
                self.window()?;
                if !self.at.sign(',') {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Expressions to order or group by.
    pub(super) fn order_list(&mut self, how: Use) -> Result {
        loop {
            self.expr(how)?;
            self.at.one_of(&["asc", "desc"]);
            if !self.at.sign(',') {
                return Ok(());
            }
        }
    }

    /// ORDER BY, LIMIT, INTO, locks: what may end a query.
    pub(super) fn tail(&mut self, outputs: &Outputs) -> Result {
        if self.at.words(&["order", "by"]) {
            loop {
                // A bare alias is what it stands for, read already.
                let alias = match self.at.rest() {
                    [first, behind @ ..] => {
                        first.name().is_some_and(|name| outputs.has(name) && !name.ends_with(' '))
                            && ends_order(behind.first())
                    }
                    [] => false,
                };
                if alias {
                    self.at.next();
                } else {
                    self.expr(Use::Filter)?;
                }
                self.at.one_of(&["asc", "desc"]);
                if !self.at.sign(',') {
                    break;
                }
            }
        }
        if self.at.word("limit") {
            self.limit()?;
        }
        if self.at.word("offset") {
            self.bits(Use::Through)?;
            absent(self.at.one_of(&["row", "rows"]).is_none())?;
        }
        if self.at.word("fetch") {
            self.fetch()?;
        }
        if self.at.words(&["procedure", "analyse"]) {
            // It tells the least and the greatest value of every column.
            self.arguments()?;
            let all = outputs.all();
            self.reader.computed(&all);
        }
        self.into(outputs)?;
        self.locks()?;
        self.into(outputs)
    }

    fn fetch(&mut self) -> Result {
        absent(self.at.one_of(&["first", "next"]).is_none())?;
        if self.at.one_of(&["row", "rows"]).is_none() {
            self.bits(Use::Through)?;
            absent(self.at.one_of(&["row", "rows"]).is_none())?;
        }
        absent(!self.at.word("only") && !self.at.words(&["with", "ties"]))
    }

    /// Behind LIMIT.
    pub(super) fn limit(&mut self) -> Result {
        if !self.comes("rows") {
            self.bits(Use::Through)?;
            if self.at.sign(',') || self.at.word("offset") {
                self.bits(Use::Through)?;
            }
        }
        if self.at.words(&["rows", "examined"]) { self.bits(Use::Through) } else { Ok(()) }
    }

    /// FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE. They name what stands in FROM.
    fn locks(&mut self) -> Result {
        loop {
            if self.at.words(&["lock", "in", "share", "mode"]) {
            } else if self.at.word("for") {
                absent(self.at.one_of(&["update", "share"]).is_none())?;
                if self.at.word("of") {
                    loop {
                        self.path()?;
                        if !self.at.sign(',') {
                            break;
                        }
                    }
                }
            } else {
                return Ok(());
            }
            if self.at.word("wait") {
                absent(!matches!(self.at.next(), Some(Lexeme::Number(_))))?;
            } else if !self.at.words(&["skip", "locked"]) {
                self.at.word("nowait");
            }
        }
    }

    /// INTO a file of the server, or variables.
    fn into(&mut self, outputs: &Outputs) -> Result {
        if !self.at.word("into") {
            return Ok(());
        }
        if self.at.one_of(&["outfile", "dumpfile"]).is_some() {
            absent(!matches!(self.at.next(), Some(Lexeme::Text(_))))?;
            self.facts().effect(Effect::WritesFile);
            return self.file_format();
        }
        let all = outputs.all();
        self.reader.computed(&all);
        loop {
            let Some(Lexeme::UserVariable(name)) = self.at.next() else { return Err(NotUnderstood) };
            self.facts().access(Verb::Set, &format!("@{name}"));
            if !self.at.sign(',') {
                return Ok(());
            }
        }
    }

    /// How a file is written or read: CHARACTER SET, FIELDS, LINES.
    pub(super) fn file_format(&mut self) -> Result {
        if self.at.words(&["character", "set"]) || self.at.word("charset") {
            self.word_or_text()?;
        }
        for clause in [&["fields", "columns"][..], &["lines"]] {
            if self.at.one_of(clause).is_none() {
                continue;
            }
            let mut any = false;
            loop {
                self.at.word("optionally");
                if self.at.one_of(&["terminated", "enclosed", "escaped", "starting"]).is_none() {
                    break;
                }
                self.expect("by")?;
                absent(!matches!(self.at.next(), Some(Lexeme::Text(_) | Lexeme::Bits)))?;
                any = true;
            }
            absent(!any)?;
        }
        Ok(())
    }
}

/// Does an element of ORDER BY end here?
fn ends_order(behind: Option<&Lexeme>) -> bool {
    match behind {
        None => true,
        Some(Lexeme::Sign(sign)) => matches!(sign, ',' | ')'),
        Some(Lexeme::Word { folded, .. }) => {
            ["asc", "desc", "limit", "into", "for", "lock", "procedure", "offset", "fetch"]
                .contains(&folded.as_str())
        }
        _ => false,
    }
}

/// The name of an item that is a column and has no alias.
fn output_name(lexemes: &[Lexeme]) -> Option<&str> {
    let ends = |it: Option<&Lexeme>| {
        it.is_none_or(|it| {
            it.is_sign(',') || it.is_sign(')') || it.is("from") || it.is("into") || it.is("where")
        })
    };
    let mut at = 0;
    while lexemes.get(at + 1).is_some_and(|it| it.is_sign('.')) {
        at += 2;
    }
    lexemes.get(at).and_then(|it| it.name()).filter(|_| ends(lexemes.get(at + 1)))
}
