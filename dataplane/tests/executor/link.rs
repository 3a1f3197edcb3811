//! The link, against a mgmt made of plain sockets.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use dataplane::executor::{FromExecutor, Handle};
use evidence::checkpoint::Checkpoint;
use policies::compile::compile;
use policies::link::{Decoder, IssuerKeys, TicketRuling, ToDataplane, ToMgmt, encode};
use policies::manifest;

use crate::place::{PATIENCE, Place, next, signer, write};

/// mgmt's end of one connection.
struct Mgmt {
    stream: UnixStream,
    decoder: Decoder<ToMgmt>,
}

impl Mgmt {
    fn accept(listener: &UnixListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, decoder: Decoder::new() }
    }

    fn send(&mut self, message: &ToDataplane) {
        self.stream.write_all(&encode(message).unwrap()).unwrap();
    }

    /// The next message but checkpoints.
    fn next(&mut self) -> ToMgmt {
        loop {
            match self.any() {
                ToMgmt::Checkpoint { .. } => {}
                message => return message,
            }
        }
    }

    fn any(&mut self) -> ToMgmt {
        loop {
            if let Some(message) = self.decoder.next().unwrap() {
                return message;
            }
            let mut buffer = [0; 4096];
            let length = self.stream.read(&mut buffer).unwrap();
            assert!(length > 0, "the dataplane has closed the link");
            self.decoder.push(&buffer[..length]);
        }
    }
}

fn linked(handle: &Handle) {
    while !matches!(handle.inbox().recv_timeout(PATIENCE).unwrap(), FromExecutor::Linked) {}
}

fn keys() -> Vec<IssuerKeys> {
    vec![IssuerKeys { issuer: "https://issuer.example".into(), fetched_s: 1, keys: Vec::new() }]
}

fn ruling(ticket: u128) -> TicketRuling {
    TicketRuling {
        ticket,
        digest: [1; 32],
        approved: true,
        reviewers: vec!["ann".into()],
        reason: "fine".into(),
    }
}

fn withdrawn(ticket: u128) -> ToMgmt {
    ToMgmt::Withdrawn { ticket, reason: "gone".into() }
}

#[test]
fn messages_go_both_ways_and_on_after_a_reconnect() {
    let place = Place::new();
    let (handles, executors) = place.start(2);
    // Said before there is anyone to hear it.
    handles[1].tell_mgmt(withdrawn(1)).unwrap();
    let listener = UnixListener::bind(&place.config.link).unwrap();
    let mut mgmt = Mgmt::accept(&listener);
    let hello = ToMgmt::Hello { instance: "gateway-1".into(), shards: 2, snapshot: 0 };
    assert_eq!(mgmt.next(), hello);
    assert_eq!(mgmt.next(), withdrawn(1));
    handles.iter().for_each(linked);

    mgmt.send(&ToDataplane::Keys(keys()));
    mgmt.send(&ToDataplane::Ruling(ruling(5)));
    for handle in &handles {
        assert!(matches!(next(handle), FromExecutor::Keys(shared) if *shared == keys()));
        assert!(matches!(next(handle), FromExecutor::Ruling(told) if told == ruling(5)));
    }
    handles[0].tell_mgmt(withdrawn(2)).unwrap();
    assert_eq!(mgmt.next(), withdrawn(2));

    // mgmt goes away: what is said meanwhile comes after the next hello.
    drop(mgmt);
    handles[0].tell_mgmt(withdrawn(3)).unwrap();
    let mut mgmt = Mgmt::accept(&listener);
    assert_eq!(mgmt.next(), hello);
    handles.iter().for_each(linked);
    handles[0].tell_mgmt(withdrawn(4)).unwrap();
    let mut told = vec![mgmt.next()];
    while told.last() != Some(&withdrawn(4)) {
        told.push(mgmt.next());
    }
    executors.stop().unwrap();
}

#[test]
fn a_snapshot_that_does_not_open_is_refused_and_reported() {
    let place = Place::new();
    let listener =
        UnixListener::bind(&place.config.link).unwrap_or_else(|_| panic!("{:?}", place.config.link));
    let (_handles, executors) = place.start(1);
    let mut mgmt = Mgmt::accept(&listener);
    assert!(matches!(mgmt.next(), ToMgmt::Hello { .. }));
    mgmt.send(&ToDataplane::Snapshot { bytes: vec![1, 2, 3] });
    assert!(matches!(mgmt.next(), ToMgmt::Applied { error: Some(_), .. }));
    executors.stop().unwrap();
    assert!(place.records("0").iter().any(|record| record.starts_with("snapshot-refused: ")));
    assert!(!place.config.state_dir.join("snapshot").exists());
}

#[test]
fn mgmt_s_events_are_recorded_once() {
    let place = Place::new();
    let listener = UnixListener::bind(&place.config.link).unwrap();
    let (_handles, executors) = place.start(1);
    let mut mgmt = Mgmt::accept(&listener);
    for id in [1, 2, 1] {
        let (event, actor, text) = ("evidence-read".into(), "ann".into(), format!("session {id}"));
        mgmt.send(&ToDataplane::Event { id, at_us: 1, event, actor, text });
    }
    // An answer to what was sent later shows that the events were taken.
    mgmt.send(&ToDataplane::Snapshot { bytes: Vec::new() });
    while !matches!(mgmt.next(), ToMgmt::Applied { .. }) {}
    executors.stop().unwrap();
    let mut events = place.records("0");
    events.retain(|record| record.starts_with("evidence-read"));
    assert_eq!(events, ["evidence-read: session 1", "evidence-read: session 2"]);
    place.assert_whole();
}

#[test]
fn mgmt_hears_of_every_log_s_checkpoints() {
    let place = Place::new();
    let listener = UnixListener::bind(&place.config.link).unwrap();
    let (handles, executors) = place.start(2);
    let mut mgmt = Mgmt::accept(&listener);
    write(&handles[1], "select 1", 1);
    let stopped = std::thread::spawn(move || executors.stop());
    let mut heads = std::collections::BTreeMap::new();
    let mut buffer = [0; 4096];
    loop {
        while let Some(message) = mgmt.decoder.next().unwrap() {
            if let ToMgmt::Checkpoint { origin, note } = message {
                let checkpoint = Checkpoint::open(&note, signer().verifier()).unwrap();
                assert_eq!(checkpoint.origin, origin);
                heads.insert(origin, checkpoint);
            }
        }
        match mgmt.stream.read(&mut buffer).unwrap() {
            0 => break,
            length => mgmt.decoder.push(&buffer[..length]),
        }
    }
    stopped.join().unwrap().unwrap();
    let report = place.verify();
    let held: Vec<_> = report.logs.into_iter().filter_map(|log| log.head).collect();
    let told: Vec<_> = heads.into_values().collect();
    assert_eq!(told, held);
}

#[test]
fn a_peer_that_does_not_speak_the_language_is_left() {
    let place = Place::new();
    let listener = UnixListener::bind(&place.config.link).unwrap();
    let (handles, executors) = place.start(1);
    let mut mgmt = Mgmt::accept(&listener);
    mgmt.stream.write_all(&[0xff; 64]).unwrap();
    let mut mgmt = Mgmt::accept(&listener);
    assert!(matches!(mgmt.next(), ToMgmt::Hello { .. }));
    mgmt.send(&ToDataplane::Ruling(ruling(1)));
    while !matches!(next(&handles[0]), FromExecutor::Ruling(_)) {}
    executors.stop().unwrap();
}

#[test]
fn keys_are_kept_for_a_start_without_mgmt() {
    let place = Place::new();
    let listener = UnixListener::bind(&place.config.link).unwrap();
    let (handles, executors) = place.start(1);
    let mut mgmt = Mgmt::accept(&listener);
    mgmt.send(&ToDataplane::Keys(keys()));
    while !matches!(next(&handles[0]), FromExecutor::Keys(_)) {}
    executors.stop().unwrap();
    drop((mgmt, listener));
    let file = place.config.state_dir.join("issuer-keys");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let (handles, executors) = place.start(1);
    assert!(matches!(next(&handles[0]), FromExecutor::Keys(kept) if *kept == keys()));
    executors.stop().unwrap();

    // Broken ones are left aside.
    fs::write(&file, [1, 2, 3]).unwrap();
    let (handles, executors) = place.start(1);
    executors.stop().unwrap();
    assert!(handles[0].inbox().try_recv().is_err());
}

/// A snapshot of this version, good for so many seconds.
fn snapshot(version: u64, max_age_s: u64) -> Vec<u8> {
    let text = "kind: Issuer\nname: i\nurl: https://i.example\naudience: a\ngroups: [{fromClaim: groups}]\n";
    let manifests = manifest::read(&[("issuer.yaml", text)]).unwrap();
    compile(&manifests, version, max_age_s).unwrap().snapshot
}

#[test]
fn a_snapshot_is_used_confirmed_and_kept() {
    let place = Place::new();
    let listener = UnixListener::bind(&place.config.link).unwrap();
    let (handles, executors) = place.start(2);
    let mut mgmt = Mgmt::accept(&listener);
    assert!(matches!(mgmt.next(), ToMgmt::Hello { snapshot: 0, .. }));
    let bytes = snapshot(7, 600);
    for _ in 0..2 {
        mgmt.send(&ToDataplane::Snapshot { bytes: bytes.clone() });
        assert_eq!(mgmt.next(), ToMgmt::Applied { version: 7, error: None });
        for handle in &handles {
            assert!(matches!(next(handle), FromExecutor::Snapshot(snapshot) if snapshot.version() == 7));
        }
    }
    // A bad one does not take its place.
    mgmt.send(&ToDataplane::Snapshot { bytes: bytes[1..].to_vec() });
    assert!(matches!(mgmt.next(), ToMgmt::Applied { error: Some(_), .. }));
    drop(mgmt);
    let mut mgmt = Mgmt::accept(&listener);
    assert!(matches!(mgmt.next(), ToMgmt::Hello { snapshot: 7, .. }));
    executors.stop().unwrap();
    drop((mgmt, listener));
    let events = place.records("0");
    assert_eq!(
        events.iter().filter(|event| event.starts_with("snapshot-in-use: version 7, sha256 ")).count(),
        1
    );
    let file = place.config.state_dir.join("snapshot");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    // A start without mgmt.
    let (handles, executors) = place.start(1);
    let kept = next(&handles[0]);
    assert!(
        matches!(kept, FromExecutor::SnapshotKept { snapshot, age_ms } if snapshot.version() == 7 && age_ms < 600_000)
    );
    executors.stop().unwrap();

    // Confirmed too long ago, or by a clock that was ahead, or broken: none.
    let good = fs::read(&file).unwrap();
    let at = |time_us: u64| [&good[..8], &time_us.to_le_bytes(), &good[16..]].concat();
    for bytes in [at(1), at(u64::MAX), vec![1; 4], good[..good.len() - 1].to_vec()] {
        fs::write(&file, bytes).unwrap();
        let (handles, executors) = place.start(1);
        executors.stop().unwrap();
        assert!(handles[0].inbox().try_recv().is_err());
    }
    assert!(place.records("0").iter().any(|event| event.starts_with("snapshot-refused: ")));
}
