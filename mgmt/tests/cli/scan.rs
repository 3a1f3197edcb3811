//! `pangate scan`.

use std::process::Stdio;

use serde_json::Value;

use crate::{code, pangate, run, run_with_input, stderr, stdout, text};

const LOG: &[u8] = b"ok\npaid with 4111-1111-1111-1111 at noon\namex 378282246310005\n";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn hits_are_json_lines_and_the_answer_is_no() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("build.log");
    std::fs::write(&file, LOG).unwrap();
    std::fs::write(folder.path().join("clean"), "nothing here, not even 4111111111111112").unwrap();
    let output = run(&["scan", "--json", text(folder.path())]);
    assert_eq!(code(&output), 1);
    let hits = lines(&stdout(&output));
    assert_eq!(hits.len(), 2);
    assert_eq!(hits[0]["path"], text(&file));
    assert_eq!(hits[0]["offset"], 13);
    assert_eq!(hits[0]["length"], 19);
    assert_eq!(hits[0]["brand"], "visa");
    assert_eq!(hits[0]["masked"], "****-****-****-1111");
    assert_eq!(hits[1]["offset"], 46);
    assert_eq!(hits[1]["brand"], "amex");
}

#[test]
fn no_number_is_shown_unmasked() {
    for arguments in [&["scan", "-"][..], &["scan", "--json", "-"]] {
        let output = run_with_input(arguments, LOG);
        assert_eq!(code(&output), 1);
        assert_eq!(stdout(&output).lines().count(), 2);
        for shown in [stdout(&output), stderr(&output)] {
            assert!(!shown.contains("4111-1111") && !shown.contains("378282"), "{shown}");
        }
    }
}

#[test]
fn nothing_found_is_0_and_says_nothing() {
    let output = run_with_input(&["scan", "-"], b"no card");
    assert_eq!(code(&output), 0);
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    assert_eq!(code(&run_with_input(&["scan", "-"], b"")), 0);
}

#[test]
fn what_cannot_be_read_is_3_but_a_hit_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, file) = (folder.path().join("missing"), folder.path().join("file"));
    std::fs::write(&file, LOG).unwrap();
    let output = run(&["scan", text(&missing)]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("missing: No such file"));
    let output = run(&["scan", text(&missing), text(&file)]);
    assert_eq!(code(&output), 1);
    assert_eq!(stdout(&output).lines().count(), 2);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many");
    std::fs::write(&file, LOG.repeat(5_000)).unwrap();
    let mut child =
        pangate(&["scan", text(&file)]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 0);
    assert!(output.stderr.is_empty());
}

#[test]
fn hits_come_in_the_order_of_paths_and_offsets() {
    let folder = tempfile::tempdir().unwrap();
    // Each file is more than one chunk.
    let text = [LOG, &[b'.'; 20_000]].concat().repeat(250);
    for name in ["a", "b", "c"] {
        std::fs::write(folder.path().join(name), &text).unwrap();
    }
    let hits = lines(&stdout(&run(&["scan", "--json", crate::text(folder.path())])));
    let places: Vec<(String, u64)> = hits
        .iter()
        .map(|hit| (hit["path"].as_str().unwrap().to_owned(), hit["offset"].as_u64().unwrap()))
        .collect();
    assert_eq!(places.len(), 3 * 500);
    assert!(places.is_sorted());
}
