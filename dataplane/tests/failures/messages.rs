//! Bytes that no client should send, over a TLS socket of the test's own: the session ends with the protocol's error,
//! a session beside it goes on.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

use crate::clients::{open, run, tls_config};
use crate::gateway::{Gateway, wait_for};

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

pub(crate) type Raw = StreamOwned<ClientConnection, TcpStream>;

pub(crate) fn tcp(gateway: &Gateway) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gateway.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// A connection with TLS and no login.
fn secured(gateway: &Gateway) -> Raw {
    let mut stream = tcp(gateway);
    stream.write_all(&SSL_REQUEST).unwrap();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"S");
    let config = tls_config(Path::new(gateway.get("PANGATE_CA")));
    StreamOwned::new(ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap(), stream)
}

pub(crate) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn startup(body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len() + 4).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

/// A session that is logged in and ready.
pub(crate) fn ready(gateway: &Gateway) -> Raw {
    let mut raw = secured(gateway);
    raw.write_all(&startup(b"\x00\x03\x00\x00user\0ci-job\0database\0payments\0\0")).unwrap();
    let password = [gateway.job_token().as_bytes(), b"\0"].concat();
    raw.write_all(&message(b'p', &password)).unwrap();
    let mut seen = Vec::new();
    let mut byte = [0; 4096];
    while !seen.ends_with(b"Z\x00\x00\x00\x05I") {
        let count = raw.read(&mut byte).unwrap();
        assert!(count > 0, "no login: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&byte[..count]);
    }
    raw
}

/// All that still comes until the connection ends; it must end.
pub(crate) fn rest(raw: &mut impl std::io::Read) -> Vec<u8> {
    let mut all = Vec::new();
    match raw.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof) => {}
        Err(error) => panic!("the connection did not end: {error}"),
    }
    all
}

fn assert_fatal(what: &str, told: &[u8], code: &str) {
    let shown = String::from_utf8_lossy(told);
    assert!(shown.contains("SFATAL\0"), "{what}: {shown}");
    assert!(shown.contains(&format!("C{code}\0")), "{what}: {shown}");
}

#[test]
fn what_no_client_should_send_ends_its_session_with_an_error_and_no_other() {
    let gateway = Gateway::start();
    let parse = message(b'P', b"\0select 1\0\0\0");
    let cases: [(&str, Vec<u8>, &str); 12] = [
        ("an unknown message", message(b'~', b"what"), "08P01"),
        ("a length under four", vec![b'Q', 0, 0, 0, 3, 0], "08P01"),
        ("a negative length", vec![b'Q', 0xff, 0xff, 0xff, 0xff, 0], "08P01"),
        ("a query of two GiB", vec![b'Q', 0x7f, 0xff, 0xff, 0xff, 0], "54000"),
        ("a query without an end", message(b'Q', b"select 1"), "08P01"),
        ("a query with two ends", message(b'Q', b"select 1\0select 2\0"), "08P01"),
        ("a password out of order", message(b'p', b"x\0"), "08P01"),
        ("copy data without a copy", message(b'd', b"1\t1\n"), "08P01"),
        ("a bind that is cut short", [parse.clone(), message(b'B', b"\0\0\0\x05")].concat(), "08P01"),
        ("a bind of more values than it has", message(b'B', b"\0\0\0\0\0\x09\0\0\0\x01x"), "08P01"),
        ("a describe of neither", message(b'D', b"X\0"), "08P01"),
        ("a sync with a body", message(b'S', b"x"), "08P01"),
    ];
    run(async {
        let undisturbed = open(&gateway).await.client;
        for (what, bytes, code) in &cases {
            let mut raw = ready(&gateway);
            raw.write_all(bytes).unwrap();
            raw.flush().unwrap();
            assert_fatal(what, &rest(&mut raw), code);
            undisturbed.simple_query("select 1").await.unwrap();
        }
    });
    // Each has left its record, with how it ended.
    let mut known = wait_for("the sessions' records", || {
        let sessions = gateway.json(&["sessions", "list"]);
        (sessions.as_array()?.len() > cases.len()).then_some(sessions)
    });
    let ends = wait_for("the sessions' ends", || {
        known = gateway.json(&["sessions", "list"]);
        let ended = known
            .as_array()?
            .iter()
            .filter(|session| session.to_string().contains("message from the Client"))
            .count();
        (ended >= 10).then_some(ended)
    });
    assert!(ends <= cases.len());
}

#[test]
fn what_no_client_should_send_before_its_login_is_refused() {
    let gateway = Gateway::start();
    run(async {
        let undisturbed = open(&gateway).await.client;
        let long = [b"\x00\x03\x00\x00user\0".to_vec(), vec![b'x'; 100_000]].concat();
        for (what, bytes, code) in [
            ("a query before the login", message(b'Q', b"select 1\0"), "54000"),
            ("a startup of another version", startup(b"\x00\x02\x00\x00"), "0A000"),
            ("a startup without an end", startup(b"\x00\x03\x00\x00user\0ci-job"), "08P01"),
            ("a startup that is too long", startup(&long), "54000"),
            ("a second SSLRequest", SSL_REQUEST.to_vec(), "08P01"),
            ("a length of zero", vec![0; 8], "08P01"),
        ] {
            let mut raw = secured(&gateway);
            raw.write_all(&bytes).unwrap();
            let _ = raw.flush();
            assert_fatal(what, &rest(&mut raw), code);
            undisturbed.simple_query("select 1").await.unwrap();
        }
        // In the clear where TLS is due; and bytes pushed in before the handshake.
        for bytes in [startup(b"\x00\x03\x00\x00user\0ci-job\0\0"), [&SSL_REQUEST[..], b"select 1"].concat()]
        {
            let mut stream = tcp(&gateway);
            stream.write_all(&bytes).unwrap();
            let told = rest(&mut stream);
            assert!(!told.windows(2).any(|pair| pair == b"R\0"), "no login was asked for");
            undisturbed.simple_query("select 1").await.unwrap();
        }
        // A client that breaks off within a message.
        let mut raw = ready(&gateway);
        raw.write_all(&message(b'Q', b"select 1\0")[..9]).unwrap();
        raw.sock.shutdown(std::net::Shutdown::Both).unwrap();
        undisturbed.simple_query("select 1").await.unwrap();
    });
    assert_eq!(
        gateway
            .direct(&["select count(*) from pg_stat_activity where application_name like 'pangate:%'"])
            .trim(),
        "0"
    );
}
