//! How names are written in facts.
use super::lexer::{Lexeme, lex};

/// One part of a name; in double quotes where it could pass for several parts or for a wildcard.
pub(super) fn part(name: &str) -> String {
    if name.is_empty() || name.contains(['.', '"', '*']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

/// `schema.name` or `name`. A catalog before them is dropped: it can only be the current one.
pub(super) fn object(parts: &[String]) -> Option<String> {
    match parts {
        [name] => Some(part(name)),
        [schema, name] | [_, schema, name] => Some(format!("{}.{}", part(schema), part(name))),
        _ => None,
    }
}

/// `object.column`.
pub(super) fn column(object: &str, column: &str) -> String {
    format!("{object}.{}", part(column))
}

/// `object.*`.
pub(super) fn any_column(object: &str) -> String {
    format!("{object}.*")
}

/// The name within a literal, as `regclass` reads it: `'public.cards'`, `'"Cards"'`.
pub(super) fn in_literal(text: &str) -> Option<Vec<String>> {
    if text.contains('\\') {
        return None;
    }
    let lexemes = lex(text).ok()?;
    // Names and dots by turns, a name at either end.
    if lexemes.len() % 2 == 0 {
        return None;
    }
    let mut parts = Vec::new();
    for (index, lexeme) in lexemes.into_iter().enumerate() {
        match lexeme {
            Lexeme::Word(name) | Lexeme::Quoted(name) if index % 2 == 0 => parts.push(name),
            Lexeme::Sign('.') if index % 2 == 1 => {}
            _ => return None,
        }
    }
    (parts.len() <= 3).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_pass_for_several() {
        let parts = |it: &[&str]| it.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        assert_eq!(object(&parts(&["cards"])).unwrap(), "cards");
        assert_eq!(object(&parts(&["public", "cards"])).unwrap(), "public.cards");
        assert_eq!(object(&parts(&["db", "public", "cards"])).unwrap(), "public.cards");
        assert_eq!(object(&parts(&["public.cards"])).unwrap(), "\"public.cards\"");
        assert_eq!(object(&parts(&["a\"b"])).unwrap(), "\"a\"\"b\"");
        assert_eq!(object(&parts(&["a", "b", "c", "d"])), None);
        assert_eq!(object(&[]), None);
        assert_eq!(column("cards", "*"), "cards.\"*\"");
    }

    #[test]
    fn names_within_literals() {
        assert_eq!(in_literal("Public.Cards").unwrap(), ["public", "cards"]);
        assert_eq!(in_literal("\"Cards\"").unwrap(), ["Cards"]);
        for none in ["", "a b", "1234", "a.", "a\\b", "a.b.c.d"] {
            assert_eq!(in_literal(none), None, "{none}");
        }
    }
}
