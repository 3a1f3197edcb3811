//! Steps through the lexemes of a statement that is read by hand.
use super::lexer::Lexeme;
use super::names;
use super::reader::{NotUnderstood, Result};

/// What a cursor asks of a lexeme.
pub(super) trait Unit {
    /// A word without quotes.
    fn is(&self, word: &str) -> bool;
    fn is_sign(&self, sign: char) -> bool;
    fn is_operator(&self, operator: &str) -> bool;
    /// What it is called where it can be a name.
    fn name(&self) -> Option<&str>;
}

impl Unit for Lexeme {
    fn is(&self, word: &str) -> bool {
        Self::is(self, word)
    }

    fn is_sign(&self, sign: char) -> bool {
        Self::is_sign(self, sign)
    }

    fn is_operator(&self, operator: &str) -> bool {
        Self::is_operator(self, operator)
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            _ => None,
        }
    }
}

/// A place within a statement.
#[derive(Debug)]
pub(super) struct Cursor<'a, L = Lexeme> {
    lexemes: &'a [L],
}

impl<L> Clone for Cursor<'_, L> {
    fn clone(&self) -> Self {
        Self { lexemes: self.lexemes }
    }
}

impl<'a, L: Unit> Cursor<'a, L> {
    pub(super) fn new(lexemes: &'a [L]) -> Self {
        Self { lexemes }
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a [L] {
        self.lexemes
    }

    pub(super) fn peek(&self) -> Option<&'a L> {
        self.lexemes.first()
    }

    pub(super) fn next(&mut self) -> Option<&'a L> {
        let (first, rest) = self.lexemes.split_first()?;
        self.lexemes = rest;
        Some(first)
    }

    /// Takes these words if they come next.
    pub(super) fn words(&mut self, words: &[&str]) -> bool {
        let comes =
            words.len() <= self.lexemes.len() && words.iter().zip(self.lexemes).all(|(word, it)| it.is(word));
        if comes {
            self.lexemes = self.lexemes.get(words.len()..).unwrap_or_default();
        }
        comes
    }

    pub(super) fn word(&mut self, word: &str) -> bool {
        self.words(&[word])
    }

    /// Takes the first of these words that comes next.
    pub(super) fn one_of<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        words.iter().find(|word| self.word(word)).copied()
    }

    pub(super) fn sign(&mut self, sign: char) -> bool {
        let comes = self.peek().is_some_and(|it| it.is_sign(sign));
        if comes {
            self.next();
        }
        comes
    }

    pub(super) fn operator(&mut self, operator: &str) -> bool {
        let comes = self.peek().is_some_and(|it| it.is_operator(operator));
        if comes {
            self.next();
        }
        comes
    }

    /// A name of one part.
    pub(super) fn name(&mut self) -> Result<String> {
        self.next().and_then(L::name).map(str::to_owned).ok_or(NotUnderstood)
    }

    /// A name of one to three parts, as facts write objects.
    pub(super) fn object(&mut self) -> Result<String> {
        names::object(&self.path()?).ok_or(NotUnderstood)
    }

    /// A name's parts.
    pub(super) fn path(&mut self) -> Result<Vec<String>> {
        let mut parts = vec![self.name()?];
        while self.sign('.') {
            parts.push(self.name()?);
        }
        Ok(parts)
    }

    /// What stands in the parentheses that open here.
    pub(super) fn parenthesised(&mut self) -> Result<&'a [L]> {
        if !self.peek().is_some_and(|it| it.is_sign('(')) {
            return Err(NotUnderstood);
        }
        let end = closing(self.lexemes).ok_or(NotUnderstood)?;
        let inner = self.lexemes.get(1..end).ok_or(NotUnderstood)?;
        self.lexemes = self.lexemes.get(end + 1..).unwrap_or_default();
        Ok(inner)
    }

    /// Up to this word outside of parentheses, or to the end.
    pub(super) fn until(&mut self, word: &str) -> &'a [L] {
        let mut depth = 0_usize;
        let end = self.lexemes.iter().position(|it| {
            depth = nested(depth, it);
            depth == 0 && it.is(word)
        });
        let (before, rest) = self.lexemes.split_at(end.unwrap_or(self.lexemes.len()));
        self.lexemes = rest;
        before
    }

    /// Nothing is left.
    pub(super) fn end(&self) -> Result {
        if self.lexemes.is_empty() { Ok(()) } else { Err(NotUnderstood) }
    }
}

/// How deep within brackets one is behind this lexeme.
fn nested<L: Unit>(depth: usize, lexeme: &L) -> usize {
    if lexeme.is_sign('(') || lexeme.is_sign('[') {
        depth + 1
    } else if lexeme.is_sign(')') || lexeme.is_sign(']') {
        depth.saturating_sub(1)
    } else {
        depth
    }
}

/// The index of the bracket that closes the first.
fn closing<L: Unit>(lexemes: &[L]) -> Option<usize> {
    let mut depth = 0_usize;
    lexemes.iter().position(|it| {
        depth = nested(depth, it);
        depth == 0
    })
}
