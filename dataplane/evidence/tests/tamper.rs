//! Whatever is done to the files is found: every flipped byte, every frame and file dropped, repeated, moved or cut.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use evidence::checkpoint::CheckpointError;
use evidence::note::{NoteError, SignerKey};
use evidence::segment::{Frame, FrameError, Sealed};
use evidence::verify::{Cause, Witness, verify};
use proptest::prelude::*;
use support::{INSTANCE, Log, Memory, batch, sealing, signer, writer};

fn causes(memory: &Memory) -> Vec<Cause> {
    let report = memory.verify();
    let logs = report.logs.into_iter().flat_map(|log| log.faults);
    report.faults.into_iter().chain(logs).map(|fault| fault.cause).collect()
}

#[test]
fn what_was_written_is_whole() {
    let memory = Memory::usual();
    for sealing in [None, Some(&sealing())] {
        let report = memory.verify_with(sealing, &[memory.logs[0].head(), memory.logs[1].head()]);
        assert!(report.is_whole(), "{report:?}");
        let log = &report.logs[0];
        assert_eq!((log.files, log.frames, log.records, &log.torn), (2, 3, 6, &None));
        assert_eq!(log.head, Some(memory.logs[0].head()));
    }
    assert!(Memory::new(Vec::new()).verify().is_whole());
    assert!(Memory::new(vec![Log::write("0", &[])]).verify().is_whole());
}

#[test]
fn every_flipped_byte_is_found() {
    let mut memory = Memory::new(vec![Log::write("0", &[&[2], &[1]])]);
    for segment in 0..2 {
        for place in 0..memory.logs[0].segments[segment].1[0].len() {
            let flip = |memory: &mut Memory| memory.logs[0].segments[segment].1[0][place] ^= 1 << (place % 8);
            flip(&mut memory);
            let report = memory.verify_with(None, &[]);
            assert!(!report.is_whole(), "segment {segment} byte {place}");
            let file = &memory.logs[0].segments[segment].0;
            assert!(
                report.logs[0]
                    .faults
                    .iter()
                    .any(|fault| fault.place.file == *file && fault.place.offset == 0)
            );
            flip(&mut memory);
        }
    }
    assert!(memory.verify().is_whole());
}

#[test]
fn every_flipped_byte_of_checkpoint_and_list_is_found() {
    let memory = Memory::new(vec![Log::write("0", &[&[1]])]);
    let flipped = |text: &str, place: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] ^= 1;
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let checkpoint = memory.logs[0].checkpoint.clone().unwrap();
    for place in 0..checkpoint.len() {
        let mut changed = memory.clone();
        changed.logs[0].checkpoint = Some(flipped(&checkpoint, place));
        assert!(changed.is_found(), "checkpoint byte {place}");
    }
    let list = memory.inventory.clone().unwrap();
    for place in 0..list.len() {
        let mut changed = memory.clone();
        changed.inventory = Some(flipped(&list, place));
        assert!(changed.is_found(), "list byte {place}");
    }
}

#[test]
fn a_changed_frame_is_told_by_its_place_and_the_rest_is_still_checked() {
    let mut memory = Memory::usual();
    memory.logs[0].segments[0].1[1][200] ^= 1;
    let report = memory.verify();
    let log = &report.logs[0];
    // The first frame is whole, the second torn by the look of it, but another file follows.
    assert_eq!(log.frames, 2);
    assert_eq!(log.faults[0].place.offset, 4096);
    assert_eq!(log.faults[0].place.leaf, 4);
    assert_eq!(log.faults[0].cause, Cause::Changed(FrameError::Changed));
    assert_eq!(log.faults[1].cause, Cause::Missing { from: 4, to: 5 });
    assert_eq!(log.faults[0].to_string().split(':').next(), Some("00000000000000000000.seg"));

    // In the middle of a file.
    let mut memory = Memory::new(vec![Log::write("0", &[&[1, 1, 1]])]);
    memory.logs[0].segments[0].1[1][4095] = 1;
    let causes = causes(&memory);
    assert_eq!(causes, [Cause::Changed(FrameError::NotZero), Cause::Missing { from: 2, to: 3 }]);
}

#[test]
fn a_cut_anywhere_is_found_where_the_checkpoint_covers_it() {
    let memory = Memory::usual();
    let file = memory.logs[0].segments[1].1[0].clone();
    for length in 0..file.len() {
        let mut cut = memory.clone();
        cut.logs[0].segments[1].1 = vec![file[..length].to_vec()];
        let report = cut.verify_with(None, &[]);
        let expected = Cause::CutOff { from: Witness::File, signed: 9, held: 6 };
        assert!(report.logs[0].faults.iter().any(|fault| fault.cause == expected), "{length}");
        assert_eq!(report.logs[0].torn, None);
    }
}

#[test]
fn a_torn_end_beyond_the_checkpoint_is_no_fault() {
    let mut memory = Memory::new(vec![Log::write("0", &[&[2, 1]])]);
    memory.logs[0].checkpoint = Log::write("0", &[&[]]).checkpoint;
    let whole = memory.logs[0].segments[0].1.clone();
    for length in 1..whole[1].len() {
        memory.logs[0].segments[0].1[1] = whole[1][..length].to_vec();
        let report = memory.verify();
        assert!(report.is_whole());
        let torn = report.logs[0].torn.as_ref().unwrap();
        assert_eq!((torn.place.offset, torn.place.leaf, torn.bytes), (4096, 3, length as u64));
        assert_eq!(report.logs[0].head.as_ref().unwrap().size, 3);
    }
    // As a crash may leave it too: the length is there, the bytes are not.
    memory.logs[0].segments[0].1[1] = vec![0; 8192];
    assert_eq!(memory.verify().logs[0].torn.as_ref().unwrap().cause, FrameError::NoFrame);
}

#[test]
fn dropped_files_and_logs_are_found() {
    let memory = Memory::usual();
    for segment in 0..2 {
        let mut dropped = memory.clone();
        dropped.logs[0].segments.remove(segment);
        assert!(dropped.is_found());
    }
    let mut dropped = memory.clone();
    dropped.logs.remove(0);
    assert_eq!(causes(&dropped), [Cause::LogMissing("0".into())]);
    let mut dropped = memory.clone();
    dropped.logs[0].checkpoint = None;
    assert_eq!(causes(&dropped), [Cause::NoCheckpoint]);
    let mut dropped = memory.clone();
    dropped.inventory = None;
    assert_eq!(causes(&dropped), [Cause::NoInventory]);
    let mut added = memory;
    added.logs.push(Log::write("2", &[&[1]]));
    assert_eq!(causes(&added), [Cause::LogUnlisted("2".into())]);
}

#[test]
fn files_under_other_names_are_found() {
    let memory = Memory::usual();
    let mut renamed = memory.clone();
    renamed.logs[0].segments[1].0 = "00000000000000000007.seg".into();
    assert_eq!(causes(&renamed), [Cause::Misnamed]);
    renamed.logs[0].segments[1].0 = "x.seg".into();
    assert_eq!(causes(&renamed), [Cause::Misnamed]);
    let mut copied = memory;
    let copy = (evidence::segment::file_name(9), copied.logs[0].segments[1].1.clone());
    copied.logs[0].segments.push(copy);
    assert_eq!(causes(&copied), [Cause::Misnamed, Cause::OutOfOrder]);
}

#[test]
fn frames_of_another_log_are_found() {
    let memory = Memory::new(vec![Log::write("0", &[&[1, 1]]), Log::write("1", &[&[1, 1]])]);
    let mut swapped = memory.clone();
    swapped.logs[0].segments[0].1[1] = memory.logs[1].segments[0].1[1].clone();
    assert!(swapped.is_found());
    assert!(causes(&swapped).contains(&Cause::OtherLog(format!("{INSTANCE}/1"))));
    // Whole folders exchanged.
    let mut exchanged = memory.clone();
    exchanged.logs[0].segments = memory.logs[1].segments.clone();
    exchanged.logs[0].checkpoint = memory.logs[1].checkpoint.clone();
    assert!(exchanged.is_found());
    // Sealed bytes exchanged within equal frames, headers and leaf hashes kept.
    let mut mixed = memory.clone();
    let other = memory.logs[1].segments[0].1[0].clone();
    mixed.logs[0].segments[0].1[0][160..240].copy_from_slice(&other[160..240]);
    assert!(mixed.is_found());
}

#[test]
fn another_past_of_the_same_log_is_found() {
    let mut memory = Memory::new(vec![Log::write("0", &[&[1, 1]])]);
    let mut other = writer("0");
    let (mut first, mut second) = (Vec::new(), Vec::new());
    other.seal(&batch(77, 1), &mut first).unwrap();
    other.seal(&batch(78, 1), &mut second).unwrap();
    memory.logs[0].segments[0].1[1] = second;
    memory.logs[0].checkpoint = Some(other.sign_checkpoint().unwrap());
    assert_eq!(causes(&memory), [Cause::Forked]);
    // The other past whole, against the checkpoint file of this one.
    let mut memory = Memory::new(vec![Log::write("0", &[&[1]])]);
    memory.logs[0].segments[0].1[0] = first;
    assert_eq!(causes(&memory), [Cause::Contradicted(Witness::File)]);
}

#[test]
fn a_log_put_back_is_found_by_what_others_have_seen() {
    let memory = Memory::usual();
    let seen = [memory.logs[0].head(), memory.logs[1].head()];
    // An older checkpoint file alone is what a crash leaves.
    let mut back = memory.clone();
    back.logs[0].checkpoint = Log::write("0", &[]).checkpoint;
    assert!(back.verify_with(None, &seen).is_whole());
    // With the files cut to it, only a witness can tell.
    back.logs[0].segments = Vec::new();
    assert!(back.verify().is_whole());
    let report = back.verify_with(None, &seen);
    let cut = Cause::CutOff { from: Witness::Witnessed, signed: 9, held: 0 };
    assert_eq!(report.logs[0].faults[0].cause, cut);
    assert_eq!(report.logs[0].faults_count, 1);
}

#[test]
fn nothing_passes_for_another_key() {
    let memory = Memory::usual();
    let other = SignerKey::from_seed(INSTANCE, &[9; 32]).unwrap();
    let Ok(report) = verify(&memory, other.verifier(), None, &[]);
    assert!(!report.is_whole());
    assert_eq!(report.logs[0].frames, 0);
    assert_eq!(report.faults[0].cause, Cause::BadInventory(NoteError::NotSigned));
    let unsigned = CheckpointError::Note(NoteError::NotSigned);
    assert_eq!(report.logs[0].faults[0].cause, Cause::BadCheckpoint(unsigned));
    let sealing = evidence::sealing::SealingKey::from_bytes([3; 32]);
    let report = memory.verify_with(Some(&sealing), &[]);
    assert!(matches!(report.logs[0].faults[0].cause, Cause::Records(_)));
}

/// What may be done to the frames of a log, laid out in one row.
#[derive(Debug, Clone)]
enum Deed {
    Drop(usize),
    Repeat(usize, usize),
    Swap(usize, usize),
    Cut(usize),
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0usize..9).prop_map(Deed::Drop),
        (0usize..9, 0usize..9).prop_map(|(from, to)| Deed::Repeat(from, to)),
        (0usize..9, 0usize..9).prop_map(|(one, other)| Deed::Swap(one, other)),
        (1usize..9).prop_map(Deed::Cut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_done_to_the_frames_is_found(deeds in prop::collection::vec(deeds(), 1..4)) {
        let memory = Memory::new(vec![Log::write("0", &[&[1, 2, 1], &[3, 1, 1], &[1, 1, 4]])]);
        let written: Vec<Vec<u8>> = memory.logs[0].segments.iter().flat_map(|(_, frames)| frames.clone()).collect();
        let mut frames = written.clone();
        for deed in deeds {
            let count = frames.len();
            match deed {
                Deed::Drop(place) if count > 0 => drop(frames.remove(place % count)),
                Deed::Repeat(from, to) if count > 0 => frames.insert(to % count, frames[from % count].clone()),
                Deed::Swap(one, other) if count > 0 => frames.swap(one % count, other % count),
                Deed::Cut(length) => frames.truncate(length),
                _ => {}
            }
        }
        let mut changed = memory;
        let names: Vec<String> = changed.logs[0].segments.iter().map(|(name, _)| name.clone()).collect();
        changed.logs[0].segments = names.into_iter().zip(frames.chunks(3).map(<[Vec<u8>]>::to_vec)).collect();
        let kept: Vec<Vec<u8>> = frames.iter().take(9).cloned().collect();
        prop_assert_eq!(changed.verify().is_whole(), kept == written);
        prop_assert_eq!(changed.verify_with(None, &[]).is_whole(), kept == written);
    }

    #[test]
    fn no_bytes_make_the_reader_fail_otherwise(bytes in prop::collection::vec(any::<u8>(), 0..9000), at in 0usize..200) {
        let _ = Frame::parse(&bytes);
        let mut frame = Vec::new();
        let Sealed { bytes: length, .. } = writer("0").seal(&batch(1, 2), &mut frame).unwrap();
        prop_assert_eq!(length, frame.len());
        for (place, byte) in frame.iter_mut().skip(at).zip(&bytes).take(8) {
            *place = *byte;
        }
        if let Ok(frame) = Frame::parse(&frame) {
            let _ = frame.open(&sealing());
            let _ = frame.verify(signer().verifier());
        }
    }
}
