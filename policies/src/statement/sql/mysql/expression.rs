//! Expressions: the columns, functions, queries and variables within them. Which operator binds how does not matter to
//! facts; which are conditions and which compute does.
use super::super::super::Verb;
use super::super::reader::{NotUnderstood, Result, absent};
use super::super::scope::Use;
use super::lexer::Lexeme;
use super::reading::Reading;
use super::words;

/// Operators by which a condition stays one.
const CONDITIONS: [&str; 5] = ["=", "<>", "!=", "<=>", "&&"];
/// Operators that compute, between operands.
const COMPUTING: [&str; 16] =
    ["<", ">", "<=", ">=", "<<", ">>", "+", "-", "*", "/", "%", "^", "&", "|", "||", "->"];
/// Words that compute, between operands.
const COMPUTING_WORDS: [&str; 8] = ["div", "mod", "like", "regexp", "rlike", "between", "sounds", "member"];
/// Words behind which another conjunct begins.
const CONNECTIVES: [&str; 3] = ["and", "or", "xor"];

impl<'t> Reading<'t, '_> {
    /// An expression at any place.
    pub(super) fn expr(&mut self, how: Use) -> Result {
        self.deeper(|it| {
            let before = it.at.clone();
            let (connected, columns) = it.captured(|it| it.conjuncts(how))?;
            if connected && how == Use::Output {
                it.reader.computed(&columns);
            }
            absent(before.rest().len() == it.at.rest().len())
        })
    }

    /// Conditions joined by AND and the like; tells whether there are several.
    fn conjuncts(&mut self, how: Use) -> Result<bool> {
        let mut several = false;
        loop {
            self.conjunct(how)?;
            let joined = self.at.one_of(&CONNECTIVES).is_some() || self.at.operator("&&");
            if !joined {
                return Ok(several);
            }
            several = true;
        }
    }

    fn conjunct(&mut self, how: Use) -> Result {
        let how = if self.computes() { Use::Through } else { how };
        let (computed, columns) = self.captured(|it| it.chain(how))?;
        if computed && how != Use::Through {
            self.reader.computed(&columns);
        }
        Ok(())
    }

    /// Does an operator of this conjunct compute something, as far as can be seen from here?
    fn computes(&self) -> bool {
        let (mut depth, mut cases) = (0_usize, 0_usize);
        for lexeme in self.at.rest() {
            match lexeme {
                Lexeme::Sign('(') => depth += 1,
                Lexeme::Sign(')') if depth == 0 => return false,
                Lexeme::Sign(')') => depth -= 1,
                Lexeme::Sign(',' | ';') if depth == 0 && cases == 0 => return false,
                Lexeme::Word { folded, .. } if depth == 0 && folded == "case" => cases += 1,
                Lexeme::Word { folded, .. } if depth == 0 && folded == "end" => {
                    cases = cases.saturating_sub(1)
                }
                _ if depth > 0 || cases > 0 => {}
                Lexeme::Operator("&&") => return false,
                Lexeme::Operator(sign) if COMPUTING.contains(sign) || *sign == "->>" => return true,
                Lexeme::Word { folded, .. } => {
                    let word = folded.as_str();
                    if COMPUTING_WORDS.contains(&word) {
                        return true;
                    }
                    let ends =
                        ["from", "where", "group", "having", "order", "limit", "union", "as", "then", "when"];
                    if CONNECTIVES.contains(&word) || ends.contains(&word) {
                        return false;
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// Operands and what stands between them. Tells whether it computes something from what it reads: with `how` as an
    /// output, a comparison does.
    fn chain(&mut self, how: Use) -> Result<bool> {
        let mut computed = false;
        loop {
            computed |= self.prefixes(how)?;
            self.operand(how)?;
            computed |= self.suffixes(how)?;
            match self.at.peek() {
                Some(Lexeme::Operator("&&")) => return Ok(computed),
                Some(Lexeme::Operator(sign)) if CONDITIONS.contains(sign) => computed |= how != Use::Filter,
                Some(Lexeme::Operator(sign)) if COMPUTING.contains(sign) => computed = true,
                Some(Lexeme::Word { folded, .. }) if folded == "div" || folded == "mod" => computed = true,
                _ => return Ok(computed),
            }
            self.at.next();
            if self.at.one_of(&["any", "all", "some"]).is_some() {
                self.subquery(how)?;
                computed |= self.suffixes(how)?;
                return Ok(computed);
            }
        }
    }

    fn prefixes(&mut self, how: Use) -> Result<bool> {
        let mut computed = false;
        loop {
            match self.at.peek() {
                Some(Lexeme::Word { folded, .. }) if folded == "not" => computed |= how != Use::Filter,
                Some(Lexeme::Operator("!")) => computed |= how != Use::Filter,
                Some(Lexeme::Operator("-" | "+" | "~")) => computed = true,
                Some(Lexeme::Word { folded, call: _ }) if folded == "binary" => computed = true,
                _ => return Ok(computed),
            }
            self.at.next();
        }
    }

    /// COLLATE, IS, IN, BETWEEN, LIKE, `->` and the like, as many as come.
    fn suffixes(&mut self, how: Use) -> Result<bool> {
        let mut computed = false;
        loop {
            let before = self.at.clone();
            let not = self.at.word("not");
            let filters = how == Use::Filter;
            if self.at.word("in") {
                computed |= !filters;
                self.in_list(how)?;
            } else if self.at.word("between") {
                computed = true;
                self.bits(Use::Through)?;
                self.expect("and")?;
                self.bits(Use::Through)?;
            } else if self.at.one_of(&["like", "regexp", "rlike"]).is_some() {
                computed = true;
                self.bits(Use::Through)?;
                if self.at.word("escape") {
                    self.bits(Use::Through)?;
                }
            } else if not {
                self.at = before;
                return Ok(computed);
            } else if self.at.word("is") {
                computed |= !filters;
                self.at.word("not");
                absent(self.at.one_of(&["null", "true", "false", "unknown"]).is_none())?;
            } else if self.at.word("collate") {
                self.word_or_text()?;
            } else if self.at.words(&["sounds", "like"]) {
                computed = true;
                self.bits(Use::Through)?;
            } else if self.at.words(&["member", "of"]) {
                computed = true;
                self.expect_sign('(')?;
                self.expr(Use::Through)?;
                self.expect_sign(')')?;
            } else if self.at.operator("->") || self.at.operator("->>") {
                computed = true;
                absent(!matches!(self.at.next(), Some(Lexeme::Text(_))))?;
            } else {
                return Ok(computed);
            }
        }
    }

    /// An operand of BETWEEN, LIKE and the like: no condition, so that its own AND is not taken for one.
    pub(super) fn bits(&mut self, how: Use) -> Result {
        self.deeper(|it| {
            loop {
                it.prefixes(how)?;
                it.operand(how)?;
                while it.at.word("collate") {
                    it.word_or_text()?;
                }
                while it.at.operator("->") || it.at.operator("->>") {
                    absent(!matches!(it.at.next(), Some(Lexeme::Text(_))))?;
                }
                match it.at.peek() {
                    Some(Lexeme::Operator(sign)) if COMPUTING.contains(sign) => {}
                    Some(Lexeme::Word { folded, .. }) if folded == "div" || folded == "mod" => {}
                    _ => return Ok(()),
                }
                it.at.next();
            }
        })
    }

    /// What follows IN; in POSITION(a IN b) too, which has no parentheses of its own.
    fn in_list(&mut self, how: Use) -> Result {
        if !self.comes_sign('(') {
            return self.bits(Use::Through);
        }
        if self.query_opens() {
            return self.subquery(how);
        }
        self.at.next();
        self.list(how)?;
        self.expect_sign(')')
    }

    /// Expressions between commas.
    pub(super) fn list(&mut self, how: Use) -> Result {
        loop {
            self.expr(how)?;
            if !self.at.sign(',') {
                return Ok(());
            }
        }
    }

    /// A query in parentheses.
    pub(super) fn subquery(&mut self, how: Use) -> Result {
        let inner = self.at.parenthesised()?;
        self.within(inner, |it| it.query(how)).map(|_| ())
    }

    pub(super) fn word_or_text(&mut self) -> Result {
        match self.at.next() {
            Some(Lexeme::Word { .. } | Lexeme::Quoted(_) | Lexeme::Text(_)) => Ok(()),
            _ => Err(NotUnderstood),
        }
    }

    fn operand(&mut self, how: Use) -> Result {
        match self.at.peek().ok_or(NotUnderstood)? {
            Lexeme::Text(_) | Lexeme::Number(_) | Lexeme::Bits | Lexeme::Parameter | Lexeme::Null => {
                self.at.next();
                Ok(())
            }
            Lexeme::UserVariable(name) => {
                self.at.next();
                if self.at.operator(":=") {
                    self.facts().access(Verb::Set, &format!("@{name}"));
                    return self.expr(Use::Through);
                }
                Ok(())
            }
            Lexeme::SystemVariable(_) => {
                self.at.next();
                Ok(())
            }
            Lexeme::Sign('(') => self.parenthesis(how),
            Lexeme::Sign('{') => self.escaped(),
            Lexeme::Sign('.') | Lexeme::Quoted(_) => self.named(how),
            Lexeme::Word { folded, call } => self.worded(folded, *call, how),
            _ => Err(NotUnderstood),
        }
    }

    /// `(expression)`, `(row, of, several)`, `(query)`.
    fn parenthesis(&mut self, how: Use) -> Result {
        if self.query_opens() {
            return self.subquery(how);
        }
        self.expect_sign('(')?;
        let mut row = how;
        let mut first = true;
        loop {
            self.expr(row)?;
            if !self.at.sign(',') {
                break;
            }
            if std::mem::take(&mut first) && how == Use::Output {
                row = Use::Through;
            }
        }
        self.expect_sign(')')
    }

    /// `{d '2020-01-01'}`.
    fn escaped(&mut self) -> Result {
        self.at.next();
        absent(self.at.one_of(&["d", "t", "ts"]).is_none())?;
        absent(!matches!(self.at.next(), Some(Lexeme::Text(_))))?;
        self.expect_sign('}')
    }

    /// What begins with a word.
    fn worded(&mut self, word: &'t str, call: bool, how: Use) -> Result {
        let condition = if how == Use::Filter { Use::Filter } else { Use::Through };
        match word {
            "null" | "true" | "false" => {
                self.at.next();
                Ok(())
            }
            "exists" => {
                self.at.next();
                self.subquery(Use::Filter)
            }
            "case" => self.case(),
            "row" if self.at.rest().get(1).is_some_and(|it| matches!(it, Lexeme::Sign('('))) => {
                self.at.next();
                self.expect_sign('(')?;
                self.list(condition)?;
                self.expect_sign(')')
            }
            "interval" => self.interval(),
            "match" => self.full_text(),
            "default" => {
                self.at.next();
                if self.at.sign('(') {
                    let parts = self.path()?;
                    self.column(&parts, how)?;
                    return self.expect_sign(')');
                }
                Ok(())
            }
            "next" | "previous" if self.word_ahead(1) == "value" && self.word_ahead(2) == "for" => {
                self.at.words(&[word, "value", "for"]);
                let sequence = self.object()?;
                self.facts().touch(if word == "next" { Verb::Update } else { Verb::Select }, &sequence);
                Ok(())
            }
            "date" | "time" | "timestamp" if matches!(self.at.rest().get(1), Some(Lexeme::Text(_))) => {
                self.at.next();
                self.at.next();
                Ok(())
            }
            _ if words::is_value_function(word)
                && !matches!(self.at.rest().get(1), Some(Lexeme::Sign('('))) =>
            {
                self.at.next();
                self.facts().function(word.to_owned());
                Ok(())
            }
            _ if matches!(self.at.rest().get(1), Some(Lexeme::Sign('('))) => self.function(word, call),
            _ => self.named(how),
        }
    }

    /// A column, or a function of a database.
    fn named(&mut self, how: Use) -> Result {
        let parts = self.path()?;
        if !self.comes_sign('(') {
            absent(parts.len() > 3)?;
            return self.column(&parts, how);
        }
        // In backticks, or with its database: never a function of the server's own.
        let name = self.qualified(&parts)?;
        self.foreign_call(name)
    }

    fn case(&mut self) -> Result {
        self.at.next();
        if !self.comes("when") {
            self.expr(Use::Through)?;
        }
        while self.at.word("when") {
            self.expr(Use::Through)?;
            self.expect("then")?;
            self.expr(Use::Through)?;
        }
        if self.at.word("else") {
            self.expr(Use::Through)?;
        }
        self.expect("end")
    }

    /// `INTERVAL 1 DAY`, and the function of that name.
    fn interval(&mut self) -> Result {
        self.at.next();
        if self.comes_sign('(') && !self.query_opens() {
            self.at.next();
            self.list(Use::Through)?;
            self.expect_sign(')')?;
            // A parenthesis, more of the expression, and a unit.
            if matches!(self.at.peek(), Some(Lexeme::Operator(_))) && self.unit_follows() {
                self.at.next();
                self.bits(Use::Through)?;
            }
            self.unit();
            return Ok(());
        }
        self.bits(Use::Through)?;
        absent(!self.unit())
    }

    /// Does a unit stand before the next comma or closing parenthesis?
    fn unit_follows(&self) -> bool {
        let mut depth = 0_usize;
        for lexeme in self.at.rest() {
            match lexeme {
                Lexeme::Sign('(') => depth += 1,
                Lexeme::Sign(')') if depth > 0 => depth -= 1,
                Lexeme::Sign(_) if depth == 0 => return false,
                Lexeme::Word { folded, .. } if depth == 0 => return words::is_unit(folded),
                _ => {}
            }
        }
        false
    }

    pub(super) fn unit(&mut self) -> bool {
        let comes = matches!(self.at.peek(), Some(Lexeme::Word { folded, .. }) if words::is_unit(folded));
        if comes {
            self.at.next();
        }
        comes
    }

    /// MATCH (columns) AGAINST (expression how).
    fn full_text(&mut self) -> Result {
        self.at.next();
        let parenthesised = self.at.sign('(');
        loop {
            let parts = self.path()?;
            self.column(&parts, Use::Through)?;
            if !self.at.sign(',') {
                break;
            }
        }
        if parenthesised {
            self.expect_sign(')')?;
        }
        self.expect("against")?;
        self.expect_sign('(')?;
        self.bits(Use::Through)?;
        let modes: [&[&str]; 4] = [
            &["in", "boolean", "mode"],
            &["in", "natural", "language", "mode", "with", "query", "expansion"],
            &["in", "natural", "language", "mode"],
            &["with", "query", "expansion"],
        ];
        for mode in modes {
            if self.at.words(mode) {
                break;
            }
        }
        self.expect_sign(')')
    }

    /// Does a query stand in the parenthesis that opens here, in however many more?
    pub(super) fn query_opens(&self) -> bool {
        super::query::opens(self.at.rest())
    }

    /// A function that only a rule can permit.
    fn foreign_call(&mut self, name: String) -> Result {
        self.facts().function(name);
        self.arguments()?;
        self.over()
    }
}
