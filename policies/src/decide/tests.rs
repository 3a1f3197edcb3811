//! Decisions on SQL under manifests, and against a decide that is as plain as the rules' description.

use super::*;
use crate::compile::compile;
use crate::decision::Approval;
use crate::manifest;
use crate::snapshot::{Class, DerivedLabel, Snapshot};
use crate::statement::{Dialect, Effect, Facts, Verb, sql};

mod naive;

const TARGET: &str = "
kind: Target
name: payments
protocol: postgres
listen: 0.0.0.0:5432
address: db:5432
credential: {username: u, passwordFile: /p}
data:
  - {column: public.cards.pan, label: pan}
  - {column: public.cards.cvv, label: sad}
  - {column: vault.keys.*, label: keys}
---
kind: Policy
name: p
groups: [g]
targets: [payments]
rules:
";

fn snapshot(rules: &str) -> (Snapshot, Class) {
    let text = format!("{TARGET}{rules}");
    let manifests = manifest::read(&[("m.yaml", &text)]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let compiled = compile(&manifests, 1, 1).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let snapshot = Snapshot::open(&compiled.snapshot).unwrap();
    let class = snapshot.class(&["g".to_owned()], "payments").unwrap();
    (snapshot, class)
}

fn on(rules: &str, text: &str) -> Decision {
    let (snapshot, class) = snapshot(rules);
    snapshot.decide(&class, "payments", &sql::analyse(text, Dialect::Postgres))
}

/// Each statement and what is decided: `allow rule`, `hold rule`, `deny rule`.
#[track_caller]
fn assert_decided(rules: &str, cases: &[(&str, &str)]) {
    let (snapshot, class) = snapshot(rules);
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let facts = sql::analyse(text, Dialect::Postgres);
        let decision = snapshot.decide(&class, "payments", &facts);
        let found = format!("{} {}", decision.name(), decision.rule().replace("p/", ""));
        if found != *expected {
            wrong.push(format!("{text}: {expected}, found {decision:?} on {facts:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const SAMPLE: &str = "
  - {name: reports, verbs: [select], objects: [public.settlements], decide: allow}
  - {name: touches, labels: [pan], decide: hold, approval: {reviewers: [r]}}
  - {name: no-ddl, verbs: [ddl, grant, unknown], decide: deny}
";

#[test]
fn the_sample_policy() {
    assert_decided(
        SAMPLE,
        &[
            ("select * from public.settlements", "allow reports"),
            ("SELECT amount FROM settlements WHERE id = 1", "allow reports"),
            ("select 1", "allow reports"),
            ("select count(*), now() from Settlements", "allow reports"),
            ("", "allow default"),
            ("-- nothing", "allow default"),
            ("select pan from public.cards", "hold touches"),
            ("select * from cards", "hold touches"),
            ("select c from cards c", "hold touches"),
            ("with x as (select pan from cards) select * from x", "hold touches"),
            ("update cards set pan = '1' where id = 1", "hold touches"),
            ("update cards set name = 'x' where pan = '1'", "hold touches"),
            ("select * from settlements s join cards c on c.id = s.card", "hold touches"),
            ("copy cards to stdout", "hold touches"),
            ("select id from cards", "deny default"),
            ("select cvv from cards", "deny default"),
            ("delete from settlements where id = 1", "deny default"),
            ("select * from customers", "deny default"),
            ("select * from other.settlements", "deny default"),
            ("select * from \"Settlements\"", "deny default"),
            ("select * from pg_authid", "deny default"),
            ("begin", "deny default"),
            ("set search_path = other", "deny default"),
            ("create table x (id int)", "deny no-ddl"),
            ("create table x as select pan from cards", "deny no-ddl"),
            ("drop table cards", "deny no-ddl"),
            ("grant select on cards to public", "deny no-ddl"),
            ("do $$ begin null; end $$", "deny no-ddl"),
            ("selec 1", "deny no-ddl"),
        ],
    );
}

#[test]
fn a_list_is_as_strict_as_its_strictest_member() {
    assert_decided(
        SAMPLE,
        &[
            ("select 1; select * from settlements", "allow reports"),
            ("select 1; select pan from cards", "hold touches"),
            ("select pan from cards; select 1; select * from customers", "deny default"),
            ("select pan from cards; drop table x", "deny no-ddl"),
            ("select * from settlements; nonsense", "deny no-ddl"),
            // The second alone is denied, though the first holds the same object.
            ("select pan from cards; delete from cards where id = 1", "deny default"),
            ("select pan from cards; select id from cards", "deny default"),
        ],
    );
}

#[test]
fn what_is_not_understood_is_denied_unless_a_rule_names_unknown() {
    let unknown = "do $$ begin null; end $$";
    let all = "- {name: all, decide: allow}\n  ";
    assert_decided(&format!("  {all}"), &[(unknown, "deny default"), ("select 1", "allow all")]);
    let named = "- {name: named, verbs: [unknown], decide: allow}\n  ";
    assert_decided(&format!("  {named}"), &[(unknown, "deny default")]);
    let with_effects = "- {name: named, verbs: [unknown], effects: [dynamic-sql], decide: allow}\n  ";
    assert_decided(&format!("  {with_effects}"), &[(unknown, "allow named"), ("select 1", "deny default")]);
    let held = "- {name: held, verbs: [unknown], decide: hold, approval: {reviewers: [r]}}\n  ";
    assert_decided(&format!("  {all}{held}"), &[(unknown, "hold held"), ("select 1", "allow all")]);
    // It may touch whatever a rule without verbs names.
    let sad = "- {name: sad, labels: [sad], decide: deny}\n  ";
    let object = "- {name: object, objects: [x], decide: deny}\n  ";
    let verb = "- {name: verb, verbs: [delete], objects: [x], decide: deny}\n  ";
    assert_decided(&format!("  {held}{sad}"), &[(unknown, "deny sad")]);
    assert_decided(&format!("  {held}{object}"), &[(unknown, "deny object")]);
    assert_decided(&format!("  {held}{verb}"), &[(unknown, "hold held")]);
}

#[test]
fn dangerous_effects_must_be_named() {
    let rules = "
  - {name: rw, verbs: [select, update, delete, copy, admin], objects: ['*'], decide: allow}
  - {name: wipe, verbs: [delete], objects: [staging.*], effects: [unbounded], decide: allow}
";
    assert_decided(
        rules,
        &[
            ("delete from prod.x where id = 1", "allow rw"),
            ("delete from prod.x", "deny default"),
            ("update prod.x set a = 1", "deny default"),
            ("delete from staging.x", "allow wipe"),
            ("delete from x", "deny default"),
            ("with d as (delete from staging.x returning id) select * from public.y", "allow rw, wipe"),
            ("copy x to '/tmp/x'", "deny default"),
            ("copy x to program 'curl'", "deny default"),
            ("copy x to stdout", "allow rw"),
            ("select pg_read_file('/etc/passwd')", "deny default"),
            ("select query_to_xml('select 1', true, true, '')", "deny default"),
        ],
    );
    let Decision::Deny { reason, .. } = on(rules, "delete from prod.x") else { panic!("denied") };
    assert_eq!(reason, "delete on prod.x has the effect unbounded, which no rule that allows it names");
}

#[test]
fn functions_beyond_the_harmless_must_be_named() {
    let rules = "
  - {name: read, verbs: [select], objects: [public.settlements], decide: allow}
  - {name: call, verbs: [select, call], functions: [public.monthly, util.*], decide: allow}
";
    assert_decided(
        rules,
        &[
            ("select monthly(1)", "allow read, call"),
            ("select public.monthly(amount) from settlements", "allow read, call"),
            ("select util.anything()", "allow read, call"),
            ("select lower('x') || upper(name) from settlements", "allow read"),
            ("select yearly(1)", "deny default"),
            ("select other.monthly(1)", "deny default"),
            ("select public.lower('x')", "deny default"),
            ("select monthly(1) from customers", "deny default"),
            ("select pg_sleep(100)", "deny default"),
        ],
    );
    let only = "
  - {name: f, functions: [public.monthly], decide: allow}
";
    assert_decided(only, &[("select monthly(1)", "allow f"), ("select * from settlements", "deny default")]);
    let deny = "
  - {name: all, verbs: [select], decide: allow}
  - {name: no-sleep, functions: [pg_sleep, util.*], decide: deny}
";
    assert_decided(
        deny,
        &[
            ("select pg_sleep(1)", "deny no-sleep"),
            ("select pg_catalog.pg_sleep(1)", "deny no-sleep"),
            ("select anything(1)", "deny no-sleep"),
            ("select lower('x')", "allow all"),
        ],
    );
}

#[test]
fn settings_are_permitted_by_name_where_they_are_delicate() {
    let rules = "
  - {name: any, verbs: [set], decide: allow}
  - {name: path, verbs: [set], objects: [search_path], decide: allow}
  - {name: no-timeout, verbs: [set], objects: [statement_timeout], decide: deny}
";
    assert_decided(
        rules,
        &[
            ("set application_name = 'x'", "allow any"),
            ("set search_path = public", "allow path"),
            ("set role admin", "deny default"),
            ("set session authorization admin", "deny default"),
            ("set statement_timeout = 0", "deny no-timeout"),
        ],
    );
}

#[test]
fn columns_permit_and_forbid() {
    let rules = "
  - {name: ids, verbs: [select], columns: [public.cards.id, public.cards.brand], decide: allow}
  - {name: names, verbs: [select], objects: [public.cards], columns: ['*.name'], decide: allow}
  - {name: write, verbs: [update], objects: [public.cards], decide: allow}
  - {name: no-pan, columns: [cards.pan], decide: deny}
"
    .replace("'*.name'", "public.*.name");
    assert_decided(
        &rules,
        &[
            ("select id from cards", "allow ids"),
            ("select c.id, c.name from public.cards c", "allow ids, names"),
            ("select id, expiry from cards", "deny default"),
            ("select * from cards", "deny no-pan"),
            ("select pan from cards", "deny no-pan"),
            ("select count(*) from cards", "deny default"),
            ("select id from customers", "deny default"),
        ],
    );
}

#[test]
fn labels_permit_only_what_they_name() {
    let rules = "
  - {name: pans, verbs: [select], labels: [pan], decide: allow}
";
    assert_decided(
        rules,
        &[
            ("select pan from cards", "allow pans"),
            ("select id, pan from cards", "allow pans"),
            ("select pan, cvv from cards", "deny default"),
            ("select * from cards", "deny default"),
            ("select id from cards", "deny default"),
            ("select 1", "deny default"),
            ("delete from cards where pan = '1'", "deny default"),
        ],
    );
}

#[test]
fn effects_of_labels_are_derived() {
    let rules = "
  - {name: all, verbs: [select, ddl], decide: allow}
  - {name: no-compute, effects: [transforms-labelled], decide: deny}
  - {name: reads, effects: [reads-labelled], decide: hold, approval: {reviewers: [r]}}
";
    assert_decided(
        rules,
        &[
            ("select pan from cards", "hold reads"),
            ("select md5(pan) from cards", "deny no-compute"),
            ("select id from cards", "allow all"),
            ("select anything from vault.keys", "hold reads"),
            ("select * from settlements", "allow all"),
        ],
    );
    let (snapshot, _) = snapshot(rules);
    let facts = sql::analyse("select md5(pan) from cards", Dialect::Postgres);
    assert_eq!(snapshot.effects("payments", &facts), [Effect::ReadsLabelled, Effect::TransformsLabelled]);
    assert_eq!(snapshot.labels("payments", &facts), ["pan"]);
    assert_eq!(snapshot.labels("payments", &Facts::unknown()), ["keys", "pan", "sad"]);
    assert!(snapshot.labels("other", &facts).is_empty());
    let ddl = sql::analyse("alter table cards rename pan to x", Dialect::Postgres);
    assert_eq!(snapshot.labels("payments", &ddl), ["pan", "sad"], "the table as a whole");
}

#[test]
fn pairs_of_verb_and_object_count() {
    let rules = "
  - {name: read, verbs: [select], objects: [public.a, public.b], decide: allow}
  - {name: write, verbs: [insert], objects: [public.b, public.c], decide: allow}
  - {name: no-c, verbs: [select], objects: [public.c], decide: deny}
";
    assert_decided(
        rules,
        &[
            ("insert into b select * from a", "allow read, write"),
            ("insert into c select * from a", "allow read, write"),
            ("insert into a select * from b", "deny default"),
            ("insert into b select * from c", "deny no-c"),
        ],
    );
}

#[test]
fn order_does_not_matter() {
    let rules = [
        "  - {name: all, verbs: [select], decide: allow}\n",
        "  - {name: held, objects: [public.a], decide: hold, approval: {reviewers: [r]}}\n",
        "  - {name: no, objects: [public.b], decide: deny}\n",
    ];
    for [one, two, three] in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let rules = [rules[one], rules[two], rules[three]].concat();
        assert_decided(
            &rules,
            &[
                ("select * from c", "allow all"),
                ("select * from a, c", "hold held"),
                ("select * from a, b", "deny no"),
                ("select * from b", "deny no"),
            ],
        );
    }
}

#[test]
fn several_holds_ask_for_what_satisfies_all() {
    let rules = "
  - {name: one, verbs: [select], decide: hold, approval: {reviewers: [a, b], count: 2, timeout: 10m, inTransaction: 30s, grant: session}}
  - {name: two, objects: [public.x], decide: hold, approval: {reviewers: [b, c], timeout: 5m, grant: {window: 1h}}}
  - {name: three, objects: [public.y], decide: hold, approval: {reviewers: [d]}}
";
    let approval = Approval {
        reviewers: vec!["b".into()],
        count: 2,
        timeout_s: 300,
        in_transaction_s: 30,
        reveals_computed: false,
        grant: crate::approval::Grant::Session,
    };
    assert_eq!(on(rules, "select * from x"), Decision::Hold { rule: "p/one, p/two".into(), approval });
    let Decision::Deny { rule, reason } = on(rules, "select * from y") else { panic!("denied") };
    assert_eq!(rule, "p/one, p/three");
    assert_eq!(reason, "held by rules p/one, p/three, which have no group of reviewers in common");
}

#[test]
fn reasons_name_the_rule_or_what_is_missing_and_no_value() {
    for (text, expected) in [
        ("drop table public.x", "denied by rule p/no-ddl: ddl on public.x"),
        ("selec", "denied by rule p/no-ddl: the statement is not understood"),
        ("delete from customers where id = 1", "delete on customers is allowed by no rule"),
        ("select * from \"4111111111111111\"", "select on (a name not shown) is allowed by no rule"),
        ("select f1(1) from settlements", "function f1 is named by no rule that allows"),
    ] {
        let Decision::Deny { reason, .. } = on(SAMPLE, text) else { panic!("{text}: denied") };
        assert_eq!(reason, expected);
    }
    let Decision::Deny { reason, .. } = on("  - {name: a, decide: allow}\n", "selec") else {
        panic!("denied")
    };
    assert_eq!(reason, "the statement is not understood, and no rule allows `unknown`");
}

#[test]
fn a_class_decides_only_at_home() {
    let (one, class) = snapshot(SAMPLE);
    let (other, _) = snapshot("  - {name: all, decide: allow}\n");
    let facts = sql::analyse("select 1", Dialect::Postgres);
    assert_eq!(one.decide(&class, "payments", &facts).name(), "allow");
    for decision in [other.decide(&class, "payments", &facts), one.decide(&class, "elsewhere", &facts)] {
        assert_eq!(decision.rule(), "default");
        assert_eq!(decision.name(), "deny");
    }
}

#[test]
fn facts_at_odds_with_themselves_are_not_allowed() {
    let (snapshot, class) = snapshot("  - {name: all, verbs: [select], objects: ['*'], decide: allow}\n");
    let odd = [
        Facts { understood: true, verbs: vec![Verb::Delete], ..Facts::default() },
        Facts { understood: true, objects: vec!["x".into()], ..Facts::default() },
        Facts { understood: true, effects: vec![Effect::WritesFile], ..Facts::default() },
        Facts { understood: true, functions: vec!["f".into()], ..Facts::default() },
        Facts { understood: false, ..Facts::default() },
    ];
    for facts in odd {
        assert_eq!(snapshot.decide(&class, "payments", &facts).name(), "deny", "{facts:?}");
    }
}

#[test]
fn exposure_tells_of_temporary_tables_and_diagnoses() {
    let (snapshot, _) = snapshot("  - {name: r, verbs: [select], decide: allow}\n");
    let told = |text: &str| {
        let facts = sql::analyse(text, Dialect::Mysql);
        let it = snapshot.exposure("payments", &facts, &[]).unwrap();
        (it.temporary, it.diagnoses)
    };
    assert_eq!(told("CREATE TEMPORARY TABLE t (a INT)"), (true, false));
    assert_eq!(told("SHOW WARNINGS"), (false, true));
    assert_eq!(told("CREATE TABLE t (a INT)"), (false, false));
    // What it does beside is not known.
    assert_eq!(told("PREPARE p FROM @a"), (true, true));
}

#[test]
fn exposure_tells_what_a_statement_may_show_and_change() {
    let (snapshot, _) = snapshot("  - {name: r, verbs: [select], decide: allow}\n");
    let derived = [DerivedLabel::new("public", "v", "x", "sad"), DerivedLabel::new("s", "a.b", "c", "pan")];
    let words = |text: &str| {
        let facts = sql::analyse(text, Dialect::Postgres);
        let it = snapshot.exposure("payments", &facts, &derived).unwrap();
        [
            (it.touches, "touches"),
            (it.touches && !it.beyond_cards, "cards"),
            (it.opaque, "opaque"),
            (it.writes, "writes"),
            (it.sets && !it.opaque, "sets"),
            (it.defines, "defines"),
            (it.renames, "renames"),
            (it.ends, "ends"),
            (it.copies_out, "copies"),
        ]
        .into_iter()
        .filter_map(|(is, word)| is.then_some(word))
        .collect::<Vec<_>>()
        .join(" ")
    };
    for (text, expected) in [
        ("select 1", ""),
        ("select count(*) from cards", ""),
        ("select id from cards", ""),
        ("select pan from cards", "touches cards"),
        ("select count(*) from cards where cvv = '1'", "touches"),
        ("select reverse(x) from v", "touches"),
        ("select y from v", ""),
        ("select c from \"a.b\"", "touches"),
        ("select * from cards", "touches"),
        ("select c from cards c", "touches"),
        ("select f()", "touches opaque writes defines renames"),
        ("with c as (select cvv from cards) select c.cvv || '' from c", "touches"),
        ("select 1 union select id from cards", ""),
        ("update t set a = 1 returning a", "writes"),
        ("insert into t select cvv from cards", "touches writes"),
        ("create table t as select cvv from cards", "touches writes defines renames"),
        ("select cvv into t from cards", "touches writes defines renames"),
        ("set search_path = a", "sets renames"),
        ("set statement_timeout = 1", "sets"),
        ("select set_config('application_name', cvv, false) from cards", "touches sets"),
        ("select pg_notify('c', cvv) from cards", "touches writes sets defines renames"),
        ("rollback", "ends"),
        ("begin", ""),
        ("copy cards to stdout", "touches copies"),
        ("copy cards (id) to stdout", "copies"),
        ("copy (select reverse(pan) from cards) to stdout", "touches copies"),
        ("copy t from stdin", "writes"),
        ("not a statement", "touches opaque writes defines renames"),
        ("fetch all from c", ""),
    ] {
        assert_eq!(words(text), expected, "{text}");
    }
}

#[test]
fn what_the_catalog_adds_to_labels_is_held_like_the_labels() {
    let rules = "  - {name: read, verbs: [select], objects: ['*'], decide: allow}
  - {name: card-data, labels: [sad], decide: deny}
";
    let (snapshot, class) = snapshot(rules);
    let facts = sql::analyse("select x from v", Dialect::Postgres);
    assert_eq!(snapshot.decide(&class, "payments", &facts).name(), "allow");
    let derived = [DerivedLabel::new("public", "v", "x", "sad")];
    assert_eq!(snapshot.decide_with(&class, "payments", &facts, &derived).name(), "deny");
}

#[test]
fn an_approval_reveals_what_is_computed_only_where_every_rule_says_so() {
    let rule = |name: &str, more: &str| {
        format!("  - {{name: {name}, labels: [sad], decide: hold, approval: {{reviewers: [g]{more}}}}}\n")
    };
    let reveals = |rules: &str| match on(rules, "select reverse(cvv) from cards") {
        Decision::Hold { approval, .. } => approval.reveals_computed,
        other => panic!("{other:?}"),
    };
    assert!(!reveals(&rule("a", "")));
    assert!(reveals(&rule("a", ", reveals: computed")));
    assert!(!reveals(&(rule("a", ", reveals: computed") + &rule("b", ""))));
}
