//! `pangate audit` on evidence made here.

use std::path::{Path, PathBuf};

use evidence::inventory;
use evidence::merkle::Tree;
use evidence::note::SignerKey;
use evidence::record::{Record, SessionId, Time};
use evidence::sealing::SealingKey;
use evidence::segment::{Writer, file_name};
use evidence::verify::CHECKPOINT_FILE;
use serde_json::Value;
use tempfile::TempDir;

use crate::{code, json, run, stderr, stdout, text};

/// Evidence of one log with three frames of two records in one file, and the keys in files.
struct Made {
    folder: TempDir,
}

impl Made {
    fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        let signer = SignerKey::from_seed("gateway.example", &[7; 32]).unwrap();
        let sealing = SealingKey::from_bytes([9; 32]);
        std::fs::write(made.path("key"), signer.verifier().to_string() + "\n").unwrap();
        std::fs::write(made.path("sealing"), sealing.to_text().as_bytes()).unwrap();
        std::fs::create_dir_all(made.path("evidence/0")).unwrap();
        let listed = inventory::sign(&["0".to_owned()], &signer).unwrap();
        std::fs::write(made.path("evidence").join(inventory::FILE), listed).unwrap();
        let mut writer = Writer::new("gateway.example/0", signer, sealing, Tree::new()).unwrap();
        let mut bytes = Vec::new();
        for frame in 0..3 {
            writer.seal(&batch(frame), &mut bytes).unwrap();
        }
        std::fs::write(made.segment(), bytes).unwrap();
        std::fs::write(made.path("evidence/0").join(CHECKPOINT_FILE), writer.checkpoint().unwrap()).unwrap();
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn segment(&self) -> PathBuf {
        self.path("evidence/0").join(file_name(0))
    }

    fn verify(&self) -> std::process::Output {
        run(&["audit", "verify", "--json", "--key", text(&self.path("key")), text(&self.path("evidence"))])
    }

    /// An audit command with both keys.
    fn opened(&self, arguments: &[&str]) -> std::process::Output {
        let (key, sealing) = (self.path("key"), self.path("sealing"));
        let keys = ["--key", text(&key), "--sealing-key", text(&sealing)];
        run(&[&["audit"], arguments, &keys, &[text(&self.path("evidence"))]].concat())
    }
}

fn batch(frame: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let command = Record::Command {
        session: SessionId(5),
        number: frame + 1,
        at: Time(1_795_514_400_000_000 + frame * 3_600_000_000),
        kind: "query",
        text: "select pan from cards where pan = '************1111'",
        parameters: "",
        objects: "cards",
        decision: "allow",
        rule: "settlement/reports",
        snapshot: 1,
        masked: 1,
    };
    let system = Record::System { at: Time(1), event: "policy-applied", actor: "ada", text: "version 1" };
    command.encode_framed(&mut bytes).unwrap();
    system.encode_framed(&mut bytes).unwrap();
    bytes
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_as_written_verifies() {
    let made = Made::new();
    let output = made.verify();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let told = json(&output);
    assert_eq!(told["verified"], true);
    assert_eq!(told["logs"][0]["records"], 6);
    assert_eq!(told["faults"], Value::Array(vec![]));
    let output = run(&["audit", "verify", "--key", text(&made.path("key")), text(&made.path("evidence"))]);
    assert!(stdout(&output).ends_with("verified: everything is as it was written\n"));
}

#[test]
fn every_change_is_found_with_its_place() {
    let frame = 4096;
    type Change = fn(&mut Vec<u8>);
    let changes: [(&str, Change, u64); 4] = [
        ("flipped", |bytes| bytes[4096 + 300] ^= 1, frame),
        ("dropped", |bytes| drop(bytes.drain(4096..8192)), frame),
        ("reordered", |bytes| bytes.rotate_left(4096), 0),
        ("truncated", |bytes| bytes.truncate(8192), 0),
    ];
    for (what, how, offset) in changes {
        let made = Made::new();
        assert_eq!(std::fs::metadata(made.segment()).unwrap().len(), 3 * frame, "a frame is one block");
        change(&made.segment(), how);
        let output = made.verify();
        assert_eq!(code(&output), 1, "{what}");
        let told = json(&output);
        assert_eq!(told["verified"], false);
        let faults = told["faults"].as_array().unwrap();
        assert!(
            faults.iter().any(|fault| fault["log"] == "0" && fault["offset"] == offset),
            "{what}: {told}"
        );
    }
}

#[test]
fn evidence_that_is_gone_is_no_good_news() {
    let made = Made::new();
    std::fs::remove_dir_all(made.path("evidence/0")).unwrap();
    assert_eq!(code(&made.verify()), 1);
    std::fs::remove_file(made.path("evidence").join(inventory::FILE)).unwrap();
    assert_eq!(code(&made.verify()), 1, "an empty folder");
    std::fs::remove_dir(made.path("evidence")).unwrap();
    assert_eq!(code(&made.verify()), 3, "no folder");
}

#[test]
fn a_witness_shows_a_log_put_back() {
    let made = Made::new();
    let note = std::fs::read_to_string(made.path("evidence/0").join(CHECKPOINT_FILE)).unwrap();
    let witness = serde_json::json!([{ "origin": "gateway.example/0", "note": note }]);
    std::fs::write(made.path("witness"), witness.to_string()).unwrap();
    let (key, witness, dir) = (made.path("key"), made.path("witness"), made.path("evidence"));
    let arguments = ["audit", "verify", "--key", text(&key), "--witness", text(&witness), text(&dir)];
    assert_eq!(code(&run(&arguments)), 0);
    let other = Made::new();
    change(&other.segment(), |bytes| bytes.truncate(8192));
    std::fs::remove_file(other.path("evidence/0").join(CHECKPOINT_FILE)).unwrap();
    std::fs::copy(other.segment(), made.segment()).unwrap();
    assert_eq!(code(&run(&arguments)), 1);
    std::fs::write(&witness, "[]").unwrap();
    assert_eq!(code(&run(&arguments)), 3, "a witness that says nothing");
}

#[test]
fn records_are_found_and_exported() {
    let made = Made::new();
    let found =
        json(&made.opened(&["query", "--json", "--kind", "command", "--since", "2026-11-24T10:30:00Z"]));
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["record"], "command");
    assert_eq!((&found[0]["log"], &found[0]["leaf"]), (&"0".into(), &3.into()));
    let limited = json(&made.opened(&["query", "--json", "--limit", "1"]));
    assert_eq!(limited.as_array().unwrap().len(), 1);
    let output = made.opened(&["export", "--identity", "ada"]);
    assert_eq!(code(&output), 0);
    let lines = stdout(&output);
    assert_eq!(lines.lines().count(), 3);
    for line in lines.lines() {
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["event"], "policy-applied");
    }
}

#[test]
fn what_was_changed_is_left_out_and_told() {
    let made = Made::new();
    change(&made.segment(), |bytes| bytes[4096 + 300] ^= 1);
    let output = made.opened(&["export"]);
    assert_eq!(code(&output), 1);
    assert_eq!(stdout(&output).lines().count(), 4);
    assert!(stderr(&output).contains("offset 4096"), "{}", stderr(&output));
}

#[test]
fn a_record_is_proven_to_one_who_has_the_public_key_alone() {
    let made = Made::new();
    let output = made.opened(&["prove", "--log", "0", "--leaf", "3"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let (proof, key) = (made.path("proof"), made.path("key"));
    std::fs::write(&proof, &output.stdout).unwrap();
    let checked = run(&["audit", "check-proof", "--key", text(&key), text(&proof)]);
    assert_eq!(code(&checked), 0, "{}", stderr(&checked));
    assert_eq!(json(&checked)["record"]["number"], 2);
    change(&proof, |bytes| {
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
    });
    assert_eq!(code(&run(&["audit", "check-proof", "--key", text(&key), text(&proof)])), 1);
    assert_eq!(code(&made.opened(&["prove", "--log", "0", "--leaf", "2"])), 1, "the frame's own leaf");
}

#[test]
fn keys_that_are_none_are_3_and_never_shown() {
    let made = Made::new();
    std::fs::copy(made.path("sealing"), made.path("key")).unwrap();
    let output = made.verify();
    assert_eq!(code(&output), 3);
    let secret = std::fs::read_to_string(made.path("sealing")).unwrap();
    assert!(!stderr(&output).contains(secret.trim()));
    let dir = made.path("evidence");
    assert_eq!(code(&run(&["audit", "query", text(&dir)])), 2, "no keys at all");
}
