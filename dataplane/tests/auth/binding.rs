//! SCRAM with the target's certificate bound in (SCRAM-SHA-256-PLUS), shown by what a man in the middle, whose own
//! certificate the gateway trusts, can and cannot do between gateway and a real PostgreSQL.

use crate::gateway::{Gateway, text};
use crate::target::{Change, Middle, add_other, ask_other, certificate, usual};

fn leaves(bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

/// Takes SCRAM-SHA-256-PLUS out of what the target offers.
fn strips(bytes: Vec<u8>) -> Vec<u8> {
    let offer = b"R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
    // It may come behind the target's word on its protocol.
    let Some(at) = memchr::memmem::find(&bytes, offer) else { return bytes };
    let (before, after) = (&bytes[..at], &bytes[at + offer.len()..]);
    [before, b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", after].concat()
}

#[test]
fn who_ends_tls_with_another_certificate_cannot_carry_the_login_on() {
    let gateway = Gateway::start();
    let pki = gateway.dir().join("pki");
    let own = (pki.join("server.pem"), pki.join("server.key"));
    let other = certificate(&gateway, "middle", "/CN=middle");
    let cases: [(_, Change, _); 3] = [
        // With the target's own certificate and key it is no other than the target.
        (&own, leaves, "in\n"),
        (&other, leaves, "FATAL"),
        // The target sees that its offer did not arrive.
        (&own, strips, "FATAL"),
    ];
    for (pair, change, expected) in cases {
        let port = Middle::start(&gateway, (&pair.0, &pair.1), false, change);
        add_other(&gateway, &format!("localhost:{port}"), &usual(&gateway));
        let said = crate::gateway::wait_for("the new address", || {
            let said = ask_other(&gateway, "select 'in'");
            said.contains(expected).then_some(said)
        });
        assert!(!said.contains("settlement_rw"), "{said}");
    }
    let log = std::fs::read_to_string(gateway.dir().join("postgres/log")).unwrap();
    for part in
        ["channel binding", "The client supports SCRAM channel binding but thinks the server does not"]
    {
        assert!(log.contains(part), "the target's own word of it: {part}");
    }
    assert_eq!(gateway.job(&["select 'well'"]), "well\n");
}

/// A password that is a token, checked by its issuer's signature, is no secret that the gateway shares: there is no
/// SCRAM on the jobs' leg, and a client that insists on channel binding keeps its token to itself.
#[test]
fn a_client_that_insists_on_channel_binding_says_so_and_sends_no_token() {
    let gateway = Gateway::start();
    let conninfo = format!("{} channel_binding=require", gateway.conninfo());
    let said = text(&gateway.psql_as(&gateway.job_token(), &conninfo, &["select 1"]).output().unwrap());
    assert!(said.contains("channel binding required"), "{said}");
    assert_eq!(gateway.job(&["select 'well'"]), "well\n");
    gateway.kill("dataplane", "-TERM");
    let export = gateway.export();
    assert_eq!(export.matches("session-opened").count(), 2, "the demo's own look and ours: {export}");
}
