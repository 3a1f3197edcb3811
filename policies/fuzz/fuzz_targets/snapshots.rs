//! Snapshots: bytes changed at will are refused, or can be read and decided by.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use policies::compile::compile;
use policies::manifest::read;
use policies::snapshot::Snapshot;
use policies::statement::{Dialect, Facts, sql};

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let text = include_str!("../../packs/settlement/policy.yaml");
    compile(&read(&[("m.yaml", text)]).expect("reads"), 1, 1).expect("compiles").snapshot
});

static FACTS: LazyLock<[Facts; 2]> = LazyLock::new(|| {
    [
        sql::analyse("select pan from cards; update settlements set a = f(b)", Dialect::Postgres),
        Facts::unknown(),
    ]
});

// Changes, each a place (two bytes) and a value to exclusive-or there.
fuzz_target!(|changes: &[u8]| {
    let mut bytes = GOOD.clone();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] ^= change[2];
    }
    let Ok(snapshot) = Snapshot::open(&bytes) else { return };
    let claims =
        serde_json::json!({"iss": "https://token.actions.githubusercontent.com", "sub": "x", "actor": "y"});
    for issuer in snapshot.issuers() {
        let _ = snapshot.identify(&issuer, &claims);
    }
    for target in snapshot.targets() {
        let _ = target.labels().count();
        if let Some(class) = snapshot.class(&["settlement-batch".to_owned()], target.name) {
            for facts in FACTS.iter() {
                let _ = snapshot.decide(&class, target.name, facts);
            }
        }
    }
});
