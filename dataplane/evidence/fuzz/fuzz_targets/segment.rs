//! The readers of evidence under arbitrary bytes: nothing but an error may come of them. And the promise itself: a log
//! whose bytes were changed in any way does not verify.
//! Run: `RUSTC_BOOTSTRAP=1 cargo fuzz run segment` in this folder's parent.
#![no_main]

use std::sync::OnceLock;

use evidence::checkpoint::Checkpoint;
use evidence::merkle::Tree;
use evidence::note::SignerKey;
use evidence::prove::{prove, verify_proof};
use evidence::record::{Record, Time};
use evidence::sealing::SealingKey;
use evidence::segment::{Frame, Writer, file_name, frames, portions};
use evidence::verify::LogVerifier;
use libfuzzer_sys::fuzz_target;

const ORIGIN: &str = "gateway/0";

fn signer() -> &'static SignerKey {
    static KEY: OnceLock<SignerKey> = OnceLock::new();
    KEY.get_or_init(|| SignerKey::from_seed("gateway", &[1; 32]).unwrap())
}

fn sealing() -> SealingKey {
    SealingKey::from_bytes([2; 32])
}

fn writer() -> Writer {
    Writer::new(ORIGIN, signer().clone(), sealing(), Tree::new()).unwrap()
}

/// A log of three frames, its checkpoint, and one record's proof.
fn log() -> &'static (Vec<u8>, String, String) {
    static LOG: OnceLock<(Vec<u8>, String, String)> = OnceLock::new();
    LOG.get_or_init(|| {
        let (mut writer, mut bytes) = (writer(), Vec::new());
        for count in 1..=3 {
            let mut batch = Vec::new();
            for number in 0..count {
                let text = format!("record {number}");
                let record =
                    Record::System { at: Time(number), event: "event", actor: "gateway", text: &text };
                record.encode_framed(&mut batch).unwrap();
            }
            writer.seal(&batch, &mut bytes).unwrap();
        }
        let frame = frames(&bytes).last().unwrap().1.unwrap();
        let (verified, opened) =
            (frame.verify(signer().verifier()).unwrap(), frame.open(&sealing()).unwrap());
        let proof = prove(&verified, &opened.entries().next().unwrap()).unwrap();
        let checkpoint = writer.sign_checkpoint().unwrap();
        drop(opened);
        (bytes, checkpoint, proof)
    })
}

fn is_whole(bytes: &[u8], checkpoint: &str) -> bool {
    let sealing = sealing();
    let mut verifier = LogVerifier::new("0", signer().verifier(), Some(&sealing), Some(checkpoint), &[]);
    verifier.file(&file_name(0), bytes);
    verifier.finish().is_whole()
}

/// Changes `bytes` as the input says: three bytes an edit, its place and what to put there.
fn edit(bytes: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for edit in edits.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
        if let Some(byte) = changed.get_mut(place) {
            *byte ^= edit[2];
        } else {
            changed.truncate(changed.len().saturating_sub(usize::from(edit[2]) * 16));
        }
    }
    changed
}

/// Whatever the bytes are, reading them ends well.
fn read(bytes: &[u8]) {
    for (_, frame) in frames(bytes) {
        let Ok(frame) = frame else { break };
        let _ = frame.verify(signer().verifier());
        let _ = frame.open(&sealing());
    }
    let _ = Record::decode(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Checkpoint::open(text, signer().verifier());
        let _ = verify_proof(text, signer().verifier());
        let _ = is_whole(&log().0, text);
    }
}

/// Whatever is sealed opens to itself, or was no batch.
fn seal(batch: &[u8]) {
    let is_batch = portions(batch, usize::MAX).all(|portion| portion.is_ok()) && !batch.is_empty();
    let mut bytes = Vec::new();
    match writer().seal(batch, &mut bytes) {
        Ok(_) => {
            assert!(is_batch);
            let opened = Frame::parse(&bytes).unwrap().open(&sealing()).unwrap();
            let mut again = Vec::new();
            for entry in opened.entries() {
                again.extend_from_slice(&(entry.bytes.len() as u32).to_le_bytes());
                again.extend_from_slice(entry.bytes);
            }
            assert_eq!(again, batch);
        }
        Err(_) => assert!(!is_batch && bytes.is_empty()),
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((mode, input)) = input.split_first() else { return };
    let (bytes, checkpoint, proof) = log();
    match mode % 4 {
        0 => read(input),
        1 => {
            let changed = edit(bytes, input);
            read(&changed);
            assert_eq!(is_whole(&changed, checkpoint), changed == *bytes);
        }
        2 => {
            let changed = edit(proof.as_bytes(), input);
            if let Ok(text) = std::str::from_utf8(&changed) {
                assert_eq!(verify_proof(text, signer().verifier()).is_ok(), changed == proof.as_bytes());
            }
        }
        _ => seal(input),
    }
});
