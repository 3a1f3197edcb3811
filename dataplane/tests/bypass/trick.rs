//! A file of the corpus: a header of `-- key: value` lines, then requests set apart by blank lines.
//!
//! - `trick`: its name. `decode`: what an attacker does with what comes back (see `decoders`); several by spaces.
//! - `expect`: under a policy of reading on labelled columns: `masked`, `held`, `denied`, or
//!   `out-of-reach (policy: careful)`: the number gets out under `reads`, and the named policy holds or denies it.
//! - `unlabelled`, `anything`: the same where no column is labelled; where no column is labelled and all is allowed.
//! - `send`: `simple`, `binary`, `portal ROWS`, `pipelined`; several by commas; both of the first two where not said.
//! - `direct`: `fails` where the target itself gives nothing: the trick needs what it has not.
//! - `parameter`: a parameter of each request.

use std::path::Path;

use crate::client::Way;

/// What becomes of a trick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// It runs, and no card number can be had from what comes back.
    Masked,
    /// It waits for people.
    Held,
    /// The gateway refuses it.
    Denied,
    /// A card number gets out; this policy, where there is one, stops that.
    OutOfReach(Option<String>),
}

/// One trick.
pub(crate) struct Trick {
    /// The file's name without `.sql`.
    pub(crate) file: String,
    /// In words.
    pub(crate) name: String,
    pub(crate) decoders: Vec<String>,
    pub(crate) expect: Expectation,
    pub(crate) unlabelled: Option<Expectation>,
    pub(crate) anything: Option<Expectation>,
    pub(crate) ways: Vec<Way>,
    pub(crate) works_directly: bool,
    pub(crate) parameters: Vec<String>,
    pub(crate) requests: Vec<String>,
}

impl Trick {
    /// Reads a file; panics where its header is wrong.
    pub(crate) fn read(path: &Path) -> Self {
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let (header, body) = text.split_once("\n\n").unwrap_or_else(|| panic!("{file}: no header"));
        let pairs: Vec<(&str, &str)> = header
            .lines()
            .map(|line| {
                let pair = line.strip_prefix("-- ").and_then(|line| line.split_once(": "));
                pair.unwrap_or_else(|| panic!("{file}: {line}"))
            })
            .collect();
        let keys =
            ["trick", "decode", "expect", "unlabelled", "anything", "send", "direct", "parameter", "note"];
        for (key, _) in &pairs {
            assert!(keys.contains(key), "{file}: no header is called {key}");
        }
        let value = |key| pairs.iter().find(|(own, _)| *own == key).map(|(_, value)| *value);
        let needed = |key| value(key).unwrap_or_else(|| panic!("{file}: no {key}"));
        let trick = Self {
            name: needed("trick").to_owned(),
            decoders: needed("decode").split(' ').map(Into::into).collect(),
            expect: expectation(&file, needed("expect")),
            unlabelled: value("unlabelled").map(|value| expectation(&file, value)),
            anything: value("anything").map(|value| expectation(&file, value)),
            ways: value("send").unwrap_or("simple, binary").split(", ").map(way).collect(),
            works_directly: value("direct").is_none(),
            parameters: value("parameter").into_iter().map(Into::into).collect(),
            requests: body.trim().split("\n\n").map(|request| request.trim().to_owned()).collect(),
            file,
        };
        let open = [Some(&trick.expect), trick.unlabelled.as_ref(), trick.anything.as_ref()];
        let leaks = |one: &Expectation| matches!(one, Expectation::OutOfReach(_));
        assert!(
            trick.works_directly || !open.into_iter().flatten().any(leaks),
            "{}: what fails directly gets nothing out",
            trick.file
        );
        let Expectation::OutOfReach(policy) = &trick.expect else { return trick };
        assert!(policy.is_some(), "{}: out of reach of which policy?", trick.file);
        trick
    }
}

fn expectation(file: &str, value: &str) -> Expectation {
    match value {
        "masked" => Expectation::Masked,
        "held" => Expectation::Held,
        "denied" => Expectation::Denied,
        "out-of-reach" => Expectation::OutOfReach(None),
        _ => {
            let policy = value.strip_prefix("out-of-reach (policy: ").and_then(|rest| rest.strip_suffix(')'));
            Expectation::OutOfReach(Some(policy.unwrap_or_else(|| panic!("{file}: {value}")).to_owned()))
        }
    }
}

fn way(value: &str) -> Way {
    match value.split_once(' ') {
        Some(("portal", rows)) => Way::Portal(rows.parse().unwrap()),
        None if value == "simple" => Way::Simple,
        None if value == "binary" => Way::Binary,
        None if value == "pipelined" => Way::Pipelined,
        _ => panic!("no way of sending is called {value}"),
    }
}
