//! mysql_async over TLS through the gateway, and what the tests of MariaDB's clients look for.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::future::Future;
use std::time::Duration;

use mysql_async::{Conn, Error, Opts, OptsBuilder, SslOpts};

use crate::gateway::Gateway;

/// The card numbers of the demo's data.
pub(crate) const PANS: [&str; 5] =
    ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "2223003122003222"];
/// The same as they come to a job.
pub(crate) const MASKED: [&str; 5] =
    ["************1111", "************4444", "***********0005", "************1117", "************3222"];

/// How mysql_async logs in: always over TLS, the certificate's name checked.
pub(crate) fn options(gateway: &Gateway, token: &str) -> OptsBuilder {
    let ca = std::path::PathBuf::from(gateway.get("PANGATE_CA"));
    let tls = SslOpts::default().with_root_certs(vec![ca.into()]).with_disable_built_in_roots(true);
    OptsBuilder::default()
        .ip_or_hostname("localhost")
        .tcp_port(gateway.mysql_port())
        .prefer_socket(false)
        .user(Some("ci-job"))
        .pass(Some(token))
        .db_name(Some(gateway.get("PANGATE_MYSQL_TARGET")))
        .ssl_opts(tls)
}

/// A session of the job.
pub(crate) async fn open(gateway: &Gateway) -> Conn {
    Conn::new(options(gateway, &gateway.job_token())).await.unwrap()
}

/// A session at MariaDB itself.
pub(crate) async fn open_directly(gateway: &Gateway) -> Conn {
    let options = OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(gateway.mysql_target_port())
        .prefer_socket(false)
        .user(Some(gateway.get("DIRECT_MYSQL_USER")))
        .pass(Some(gateway.get("DIRECT_MYSQL_PASSWORD")))
        .db_name(Some(gateway.get("DIRECT_MYSQL_DATABASE")));
    Conn::new(Opts::from(options)).await.unwrap()
}

/// Number, SQLSTATE and message of an error of the server.
pub(crate) fn said(error: &Error) -> String {
    match error {
        Error::Server(error) => format!("{} {} {}", error.code, error.state, error.message),
        other => format!("no server's error: {other:?}"),
    }
}

/// Fails where the bytes hold a card number as text, integer or float.
pub(crate) fn assert_no_pan(what: &str, bytes: &[u8]) {
    for pan in PANS {
        assert!(memchr::memmem::find(bytes, pan.as_bytes()).is_none(), "{what} holds a card number");
        let number: i64 = pan.parse().unwrap();
        for coded in [number.to_le_bytes(), (number as f64).to_le_bytes()] {
            assert!(memchr::memmem::find(bytes, &coded).is_none(), "{what} holds a card number in binary");
        }
    }
}

/// A masked number: as long as the card's, its last four digits, and no card's number.
pub(crate) fn assert_masked_number(what: &str, value: &str, pan: &str) {
    assert_eq!(value.len(), pan.len(), "{what}: {value}");
    assert_eq!(value[pan.len() - 4..], pan[pan.len() - 4..], "{what}");
    let digit = |(place, digit): (usize, u8)| {
        let digit = u32::from(digit - b'0') * if place % 2 == 1 { 2 } else { 1 };
        if digit > 9 { digit - 9 } else { digit }
    };
    let sum: u32 = value.bytes().rev().enumerate().map(digit).sum();
    assert_ne!(sum % 10, 0, "{what} would pass for a card number: {value}");
}

/// Runs a test's tasks on a runtime of two threads; at most two minutes.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(120), test).await }).unwrap();
}
