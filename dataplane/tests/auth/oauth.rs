//! SASL OAUTHBEARER of the jobs, by a client scripted after RFC 7628 and what libpq 18 sends (fe-auth-oauth.c): no libpq
//! with OAuth is to be had on the machines that this runs on.

use std::io::Write as _;

use crate::gateway::{Gateway, text};
use crate::raw::{Raw, asked_for, config, message, read_message, rest, startup, until_ready};

/// The demo's gateway, with `bearer` the one user who logs in so.
fn with_oauth() -> Gateway {
    let tls = "tls: {mode: verify-full, ca: @CA@}";
    Gateway::with_changes(&[(tls, &format!("{tls}\noauth: {{issuer: development, users: [bearer]}}"))])
}

/// A connection on which the gateway has offered OAUTHBEARER.
fn offered(gateway: &Gateway) -> Raw {
    let mut raw = asked_for(gateway, config(gateway, &[]));
    raw.write_all(&startup(0, "bearer", "payments")).unwrap();
    assert_eq!(read_message(&mut raw), (b'R', b"\0\0\0\x0aOAUTHBEARER\0\0".to_vec()));
    raw
}

/// libpq's SASLInitialResponse.
fn initial(response: &str) -> Vec<u8> {
    let length = u32::try_from(response.len()).unwrap().to_be_bytes();
    message(b'p', &[b"OAUTHBEARER\0", length.as_slice(), response.as_bytes()].concat())
}

/// The status that the gateway answers with.
fn status(raw: &mut Raw) -> serde_json::Value {
    let (tag, body) = read_message(raw);
    assert_eq!((tag, &body[..4]), (b'R', &[0, 0, 0, 11][..]));
    serde_json::from_slice(&body[4..]).unwrap()
}

#[test]
fn a_token_by_oauthbearer_is_checked_as_one_that_is_a_password() {
    let gateway = with_oauth();
    let mut raw = offered(&gateway);
    raw.write_all(&initial(&format!("n,,\x01auth=Bearer {}\x01\x01", gateway.job_token()))).unwrap();
    until_ready(&mut raw).unwrap();
    raw.write_all(&message(b'Q', b"select pan from cards where id = 1\0")).unwrap();
    let row = until_ready(&mut raw).unwrap().into_iter().find(|(tag, _)| *tag == b'D').unwrap();
    assert!(row.1.ends_with(b"************1111"));
    drop(raw);

    // libpq without a discovery document asks for it, and comes again.
    let mut raw = offered(&gateway);
    raw.write_all(&initial("n,,\x01auth=\x01\x01")).unwrap();
    let told = status(&mut raw);
    let issuer = format!("{}/dev", gateway.get("PANGATE_MGMT_URL"));
    assert_eq!(told["openid-configuration"], format!("{issuer}/.well-known/openid-configuration"));
    assert_eq!((&told["status"], &told["scope"]), (&"invalid_token".into(), &"openid".into()));
    raw.write_all(&message(b'p', b"\x01")).unwrap();
    let end = String::from_utf8_lossy(&rest(&mut raw)).into_owned();
    assert!(end.starts_with('E') && end.contains("C28000"), "{end}");

    // A bad token: the status, then why, and nothing of it.
    let mut tampered = gateway.job_token();
    let last = tampered.pop().unwrap();
    tampered.push(if last == 'A' { 'B' } else { 'A' });
    let mut raw = offered(&gateway);
    raw.write_all(&initial(&format!("n,,\x01auth=Bearer {tampered}\x01\x01"))).unwrap();
    let told = status(&mut raw);
    assert_eq!(told["status"], "invalid_token");
    raw.write_all(&message(b'p', b"\x01")).unwrap();
    let end = String::from_utf8_lossy(&rest(&mut raw)).into_owned();
    assert!(end.contains("C28P01") && end.contains("signature"), "{end}");
    for part in tampered.split('.') {
        assert!(!end.contains(part) && !told.to_string().contains(part), "{end}");
    }
    // A good one of somebody whom no policy lets in: no matter of tokens.
    let stranger = gateway.token(&["--subject", "x", "--group", "strangers"]);
    let mut raw = offered(&gateway);
    raw.write_all(&initial(&format!("n,,\x01auth=Bearer {stranger}\x01\x01"))).unwrap();
    let end = until_ready(&mut raw).unwrap_err();
    assert!(end.contains("C42501") && end.contains("no policy"), "{end}");

    // Other users go on as before; a psql of 15 that is asked for OAUTHBEARER says that it cannot.
    assert_eq!(gateway.job(&["select 'well'"]), "well\n");
    let conninfo = gateway.conninfo().replace("user=ci-job", "user=bearer");
    let said = text(&gateway.psql_as(&gateway.job_token(), &conninfo, &["select 1"]).output().unwrap());
    assert!(said.contains("none of the server's SASL authentication mechanisms are supported"), "{said}");

    // Both refusals are in the evidence; asking for the document is no login.
    gateway.kill("dataplane", "-TERM");
    let export = gateway.export();
    assert_eq!(export.matches("login-refused").count(), 2, "{export}");
    assert!(!export.contains(&tampered[tampered.len() - 40..]), "the token is in the evidence");
}
