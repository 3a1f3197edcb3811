//! Statements about the session: prepared statements, cursors, settings, transactions, EXPLAIN.
use super::super::{Effect, TransactionVerb, Verb};
use super::Session;
use super::builder::Builder;
use super::cursor::Cursor;
use super::lexer::Lexeme;
use super::reader::{NotUnderstood, Result};

impl Session<'_> {
    /// A statement that begins with `first`, one of those that `dispatch` lists.
    pub(super) fn session_statement(
        &mut self,
        first: &str,
        cursor: &mut Cursor<'_>,
        facts: &mut Builder,
    ) -> Result {
        if first == "explain" {
            return self.explain(cursor, facts);
        }
        cursor.next();
        match first {
            // A prepared statement may be called `transaction`.
            "prepare" if matches!(cursor.rest(), [first, Lexeme::Text(_)] if first.is("transaction")) => {
                facts.transaction(TransactionVerb::Prepare);
                Ok(())
            }
            "prepare" => self.prepare(cursor, facts),
            "execute" => self.execute(cursor, facts),
            "deallocate" => {
                cursor.word("prepare");
                let name = cursor.name()?;
                self.local.remove(&name);
                facts.access(Verb::Set, "deallocate");
                cursor.end()
            }
            "declare" => declare(cursor, facts),
            "fetch" | "move" | "close" => {
                // Which rows come was decided with DECLARE, or with the portal of that name.
                facts.verb(Verb::Select);
                portal(cursor)
            }
            "set" => set(cursor, facts),
            "reset" => {
                let name = setting(cursor)?;
                facts.access(Verb::Set, &name);
                cursor.end()
            }
            "show" => {
                facts.verb(Verb::Select);
                setting(cursor)?;
                cursor.end()
            }
            "discard" => {
                let what = cursor
                    .one_of(&["all", "plans", "sequences", "temp", "temporary"])
                    .ok_or(NotUnderstood)?;
                facts.access(Verb::Set, "discard");
                // RESET ALL, RESET SESSION AUTHORIZATION and more.
                if what == "all" {
                    facts.access(Verb::Set, "all");
                }
                cursor.end()
            }
            _ => begin_or_end(first, cursor, facts),
        }
    }

    /// EXPLAIN plans its statement, which runs functions, and with ANALYZE runs it: it counts as that.
    fn explain(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        cursor.next();
        if cursor.peek().is_some_and(|it| it.is_sign('(')) {
            let mut behind = cursor.clone();
            let inner = behind.parenthesised()?;
            // EXPLAIN (SELECT …) has no options.
            let query = matches!(inner.first(), Some(Lexeme::Sign('(')))
                || inner
                    .first()
                    .is_some_and(|it| ["select", "with", "values", "table"].iter().any(|word| it.is(word)));
            if !query {
                *cursor = behind;
            }
        } else {
            cursor.one_of(&["analyze", "analyse"]);
            cursor.word("verbose");
        }
        facts.verb(Verb::Select);
        let explainable = [
            "select", "values", "table", "with", "insert", "update", "delete", "merge", "execute", "declare",
            "create", "refresh",
        ];
        match cursor.peek() {
            Some(Lexeme::Sign('(')) => {}
            Some(Lexeme::Word(word)) if explainable.contains(&word.as_str()) => {}
            _ => return Err(NotUnderstood),
        }
        let inner = self.statement(cursor.rest());
        facts.add(&inner);
        Ok(())
    }

    /// PREPARE counts as the statement that it prepares: what EXECUTE then runs has been decided.
    fn prepare(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        let name = cursor.name()?;
        if cursor.peek().is_some_and(|it| it.is_sign('(')) {
            cursor.parenthesised()?;
        }
        if !cursor.word("as") {
            return Err(NotUnderstood);
        }
        let preparable = ["select", "values", "table", "with", "insert", "update", "delete", "merge"];
        match cursor.peek() {
            Some(Lexeme::Sign('(')) => {}
            Some(Lexeme::Word(word)) if preparable.contains(&word.as_str()) => {}
            _ => return Err(NotUnderstood),
        }
        let inner = self.statement(cursor.rest());
        facts.add(&inner);
        facts.prepares(name.clone());
        facts.literals_matter();
        self.local.insert(name, inner);
        Ok(())
    }

    fn execute(&mut self, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
        let name = cursor.name()?;
        facts.literals_matter();
        facts.executes(name.clone());
        if cursor.peek().is_some_and(|it| it.is_sign('(')) {
            let arguments = cursor.parenthesised()?;
            // Their functions run; queries are not allowed there.
            let mut row = vec![Lexeme::Word("row".to_owned()), Lexeme::Sign('(')];
            row.extend_from_slice(arguments);
            row.push(Lexeme::Sign(')'));
            super::expression(&row, None, facts)?;
        }
        cursor.end()?;
        let known = self.local.get(&name).cloned().or_else(|| (self.prepared)(&name));
        let Some(known) = known else {
            facts.effect(Effect::DynamicSql);
            return Err(NotUnderstood);
        };
        facts.add(&known);
        Ok(())
    }
}

fn declare(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    cursor.name()?;
    let options = ["binary", "asensitive", "insensitive", "no", "scroll"];
    while cursor.one_of(&options).is_some() {}
    if !cursor.word("cursor") {
        return Err(NotUnderstood);
    }
    if cursor.one_of(&["with", "without"]).is_some() && !cursor.word("hold") {
        return Err(NotUnderstood);
    }
    if !cursor.word("for") {
        return Err(NotUnderstood);
    }
    match cursor.peek() {
        Some(Lexeme::Sign('(')) => {}
        Some(Lexeme::Word(word)) if ["select", "values", "table", "with"].contains(&word.as_str()) => {}
        _ => return Err(NotUnderstood),
    }
    super::query(cursor.rest(), facts)
}

/// What follows FETCH, MOVE or CLOSE: words, a number, a name.
fn portal(cursor: &mut Cursor<'_>) -> Result {
    let mut seen = false;
    while let Some(lexeme) = cursor.next() {
        match lexeme {
            Lexeme::Word(_) | Lexeme::Quoted(_) | Lexeme::Number(_) => seen = true,
            Lexeme::Operator(sign) if sign == "-" || sign == "+" => {}
            _ => return Err(NotUnderstood),
        }
    }
    if seen { Ok(()) } else { Err(NotUnderstood) }
}

/// A setting's name, folded: names of settings know no case.
fn setting(cursor: &mut Cursor<'_>) -> Result<String> {
    if cursor.words(&["session", "authorization"]) {
        return Ok("session_authorization".to_owned());
    }
    if cursor.words(&["time", "zone"]) {
        return Ok("timezone".to_owned());
    }
    if cursor.words(&["transaction", "isolation", "level"]) {
        return Ok("transaction_isolation".to_owned());
    }
    Ok(cursor.path()?.join(".").to_ascii_lowercase())
}

fn set(cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    if cursor.word("constraints") {
        facts.access(Verb::Set, "constraints");
        return words_and_names(cursor);
    }
    if cursor.words(&["session", "characteristics", "as", "transaction"]) || cursor.word("transaction") {
        facts.access(Verb::Set, "transaction");
        return values(cursor);
    }
    // SESSION and LOCAL, but not SESSION AUTHORIZATION.
    let mut ahead = cursor.clone();
    if ahead.one_of(&["session", "local"]).is_some() && !ahead.peek().is_some_and(|it| it.is("authorization"))
    {
        *cursor = ahead;
    }
    if cursor.words(&["transaction"]) {
        facts.access(Verb::Set, "transaction");
        return values(cursor);
    }
    let special = [
        (&["session", "authorization"][..], "session_authorization"),
        (&["time", "zone"], "timezone"),
        (&["xml", "option"], "xmloption"),
        (&["names"], "client_encoding"),
        (&["role"], "role"),
        (&["schema"], "search_path"),
        (&["catalog"], "catalog"),
    ];
    // `SET role = x` and `SET role TO x` are forms of the general one.
    for (words, name) in special {
        if cursor.words(words) {
            facts.access(Verb::Set, name);
            return values(cursor);
        }
    }
    let name = cursor.path()?.join(".").to_ascii_lowercase();
    if !cursor.operator("=") && cursor.one_of(&["to", "from"]).is_none() {
        return Err(NotUnderstood);
    }
    facts.access(Verb::Set, &name);
    values(cursor)
}

/// The value of a setting: nothing in it is run.
fn values(cursor: &mut Cursor<'_>) -> Result {
    while let Some(lexeme) = cursor.next() {
        match lexeme {
            Lexeme::Word(_) | Lexeme::Quoted(_) | Lexeme::Text(_) | Lexeme::Number(_) | Lexeme::Bits(_) => {}
            Lexeme::Sign(',' | '.') => {}
            Lexeme::Operator(sign) if ["-", "+", "="].contains(&sign.as_str()) => {}
            _ => return Err(NotUnderstood),
        }
    }
    Ok(())
}

fn words_and_names(cursor: &mut Cursor<'_>) -> Result {
    while let Some(lexeme) = cursor.next() {
        match lexeme {
            Lexeme::Word(_) | Lexeme::Quoted(_) | Lexeme::Sign(',' | '.') => {}
            _ => return Err(NotUnderstood),
        }
    }
    Ok(())
}

fn begin_or_end(first: &str, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    let verb = match first {
        "begin" => TransactionVerb::Begin,
        "start" if cursor.word("transaction") => TransactionVerb::Begin,
        "commit" if cursor.word("prepared") => TransactionVerb::CommitPrepared,
        "commit" | "end" => TransactionVerb::Commit,
        "rollback" if cursor.word("prepared") => TransactionVerb::RollbackPrepared,
        "rollback" | "abort" => {
            cursor.one_of(&["work", "transaction"]);
            if cursor.word("to") { TransactionVerb::RollbackTo } else { TransactionVerb::Rollback }
        }
        "savepoint" => TransactionVerb::Savepoint,
        "release" => TransactionVerb::Release,
        _ => return Err(NotUnderstood),
    };
    transaction(verb, cursor, facts)
}

fn transaction(verb: TransactionVerb, cursor: &mut Cursor<'_>, facts: &mut Builder) -> Result {
    facts.transaction(verb);
    values(cursor)
}
