//! `pangate check`, `explain` and `test`: manifests on this machine.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::{code, json as parsed, run, run_with_input, stderr, stdout, text};

const MANIFESTS: &str = r#"
kind: Issuer
name: ci
url: https://ci.example
audience: pangate
requester: actor
groups:
  - group: batch
    when: {ref: refs/heads/main}
  - fromClaim: groups
refuse: [{event_name: pull_request}]
---
kind: Target
name: payments
protocol: postgres
listen: 127.0.0.1:5432
address: db.cde.internal:5432
tls: {mode: verify-full, ca: /etc/pangate/ca.pem}
credential: {username: settlement_rw, passwordFile: /run/credentials/payments}
data:
  - {column: public.cards.pan, label: pan}
---
kind: Policy
name: settlement
groups: [batch]
targets: [payments]
rules:
  - {name: reports, verbs: [select], objects: [public.settlements], decide: allow}
  - name: changes
    verbs: [update]
    objects: [public.settlements]
    decide: hold
    approval: {reviewers: [pci-reviewers], count: 1, timeout: 15m, grant: once}
mask: {pan: last4}
record: {responses: full}
"#;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn explain(dir: &Path, group: &str, statement: &str) -> std::process::Output {
    let dir = text(dir);
    run(&["explain", "--manifests", dir, "--group", group, "--target", "payments", "--json", statement])
}

#[test]
fn manifests_without_mistakes_are_0() {
    let folder = folder(&[("all.yaml", MANIFESTS), ("notes.txt", "no manifest")]);
    let output = run(&["check", text(folder.path())]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("1 file: 0 mistakes"));
    let told = parsed(&run(&["check", "--json", text(folder.path())]));
    assert_eq!((&told["valid"], &told["files"]), (&json!(true), &json!(1)));
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let broken = MANIFESTS.replace("decide: allow", "decide: alow").replace("name: ci", "nam: ci");
    let folder = folder(&[("all.yaml", &broken)]);
    let output = run(&["check", "--json", text(folder.path())]);
    assert_eq!(code(&output), 1);
    let told = parsed(&output);
    assert_eq!(told["valid"], false);
    let places: Vec<_> =
        told["diagnostics"].as_array().unwrap().iter().map(|one| one["line"].as_u64()).collect();
    assert!(places.contains(&Some(3)) && places.contains(&Some(28)), "{told}");
    let output = run(&["check", text(folder.path())]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("all.yaml:28"), "{}", stderr(&output));
    assert!(stderr(&output).contains("decide: alow"));
}

#[test]
fn a_folder_without_manifests_is_no_good_news() {
    let folder = folder(&[("notes.txt", "")]);
    assert_eq!(code(&run(&["check", text(folder.path())])), 2);
    assert_eq!(code(&run(&["check", text(&folder.path().join("missing"))])), 3);
}

#[test]
fn explain_has_the_json_that_scripts_rely_on() {
    let folder = folder(&[("all.yaml", MANIFESTS)]);
    let output = explain(folder.path(), "batch", "select id from public.settlements");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let wanted = json!({
        "decision": "allow",
        "rule": "settlement/reports",
        "understood": true,
        "verbs": ["select"],
        "objects": ["public.settlements"],
        "columns": ["public.settlements.id"],
        "effects": [],
    });
    assert_eq!(parsed(&output), wanted);
}

#[test]
fn explain_holds_with_0_and_denies_with_1() {
    let folder = folder(&[("all.yaml", MANIFESTS)]);
    let held = explain(folder.path(), "batch", "update public.settlements set paid = true where id = 1");
    assert_eq!((code(&held), &parsed(&held)["decision"]), (0, &json!("hold")));
    for (group, statement) in
        [("batch", "drop table public.settlements"), ("batch", "?!"), ("strangers", "select 1")]
    {
        let denied = explain(folder.path(), group, statement);
        assert_eq!((code(&denied), &parsed(&denied)["decision"]), (1, &json!("deny")), "{statement}");
    }
    let unclear = parsed(&explain(folder.path(), "batch", "?!"));
    assert_eq!((&unclear["understood"], &unclear["verbs"]), (&json!(false), &json!(["unknown"])));
}

#[test]
fn explain_reads_standard_input_and_names_targets() {
    let folder = folder(&[("all.yaml", MANIFESTS)]);
    let dir = text(folder.path());
    let base = ["explain", "--manifests", dir, "--group", "batch", "--json", "--target"];
    let output =
        run_with_input(&[&base[..], &["payments", "-"]].concat(), b"select id from public.settlements");
    assert_eq!(parsed(&output)["decision"], "allow");
    let output = run(&[&base[..], &["nowhere", "select 1"]].concat());
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("payments"));
}

#[test]
fn cases_are_run() {
    let cases = r#"
- {groups: [batch], target: payments, statement: select id from public.settlements, decision: allow, rule: settlement/reports}
- {groups: [other], target: payments, statement: select 1, decision: deny}
- {issuer: ci, claims: {sub: job, actor: ada, ref: refs/heads/main}, target: payments, statement: select id from public.settlements, decision: allow}
- {issuer: ci, claims: {sub: job, actor: ada, ref: refs/heads/main, event_name: pull_request}, target: payments, statement: select 1, decision: deny}
"#;
    let good = folder(&[("all.yaml", MANIFESTS), ("all.cases.yaml", cases)]);
    let output = run(&["test", "--json", text(good.path())]);
    assert_eq!(code(&output), 0, "{} {}", stdout(&output), stderr(&output));
    assert_eq!((&parsed(&output)["passed"], &parsed(&output)["failed"]), (&json!(4), &json!(0)));

    let wrong = cases.replace("decision: deny", "decision: allow");
    let bad = folder(&[("all.yaml", MANIFESTS), ("all.cases.yaml", &wrong)]);
    let output = run(&["test", text(bad.path())]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("all.cases.yaml: case 2: expected allow, is deny by default"));

    let none = folder(&[("all.yaml", MANIFESTS)]);
    assert_eq!(code(&run(&["test", text(none.path())])), 2);
    let malformed = folder(&[("all.yaml", MANIFESTS), ("all.cases.yaml", "- {statement: 1}")]);
    assert_eq!(code(&run(&["test", text(malformed.path())])), 2);
}
