//! A small evidence folder in memory, and the keys that made it.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::convert::Infallible;

use evidence::checkpoint::Checkpoint;
use evidence::inventory;
use evidence::merkle::Tree;
use evidence::note::SignerKey;
use evidence::record::{Record, SessionId, Time};
use evidence::sealing::SealingKey;
use evidence::segment::{Writer, file_name};
use evidence::verify::{CHECKPOINT_FILE, Folder, Report, verify};

pub(crate) const INSTANCE: &str = "pangate.example/one";

/// One log: its segments in order, each as its frames, and its checkpoint file.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) name: String,
    pub(crate) segments: Vec<(String, Vec<Vec<u8>>)>,
    pub(crate) checkpoint: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) logs: Vec<Log>,
    pub(crate) inventory: Option<String>,
}

pub(crate) fn signer() -> SignerKey {
    SignerKey::from_seed(INSTANCE, &[1; 32]).unwrap()
}

pub(crate) fn sealing() -> SealingKey {
    SealingKey::from_bytes([2; 32])
}

/// A batch of `count` records that tell which they are.
pub(crate) fn batch(seed: u64, count: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..count {
        let text = format!("select {seed}, {number}");
        let record = Record::Command {
            session: SessionId(u128::from(seed)),
            number,
            at: Time(seed * 1000 + number),
            kind: "query",
            text: &text,
            parameters: "",
            objects: "",
            decision: "allow",
            rule: "policy/rule",
            snapshot: 1,
            masked: 0,
        };
        record.encode_framed(&mut bytes).unwrap();
    }
    bytes
}

pub(crate) fn writer(log: &str) -> Writer {
    Writer::new(&format!("{INSTANCE}/{log}"), signer(), sealing(), Tree::new()).unwrap()
}

impl Log {
    /// A log with these numbers of records in the frames of its segments.
    pub(crate) fn write(name: &str, segments: &[&[u64]]) -> Self {
        let mut writer = writer(name);
        let mut log = Self { name: name.to_owned(), segments: Vec::new(), checkpoint: None };
        for frames in segments {
            let file = file_name(writer.size());
            let frames = frames.iter().map(|records| {
                let mut bytes = Vec::new();
                writer.seal(&batch(writer.size(), *records), &mut bytes).unwrap();
                bytes
            });
            log.segments.push((file, frames.collect()));
        }
        log.checkpoint = Some(writer.sign_checkpoint().unwrap());
        log
    }

    pub(crate) fn head(&self) -> Checkpoint {
        Checkpoint::open(self.checkpoint.as_ref().unwrap(), signer().verifier()).unwrap()
    }
}

impl Memory {
    pub(crate) fn new(logs: Vec<Log>) -> Self {
        let names: Vec<String> = logs.iter().map(|log| log.name.clone()).collect();
        Self { logs, inventory: Some(inventory::sign(&names, &signer()).unwrap()) }
    }

    /// The usual one: two logs, one of two segments.
    pub(crate) fn usual() -> Self {
        Self::new(vec![Log::write("0", &[&[3, 1], &[2]]), Log::write("1", &[&[1]])])
    }

    pub(crate) fn verify(&self) -> Report {
        self.verify_with(Some(&sealing()), &[])
    }

    pub(crate) fn verify_with(&self, sealing: Option<&SealingKey>, witnessed: &[Checkpoint]) -> Report {
        let Ok(report) = verify(self, signer().verifier(), sealing, witnessed);
        report
    }

    /// Whether each way to verify finds something wrong.
    pub(crate) fn is_found(&self) -> bool {
        !self.verify().is_whole() && !self.verify_with(None, &[]).is_whole()
    }

    fn log(&self, name: &str) -> &Log {
        self.logs.iter().find(|log| log.name == name).unwrap()
    }
}

impl Folder for Memory {
    type Error = Infallible;

    fn logs(&self) -> Result<Vec<String>, Infallible> {
        Ok(self.logs.iter().map(|log| log.name.clone()).collect())
    }

    fn files(&self, log: &str) -> Result<Vec<String>, Infallible> {
        Ok(self.log(log).segments.iter().map(|(name, _)| name.clone()).collect())
    }

    fn read(&self, log: Option<&str>, file: &str) -> Result<Option<Vec<u8>>, Infallible> {
        let Some(log) = log else {
            return Ok(self.inventory.as_ref().map(|note| note.clone().into_bytes()));
        };
        let log = self.log(log);
        if file == CHECKPOINT_FILE {
            return Ok(log.checkpoint.as_ref().map(|note| note.clone().into_bytes()));
        }
        let segments: BTreeMap<_, _> = log.segments.iter().cloned().collect();
        Ok(segments.get(file).map(|frames| frames.concat()))
    }
}
