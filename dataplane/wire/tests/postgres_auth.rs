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
use wire::{Error, ServerTls, Side};

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
    assert_eq!(packet[4..8], [0, 3, 0, 0], "a StartupMessage is the first that is said");
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
