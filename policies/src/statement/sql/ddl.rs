//! CREATE, ALTER, DROP, COMMENT, SECURITY LABEL, REFRESH, IMPORT. Of what they hold, queries and commands are read as
//! such, other expressions for their functions and `regclass` casts; code of other languages is `dynamic-sql`.
use super::super::{Effect, Verb};
use super::Session;
use super::builder::Builder;
use super::cursor::Cursor;
use super::grant;
use super::keywords::{self, Class};
use super::lexer::Lexeme;
use super::names;
use super::reader::{NotUnderstood, Reader, Result};
use super::utility::relation;

/// Kinds whose definition is or names code that runs later.
const CODE: &[&str] = &[
    "function",
    "procedure",
    "aggregate",
    "operator",
    "cast",
    "language",
    "extension",
    "trigger",
    "event",
    "rule",
    "conversion",
    "transform",
    "access",
    "server",
    "subscription",
    "user",
    "foreign",
    "text",
    "type",
    "database",
];

/// Kinds of objects that hold rows, or stand for what does.
const RELATIONS: &[&str] = &["table", "view", "index", "sequence"];

impl Session<'_> {
    /// A statement that begins with `first`.
    pub(super) fn definition(&mut self, first: &str, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        cursor.next();
        match first {
            "create" => self.create(cursor, facts),
            "alter" => alter(cursor, facts),
            "drop" => drop_statement(cursor, facts),
            "comment" if cursor.word("on") => described(Verb::Ddl, cursor, facts),
            "security" if cursor.word("label") => {
                if cursor.word("for") {
                    cursor.next();
                }
                facts.verb(Verb::Grant);
                if cursor.word("on") { described(Verb::Ddl, cursor, facts) } else { Err(NotUnderstood) }
            }
            "refresh" if cursor.words(&["materialized", "view"]) => {
                cursor.word("concurrently");
                facts.touch(Verb::Ddl, &cursor.object()?);
                loose(cursor.rest(), facts)
            }
            "import" if cursor.words(&["foreign", "schema"]) => {
                facts.verb(Verb::Ddl);
                facts.effect(Effect::DynamicSql);
                loose(cursor.until("limit"), facts)?;
                if cursor.words(&["limit", "to"]) {
                    relations(&mut Cursor::new(cursor.parenthesised()?), facts)?;
                }
                loose(cursor.rest(), facts)
            }
            "grant" | "revoke" => grant::grant(cursor, facts),
            "reassign" if cursor.word("owned") => {
                facts.verb(Verb::Grant);
                facts.verb(Verb::Ddl);
                loose(cursor.rest(), facts)
            }
            _ => Err(NotUnderstood),
        }
    }

    fn create(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        cursor.words(&["or", "replace"]);
        let modifiers = [
            "global",
            "local",
            "temp",
            "temporary",
            "unlogged",
            "recursive",
            "trusted",
            "procedural",
            "constraint",
            "unique",
            "default",
            "materialized",
        ];
        while cursor.one_of(&modifiers).is_some() {}
        match cursor.peek() {
            Some(Lexeme::Word(kind)) => {
                let kind = kind.as_str();
                cursor.next();
                self.create_kind(kind, cursor, facts)
            }
            _ => Err(NotUnderstood),
        }
    }

    fn create_kind(&mut self, kind: &str, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        if CODE.contains(&kind) {
            facts.effect(Effect::DynamicSql);
        }
        match kind {
            "table" => self.table(cursor, facts),
            "view" => self.view(cursor, facts),
            "rule" => self.rule(cursor, facts),
            "index" => index(cursor, facts),
            "policy" => policy(cursor, facts),
            "trigger" => trigger(cursor, facts),
            "role" | "group" => grant::role(cursor, facts),
            "user" if !cursor.word("mapping") => grant::role(cursor, facts),
            "foreign" if cursor.word("table") => self.table(cursor, facts),
            "function" | "procedure" => {
                facts.touch(Verb::Ddl, &cursor.object()?);
                loose(cursor.rest(), facts)
            }
            "schema" => self.schema(cursor, facts),
            "sequence" => {
                if_exists(cursor);
                facts.touch(Verb::Ddl, &cursor.object()?);
                loose(cursor.rest(), facts)
            }
            "statistics" => {
                facts.verb(Verb::Ddl);
                loose(cursor.until("from"), facts)?;
                cursor.next();
                relations(cursor, facts)
            }
            "publication" => publication(cursor, facts),
            "type" | "domain" => {
                facts.touch(Verb::Ddl, &cursor.object()?);
                loose(cursor.rest(), facts)
            }
            "aggregate" | "operator" | "cast" | "language" | "extension" | "event" | "conversion"
            | "transform" | "access" | "server" | "subscription" | "user" | "foreign" | "text"
            | "database" | "collation" | "tablespace" => {
                facts.verb(Verb::Ddl);
                loose(cursor.rest(), facts)
            }
            _ => Err(NotUnderstood),
        }
    }

    /// CREATE SCHEMA, with the statements that it may hold.
    fn schema(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        facts.verb(Verb::Ddl);
        let lexemes = cursor.rest();
        let starts = |it: &&Lexeme| it.is("create") || it.is("grant");
        let first = lexemes.iter().position(|it| starts(&it)).unwrap_or(lexemes.len());
        let (own, mut rest) = lexemes.split_at(first);
        loose(own, facts)?;
        while !rest.is_empty() {
            let next = rest.iter().skip(1).position(|it| starts(&it)).map_or(rest.len(), |at| at + 1);
            let (element, behind) = rest.split_at(next);
            let inner = self.statement(element);
            facts.add(&inner);
            rest = behind;
        }
        Ok(())
    }

    /// CREATE TABLE, and CREATE TABLE AS.
    fn table(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        if_exists(cursor);
        let table = cursor.object()?;
        facts.touch(Verb::Ddl, &table);
        loose(cursor.until("as"), facts)?;
        if !cursor.word("as") {
            return Ok(());
        }
        self.stored_query(cursor, facts)
    }

    fn view(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        if_exists(cursor);
        facts.touch(Verb::Ddl, &cursor.object()?);
        loose(cursor.until("as"), facts)?;
        if !cursor.word("as") {
            return Err(NotUnderstood);
        }
        self.stored_query(cursor, facts)
    }

    /// The query behind AS, without WITH DATA and WITH CHECK OPTION at its end.
    fn stored_query(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        let mut query = cursor.rest();
        let ends = [
            &["with", "data"][..],
            &["with", "no", "data"],
            &["with", "check", "option"],
            &["with", "local", "check", "option"],
            &["with", "cascaded", "check", "option"],
        ];
        for end in ends {
            let (Some(from), true) = (query.len().checked_sub(end.len()), query.len() > end.len()) else {
                continue;
            };
            let tail = query.get(from..).unwrap_or_default();
            if end.iter().zip(tail).all(|(word, it)| it.is(word)) {
                query = query.get(..from).unwrap_or_default();
            }
        }
        let starts = ["select", "values", "table", "with", "execute"];
        match query.first() {
            Some(Lexeme::Sign('(')) => {}
            Some(Lexeme::Word(word)) if starts.contains(&word.as_str()) => {}
            _ => return Err(NotUnderstood),
        }
        let inner = self.statement(query);
        facts.add(&inner);
        Ok(())
    }

    /// CREATE RULE name AS ON event TO table [WHERE …] DO [ALSO | INSTEAD] commands.
    fn rule(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        cursor.name()?;
        if !cursor.words(&["as", "on"]) {
            return Err(NotUnderstood);
        }
        cursor.next();
        if !cursor.word("to") {
            return Err(NotUnderstood);
        }
        facts.touch(Verb::Ddl, &cursor.object()?);
        let condition = cursor.until("do");
        match condition.split_first() {
            None => {}
            Some((first, condition)) if first.is("where") => super::expression(condition, None, facts)?,
            Some(_) => return Err(NotUnderstood),
        }
        if !cursor.word("do") {
            return Err(NotUnderstood);
        }
        cursor.one_of(&["also", "instead"]);
        if cursor.word("nothing") {
            return cursor.end();
        }
        let mut commands = cursor.rest();
        let mut ahead = cursor.clone();
        if let Ok(inner) = ahead.parenthesised()
            && ahead.peek().is_none()
        {
            commands = inner;
        }
        for command in super::split(commands) {
            let inner = self.statement(command);
            facts.add(&inner);
        }
        Ok(())
    }
}

fn if_exists(cursor: &mut Cursor<'_>) {
    cursor.words(&["if", "not", "exists"]);
    cursor.words(&["if", "exists"]);
}

fn index(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.word("concurrently");
    if_exists(cursor);
    if !cursor.peek().is_some_and(|it| it.is("on")) {
        cursor.path()?;
    }
    if !cursor.word("on") {
        return Err(NotUnderstood);
    }
    facts.touch(Verb::Ddl, &relation(cursor)?);
    loose(cursor.rest(), facts)
}

/// Row-level security: conditions may hold queries.
fn policy(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    if_exists(cursor);
    cursor.name()?;
    if !cursor.word("on") {
        return Err(NotUnderstood);
    }
    let table = cursor.object()?;
    facts.touch(Verb::Ddl, &table);
    facts.touch(Verb::Grant, &table);
    while let Some(lexeme) = cursor.peek() {
        match lexeme {
            Lexeme::Sign('(') => {
                let condition = cursor.parenthesised()?;
                super::expression(condition, Some(&table), facts)?;
            }
            Lexeme::Word(_) | Lexeme::Quoted(_) | Lexeme::Sign(',') => {
                cursor.next();
            }
            _ => return Err(NotUnderstood),
        }
    }
    Ok(())
}

fn trigger(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.name()?;
    loose(cursor.until("on"), facts)?;
    if !cursor.word("on") {
        return Err(NotUnderstood);
    }
    facts.touch(Verb::Ddl, &cursor.object()?);
    if cursor.word("from") {
        facts.touch(Verb::Ddl, &cursor.object()?);
    }
    loose(cursor.rest(), facts)
}

/// CREATE PUBLICATION: hands tables' rows to subscribers.
fn publication(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Ddl);
    facts.verb(Verb::Grant);
    cursor.name()?;
    published(cursor, facts)
}

/// The tables behind each TABLE, until WITH.
fn published(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    let mut listing = false;
    while let Some(lexeme) = cursor.peek() {
        match lexeme {
            Lexeme::Word(word) if word == "table" => {
                cursor.next();
                listing = true;
                facts.touch(Verb::Select, &relation(cursor)?);
            }
            Lexeme::Word(word) if word == "tables" => {
                cursor.next();
                listing = false;
            }
            Lexeme::Word(word) if ["with", "where", "for", "add", "drop", "set"].contains(&word.as_str()) => {
                cursor.next();
                if word == "with" {
                    return loose(cursor.rest(), facts);
                }
            }
            Lexeme::Sign(',') => {
                cursor.next();
                let again = cursor.peek().is_some_and(|it| it.is("table") || it.is("tables"));
                if listing && !again {
                    facts.touch(Verb::Select, &relation(cursor)?);
                }
            }
            Lexeme::Sign('(') => loose(cursor.parenthesised()?, facts)?,
            _ => {
                cursor.next();
            }
        }
    }
    Ok(())
}

/// Names between commas.
fn relations(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    loop {
        facts.touch(Verb::Ddl, &relation(cursor)?);
        if !cursor.sign(',') {
            return cursor.end();
        }
    }
}

fn alter(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    let Some(Lexeme::Word(kind)) = cursor.next() else { return Err(NotUnderstood) };
    if cursor.rest().iter().any(|it| it.is("owner")) {
        facts.verb(Verb::Grant);
    }
    match kind.as_str() {
        "system" => {
            facts.verb(Verb::Admin);
            Ok(())
        }
        "role" | "group" => grant::role(cursor, facts),
        "user" if !cursor.word("mapping") => grant::role(cursor, facts),
        "default" if cursor.word("privileges") => grant::default_privileges(cursor, facts),
        "policy" => policy(cursor, facts),
        "publication" => publication(cursor, facts),
        "materialized" | "foreign" if cursor.one_of(&["view", "table"]).is_some() => altered(cursor, facts),
        kind if RELATIONS.contains(&kind) => altered(cursor, facts),
        "trigger" | "rule" => {
            cursor.name()?;
            if !cursor.word("on") {
                return Err(NotUnderstood);
            }
            facts.touch(Verb::Ddl, &cursor.object()?);
            loose(cursor.rest(), facts)
        }
        "type" | "domain" => {
            facts.effect(Effect::DynamicSql);
            altered(cursor, facts)
        }
        "aggregate" | "collation" | "conversion" | "database" | "event" | "extension" | "foreign"
        | "function" | "language" | "procedural" | "large" | "operator" | "procedure" | "routine"
        | "schema" | "server" | "statistics" | "subscription" | "tablespace" | "text" | "user" | "cast"
        | "access" | "transform" => {
            facts.verb(Verb::Ddl);
            if CODE.contains(&kind.as_str()) {
                facts.effect(Effect::DynamicSql);
            }
            loose(cursor.rest(), facts)
        }
        _ => Err(NotUnderstood),
    }
}

/// ALTER TABLE and its like.
fn altered(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    if_exists(cursor);
    if cursor.words(&["all", "in", "tablespace"]) {
        facts.verb(Verb::Ddl);
        return loose(cursor.rest(), facts);
    }
    let object = relation(cursor)?;
    facts.touch(Verb::Ddl, &object);
    let rest = cursor.rest();
    let security = ["row", "level", "security"];
    if rest.windows(security.len()).any(|three| security.iter().zip(three).all(|(word, it)| it.is(word))) {
        facts.touch(Verb::Grant, &object);
    }
    loose(rest, facts)
}

fn drop_statement(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Ddl);
    let Some(Lexeme::Word(kind)) = cursor.next() else { return Err(NotUnderstood) };
    match kind.as_str() {
        "role" | "group" => grant::role(cursor, facts),
        "user" if !cursor.word("mapping") => grant::role(cursor, facts),
        "owned" => {
            facts.verb(Verb::Grant);
            loose(cursor.rest(), facts)
        }
        "materialized" | "foreign" if cursor.one_of(&["view", "table"]).is_some() => dropped(cursor, facts),
        kind if RELATIONS.contains(&kind) => dropped(cursor, facts),
        "function" | "procedure" | "routine" | "aggregate" => dropped(cursor, facts),
        "type" | "domain" | "schema" | "extension" | "collation" | "conversion" | "statistics" => {
            loose(cursor.rest(), facts)
        }
        "trigger" | "rule" | "policy" => {
            if_exists(cursor);
            cursor.name()?;
            if !cursor.word("on") {
                return Err(NotUnderstood);
            }
            let table = cursor.object()?;
            facts.touch(Verb::Ddl, &table);
            if kind == "policy" {
                facts.touch(Verb::Grant, &table);
            }
            loose(cursor.rest(), facts)
        }
        "access" | "cast" | "database" | "event" | "foreign" | "language" | "procedural" | "operator"
        | "publication" | "server" | "subscription" | "tablespace" | "text" | "transform" | "user" => {
            loose(cursor.rest(), facts)
        }
        _ => Err(NotUnderstood),
    }
}

fn dropped(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.word("concurrently");
    if_exists(cursor);
    loop {
        facts.touch(Verb::Ddl, &cursor.object()?);
        if cursor.peek().is_some_and(|it| it.is_sign('(')) {
            cursor.parenthesised()?;
        }
        if !cursor.sign(',') {
            return loose(cursor.rest(), facts);
        }
    }
}

/// What COMMENT and SECURITY LABEL speak of.
fn described(verb: Verb, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(verb);
    cursor.one_of(&["materialized", "foreign"]);
    match cursor.one_of(&[
        "table",
        "view",
        "index",
        "sequence",
        "column",
        "constraint",
        "trigger",
        "rule",
        "policy",
    ]) {
        Some("column") => {
            let mut path = cursor.path()?;
            path.pop();
            facts.touch(verb, &names::object(&path).ok_or(NotUnderstood)?);
        }
        Some("constraint" | "trigger" | "rule" | "policy") => {
            cursor.name()?;
            if !cursor.word("on") {
                return Err(NotUnderstood);
            }
            if !cursor.word("domain") {
                facts.touch(verb, &cursor.object()?);
            }
        }
        Some(_) => facts.touch(verb, &cursor.object()?),
        None => {}
    }
    loose(cursor.rest(), facts)
}

/// Reads what is no query: its functions, `regclass` casts, and the tables behind REFERENCES, LIKE, INHERITS,
/// PARTITION OF and the like. A query anywhere within is not understood.
pub(super) fn loose(lexemes: &[Lexeme], facts: &mut Builder) -> Result {
    let mut cursor = Cursor::new(lexemes);
    let mut before: Option<&Lexeme> = None;
    while let Some(lexeme) = cursor.peek() {
        if lexeme.is("select") {
            return Err(NotUnderstood);
        }
        let opens = before.is_some_and(|it| it.is_sign('('));
        let element = opens || before.is_some_and(|it| it.is_sign(','));
        if opens && ["with", "values", "table"].iter().any(|word| lexeme.is(word)) {
            return Err(NotUnderstood);
        }
        before = Some(lexeme);
        if other_table(&mut cursor, element, facts)? {
            continue;
        }
        match lexeme {
            Lexeme::Word(word) if !may_be_function(word) => {
                cursor.next();
            }
            Lexeme::Word(_) | Lexeme::Quoted(_) => called(&mut cursor, facts)?,
            Lexeme::Text(text) => {
                cursor.next();
                regclass(text, &cursor, facts);
            }
            _ => {
                cursor.next();
            }
        }
    }
    Ok(())
}

/// Names that are no keywords, and keywords that are functions.
fn may_be_function(word: &str) -> bool {
    let types = [
        "between",
        "bigint",
        "bit",
        "boolean",
        "char",
        "character",
        "dec",
        "decimal",
        "exists",
        "float",
        "inout",
        "int",
        "integer",
        "interval",
        "national",
        "nchar",
        "none",
        "numeric",
        "out",
        "precision",
        "real",
        "row",
        "setof",
        "smallint",
        "time",
        "timestamp",
        "values",
        "varchar",
    ];
    match keywords::class(word) {
        None => true,
        Some(Class::ColumnName) => !types.contains(&word),
        Some(Class::TypeOrFunction) => word == "left" || word == "right",
        Some(Class::Reserved | Class::Unreserved) => false,
    }
}

/// Takes words that a table's name follows, and the name.
fn other_table(cursor: &mut Cursor<'_>, element: bool, facts: &mut Builder) -> Result<bool> {
    if cursor.words(&["owned", "by"]) {
        let mut path = cursor.path()?;
        path.pop();
        if let Some(table) = names::object(&path) {
            facts.touch(Verb::Ddl, &table);
        }
        return Ok(true);
    }
    if cursor.word("inherits") {
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

fn regclass(text: &str, behind: &Cursor<'_>, facts: &mut Builder) {
    let mut ahead = behind.clone();
    let cast =
        ahead.operator("::") && ahead.path().is_ok_and(|path| path.last().is_some_and(|it| it == "regclass"));
    if cast {
        facts.literals_matter();
        if let Some(object) = names::in_literal(text).and_then(|parts| names::object(&parts)) {
            facts.touch(Verb::Select, &object);
        }
    }
}
