//! Statements of MySQL: any text has facts that hold together, and a decision; it is never less strict than its parts.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use policies::compile::compile;
use policies::decision::Decision;
use policies::manifest::read;
use policies::snapshot::{Class, Snapshot};
use policies::statement::{Dialect, Verb, fingerprint, sql};

static POLICY: LazyLock<(Snapshot, Class)> = LazyLock::new(|| {
    let text = include_str!("../../packs/mysql-shop/policy.yaml");
    let compiled = compile(&read(&[("m.yaml", text)]).expect("reads"), 1, 1).expect("compiles");
    let snapshot = Snapshot::open(&compiled.snapshot).expect("opens");
    let class = snapshot.class(&["shop-batch".to_owned()], "shop").expect("applies");
    (snapshot, class)
});

fuzz_target!(|text: &str| {
    let context = sql::Context { database: "shop", ..sql::Context::default() };
    let facts = sql::analyse_in(text, Dialect::Mysql, &context);
    assert_eq!(facts.understood, !facts.verbs.contains(&Verb::Unknown));
    for verb in &facts.verbs {
        assert!(facts.accesses.iter().any(|access| access.verb == *verb));
    }
    for object in &facts.objects {
        assert!(facts.accesses.iter().any(|access| access.object.as_ref() == Some(object)));
    }
    let (snapshot, class) = &*POLICY;
    let decision = snapshot.decide(class, "shop", &facts);
    let denied = matches!(decision, Decision::Deny { .. });
    assert!(facts.understood || denied, "this policy denies what is not understood");
    for member in &facts.members {
        if matches!(snapshot.decide(class, "shop", member), Decision::Deny { .. }) {
            assert!(denied, "a list is as strict as its strictest member");
        }
    }
    let mut shape = String::new();
    let _ = fingerprint(text, Dialect::Mysql, &mut shape);
});
