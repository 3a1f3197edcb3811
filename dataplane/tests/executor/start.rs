//! A start that cannot go on where the last run ended is refused, and nothing is touched.

use std::fs;

use dataplane::executor::{RecoveryError, StartError, start};
use evidence::note::SignerKey;

use crate::place::{Place, write};

/// A place with one log of some frames.
fn written() -> Place {
    let place = Place::new();
    let (handles, executors) = place.start(1);
    for number in 1..=3 {
        write(&handles[0], &format!("select {number}"), number);
    }
    executors.stop().unwrap();
    place
}

fn recovery(place: &Place) -> RecoveryError {
    match place.start_error(1) {
        StartError::Recovery(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn changed_evidence_is_left_as_it_is() {
    let place = written();
    let segment = place.segments("0").pop().unwrap();
    let good = fs::read(&segment).unwrap();
    let mut changed = good.clone();
    changed[4096 + 300] ^= 1;
    fs::write(&segment, &changed).unwrap();
    assert!(matches!(recovery(&place), RecoveryError::Changed { offset: 4096, .. }));
    assert_eq!(fs::read(&segment).unwrap(), changed);

    // The last frame changed: the checkpoint has seen it whole.
    let mut changed = good.clone();
    let last = changed.len() - 4096 + 300;
    changed[last] ^= 1;
    fs::write(&segment, &changed).unwrap();
    assert!(matches!(recovery(&place), RecoveryError::NotAsSigned { .. }));

    fs::write(&segment, &good[..good.len() - 4096]).unwrap();
    assert!(matches!(recovery(&place), RecoveryError::NotAsSigned { .. }));

    fs::write(&segment, [&good[4096..8192], &good[..4096]].concat()).unwrap();
    assert!(matches!(recovery(&place), RecoveryError::Changed { .. }));

    fs::remove_file(&segment).unwrap();
    assert!(matches!(recovery(&place), RecoveryError::NotAsSigned { held: 0, .. }));

    fs::write(&segment, &good).unwrap();
    let (_, executors) = place.start(1);
    executors.stop().unwrap();
    place.assert_whole();
}

#[test]
fn a_checkpoint_must_be_there_and_this_log_s() {
    let place = written();
    let path = place.log("0").join("checkpoint");
    let note = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(recovery(&place), RecoveryError::NoCheckpoint(_)));
    fs::write(&path, note.replace("gateway-1/0", "gateway-1/9")).unwrap();
    assert!(matches!(recovery(&place), RecoveryError::BadCheckpoint { .. }));
    fs::write(&path, [0xff]).unwrap();
    assert!(matches!(recovery(&place), RecoveryError::Io { .. }));
    fs::write(&path, &note).unwrap();

    // The folder of another instance's log, or the instance renamed.
    let mut renamed = place;
    renamed.config.instance = "gateway-2".into();
    assert!(matches!(recovery(&renamed), RecoveryError::OtherLog(_)));
}

#[test]
fn every_listed_log_must_be_there() {
    let place = written();
    let list = place.config.evidence_dir.join("logs");
    let note = fs::read(&list).unwrap();
    fs::rename(place.log("0"), place.folder.path().join("away")).unwrap();
    assert!(matches!(place.start_error(1), StartError::LogMissing(_)));
    fs::rename(place.folder.path().join("away"), place.log("0")).unwrap();
    fs::remove_file(&list).unwrap();
    assert!(matches!(place.start_error(1), StartError::NoInventory(_)));
    fs::write(&list, "logs\n").unwrap();
    assert!(matches!(place.start_error(1), StartError::BadInventory { .. }));
    fs::write(&list, note).unwrap();
    drop(place.start(1));
}

#[test]
fn another_signing_key_is_refused() {
    let place = written();
    let other = SignerKey::from_seed("example.com/other", &[9; 32]).unwrap();
    fs::write(&place.config.signing_key, other.to_text().as_bytes()).unwrap();
    let error = place.start_error(1);
    assert!(matches!(error, StartError::BadInventory { .. }));
    assert!(error.to_string().contains("another signing key"), "{error}");
}

#[test]
fn keys_must_be_keys() {
    let place = Place::new();
    fs::write(&place.config.sealing_key, "not a key, but secret").unwrap();
    let error = place.start_error(1);
    assert!(matches!(&error, StartError::BadKey { path, .. } if *path == place.config.sealing_key));
    assert!(!error.to_string().contains("secret"), "{error}");
    fs::remove_file(&place.config.signing_key).unwrap();
    assert!(matches!(place.start_error(1), StartError::Io { path, .. } if path == place.config.signing_key));
}

#[test]
fn an_instance_s_name_must_name_a_log() {
    let mut place = Place::new();
    place.config.instance = "two words".into();
    assert!(matches!(place.start_error(1), StartError::Seal(_)));
}

#[test]
fn one_process_writes_at_a_time() {
    let place = Place::new();
    let (_handles, executors) = place.start(1);
    assert!(matches!(start(&place.config, 1).err(), Some(StartError::Locked(_))));
    executors.stop().unwrap();
    drop(place.start(1));
}
