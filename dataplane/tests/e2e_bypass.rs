//! The bypass corpus: every trick in `bypass/*.sql` to get a card number out, through the whole of pangate to a real
//! PostgreSQL. Each is run at the target itself first: there its decoders must find a number, so that they can.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "bypass/client.rs"]
mod client;
#[path = "bypass/decoders.rs"]
mod decoders;
mod gateway;
#[path = "bypass/judge.rs"]
mod judge;
#[path = "bypass/texts.rs"]
mod texts;
#[path = "bypass/trick.rs"]
mod trick;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use client::{Session, Transcript, Way};
use gateway::Gateway;
use judge::{ANYTHING, CAREFUL, Place, READS, Tried};
use rustls::ClientConfig;
use trick::Trick;

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
}

impl Tried for Corpus {
    fn directly(&self, trick: &Trick, way: Way) -> Transcript {
        Session::open_directly(&self.socket, "proof").run(way, &trick.requests, &trick.parameters)
    }

    fn through(&self, place: &Place, trick: &Trick, way: Way) -> Transcript {
        let (port, database) =
            if place.labelled { (self.gateway.port(), "payments") } else { (self.second_port, "unlabelled") };
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
fn what_is_out_of_reach_stands_in_the_security_document() {
    judge::documented(&judge::tricks(&folder()), "");
}
