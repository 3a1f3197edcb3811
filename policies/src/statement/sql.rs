//! What SQL does. PostgreSQL's own lexical rules cut the text, sqlparser makes trees of its queries, and the other
//! statements are read here. What is not understood for certain is `unknown`; it is never taken for less than it is.
mod alter;
mod builder;
mod change;
mod cursor;
mod ddl;
mod expression;
mod forms;
mod from;
mod grant;
mod keywords;
mod lexer;
mod loose;
mod mysql;
mod names;
mod query;
mod reader;
mod rewrite;
mod scope;
mod session;
mod utility;

use super::{Dialect, Facts, Verb};
use builder::Builder;
use cursor::Cursor;
use lexer::Lexeme;
use reader::{NotUnderstood, Reader, Result};
use sqlparser::ast::{Expr, SetExpr, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;
use std::collections::BTreeMap;

/// Longer texts are not read.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Statements in one text at most.
const STATEMENTS_MAX: usize = 1_000;
/// Brackets within brackets at most.
const NESTING_MAX: usize = 64;
/// Operators and keywords in a row, summed over all open brackets: bounds how deep a tree can lean.
const CHAIN_MAX: usize = 3_000;
/// Levels that the parser may go down; it takes several for each bracket.
const PARSER_DEPTH_MAX: usize = 400;

/// The facts of one request, which may hold several statements.
#[must_use]
pub fn analyse(text: &str, dialect: Dialect) -> Facts {
    analyse_in(text, dialect, &Context::default())
}

/// What is known of the session in which a text runs.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The database that stands where a name says none (MySQL); empty: not known, or none.
    pub database: &'a str,
    /// Facts of the session's prepared statements by their names.
    pub prepared: &'a dyn Fn(&str) -> Option<Facts>,
}

impl Default for Context<'_> {
    fn default() -> Self {
        Self { database: "", prepared: &|_| None }
    }
}

/// The same, of a session of which more is known.
#[must_use]
pub fn analyse_in(text: &str, dialect: Dialect, context: &Context<'_>) -> Facts {
    if text.len() > TEXT_BYTES_MAX {
        return Facts::unknown();
    }
    match dialect {
        Dialect::Postgres => postgres(text, context.prepared),
        Dialect::Mysql => mysql::analyse(text, context),
    }
}

/// The same, where `prepared` knows the facts of the session's prepared statements by their names. Those made through
/// the extended protocol count: EXECUTE runs them too. Those that the text itself prepares need not be known.
#[must_use]
pub fn analyse_with(text: &str, dialect: Dialect, prepared: &dyn Fn(&str) -> Option<Facts>) -> Facts {
    analyse_in(text, dialect, &Context { prepared, ..Context::default() })
}

fn postgres(text: &str, prepared: &dyn Fn(&str) -> Option<Facts>) -> Facts {
    let Ok(lexemes) = lexer::lex(text) else { return Facts::unknown() };
    if !bounded(&lexemes) {
        return Facts::unknown();
    }
    let mut session = Session { prepared, local: BTreeMap::new() };
    let mut all = Builder::default();
    let mut members = Vec::new();
    for statement in split(&lexemes).filter(|statement| !statement.is_empty()) {
        if members.len() >= STATEMENTS_MAX {
            return Facts::unknown();
        }
        let facts = session.statement(statement);
        all.add(&facts);
        members.push(facts);
    }
    let facts = all.finish();
    if members.len() > 1 { Facts { members, ..facts } } else { facts }
}

/// What is known of the session while its text is read.
struct Session<'a> {
    prepared: &'a dyn Fn(&str) -> Option<Facts>,
    /// Prepared by the text itself.
    local: BTreeMap<String, Facts>,
}

impl Session<'_> {
    /// One statement; empty: nothing.
    fn statement(&mut self, lexemes: &[Lexeme]) -> Facts {
        let mut facts = Builder::default();
        if !lexemes.is_empty() && self.dispatch(lexemes, &mut facts).is_err() {
            facts.unknown();
        }
        facts.finish()
    }

    fn dispatch(&mut self, lexemes: &[Lexeme], facts: &mut Builder) -> Result {
        let first = match lexemes.first() {
            Some(Lexeme::Word(word)) => word.as_str(),
            Some(Lexeme::Sign('(')) => "select",
            _ => return Err(NotUnderstood),
        };
        let mut cursor = Cursor::new(lexemes);
        match first {
            "select" | "values" | "table" | "with" | "insert" | "update" | "delete" | "merge" => {
                self::query(lexemes, facts)
            }
            "prepare" | "execute" | "deallocate" | "declare" | "fetch" | "move" | "close" | "explain"
            | "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release"
            | "set" | "reset" | "show" | "discard" => self.session_statement(first, &mut cursor, facts),
            "copy" | "call" | "do" | "listen" | "unlisten" | "notify" | "lock" | "vacuum" | "analyze"
            | "analyse" | "cluster" | "reindex" | "checkpoint" | "load" | "truncate" => {
                utility::statement(first, &mut cursor, facts)
            }
            _ => self.definition(first, &mut cursor, facts),
        }
    }
}

/// SELECT, VALUES, TABLE, WITH, INSERT, UPDATE, DELETE or MERGE.
fn query(lexemes: &[Lexeme], facts: &mut Builder) -> Result {
    let lexemes = forms::rewrite(lexemes, facts)?;
    let tokens = rewrite::tokens(&lexemes, facts)?;
    let dialect = PostgreSqlDialect {};
    let mut parser = parser(&dialect, tokens);
    let statement = parser.parse_statement().map_err(|_| NotUnderstood)?;
    ended(&parser)?;
    if let Statement::Query(query) = &statement
        && gives_rows(&query.body)
    {
        facts.verb(Verb::Select);
    }
    let mut reader = Reader::new(facts);
    match &statement {
        Statement::Query(query) => reader.query(query, scope::Use::Output)?,
        Statement::Insert(insert) => reader.insert(insert)?,
        Statement::Update(update) => reader.update(update)?,
        Statement::Delete(delete) => reader.delete(delete)?,
        Statement::Merge(merge) => reader.merge(merge)?,
        _ => return Err(NotUnderstood),
    };
    Ok(())
}

/// Is the statement itself a SELECT, whatever its WITH holds?
fn gives_rows(mut body: &SetExpr) -> bool {
    while let SetExpr::Query(inner) = body {
        body = &inner.body;
    }
    !matches!(body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_))
}

/// One expression that sees the columns of `object`, where there is one.
fn expression(lexemes: &[Lexeme], object: Option<&str>, facts: &mut Builder) -> Result {
    let lexemes = forms::rewrite(lexemes, facts)?;
    let tokens = rewrite::tokens(&lexemes, facts)?;
    let dialect = PostgreSqlDialect {};
    let mut parser = parser(&dialect, tokens);
    let expr: Expr = parser.parse_expr().map_err(|_| NotUnderstood)?;
    ended(&parser)?;
    let mut reader = Reader::new(facts);
    let mut frame = scope::Frame::default();
    if let Some(object) = object {
        frame.sources.push(scope::Source {
            name: String::new(),
            schema: None,
            origin: scope::Origin::Object(object.to_owned()),
            renamed: vec![],
        });
    }
    reader.framed(frame, |it| it.expr(&expr, scope::Use::Filter))
}

fn parser(dialect: &PostgreSqlDialect, tokens: Vec<Token>) -> Parser<'_> {
    Parser::new(dialect).with_recursion_limit(PARSER_DEPTH_MAX).with_tokens(tokens)
}

fn ended(parser: &Parser<'_>) -> Result {
    if parser.peek_token_ref().token == Token::EOF { Ok(()) } else { Err(NotUnderstood) }
}

/// The statements of a text.
fn split(lexemes: &[Lexeme]) -> impl Iterator<Item = &[Lexeme]> {
    let mut depth = 0_usize;
    lexemes.split(move |lexeme| {
        match lexeme {
            Lexeme::Sign('(' | '[') => depth += 1,
            Lexeme::Sign(')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        // Within brackets only CREATE RULE has statements.
        depth == 0 && lexeme.is_sign(';')
    })
}

/// Can its trees be built, walked and dropped on any stack?
fn bounded(lexemes: &[Lexeme]) -> bool {
    let mut open: Vec<usize> = Vec::new();
    let mut chain = 0_usize;
    let mut total = 0_usize;
    for lexeme in lexemes {
        match lexeme {
            Lexeme::Sign('(' | '[') => {
                chain += 1;
                open.push(chain);
                total += chain;
                chain = 0;
            }
            Lexeme::Sign(')' | ']') => {
                let outer = open.pop().unwrap_or(0);
                total = total.saturating_sub(outer);
                chain = outer;
            }
            Lexeme::Sign(',' | ';') => chain = 0,
            Lexeme::Word(word) if keywords::class(word).is_none() => {}
            Lexeme::Word(_) | Lexeme::Operator(_) | Lexeme::Sign(_) => chain += 1,
            _ => {}
        }
        if open.len() > NESTING_MAX || total + chain > CHAIN_MAX {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests;
