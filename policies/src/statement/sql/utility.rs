//! COPY, CALL, DO, notifications and maintenance.
use super::super::{Effect, Verb};
use super::builder::Builder;
use super::cursor::Cursor;
use super::forms;
use super::lexer::Lexeme;
use super::names;
use super::reader::{NotUnderstood, Reader, Result};

/// A statement that begins with `first`, one of those that `dispatch` lists.
pub(super) fn statement(first: &str, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.next();
    match first {
        "copy" => copy(cursor, facts),
        "call" => call(cursor, facts),
        // A block of code in a language of its own.
        "do" => {
            facts.effect(Effect::DynamicSql);
            Err(NotUnderstood)
        }
        "listen" | "unlisten" | "notify" => notify(cursor, facts),
        "lock" => lock(cursor, facts),
        "vacuum" | "analyze" | "analyse" => vacuum(cursor, facts),
        "cluster" => cluster(cursor, facts),
        "reindex" => reindex(cursor, facts),
        "checkpoint" => {
            facts.verb(Verb::Admin);
            if cursor.peek().is_some() {
                plain(cursor.parenthesised()?)?;
            }
            cursor.end()
        }
        // LOAD runs a library's code.
        "load" => {
            facts.verb(Verb::Admin);
            facts.effect(Effect::DynamicSql);
            facts.effect(Effect::RunsProgram);
            facts.literals_matter();
            cursor.next();
            cursor.end()
        }
        "truncate" => truncate(cursor, facts),
        _ => Err(NotUnderstood),
    }
}

fn copy(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.word("binary");
    let mut table = None;
    let mut columns: Vec<String> = vec![];
    if cursor.peek().is_some_and(|it| it.is_sign('(')) {
        let inner = cursor.parenthesised()?;
        facts.verb(Verb::Copy);
        super::query(inner, facts)?;
    } else {
        let object = cursor.object()?;
        if cursor.peek().is_some_and(|it| it.is_sign('(')) {
            columns = list(cursor.parenthesised()?)?;
        }
        table = Some(object);
    }
    let from = match cursor.one_of(&["from", "to"]) {
        Some("from") if table.is_some() => true,
        Some("to") => false,
        _ => return Err(NotUnderstood),
    };
    if let Some(table) = &table {
        facts.touch(Verb::Copy, table);
        facts.touch(if from { Verb::Insert } else { Verb::Select }, table);
        copied(table, &columns, from, facts);
    }
    let program = cursor.word("program");
    match cursor.next() {
        Some(Lexeme::Word(word)) if !program && (word == "stdin" || word == "stdout") => {}
        Some(Lexeme::Text(_)) => {
            facts.literals_matter();
            facts.effect(match (program, from) {
                (true, _) => Effect::RunsProgram,
                (false, true) => Effect::ReadsFile,
                (false, false) => Effect::WritesFile,
            });
            facts.verb(Verb::Admin);
        }
        _ => return Err(NotUnderstood),
    }
    let options = cursor.until("where");
    plain(options)?;
    if !from {
        legible(options, facts)?;
    }
    if cursor.word("where") {
        super::expression(cursor.rest(), table.as_deref(), facts)?;
    }
    Ok(())
}

/// What COPY sends must be readable for who masks it: in UTF-8, and nothing of its frame may pass for a part of a
/// number. `QUOTE '1'`, `NULL '1'` and Shift-JIS are not understood.
fn legible(options: &[Lexeme], facts: &mut Builder) -> Result {
    let mut rest = options;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let (Lexeme::Word(option) | Lexeme::Quoted(option)) = first else { continue };
        let encodes = option == "encoding";
        if !encodes && !["delimiter", "delimiters", "quote", "escape", "null"].contains(&option.as_str()) {
            continue;
        }
        let value = after.iter().find(|it| !it.is("as"));
        let value = match value {
            None | Some(Lexeme::Sign(_)) => continue,
            Some(
                Lexeme::Text(value) | Lexeme::Number(value) | Lexeme::Quoted(value) | Lexeme::Word(value),
            ) => value,
            Some(_) => return Err(NotUnderstood),
        };
        facts.literals_matter();
        let utf8 = || ["utf8", "utf-8", "unicode"].iter().any(|name| value.eq_ignore_ascii_case(name));
        let hides = if encodes { !utf8() } else { value.chars().any(char::is_numeric) };
        if hides {
            return Err(NotUnderstood);
        }
    }
    Ok(())
}

/// The columns that COPY names, or all.
fn copied(table: &str, columns: &[String], from: bool, facts: &mut Builder) {
    match (columns.is_empty(), from) {
        (true, true) => facts.write(names::any_column(table)),
        (true, false) => facts.whole_row(table, &names::any_column(table), false),
        (false, _) => {
            for column in columns {
                let column = names::column(table, column);
                if from {
                    facts.write(column);
                } else {
                    facts.read(&column, false);
                }
            }
        }
    }
}

/// Options: words, literals and lists of them; nothing that is run.
fn plain(lexemes: &[Lexeme]) -> Result {
    let options = lexemes.iter().all(|it| match it {
        Lexeme::Word(word) => word != "select",
        Lexeme::Operator(operator) => ["*", "-", "+", "=", "."].contains(&operator.as_str()),
        Lexeme::Sign(sign) => matches!(sign, '(' | ')' | ',' | '.'),
        Lexeme::Quoted(_) | Lexeme::Text(_) | Lexeme::Number(_) | Lexeme::Bits(_) => true,
        Lexeme::Parameter(_) => false,
    });
    if options { Ok(()) } else { Err(NotUnderstood) }
}

/// Names between commas.
fn list(lexemes: &[Lexeme]) -> Result<Vec<String>> {
    let mut cursor = Cursor::new(lexemes);
    let mut names = vec![cursor.name()?];
    while cursor.sign(',') {
        names.push(cursor.name()?);
    }
    cursor.end()?;
    Ok(names)
}

fn call(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    let path = cursor.path()?;
    let from = cursor.rest();
    let arguments = cursor.parenthesised()?;
    cursor.end()?;
    facts.touch(Verb::Call, &names::object(&path).ok_or(NotUnderstood)?);
    let mut values = vec![Lexeme::Quoted(forms::COMPUTES.to_owned())];
    values.extend_from_slice(from);
    super::expression(&values, None, facts)?;
    let literal = match arguments {
        [Lexeme::Text(text)] | [Lexeme::Text(text), Lexeme::Sign(','), ..] => Some(text.clone()),
        _ => None,
    };
    Reader::new(facts).acts(&path, |index| literal.clone().filter(|_| index == 0))
}

fn notify(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    let channel = if cursor.operator("*") { "*".to_owned() } else { names::part(&cursor.name()?) };
    facts.access(Verb::Call, &channel);
    if cursor.sign(',') && !matches!(cursor.next(), Some(Lexeme::Text(_))) {
        return Err(NotUnderstood);
    }
    cursor.end()
}

/// `[ONLY] name [*]`, or ONLY (name).
pub(super) fn relation(cursor: &mut Cursor<'_>) -> Result<String> {
    if cursor.word("only") && cursor.sign('(') {
        let object = cursor.object()?;
        return if cursor.sign(')') { Ok(object) } else { Err(NotUnderstood) };
    }
    let object = cursor.object()?;
    cursor.operator("*");
    Ok(object)
}

/// Relations between commas.
fn relations(verb: Verb, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    loop {
        facts.touch(verb, &relation(cursor)?);
        if !cursor.sign(',') {
            return Ok(());
        }
    }
}

fn lock(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.word("table");
    relations(Verb::Admin, cursor, facts)?;
    words(cursor)
}

fn words(cursor: &mut Cursor<'_>) -> Result {
    while let Some(lexeme) = cursor.next() {
        if !matches!(lexeme, Lexeme::Word(_)) {
            return Err(NotUnderstood);
        }
    }
    Ok(())
}

fn vacuum(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Admin);
    if cursor.peek().is_some_and(|it| it.is_sign('(')) {
        plain(cursor.parenthesised()?)?;
    }
    while cursor.one_of(&["full", "freeze", "verbose", "analyze", "analyse"]).is_some() {}
    while cursor.peek().is_some() {
        facts.touch(Verb::Admin, &relation(cursor)?);
        if cursor.peek().is_some_and(|it| it.is_sign('(')) {
            list(cursor.parenthesised()?)?;
        }
        if !cursor.sign(',') {
            return cursor.end();
        }
    }
    Ok(())
}

fn cluster(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Admin);
    if cursor.peek().is_some_and(|it| it.is_sign('(')) {
        plain(cursor.parenthesised()?)?;
    }
    cursor.word("verbose");
    if cursor.peek().is_none() {
        return Ok(());
    }
    let first = cursor.object()?;
    if cursor.word("on") {
        // The old form: CLUSTER index ON table.
        facts.touch(Verb::Admin, &cursor.object()?);
        facts.touch(Verb::Admin, &first);
    } else {
        facts.touch(Verb::Admin, &first);
        if cursor.word("using") {
            cursor.name()?;
        }
    }
    cursor.end()
}

fn reindex(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.verb(Verb::Admin);
    if cursor.peek().is_some_and(|it| it.is_sign('(')) {
        plain(cursor.parenthesised()?)?;
    }
    let kind = cursor.one_of(&["index", "table", "schema", "database", "system"]).ok_or(NotUnderstood)?;
    cursor.word("concurrently");
    if cursor.peek().is_none() {
        return Ok(());
    }
    let object = cursor.object()?;
    if kind == "index" || kind == "table" {
        facts.touch(Verb::Admin, &object);
    }
    cursor.end()
}

/// TRUNCATE: all rows go, by a statement that makes and drops files as DDL does.
fn truncate(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.word("table");
    facts.effect(Effect::Unbounded);
    facts.verb(Verb::Ddl);
    loop {
        let object = relation(cursor)?;
        facts.touch(Verb::Delete, &object);
        facts.touch(Verb::Ddl, &object);
        if !cursor.sign(',') {
            break;
        }
    }
    words(cursor)
}
