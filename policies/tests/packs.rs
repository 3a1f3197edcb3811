//! Every shipped policy compiles without a word, and decides its cases as they say. `pangate test` runs the same files.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at what it does not expect")]

use std::path::Path;

use policies::compile::compile;
use policies::manifest;
use policies::snapshot::Snapshot;
use policies::statement::{Dialect, sql};

/// One case. Its file is a list of them.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    groups: Vec<String>,
    target: String,
    statement: String,
    decision: String,
    rule: Option<String>,
}

fn open(pack: &Path) -> Snapshot {
    let text = std::fs::read_to_string(pack.join("policy.yaml")).unwrap();
    let manifests = manifest::read(&[("policy.yaml", &text)]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let compiled = compile(&manifests, 1, 3600).unwrap_or_else(|errors| panic!("{errors:#?}"));
    // The shipped ones have two issuers: of jobs, whose requester counts, and of people, who have none.
    let odd: Vec<_> =
        compiled.warnings.iter().filter(|warning| !warning.message.contains("issuer `people`")).collect();
    assert!(odd.is_empty(), "{}: {odd:#?}", pack.display());
    Snapshot::open(&compiled.snapshot).unwrap()
}

fn check(name: &str) {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs").join(name);
    let snapshot = open(&pack);
    let cases = std::fs::read_to_string(pack.join("policy.cases.yaml")).unwrap();
    let cases: Vec<Case> = serde_saphyr::from_str(&cases).unwrap();
    assert!(cases.len() >= 10, "{name} has hardly any cases");
    let mut wrong = Vec::new();
    for case in &cases {
        let target = snapshot.target(&case.target).unwrap();
        let context =
            sql::Context { database: target.database.unwrap_or_default(), ..sql::Context::default() };
        let dialect = Dialect::of(target.protocol).unwrap();
        let facts = sql::analyse_in(&case.statement, dialect, &context);
        let (decision, rule) = match snapshot.class(&case.groups, &case.target) {
            Some(class) => {
                let decision = snapshot.decide(&class, &case.target, &facts);
                (decision.name(), decision.rule().to_owned())
            }
            None => ("deny", "default".to_owned()),
        };
        if decision != case.decision || case.rule.as_ref().is_some_and(|expected| *expected != rule) {
            wrong.push(format!("{}: {decision} by {rule}; {facts:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
}

#[test]
fn settlement() {
    check("settlement");
}

#[test]
fn read_only_reporting() {
    check("read-only-reporting");
}

#[test]
fn mysql_shop() {
    check("mysql-shop");
}

#[test]
fn migrations_with_approval() {
    check("migrations-with-approval");
}

#[test]
fn every_pack_is_checked() {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs");
    let mut names: Vec<String> = std::fs::read_dir(packs)
        .unwrap()
        .map(|pack| pack.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["migrations-with-approval", "mysql-shop", "read-only-reporting", "settlement"]);
}
