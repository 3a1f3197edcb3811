//! Statements and their facts, by tables.
mod bounds;
mod changes;
mod others;
mod queries;
mod unknown;

use super::super::{Dialect, Effect, Facts, TransactionVerb, Verb};
use super::{analyse, analyse_with};
use serde::Serialize;

fn facts(text: &str) -> Facts {
    analyse(text, Dialect::Postgres)
}

fn word(value: impl Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// Facts in one line: `?` not understood, `verb:object`, `+` read, `=` written, `~` computed with, `*` whole row,
/// `!` effect, `f()` function, `#` literals matter, `@` transaction.
pub(super) fn brief(facts: &Facts) -> String {
    let mut parts = Vec::new();
    if !facts.understood {
        parts.push("?".to_owned());
    }
    for access in facts.accesses.iter().filter(|access| access.verb != Verb::Unknown) {
        parts.push(match &access.object {
            Some(object) => format!("{}:{object}", word(access.verb)),
            None => word(access.verb),
        });
    }
    let lists =
        [("+", &facts.reads), ("=", &facts.writes), ("~", &facts.transforms), ("*", &facts.whole_rows)];
    for (sign, list) in lists {
        parts.extend(list.iter().map(|it| format!("{sign}{it}")));
    }
    parts.extend(facts.effects.iter().map(|it| format!("!{}", word(it))));
    parts.extend(facts.prepares.iter().map(|it| format!("prepares={it}")));
    parts.extend(facts.executes.iter().map(|it| format!("executes={it}")));
    parts.extend(facts.functions.iter().map(|it| format!("{it}()")));
    if facts.literals_matter && facts.understood {
        parts.push("#".to_owned());
    }
    parts.extend(facts.transaction.iter().map(|it| format!("@{}", word(it))));
    parts.join(" | ")
}

#[test]
fn facts_are_as_the_tables_say() {
    let mut wrong = Vec::new();
    for (text, expected) in [queries::CASES, changes::CASES, others::CASES].concat() {
        let found = brief(&facts(text));
        if found != expected {
            wrong.push(format!("{text}\n   expected {expected}\n   found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_understood_is_unknown() {
    for text in unknown::CASES {
        let facts = facts(text);
        assert!(!facts.understood, "{text}: {}", brief(&facts));
        assert!(facts.verbs.contains(&Verb::Unknown), "{text}");
        assert!(facts.literals_matter, "{text}");
    }
}

#[test]
fn facts_hold_together() {
    let tables = [queries::CASES, changes::CASES, others::CASES].concat();
    for text in tables.iter().map(|(text, _)| *text).chain(unknown::CASES.iter().copied()) {
        let facts = facts(text);
        let has = |verb| facts.accesses.iter().any(|access| access.verb == verb);
        assert!(facts.verbs.iter().all(|verb| has(*verb)), "{text}");
        assert!(facts.accesses.iter().all(|access| facts.verbs.contains(&access.verb)), "{text}");
        assert_eq!(facts.understood, !has(Verb::Unknown), "{text}");
        let named =
            |object: &String| facts.accesses.iter().any(|access| access.object.as_ref() == Some(object));
        assert!(facts.objects.iter().all(named), "{text}");
        assert!(facts.transforms.iter().all(|it| facts.reads.contains(it)), "{text}");
        assert!(facts.reads.iter().chain(&facts.writes).all(|it| facts.columns.contains(it)), "{text}");
        for list in [&facts.objects, &facts.columns, &facts.reads, &facts.writes, &facts.functions] {
            assert!(list.windows(2).all(|two| two[0] < two[1]), "{text}: {list:?}");
        }
    }
}

#[test]
fn a_list_has_its_members() {
    let facts = facts("SELECT a FROM t; ; DELETE FROM u");
    assert_eq!(facts.members.len(), 2);
    assert_eq!(facts.members[1].verbs, [Verb::Delete]);
    assert_eq!(facts.effects, [Effect::Unbounded]);
    assert!(self::facts("SELECT a FROM t;").members.is_empty());
}

#[test]
fn execute_runs_what_the_session_knows() {
    let prepared = |name: &str| (name == "p").then(|| facts("DELETE FROM cards"));
    let known = analyse_with("EXECUTE p (now())", Dialect::Postgres, &prepared);
    assert_eq!(brief(&known), "delete:cards | !unbounded | executes=p | now() | #");
    let unknown = analyse_with("EXECUTE q", Dialect::Postgres, &prepared);
    assert_eq!(brief(&unknown), "? | !dynamic-sql | executes=q");
    let explained = analyse_with("EXPLAIN ANALYZE EXECUTE p", Dialect::Postgres, &prepared);
    assert_eq!(explained.verbs, [Verb::Select, Verb::Delete]);
    let table = analyse_with("CREATE TABLE t AS EXECUTE p", Dialect::Postgres, &prepared);
    assert_eq!(table.verbs, [Verb::Delete, Verb::Ddl]);
    // The text's own PREPARE comes before the session's, until DEALLOCATE.
    let own = "PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE p; EXECUTE p";
    assert_eq!(facts(own).members[1].verbs, [Verb::Select]);
    assert!(!facts(own).understood);
}

#[test]
fn the_last_transaction_verb_counts() {
    assert_eq!(facts("BEGIN; SELECT 1; COMMIT").transaction, Some(TransactionVerb::Commit));
}
