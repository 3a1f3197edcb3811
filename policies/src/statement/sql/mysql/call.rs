//! Calls of functions: those with a syntax of their own, the others, and windows.
use super::super::super::functions::Act;
use super::super::super::functions::mysql as known;
use super::super::super::{Effect, Verb};
use super::super::reader::{NotUnderstood, Result, absent};
use super::super::scope::Use;
use super::lexer::Lexeme;
use super::reading::Reading;
use super::words;

impl<'t> Reading<'t, '_> {
    /// A call of `word`, whose parenthesis follows; directly where `call` says so.
    pub(super) fn function(&mut self, word: &'t str, call: bool) -> Result {
        self.at.next();
        if !call && words::needs_tight_call(word) || !known::is_native(word) {
            absent(words::is_reserved(word))?;
            let name = self.qualified(&[word.to_owned()])?;
            self.facts().function(name);
            self.arguments()?;
            return self.over();
        }
        // A column by another name.
        if matches!(word, "values" | "value") {
            self.expect_sign('(')?;
            let parts = self.path()?;
            self.column(&parts, Use::Output)?;
            return self.expect_sign(')');
        }
        self.facts().function(word.to_owned());
        for act in known::acts(word) {
            self.act(*act);
        }
        match word {
            "nextval" | "lastval" | "setval" => self.sequence(word),
            "rollup" | "cube" => {
                self.expect_sign('(')?;
                self.list(Use::Filter)?;
                self.expect_sign(')')
            }
            _ => {
                self.expect_sign('(')?;
                if word == "last_insert_id" && !self.comes_sign(')') {
                    // With an argument it keeps that for the session.
                    self.facts().access(Verb::Set, word);
                }
                self.special(word)?;
                self.expect_sign(')')?;
                self.over()
            }
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Has(effect) => self.facts().effect(effect),
            Act::Does(verb) => self.facts().verb(verb),
            // None of this server's functions name what they touch.
            Act::Sets | Act::Touches(..) | Act::Notifies => self.facts().effect(Effect::DynamicSql),
        }
    }

    fn sequence(&mut self, word: &str) -> Result {
        self.expect_sign('(')?;
        let sequence = self.object()?;
        self.facts().touch(if word == "lastval" { Verb::Select } else { Verb::Update }, &sequence);
        while self.at.sign(',') {
            self.expr(Use::Through)?;
        }
        self.expect_sign(')')
    }

    /// What stands in the parentheses of a function with a syntax of its own, or of another.
    fn special(&mut self, word: &str) -> Result {
        match word {
            "cast" => {
                self.expr(Use::Through)?;
                if self.at.words(&["at", "time", "zone"]) {
                    self.at.word("interval");
                    absent(!matches!(self.at.next(), Some(Lexeme::Text(_))))?;
                }
                self.expect("as")?;
                self.data_type()
            }
            "convert" => {
                self.expr(Use::Through)?;
                if self.at.word("using") {
                    return self.word_or_text();
                }
                self.expect_sign(',')?;
                self.data_type()
            }
            "extract" => {
                absent(!self.unit())?;
                self.expect("from")?;
                self.expr(Use::Through)
            }
            "timestampadd" | "timestampdiff" => {
                absent(!self.unit())?;
                self.expect_sign(',')?;
                self.list(Use::Through)
            }
            "get_format" => {
                self.word_or_text()?;
                self.expect_sign(',')?;
                self.expr(Use::Through)
            }
            "trim" => {
                self.at.one_of(&["both", "leading", "trailing"]);
                if !self.comes("from") {
                    self.expr(Use::Through)?;
                }
                if self.at.word("from") { self.expr(Use::Through) } else { Ok(()) }
            }
            "substring" | "substr" | "mid" => {
                self.list(Use::Through)?;
                for word in ["from", "for"] {
                    if self.at.word(word) {
                        self.expr(Use::Through)?;
                    }
                }
                Ok(())
            }
            "position" => self.expr(Use::Through),
            "char" => {
                self.list(Use::Through)?;
                if self.at.word("using") { self.word_or_text() } else { Ok(()) }
            }
            "weight_string" => self.weight_string(),
            "json_value" => self.json_value(),
            _ => self.plain_arguments(),
        }
    }

    fn weight_string(&mut self) -> Result {
        self.expr(Use::Through)?;
        if self.at.word("as") {
            self.data_type()?;
        }
        while self.at.sign(',') {
            absent(!matches!(self.at.next(), Some(Lexeme::Number(_))))?;
        }
        Ok(())
    }

    fn json_value(&mut self) -> Result {
        self.expr(Use::Through)?;
        self.expect_sign(',')?;
        self.expr(Use::Through)?;
        if self.at.word("returning") {
            let mut first = true;
            while first
                || !(self.comes_sign(')')
                    || self.comes("null")
                    || self.comes("error")
                    || self.comes("default"))
            {
                first = false;
                match self.at.next() {
                    Some(Lexeme::Word { .. }) => {}
                    Some(Lexeme::Sign('(')) => {
                        self.numbers()?;
                    }
                    _ => return Err(NotUnderstood),
                }
            }
        }
        self.on_empty_or_error()
    }

    /// `NULL ON EMPTY DEFAULT '1' ON ERROR`, as much as comes.
    pub(super) fn on_empty_or_error(&mut self) -> Result {
        loop {
            if self.at.word("default") {
                self.bits(Use::Through)?;
            } else if self.at.one_of(&["null", "error"]).is_none() {
                return Ok(());
            }
            self.expect("on")?;
            absent(self.at.one_of(&["empty", "error"]).is_none())?;
        }
    }

    /// A type: words, and numbers in parentheses, to where the parenthesis around it closes or a comma comes.
    fn data_type(&mut self) -> Result {
        let mut seen = false;
        loop {
            match self.at.peek() {
                Some(Lexeme::Word { .. }) => {
                    self.at.next();
                    seen = true;
                }
                Some(Lexeme::Sign('(')) if seen => {
                    self.at.next();
                    self.numbers()?;
                }
                _ => return absent(!seen),
            }
        }
    }

    /// Numbers, to the parenthesis that closes behind them.
    pub(super) fn numbers(&mut self) -> Result {
        loop {
            absent(!matches!(self.at.next(), Some(Lexeme::Number(_))))?;
            if self.at.sign(')') {
                return Ok(());
            }
            self.expect_sign(',')?;
        }
    }

    /// Arguments in parentheses.
    pub(super) fn arguments(&mut self) -> Result {
        self.expect_sign('(')?;
        self.plain_arguments()?;
        self.expect_sign(')')
    }

    fn plain_arguments(&mut self) -> Result {
        if self.comes_sign(')') {
            return Ok(());
        }
        self.at.one_of(&["distinct", "all"]);
        if self.at.operator("*") {
            return Ok(());
        }
        self.list(Use::Through)?;
        if self.at.words(&["order", "by"]) {
            self.order_list(Use::Through)?;
        }
        if self.at.word("separator") {
            absent(!matches!(self.at.next(), Some(Lexeme::Text(_) | Lexeme::Bits)))?;
        }
        if self.at.word("limit") { self.limit() } else { Ok(()) }
    }

    /// WITHIN GROUP, OVER: what may stand behind a call.
    pub(super) fn over(&mut self) -> Result {
        if self.at.words(&["within", "group"]) {
            self.expect_sign('(')?;
            absent(!self.at.words(&["order", "by"]))?;
            self.order_list(Use::Through)?;
            self.expect_sign(')')?;
        }
        // Elsewhere FROM is the query's.
        if super::query::counts_from(self.at.rest()) {
            self.at.next();
            self.at.next();
        }
        if self.word_ahead(1) == "nulls" {
            self.at.one_of(&["respect", "ignore"]);
            self.at.word("nulls");
        }
        if !self.at.word("over") {
            return Ok(());
        }
        if self.comes_sign('(') { self.window() } else { self.name().map(|_| ()) }
    }

    /// A window's definition, in parentheses.
    pub(super) fn window(&mut self) -> Result {
        self.expect_sign('(')?;
        let clause = ["partition", "order", "rows", "range", "groups"];
        if !self.comes_sign(')') && !clause.contains(&self.word_ahead(0)) {
            self.name()?;
        }
        if self.at.words(&["partition", "by"]) {
            self.list(Use::Filter)?;
        }
        if self.at.words(&["order", "by"]) {
            self.order_list(Use::Filter)?;
        }
        if self.at.one_of(&["rows", "range", "groups"]).is_some() {
            let between = self.at.word("between");
            self.bound()?;
            if between {
                self.expect("and")?;
                self.bound()?;
            }
            if self.at.word("exclude")
                && !self.at.words(&["current", "row"])
                && !self.at.words(&["no", "others"])
            {
                absent(self.at.one_of(&["group", "ties"]).is_none())?;
            }
        }
        self.expect_sign(')')
    }

    fn bound(&mut self) -> Result {
        if self.at.words(&["current", "row"]) {
            return Ok(());
        }
        if !self.at.word("unbounded") {
            self.bits(Use::Through)?;
        }
        absent(self.at.one_of(&["preceding", "following"]).is_none())
    }
}
