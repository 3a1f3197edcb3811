//! How each leg proves who it is: TLS from the first byte, SCRAM with the target's certificate bound in.
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
use wire::{Error, RefusalKind, ServerTls, Side};

const SSL: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";
const GSS: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x30";
/// The start of a ClientHello's record.
const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc";
const ASKS_PASSWORD: &[u8] = b"R\0\0\0\x08\0\0\0\x03";

fn tls(offered: bool, required: bool) -> Config {
    Config { tls_offered: offered, tls_required: required, ..Config::default() }
}

fn begun(config: Config, alpn: &'static [u8]) -> Driver<Session> {
    let mut session =
        Driver::new(Session::new(config), Box::new(|_| Verdict::Admit(account(ServerTls::Off))));
    session.alpn = alpn;
    session
}

/// A session let in, whose target is to be reached so; `end_point`: its certificate for channel binding.
fn admitted(server: ServerTls, alpn: &'static [u8], end_point: &'static [u8]) -> Driver<Session> {
    let judge = move |_: &Asked| Verdict::Admit(account(server));
    let mut session = Driver::new(Session::new(Config::default()), Box::new(judge));
    (session.alpn, session.end_point) = (alpn, end_point);
    session.feed(Side::Client, &startup(&[("user", "job")]));
    session.feed(Side::Client, &password("token"));
    session.take(Side::Client);
    session.connected();
    session
}

#[test]
fn a_client_may_begin_with_tls_that_names_the_protocol() {
    let mut session = begun(tls(true, true), b"postgresql");
    session.feed(Side::Client, HELLO);
    assert_eq!(session.error, None);
    session.feed(Side::Client, &startup(&[("user", "job")]));
    assert_eq!(session.take(Side::Client), ASKS_PASSWORD, "nothing of the protocol came before");
    session.feed(Side::Client, &password("token"));
    assert!(matches!(session.asked.as_slice(), [Asked::Login { secured: true, .. }]));
    // Inside TLS there is no other TLS.
    for packet in [SSL, HELLO] {
        let mut session = begun(tls(true, true), b"postgresql");
        session.feed(Side::Client, HELLO);
        session.feed(Side::Client, packet);
        assert!(session.error.is_some());
    }
}

#[test]
fn direct_tls_without_the_protocol_s_name_or_out_of_place_is_refused() {
    for name in [&b""[..], b"http/1.1"] {
        let mut session = begun(tls(true, true), name);
        session.feed(Side::Client, HELLO);
        assert!(matches!(session.error, Some(Error::Misbehaved { side: Side::Client, .. })), "{name:?}");
        assert_eq!(tags(&session.take(Side::Client)), "E");
        assert!(session.asked.is_empty());
    }
    // After another packet, and where the listener has no certificate.
    let mut session = begun(tls(true, true), b"postgresql");
    session.feed(Side::Client, GSS);
    session.feed(Side::Client, HELLO);
    assert!(session.error.is_some());
    let mut session = begun(tls(false, false), b"postgresql");
    session.feed(Side::Client, HELLO);
    assert!(session.error.is_some());
    // Behind an SSLRequest no name is needed: clients before 17 give none.
    let mut session = begun(tls(true, true), b"");
    session.feed(Side::Client, SSL);
    session.feed(Side::Client, &startup(&[("user", "job")]));
    assert_eq!(session.error, None);
}

#[test]
fn a_target_may_be_spoken_to_in_tls_from_the_first_byte() {
    let mut session = admitted(ServerTls::Direct, b"postgresql", b"");
    let packet = session.take(Side::Server);
    assert_eq!(packet[4..8], [0, 3, 0, 2], "a StartupMessage is the first that is said");
    session.feed(Side::Server, &greeting());
    assert_eq!(session.error, None);

    let mut session = admitted(ServerTls::Direct, b"", b"");
    assert!(matches!(session.error, Some(Error::Misbehaved { side: Side::Server, .. })));
    assert_eq!(session.take(Side::Server), b"", "no name, no login");
    assert_eq!(tags(&session.take(Side::Client)), "E");

    let key = || open(allow).engine.server_cancel().expect("a key");
    for (alpn, sent) in [(&b"postgresql"[..], 16), (b"", 0)] {
        let mut errand =
            Driver::new(CancelErrand::new(key(), ServerTls::Direct), Box::new(|_| Verdict::Done));
        errand.alpn = alpn;
        errand.connected();
        assert_eq!(errand.take(Side::Server).len(), sent);
        assert_eq!(errand.error.is_some(), sent == 0);
    }
}

/// What the gateway answers to an offer of mechanisms, over TLS or not.
fn chosen(tls: ServerTls, end_point: &'static [u8], offer: &[u8]) -> Result<String, Error> {
    let mut session = admitted(tls, b"", end_point);
    if tls == ServerTls::Required {
        session.feed(Side::Server, b"S");
    }
    session.take(Side::Server);
    session.feed(Side::Server, &message(b'R', &[b"\0\0\0\x0a", offer, b"\0"].concat()));
    match session.error {
        Some(error) => Err(error),
        None => Ok(String::from_utf8(session.take(Side::Server)[5..].to_vec()).expect("text")),
    }
}

#[test]
fn the_certificate_is_bound_in_wherever_the_target_offers_it() {
    const BOTH: &[u8] = b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0";
    const PLAIN: &[u8] = b"SCRAM-SHA-256\0";
    for (tls, end_point, offer, mechanism, header) in [
        (ServerTls::Required, &[7; 32][..], BOTH, "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r="),
        (
            ServerTls::Required,
            &[7; 32],
            b"SCRAM-SHA-256\0SCRAM-SHA-256-PLUS\0",
            "SCRAM-SHA-256-PLUS",
            "p=tls-server-end-point,,n=,r=",
        ),
        // Could, but is not offered it: the server that did would refuse.
        (ServerTls::Required, &[7; 32], PLAIN, "SCRAM-SHA-256", "y,,n=,r="),
        // Cannot: a certificate without a hash, or no TLS.
        (ServerTls::Required, b"", BOTH, "SCRAM-SHA-256", "n,,n=,r="),
        (ServerTls::Off, b"", PLAIN, "SCRAM-SHA-256", "n,,n=,r="),
    ] {
        let said = chosen(tls, end_point, offer).expect("a choice");
        let (chosen, rest) = said.split_once('\0').expect("a mechanism");
        assert_eq!((chosen, &rest[4..4 + header.len()]), (mechanism, header));
    }
    assert!(
        matches!(chosen(ServerTls::Off, b"", BOTH), Err(Error::Misbehaved { .. })),
        "binding without TLS"
    );
    let bound_alone = b"SCRAM-SHA-256-PLUS\0";
    assert!(chosen(ServerTls::Required, b"", bound_alone).is_err(), "nothing to bind");
    assert!(chosen(ServerTls::Required, &[7; 32], bound_alone).is_ok());
}

/// A client that is to log in by OAUTHBEARER, asked for its first response; a token `good` is good.
fn bearer_asked() -> Driver<Session> {
    let judge = |asked: &Asked| match asked {
        Asked::Method { user, .. } if user == "bearer" => Verdict::Bearer,
        Asked::Method { .. } => Verdict::Password,
        Asked::Login { token, secured: true, .. } if token == b"good" => {
            Verdict::Admit(account(ServerTls::Off))
        }
        Asked::Login { token, .. } if token == b"limited" => {
            Verdict::Refuse(RefusalKind::Limit, "too many sessions")
        }
        _ => Verdict::Refuse(RefusalKind::Unauthenticated, "the token has expired"),
    };
    let config = Config { oauth_offered: true, ..tls(true, true) };
    let mut session = Driver::new(Session::new(config), Box::new(judge));
    session.feed(Side::Client, SSL);
    session.feed(Side::Client, &startup(&[("user", "bearer"), ("database", "payments")]));
    assert_eq!(session.asked, [Asked::Method { user: "bearer".into(), database: "payments".into() }]);
    assert_eq!(
        session.take(Side::Client),
        [b"S", message(b'R', b"\0\0\0\x0aOAUTHBEARER\0\0").as_slice()].concat()
    );
    session
}

fn initial(response: &[u8]) -> Vec<u8> {
    let length = u32::try_from(response.len()).expect("short").to_be_bytes();
    message(b'p', &[b"OAUTHBEARER\0", length.as_slice(), response].concat())
}

const STATUS: &[u8] = br#"{ "status": "invalid_token", "openid-configuration": "https://i/.well-known/openid-configuration", "scope": "openid" }"#;

fn status() -> Vec<u8> {
    message(b'R', &[b"\0\0\0\x0b", STATUS].concat())
}

#[test]
fn a_token_comes_by_oauthbearer_where_that_is_asked_for() {
    // At once, and behind an empty challenge.
    let response = b"n,,\x01auth=Bearer good\x01\x01";
    let later = message(b'p', b"OAUTHBEARER\0\xff\xff\xff\xff");
    for messages in [vec![initial(response)], vec![later, message(b'p', response)]] {
        let mut session = bearer_asked();
        for one in &messages {
            session.feed(Side::Client, one);
        }
        assert_eq!((session.error, session.connecting), (None, true));
        let challenges = message(b'R', b"\0\0\0\x0b").repeat(messages.len() - 1);
        assert_eq!(session.take(Side::Client), challenges);
        session.connected();
        session.feed(Side::Server, &greeting());
        assert_eq!(tags(&session.take(Side::Client)), "RSSKZ", "no word of SASL's own, then the session");
    }
    // Others on the same listener send it as the password.
    let config = Config { oauth_offered: true, ..tls(true, true) };
    let mut session = Driver::new(
        Session::new(config),
        Box::new(|asked| match asked {
            Asked::Method { .. } => Verdict::Password,
            _ => Verdict::Admit(account(ServerTls::Off)),
        }),
    );
    session.feed(Side::Client, SSL);
    session.feed(Side::Client, &startup(&[("user", "job")]));
    assert_eq!(session.take(Side::Client), [b"S", ASKS_PASSWORD].concat());
    session.feed(Side::Client, &password("good"));
    assert!(session.connecting);
}

#[test]
fn a_bad_token_is_answered_by_the_status_and_then_by_why() {
    let mut session = bearer_asked();
    session.feed(Side::Client, &initial(b"n,,\x01auth=Bearer stale\x01\x01"));
    assert_eq!((session.take(Side::Client), session.closed), (status(), false));
    session.feed(Side::Client, &message(b'p', b"\x01"));
    assert_eq!(session.take(Side::Client), report(b'E', "FATAL", "28P01", "the token has expired"));
    assert!(session.closed && session.error.is_none());
    // What is wrong with something else than the token is no matter of tokens.
    let mut session = bearer_asked();
    session.feed(Side::Client, &initial(b"n,,\x01auth=Bearer limited\x01\x01"));
    assert_eq!(session.take(Side::Client), report(b'E', "FATAL", "53400", "too many sessions"));
    assert!(session.closed);
}

#[test]
fn a_client_may_ask_where_there_are_tokens() {
    let mut session = bearer_asked();
    session.feed(Side::Client, &initial(b"n,,\x01auth=\x01\x01"));
    assert_eq!(session.take(Side::Client), status());
    session.feed(Side::Client, &message(b'p', b"\x01"));
    let told = session.take(Side::Client);
    assert!(tags(&told) == "E" && told.windows(6).any(|bytes| bytes == b"C28000"));
    assert!(session.closed && session.error.is_none());
    assert_eq!(session.asked.len(), 1, "nothing was asked of a token");
}

#[test]
fn oauthbearer_out_of_order_is_refused_and_nothing_of_it_is_told() {
    let good = b"n,,\x01auth=Bearer good\x01\x01";
    let long = [b"n,,\x01auth=Bearer ".to_vec(), vec![b'x'; 18_000], b"\x01\x01".to_vec()].concat();
    let failed = initial(b"n,,\x01auth=Bearer stale\x01\x01");
    for messages in [
        vec![password("good")],
        vec![initial(b"n,,\x01auth=Basic good\x01\x01")],
        vec![initial(b"n,a=good,\x01auth=Bearer good\x01\x01")],
        vec![initial(b"p=tls-exporter,,\x01auth=Bearer good\x01\x01")],
        vec![initial(&long)],
        vec![message(b'p', b"SCRAM-SHA-256\0\0\0\0\x04good")],
        vec![message(b'p', b"OAUTHBEARER\0\xff\xff\xff\xff"), initial(good)],
        vec![failed.clone(), initial(good)],
        vec![failed.clone(), message(b'p', b"")],
        vec![failed, query("select 'good'")],
    ] {
        let mut session = bearer_asked();
        for one in &messages {
            session.feed(Side::Client, one);
        }
        assert!(session.error.is_some() && !session.connecting, "{messages:?}");
        let told = session.take(Side::Client);
        assert!(tags(&told).ends_with('E'));
        assert!(!told.windows(4).any(|bytes| bytes == b"good"), "{}", told.escape_ascii());
    }
    // Never in the clear, whatever the driver says.
    let config = Config { oauth_offered: true, ..tls(true, false) };
    let mut session = Driver::new(Session::new(config), Box::new(|_| Verdict::Bearer));
    session.feed(Side::Client, &startup(&[("user", "bearer")]));
    assert!(session.error.is_some());
}

/// The messages of a target that opens a session, with this cancel key.
fn greeting_with_key(key: &[u8]) -> Vec<u8> {
    [
        message(b'R', &[0; 4]),
        setting("client_encoding", "UTF8"),
        setting("standard_conforming_strings", "on"),
        message(b'K', key),
        ready(b'I'),
    ]
    .concat()
}

#[test]
fn a_target_of_an_older_protocol_says_so_and_a_newer_one_gives_long_keys() {
    let older = message(b'v', &[0, 3, 0, 0, 0, 0, 0, 0]);
    let long = [&[0, 0, 0, 9][..], &[7; 256]].concat();
    for (negotiates, key, good) in [
        (false, &long[..8], true),
        (false, &long[..36], true),
        (false, &long, true),
        (false, &long[..7], false),
        (false, &[long.as_slice(), b"x"].concat(), false),
        (true, &long[..8], true),
        (true, &long[..9], false),
    ] {
        let mut session = admitted(ServerTls::Off, b"", b"");
        session.feed(Side::Server, if negotiates { &older } else { b"" });
        session.feed(Side::Server, &greeting_with_key(key));
        assert_eq!(session.error.is_none(), good, "{}", key.len());
        if good {
            let cancel = session.engine.server_cancel().expect("a key");
            assert_eq!(cancel.secret.expose(), &key[4..]);
            // The client is told a key of the gateway's own, never the target's.
            assert!(!session.take(Side::Client).windows(4).any(|bytes| bytes == [7; 4]));
            let mut errand =
                Driver::new(CancelErrand::new(cancel, ServerTls::Off), Box::new(|_| Verdict::Done));
            errand.connected();
            assert!(errand.take(Side::Server).ends_with(key), "the whole key goes back");
        }
    }
}

#[test]
fn what_a_target_may_not_negotiate() {
    let older = message(b'v', &[0, 3, 0, 0, 0, 0, 0, 0]);
    for answers in [
        vec![message(b'v', &[0, 3, 0, 2, 0, 0, 0, 0])],
        vec![message(b'v', &[0, 3, 0, 3, 0, 0, 0, 0])],
        vec![message(b'v', &[0, 2, 0, 0, 0, 0, 0, 0])],
        vec![message(b'v', b"\0\x03\0\0\0\0\0\x01_pq_.x\0")],
        vec![message(b'v', &[0, 3, 0, 0, 0, 0, 0, 1])],
        vec![message(b'v', &[0, 3, 0, 0])],
        vec![older.clone(), older.clone()],
        vec![message(b'R', &[0; 4]), older],
    ] {
        let mut session = admitted(ServerTls::Off, b"", b"");
        for answer in &answers {
            session.feed(Side::Server, answer);
        }
        assert!(session.error.is_some(), "{answers:?}");
    }
}
