//! Functions with a syntax of their own: XML's, and substring's SIMILAR.
use super::super::lexer::Lexeme;
use super::super::reader::{NotUnderstood, Result};
use super::{CLOSE, COMMA, COMPUTES, Forms, OPEN, name, split_at, split_word, types_only};

impl Forms<'_> {
    /// `substring(x SIMILAR y ESCAPE z)`: of three values.
    pub(super) fn substring(&mut self) -> Result {
        let (inner, end) = self.group(1)?;
        let similar = split_word(inner, "similar");
        let [value, rest] = similar.as_slice() else {
            self.keep();
            return Ok(());
        };
        self.put(&[name("substring"), OPEN]);
        self.put_rewritten(value)?;
        for part in split_word(rest, "escape") {
            self.put(&[COMMA]);
            self.put_rewritten(part)?;
        }
        self.put(&[CLOSE]);
        self.at = end;
        Ok(())
    }

    /// XML functions with a syntax of their own: of their values.
    pub(super) fn xml(&mut self, function: &str) -> Result {
        if function == "xmltable" || function == "xmlnamespaces" {
            self.keep();
            return Ok(());
        }
        let (inner, end) = self.group(1)?;
        self.put(&[name(if function == "xmlattributes" { COMPUTES } else { function }), OPEN]);
        let mut some = false;
        for argument in split_at(inner, ',') {
            for value in xml_values(function, argument)? {
                if some {
                    self.put(&[COMMA]);
                }
                some = true;
                self.put_rewritten(value)?;
            }
        }
        self.put(&[CLOSE]);
        self.at = end;
        Ok(())
    }
}

/// The values in one argument of an XML function.
fn xml_values<'l>(function: &str, argument: &'l [Lexeme]) -> Result<Vec<&'l [Lexeme]>> {
    let noise = |it: &Lexeme, words: &[&str]| words.iter().any(|word| it.is(word));
    let mut values = match (function, argument) {
        ("xmlelement" | "xmlpi", [first, Lexeme::Word(_) | Lexeme::Quoted(_)]) if first.is("name") => vec![],
        ("xmlattributes" | "xmlforest", _) => vec![before_as(argument)?],
        ("xmlroot", [first, rest @ ..]) if noise(first, &["version", "standalone"]) => {
            let words = rest.iter().all(|it| noise(it, &["no", "yes", "value"]));
            if words { vec![] } else { vec![rest] }
        }
        ("xmlparse" | "xmlserialize", [first, rest @ ..]) if noise(first, &["document", "content"]) => {
            vec![rest]
        }
        ("xmlexists", _) => split_word(argument, "passing"),
        _ => vec![argument],
    };
    if function == "xmlserialize" {
        values = values.into_iter().map(before_as).collect::<Result<_>>()?;
    }
    for value in &mut values {
        while let [first, second, rest @ ..] = value
            && first.is("by")
            && noise(second, &["ref", "value"])
        {
            *value = rest;
        }
        while let [rest @ .., before, last] = value
            && (before.is("by") && noise(last, &["ref", "value"])
                || noise(before, &["preserve", "strip"]) && last.is("whitespace"))
        {
            *value = rest;
        }
    }
    Ok(values)
}

/// The value before AS and a label or a type.
fn before_as(argument: &[Lexeme]) -> Result<&[Lexeme]> {
    match split_word(argument, "as").as_slice() {
        [value] => Ok(value),
        [value, label] => types_only(label).map(|()| *value),
        _ => Err(NotUnderstood),
    }
}
