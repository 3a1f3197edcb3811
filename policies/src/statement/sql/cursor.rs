//! Steps through the lexemes of a statement that is read by hand.
use super::lexer::Lexeme;
use super::names;
use super::reader::{NotUnderstood, Result};

/// A place within a statement.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    lexemes: &'a [Lexeme],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(lexemes: &'a [Lexeme]) -> Self {
        Self { lexemes }
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a [Lexeme] {
        self.lexemes
    }

    pub(super) fn peek(&self) -> Option<&'a Lexeme> {
        self.lexemes.first()
    }

    pub(super) fn next(&mut self) -> Option<&'a Lexeme> {
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
        match self.next() {
            Some(Lexeme::Word(name) | Lexeme::Quoted(name)) => Ok(name.clone()),
            _ => Err(NotUnderstood),
        }
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
    pub(super) fn parenthesised(&mut self) -> Result<&'a [Lexeme]> {
        if !self.peek().is_some_and(|it| it.is_sign('(')) {
            return Err(NotUnderstood);
        }
        let end = closing(self.lexemes).ok_or(NotUnderstood)?;
        let inner = self.lexemes.get(1..end).ok_or(NotUnderstood)?;
        self.lexemes = self.lexemes.get(end + 1..).unwrap_or_default();
        Ok(inner)
    }

    /// Up to this word outside of parentheses, or to the end.
    pub(super) fn until(&mut self, word: &str) -> &'a [Lexeme] {
        let mut depth = 0_usize;
        let end = self.lexemes.iter().position(|it| {
            match it {
                Lexeme::Sign('(' | '[') => depth += 1,
                Lexeme::Sign(')' | ']') => depth = depth.saturating_sub(1),
                _ => {}
            }
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

/// The index of the bracket that closes the first.
fn closing(lexemes: &[Lexeme]) -> Option<usize> {
    let mut depth = 0_usize;
    lexemes.iter().position(|it| {
        match it {
            Lexeme::Sign('(' | '[') => depth += 1,
            Lexeme::Sign(')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}
