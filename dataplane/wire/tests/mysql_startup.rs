//! A MySQL client's way in: the greeting, TLS, the token by each plugin that a client may speak; and what is refused.
//! The clients are scripted from the protocol's documentation (`handshake/mod.rs`).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod handshake;

use driver::{Asked, Driver};
use handshake::*;
use proptest::prelude::*;
use wire::limits::{ATTRIBUTES_BYTES_MAX, TOKEN_BYTES_MAX};
use wire::mysql::{Config, Session, VERSION};
use wire::{Error, ServerTls, Side};

const SHA2: &str = "caching_sha2_password";
const CLEAR: &str = "mysql_clear_password";
const OPENID: &str = "authentication_openid_connect_client";
const FULL: &[u8] = b"\x01\x04";

fn begun(config: Config) -> Driver<Session> {
    let mut session = accepted(config, account(ServerTls::Off));
    session.take(Side::Client);
    session
}

/// A client inside TLS, before its HandshakeResponse, whose sequence number is 2.
fn secured() -> Driver<Session> {
    let mut session = begun(config(true, true));
    session.feed(Side::Client, &Client::new(SHA2, b"").ssl_request());
    assert_eq!((session.error, session.take(Side::Client)), (None, Vec::new()));
    session
}

fn login(token: &[u8], secured: bool) -> Asked {
    Asked::Login {
        token: token.to_vec(),
        user: "job".into(),
        database: "payments".into(),
        application: "batch".into(),
        secured,
    }
}

#[test]
fn the_greeting_offers_what_the_engine_can_carry() {
    for (version, mariadb) in [("", false), ("8.0.36", false), ("5.5.5-10.11.6-MariaDB", true)] {
        let config = Config { version: version.into(), ..config(true, true) };
        let (sequence, greeting) = only(&accepted(config, account(ServerTls::Off)).take(Side::Client));
        let told = if version.is_empty() { VERSION } else { version };
        let rest =
            greeting.strip_prefix([b"\x0a", told.as_bytes(), b"\0"].concat().as_slice()).expect("a version");
        assert_eq!((sequence, &rest[..4]), (0, &[77, 0, 0, 0][..]));
        let (scramble, flags, plugin) = ([&rest[4..12], &rest[31..43]].concat(), &rest[13..31], &rest[44..]);
        assert!(scramble.iter().all(|byte| (1..=127).contains(byte) && *byte != b'$'), "{scramble:?}");
        assert_eq!((rest[12], rest[43], plugin), (0, 0, b"caching_sha2_password\0".as_slice()));
        let low = u32::from_le_bytes([flags[0], flags[1], flags[5], flags[6]]);
        let offered = u64::from(u32::from_le_bytes(flags[14..].try_into().unwrap())) << 32 | u64::from(low);
        assert_eq!(
            (flags[2], &flags[3..5], flags[7]),
            (45, &[2, 0][..], 21),
            "utf8mb4, autocommit, the length"
        );
        let never = COMPRESS | ZSTD | LOCAL_FILES | IGNORE_SPACE | OPTIONAL_METADATA | CACHE_METADATA;
        assert_eq!(offered & never, 0);
        assert_eq!(offered & (MODERN & !LONG_PASSWORD | SSL), MODERN & !LONG_PASSWORD | SSL);
        let own = PROGRESS | BULK | EXTENDED_METADATA;
        let later = offered & (LONG_PASSWORD | QUERY_ATTRIBUTES | own);
        let expected = match version {
            "" => LONG_PASSWORD,
            _ if mariadb => own,
            _ => LONG_PASSWORD | QUERY_ATTRIBUTES,
        };
        assert_eq!(later, expected, "{version}");
    }
}

#[test]
fn a_token_comes_by_whatever_plugin_the_client_speaks() {
    let scramble = [7; 32];
    let openid = [b"\x01".as_slice(), &counted(b"token-1")].concat();
    // The plugin that the client names, what it says; then each time what the engine answers and the client says.
    type Rounds<'a> = Vec<(Vec<u8>, &'a [u8])>;
    let to_sha2 = || switch(SHA2, b"0123456789abcdefghi%\0");
    let cases: Vec<(&'static str, &[u8], Rounds<'_>)> = vec![
        (SHA2, &scramble, vec![(FULL.to_vec(), b"token-1\0")]),
        (SHA2, &scramble, vec![(FULL.to_vec(), b"token-1")]),
        (CLEAR, b"token-1\0", vec![]),
        (CLEAR, b"token-1", vec![]),
        (CLEAR, b"", vec![(switch(CLEAR, b""), b"token-1\0")]),
        (OPENID, &openid, vec![]),
        (OPENID, b"", vec![(switch(OPENID, b""), &openid)]),
        ("sha256_password", b"token-1\0", vec![]),
        ("sha256_password", b"\x01", vec![(to_sha2(), &scramble), (FULL.to_vec(), b"token-1\0")]),
        ("mysql_native_password", &[7; 20], vec![(to_sha2(), &scramble), (FULL.to_vec(), b"token-1\0")]),
        ("mysql_native_password", b"", vec![(to_sha2(), &scramble), (FULL.to_vec(), b"token-1\0")]),
        ("client_ed25519", &[7; 64], vec![(to_sha2(), &scramble), (FULL.to_vec(), b"token-1\0")]),
        ("", b"", vec![(to_sha2(), &scramble), (FULL.to_vec(), b"token-1\0")]),
    ];
    for (plugin, answer, rounds) in cases {
        for stingy in [false, true] {
            let mut session = secured();
            session.stingy = stingy;
            session.feed(Side::Client, &Client::new(plugin, answer).packet(2));
            let mut sequence = 3;
            for (expected, says) in &rounds {
                assert_eq!(only(&session.take(Side::Client)), (sequence, expected.clone()), "{plugin}");
                session.feed(Side::Client, &packet(sequence + 1, says));
                sequence += 2;
            }
            assert_eq!(session.asked, [login(b"token-1", true)], "{plugin} {rounds:?}");
            assert_eq!((session.error, session.connecting), (None, true));
            assert!(session.take(Side::Client).is_empty(), "the client hears nothing before the target has");
        }
    }
}

#[test]
fn without_tls_a_token_comes_only_where_that_is_waived_and_only_when_asked_for() {
    // The last might be encrypted: what ends in a NUL need not be a password.
    for (plugin, answer) in [
        (SHA2, &[7; 32][..]),
        ("mysql_native_password", &[7; 20]),
        (CLEAR, b""),
        ("sha256_password", b"\x01"),
        ("sha256_password", b"token-1\0"),
    ] {
        let mut session = begun(config(false, false));
        session.feed(Side::Client, &Client::new(plugin, answer).packet(1));
        assert_eq!(only(&session.take(Side::Client)), (2, switch(CLEAR, b"")), "{plugin}");
        session.feed(Side::Client, &packet(3, b"token-1\0"));
        assert_eq!(session.asked, [login(b"token-1", false)]);
    }
    // Before anything is asked of it, and whatever it has sent.
    for client in [Client::new(SHA2, &[7; 32]), Client::new(CLEAR, b"token-1\0")] {
        let mut session = begun(config(true, true));
        session.feed(Side::Client, &client.packet(1));
        let (sequence, payload) = only(&session.take(Side::Client));
        let (number, state, words) = error(&payload);
        assert_eq!((sequence, number, state.as_str()), (2, 3159, "HY000"));
        assert!(words.contains("TLS is required"), "{words}");
        assert_eq!(
            session.error,
            Some(Error::Misbehaved { side: Side::Client, what: "no TLS where TLS is due" })
        );
        assert!(session.asked.is_empty());
    }
}

#[test]
fn nothing_stands_between_sslrequest_and_the_handshake() {
    let request = Client::new(SHA2, b"").ssl_request();
    let mut session = begun(config(true, true));
    session.feed(Side::Client, &[request.clone(), Client::new(CLEAR, b"token\0").packet(2)].concat());
    assert!(
        matches!(session.error, Some(Error::Misbehaved { side: Side::Client, .. })),
        "{:?}",
        session.error
    );
    assert!(session.asked.is_empty());
    // The start of a handshake belongs there: clients wait for no answer to SSLRequest.
    let mut session = begun(config(true, true));
    session.feed(Side::Client, &[request.as_slice(), b"\x16\x03\x01"].concat());
    assert_eq!((session.error, session.unconsumed(Side::Client)), (None, 0));
    session.feed(Side::Client, &Client::new(CLEAR, b"token\0").packet(2));
    assert_eq!(session.asked, [login(b"token", true)]);
    // Inside TLS there is no other; where none is offered, none is asked for.
    let mut session = secured();
    let again = packet(2, &request[4..]);
    session.feed(Side::Client, &again);
    assert!(session.error.is_some());
    let mut session = begun(config(false, false));
    session.feed(Side::Client, &request);
    assert!(matches!(session.error, Some(Error::Unsupported { side: Side::Client, .. })));
}

#[test]
fn no_token_is_a_login_like_any_other_and_its_refusal_stands_in_its_place() {
    let to_sha2 = switch(SHA2, b"0123456789abcdefghi%\0");
    for (plugin, rounds, next) in [
        (SHA2, vec![], 3),
        ("mysql_native_password", vec![(to_sha2.clone(), b"".as_slice())], 5),
        ("mysql_native_password", vec![(to_sha2, b"\0".as_slice())], 5),
        (CLEAR, vec![(switch(CLEAR, b""), b"\0".as_slice())], 5),
        (CLEAR, vec![(switch(CLEAR, b""), b"stale\0".as_slice())], 5),
    ] {
        let mut session = secured();
        session.feed(Side::Client, &Client::new(plugin, b"").packet(2));
        for (expected, says) in &rounds {
            assert_eq!(only(&session.take(Side::Client)), (3, expected.clone()));
            session.feed(Side::Client, &packet(4, says));
        }
        let token: &[u8] =
            if rounds.last().is_some_and(|(_, says)| says == b"stale\0") { b"stale" } else { b"" };
        assert_eq!(session.asked, [login(token, true)]);
        let (sequence, payload) = only(&session.take(Side::Client));
        assert_eq!((sequence, session.closed, session.error), (next, true, None));
        assert_eq!(error(&payload), (1045, "28000".into(), "the token is none".into()));
    }
}

/// What becomes of a client inside TLS that sends this.
fn refused(payload: &[u8]) -> (Error, Vec<u8>) {
    let mut session = secured();
    session.feed(Side::Client, &packet(2, payload));
    assert!(session.asked.is_empty() && session.closed, "{}", payload.escape_ascii());
    (session.error.expect("an error"), session.take(Side::Client))
}

#[test]
fn what_was_not_offered_is_refused_where_it_changes_packets_and_else_not_set() {
    for flag in [COMPRESS, ZSTD, OPTIONAL_METADATA] {
        let client = Client { capabilities: MODERN | flag, ..Client::new(SHA2, &[7; 32]) };
        let (error_seen, told) = refused(&client.payload());
        assert!(matches!(error_seen, Error::Unsupported { side: Side::Client, .. }));
        let (sequence, told) = only(&told);
        assert_eq!((sequence, error(&told).0), (3, 1235));
    }
    for flag in [CACHE_METADATA, EXTENDED_METADATA] {
        let capabilities = MODERN & !LONG_PASSWORD | flag;
        refused(&Client { capabilities, ..Client::new(SHA2, &[7; 32]) }.payload());
    }
    let client = Client {
        capabilities: MODERN | LOCAL_FILES | IGNORE_SPACE | QUERY_ATTRIBUTES,
        ..Client::new(CLEAR, b"token\0")
    };
    let mut session = secured();
    session.feed(Side::Client, &client.packet(2));
    assert_eq!((session.error, session.asked.len()), (None, 1));
    // Clients of another age: without plugins, without 4.1's protocol, without its passwords.
    for (missing, number) in [(PLUGIN_AUTH, 1251), (PROTOCOL_41, 1235), (SECURE_CONNECTION | LENENC, 1235)] {
        let client = Client { capabilities: MODERN & !missing, ..Client::new(SHA2, &[7; 20]) };
        let (error_seen, told) = refused(&client.payload());
        assert!(matches!(error_seen, Error::Unsupported { side: Side::Client, .. }));
        assert_eq!(error(&only(&told).1).0, number);
    }
}

#[test]
fn a_response_may_leave_out_what_its_capabilities_do() {
    let without = CONNECT_WITH_DB | CONNECT_ATTRS | LENENC | SESSION_TRACK | DEPRECATE_EOF;
    let client = Client { capabilities: MODERN & !without, ..Client::new(CLEAR, b"token\0") };
    let mut session = secured();
    session.feed(Side::Client, &client.packet(2));
    let [Asked::Login { token, database, application, .. }] = session.asked.as_slice() else {
        panic!("a login")
    };
    assert_eq!((token.as_slice(), database.as_str(), application.as_str()), (b"token".as_slice(), "", ""));
}

#[test]
fn every_byte_of_a_response_counts() {
    let whole = Client::new(CLEAR, b"token\0").payload();
    for length in 0..whole.len() {
        let (seen, told) = refused(&whole[..length]);
        assert!(matches!(seen, Error::Malformed { side: Side::Client, .. }), "{length}: {seen:?}");
        assert_eq!(error(&only(&told).1).0, 1835);
        // The same bytes without their end are no packet yet.
        let mut session = secured();
        session.feed(Side::Client, &packet(2, &whole)[..length + 4]);
        assert_eq!((session.error, session.asked.len(), session.closed), (None, 0, false));
    }
    let (seen, _) = refused(&[whole.as_slice(), b"\0"].concat());
    assert!(matches!(seen, Error::Malformed { side: Side::Client, .. }));
}

#[test]
fn lengths_that_lie_and_texts_that_are_none() {
    let attributes = [("program_name", "\u{1}"), ("a", "b")];
    let honest = Client { attributes: attributes.to_vec(), ..Client::new(CLEAR, b"token-77\0") }.payload();
    let at = |what: &[u8]| honest.windows(what.len()).position(|bytes| bytes == what).expect("there");
    let (answer, name) = (at(b"\x09token"), at(b"\x0cprogram_name"));
    for (place, byte) in [
        (answer, 8),
        (answer, 10),
        (answer, 0xfb),
        (answer, 0xfc),
        (answer, 0xff),
        (name - 1, honest[name - 1] - 1),
        (name - 1, honest[name - 1] + 1),
        (name, 11),
        (name, 200),
        (name + 14, 0xff),
        (32, 0xff),
    ] {
        let mut bytes = honest.clone();
        bytes[place] = byte;
        let (seen, told) = refused(&bytes);
        assert!(matches!(seen, Error::Malformed { .. } | Error::TooLarge { .. }), "{place} {byte}: {seen:?}");
        assert!(!told.windows(3).any(|bytes| bytes == b"-77"));
    }
    for (client, what) in [
        (Client::new(CLEAR, b"to\0ken\0"), "a NUL"),
        (Client::new(OPENID, b"\x01\x07token"), "short"),
        (Client::new(OPENID, b"\x01\x05tokenx"), "long"),
        (Client::new(OPENID, b"\x01"), "no token"),
    ] {
        assert!(matches!(refused(&client.payload()).0, Error::Malformed { .. }), "{what}");
    }
    // A key to encrypt the token with is not to be had.
    let mut session = secured();
    session.feed(Side::Client, &Client::new(SHA2, &[7; 32]).packet(2));
    session.take(Side::Client);
    session.feed(Side::Client, &packet(4, b"\x02"));
    assert!(matches!(session.error, Some(Error::Unsupported { .. })));
    assert_eq!(only(&session.take(Side::Client)).0, 5);
}

#[test]
fn nothing_grows_over_its_bound() {
    let long = vec![b'x'; TOKEN_BYTES_MAX];
    let longest = Client::new(CLEAR, &[b"token", &long[5..], b"\0"].concat());
    let mut session = secured();
    session.feed(Side::Client, &longest.packet(2));
    assert_eq!((session.error, session.asked.len()), (None, 1));
    let (seen, _) = refused(&Client::new(CLEAR, &[&long, b"x\0".as_slice()].concat()).payload());
    assert!(matches!(seen, Error::TooLarge { most: TOKEN_BYTES_MAX, .. }));
    let value: &'static str = "x".repeat(ATTRIBUTES_BYTES_MAX).leak();
    let client = Client { attributes: vec![("a", value)], ..Client::new(CLEAR, b"token\0") };
    assert!(matches!(refused(&client.payload()).0, Error::TooLarge { most: ATTRIBUTES_BYTES_MAX, .. }));
    // By its header alone, before the rest has come.
    for (step, header) in [(0, b"\0\0\x01\x02"), (0, b"\xff\xff\xff\x02"), (1, b"\0\x50\0\x04")] {
        let mut session = secured();
        if step == 1 {
            session.feed(Side::Client, &Client::new(SHA2, &[7; 32]).packet(2));
        }
        session.feed(Side::Client, header);
        assert!(matches!(session.error, Some(Error::TooLarge { side: Side::Client, .. })));
        assert!(session.kept_max <= header.len() + 300);
    }
}

#[test]
fn packets_come_in_sequence() {
    for sequence in [0, 2, 255] {
        let mut session = begun(config(true, true));
        session.feed(Side::Client, &packet(sequence, &Client::new(SHA2, b"").ssl_request()[4..]));
        assert!(matches!(session.error, Some(Error::Malformed { offset: 3, .. })));
    }
    for sequence in [0, 1, 3] {
        let mut session = secured();
        session.feed(Side::Client, &Client::new(CLEAR, b"token\0").packet(sequence));
        assert!(matches!(session.error, Some(Error::Malformed { offset: 3, .. })));
        assert!(session.asked.is_empty());
    }
    for sequence in [0, 2, 3, 5] {
        let mut session = secured();
        session.feed(Side::Client, &Client::new(SHA2, &[7; 32]).packet(2));
        session.feed(Side::Client, &packet(sequence, b"token\0"));
        assert!(matches!(session.error, Some(Error::Malformed { offset: 3, .. })));
        assert!(session.asked.is_empty());
    }
}

#[test]
fn a_client_that_goes_or_waits_too_long_leaves_nothing() {
    let mut session = secured();
    session.feed(Side::Client, &Client::new(SHA2, &[7; 32]).packet(2));
    session.take(Side::Client);
    session.expire(wire::Now(60_000));
    let (sequence, told) = only(&session.take(Side::Client));
    assert_eq!((sequence, error(&told).0, session.closed), (5 - 1, 1159, true));
    let mut session = secured();
    session.ended(Side::Client);
    assert!(session.closed && session.take(Side::Client).is_empty());
}

proptest! {
    #[test]
    fn no_bytes_of_a_client_are_its_undoing(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        inside in any::<bool>(),
        framed in any::<bool>(),
        plugin in 0..4_usize,
    ) {
        let mut session = if inside { secured() } else { begun(config(true, false)) };
        let sequence = if inside { 2 } else { 1 };
        if plugin > 0 && inside {
            session.feed(Side::Client, &Client::new([SHA2, CLEAR, OPENID][plugin - 1], b"").packet(2));
        }
        let bytes = if framed { packet(sequence + if plugin > 0 && inside { 2 } else { 0 }, &bytes) } else { bytes };
        session.feed(Side::Client, &bytes);
        session.ended(Side::Client);
    }

    #[test]
    fn a_response_with_a_byte_changed_is_refused_or_read(place in 0..200_usize, byte in any::<u8>()) {
        let mut payload = Client::new(CLEAR, b"token\0").payload();
        let place = place % payload.len();
        payload[place] = byte;
        let mut session = secured();
        session.feed(Side::Client, &packet(2, &payload));
        prop_assert!(session.error.is_some() || session.asked.len() == 1 || session.sent[0].len() > 4 || session.closed);
    }
}
