//! The way in: TLS on either leg, start-up packets, logins at the target, deadlines, cancelling.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod postgres;

use driver::{Asked, Driver, Verdict};
use postgres::*;
use wire::postgres::{CancelErrand, Config, Session};
use wire::{Error, Event, Now, RefusalKind, ServerTls, Side};

const SSL: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";
const GSS: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x30";
const ASKS_PASSWORD: &[u8] = b"R\0\0\0\x08\0\0\0\x03";

fn tls(offered: bool, required: bool) -> Config {
    Config { tls_offered: offered, tls_required: required, ..Config::default() }
}

fn admitted(config: Config, server: ServerTls) -> Driver<Session> {
    let judge = move |_: &Asked| Verdict::Admit(account(server));
    let mut driver = Driver::new(Session::new(config), Box::new(judge));
    let fields =
        [("user", "job"), ("database", "payments"), ("application_name", "psql"), ("timezone", "UTC")];
    driver.feed(Side::Client, &startup(&fields));
    driver.feed(Side::Client, &password("token"));
    driver.take(Side::Client);
    driver.connected();
    driver
}

#[test]
fn a_login_over_tls_on_both_legs() {
    let judge = |asked: &Asked| match asked {
        Asked::Login { .. } => Verdict::Admit(account(ServerTls::Required)),
        _ => Verdict::Allow,
    };
    let mut session = Driver::new(Session::new(tls(true, true)), Box::new(judge));
    session.feed(Side::Client, GSS);
    session.feed(Side::Client, SSL);
    assert_eq!(session.take(Side::Client), b"NS");
    session.feed(
        Side::Client,
        &startup(&[("user", "job"), ("database", "payments"), ("application_name", "psql")]),
    );
    assert_eq!(session.take(Side::Client), ASKS_PASSWORD);
    session.feed(Side::Client, &password("eyJ.token"));
    let expected = Asked::Login {
        token: b"eyJ.token".to_vec(),
        user: "job".into(),
        database: "payments".into(),
        application: "psql".into(),
        secured: true,
    };
    assert_eq!(session.asked, [expected]);
    assert!(session.connecting);
    // What comes before the target is ready is kept.
    session.feed(Side::Client, &query("select 1"));
    session.connected();
    assert_eq!(session.take(Side::Server), SSL);
    session.feed(Side::Server, b"S");
    let expected = startup_3_2(&[
        ("user", "settlement_rw"),
        ("database", "work"),
        ("application_name", "pangate test"),
        ("client_encoding", "UTF8"),
    ]);
    assert_eq!(session.take(Side::Server), expected);
    session.feed(Side::Server, &message(b'R', &[0, 0, 0, 3]));
    assert_eq!(session.take(Side::Server), password("geheim"));
    session.feed(Side::Server, &greeting());
    let told = session.take(Side::Client);
    assert_eq!(tags(&told), "RSSKZ", "the target's user name stays here");
    let key = message(b'K', &[0, 0, 0, 77, 1, 2, 3, 4]);
    assert!(told.windows(key.len()).any(|bytes| bytes == key));
    assert_eq!(session.events, [Event::Opened]);
    assert_eq!(session.take(Side::Server), query("select 1"));
    let cancel = session.engine.server_cancel().expect("a key");
    assert_eq!((cancel.process, cancel.secret.expose()), (9, &[1, 1, 1, 1][..]));
}

#[test]
fn without_tls_a_token_is_not_taken() {
    let mut session = Driver::new(Session::new(tls(true, true)), Box::new(|_| Verdict::Allow));
    session.feed(Side::Client, &startup(&[("user", "job")]));
    let told = session.take(Side::Client);
    assert_eq!(tags(&told), "E");
    assert!(told.windows(6).any(|bytes| bytes == b"C28000"));
    assert!(matches!(session.error, Some(Error::Misbehaved { side: Side::Client, .. })));

    let mut session = Driver::new(Session::new(tls(false, false)), Box::new(|_| Verdict::Allow));
    session.feed(Side::Client, SSL);
    session.feed(Side::Client, &startup(&[("user", "job")]));
    assert_eq!(session.take(Side::Client), [b"N", ASKS_PASSWORD].concat());
}

#[test]
fn bytes_smuggled_before_a_handshake_are_refused() {
    let mut session = Driver::new(Session::new(tls(true, false)), Box::new(|_| Verdict::Allow));
    session.feed(Side::Client, &[SSL, &startup(&[("user", "job")])].concat());
    assert!(matches!(session.error, Some(Error::Misbehaved { side: Side::Client, .. })));

    let mut session = admitted(Config::default(), ServerTls::Required);
    session.feed(Side::Server, &[b"S", greeting().as_slice()].concat());
    assert!(matches!(session.error, Some(Error::Misbehaved { side: Side::Server, .. })));
    assert_eq!(tags(&session.take(Side::Client)), "E");
}

#[test]
fn packets_out_of_order_are_refused() {
    for (packets, error) in [
        (vec![GSS, GSS], true),
        (vec![b"GET / HTTP/1.1\r\n\r\n".as_slice()], true),
        (vec![b"\0\0\0\x04\0\0\0\0"], true),
        (vec![&[0; 8]], true),
        (vec![&startup(&[("user", "job"), ("replication", "true")])], true),
        (vec![&startup(&[("user", "job"), ("client_encoding", "LATIN1")])], true),
        (vec![&startup(&[("user", "job")]), &query("select 1")], true),
        (vec![&startup(&[("user", "job")]), &[b'p', 0, 1, 0, 0]], true),
        (vec![&startup(&[("user", "job")]), &message(b'p', b"no end")], true),
        (vec![&startup(&[("user", "job")]), &message(b'X', b"")], false),
    ] {
        let mut session = Driver::new(Session::new(Config::default()), Box::new(|_| Verdict::Done));
        for packet in &packets {
            session.feed(Side::Client, packet);
        }
        assert!(session.closed, "{packets:?}");
        assert_eq!(session.error.is_some(), error, "{packets:?}");
        let told = session.take(Side::Client);
        assert_eq!(told.iter().filter(|byte| **byte == b'E').count() > 0, error, "{packets:?}");
        assert!(session.asked.is_empty());
    }
    // Encryption by GSSAPI asked for inside TLS.
    let mut session = Driver::new(Session::new(tls(true, false)), Box::new(|_| Verdict::Done));
    session.feed(Side::Client, SSL);
    session.feed(Side::Client, GSS);
    assert!(session.error.is_some() && session.asked.is_empty());
    // TLS inside TLS.
    let mut session = Driver::new(Session::new(tls(true, false)), Box::new(|_| Verdict::Done));
    session.feed(Side::Client, SSL);
    session.feed(Side::Client, SSL);
    assert!(session.error.is_some());
}

#[test]
fn a_refused_login_says_why() {
    let refuse = |_: &Asked| Verdict::Refuse(RefusalKind::Unauthenticated, "the token has expired");
    let mut session = Driver::new(Session::new(Config::default()), Box::new(refuse));
    session.feed(Side::Client, &[startup(&[("user", "job")]), password("token")].concat());
    let told = session.take(Side::Client);
    assert_eq!(told, [ASKS_PASSWORD, &report(b'E', "FATAL", "28P01", "the token has expired")].concat());
    assert!(session.closed && session.error.is_none());
}

#[test]
fn the_target_s_words_about_a_login_stay_here() {
    for answers in [
        vec![report(b'E', "FATAL", "28P01", "password authentication failed for user \"settlement_rw\"")],
        vec![
            message(b'R', &[0; 4]),
            report(b'E', "FATAL", "3D000", "database \"settlement_rw\" does not exist"),
        ],
    ] {
        let mut session = admitted(Config::default(), ServerTls::Off);
        for answer in answers {
            session.feed(Side::Server, &answer);
        }
        assert!(matches!(session.error, Some(Error::Refused { side: Side::Server, .. })));
        let told = session.take(Side::Client);
        assert!(told.windows(6).any(|bytes| bytes == b"C08004"));
        assert!(!told.windows(13).any(|bytes| bytes == b"settlement_rw"));
        assert!(!format!("{:?} {}", session.error, session.error.unwrap()).contains("settlement_rw"));
    }
}

#[test]
fn a_target_may_not_ask_for_the_password_in_the_clear_nor_skip_its_proof() {
    let scram = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
    for answers in [
        vec![message(b'R', &[0, 0, 0, 3])],
        vec![message(b'R', &[0, 0, 0, 7])],
        vec![message(b'R', b"\0\0\0\x0aOTHER\0\0")],
        vec![scram.clone(), message(b'R', &[0; 4])],
        vec![scram.clone(), message(b'R', &[0, 0, 0, 12])],
        vec![scram.clone(), message(b'R', b"\0\0\0\x0br=x,s=AAAA,i=4096")],
        vec![message(b'R', b"\0\0\0\x05salt"), message(b'R', b"\0\0\0\x05salt")],
        vec![message(b'R', b"\0\0\0\x05sal")],
        vec![ready(b'I')],
        vec![message(b'R', &[0; 4]), ready(b'I')],
        vec![message(b'R', &[0; 4]), setting("client_encoding", "LATIN1")],
        vec![message(b'R', &[0; 4]), message(b'K', &[0; 7])],
        vec![message(b'R', &[0; 4]), message(b'v', &[0; 8])],
        vec![vec![b'R', 0, 1, 0, 0]],
        vec![report(b'N', "NOTICE", "00000", "no").repeat(1001)],
    ] {
        let mut session = admitted(Config::default(), ServerTls::Off);
        for answer in &answers {
            session.feed(Side::Server, answer);
        }
        assert!(session.error.is_some(), "{answers:?}");
        assert!(session.events.is_empty());
        assert!(!session.take(Side::Server).windows(6).any(|bytes| bytes == b"geheim"));
    }
}

#[test]
fn a_target_without_tls_is_refused() {
    let mut session = admitted(Config::default(), ServerTls::Required);
    session.feed(Side::Server, b"N");
    assert_eq!(session.error, Some(Error::Unsupported { side: Side::Server, what: "no TLS" }));
    let mut session = admitted(Config::default(), ServerTls::Required);
    session.feed(Side::Server, b"E");
    assert!(session.error.is_some());
}

#[test]
fn settings_that_a_job_may_make_reach_the_target() {
    let mut session = admitted(Config::default(), ServerTls::Off);
    let packet = session.take(Side::Server);
    assert!(packet.windows(13).any(|bytes| bytes == b"timezone\0UTC\0"));
    assert!(!packet.windows(4).any(|bytes| bytes == b"psql"));
}

#[test]
fn a_silent_peer_is_not_waited_for() {
    let mut session = Driver::new(Session::new(Config::default()), Box::new(|_| Verdict::Allow));
    session.feed(Side::Client, &[0]);
    session.expire(Now(29_999));
    assert!(!session.closed);
    session.expire(Now(30_000));
    assert!(session.closed);
    assert_eq!(tags(&session.take(Side::Client)), "E");

    let mut session = admitted(Config::default(), ServerTls::Off);
    session.expire(Now(30_000));
    assert!(session.closed);
    let told = session.take(Side::Client);
    assert!(told.windows(6).any(|bytes| bytes == b"C08006"));

    let mut session = open(allow);
    session.expire(Now(u64::MAX));
    assert!(!session.closed, "an open session has no deadline of the engine's");
}

#[test]
fn whoever_hangs_up_during_the_login_ends_it() {
    for side in [Side::Client, Side::Server] {
        let mut session = admitted(Config::default(), ServerTls::Off);
        session.ended(side);
        assert!(session.closed);
        let told = session.take(Side::Client);
        assert_eq!(tags(&told), if side == Side::Server { "E" } else { "" });
    }
}

#[test]
fn a_cancel_request_is_asked_about_and_answered_by_nothing() {
    let mut session = driver(tls(true, true), allow);
    session.feed(Side::Client, b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x4d\x01\x02\x03\x04");
    assert_eq!(session.asked, [Asked::Cancel(77, 0x0102_0304)]);
    assert!(session.closed && session.error.is_none());
    assert_eq!(session.take(Side::Client), b"");
}

#[test]
fn an_errand_cancels_at_the_target() {
    let request = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x09\x01\x01\x01\x01";
    let key = || open(allow).engine.server_cancel().expect("a key");
    let mut errand = Driver::new(CancelErrand::new(key(), ServerTls::Off), Box::new(|_| Verdict::Done));
    errand.connected();
    assert_eq!(errand.take(Side::Server), request);
    errand.ended(Side::Server);
    assert!(errand.closed);

    let mut errand = Driver::new(CancelErrand::new(key(), ServerTls::Required), Box::new(|_| Verdict::Done));
    errand.connected();
    assert_eq!(errand.take(Side::Server), SSL);
    errand.feed(Side::Server, b"S");
    assert_eq!(errand.take(Side::Server), request);
    errand.expire(Now(10_000));
    assert!(errand.closed);

    for answer in [b"N".as_slice(), b"SS", b"x"] {
        let mut errand =
            Driver::new(CancelErrand::new(key(), ServerTls::Required), Box::new(|_| Verdict::Done));
        errand.connected();
        errand.take(Side::Server);
        errand.feed(Side::Server, answer);
        assert!(errand.error.is_some());
        assert_eq!(errand.take(Side::Server), b"");
    }
}
