//! `pangate` as scripts see it: exit codes, JSON forms, what goes to which stream.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's helpers, too, fail by panicking")]

mod audit;
mod connect;
mod mgmt;
mod policy;
mod scan;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program, without anything of the environment that it takes options from.
fn pangate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pangate"));
    for name in ["PANGATE_MGMT_URL", "PANGATE_TOKEN", "PANGATE_CA", "PANGATE_GATEWAY"] {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    pangate(arguments).stdin(Stdio::null()).output().unwrap()
}

fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = pangate(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    for arguments in
        [&[][..], &["scan"], &["approvals", "approve", "x"], &["nonsense"], &["audit", "verify", "x"]]
    {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
    for arguments in [&["--help"][..], &["connect", "--help"], &["audit", "verify", "--help"], &["--version"]]
    {
        assert_eq!(code(&run(arguments)), 0, "{arguments:?}");
    }
}

#[test]
fn connect_refuses_to_listen_to_others_and_wants_a_token() {
    let listen = ["connect", "t", "--gateway", "127.0.0.1:1", "--listen", "0.0.0.0:0"];
    let output = pangate(&listen).env("PANGATE_TOKEN", "x.y.z").output().unwrap();
    assert_eq!(code(&output), 2);
    let output = run(&["connect", "t", "--gateway", "127.0.0.1:1"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("PANGATE_TOKEN"));
}
