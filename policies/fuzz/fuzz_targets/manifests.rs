//! Manifests: any text reads or is refused with places inside it; what reads compiles or is refused; what compiles opens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policies::compile::compile;
use policies::manifest::read;
use policies::snapshot::Snapshot;

fuzz_target!(|text: &str| {
    let manifests = match read(&[("m.yaml", text)]) {
        Ok(manifests) => manifests,
        Err(errors) => {
            assert!(!errors.is_empty());
            assert!(errors.iter().all(|error| error.line >= 1 && error.column >= 1));
            return;
        }
    };
    if let Ok(compiled) = compile(&manifests, 1, 1) {
        let snapshot = Snapshot::open(&compiled.snapshot).expect("what is compiled opens");
        assert_eq!(snapshot.version(), 1);
    }
});
