//! What is committed is on disk and verifies, whatever ends the process.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use dataplane::executor::FromExecutor;

use crate::place::{Place, await_committed, batch, next, submit, write};

const CHILD: &str = "PANGATE_TEST_EXECUTOR_CHILD";

#[test]
fn what_two_shards_hand_over_is_there_in_order() {
    let place = Place::new();
    let (handles, executors) = place.start(2);
    let threads: Vec<_> = handles
        .into_iter()
        .map(|handle| {
            thread::spawn(move || {
                for number in 1..=200 {
                    submit(&handle, batch(&[format!("select {number}"), "select 0".into()], Some(number)));
                    if number % 50 == 0 {
                        await_committed(&handle, number);
                    }
                }
                handle
            })
        })
        .collect();
    let handles: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    executors.stop().unwrap();
    drop(handles);
    place.assert_whole();
    let expected: Vec<String> =
        (1..=200).flat_map(|number| [format!("select {number}"), "select 0".into()]).collect();
    for log in ["0", "1"] {
        assert_eq!(place.commands(log), expected);
        let records = place.records(log);
        assert!(records[0].starts_with(&format!("recording-started: gateway-1/{log} from leaf 0")));
        assert_eq!(records.last().unwrap(), "recording-stopped: ");
    }

    // Goes on in the same segment.
    let (handles, executors) = place.start(2);
    write(&handles[1], "select 201", 1);
    executors.stop().unwrap();
    place.assert_whole();
    assert_eq!(place.commands("1").len(), 401);
    assert_eq!(place.segments("1").len(), 1);
}

#[test]
fn batches_that_nobody_waits_for_are_written_by_themselves() {
    let place = Place::new();
    let (handles, _executors) = place.start(1);
    let bytes = batch(&["select 1".into()], None).bytes;
    submit(&handles[0], batch(&["select 1".into()], None));
    // The buffer comes back as it was, and nothing else.
    assert!(matches!(next(&handles[0]), FromExecutor::Recycled(back) if back == bytes));
    assert_eq!(place.commands("0"), ["select 1"]);
}

#[test]
fn a_batch_larger_than_a_frame_becomes_several() {
    let place = Place::new();
    let (handles, executors) = place.start(1);
    let long = "x".repeat(60_000);
    let texts: Vec<String> = (0..200).map(|number| format!("select {number} {long}")).collect();
    submit(&handles[0], batch(&texts, Some(1)));
    await_committed(&handles[0], 1);
    executors.stop().unwrap();
    place.assert_whole();
    assert_eq!(place.commands("0"), texts);
    assert!(place.verify().logs[0].frames > 3);
}

#[test]
fn a_full_segment_is_followed_by_the_next() {
    let mut place = Place::new();
    place.config.segment_bytes = 3 * 4096;
    for run in 0..2 {
        let (handles, executors) = place.start(1);
        for number in 1..=10 {
            write(&handles[0], &format!("select {run}{number}"), number);
        }
        executors.stop().unwrap();
    }
    place.assert_whole();
    assert_eq!(place.commands("0").len(), 20);
    assert!(place.segments("0").len() >= 7);
    assert!(place.segments("0").iter().all(|file| file.metadata().unwrap().len() <= 3 * 4096));
}

#[test]
fn dropped_executors_lose_nothing_that_was_committed() {
    let place = Place::new();
    for run in 0..3 {
        let (handles, executors) = place.start(1);
        write(&handles[0], &format!("select {run}"), 1);
        drop(executors);
        assert_eq!(place.commands("0").len(), run + 1);
    }
    place.assert_whole();
}

/// The newest segment of log 0 with its last frame changed by `change`.
fn tear(place: &Place, log: &str, change: impl Fn(&mut Vec<u8>)) -> u64 {
    let path = place.segments(log).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    change(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    (bytes.len() as u64).abs_diff(length as u64)
}

#[test]
fn a_torn_tail_is_cut_and_that_is_recorded() {
    let place = Place::new();
    let (handles, executors) = place.start(2);
    write(&handles[0], "select 1", 1);
    write(&handles[1], "select 1", 1);
    executors.stop().unwrap();
    // What a crash in the middle of a write leaves: the beginning of a frame, or nothing but length.
    for (log, tail) in [("0", first_bytes(&place.segments("0")[0], 3000)), ("1", vec![0; 8192])] {
        let added = tear(&place, log, |bytes| bytes.extend_from_slice(&tail));
        let torn = place.verify().logs.into_iter().find(|report| report.name == log).unwrap().torn.unwrap();
        assert_eq!(torn.bytes, added);
    }
    // One shard less: the log that no shard writes any more is mended as well.
    let (handles, executors) = place.start(1);
    write(&handles[0], "select 2", 1);
    executors.stop().unwrap();
    place.assert_whole();
    assert_eq!(place.commands("0"), ["select 1", "select 2"]);
    assert!(
        place.records("0").iter().any(|record| record.starts_with("torn-tail-cut: 3000 bytes after leaf "))
    );
    assert!(
        place.records("1").iter().any(|record| record.starts_with("torn-tail-cut: 8192 bytes after leaf "))
    );
}

fn first_bytes(path: &Path, count: usize) -> Vec<u8> {
    fs::read(path).unwrap()[..count].to_vec()
}

#[test]
fn a_segment_whose_first_frame_is_torn_is_gone_on_with() {
    let mut place = Place::new();
    place.config.segment_bytes = 4096;
    let (handles, executors) = place.start(1);
    write(&handles[0], "select 1", 1);
    executors.stop().unwrap();
    let report = place.verify();
    let next = evidence::segment::file_name(report.logs[0].head.as_ref().unwrap().size);
    for torn in [0, 100] {
        fs::write(place.log("0").join(&next), vec![7; torn]).unwrap();
        let (_, executors) = place.start(1);
        drop(executors);
        place.assert_whole();
        let cut = place.records("0").iter().any(|record| record.starts_with("torn-tail-cut: 100 bytes"));
        assert_eq!(cut, torn == 100);
        if torn == 0 {
            fs::remove_file(place.segments("0").pop().unwrap()).unwrap();
            restore_checkpoint(&place, &report.logs[0].head.clone().unwrap());
        }
    }
}

/// Puts the checkpoint file back to an earlier head.
fn restore_checkpoint(place: &Place, head: &evidence::checkpoint::Checkpoint) {
    fs::write(place.log("0").join("checkpoint"), head.sign(&crate::place::signer()).unwrap()).unwrap();
}

#[test]
fn a_failing_disk_is_told_and_written_to_once_it_works() {
    let mut place = Place::new();
    // Each commit begins a segment, which fails where its folder is gone.
    place.config.segment_bytes = 4096;
    let (handles, executors) = place.start(1);
    write(&handles[0], "select 1", 1);
    let (folder, away) = (place.log("0"), place.folder.path().join("away"));
    fs::rename(&folder, &away).unwrap();
    submit(&handles[0], batch(&["select 2".into()], Some(2)));
    let failed = loop {
        match next(&handles[0]) {
            FromExecutor::RecordingFailed(cause) => break cause,
            FromExecutor::Committed { upto } => assert_eq!(upto, 1),
            _ => {}
        }
    };
    assert!(failed.contains("No such file"), "{failed}");
    fs::rename(&away, &folder).unwrap();
    let mut heard = Vec::new();
    while heard.last() != Some(&"committed") {
        match next(&handles[0]) {
            FromExecutor::RecordingResumed => heard.push("resumed"),
            FromExecutor::Committed { upto: 2 } => heard.push("committed"),
            FromExecutor::RecordingFailed(_) => heard.push("failed"),
            _ => {}
        }
    }
    assert_eq!(heard, ["resumed", "committed"]);
    executors.stop().unwrap();
    place.assert_whole();
    assert_eq!(place.commands("0"), ["select 1", "select 2"]);
    assert!(place.records("0").iter().any(|record| record.starts_with("recording-resumed: after ")));
}

#[test]
fn what_is_no_batch_ends_recording_for_good() {
    let place = Place::new();
    let (handles, executors) = place.start(1);
    write(&handles[0], "select 1", 1);
    submit(&handles[0], dataplane::executor::Batch { bytes: vec![9, 0, 0, 0], durable: Some(2) });
    loop {
        match next(&handles[0]) {
            FromExecutor::RecordingFailed(cause) => {
                break assert!(cause.contains("malformed batch"), "{cause}");
            }
            FromExecutor::Committed { upto } => assert_eq!(upto, 1),
            _ => {}
        }
    }
    assert!(executors.stop().is_err());
    assert!(place.verify().is_whole());
}

/// Not a test by itself: what `kill_at_any_moment` kills.
#[test]
fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let (handles, _executors) =
        dataplane::executor::start(&Place::config(Path::new(&folder)), 1).unwrap().split();
    let mut out = std::io::stdout();
    for number in 1.. {
        submit(&handles[0], batch(&[format!("select {number}")], Some(number)));
        if number % 8 == 0 {
            await_committed(&handles[0], number);
            writeln!(out, "committed {number}").unwrap();
        }
    }
}

#[test]
fn kill_at_any_moment_leaves_every_committed_record() {
    let place = Place::new();
    let mut committed = 0;
    for round in 1..=5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "evidence_files::child", "--nocapture"])
            .env(CHILD, place.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut last = 0;
        for line in lines {
            let line = line.unwrap();
            if let Some(number) = line.split("committed ").nth(1) {
                last = number.parse().unwrap();
            }
            if last >= 8 * round * 3 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        committed += last;
        let report = place.verify();
        assert!(report.is_whole(), "{report:#?}");
        assert!(place.commands("0").len() as u64 >= committed);
        committed = place.commands("0").len() as u64;
    }
    let (_, executors) = place.start(1);
    executors.stop().unwrap();
    place.assert_whole();
    // Written one after another in each run, none missing.
    let commands = place.commands("0");
    for pair in commands.windows(2) {
        let number = |text: &str| text["select ".len()..].parse::<u64>().unwrap();
        assert!(number(&pair[1]) == number(&pair[0]) + 1 || number(&pair[1]) == 1, "{pair:?}");
    }
}
