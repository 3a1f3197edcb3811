//! Everything that does not fit together is told, with its place.

use super::*;
use crate::manifest::read;
use crate::snapshot::{
    Bind, ClientFiles, Durability, Limits, Mask, Protocol, RecordResponses, Snapshot, SnapshotError, TlsMode,
};

const SAMPLE: &str = include_str!("../../tests/manifests/sample.yaml");

fn compiled(text: &str) -> Compiled {
    let manifests = read(&[("m.yaml", text)]).unwrap();
    compile(&manifests, 7, 600).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn open(text: &str) -> Snapshot {
    Snapshot::open(&compiled(text).snapshot).unwrap()
}

/// `line:column: message` of everything that is wrong.
fn mistakes(text: &str) -> Vec<String> {
    let found = match read(&[("m.yaml", text)]) {
        Ok(manifests) => compile(&manifests, 1, 1).err().unwrap_or_default(),
        Err(errors) => errors,
    };
    found.iter().map(|found| format!("{}:{}: {}", found.line, found.column, found.message)).collect()
}

fn warnings(text: &str) -> Vec<String> {
    compiled(text)
        .warnings
        .iter()
        .map(|found| format!("{}:{}: {}", found.line, found.column, found.message))
        .collect()
}

/// The sample with a part replaced; the part must be there.
fn with(part: &str, other: &str) -> String {
    assert_eq!(SAMPLE.matches(part).count(), 1, "{part}");
    SAMPLE.replace(part, other)
}

#[test]
fn the_sample_compiles_to_what_it_says() {
    let snapshot = open(SAMPLE);
    assert_eq!((snapshot.version(), snapshot.max_age_s()), (7, 600));
    let issuer = snapshot.issuer_by_url("https://token.actions.githubusercontent.com").unwrap();
    assert_eq!((issuer.name, issuer.audience, issuer.bind), ("github", "pangate", Bind::Source));
    assert_eq!(issuer.requester_claim, Some("actor"));
    assert!(snapshot.issuer_by_url("https://token.actions.githubusercontent.com/").is_none());
    let target = snapshot.target("payments").unwrap();
    assert_eq!((target.protocol, target.listen), (Protocol::Postgres, "0.0.0.0:5432"));
    assert_eq!((target.address, target.waive_tls), ("db.cde.internal:5432", false));
    assert_eq!(
        target.tls,
        TlsMode::VerifyFull { ca: Some("/etc/pangate/ca/db.pem"), client: None, direct: false }
    );
    assert_eq!(target.credential.username, "settlement_rw");
    assert_eq!(target.credential.password_file, Some("/run/credentials/pangate/payments.password"));
    assert_eq!(target.database, None);
    let labels: Vec<_> = target.labels().map(|it| (it.schema, it.table, it.column, it.label)).collect();
    let public = Some("public");
    assert_eq!(labels, [(public, "cards", Some("pan"), "pan"), (public, "cards", Some("cvv"), "sad")]);
    let class = snapshot.class(&["settlement-batch".into()], "payments").unwrap();
    assert_eq!(class.policy_names(), "settlement");
    assert_eq!((class.mask(), class.record()), (Mask::Last4, RecordResponses::Full));
    assert_eq!(class.durability(), Durability::Within(50));
    let limits = Limits { rows: Some(1_000_000), sessions: Some(50), duration_s: Some(7200) };
    assert_eq!(class.limits(), limits);
    assert!(snapshot.class(&["settlement-batch".into()], "other").is_none());
    assert!(snapshot.class(&["other".into()], "payments").is_none());
    assert_eq!(snapshot.policies().collect::<Vec<_>>(), ["settlement"]);
    assert!(warnings(SAMPLE).iter().any(|warning| warning.contains("allows the verb `transaction`")));
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    assert_eq!(compiled(SAMPLE).snapshot, compiled(SAMPLE).snapshot);
}

#[test]
fn several_policies_are_as_strict_as_the_strictest() {
    let second = "
---
kind: Policy
name: more
groups: [ops]
targets: [payments]
rules: [{name: all, verbs: [select], decide: allow}]
mask: {pan: full}
record: {responses: {rows: 10}}
evidence: {durability: before-forward}
limits: {rows: 5, duration: 3h}
";
    let snapshot =
        open(&format!("{}{second}", with("record: {responses: full}", "record: {responses: digest}")));
    let class = snapshot.class(&["ops".into(), "settlement-batch".into()], "payments").unwrap();
    assert_eq!(class.policy_names(), "settlement,more");
    assert_eq!((class.mask(), class.record()), (Mask::Full, RecordResponses::Rows(10)));
    assert_eq!(class.durability(), Durability::BeforeForward);
    assert_eq!(class.limits(), Limits { rows: Some(5), sessions: Some(50), duration_s: Some(7200) });
    let other = snapshot.class(&["ops".into()], "payments").unwrap();
    assert_ne!(class, other);
    assert_eq!(other, snapshot.class(&["ops".into(), "unknown".into()], "payments").unwrap());
}

#[test]
fn names_that_meet_nothing_or_meet_twice() {
    for (part, other, expected) in [
        ("targets: [payments]", "targets: [payment]", "27:11: there is no target `payment`"),
        ("labels: [pan]", "labels: [pans]", "31:14: no target of this policy has data labelled `pans`"),
        ("  - fromClaim: groups\n", "", "32:28: no issuer gives the group `pci-reviewers`"),
        ("name: no-ddl", "name: reports", "34:12: a second rule of this name; the first is at m.yaml:29:12"),
        (
            "column: public.cards.cvv, label: sad",
            "column: PUBLIC.cards.pan, label: pan",
            "22:14: this column has this label already",
        ),
    ] {
        let found = mistakes(&with(part, other));
        assert!(found.iter().any(|found| found == expected), "{expected}: {found:#?}");
    }
    let twice = format!("{SAMPLE}---\n{SAMPLE}");
    let found = mistakes(&twice);
    for expected in [
        "40:7: a second issuer `github`; the first is at m.yaml:2:7",
        "41:6: a second issuer of this url; the first is at m.yaml:3:6",
        "52:7: a second target `payments`; the first is at m.yaml:14:7",
        "63:7: a second policy `settlement`; the first is at m.yaml:25:7",
    ] {
        assert!(found.iter().any(|found| found == expected), "{expected}: {found:#?}");
    }
}

#[test]
fn targets() {
    for (part, other, expected) in [
        ("protocol: postgres ", "protocol: mongodb ", "serves no targets of this protocol yet"),
        ("listen: 0.0.0.0:5432", "listen: localhost:5432", "`listen` is an IP address and a port"),
        ("listen: 0.0.0.0:5432", "listen: 0.0.0.0:5432\nlistenTls: off", "only where `listen` is a loopback"),
        ("address: db.cde.internal:5432", "address: db.cde.internal", "`address` is a host and a port"),
        ("address: db.cde.internal:5432", "address: db.cde.internal:0", "`address` is a host and a port"),
        ("address: db.cde.internal:5432", "address: \"[::g]:1\"", "`address` is a host and a port"),
        ("mode: verify-full, ca", "mode: plaintext, ca", "`ca` means nothing"),
        ("ca: /etc/", "ca: etc/", "named by its whole path"),
        ("passwordFile: /run/", "passwordFile: run/", "named by its whole path"),
        (
            ", passwordFile: /run/credentials/pangate/payments.password",
            "",
            "`credential` lacks `passwordFile`",
        ),
        (
            "ca: /etc/",
            "clientCertificate: /c, ca: /etc/",
            "`clientCertificate` and `clientKey` come together",
        ),
        ("ca: /etc/", "clientKey: /k, ca: /etc/", "`clientCertificate` and `clientKey` come together"),
        ("ca: /etc/", "clientCertificate: c, clientKey: /k, ca: /etc/", "named by its whole path"),
        ("mode: verify-full, ca", "mode: plaintext, clientKey: /k, ca", "`clientKey` means nothing"),
        ("mode: verify-full, ca", "mode: plaintext, negotiation: direct, ca", "`negotiation` means nothing"),
        ("data:", "oauth: {issuer: nobody}\ndata:", "there is no issuer `nobody`"),
        ("data:", "oauth: {issuer: github, scope: 'a\"b'}\ndata:", "a scope is up to 255"),
        ("data:", "oauth: {issuer: github, users: []}\ndata:", "`users` is empty"),
        ("data:", "oauth: {issuer: github}\nlistenTls: off\ndata:", "`oauth` needs TLS"),
        ("column: public.cards.cvv", "column: cvv", "a column is written"),
        ("column: public.cards.cvv", "column: a.public.cards.cvv", "at most 3 parts"),
        ("column: public.cards.cvv", "column: public.*.cvv", "`*` stands alone"),
        ("url: https://token", "url: http://token", "begins with https://"),
    ] {
        let found = mistakes(&with(part, other));
        assert!(found.iter().any(|found| found.contains(expected)), "{expected}: {found:#?}");
    }
    let waived = with("listen: 0.0.0.0:5432", "listen: \"[::1]:5432\"\nlistenTls: off");
    assert!(open(&waived).target("payments").unwrap().waive_tls);
    open(&with("url: https://token.actions.githubusercontent.com", "url: http://127.0.0.1:1/dev"));
    open(&with("address: db.cde.internal:5432", "address: \"[::1]:1\""));
    let plain = with("tls: {mode: verify-full, ca: /etc/pangate/ca/db.pem}", "tls: {mode: plaintext}");
    assert_eq!(open(&plain).target("payments").unwrap().tls, TlsMode::Plaintext);
    assert!(warnings(&plain).iter().any(|warning| warning.contains("without TLS")));
}

#[test]
fn targets_of_mysql() {
    let mysql = with("protocol: postgres ", "protocol: mysql ");
    let target = |text: &str| Snapshot::open(&compiled(text).snapshot).unwrap();
    let snapshot = target(&mysql.replace("column: public.cards.cvv", "column: 'Shop.\"Cards\".CVV'"));
    let payments = snapshot.target("payments").unwrap();
    assert_eq!((payments.protocol, payments.pool.idle_max), (Protocol::Mysql, 20));
    // Its names are compared without case.
    assert!(
        payments.labels().any(|it| (it.schema, it.table, it.column) == (Some("shop"), "cards", Some("cvv")))
    );
    target(&mysql.replace("data:", "pool: off\ndata:"));
    for (part, other, expected) in [
        ("mode: verify-full, ca", "negotiation: direct, ca", "`negotiation: direct` is for targets of"),
        ("data:", "oauth: {issuer: github}\ndata:", "`oauth` is for targets of the protocol postgres"),
        ("column: public.cards.cvv", "column: cards.cvv", "is written `database.table.column`"),
        ("objects: [public.settlements]", "objects: ['public.\"Settlements\"']", "write lower case"),
    ] {
        assert!(mysql.contains(part), "{part}");
        let found = mistakes(&mysql.replace(part, other));
        assert!(found.iter().any(|found| found.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn connections_are_kept_as_the_target_says() {
    let kept = |pool: &str| {
        let pool = open(&with("listen: 0.0.0.0:5432", &format!("listen: 0.0.0.0:5432{pool}")));
        let pool = pool.target("payments").unwrap().pool;
        (pool.idle_max, pool.idle_ms)
    };
    assert_eq!(kept(""), (20, 60_000));
    assert_eq!(kept("\npool: off"), (0, 60_000));
    assert_eq!(kept("\npool: {idle: 3}"), (3, 60_000));
    assert_eq!(kept("\npool: {idle: 1000, idleTimeout: 10m}"), (1000, 600_000));
    for (pool, expected) in [
        ("pool: {idle: 1001}", "`idle` is 1000 at the most"),
        ("pool: {idleTimeout: 999ms}", "between 1s and 10m"),
        ("pool: {idleTimeout: 601s}", "between 1s and 10m"),
        ("pool: {idle: many}", "a whole number"),
        ("pool: {size: 1}", "size"),
        ("pool: on", "`pool`"),
    ] {
        let found = mistakes(&with("listen: 0.0.0.0:5432", &format!("listen: 0.0.0.0:5432\n{pool}")));
        assert!(found.iter().any(|found| found.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn a_certificate_may_stand_for_the_password() {
    let text = with(
        "ca: /etc/pangate/ca/db.pem",
        "clientCertificate: /c.pem, clientKey: /c.key, negotiation: direct",
    );
    let text = text.replace(", passwordFile: /run/credentials/pangate/payments.password", "");
    let snapshot = open(&text);
    let target = snapshot.target("payments").unwrap();
    let client = Some(ClientFiles { certificate: "/c.pem", key: "/c.key" });
    assert_eq!(target.tls, TlsMode::VerifyFull { ca: None, client, direct: true });
    assert_eq!(target.credential.password_file, None);
}

#[test]
fn oauthbearer_is_for_the_users_named() {
    assert!(open(SAMPLE).target("payments").unwrap().oauth.is_none());
    let snapshot = open(&with("data:", "oauth: {issuer: github, users: [bearer, other]}\ndata:"));
    let oauth = snapshot.target("payments").unwrap().oauth.unwrap();
    let configuration = "https://token.actions.githubusercontent.com/.well-known/openid-configuration";
    assert_eq!((oauth.configuration, oauth.scope), (configuration, "openid"));
    assert!(oauth.is_for("bearer") && oauth.is_for("other") && !oauth.is_for("job"));
    let snapshot = open(&with("data:", "oauth: {issuer: github, scope: openid profile}\ndata:"));
    let oauth = snapshot.target("payments").unwrap().oauth.unwrap();
    assert!(oauth.is_for("job") && oauth.scope == "openid profile");
}

#[test]
fn a_shared_listener_needs_databases() {
    let second = "
---
kind: Target
name: ledger
protocol: postgres
listen: 0.0.0.0:5432
address: ledger:5432
credential: {username: u, passwordFile: /p}
";
    let found = mistakes(&format!("{SAMPLE}{second}"));
    assert_eq!(
        found,
        [
            "16:9: `payments` shares its listener with another target and names no `database`",
            "43:9: `ledger` shares its listener with another target and names no `database`",
        ]
    );
    let named = with("address: db.cde", "database: payments\naddress: db.cde");
    let snapshot = open(&format!("{named}{second}database: ledger\n"));
    assert_eq!(snapshot.target("ledger").unwrap().database, Some("ledger"));
}

#[test]
fn approvals_and_limits_are_bounded() {
    let approval = "{reviewers: [pci-reviewers], count: 1, timeout: 15m, grant: once}";
    for (part, other, expected) in [
        (approval, "{reviewers: [p], count: 0}", "33:39: between 1 and 100 people must approve"),
        (approval, "{reviewers: [p], timeout: 25h}", "33:41: a request waits between 1s and 24h"),
        (approval, "{reviewers: [p], timeout: 0s}", "33:41: a request waits between 1s and 24h"),
        (
            approval,
            "{reviewers: [p], inTransaction: 11m}",
            "33:47: inside a transaction a request waits 10m at the most; or say deny",
        ),
        (approval, "{reviewers: [p], timeout: 1s, inTransaction: 2s}", "33:60: longer than `timeout`"),
        (approval, "{reviewers: [p], grant: {window: 8d}}", "33:48: a window lasts between 1s and 7d"),
        (
            "rows: 1000000",
            "rows: 0",
            "37:16: a limit of 0 lets nothing through: say so by a rule, or leave the limit out",
        ),
        (
            "sessions: 50",
            "sessions: 0",
            "37:35: a limit of 0 lets nothing through: say so by a rule, or leave the limit out",
        ),
        ("duration: 2h", "duration: 31d", "37:49: a session lasts between 1s and 30d"),
        ("responses: full", "responses: {rows: 0}", "36:28: 0 rows: say digest"),
        (
            "limits: {rows",
            "evidence: {durability: {within: 0ms}}\nlimits: {rows",
            "37:33: between 1ms and 10s; or say before-forward",
        ),
    ] {
        let found = mistakes(&with(part, other));
        assert!(found.iter().any(|found| found == expected), "{expected}: {found:#?}");
    }
}

#[test]
fn rules_that_cannot_do_what_they_say() {
    let rule = "{name: reports, verbs: [select], objects: [public.settlements], decide: allow}";
    for (other, expected) in [
        ("{name: r, verbs: [select], decide: hold}", "has no `approval`"),
        ("{name: r, decide: allow, approval: {reviewers: [p]}}", "`approval` means nothing"),
        ("{name: r, objects: [a.b.c], decide: deny}", "at most 2 parts"),
        ("{name: r, functions: [\"f(\"], decide: deny}", "`(` cannot stand in a name"),
        ("{name: r, columns: [pan], decide: deny}", "a column is written"),
        ("{name: r, columns: [a.b.c.d], decide: deny}", "at most 3 parts"),
        (
            "{name: r, verbs: [unknown], objects: [public.t], decide: allow}",
            "what is not understood has no objects",
        ),
        ("{name: r, verbs: [transaction], labels: [pan], decide: allow}", "its verbs have no columns"),
        ("{name: r, objects: [a.b], columns: [a.c.x], decide: allow}", "of other objects than it names"),
        ("{name: r, verbs: [transaction], effects: [unbounded], decide: allow}", "do not have the effect"),
        ("{name: r, verbs: [ddl, grant], decide: allow}", "rule `no-ddl` denies all that it allows"),
    ] {
        let found = mistakes(&with(rule, other));
        assert!(found.iter().any(|found| found.contains(expected)), "{expected}: {found:#?}");
    }
    for fine in [
        "{name: r, verbs: [ddl, select], decide: allow}",
        "{name: r, objects: [a.*], columns: [a.c.x], decide: allow}",
        "{name: r, objects: [c], columns: [a.c.x], decide: allow}",
    ] {
        assert_eq!(mistakes(&with(rule, fine)), [""; 0], "{fine}");
    }
}

#[test]
fn one_deployment_has_one_format_of_masks() {
    let second = "
---
kind: Policy
name: more
groups: [ops]
targets: [payments]
rules: [{name: all, verbs: [select], decide: allow}]
";
    let expected =
        "policy `more` masks as bin6-last4, policy `settlement` as last4: one deployment has one format";
    let found = mistakes(&format!("{SAMPLE}{second}mask: {{pan: bin6-last4}}"));
    assert_eq!(found, [format!("45:13: {expected}")]);
    let found = mistakes(&format!("{}{second}", with("mask: {pan: last4}", "mask: {pan: bin8-last4}")));
    assert!(
        found[0].starts_with("41:7: policy `more` masks as last4"),
        "the default is a format too: {found:?}"
    );
    assert_eq!(mistakes(&format!("{SAMPLE}{second}mask: {{pan: full}}")), [""; 0]);
}

#[test]
fn what_is_odd_is_a_warning() {
    let rule = "{name: reports, verbs: [select], objects: [public.settlements], decide: allow}";
    let hold = "  - {name: second, verbs: [update], decide: hold, approval: {reviewers: [others]}}\n  - {name: no-ddl";
    for (part, other, expected) in [
        (rule, "{name: r, decide: allow}", "29:12: rule `r` allows every request that is understood"),
        (
            "  - {name: no-ddl",
            hold,
            "34:12: rules `touches-card-data` and `second` have no group of reviewers in common",
        ),
        ("requester: actor ", "", "2:7: issuer `github` names no requester, yet there are rules that hold"),
    ] {
        let found = warnings(&with(part, other));
        assert!(found.iter().any(|found| found == expected), "{expected}: {found:#?}");
    }
    let (issuer, rest) = SAMPLE.split_once("---\n").unwrap();
    let (target, policy) = rest.split_once("---\n").unwrap();
    assert!(warnings(rest).iter().any(|warning| warning.contains("there is no issuer")));
    assert!(
        warnings(&format!("{issuer}---\n{target}"))
            .iter()
            .any(|warning| warning.contains("no policy names target"))
    );
    assert_eq!(mistakes(policy), ["4:11: there is no target `payments`"]);
}

#[test]
fn mistakes_of_reading_and_of_meaning_come_together() {
    let text = with("verbs: [select]", "verbs: [selct]")
        .replace("targets: [payments]", "targets: [payment]")
        .replace("protocol: postgres ", "protocl: postgres ");
    let found = mistakes(&text);
    assert_eq!(
        found,
        [
            "13:1: a Target lacks `protocol`",
            "15:1: a Target has no key `protocl`",
            "27:11: there is no target `payment`",
            "29:29: `selct` is not one of select, insert, update, delete, merge, copy, call, ddl, grant, set, transaction, admin, unknown",
        ]
    );
}

#[test]
fn bytes_that_are_no_snapshot_are_refused() {
    let good = compiled(SAMPLE).snapshot;
    assert_eq!(Snapshot::open(b"").unwrap_err(), SnapshotError::NoSnapshot);
    assert_eq!(Snapshot::open(b"pangate\0").unwrap_err(), SnapshotError::NoSnapshot);
    assert_eq!(Snapshot::open(&good[1..]).unwrap_err(), SnapshotError::NoSnapshot);
    let mut newer = good.clone();
    newer[8] += 1;
    assert_eq!(
        Snapshot::open(&newer).unwrap_err(),
        SnapshotError::Format { found: crate::model::FORMAT + 1 }
    );
    let long = vec![0; crate::snapshot::SNAPSHOT_BYTES_MAX + 1];
    assert!(matches!(Snapshot::open(&long).unwrap_err(), SnapshotError::TooLarge { .. }));
    assert_eq!(Snapshot::open(&good[..12]).unwrap_err(), SnapshotError::Damaged);
    let mut torn = good.clone();
    let end = torn.len() - 1;
    torn[end] = 0xff;
    assert_eq!(Snapshot::open(&torn).unwrap_err(), SnapshotError::Damaged);
    for at in 0..good.len() {
        // Whatever opens can be read whole.
        let mut changed = good.clone();
        changed[at] ^= 0x80;
        if let Ok(snapshot) = Snapshot::open(&changed) {
            let targets = snapshot.targets().map(|target| target.labels().count()).sum::<usize>();
            let groups = ["settlement-batch".to_owned()];
            assert!(targets <= 1_000 && snapshot.issuers().count() <= 1_000);
            let _ = snapshot.class(&groups, "payments");
        }
    }
}
