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
