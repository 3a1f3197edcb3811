//! The program's exit codes, as scripts see them. What needs a server is in packaging/bench.
#![expect(clippy::unwrap_used, reason = "a test's helpers, too, fail by panicking")]

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pangate-loadtest")).args(arguments).output().unwrap()
}

fn run_at(address: &str, token_file: &str) -> Output {
    run(&["postgres", "--address", address, "--plaintext", "--token-file", token_file, "--database", "d"])
}

#[test]
fn wrong_usage_is_2() {
    for output in [run(&[]), run(&["mysql"]), run(&["postgres"]), run_at("192.0.2.1:5432", "/dev/null")] {
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn a_server_that_cannot_be_reached_is_3() {
    // Bound and closed again: nothing listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = run_at(&address, "/dev/null");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("pangate-loadtest: connection 1 of 16: "));
}

#[test]
fn a_token_that_cannot_be_read_is_3() {
    let output = run_at("127.0.0.1:1", "/nonexistent/token");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--token-file /nonexistent/token"));
}

#[test]
fn help_is_0() {
    let output = run(&["postgres", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("--allow-remote"));
}
