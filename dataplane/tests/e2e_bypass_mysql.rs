//! The bypass corpus in MySQL's form: every trick in `bypass_mysql/*.sql` to get a card number out, through the whole of
//! pangate to a real MariaDB. Each is run at another one first: there its decoders must find a number, so that they can.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "bypass_mysql/client.rs"]
mod client;
#[path = "bypass/decoders.rs"]
mod decoders;
mod gateway;
#[path = "bypass/judge.rs"]
mod judge;
#[path = "bypass_mysql/proof.rs"]
mod proof;
#[path = "bypass_mysql/texts.rs"]
mod texts;
#[path = "bypass/trick.rs"]
mod trick;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use client::{Session, Transcript, Way};
use gateway::Gateway;
use judge::{ANYTHING, CAREFUL, Place, READS, Tried};
use proof::Proof;
use rustls::ClientConfig;
use trick::Trick;

/// A gateway under the corpus's policies, and a server with the same data where tricks are tried without it.
struct Corpus {
    gateway: Gateway,
    tls: Arc<ClientConfig>,
    proof: Proof,
    second_port: u16,
    tokens: HashMap<&'static str, String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bypass_mysql")
}

impl Corpus {
    fn start() -> Self {
        let gateway = Gateway::with_policy(&folder().join("policies.yaml"));
        let manifests = gateway.policy();
        let second = manifests.split("listen: 127.0.0.1:").nth(2).unwrap().lines().next().unwrap();
        let token =
            |group| (group, gateway.token(&["--subject", "ci-job", "--requester", "dana", "--group", group]));
        let tokens = [READS.group, CAREFUL.group, ANYTHING.group].map(token).into();
        let tls = client::trusting(Path::new(gateway.get("PANGATE_CA")));
        Self { second_port: second.parse().unwrap(), gateway, tls, proof: Proof::start(), tokens }
    }
}

impl Tried for Corpus {
    fn directly(&self, trick: &Trick, way: Way) -> Transcript {
        self.proof.session().run(way, &trick.requests, &trick.parameters)
    }

    fn through(&self, place: &Place, trick: &Trick, way: Way) -> Transcript {
        let (port, database) = if place.labelled {
            (self.gateway.mysql_port(), "shop")
        } else {
            (self.second_port, "unlabelled")
        };
        let session = Session::open(&self.tls, port, database, &self.tokens[place.group]);
        session.run(way, &trick.requests, &trick.parameters)
    }
}

#[test]
fn no_trick_gets_a_card_number_out_but_where_its_policy_is_named() {
    let tricks = judge::tricks(&folder());
    assert!(tricks.len() >= 90 || judge::is_partial(), "{} tricks", tricks.len());
    judge::all(&Corpus::start(), &tricks);
}

#[test]
fn each_trick_brings_a_number_home_from_the_target_itself_or_says_that_it_does_not() {
    let (proof, mut wrong) = (Proof::start(), Vec::new());
    for trick in judge::tricks(&folder()) {
        let truths: Vec<_> = trick
            .ways
            .iter()
            .map(|way| proof.session().run(*way, &trick.requests, &trick.parameters))
            .collect();
        wrong.extend(judge::works(&trick, &truths).map(|why| format!("{}: {why}", trick.file)));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_is_out_of_reach_stands_in_the_security_document() {
    judge::documented(&judge::tricks(&folder()), "mysql/");
}
