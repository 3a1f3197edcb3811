//! Forms of PostgreSQL's queries that the parser lacks, turned into others with the same facts: whatever an expression,
//! a function or a table stands in stays; noise words go. A form that cannot be turned is not understood.
mod frames;
mod targets;
mod xml;

use super::builder::Builder;
use super::cursor::Cursor;
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

    /// ANY, ALL or SOME of what is in parentheses.
    fn quantified(&self, ahead: usize) -> bool {
        ["any", "all", "some"].iter().any(|word| self.is(ahead, word)) && self.opens(ahead + 1)
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
        if let Some((count, by)) = self.noise(text) {
            self.replace(count, &by);
            return Ok(());
        }
        match text {
            "table" => self.table(),
            "set" => self.set(),
            "values" if self.opens(1) => self.values(),
            "where" | "from" | "returning" => {
                let distinct = self.before().is_some_and(|it| it.is("distinct"));
                if self.sets.last() == Some(&self.depth) && !distinct {
                    self.sets.pop();
                }
                self.keep();
            }
            "insert" if self.is(1, "into") => self.insert_columns()?,
            "on" if self.is(1, "conflict") && self.opens(2) => self.conflict()?,
            "as" if self.opens(1) => self.column_definitions(),
            "rows" if self.is(1, "from") && self.opens(2) && self.begins_source() => self.rows_from()?,
            "exclude" => self.exclude(),
            "range" | "rows" | "groups" => self.frame()?,
            "search" | "cycle" if self.before().is_some_and(|it| it.is_sign(')')) => self.search_or_cycle(),
            "any" | "all" | "some" if self.opens(1) && self.is(2, "values") => self.quantified_values()?,
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

    /// Words that others say as well: how many lexemes they are, and the others.
    fn noise(&self, text: &str) -> Option<(usize, Vec<Lexeme>)> {
        let is = |ahead: usize, word: &str| self.is(ahead, word);
        Some(match text {
            "like" | "ilike" if self.quantified(1) => (1, vec![operator("~~")]),
            "not" if (is(1, "like") || is(1, "ilike")) && self.quantified(2) => (2, vec![operator("!~~")]),
            "for" if is(1, "no") && is(2, "key") && is(3, "update") => (4, vec![word("for"), word("update")]),
            "for" if is(1, "key") && is(2, "share") => (3, vec![word("for"), word("share")]),
            "group" if is(1, "by") && (is(2, "all") || is(2, "distinct")) => {
                (3, vec![word("group"), word("by")])
            }
            "isnull" if !self.opens(1) => (1, vec![word("is"), word("null")]),
            "notnull" if !self.opens(1) => (1, vec![word("is"), word("not"), word("null")]),
            "is" if is(1, "document") => (2, vec![word("is"), word("null")]),
            "is" if is(1, "not") && is(2, "document") => (3, vec![word("is"), word("null")]),
            "between" if is(1, "symmetric") || is(1, "asymmetric") => (2, vec![word("between")]),
            "collation" if is(1, "for") && self.opens(2) => (2, vec![name("pg_collation_for")]),
            "overriding" if (is(1, "user") || is(1, "system")) && is(2, "value") => (3, vec![]),
            "insert" if is(1, "default") && is(2, "values") => {
                (3, vec![word("insert"), word("values"), OPEN, word("default"), CLOSE])
            }
            "lateral" if is(1, "xmltable") || is(1, "json_table") => (1, vec![]),
            "grouping" if is(1, "sets") && self.opens(2) => (2, vec![name(GROUPS)]),
            // Outside of GROUP BY a function of that name.
            "cube" | "rollup" if self.opens(1) => (1, vec![name(text)]),
            _ => return None,
        })
    }

    /// VALUES: of rows in a row that hold nothing but literals, one stays. There may be many thousands.
    fn values(&mut self) {
        self.keep();
        let mut rows = 0_usize;
        while let Some(end) = literal_row(self.lexemes.get(self.at..).unwrap_or_default()) {
            rows += 1;
            let more = self.peek(end).is_some_and(|it| it.is_sign(','))
                && literal_row(self.lexemes.get(self.at + end + 1..).unwrap_or_default()).is_some();
            if !more {
                break;
            }
            self.at += end + 1;
        }
        if rows > 0 {
            self.depth += 1;
            self.put(&[OPEN]);
            self.at += 1;
        }
    }

    /// SET of UPDATE and ON CONFLICT; or a function of that name.
    fn set(&mut self) {
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

    /// May an element of FROM begin here?
    fn begins_source(&self) -> bool {
        let words = ["from", "join", "lateral", "using"];
        self.before().is_some_and(|it| it.is_sign(',') || words.iter().any(|word| it.is(word)))
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

    /// ROWS FROM (f() AS (…), g()): a function of functions. `SELECT a, rows FROM (f() AS x JOIN t …)` is something else.
    fn rows_from(&mut self) -> Result {
        let (inner, end) = self.group(2)?;
        self.put(&[name(COMPUTES), OPEN]);
        for (index, function) in split_at(inner, ',').into_iter().enumerate() {
            if index > 0 {
                self.put(&[COMMA]);
            }
            let mut cursor = Cursor::new(function);
            cursor.path()?;
            cursor.parenthesised()?;
            let call = function.get(..function.len() - cursor.rest().len()).ok_or(NotUnderstood)?;
            if cursor.word("as") {
                types_only(cursor.parenthesised()?)?;
            }
            cursor.end()?;
            self.put_rewritten(call)?;
        }
        self.put(&[CLOSE]);
        self.at = end;
        Ok(())
    }

    /// SEARCH … SET column, CYCLE … SET column … USING column, behind a WITH query: columns made of its rows. Only in
    /// exactly that form: `FROM f() cycle JOIN t` has an alias.
    fn search_or_cycle(&mut self) {
        let rest = self.lexemes.get(self.at..).unwrap_or_default();
        let mut cursor = Cursor::new(rest);
        let searches = search(&mut cursor).is_ok();
        if cycle(&mut cursor).is_ok() || searches {
            self.facts.transform_all();
            self.at += rest.len() - cursor.rest().len();
        } else {
            self.keep();
        }
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

/// The length of the row of literals and parameters that begins here.
fn literal_row(lexemes: &[Lexeme]) -> Option<usize> {
    if !lexemes.first()?.is_sign('(') {
        return None;
    }
    for (index, lexeme) in lexemes.iter().enumerate().skip(1) {
        match lexeme {
            Lexeme::Text(_)
            | Lexeme::Number(_)
            | Lexeme::Parameter(_)
            | Lexeme::Bits(_)
            | Lexeme::Sign(',') => {}
            Lexeme::Operator(sign) if sign == "-" => {}
            Lexeme::Word(word) if ["null", "true", "false", "default"].contains(&word.as_str()) => {}
            Lexeme::Sign(')') => return Some(index + 1),
            _ => return None,
        }
    }
    None
}

/// SEARCH DEPTH | BREADTH FIRST BY columns SET column. Takes nothing where it is not that.
fn search(cursor: &mut Cursor<'_>) -> Result {
    let mut ahead = cursor.clone();
    if !ahead.words(&["search", "depth", "first", "by"])
        && !ahead.words(&["search", "breadth", "first", "by"])
    {
        return Err(NotUnderstood);
    }
    names(&mut ahead)?;
    word_and_name(&mut ahead, "set")?;
    *cursor = ahead;
    Ok(())
}

/// CYCLE columns SET column [TO constant DEFAULT constant] USING column.
fn cycle(cursor: &mut Cursor<'_>) -> Result {
    let mut ahead = cursor.clone();
    if !ahead.word("cycle") {
        return Err(NotUnderstood);
    }
    names(&mut ahead)?;
    word_and_name(&mut ahead, "set")?;
    for word in ["to", "default"] {
        if !ahead.word(word) {
            break;
        }
        let constants = ["true", "false", "null"];
        let literal = matches!(ahead.peek(), Some(Lexeme::Text(_) | Lexeme::Number(_) | Lexeme::Bits(_)));
        if literal {
            ahead.next();
        } else if ahead.one_of(&constants).is_none() {
            return Err(NotUnderstood);
        }
    }
    word_and_name(&mut ahead, "using")?;
    *cursor = ahead;
    Ok(())
}

/// Names between commas, none of them a reserved word.
fn names(cursor: &mut Cursor<'_>) -> Result {
    loop {
        free_name(cursor)?;
        if !cursor.sign(',') {
            return Ok(());
        }
    }
}

fn word_and_name(cursor: &mut Cursor<'_>, word: &str) -> Result {
    if cursor.word(word) { free_name(cursor) } else { Err(NotUnderstood) }
}

fn free_name(cursor: &mut Cursor<'_>) -> Result {
    match cursor.next() {
        Some(Lexeme::Quoted(_)) => Ok(()),
        Some(Lexeme::Word(word)) => match keywords::class(word) {
            Some(Class::Reserved | Class::TypeOrFunction) => Err(NotUnderstood),
            _ => Ok(()),
        },
        _ => Err(NotUnderstood),
    }
}

/// Types, their modifiers, columns of types: names and numbers, in which no query hides.
fn types_only(lexemes: &[Lexeme]) -> Result {
    let plain = lexemes.iter().all(|it| match it {
        Lexeme::Word(word) => {
            !["select", "table", "values", "with"].contains(&word.as_str()) || {
                // `timestamp with time zone`
                word == "with" && lexemes.iter().any(|it| it.is("zone"))
            }
        }
        Lexeme::Quoted(_) | Lexeme::Number(_) | Lexeme::Sign('(' | ')' | '[' | ']' | ',' | '.') => true,
        _ => false,
    });
    if plain { Ok(()) } else { Err(NotUnderstood) }
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
