//! Window frames: bounds that are expressions, EXCLUDE.
use super::super::lexer::Lexeme;
use super::super::reader::{NotUnderstood, Result};
use super::{CLOSE, Forms, OPEN};

/// A frame's bound is shorter than this, or the frame is not understood.
const BOUND_LEXEMES_MAX: usize = 256;

impl Forms<'_> {
    /// A frame's EXCLUDE.
    pub(super) fn exclude(&mut self) {
        let ends = [&["current", "row"][..], &["no", "others"], &["group"], &["ties"]];
        for end in ends {
            let matches = end.iter().enumerate().all(|(index, word)| self.is(index + 1, word));
            if matches && self.peek(end.len() + 1).is_some_and(|it| it.is_sign(')')) {
                self.at += end.len() + 1;
                return;
            }
        }
        self.keep();
    }

    /// A window's frame: `BETWEEN '1 day'::interval PRECEDING AND …`, its bounds in parentheses.
    pub(super) fn frame(&mut self) -> Result {
        self.keep();
        let between = self.is(0, "between");
        let from = self.at + usize::from(between);
        let rest = self.lexemes.get(from..).unwrap_or_default();
        let Some(end) = bound_end(rest) else { return Ok(()) };
        if between {
            self.keep();
        }
        self.bound(rest.get(..end).unwrap_or_default())?;
        if between {
            if !self.is(0, "and") {
                return Err(NotUnderstood);
            }
            self.keep();
            let rest = self.lexemes.get(self.at..).unwrap_or_default();
            let end = bound_end(rest).ok_or(NotUnderstood)?;
            self.bound(rest.get(..end).unwrap_or_default())?;
        }
        Ok(())
    }

    /// One bound, without its last word.
    pub(super) fn bound(&mut self, bound: &[Lexeme]) -> Result {
        if bound.first().is_some_and(|it| it.is("unbounded") || it.is("current")) {
            self.put(bound);
        } else {
            self.put(&[OPEN]);
            self.put_rewritten(bound)?;
            self.put(&[CLOSE]);
        }
        self.at += bound.len();
        self.keep();
        Ok(())
    }
}

/// Where a frame's bound ends, before PRECEDING, FOLLOWING or the ROW of CURRENT ROW.
fn bound_end(lexemes: &[Lexeme]) -> Option<usize> {
    if lexemes.first()?.is("current") && lexemes.get(1)?.is("row") {
        return Some(1);
    }
    let mut depth = 0_usize;
    for (index, lexeme) in lexemes.iter().enumerate().take(BOUND_LEXEMES_MAX) {
        match lexeme {
            Lexeme::Sign('(' | '[') => depth += 1,
            Lexeme::Sign(')' | ']') => depth = depth.checked_sub(1)?,
            Lexeme::Sign(',' | ';') if depth == 0 => return None,
            Lexeme::Word(word) if depth == 0 => match word.as_str() {
                "preceding" | "following" => return (index > 0).then_some(index),
                "select" | "from" | "where" | "and" | "or" => return None,
                _ => {}
            },
            _ => {}
        }
    }
    None
}
