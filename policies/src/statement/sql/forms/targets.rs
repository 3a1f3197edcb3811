//! Targets that the parser lacks: array elements and fields in SET and INSERT, expressions in ON CONFLICT.
use super::super::lexer::Lexeme;
use super::super::reader::{NotUnderstood, Result};
use super::{CLOSE, COMMA, Forms, NAMELESS, OPEN, closing, name, operator, split_at, word};

impl Forms<'_> {
    /// `SET a[1].b = value`: the index stays as a value of its own, `a = (1), a = value`.
    pub(super) fn assignment(&mut self) -> Result<bool> {
        let here = self.sets.last() == Some(&self.depth)
            && self.before().is_some_and(|it| it.is("set") || it.is_sign(','));
        if !here {
            return Ok(false);
        }
        let (targets, end) = if self.opens(0) {
            let (inner, end) = self.group(0)?;
            (split_at(inner, ','), end)
        } else {
            let end =
                self.lexemes.iter().skip(self.at).position(|it| it.is_operator("=")).ok_or(NotUnderstood)?;
            (vec![self.lexemes.get(self.at..self.at + end).ok_or(NotUnderstood)?], self.at + end)
        };
        if !self.lexemes.get(end).is_some_and(|it| it.is_operator("=")) {
            return Err(NotUnderstood);
        }
        let several = self.opens(0);
        let mut columns = Vec::new();
        for target in targets {
            let (column, indexes) = indirection(target)?;
            for index in indexes {
                self.put(&[column.clone(), operator("="), OPEN]);
                self.put_rewritten(index)?;
                self.put(&[CLOSE, COMMA]);
            }
            columns.push(column);
        }
        if several {
            self.put(&[OPEN]);
        }
        for (index, column) in columns.into_iter().enumerate() {
            if index > 0 {
                self.put(&[COMMA]);
            }
            self.put(&[column]);
        }
        if several {
            self.put(&[CLOSE]);
        }
        self.at = end;
        // The `=` itself, so that what follows is not taken for another target.
        self.keep();
        Ok(true)
    }

    /// INSERT INTO table (a[1], b.c): the columns themselves. An index that could hold a query is refused.
    pub(super) fn insert_columns(&mut self) -> Result {
        self.keep();
        self.keep();
        while matches!(self.peek(0), Some(Lexeme::Word(_) | Lexeme::Quoted(_) | Lexeme::Sign('.'))) {
            let starts = ["select", "values", "table", "with", "default", "overriding"];
            if self.before().is_some_and(|it| !it.is_sign('.') && !it.is("into"))
                && starts.iter().any(|word| self.is(0, word))
            {
                return Ok(());
            }
            self.keep();
        }
        let query = ["select", "values", "table", "with"];
        if !self.opens(0) || self.opens(1) || query.iter().any(|word| self.is(1, word)) {
            return Ok(());
        }
        let (inner, end) = self.group(0)?;
        self.put(&[OPEN]);
        for (index, target) in split_at(inner, ',').into_iter().enumerate() {
            let (column, indexes) = indirection(target)?;
            let plain = |it: &Lexeme| match it {
                Lexeme::Number(_) | Lexeme::Text(_) | Lexeme::Parameter(_) => true,
                other => other.is_operator("-"),
            };
            if !indexes.into_iter().flatten().all(plain) {
                return Err(NotUnderstood);
            }
            if index > 0 {
                self.put(&[COMMA]);
            }
            self.put(&[column]);
        }
        self.put(&[CLOSE]);
        self.at = end;
        Ok(())
    }

    /// ON CONFLICT (column, expression COLLATE … class): expressions become a condition of the predicate.
    pub(super) fn conflict(&mut self) -> Result {
        let (inner, end) = self.group(2)?;
        self.put(&[word("on"), word("conflict"), OPEN]);
        let mut conditions: Vec<&[Lexeme]> = Vec::new();
        let mut columns = Vec::new();
        for element in split_at(inner, ',') {
            match element {
                [first @ (Lexeme::Word(_) | Lexeme::Quoted(_)), rest @ ..] if !calls(element) => {
                    names_only(rest)?;
                    columns.push(first.clone());
                }
                _ => {
                    let open = element.iter().position(|it| it.is_sign('(')).ok_or(NotUnderstood)?;
                    let end = closing(element, open).ok_or(NotUnderstood)? + 1;
                    names_only(element.get(end..).unwrap_or_default())?;
                    conditions.push(element.get(..end).ok_or(NotUnderstood)?);
                }
            }
        }
        if columns.is_empty() {
            columns.push(name(NAMELESS));
        }
        for (index, column) in columns.into_iter().enumerate() {
            if index > 0 {
                self.put(&[COMMA]);
            }
            self.put(&[column]);
        }
        self.put(&[CLOSE]);
        self.at = end;
        let own = self.is(0, "where");
        if own {
            self.at += 1;
        }
        if own || !conditions.is_empty() {
            self.put(&[word("where")]);
        }
        let last = conditions.len();
        for (index, condition) in conditions.into_iter().enumerate() {
            self.put_rewritten(condition)?;
            self.put(&[word("is"), word("null")]);
            if own || index + 1 < last {
                self.put(&[word("and")]);
            }
        }
        Ok(())
    }
}

/// Does an element begin with a function call?
fn calls(element: &[Lexeme]) -> bool {
    let path =
        element.iter().take_while(|it| matches!(it, Lexeme::Word(_) | Lexeme::Quoted(_) | Lexeme::Sign('.')));
    element.get(path.count()).is_some_and(|it| it.is_sign('('))
}

/// COLLATE and an operator class: names.
fn names_only(lexemes: &[Lexeme]) -> Result {
    let names =
        lexemes.iter().all(|it| matches!(it, Lexeme::Word(_) | Lexeme::Quoted(_) | Lexeme::Sign('.')));
    if names { Ok(()) } else { Err(NotUnderstood) }
}

/// `a[1:2].b[3]`: the column, and the expressions of its indexes.
fn indirection(target: &[Lexeme]) -> Result<(Lexeme, Vec<&[Lexeme]>)> {
    let (column, mut rest) = target.split_first().ok_or(NotUnderstood)?;
    if !matches!(column, Lexeme::Word(_) | Lexeme::Quoted(_)) {
        return Err(NotUnderstood);
    }
    let mut indexes = Vec::new();
    while let Some(first) = rest.first() {
        match first {
            Lexeme::Sign('.') if matches!(rest.get(1), Some(Lexeme::Word(_) | Lexeme::Quoted(_))) => {
                rest = rest.get(2..).unwrap_or_default();
            }
            Lexeme::Sign('[') => {
                let end = closing(rest, 0).ok_or(NotUnderstood)?;
                let inner = rest.get(1..end).unwrap_or_default();
                indexes.extend(split_at(inner, ':').into_iter().filter(|it| !it.is_empty()));
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            _ => return Err(NotUnderstood),
        }
    }
    Ok((column.clone(), indexes))
}
