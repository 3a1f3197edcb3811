//! A place on disk for one instance, and what reads its evidence back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dataplane::executor::{Batch, ExecutorConfig, Executors, FromExecutor, Handle, StartError, start};
use evidence::note::SignerKey;
use evidence::record::{Record, SessionId, Time};
use evidence::sealing::SealingKey;
use evidence::segment::frames;
use evidence::verify::{Folder, Report, verify};
use tempfile::TempDir;

pub(crate) const INSTANCE: &str = "gateway-1";
/// Longer than anything here takes; what does not come by then never will.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) config: ExecutorConfig,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Self::config(folder.path());
        fs::write(&config.signing_key, signer().to_text().as_bytes()).unwrap();
        fs::write(&config.sealing_key, sealing().to_text().as_bytes()).unwrap();
        Self { folder, config }
    }

    pub(crate) fn config(folder: &Path) -> ExecutorConfig {
        ExecutorConfig {
            instance: INSTANCE.into(),
            evidence_dir: folder.join("evidence"),
            signing_key: folder.join("signing"),
            sealing_key: folder.join("sealing"),
            segment_bytes: 1 << 20,
            state_dir: folder.join("state"),
            link: folder.join("link"),
        }
    }

    pub(crate) fn start(&self, shards: usize) -> (Vec<Handle>, Executors) {
        start(&self.config, shards).unwrap().split()
    }

    pub(crate) fn start_error(&self, shards: usize) -> StartError {
        start(&self.config, shards).err().expect("it starts")
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.config.evidence_dir.join(name)
    }

    /// A log's segments, in order.
    pub(crate) fn segments(&self, log: &str) -> Vec<PathBuf> {
        let files = Files(&self.config.evidence_dir).files(log).unwrap();
        files.into_iter().map(|file| self.log(log).join(file)).collect()
    }

    pub(crate) fn verify(&self) -> Report {
        verify(&Files(&self.config.evidence_dir), signer().verifier(), Some(&sealing()), &[]).unwrap()
    }

    pub(crate) fn assert_whole(&self) {
        let report = self.verify();
        assert!(report.is_whole(), "{report:#?}");
        assert!(report.logs.iter().all(|log| log.torn.is_none()), "{report:#?}");
    }

    /// What a log holds: commands by their text, events by name and text.
    pub(crate) fn records(&self, log: &str) -> Vec<String> {
        let mut records = Vec::new();
        for segment in self.segments(log) {
            let bytes = fs::read(segment).unwrap();
            for (_, frame) in frames(&bytes) {
                let Ok(frame) = frame else { break };
                let opened = frame.open(&sealing()).unwrap();
                records.extend(opened.entries().map(|entry| match entry.record().unwrap() {
                    Record::Command { text, .. } => text.to_owned(),
                    Record::System { event, text, .. } => format!("{event}: {text}"),
                    other => panic!("{other:?}"),
                }));
            }
        }
        records
    }

    /// The commands of a log.
    pub(crate) fn commands(&self, log: &str) -> Vec<String> {
        let mut records = self.records(log);
        records.retain(|record| record.starts_with("select"));
        records
    }
}

pub(crate) fn signer() -> SignerKey {
    SignerKey::from_seed("example.com/gateway-1", &[1; 32]).unwrap()
}

pub(crate) fn sealing() -> SealingKey {
    SealingKey::from_bytes([2; 32])
}

/// An evidence folder on disk.
pub(crate) struct Files<'a>(pub(crate) &'a Path);

impl Folder for Files<'_> {
    type Error = io::Error;

    fn logs(&self) -> io::Result<Vec<String>> {
        names(self.0, |path| path.is_dir())
    }

    fn files(&self, log: &str) -> io::Result<Vec<String>> {
        names(&self.0.join(log), |path| path.extension().is_some_and(|end| end == "seg"))
    }

    fn read(&self, log: Option<&str>, file: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(log.unwrap_or("")).join(file)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn names(folder: &Path, take: impl Fn(&Path) -> bool) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if take(&path) {
            names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// A batch of commands with these texts.
pub(crate) fn batch(texts: &[String], durable: Option<u64>) -> Batch {
    let mut bytes = Vec::new();
    for text in texts {
        let record = Record::Command {
            session: SessionId(7),
            number: 1,
            at: Time(1),
            kind: "query",
            text,
            parameters: "",
            objects: "",
            decision: "allow",
            rule: "",
            snapshot: 1,
            masked: 0,
        };
        record.encode_framed(&mut bytes).unwrap();
    }
    Batch { bytes, durable }
}

pub(crate) fn submit(handle: &Handle, batch: Batch) {
    let mut batch = batch;
    while let Err(back) = handle.try_submit(batch) {
        batch = back;
        handle.wake();
        std::thread::yield_now();
    }
    handle.wake();
}

/// The next message but those of the link.
pub(crate) fn next(handle: &Handle) -> FromExecutor {
    loop {
        match handle.inbox().recv_timeout(PATIENCE).expect("a message in time") {
            FromExecutor::Linked => {}
            message => return message,
        }
    }
}

/// Waits until batch `number` is on disk.
pub(crate) fn await_committed(handle: &Handle, number: u64) {
    loop {
        match next(handle) {
            FromExecutor::Committed { upto } if upto >= number => return,
            FromExecutor::RecordingFailed(cause) => panic!("{cause}"),
            _ => {}
        }
    }
}

/// Writes one command and waits for it.
pub(crate) fn write(handle: &Handle, text: &str, number: u64) {
    submit(handle, batch(&[text.to_owned()], Some(number)));
    await_committed(handle, number);
}
