//! The start of a connection, packet by packet, with both sides played here.

use super::*;

/// A client's answer: its capabilities, what stands for a password, the database.
fn answer(capabilities: u32, password: &[u8], database: &str) -> Vec<u8> {
    let mut payload = capabilities.to_le_bytes().to_vec();
    payload.extend_from_slice(&[0, 0, 0, 1, 45]);
    payload.extend_from_slice(&[0; 19]);
    payload.extend_from_slice(&[7, 0, 0, 0]);
    payload.extend_from_slice(b"job\0");
    payload.push(u8::try_from(password.len()).unwrap());
    payload.extend_from_slice(password);
    if capabilities & CONNECT_WITH_DB != 0 {
        payload.extend_from_slice(database.as_bytes());
        payload.push(0);
    }
    payload.extend_from_slice(b"caching_sha2_password\0attributes");
    payload
}

const CAPABILITIES: u32 = PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH | PLUGIN_AUTH_LENENC;

fn token() -> Token {
    super::super::super::token::Source::Command("echo tok.en".to_owned()).read().unwrap()
}

fn login(payload: &[u8]) -> Vec<u8> {
    Response::parse(payload).unwrap().to_login("shop", &token()).to_vec()
}

#[test]
fn the_token_is_the_password_and_the_database_leads_to_the_target() {
    for (database, wanted) in [
        (None, "shop"),
        (Some(""), "shop"),
        (Some("shop"), "shop"),
        (Some("shop/x"), "shop/x"),
        (Some("other"), "shop/other"),
    ] {
        let flags = CAPABILITIES | if database.is_some() { CONNECT_WITH_DB } else { 0 };
        let login = login(&answer(flags, b"", database.unwrap_or_default()));
        let flags = flags | SSL | CONNECT_WITH_DB;
        assert_eq!(login[..4], flags.to_le_bytes());
        assert_eq!(login[4..HEAD_BYTES], answer(0, b"", "")[4..HEAD_BYTES]);
        let rest = format!("job\0\u{fd}tok.en\0{wanted}\0mysql_clear_password\0attributes");
        let rest: Vec<u8> = rest.chars().map(|c| c as u8).collect();
        let rest = [&rest[..5], &[7, 0, 0], &rest[5..]].concat();
        assert_eq!(login[HEAD_BYTES..], rest, "{wanted}");
    }
}

#[test]
fn answers_that_do_not_fit_are_refused() {
    let good = answer(CAPABILITIES | CONNECT_WITH_DB, b"\x01\x02", "x");
    assert!(Response::parse(&good).unwrap().awaits_verdict());
    for end in 0..HEAD_BYTES + 7 {
        assert!(Response::parse(&good[..end]).is_err(), "{end}");
    }
    let text = |flags: u32| Response::parse(&answer(flags, b"", "")).err().unwrap().to_string();
    assert!(text(CAPABILITIES | SSL).contains("TLS"));
    assert!(text(SECURE_CONNECTION).contains("older than 4.1"));
    assert!(!Response::parse(&answer(CAPABILITIES, b"", "")).unwrap().awaits_verdict());
    assert!(!Response::parse(&answer(CAPABILITIES, b"\0", "")).unwrap().awaits_verdict());
}

#[test]
fn the_greeting_passes_without_tls() {
    let mut payload = b"\x0a8.4.0\0\x01\0\0\0abcdefgh\0\x00\x0a\x2d\x02\0rest".to_vec();
    let greeting = Greeting::parse(payload.clone()).unwrap();
    assert!(greeting.offers_tls());
    let passed = greeting.without_tls();
    payload[21] = 0x02;
    assert_eq!(passed, payload);
    assert!(!Greeting::parse(passed).unwrap().offers_tls());
    for bad in [&b"\x09x\0"[..], b"\x0a8.4.0\0\x01\0", b"\x0anothing", b""] {
        assert!(Greeting::parse(bad.to_vec()).is_none());
    }
}

/// What `settle` returns and tells the client, where the gateway says `script`.
async fn settled(script: &[u8], password: &[u8]) -> (Result<bool, Trouble>, Vec<u8>) {
    let (mut client, mut client_far) = tokio::io::duplex(1 << 17);
    let (mut gateway, mut gateway_far) = tokio::io::duplex(1 << 17);
    gateway_far.write_all(script).await.unwrap();
    drop(gateway_far);
    let response = Response::parse(&answer(CAPABILITIES, password, "")).unwrap();
    let answer = settle(&mut client, &mut gateway, &response).await;
    drop(client);
    let mut told = Vec::new();
    client_far.read_to_end(&mut told).await.unwrap();
    (answer, told)
}

#[tokio::test]
async fn the_logins_end_is_told_in_the_clients_own_numbers() {
    let ok = b"\0\0\0\x02\0\0\0";
    let (answer, told) = settled(&packet(3, ok), b"").await;
    assert!(answer.unwrap());
    assert_eq!(told, packet(2, ok));
    let (answer, told) = settled(&packet(3, ok), b"\x01\x02").await;
    assert!(answer.unwrap());
    assert_eq!(told, [packet(2, &FAST_AUTHENTICATION), packet(3, ok)].concat());
    let refused = b"\xff\x15\x04#28000no";
    let (answer, told) = settled(&packet(3, refused), b"\x01").await;
    assert!(!answer.unwrap());
    assert_eq!(told, packet(2, refused));
    for other in [packet(3, b"\xfemysql_native_password\0"), packet(3, b"\x01\x04"), Vec::new()] {
        let (answer, told) = settled(&other, b"").await;
        assert!(answer.is_err() && told.is_empty());
    }
    let long = (LOGIN_PACKET_BYTES_MAX as u32 + 1).to_le_bytes();
    assert!(settled(&long, b"").await.0.is_err());
}

#[test]
fn troubles_are_errors_of_the_protocol() {
    let trouble = Trouble { sqlstate: "28000", text: "expired".to_owned() };
    assert_eq!(error_packet(&trouble, true), packet(2, b"\xff\x13\x04#28000pangate connect: expired"));
    assert_eq!(error_packet(&trouble, false), packet(0, b"\xff\x13\x04pangate connect: expired"));
}
