//! Frames: what is sealed opens, resumes and is proven; each way to be no frame has its error.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use evidence::checkpoint::{Checkpoint, CheckpointError};
use evidence::codec::{DecodeError, RECORD_BYTES_MAX};
use evidence::merkle::Tree;
use evidence::note::NoteError;
use evidence::prove::{PROOF_BYTES_MAX, ProofError, prove, verify_proof};
use evidence::record::{Record, SessionId, Time};
use evidence::sealing::{SealingError, SealingKey};
use evidence::segment::{
    FRAME_ALIGN, FRAME_BYTES_MAX, Frame, FrameError, OpenError, PLAIN_BYTES_MAX, RECORDS_MAX, SealError,
    Writer, file_name, first_leaf_of, frames,
};
use support::{INSTANCE, batch, sealing, signer, writer};

fn frame(records: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    writer("0").seal(&batch(1, records), &mut bytes).unwrap();
    bytes
}

#[test]
fn records_come_back_as_they_were_given() {
    let (mut writer, mut bytes) = (writer("0"), Vec::new());
    let sealed = writer.seal(&batch(1, 3), &mut bytes).unwrap();
    assert_eq!((sealed.first_leaf, sealed.records, sealed.size, sealed.bytes), (0, 3, 4, bytes.len()));
    let again = writer.seal(&batch(2, 500), &mut bytes).unwrap();
    assert_eq!((again.first_leaf, again.records, again.size), (4, 500, 505));
    assert_eq!(writer.size(), 505);
    assert_eq!(bytes.len() % FRAME_ALIGN, 0);

    let all: Vec<_> = frames(&bytes).map(|(at, frame)| (at, frame.unwrap())).collect();
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].0, sealed.bytes);
    let opened = all[1].1.open(&sealing()).unwrap();
    assert_eq!(opened.entries().count(), 500);
    for (number, entry) in opened.entries().enumerate() {
        assert_eq!(entry.leaf, 4 + number as u64);
        let text = format!("select 2, {number}");
        assert!(matches!(entry.record().unwrap(), Record::Command { text: shown, .. } if shown == text));
    }
    let verified = all[1].1.verify(signer().verifier()).unwrap();
    assert_eq!(verified.checkpoint.size, 505);
    assert_eq!(writer.checkpoint(), Some(writer.sign_checkpoint().unwrap().as_str()));
    assert_eq!(Checkpoint::open(writer.checkpoint().unwrap(), signer().verifier()), Ok(verified.checkpoint));
}

#[test]
fn a_log_goes_on_from_its_last_frame() {
    let (mut whole, mut bytes) = (writer("0"), Vec::new());
    for records in [1, 5, 2] {
        whole.seal(&batch(records, records), &mut bytes).unwrap();
    }
    let last = frames(&bytes).last().unwrap().1.unwrap().verify(signer().verifier()).unwrap();
    let mut resumed = Writer::new(&last.checkpoint.origin, signer(), sealing(), last.after).unwrap();
    assert_eq!(resumed.size(), whole.size());
    assert_eq!(resumed.sign_checkpoint(), whole.sign_checkpoint());
    let mut next = Vec::new();
    resumed.seal(&batch(1, 1), &mut next).unwrap();
    let next = Frame::parse(&next).unwrap().verify(signer().verifier()).unwrap();
    assert_eq!(next.before.root(), last.checkpoint.root);
}

#[test]
fn equal_batches_do_not_look_equal() {
    let (one, other) = (frame(1), frame(1));
    let differing = one.iter().zip(&other).filter(|(one, other)| one != other).count();
    assert!(differing > 200, "seed, leaf hash, sealed bytes, signature: {differing}");
    let text = b"select 1, 0";
    assert!(!one.windows(text.len()).any(|window| window == text));
}

#[test]
fn what_is_no_batch_is_refused_and_changes_nothing() {
    let (mut writer, mut bytes) = (writer("0"), Vec::new());
    assert_eq!(writer.seal(&[], &mut bytes), Err(SealError::Empty));
    let malformed = SealError::Malformed(DecodeError::Truncated(0));
    assert_eq!(writer.seal(&[9, 0, 0, 0, 1], &mut bytes), Err(malformed));
    let large = vec![0; PLAIN_BYTES_MAX + 1];
    assert_eq!(writer.seal(&large, &mut bytes), Err(SealError::TooLarge(PLAIN_BYTES_MAX + 1)));
    let many = vec![0; (RECORDS_MAX + 1) * 4];
    assert_eq!(writer.seal(&many, &mut bytes), Err(SealError::TooLarge(RECORDS_MAX + 1)));
    assert_eq!((bytes.len(), writer.size()), (0, 0));
    let bad = Writer::new("a b", signer(), sealing(), Tree::new()).err().unwrap();
    assert_eq!(bad, SealError::Checkpoint(CheckpointError::Malformed));
}

#[test]
fn the_largest_frame_is_written_and_read() {
    // Incompressible, as large as a batch may be.
    let mut state = 1u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    };
    let payload: Vec<u8> = (0..RECORD_BYTES_MAX - 64).map(|_| noise()).collect();
    let record =
        Record::Response { session: SessionId(1), number: 1, at: Time(1), offset: 0, bytes: &payload };
    let (mut plain, mut bytes) = (Vec::new(), Vec::new());
    record.encode_framed(&mut plain).unwrap();
    record.encode_framed(&mut plain).unwrap();
    writer("0").seal(&plain, &mut bytes).unwrap();
    assert!(bytes.len() <= FRAME_BYTES_MAX);
    let frame = Frame::parse(&bytes).unwrap();
    assert!(frame.verify(signer().verifier()).is_ok());
    assert!(frame.open(&sealing()).is_ok());
}

#[test]
fn each_way_to_be_no_frame_has_its_error() {
    let good = frame(2);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        let frame = Frame::parse(&bytes);
        frame.and_then(|frame| frame.verify(signer().verifier())).map(|_| ()).unwrap_err()
    };
    assert_eq!(changed(&|bytes| bytes[0] = b'X'), FrameError::NoFrame);
    assert_eq!(changed(&|bytes| bytes[8] = 2), FrameError::UnknownVersion(2));
    assert_eq!(changed(&|bytes| bytes.truncate(100)), FrameError::Cut { want: 128, have: 100 });
    assert_eq!(changed(&|bytes| bytes.truncate(4000)), FrameError::Cut { want: 4096, have: 4000 });
    assert_eq!(changed(&|bytes| bytes[76] = 1), FrameError::NotZero);
    assert_eq!(changed(&|bytes| bytes[127] = 1), FrameError::NotZero);
    assert_eq!(changed(&|bytes| bytes[4095] = 1), FrameError::NotZero);
    // Frame bytes, first leaf (and with it the peaks), records, sealed, plain and note bytes.
    for place in [13, 48, 58, 67, 71, 75] {
        assert_eq!(changed(&|bytes| bytes[place] ^= 0x40), FrameError::BadLength, "{place}");
    }
    assert_eq!(changed(&|bytes| bytes[20] ^= 1), FrameError::Changed);
    assert_eq!(changed(&|bytes| bytes[100] ^= 1), FrameError::Changed);
    assert_eq!(changed(&|bytes| bytes[130] ^= 1), FrameError::Changed);
    let origin = |bytes: &mut Vec<u8>| {
        let at = bytes.windows(INSTANCE.len()).position(|window| window == INSTANCE.as_bytes()).unwrap();
        bytes[at] ^= 1;
    };
    assert_eq!(changed(&origin), FrameError::Checkpoint(CheckpointError::Note(NoteError::BadSignature)));
}

#[test]
fn records_open_with_their_key_and_leaves_alone() {
    let good = frame(2);
    let open = |bytes: &[u8], key: &SealingKey| Frame::parse(bytes).unwrap().open(key).err();
    assert_eq!(open(&good, &sealing()), None);
    let not_opened = Some(OpenError::Sealing(SealingError::NotOpened));
    assert_eq!(open(&good, &SealingKey::from_bytes([3; 32])), not_opened);
    let mut changed = good.clone();
    changed[200] ^= 1;
    assert_eq!(open(&changed, &sealing()), not_opened);
    let mut swapped = good.clone();
    swapped[128..160].copy_from_slice(&good[160..192]);
    swapped[160..192].copy_from_slice(&good[128..160]);
    assert_eq!(open(&swapped, &sealing()), Some(OpenError::NotTheLeaf(0)));
    swapped[128..160].copy_from_slice(&good[128..160]);
    assert_eq!(open(&swapped, &sealing()), Some(OpenError::NotTheLeaf(1)));
}

#[test]
fn each_record_is_proven_to_who_has_the_public_key() {
    let (mut writer, mut bytes) = (writer("0"), Vec::new());
    for records in [3, 1, 6] {
        writer.seal(&batch(records, records), &mut bytes).unwrap();
    }
    let key = signer();
    let mut proven = 0;
    for (_, frame) in frames(&bytes) {
        let frame = frame.unwrap();
        let (verified, opened) = (frame.verify(key.verifier()).unwrap(), frame.open(&sealing()).unwrap());
        for entry in opened.entries() {
            let proof = prove(&verified, &entry).unwrap();
            let shown = verify_proof(&proof, key.verifier()).unwrap();
            assert_eq!((shown.leaf, shown.record.as_slice()), (entry.leaf, entry.bytes));
            assert_eq!(shown.checkpoint, verified.checkpoint);
            proven += 1;
        }
        let other = frames(&bytes).next().unwrap().1.unwrap();
        if other.first_leaf() != frame.first_leaf() {
            let opened = other.open(&sealing()).unwrap();
            assert_eq!(prove(&verified, &opened.entries().next().unwrap()), Err(ProofError::NotHere));
        }
    }
    assert_eq!(proven, 10);
}

#[test]
fn a_changed_proof_proves_nothing() {
    let bytes = frame(5);
    let (frame, key) = (Frame::parse(&bytes).unwrap(), signer());
    let (verified, opened) = (frame.verify(key.verifier()).unwrap(), frame.open(&sealing()).unwrap());
    let proof = prove(&verified, &opened.entries().nth(2).unwrap()).unwrap();
    let fails = |text: &str| verify_proof(text, key.verifier()).unwrap_err();
    for place in 0..proof.len() {
        let mut changed = proof.clone().into_bytes();
        changed[place] ^= 1;
        if let Ok(changed) = std::str::from_utf8(&changed) {
            fails(changed);
        }
    }
    assert_eq!(fails(&proof.replace("index 2", "index 3")), ProofError::NotIncluded);
    assert_eq!(fails(&proof.replace("index 2", "index 02")), ProofError::NotIncluded);
    assert_eq!(fails("c2sp.org/tlog-proof@v1\n"), ProofError::Malformed);
    let note = CheckpointError::Note(NoteError::Malformed);
    assert_eq!(fails(&proof.replace('\u{2014}', "-")), ProofError::Checkpoint(note));
    assert_eq!(fails(&"x".repeat(PROOF_BYTES_MAX + 1)), ProofError::TooLarge);
}

#[test]
fn a_batch_is_portioned_to_frames() {
    let whole = batch(1, 100);
    let portions: Vec<_> = evidence::segment::portions(&whole, 1000).map(Result::unwrap).collect();
    assert!(portions.len() > 1 && portions.iter().all(|portion| portion.bytes.len() <= 1000));
    assert_eq!(portions.iter().map(|portion| portion.records).sum::<usize>(), 100);
    assert_eq!(portions.iter().flat_map(|portion| portion.bytes).copied().collect::<Vec<u8>>(), whole);
    // A record larger than a portion stands alone; many small ones are bounded by their number.
    assert_eq!(evidence::segment::portions(&whole, 1).count(), 100);
    let many = vec![0; (RECORDS_MAX + 1) * 4];
    let counts: Vec<_> =
        evidence::segment::portions(&many, usize::MAX).map(|portion| portion.unwrap().records).collect();
    assert_eq!(counts, [RECORDS_MAX, 1]);
    assert_eq!(evidence::segment::portions(&[], 1).count(), 0);
    let bad: Vec<_> = evidence::segment::portions(&[9, 0, 0, 0], 1).collect();
    assert_eq!(bad, [Err(DecodeError::Truncated(0))]);
}

#[test]
fn a_header_tells_the_frame_s_length() {
    let good = frame(100);
    assert_eq!(evidence::segment::frame_bytes(&good[..128]), Ok(good.len()));
    assert_eq!(evidence::segment::frame_bytes(&good[..127]), Err(FrameError::Cut { want: 128, have: 127 }));
    assert_eq!(evidence::segment::frame_bytes(&[0; 128]), Err(FrameError::NoFrame));
}

#[test]
fn a_segment_is_named_by_its_first_leaf() {
    assert_eq!(file_name(42), "00000000000000000042.seg");
    assert_eq!(first_leaf_of(&file_name(u64::MAX)), Some(u64::MAX));
    for bad in ["42.seg", "00000000000000000042", "0000000000000000004x.seg", "+0000000000000000042.seg", ""]
    {
        assert_eq!(first_leaf_of(bad), None, "{bad}");
    }
}
