//! Forms of PostgreSQL's queries that the parser lacks, turned into others with the same facts: whatever an expression,
//! a function or a table stands in stays; noise words go. A form that cannot be turned is not understood.
mod frames;
mod targets;
mod xml;

use super::builder::Builder;
use super::keywords::{self, Class};
use super::lexer::Lexeme;
use super::reader::{NotUnderstood, Result};

/// A function that only groups what it is given: GROUPING SETS. No text can hold this name.
pub(super) const GROUPS: &str = "\0groups";
/// A function whose arguments are computed with, and no more: ROWS FROM, XML forms.
pub(super) const COMPUTES: &str = "\0computes";
/// An alias, or a column in ON CONFLICT, that the text does not have.
pub(super) const NAMELESS: &str = "\0";

/// One query's lexemes, rewritten.
pub(super) fn rewrite(lexemes: &[Lexeme], facts: &mut Builder) -> Result<Vec<Lexeme>> {
    let mut forms =
        Forms { lexemes, at: 0, out: Vec::with_capacity(lexemes.len() + 16), facts, depth: 0, sets: vec![] };
    forms.merge_source()?;
    while forms.at < lexemes.len() {
        forms.one()?;
    }
    Ok(forms.out)
}

struct Forms<'a> {
    lexemes: &'a [Lexeme],
    at: usize,
    out: Vec<Lexeme>,
    facts: &'a mut Builder,
    depth: usize,
    /// Depths at which a SET list is open.
    sets: Vec<usize>,
}

fn word(text: &str) -> Lexeme {
    Lexeme::Word(text.to_owned())
}

fn name(text: &str) -> Lexeme {
    Lexeme::Quoted(text.to_owned())
}

fn operator(text: &str) -> Lexeme {
    Lexeme::Operator(text.to_owned())
}

const OPEN: Lexeme = Lexeme::Sign('(');
const CLOSE: Lexeme = Lexeme::Sign(')');
const COMMA: Lexeme = Lexeme::Sign(',');

/// The index of the bracket that closes the one at `from`.
fn closing(lexemes: &[Lexeme], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, lexeme) in lexemes.iter().enumerate().skip(from) {
        match lexeme {
            Lexeme::Sign('(' | '[') => depth += 1,
            Lexeme::Sign(')' | ']') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// Cuts at a sign outside of brackets.
fn split_at(lexemes: &[Lexeme], sign: char) -> Vec<&[Lexeme]> {
    let mut depth = 0_usize;
    lexemes
        .split(|lexeme| {
            match lexeme {
                Lexeme::Sign('(' | '[') => depth += 1,
                Lexeme::Sign(')' | ']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && lexeme.is_sign(sign)
        })
        .collect()
}

impl<'a> Forms<'a> {
    fn peek(&self, ahead: usize) -> Option<&'a Lexeme> {
        self.lexemes.get(self.at + ahead)
    }

    fn is(&self, ahead: usize, word: &str) -> bool {
        self.peek(ahead).is_some_and(|it| it.is(word))
    }

    fn opens(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|it| it.is_sign('('))
    }

    fn before(&self) -> Option<&'a Lexeme> {
        self.at.checked_sub(1).and_then(|at| self.lexemes.get(at))
    }

    /// What stands in the brackets that open `ahead`, and the place behind them.
    fn group(&self, ahead: usize) -> Result<(&'a [Lexeme], usize)> {
        let from = self.at + ahead;
        let end = closing(self.lexemes, from).ok_or(NotUnderstood)?;
        Ok((self.lexemes.get(from + 1..end).ok_or(NotUnderstood)?, end + 1))
    }

    fn keep(&mut self) {
        if let Some(lexeme) = self.peek(0) {
            match lexeme {
                Lexeme::Sign('(' | '[') => self.depth += 1,
                Lexeme::Sign(')' | ']') => {
                    self.depth = self.depth.saturating_sub(1);
                    while self.sets.last().is_some_and(|depth| *depth > self.depth) {
                        self.sets.pop();
                    }
                }
                _ => {}
            }
            self.out.push(lexeme.clone());
            self.at += 1;
        }
    }

    fn put(&mut self, lexemes: &[Lexeme]) {
        self.out.extend_from_slice(lexemes);
    }

    /// A part that is rewritten by itself.
    fn put_rewritten(&mut self, lexemes: &[Lexeme]) -> Result {
        let inner = rewrite(lexemes, self.facts)?;
        self.out.extend(inner);
        Ok(())
    }

    fn one(&mut self) -> Result {
        if self.assignment()? {
            return Ok(());
        }
        match self.peek(0) {
            Some(Lexeme::Word(text)) if !self.is_label() => self.word(text),
            Some(Lexeme::Sign('.')) => {
                self.row_star();
                Ok(())
            }
            Some(Lexeme::Sign('(')) => {
                self.parenthesis();
                Ok(())
            }
            _ => {
                self.keep();
                Ok(())
            }
        }
    }

    /// Beside a dot, or behind AS, it is a name.
    fn is_label(&self) -> bool {
        self.before().is_some_and(|it| it.is_sign('.') || it.is("as"))
            || self.peek(1).is_some_and(|it| it.is_sign('.'))
    }

    fn word(&mut self, text: &str) -> Result {
        match text {
            "table" => self.table(),
            "set" => {
                let function = self.opens(1)
                    && match self.before() {
                        Some(Lexeme::Word(word)) => {
                            word != "update" && keywords::class(word) == Some(Class::Reserved)
                        }
                        Some(Lexeme::Quoted(_)) => false,
                        before => !before.is_some_and(|it| it.is_sign(')') || it.is_operator("*")),
                    };
                self.keep();
                if !function {
                    self.sets.push(self.depth);
                }
            }
            "for" if self.is(1, "no") && self.is(2, "key") && self.is(3, "update") => {
                self.replace(4, &[word("for"), word("update")]);
            }
            "for" if self.is(1, "key") && self.is(2, "share") => {
                self.replace(3, &[word("for"), word("share")])
            }
            "group" if self.is(1, "by") && (self.is(2, "all") || self.is(2, "distinct")) => {
                self.replace(3, &[word("group"), word("by")]);
            }
            "where" | "from" | "returning" | "when" => {
                if self.sets.last() == Some(&self.depth) {
                    self.sets.pop();
                }
                self.keep();
            }
            "isnull" if !self.opens(1) => self.replace(1, &[word("is"), word("null")]),
            "notnull" if !self.opens(1) => self.replace(1, &[word("is"), word("not"), word("null")]),
            "is" if self.is(1, "document") => self.replace(2, &[word("is"), word("null")]),
            "is" if self.is(1, "not") && self.is(2, "document") => {
                self.replace(3, &[word("is"), word("null")])
            }
            "between" if self.is(1, "symmetric") || self.is(1, "asymmetric") => {
                self.replace(2, &[word("between")])
            }
            "collation" if self.is(1, "for") && self.opens(2) => self.replace(2, &[name("pg_collation_for")]),
            "overriding" if self.is(2, "value") => self.at += 3,
            "insert" if self.is(1, "default") && self.is(2, "values") => {
                self.replace(3, &[word("insert"), word("values"), OPEN, word("default"), CLOSE]);
            }
            "insert" if self.is(1, "into") => self.insert_columns()?,
            "on" if self.is(1, "conflict") && self.opens(2) => self.conflict()?,
            "as" if self.opens(1) => self.column_definitions(),
            "lateral" if self.is(1, "xmltable") || self.is(1, "json_table") => self.at += 1,
            "rows" if self.is(1, "from") && self.opens(2) => self.rows_from()?,
            "exclude" => self.exclude(),
            "range" | "rows" | "groups" => self.frame()?,
            "search" | "cycle" if self.before().is_some_and(|it| it.is_sign(')')) => {
                self.search_or_cycle()?
            }
            "any" | "all" | "some" if self.opens(1) && self.is(2, "values") => self.quantified_values()?,
            "grouping" if self.is(1, "sets") && self.opens(2) => self.replace(2, &[name(GROUPS)]),
            // Outside of GROUP BY a function of that name.
            "cube" | "rollup" if self.opens(1) => self.replace(1, &[name(text)]),
            text if self.opens(1)
                && text.starts_with("xml")
                && keywords::class(text) == Some(Class::ColumnName) =>
            {
                self.xml(text)?;
            }
            "substring" if self.opens(1) => self.substring()?,
            _ => self.keep(),
        }
        Ok(())
    }

    /// Steps over `count` lexemes and puts others.
    fn replace(&mut self, count: usize, by: &[Lexeme]) {
        self.at += count;
        self.put(by);
    }

    /// TABLE name: SELECT * FROM name. SELECT INTO TABLE stays.
    fn table(&mut self) {
        let into = ["into", "temp", "temporary", "unlogged"];
        if self.before().is_some_and(|it| into.iter().any(|word| it.is(word))) {
            return self.keep();
        }
        self.replace(1, &[word("select"), operator("*"), word("from")]);
    }

    /// `(row).*`: the row, as a value.
    fn row_star(&mut self) {
        let star = self.peek(1).is_some_and(|it| it.is_operator("*"));
        let mut root = self.at;
        while star
            && root >= 2
            && matches!(self.lexemes.get(root - 1), Some(Lexeme::Word(_) | Lexeme::Quoted(_)))
            && self.lexemes.get(root - 2).is_some_and(|it| it.is_sign('.'))
        {
            root -= 2;
        }
        let of_value = root >= 1 && matches!(self.lexemes.get(root - 1), Some(Lexeme::Sign(')' | ']')));
        // `t.*::text`, `t.* = …`: the row as a value, as `t` is.
        let computed = self.peek(2).is_some_and(|it| matches!(it, Lexeme::Operator(_)) || it.is("is"));
        if star && (of_value || computed) {
            self.at += 2;
        } else {
            self.keep();
        }
    }

    /// The empty grouping set: `()` where no function's name stands before.
    fn parenthesis(&mut self) {
        let empty = self.peek(1).is_some_and(|it| it.is_sign(')'));
        let alone = match self.before() {
            Some(Lexeme::Sign('(' | ',')) => true,
            Some(Lexeme::Word(word)) => word == "by" || word == "all" || word == "distinct",
            _ => false,
        };
        if empty && alone {
            self.replace(2, &[OPEN, word("null"), CLOSE]);
        } else {
            self.keep();
        }
    }

    /// `f() AS (a int, b text)` in FROM: an alias without name.
    fn column_definitions(&mut self) {
        let query = ["select", "with", "values", "table", "insert", "update", "delete", "merge"];
        let definitions = self.before().is_some_and(|it| it.is_sign(')') || it.is("ordinality"))
            && !self.peek(2).is_some_and(|it| it.is_sign('('))
            && !query.iter().any(|word| self.is(2, word));
        if definitions {
            self.replace(1, &[word("as"), name(NAMELESS)]);
        } else {
            self.keep();
        }
    }

    /// ROWS FROM (f() AS (…), g()): a function of functions.
    fn rows_from(&mut self) -> Result {
        let (inner, end) = self.group(2)?;
        self.put(&[name(COMPUTES), OPEN]);
        for (index, function) in split_at(inner, ',').into_iter().enumerate() {
            if index > 0 {
                self.put(&[COMMA]);
            }
            let open = function.iter().position(|it| it.is_sign('(')).ok_or(NotUnderstood)?;
            let close = closing(function, open).ok_or(NotUnderstood)?;
            match function.get(close + 1) {
                None => {}
                Some(it) if it.is("as") => {}
                Some(_) => return Err(NotUnderstood),
            }
            self.put_rewritten(function.get(..=close).ok_or(NotUnderstood)?)?;
        }
        self.put(&[CLOSE]);
        self.at = end;
        Ok(())
    }

    /// SEARCH … SET column, CYCLE … SET column … USING column, behind a WITH query: columns made of its rows.
    fn search_or_cycle(&mut self) -> Result {
        let breadth = self.is(0, "search") && (self.is(1, "breadth") || self.is(1, "depth"));
        let cycle = self.is(0, "cycle") && matches!(self.peek(1), Some(Lexeme::Word(_) | Lexeme::Quoted(_)));
        if !breadth && !cycle {
            self.keep();
            return Ok(());
        }
        self.facts.transform_all();
        self.at += 1;
        // To the next WITH query, or to what WITH belongs to.
        let mut named = false;
        while let Some(lexeme) = self.peek(0) {
            let ends = ["select", "insert", "update", "delete", "merge", "values", "table", "cycle"];
            let next_query = lexeme.is_sign(',')
                && named
                && matches!(self.peek(1), Some(Lexeme::Word(_) | Lexeme::Quoted(_)))
                && (self.is(2, "as") || self.opens(2));
            if lexeme.is_sign('(') || next_query || ends.iter().any(|word| lexeme.is(word)) {
                break;
            }
            named |= lexeme.is("set");
            match lexeme {
                Lexeme::Parameter(_) => return Err(NotUnderstood),
                _ => self.at += 1,
            }
        }
        if self.is(0, "cycle") { self.search_or_cycle() } else { Ok(()) }
    }

    /// `= ANY (VALUES …)`: of a query.
    fn quantified_values(&mut self) -> Result {
        let (inner, end) = self.group(1)?;
        self.keep();
        self.put(&[OPEN, word("select"), operator("*"), word("from"), OPEN]);
        self.put_rewritten(inner)?;
        self.put(&[CLOSE, word("as"), name(NAMELESS), CLOSE]);
        self.at = end;
        Ok(())
    }

    /// MERGE … USING a JOIN b ON … ON …: the joined tables in parentheses.
    fn merge_source(&mut self) -> Result {
        let merge = self.lexemes.iter().position(|it| it.is("merge"));
        let Some(merge) = merge.filter(|at| self.lexemes.get(at + 1).is_some_and(|it| it.is("into"))) else {
            return Ok(());
        };
        let mut depth = 0_usize;
        let (mut using, mut on, mut joins) = (None, None, false);
        for (index, lexeme) in self.lexemes.iter().enumerate().skip(merge) {
            match lexeme {
                Lexeme::Sign('(' | '[') => depth += 1,
                Lexeme::Sign(')' | ']') if depth == 0 => break,
                Lexeme::Sign(')' | ']') => depth -= 1,
                Lexeme::Word(word) if depth == 0 => match word.as_str() {
                    "using" if using.is_none() => using = Some(index),
                    "join" => joins |= using.is_some(),
                    "on" => on = Some(index),
                    "when" => break,
                    _ => {}
                },
                _ => {}
            }
        }
        let (Some(using), Some(on), true) = (using, on, joins) else { return Ok(()) };
        while self.at <= using {
            self.one()?;
        }
        let source = self.lexemes.get(using + 1..on).ok_or(NotUnderstood)?;
        self.put(&[OPEN]);
        self.put_rewritten(source)?;
        self.put(&[CLOSE]);
        self.at = on;
        Ok(())
    }
}

/// Cuts at a word outside of brackets.
fn split_word<'l>(lexemes: &'l [Lexeme], word: &str) -> Vec<&'l [Lexeme]> {
    let mut depth = 0_usize;
    lexemes
        .split(|lexeme| {
            match lexeme {
                Lexeme::Sign('(' | '[') => depth += 1,
                Lexeme::Sign(')' | ']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && lexeme.is(word)
        })
        .collect()
}
