//! Everything that does not read is told, with its place; what reads keeps the text that stands in the file.

use proptest::prelude::*;

use super::*;
use crate::model::Bind;

const SAMPLE: &str = include_str!("../../tests/manifests/sample.yaml");

/// `line:column: message (help)` of everything that is wrong.
fn mistakes(text: &str) -> Vec<String> {
    let found = read(&[("m.yaml", text)]).err().unwrap_or_default();
    found.iter().map(|found| found.to_string().replace("m.yaml:", "").replace(" error:", "")).collect()
}

fn with(part: &str, other: &str) -> String {
    assert_eq!(SAMPLE.matches(part).count(), 1, "{part}");
    SAMPLE.replace(part, other)
}

#[test]
fn the_sample_reads() {
    let manifests = read(&[("m.yaml", SAMPLE)]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(manifests.counts(), (1, 1, 1));
    assert_eq!(manifests.issuers[0].bind.as_ref().unwrap().value, Bind::Source);
    assert!(matches!(manifests.policies[0].record.as_ref().unwrap().value, Responses::Full));
}

#[test]
fn every_key_reads() {
    let text = "
kind: Issuer
name: i
url: https://i
audience: a
requester: r
groups:
  - {group: g, when: {claim: [one, 2, true], /deep/er: x}}
refuse: [{a: b, c: d}, {e: f}]
bind: {jti: once}
---
kind: Target
name: t
protocol: postgres
listen: 127.0.0.1:1
listenTls: off
address: localhost:1
tls: {mode: verify-full, ca: /c, clientCertificate: /c, clientKey: /k, negotiation: direct}
credential: {username: u, passwordFile: /p}
oauth: {issuer: i, scope: openid, users: [u]}
database: d
data: [{column: s.t.c, label: l}]
---
kind: Policy
name: p
groups: [g]
targets: [t]
rules:
  - name: r
    verbs: [select, unknown]
    objects: ['*']
    columns: [s.t.c]
    labels: [l]
    effects: [writes-file]
    functions: [f]
    decide: hold
    approval: {reviewers: [g], count: 2, timeout: 10m, inTransaction: deny, grant: {window: 1h}}
mask: {pan: bin6-last4}
record: {responses: {rows: 5}}
evidence: {durability: {within: 20ms}}
limits: {rows: 1, sessions: 2, duration: 3s}
";
    let manifests = read(&[("m.yaml", text)]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let rule = &manifests.policies[0].rules[0];
    let approval = rule.approval.as_ref().unwrap();
    assert_eq!(approval.in_transaction.as_ref().unwrap().value, 0);
    assert!(matches!(approval.grant.as_ref().unwrap().value, Grant::Window(3_600_000)));
    assert!(matches!(manifests.policies[0].record.as_ref().unwrap().value, Responses::Rows(5)));
    assert_every_key_is_in_the_schema(text);
}

/// What reading takes, the schema knows.
fn assert_every_key_is_in_the_schema(text: &str) {
    let schema = schema().to_string();
    let words = text.split([' ', '{', '\n']).filter_map(|word| word.strip_suffix(':'));
    for key in words.filter(|key| !["claim", "a", "c", "e", "/deep/er"].contains(key)) {
        assert!(schema.contains(&format!("\"{key}\":")), "{key}");
    }
}

#[test]
fn conditions_keep_the_text_that_stands_there() {
    let conditions = "{a: 007, b: 4711, c: 1e3, d: yes, e: true, f: 'x y', g: \"\\u0041\", h: 0x1F, i: 1_000, \
                      j: [1.50, -0, .inf], k: 2024-01-01, l: 99999999999999999999999}";
    let text = with("{repository_id: \"4711\", ref: refs/heads/main, environment: production}", conditions);
    let manifests = read(&[("m.yaml", text)]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let GroupSource::When { when, .. } = &manifests.issuers[0].groups[0] else { panic!("a condition") };
    let values: Vec<String> = when.value.0.values().map(|values| values.join("|")).collect();
    assert_eq!(
        values,
        [
            "007",
            "4711",
            "1e3",
            "yes",
            "true",
            "x y",
            "A",
            "0x1F",
            "1_000",
            "1.50|-0|.inf",
            "2024-01-01",
            "99999999999999999999999"
        ]
    );
}

#[test]
fn block_style_reads_as_flow_style_does() {
    let text = with(
        "{repository_id: \"4711\", ref: refs/heads/main, environment: production}",
        "\n      repository_id: 4711 # a comment\n      ref: >-\n        refs/heads/main\n      environment:\n      - production\n      - 12 # more",
    );
    let manifests = read(&[("m.yaml", text)]).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let GroupSource::When { when, .. } = &manifests.issuers[0].groups[0] else { panic!("a condition") };
    let values: Vec<String> = when.value.0.values().map(|values| values.join("|")).collect();
    assert_eq!(values, ["production|12", "refs/heads/main", "4711"]);
}

/// A part of the sample, what stands in its place, and what must be told.
type Case = (&'static str, &'static str, &'static str);

fn assert_told(cases: &[Case]) {
    let mut missing = Vec::new();
    for (part, other, expected) in cases {
        let found = mistakes(&with(part, other));
        if !found.iter().any(|found| found == expected) {
            missing.push((expected, found));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// In issuers, and in what all kinds have.
const OF_ISSUERS: &[Case] = &[
    (
        "kind: Issuer",
        "kind: Isuer",
        "1:7: `Isuer` is not one of Issuer, Target, Policy (did you mean `Issuer`?)",
    ),
    ("kind: Issuer", "knd: Issuer", "1:1: a manifest lacks `kind`"),
    ("name: github", "nme: github", "1:1: an Issuer lacks `name`"),
    ("name: github", "nme: github", "2:1: an Issuer has no key `nme` (did you mean `name`?)"),
    (
        "name: github",
        "name: git hub",
        "2:7: this is no name (letters, digits, `-`, `_` and `.`, the first a letter or digit, 63 at most)",
    ),
    ("name: github", "name: ''", "2:7: an empty text"),
    ("name: github", "name: \"a\\nb\"", "2:7: a text with control characters or line breaks"),
    ("name: github", "name: [github]", "2:7: a single value is needed here; this is a list"),
    ("name: github", "name:", "2:5: a single value is needed here; this is empty"),
    (
        "audience: pangate",
        "audience: pangate\naudience: other",
        "5:1: `audience` stands twice; first on line 4",
    ),
    (
        "refuse: [{event_name: pull_request}]",
        "refuse: {event_name: x}",
        "10:9: `refuse` is a list; this is a mapping",
    ),
    ("refuse: [{event_name: pull_request}]", "refuse: []", "10:9: `refuse` is empty"),
    (
        "refuse: [{event_name: pull_request}]",
        "refuse: [{}]",
        "10:10: a set of conditions without a condition is met by every token",
    ),
    ("refuse: [{event_name: pull_request}]", "refuse: [{'': x}]", "10:11: a claim without a name"),
    (
        "refuse: [{event_name: pull_request}]",
        "refuse: [{a: {b: c}}]",
        "10:14: a claim has a single value or a list of them; this is a mapping",
    ),
    (
        "refuse: [{event_name: pull_request}]",
        "refuse: [{a: [[b]]}]",
        "10:15: a claim's value is a single value; this is a list",
    ),
    (
        "refuse: [{event_name: pull_request}]",
        "refuse: [x]",
        "10:10: a set of conditions is a mapping; this is a single value",
    ),
    ("{jti: source}", "{jti: twice}", "11:13: `twice` is not one of source, once"),
    ("{jti: source}", "{}", "11:7: `bind` lacks `jti`"),
    (
        "  - fromClaim: groups",
        "  - {fromClaim: groups, group: g}",
        "9:25: a source of groups has no key `group` (it has fromClaim)",
    ),
];

/// In targets and policies.
const OF_TARGETS_AND_POLICIES: &[Case] = &[
    (
        "passwordFile: /run/credentials/pangate/payments.password",
        "password: hunter2",
        "19:39: `credential` has no key `password` (it has username, passwordFile)",
    ),
    ("verbs: [select]", "verbs: []", "29:28: `verbs` is empty"),
    (
        "verbs: [select]",
        "effects: [write-file]",
        "29:31: `write-file` is not one of reads-labelled, transforms-labelled, reads-file, writes-file, runs-program, dynamic-sql, unbounded (did you mean `writes-file`?)",
    ),
    ("count: 1", "count: one", "33:51: a whole number is needed here, in digits alone"),
    (
        "timeout: 15m",
        "timeout: 15",
        "33:63: a duration is needed here: a whole number and ms, s, m, h or d, as in 15m",
    ),
    ("grant: once", "grant: twice", "33:75: `twice` is not one of once, session"),
    ("grant: once", "grant: {windw: 1h}", "33:75: `grant` lacks `window`"),
    (
        "pan: last4}",
        "pan: last5}",
        "35:13: `last5` is not one of full, last4, bin6-last4, bin8-last4, surrogate (did you mean `last4`?)",
    ),
    ("responses: full}", "responses: all}", "36:21: `all` is not one of full, digest"),
    (
        "record: {responses: full}",
        "evidence: {durability: later}",
        "36:24: `later` is not one of before-forward",
    ),
];

#[test]
fn each_way_to_be_wrong_is_told_with_its_place() {
    assert_told(OF_ISSUERS);
    assert_told(OF_TARGETS_AND_POLICIES);
}

#[test]
fn an_error_shows_no_secret() {
    let text = with(
        "passwordFile: /run/credentials/pangate/payments.password",
        "password: hunter2, passwordFile: [hunter2]",
    );
    let found = mistakes(&text).join("\n");
    assert!(found.contains("`password`") && !found.contains("hunter2"), "{found}");
}

#[test]
fn what_is_no_yaml_is_told_and_other_files_are_read() {
    let files = [("a.yaml", "kind: [Issuer\n---\n"), ("b.yaml", "kind: Nothing\n"), ("c.yaml", SAMPLE)];
    let found = read(&files).unwrap_err();
    let files: Vec<&str> = found.iter().map(|found| found.file.as_str()).collect();
    assert_eq!(files, ["a.yaml", "b.yaml"], "{found:#?}");
    assert!(found[0].line >= 1 && found[0].column >= 1);
}

#[test]
fn yaml_that_hides_things_is_refused() {
    for text in [
        "kind: &a Issuer\nname: *a\n",
        "<<: {kind: Issuer}\nname: x\n",
        "kind: !include x\n",
        "kind: !!binary aGVsbG8=\n",
        "? [a, b]\n: c\n",
        "- kind: Issuer\n",
        "kind: Issuer\u{0}\n",
        "\"kind\": \"Issuer\"\n  bad: indent\n",
    ] {
        assert_ne!(mistakes(text), [""; 0], "{text}");
    }
    let deep = format!("kind: {}{}", "[".repeat(1000), "]".repeat(1000));
    assert_ne!(mistakes(&deep), [""; 0]);
    let long = format!("# {}\n", "x".repeat(4 * 1024 * 1024));
    assert_eq!(mistakes(&long), ["1:1: the file has 4194307 bytes; at most 4194304 are read"]);
}

#[test]
fn nothing_at_all_reads_as_nothing() {
    for text in ["", "# only a comment\n", "---\n---\n", "\u{feff}"] {
        let manifests = read(&[("m.yaml", text)]).unwrap_or_else(|errors| panic!("{text:?}: {errors:#?}"));
        assert_eq!(manifests.counts(), (0, 0, 0));
    }
}

#[test]
fn the_shipped_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/manifest.schema.json");
    let current = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("PANGATE_WRITE_SCHEMA").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let shipped = std::fs::read_to_string(path).unwrap_or_default();
    assert!(shipped == current, "run this test once with PANGATE_WRITE_SCHEMA=1");
}

proptest! {
    #[test]
    fn no_text_makes_reading_fail_otherwise_than_by_errors(text in "[a-zA-Z:\\-\\[\\]{}#&*!|>'\", \n0-9.]{0,200}") {
        let _ = read(&[("m.yaml", text)]);
    }

    #[test]
    fn a_damaged_sample_reads_or_is_refused(at in 0..SAMPLE.len(), length in 0_usize..40, other in "[\\x20-\\x7e\n]{0,8}") {
        let mut text = SAMPLE.to_owned();
        let end = (at + length).min(text.len());
        prop_assume!(text.is_char_boundary(at) && text.is_char_boundary(end));
        text.replace_range(at..end, &other);
        let lines = u32::try_from(text.lines().count()).unwrap() + 1;
        for found in read(&[("m.yaml", text)]).err().unwrap_or_default() {
            prop_assert!(found.line >= 1 && found.line <= lines && found.column >= 1, "{}", found);
        }
    }
}
