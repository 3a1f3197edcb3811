//! Reads what is no query loosely: definitions, defaults, checks. See [`loose`].
use super::super::Verb;
use super::builder::Builder;
use super::cursor::Cursor;
use super::ddl::relations;
use super::expression::VALUE_FUNCTIONS;
use super::keywords::{self, Class};
use super::lexer::Lexeme;
use super::names;
use super::reader::{NotUnderstood, Reader, Result};

/// Reads what is no query: its functions, `regclass` casts, and the tables behind REFERENCES, LIKE, INHERITS,
/// PARTITION OF and the like. A query anywhere within is not understood.
pub(super) fn loose(lexemes: &[Lexeme], facts: &mut Builder) -> Result {
    let mut cursor = Cursor::new(lexemes);
    let mut before: Option<&Lexeme> = None;
    while let Some(lexeme) = cursor.peek() {
        let last = before;
        if lexeme.is("select") {
            return Err(NotUnderstood);
        }
        let opens = before.is_some_and(|it| it.is_sign('('));
        let element = opens || before.is_some_and(|it| it.is_sign(','));
        if opens && ["with", "values", "table"].iter().any(|word| lexeme.is(word)) {
            return Err(NotUnderstood);
        }
        before = Some(lexeme);
        if cursor.words(&["exclude", "using"]) {
            cursor.path()?;
            continue;
        }
        let closed = last.is_some_and(|it| it.is_sign(')'));
        if other_table(&mut cursor, element, closed, facts)? {
            continue;
        }
        match lexeme {
            Lexeme::Word(word) if VALUE_FUNCTIONS.contains(&word.as_str()) => {
                facts.function(word.clone());
                cursor.next();
            }
            Lexeme::Word(word) if !may_be_function(word, last) => {
                cursor.next();
            }
            Lexeme::Quoted(_) if !may_be_function("", last) => {
                cursor.next();
            }
            Lexeme::Word(_) | Lexeme::Quoted(_) => called(&mut cursor, facts)?,
            Lexeme::Text(text) => {
                cursor.next();
                regclass(text, last, &cursor, facts);
            }
            _ => {
                cursor.next();
            }
        }
    }
    Ok(())
}

/// Is the name that stands here behind `before` a function's, where a parenthesis follows? An expression has an operator,
/// a bracket, a comma or a keyword before a function; a name stands before a type, an index method, an operator class.
fn may_be_function(word: &str, before: Option<&Lexeme>) -> bool {
    let value = match before {
        None | Some(Lexeme::Operator(_) | Lexeme::Sign('(' | '[' | ',')) => true,
        Some(Lexeme::Word(before)) => match keywords::class(before) {
            None => false,
            Some(Class::Reserved) => true,
            Some(_) => before != "type",
        },
        Some(_) => false,
    };
    value
        && match keywords::class(word) {
            None => true,
            Some(Class::ColumnName) => !TYPES.contains(&word),
            Some(Class::TypeOrFunction) => true,
            Some(Class::Reserved) => false,
            // Behind a keyword these are keywords themselves: PRIMARY KEY (…), PARTITION BY RANGE (…).
            Some(Class::Unreserved) => {
                let clause = match before {
                    Some(Lexeme::Word(before)) => {
                        keywords::class(before) != Some(Class::Reserved)
                            || before == "primary"
                            || before == "foreign"
                    }
                    _ => false,
                };
                !clause && !CLAUSES.contains(&word)
            }
        }
}

/// Words of the grammar for types, and the like, before parentheses.
#[rustfmt::skip]
const TYPES: &[&str] = &[
    "between", "bigint", "bit", "boolean", "char", "character", "dec", "decimal", "exists", "float", "inout", "int",
    "integer", "interval", "national", "nchar", "none", "numeric", "out", "precision", "real", "row", "setof", "smallint",
    "time", "timestamp", "values", "varchar",
];

/// Words that begin an element or an action, before parentheses.
const CLAUSES: &[&str] = &["exclude", "include", "key", "options", "reset", "set"];

/// Takes words that a table's name follows, and the name.
fn other_table(cursor: &mut Cursor<'_>, element: bool, closed: bool, facts: &mut Builder) -> Result<bool> {
    if cursor.words(&["owned", "by"]) {
        let mut path = cursor.path()?;
        path.pop();
        if let Some(table) = names::object(&path) {
            facts.touch(Verb::Ddl, &table);
        }
        return Ok(true);
    }
    if closed && cursor.word("inherits") {
        let mut parents = Cursor::new(cursor.parenthesised()?);
        if parents.peek().is_some() {
            relations(&mut parents, facts)?;
        }
        return Ok(true);
    }
    let follows = cursor.word("references")
        || element && cursor.word("like")
        || cursor.words(&["partition", "of"])
        || cursor.words(&["attach", "partition"])
        || cursor.words(&["detach", "partition"])
        || cursor.words(&["no", "inherit"]) && cursor.peek().is_some()
        || cursor.word("inherit") && cursor.peek().is_some();
    // NO INHERIT ends a CHECK constraint too, and GRANT has WITH INHERIT.
    let named = matches!(cursor.peek(), Some(Lexeme::Word(_) | Lexeme::Quoted(_)));
    if follows && named {
        facts.touch(Verb::Ddl, &cursor.object()?);
    }
    Ok(follows)
}

/// A name; a function where parentheses follow.
fn called(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    let path = cursor.path()?;
    let mut ahead = cursor.clone();
    if !ahead.sign('(') {
        return Ok(());
    }
    let literal = match ahead.next() {
        Some(Lexeme::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let alone = match ahead.peek() {
        Some(Lexeme::Sign(',' | ')')) => true,
        Some(it) => it.is_operator("::"),
        None => false,
    };
    Reader::new(facts).call(&path, |index| literal.clone().filter(|_| index == 0 && alone))
}

fn regclass(text: &str, before: Option<&Lexeme>, behind: &Cursor<'_>, facts: &mut Builder) {
    let mut ahead = behind.clone();
    let cast =
        ahead.operator("::") && ahead.path().is_ok_and(|path| path.last().is_some_and(|it| it == "regclass"));
    if cast || before.is_some_and(|it| it.is("regclass")) {
        facts.literals_matter();
        if let Some(object) = names::in_literal(text).and_then(|parts| names::object(&parts)) {
            facts.touch(Verb::Select, &object);
        }
    }
}
