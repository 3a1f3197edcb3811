//! The gateway's login at a MySQL target: TLS, each plugin that an account may have, the session's settings, and what a
//! target may not do. The targets are scripted from the protocol's documentation (`handshake/mod.rs`) and check what
//! they are sent as a server does: with what it keeps of a password, not with the password.
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

use std::num::NonZeroU32;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::{digest, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use driver::{Account, Driver};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use handshake::*;
use proptest::prelude::*;
use wire::limits::{AUTH_ROUNDS_MAX, LOGIN_MESSAGE_BYTES_MAX, PARSEC_FACTOR_MAX};
use wire::mysql::Session;
use wire::{Error, Event, ServerTls, Side};

const NATIVE: &str = "mysql_native_password";
const SHA2: &str = "caching_sha2_password";
const SHA256: &str = "sha256_password";
const CLEAR: &str = "mysql_clear_password";
const ED25519: &str = "client_ed25519";
const PARSEC: &str = "parsec";
const AUTOCOMMIT: u16 = 2;
const SESSION_CHANGED: u16 = 1 << 14;

fn with_password(tls: ServerTls, password: &str) -> Account {
    Account { password: password.into(), ..account(tls) }
}

/// What the gateway answers a greeting with: its sequence number, capabilities, collation, and what stands behind them.
fn response(session: &mut Driver<Session>) -> (u8, u64, u8, Vec<u8>) {
    let (sequence, payload) = only(&session.take(Side::Server));
    let low = u32::from_le_bytes(payload[..4].try_into().unwrap());
    let high = u32::from_le_bytes(payload[28..32].try_into().unwrap());
    assert_eq!(payload[9..28], [0; 19]);
    (sequence, u64::from(high) << 32 | u64::from(low), payload[8], payload[32..].to_vec())
}

/// The parts behind the fixed ones: user, answer, database, plugin, attributes.
fn parts(mut rest: &[u8]) -> (String, Vec<u8>, String, String, String) {
    fn text(rest: &mut &[u8]) -> String {
        let end = rest.iter().position(|byte| *byte == 0).expect("an end");
        let text = String::from_utf8(rest[..end].to_vec()).expect("UTF-8");
        *rest = &rest[end + 1..];
        text
    }
    let user = text(&mut rest);
    let length = usize::from(rest[0]);
    let answer = rest[1..=length].to_vec();
    rest = &rest[length + 1..];
    let (database, plugin) = (text(&mut rest), text(&mut rest));
    assert_eq!(usize::from(rest[0]), rest.len() - 1, "attributes to the end");
    (user, answer, database, plugin, String::from_utf8_lossy(&rest[1..]).into_owned())
}

/// A session whose target has greeted it, inside TLS where that is due, and the answer of its plugin.
fn greeted(account: Account, target: &Target) -> (Driver<Session>, u8, Vec<u8>) {
    let tls = account.tls;
    let mut session = admitted(account);
    let target = match tls {
        ServerTls::Off => target.clone(),
        _ => Target { capabilities: target.capabilities | SSL, ..target.clone() },
    };
    session.feed(Side::Server, &target.packet());
    assert_eq!(session.error, None);
    if tls == ServerTls::Required {
        let mut both = packets(&session.take(Side::Server));
        let (sequence, request) = both.remove(0);
        assert_eq!((sequence, request.len(), request[1] & 8), (1, 32, 8), "an SSLRequest");
        let (sequence, payload) = both.remove(0);
        session.sent[1] = packet(sequence, &payload);
    }
    let (sequence, _, _, rest) = response(&mut session);
    assert_eq!(sequence, if tls == ServerTls::Required { 2 } else { 1 });
    let (user, answer, database, plugin, _) = parts(&rest);
    let known = if target.plugin == "unheard_of" { NATIVE } else { target.plugin };
    assert_eq!((user.as_str(), database.as_str(), plugin.as_str()), ("settlement", "work", known));
    (session, sequence, answer)
}

fn sets(sequence: u8, rows: &[&[u8]]) -> Vec<u8> {
    let sequences = sequence..;
    sequences.zip(rows).flat_map(|(sequence, row)| packet(sequence, row)).collect()
}

const DEFINITION: &[u8] = b"\x03def\0\0\0\x16@@collation_connection\0\x0c\x2d\0\x80\0\0\0\xfd\0\0\x1f\0\0";

/// The target lets the gateway in and answers what it asks; what it was made to set.
fn settle(session: &mut Driver<Session>, sequence: u8, collation: &str, modes: &str) -> String {
    session.feed(Side::Server, &packet(sequence, &ok(AUTOCOMMIT)));
    assert_eq!(session.error, None);
    assert!(session.take(Side::Client).is_empty(), "the client is not let in before all is set");
    let (sequence, question) = only(&session.take(Side::Server));
    assert_eq!(
        (sequence, question),
        (
            0,
            b"\x03SELECT CONCAT_WS(',', @@collation_connection, @@global.character_set_client), @@sql_mode"
                .to_vec()
        )
    );
    let row = [counted(collation.as_bytes()), counted(modes.as_bytes())].concat();
    session.feed(Side::Server, &sets(1, &[b"\x02", DEFINITION, DEFINITION, &row, b"\xfe\0\0\x02\0\0\0"]));
    assert_eq!(session.error, None);
    assert!(session.take(Side::Client).is_empty(), "the client is not let in before all is set");
    let (sequence, statement) = only(&session.take(Side::Server));
    assert_eq!((sequence, statement[0]), (0, 3));
    session.feed(Side::Server, &packet(1, &ok(AUTOCOMMIT | SESSION_CHANGED)));
    String::from_utf8(statement[1..].to_vec()).expect("UTF-8")
}

/// From the verdict on the session is the client's.
fn is_open(mut session: Driver<Session>, sequence: u8) {
    settle(&mut session, sequence, "utf8mb4_general_ci", "");
    assert_eq!(session.error, None);
    assert_eq!(packets(&session.take(Side::Client)), [(2, ok(AUTOCOMMIT))]);
    assert_eq!(session.events, [Event::Opened, Event::Attached { process: THREAD, reused: false }]);
    assert!(session.take(Side::Server).is_empty());
}

fn says(session: &mut Driver<Session>, sequence: u8, payload: &[u8]) -> Vec<u8> {
    session.feed(Side::Server, &packet(sequence, payload));
    assert_eq!(session.error, None, "{}", payload.escape_ascii());
    let (answered, said) = only(&session.take(Side::Server));
    assert_eq!(answered, sequence + 1);
    said
}

fn hash(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> Vec<u8> {
    digest::digest(algorithm, &parts.concat()).as_ref().to_vec()
}

fn xor(left: &[u8], right: &[u8]) -> Vec<u8> {
    left.iter().zip(right.iter().cycle()).map(|(left, right)| left ^ right).collect()
}

/// mysql.user keeps SHA1(SHA1(password)): here of "geheim".
fn native_is_right(answer: &[u8], scramble: &[u8]) -> bool {
    let sha1 = &digest::SHA1_FOR_LEGACY_USE_ONLY;
    let kept = hash(sha1, &[&hash(sha1, &[b"geheim"])]);
    hash(sha1, &[&xor(answer, &hash(sha1, &[scramble, &kept]))]) == kept
}

/// The server's cache keeps SHA256(SHA256(password)).
fn sha2_is_right(answer: &[u8], scramble: &[u8]) -> bool {
    let sha256 = &digest::SHA256;
    let kept = hash(sha256, &[&hash(sha256, &[b"geheim"])]);
    answer.len() == 32 && hash(sha256, &[&xor(answer, &hash(sha256, &[&kept, scramble]))]) == kept
}

#[test]
fn the_native_plugin_at_once_and_behind_a_switch() {
    for tls in [ServerTls::Off, ServerTls::Required] {
        let (session, sequence, answer) = greeted(account(tls), &Target::new(NATIVE));
        assert!(native_is_right(&answer, SCRAMBLE));
        is_open(session, sequence + 1);
        let (mut session, sequence, _) = greeted(account(tls), &Target::new(SHA2));
        let other = b"qwertyuiopasdfghjklz";
        let answer = says(&mut session, sequence + 1, &switch(NATIVE, &[other.as_slice(), b"\0"].concat()));
        assert!(native_is_right(&answer, other));
        is_open(session, sequence + 3);
    }
    // What is no plugin of ours is answered as if it were the native one, and switched from.
    let (mut session, sequence, answer) = greeted(account(ServerTls::Off), &Target::new("unheard_of"));
    assert!(native_is_right(&answer, SCRAMBLE));
    let answer = says(&mut session, sequence + 1, &switch(SHA2, &[SCRAMBLE.as_slice(), b"\0"].concat()));
    assert!(sha2_is_right(&answer, SCRAMBLE));
}

#[test]
fn caching_sha2_by_the_cache_and_by_the_password_inside_tls() {
    for tls in [ServerTls::Off, ServerTls::Required] {
        let (mut session, sequence, answer) = greeted(account(tls), &Target::new(SHA2));
        assert!(sha2_is_right(&answer, SCRAMBLE));
        session.feed(Side::Server, &packet(sequence + 1, b"\x01\x03"));
        assert!(session.take(Side::Server).is_empty());
        is_open(session, sequence + 2);
    }
    let (mut session, sequence, _) = greeted(account(ServerTls::Required), &Target::new(SHA2));
    assert_eq!(says(&mut session, sequence + 1, b"\x01\x04"), b"geheim\0");
    is_open(session, sequence + 3);
    for plugin in [SHA256, CLEAR] {
        let (session, sequence, answer) = greeted(account(ServerTls::Required), &Target::new(plugin));
        assert_eq!(answer, b"geheim\0");
        is_open(session, sequence + 1);
        let (mut session, sequence, _) = greeted(account(ServerTls::Required), &Target::new(NATIVE));
        let answer =
            says(&mut session, sequence + 1, &switch(plugin, &[SCRAMBLE.as_slice(), b"\0"].concat()));
        assert_eq!(answer, b"geheim\0");
        is_open(session, sequence + 3);
    }
}

#[test]
fn without_tls_the_password_goes_out_encrypted_for_the_target_s_key() {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
    let der: PublicKeyX509Der<'_> = private.public_key().as_der().expect("DER");
    let body = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    let key = [b"\x01", pem.as_bytes()].concat();
    let private = OaepPrivateDecryptingKey::new(private).expect("a key");
    let opened = |sent: &[u8]| {
        let mut plain = vec![0; private.min_output_size()];
        xor(private.decrypt(&OAEP_SHA1_MGF1SHA1, sent, &mut plain, None).expect("ours"), SCRAMBLE)
    };
    let (mut session, _, _) = greeted(account(ServerTls::Off), &Target::new(SHA2));
    assert_eq!(says(&mut session, 2, b"\x01\x04"), b"\x02");
    assert_eq!(opened(&says(&mut session, 4, &key)), b"geheim\0");
    is_open(session, 6);
    let (mut session, _, answer) = greeted(account(ServerTls::Off), &Target::new(SHA256));
    assert_eq!(answer, b"\x01");
    assert_eq!(opened(&says(&mut session, 2, &key)), b"geheim\0");
    is_open(session, 4);
    // What is no key is none.
    for wrong in [&key[..key.len() - 5], b"\x01", b"\x01geheim"] {
        let (mut session, _, _) = greeted(account(ServerTls::Off), &Target::new(SHA256));
        session.feed(Side::Server, &packet(2, wrong));
        assert!(matches!(session.error, Some(Error::Malformed { side: Side::Server, .. })));
        assert!(session.take(Side::Server).is_empty());
    }
}

#[test]
fn mariadb_s_signatures() {
    // MariaDB's documentation of the plugin: PASSWORD('secret'), the public key.
    let kept = STANDARD_NO_PAD.decode("ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY").expect("base64");
    let kept = VerifyingKey::from_bytes(&kept.try_into().unwrap()).expect("a key");
    let scramble = [7; 31].into_iter().chain([0]).collect::<Vec<u8>>();
    let account = with_password(ServerTls::Off, "secret");
    let (mut session, _, _) = greeted(account.clone(), &Target::new(NATIVE));
    let answer = says(&mut session, 2, &switch(ED25519, &scramble));
    assert!(kept.verify_strict(&scramble, &Signature::from_slice(&answer).expect("64 bytes")).is_ok());
    is_open(session, 4);
    // PARSEC: an empty packet asks for the salt, which comes as it is, or behind a 1.
    for mark in [b"".as_slice(), b"\x01"] {
        let (mut session, _, _) = greeted(account.clone(), &Target::new(NATIVE));
        assert_eq!(says(&mut session, 2, &switch(PARSEC, &scramble)), b"");
        let answer = says(&mut session, 4, &[mark, b"P\0", &[9; 18]].concat());
        let mut seed = [0; 32];
        let iterations = NonZeroU32::new(1_024).unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, iterations, &[9; 18], b"secret", &mut seed);
        let (nonce, signature) = answer.split_at(32);
        let signed = [scramble.as_slice(), nonce].concat();
        let public = SigningKey::from_bytes(&seed).verifying_key();
        assert!(public.verify_strict(&signed, &Signature::from_slice(signature).expect("64 bytes")).is_ok());
        is_open(session, 6);
    }
    for salt in [
        [b"P", [PARSEC_FACTOR_MAX + 1].as_slice(), &[9; 18]].concat(),
        [b"P\0".as_slice(), &[9; 17]].concat(),
        [b"\x01Q\0".as_slice(), &[9; 18]].concat(),
    ] {
        let (mut session, _, _) = greeted(account.clone(), &Target::new(NATIVE));
        says(&mut session, 2, &switch(PARSEC, &scramble));
        session.feed(Side::Server, &packet(4, &salt));
        assert!(session.error.is_some() && session.take(Side::Server).is_empty());
    }
}

#[test]
fn an_account_without_a_password_says_nothing_of_one() {
    for (plugin, expected) in [(NATIVE, b"".as_slice()), (SHA2, b""), (SHA256, b"\0")] {
        let (session, _, answer) = greeted(with_password(ServerTls::Off, ""), &Target::new(plugin));
        assert_eq!(answer, expected);
        is_open(session, 2);
    }
}

/// What a session comes to whose target has said this: what it was sent since its greeting, and the client's words.
fn refused(account: Account, target: &Target, said: &[Vec<u8>]) -> (Error, Vec<u8>, (u16, String, String)) {
    let mut session = admitted(account);
    session.feed(Side::Server, &target.packet());
    for payload in said {
        session.feed(Side::Server, payload);
    }
    let (sequence, told) = only(&session.take(Side::Client));
    assert_eq!((sequence, session.closed), (2, true));
    assert!(!session.events.contains(&Event::Opened));
    (session.error.expect("an error"), session.take(Side::Server), error(&told))
}

#[test]
fn a_password_never_goes_out_in_the_clear_without_tls() {
    let off = account(ServerTls::Off);
    for (target, said) in [
        (Target::new(CLEAR), vec![]),
        (Target::new(NATIVE), vec![packet(2, &switch(CLEAR, b""))]),
        (Target::new(SHA2), vec![packet(2, &switch(CLEAR, &[SCRAMBLE.as_slice(), b"\0"].concat()))]),
    ] {
        let (seen, sent, _) = refused(off.clone(), &target, &said);
        assert!(matches!(seen, Error::Unsupported { side: Side::Server, .. }), "{seen:?}");
        assert!(!sent.windows(6).any(|bytes| bytes == b"geheim"));
    }
    // TLS is due: a target without it, one that says more before it.
    for (tls, what) in [(ServerTls::Required, "no TLS"), (ServerTls::Direct, "TLS before its greeting")] {
        let (seen, sent, told) = refused(account(tls), &Target::new(NATIVE), &[]);
        assert_eq!(seen, Error::Unsupported { side: Side::Server, what });
        assert!(sent.is_empty() && told.2.contains(what), "{told:?}");
    }
    let mut session = admitted(account(ServerTls::Required));
    session.stingy = false;
    let target = Target { capabilities: MODERN | SSL, ..Target::new(NATIVE) };
    session.feed(Side::Server, &[target.packet(), packet(2, &ok(2))].concat());
    assert_eq!(
        session.error,
        Some(Error::Misbehaved { side: Side::Server, what: "bytes between the greeting and the handshake" })
    );
    assert!(session.take(Side::Server).is_empty());
}

#[test]
fn what_a_target_refuses_is_told_by_its_number_alone() {
    let words = "Access denied for user 'settlement'@'10.0.0.1' (using password: YES)";
    let target = Target::new(SHA2);
    let denied = packet(2, &refusal(1045, words));
    for said in [
        vec![denied],
        vec![packet(2, b"\x01\x03"), packet(3, &refusal(1045, words))],
        vec![packet(2, &ok(2)), packet(1, &refusal(1045, words))],
        vec![packet(2, &ok(2)), sets(1, &[b"\x02", DEFINITION, &refusal(1045, words)])],
    ] {
        let (seen, _, told) = refused(account(ServerTls::Off), &target, &said);
        assert_eq!(seen, Error::Refused { side: Side::Server, code: *b"01045" });
        assert_eq!((told.0, told.1.as_str()), (1043, "08S01"));
        assert!(told.2.ends_with("01045") && !told.2.contains("settlement"), "{told:?}");
    }
    // In place of the greeting, where an ERR has no SQLSTATE.
    let mut session = admitted(account(ServerTls::Required));
    session.feed(Side::Server, &packet(0, b"\xff\x10\x04Too many connections"));
    assert_eq!(session.error, Some(Error::Refused { side: Side::Server, code: *b"01040" }));
    let mut session = admitted(account(ServerTls::Off));
    session.feed(Side::Server, &packet(0, b"\xff\xff\xff"));
    assert_eq!(session.error, Some(Error::Refused { side: Side::Server, code: *b"65535" }));
    let mut session = admitted(account(ServerTls::Off));
    session.feed(Side::Server, &packet(0, b"\xff\x10"));
    assert!(matches!(session.error, Some(Error::Malformed { side: Side::Server, .. })));
}

#[test]
fn a_target_out_of_order_is_left() {
    let scrambled = |plugin| switch(plugin, &[SCRAMBLE.as_slice(), b"\0"].concat());
    let target = Target::new(SHA2);
    let long = vec![1; LOGIN_MESSAGE_BYTES_MAX + 1];
    for (what, said) in [
        ("old passwords", vec![packet(2, b"\xfe")]),
        ("a plugin of a dialog", vec![packet(2, &switch("dialog", b""))]),
        ("old passwords by name", vec![packet(2, &scrambled("mysql_old_password"))]),
        ("a switch without an end", vec![packet(2, b"\xfemysql")]),
        ("a short scramble", vec![packet(2, &switch(NATIVE, &SCRAMBLE[..19]))]),
        ("a long scramble", vec![packet(2, &switch(NATIVE, &[7; 22]))]),
        ("a short nonce", vec![packet(2, &switch(ED25519, &[7; 31]))]),
        ("a long nonce", vec![packet(2, &switch(ED25519, &[7; 33]))]),
        ("neither fast nor full", vec![packet(2, b"\x01\x05")]),
        ("nothing", vec![packet(2, b"")]),
        ("a bare 1", vec![packet(2, b"\x01")]),
        ("fast twice", vec![packet(2, b"\x01\x03"), packet(3, b"\x01\x03")]),
        ("LOCAL INFILE", vec![packet(2, b"\xfb/etc/passwd")]),
        ("LOCAL INFILE later", vec![packet(2, &ok(2)), packet(1, b"\xfb/etc/passwd")]),
        ("a short OK", vec![packet(2, &ok(2)[..6])]),
        ("another sequence", vec![packet(3, &ok(2))]),
        ("the same sequence", vec![packet(1, &ok(2))]),
        ("too long", vec![packet(2, &long)]),
        ("too long by its header", vec![b"\xff\xff\xff\x02".to_vec()]),
        ("PARSEC's salt unasked", vec![packet(2, &[b"P\0".as_slice(), &[9; 18]].concat())]),
        ("an OK for a result", vec![packet(2, &ok(2)), packet(1, &ok(2))]),
        ("three columns", vec![packet(2, &ok(2)), packet(1, b"\x03")]),
        ("no columns' names", vec![packet(2, &ok(2)), sets(1, &[b"\x02", b"x"])]),
        (
            "no row",
            vec![packet(2, &ok(2)), sets(1, &[b"\x02", DEFINITION, DEFINITION, b"\xfe\0\0\x02\0\0\0"])],
        ),
        ("a NULL", vec![packet(2, &ok(2)), sets(1, &[b"\x02", DEFINITION, DEFINITION, b"\xfb\x01x"])]),
        (
            "more than two",
            vec![packet(2, &ok(2)), sets(1, &[b"\x02", DEFINITION, DEFINITION, b"\x01a\x01b\x01c"])],
        ),
        ("a quote", vec![packet(2, &ok(2)), sets(1, &[b"\x02", DEFINITION, DEFINITION, b"\x01a\x03b'c"])]),
        (
            "two rows",
            vec![
                packet(2, &ok(2)),
                sets(1, &[b"\x02", DEFINITION, DEFINITION, b"\x01a\x01b", b"\x01a\x01b"]),
            ],
        ),
    ] {
        let (seen, sent, told) = refused(account(ServerTls::Off), &target, &said);
        assert!(!matches!(seen, Error::Refused { .. }), "{what}: {seen:?}");
        assert!([1835, 1235, 1153].contains(&told.0), "{what}: {told:?}");
        assert!(!sent.windows(6).any(|bytes| bytes == b"geheim"), "{what}");
        assert!(!sent.windows(4).any(|bytes| bytes == b" SET"), "{what}");
    }
    let old = Error::Unsupported { side: Side::Server, what: "passwords older than 4.1's" };
    assert_eq!(refused(account(ServerTls::Off), &target, &[packet(2, b"\xfe")]).0, old);
    // Switches without end.
    let switches: Vec<Vec<u8>> = (0..u8::try_from(AUTH_ROUNDS_MAX).unwrap() + 1)
        .map(|round| packet(2 + 2 * round, &scrambled(NATIVE)))
        .collect();
    let (seen, ..) = refused(account(ServerTls::Off), &target, &switches);
    assert!(matches!(seen, Error::Misbehaved { what: "too many rounds of authentication", .. }));
    // Bytes before the gateway has connected.
    let mut session = accepted(config(false, false), account(ServerTls::Off));
    session.feed(Side::Client, &Client::new(CLEAR, b"token\0").packet(1));
    session.feed(Side::Server, &target.packet());
    assert!(matches!(session.error, Some(Error::Misbehaved { side: Side::Server, .. })));
}

#[test]
fn every_byte_of_a_greeting_counts() {
    let whole = Target::new(NATIVE).payload();
    for length in 0..whole.len() {
        let mut session = admitted(account(ServerTls::Off));
        session.feed(Side::Server, &packet(0, &whole[..length]));
        let seen = session.error.expect("an error");
        assert!(
            matches!(seen, Error::Malformed { side: Side::Server, .. } | Error::Unsupported { .. }),
            "{length}: {seen:?}"
        );
        assert!(session.take(Side::Server).is_empty());
        let mut session = admitted(account(ServerTls::Off));
        session.feed(Side::Server, &packet(0, &whole)[..length + 4]);
        assert_eq!((session.error, session.closed), (None, false), "{length}");
    }
    let mut session = admitted(account(ServerTls::Off));
    session.feed(Side::Server, &packet(0, &[&whole, b"x".as_slice()].concat()));
    assert!(session.error.is_some());
    for (capabilities, what) in [
        (MODERN & !PROTOCOL_41, "4.1"),
        (MODERN & !PLUGIN_AUTH, "plugins"),
        (MODERN & !SECURE_CONNECTION, "plugins"),
    ] {
        let (seen, ..) =
            refused(account(ServerTls::Off), &Target { capabilities, ..Target::new(NATIVE) }, &[]);
        assert!(matches!(seen, Error::Unsupported { side: Side::Server, what: told } if told.contains(what)));
    }
}

#[test]
fn a_target_must_have_what_its_client_was_promised() {
    for flag in [DEPRECATE_EOF, SESSION_TRACK, MULTI_RESULTS] {
        let capabilities = MODERN & !flag;
        let (seen, sent, _) =
            refused(account(ServerTls::Off), &Target { capabilities, ..Target::new(NATIVE) }, &[]);
        assert!(matches!(seen, Error::Unsupported { side: Side::Server, .. }), "{seen:?}");
        assert!(sent.is_empty());
        // A client that has not asked for it does not miss it.
        let client = Client { capabilities, ..Client::new(CLEAR, b"token\0") };
        let mut session = admitted_as(&client, account(ServerTls::Off));
        session.feed(Side::Server, &Target::new(NATIVE).packet());
        let (_, asked, ..) = response(&mut session);
        // What becomes of its settings the gateway hears all the same.
        let own = if flag == SESSION_TRACK { flag } else { 0 };
        assert_eq!(asked & flag, own, "and its target is not asked for it");
    }
    // What is asked for: of the client's wishes those that it has, and nothing that the client has not.
    let mut session = admitted(account(ServerTls::Off));
    let target = Target { capabilities: MODERN & !MULTI_STATEMENTS | 0xff << 32, ..Target::new(NATIVE) };
    session.feed(Side::Server, &target.packet());
    let (_, asked, collation, rest) = response(&mut session);
    let expected = MODERN & !MULTI_STATEMENTS | 1 << 13;
    assert_eq!((asked, collation), (expected, 255));
    assert!(parts(&rest).4.contains("program_name\x0cpangate test"));
    // Nor what a client has set that it was not offered.
    let capabilities = MODERN | LOCAL_FILES | IGNORE_SPACE | QUERY_ATTRIBUTES;
    let client = Client { capabilities, ..Client::new(CLEAR, b"token\0") };
    let mut session = admitted_as(&client, account(ServerTls::Off));
    session.feed(Side::Server, &Target { capabilities, ..Target::new(NATIVE) }.packet());
    let (_, asked, ..) = response(&mut session);
    assert_eq!(asked & (LOCAL_FILES | IGNORE_SPACE | QUERY_ATTRIBUTES), 0);
    // MariaDB, to which a client came that knows no MariaDB, and one that does.
    for (version, own) in [("", 0), ("10.11.6-MariaDB", PROGRESS | BULK | EXTENDED_METADATA)] {
        let config = wire::mysql::Config { version: version.into(), ..config(false, false) };
        let mut session = accepted(config, account(ServerTls::Off));
        let plain = if own == 0 { MODERN } else { MODERN & !LONG_PASSWORD };
        let client = Client { capabilities: plain | own, ..Client::new(CLEAR, b"token\0") };
        session.feed(Side::Client, &client.packet(1));
        session.connected();
        let capabilities = MODERN & !LONG_PASSWORD | PROGRESS | BULK | EXTENDED_METADATA | CACHE_METADATA;
        session.feed(Side::Server, &Target { capabilities, ..Target::new(NATIVE) }.packet());
        let (_, asked, collation, _) = response(&mut session);
        assert_eq!((asked >> 32 << 32, asked & LONG_PASSWORD), (own, if own == 0 { 1 } else { 0 }));
        assert_eq!(collation, 45, "MariaDB has no utf8mb4_0900_ai_ci");
    }
}

#[test]
fn a_session_s_text_is_utf8_and_cut_as_policy_cuts_it() {
    let fixed = "/* pangate */ SET character_set_client = utf8mb4, character_set_results = utf8mb4, \
                 collation_connection = ";
    for (collation, kept) in [
        ("utf8mb4_0900_ai_ci", "utf8mb4_0900_ai_ci"),
        ("utf8mb3_general_ci", "utf8mb4_general_ci"),
        ("latin1_swedish_ci", "utf8mb4_general_ci"),
        ("sjis_japanese_ci", "utf8mb4_general_ci"),
    ] {
        for (modes, left) in [
            ("", None),
            ("STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION", None),
            ("PIPES_AS_CONCAT", None),
            ("ANSI_QUOTES", Some("")),
            ("STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES,IGNORE_SPACE", Some("STRICT_TRANS_TABLES")),
            (
                "REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ONLY_FULL_GROUP_BY,ANSI",
                Some("REAL_AS_FLOAT,PIPES_AS_CONCAT,ONLY_FULL_GROUP_BY"),
            ),
            ("ORACLE,MSSQL,DB2,POSTGRESQL,MAXDB,NO_KEY_OPTIONS", Some("NO_KEY_OPTIONS")),
        ] {
            let (mut session, ..) = greeted(account(ServerTls::Off), &Target::new(NATIVE));
            let statement = settle(&mut session, 2, collation, modes);
            assert!(statement.starts_with(&format!("{fixed}{kept}, session_track_system")), "{statement}");
            let mode = statement.split_once("sql_mode = '").map(|(_, rest)| rest.trim_end_matches('\''));
            assert_eq!(mode, left, "{modes}");
            assert_eq!(packets(&session.take(Side::Client)), [(2, ok(AUTOCOMMIT))]);
        }
    }
}

#[test]
fn a_client_that_knows_eof_packets_has_its_target_send_them() {
    let client = Client { capabilities: MODERN & !DEPRECATE_EOF, ..Client::new(CLEAR, b"token\0") };
    let mut session = admitted_as(&client, account(ServerTls::Off));
    session.feed(Side::Server, &Target::new(NATIVE).packet());
    session.feed(Side::Server, &packet(2, &ok(2)));
    session.take(Side::Server);
    let (row, eof) = (b"\x12utf8mb4_general_ci\0", b"\xfe\0\0\x02\0");
    session.feed(Side::Server, &sets(1, &[b"\x02", DEFINITION, DEFINITION, eof, row, eof]));
    assert_eq!(session.error, None);
    assert!(session.take(Side::Server).windows(4).any(|bytes| bytes == b" SET"));
    session.feed(Side::Server, &packet(1, &ok(2)));
    assert_eq!(packets(&session.take(Side::Client)), [(2, ok(2))]);
}

#[test]
fn a_target_that_goes_or_waits_leaves_the_client_an_error() {
    let (mut session, ..) = greeted(account(ServerTls::Off), &Target::new(NATIVE));
    session.ended(Side::Server);
    let (sequence, told) = only(&session.take(Side::Client));
    assert_eq!((sequence, error(&told).0, session.closed), (2, 1158, true));
    let (mut session, ..) = greeted(account(ServerTls::Off), &Target::new(NATIVE));
    session.expire(wire::Now(60_000));
    let (sequence, told) = only(&session.take(Side::Client));
    assert_eq!((sequence, error(&told).0, session.closed), (2, 1159, true));
    // A client's bytes wait for the login's end.
    let (mut session, ..) = greeted(account(ServerTls::Off), &Target::new(NATIVE));
    session.feed(Side::Client, &packet(0, b"\x03select 1"));
    assert_eq!((session.error, session.unconsumed(Side::Client)), (None, 13));
    assert!(session.take(Side::Server).is_empty());
}

proptest! {
    #[test]
    fn no_bytes_of_a_target_are_the_engine_s_undoing(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        stage in 0..5_usize,
        framed in any::<bool>(),
    ) {
        let mut session = admitted(account(ServerTls::Off));
        let plugin = [SHA2, SHA256, NATIVE][stage % 3];
        let mut sequence = 0;
        if stage > 0 {
            session.feed(Side::Server, &Target::new(plugin).packet());
            sequence = 2;
        }
        if stage == 4 {
            session.feed(Side::Server, &packet(2, &ok(2)));
            sequence = 1;
        }
        let bytes = if framed { packet(sequence, &bytes) } else { bytes };
        session.feed(Side::Server, &bytes);
        session.ended(Side::Server);
        prop_assert!(!session.sent[1].windows(6).any(|bytes| bytes == b"geheim"));
    }

    #[test]
    fn a_greeting_with_a_byte_changed_is_refused_or_answered(place in 0..200_usize, byte in any::<u8>()) {
        let mut payload = Target::new(NATIVE).payload();
        let place = place % payload.len();
        payload[place] = byte;
        let mut session = admitted(account(ServerTls::Off));
        session.feed(Side::Server, &packet(0, &payload));
        prop_assert_eq!(session.error.is_none(), !session.sent[1].is_empty());
    }
}
