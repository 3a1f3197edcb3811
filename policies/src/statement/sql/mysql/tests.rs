//! Statements and their facts, by tables, in the database `shop`.
mod changes;
mod others;
mod queries;
mod unknown;

use super::super::super::{Dialect, Facts, Verb};
use super::super::tests::brief;
use super::super::{Context, analyse_in};

fn facts(text: &str) -> Facts {
    analyse_in(text, Dialect::Mysql, &Context { database: "shop", ..Context::default() })
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
fn prepared_statements_are_found_by_the_names_under_which_they_are_told() {
    for name in ["p", "a.b", "a*", "a\"b"] {
        let made = facts(&format!("PREPARE `{name}` FROM 'DELETE FROM cards'"));
        assert_eq!(made.prepares, [name]);
        let known = |asked: &str| made.prepares.iter().any(|own| own == asked).then(|| made.clone());
        let context = Context { database: "shop", prepared: &known };
        let run = analyse_in(&format!("EXECUTE `{}`", name.to_uppercase()), Dialect::Mysql, &context);
        assert_eq!(run.executes, [name]);
        assert!(run.understood && run.verbs.contains(&Verb::Delete), "{name}");
    }
}

#[test]
fn temporary_tables_and_diagnoses_are_told() {
    for text in [
        "CREATE TEMPORARY TABLE t (a INT)",
        "CREATE OR REPLACE TEMPORARY TABLE t SELECT 1",
        "PREPARE p FROM 'CREATE TEMPORARY TABLE t (a INT)'",
        "SELECT 1; CREATE TEMPORARY TABLE IF NOT EXISTS t LIKE u",
    ] {
        assert!(facts(text).temporary, "{text}");
    }
    for text in ["CREATE TABLE t (a INT)", "DROP TEMPORARY TABLE t", "CREATE TABLE `temporary` (a INT)"] {
        assert!(!facts(text).temporary, "{text}");
    }
    for text in [
        "SHOW WARNINGS",
        "SHOW ERRORS LIMIT 1",
        "SHOW COUNT(*) WARNINGS",
        "SHOW COUNT(*) ERRORS",
        "EXECUTE IMMEDIATE 'SHOW WARNINGS'",
        "PREPARE p FROM 'SHOW WARNINGS'; EXECUTE p",
    ] {
        assert!(facts(text).diagnoses, "{text}");
    }
    assert!(!facts("SHOW TABLES").diagnoses);
}
