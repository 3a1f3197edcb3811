//! The bypass corpus: every trick in `bypass/*.sql` to get a card number out, through the whole of pangate to a real
//! PostgreSQL. Each is run at the target itself first: there its decoders must find a number, so that they can.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "bypass/client.rs"]
mod client;
#[path = "bypass/decoders.rs"]
mod decoders;
mod gateway;
#[path = "bypass/texts.rs"]
mod texts;
#[path = "bypass/trick.rs"]
mod trick;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use client::{Session, Transcript, Way};
use gateway::Gateway;
use rustls::ClientConfig;
use texts::Texts;
use trick::{Expectation, Trick};

/// The target of each policy, and which group of jobs it is for.
struct Place {
    name: &'static str,
    group: &'static str,
    labelled: bool,
}

/// How many tricks are tried at once.
const AT_ONCE: usize = 4;

const READS: Place = Place { name: "reads", group: "settlement-batch", labelled: true };
const CAREFUL: Place = Place { name: "careful", group: "careful", labelled: true };
const UNLABELLED: Place = Place { name: "unlabelled", group: "settlement-batch", labelled: false };
const ANYTHING: Place = Place { name: "anything", group: "anything", labelled: false };

/// A gateway under the corpus's policies, and a copy of the target's data where tricks are tried without it.
struct Corpus {
    gateway: Gateway,
    tls: Arc<ClientConfig>,
    socket: PathBuf,
    second_port: u16,
    tokens: HashMap<&'static str, String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bypass")
}

fn tricks() -> Vec<Trick> {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "sql"))
        .collect();
    files.sort();
    let only = std::env::var("PANGATE_TRICK").unwrap_or_default();
    files.iter().map(|path| Trick::read(path)).filter(|trick| trick.file.contains(&only)).collect()
}

impl Corpus {
    fn start() -> Self {
        let gateway = Gateway::with_policy(&folder().join("policies.yaml"));
        let server = gateway.dir().join("postgres").canonicalize().unwrap();
        let socket = server.join(format!(".s.PGSQL.{}", gateway.target_port()));
        // The gateway reads the catalog by connections of its own, and keeps those of sessions: a copy needs to be alone.
        gateway::wait_for("a copy of the database", || {
            let alone = "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'payments'";
            let done = Command::new("psql")
                .args(["-X", "-q", "-U", "postgres", "-p", &gateway.target_port().to_string(), "-h"])
                .arg(&server)
                .args(["-c", alone, "-c", "create database proof template payments"])
                .output()
                .unwrap();
            done.status.success().then_some(())
        });
        let manifests = gateway.policy();
        let second = manifests.split("listen: 127.0.0.1:").nth(2).unwrap().lines().next().unwrap();
        let token =
            |group| (group, gateway.token(&["--subject", "ci-job", "--requester", "dana", "--group", group]));
        let tokens = [READS.group, CAREFUL.group, ANYTHING.group].map(token).into();
        let tls = client::trusting(Path::new(gateway.get("PANGATE_CA")));
        Self { second_port: second.parse().unwrap(), gateway, tls, socket, tokens }
    }

    fn directly(&self, trick: &Trick, way: Way) -> Transcript {
        Session::open_directly(&self.socket, "proof").run(way, &trick.requests, &trick.parameters)
    }

    fn through(&self, place: &Place, trick: &Trick, way: Way) -> Transcript {
        let (port, database) =
            if place.labelled { (self.gateway.port(), "payments") } else { (self.second_port, "unlabelled") };
        let session = Session::open(&self.tls, port, database, &self.tokens[place.group]);
        session.run(way, &trick.requests, &trick.parameters)
    }

    /// Runs a trick everywhere; what is not as its header says.
    fn judge(&self, trick: &Trick) -> Vec<String> {
        let truths: Vec<_> = trick.ways.iter().map(|way| self.directly(trick, *way)).collect();
        let mut wrong = Vec::new();
        let texts: Vec<_> = truths.iter().map(Texts::of).collect();
        let works = truths
            .iter()
            .zip(&texts)
            .any(|(truth, texts)| decoders::find(&trick.decoders, truth, Some(texts)).is_some());
        if works != trick.works_directly {
            wrong.push(format!("directly: a number is found: {works}\n{}", shown(&truths)));
        }
        let mut expectations = vec![(READS, &trick.expect)];
        let careful = Expectation::OutOfReach(Some(CAREFUL.name.to_owned()));
        if let Expectation::OutOfReach(Some(policy)) = expectations[0].1 {
            assert_eq!(policy, CAREFUL.name, "{}", trick.file);
            expectations.push((CAREFUL, &careful));
        }
        expectations.extend(trick.unlabelled.as_ref().map(|expected| (UNLABELLED, expected)));
        expectations.extend(trick.anything.as_ref().map(|expected| (ANYTHING, expected)));
        for (place, expected) in expectations {
            let all: Vec<_> = trick.ways.iter().map(|way| self.through(&place, trick, *way)).collect();
            let found = all
                .iter()
                .zip(&texts)
                .find_map(|(got, texts)| decoders::find(&trick.decoders, got, Some(texts)));
            if let Err(why) = meets(&place, expected, &all, found) {
                wrong.push(format!("{}: {why}\n{}", place.name, shown(&all)));
            }
        }
        wrong
    }
}

fn meets(
    place: &Place,
    expected: &Expectation,
    all: &[Transcript],
    found: Option<String>,
) -> Result<(), String> {
    if all.iter().any(|got| got.quiet) {
        return Err("the gateway does not answer".to_owned());
    }
    let leaks = matches!(expected, Expectation::OutOfReach(_)) && place.name != CAREFUL.name;
    match (leaks, found) {
        (false, Some(found)) => return Err(format!("LEAK: {found}")),
        (true, None) => return Err("is said to be out of reach, but nothing is found".to_owned()),
        (true, Some(_)) => return Ok(()),
        (false, None) => {}
    }
    let held = all.iter().all(|got| got.held);
    let denied = all.iter().all(|got| got.ended || refusals(got) > 0);
    let met = match expected {
        Expectation::Masked => !all.iter().any(|got| got.held || got.ended || refusals(got) > 0),
        Expectation::Held => held,
        Expectation::Denied => denied,
        Expectation::OutOfReach(_) => all.iter().all(|got| got.held || refusals(got) > 0),
    };
    if met { Ok(()) } else { Err(format!("is not {expected:?}")) }
}

/// How many errors are the gateway's own.
fn refusals(got: &Transcript) -> usize {
    let words =
        ["denied by ", "not understood", "by no rule", "cannot be masked", "no rule that allows", "pangate"];
    let own = |message: &str| words.iter().any(|word| message.contains(word));
    Texts::of(got).errors.iter().filter(|(_, message)| own(message)).count()
}

fn shown(all: &[Transcript]) -> String {
    let mut out = String::new();
    for got in all {
        let texts = Texts::of(got);
        let mut rows: Vec<String> = texts.rows.iter().take(4).map(|row| row.join("|")).collect();
        rows.extend(texts.errors.iter().map(|(code, message)| format!("{code} {message}")));
        let _ = writeln!(out, "      held {}, ended {}: {}", got.held, got.ended, rows.join(" / "));
    }
    out
}

#[test]
fn no_trick_gets_a_card_number_out_but_where_its_policy_is_named() {
    let tricks = tricks();
    assert!(tricks.len() >= 90 || std::env::var_os("PANGATE_TRICK").is_some(), "{} tricks", tricks.len());
    let corpus = Corpus::start();
    let next = AtomicUsize::new(0);
    let judge = || {
        let mut wrong = String::new();
        while let Some(trick) = tricks.get(next.fetch_add(1, Ordering::Relaxed)) {
            for what in corpus.judge(trick) {
                let _ = writeln!(wrong, "{} ({})\n    {what}", trick.file, trick.name);
            }
        }
        wrong
    };
    let wrong: String = std::thread::scope(|scope| {
        let threads = [(); AT_ONCE].map(|()| scope.spawn(judge));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn what_is_out_of_reach_stands_in_the_security_document() {
    let document = std::fs::read_to_string(folder().join("../../../SECURITY.md")).unwrap();
    for trick in tricks() {
        let leaks = matches!(trick.expect, Expectation::OutOfReach(_));
        assert_eq!(leaks, document.contains(&format!("`{}`", trick.file)), "{} in SECURITY.md", trick.file);
    }
}
