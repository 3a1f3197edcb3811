//! The start of a connection, message by message, with both sides played here.

use super::*;

fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    let parameters =
        parameters.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
    Startup { version: 0x0003_0000, parameters: parameters.collect() }.to_message()
}

fn database_for(parameters: &[(&str, &str)]) -> String {
    let message = startup(parameters);
    let mut startup = Startup::parse(0x0003_0000, &message[8..]).unwrap();
    startup.lead_to("payments");
    String::from_utf8(startup.value(b"database").unwrap().to_vec()).unwrap()
}

fn token() -> Token {
    super::super::super::token::Source::Command("echo tok.en".to_owned()).read().unwrap()
}

/// What `authenticate` returns, tells the client and tells the gateway, where the gateway says `script`.
async fn login(script: &[u8]) -> (Result<bool, Trouble>, Vec<u8>, Vec<u8>) {
    let (mut client, mut client_far) = tokio::io::duplex(1 << 17);
    let (mut gateway, mut gateway_far) = tokio::io::duplex(1 << 17);
    gateway_far.write_all(script).await.unwrap();
    let answer = {
        let (far_read, mut far_write) = tokio::io::split(&mut gateway_far);
        far_write.shutdown().await.unwrap();
        drop((far_read, far_write));
        authenticate(&mut client, &mut gateway, &token()).await
    };
    drop((client, gateway));
    let (mut told_client, mut told_gateway) = (Vec::new(), Vec::new());
    client_far.read_to_end(&mut told_client).await.unwrap();
    gateway_far.read_to_end(&mut told_gateway).await.unwrap();
    (answer, told_client, told_gateway)
}

const ASK: &[u8] = b"R\0\0\0\x08\0\0\0\x03";
const OK: &[u8] = b"R\0\0\0\x08\0\0\0\0";

#[test]
fn the_database_leads_to_the_target() {
    assert_eq!(database_for(&[("user", "job")]), "payments");
    assert_eq!(database_for(&[("user", "job"), ("database", "job")]), "payments");
    assert_eq!(database_for(&[("user", "job"), ("database", "payments")]), "payments");
    assert_eq!(database_for(&[("user", "job"), ("database", "payments/x")]), "payments/x");
    assert_eq!(database_for(&[("user", "job"), ("database", "reports")]), "payments/reports");
}

#[tokio::test]
async fn encryption_is_declined_and_the_start_read() {
    let (mut near, mut far) = tokio::io::duplex(1 << 16);
    far.write_all(&to_untyped(GSS_ENCRYPTION_REQUEST, b"")).await.unwrap();
    far.write_all(&SSL_REQUEST_MESSAGE).await.unwrap();
    far.write_all(&startup(&[("user", "job")])).await.unwrap();
    let opening = read_opening(&mut near).await.unwrap().unwrap();
    assert!(matches!(opening, Opening::Start(startup) if startup.value(b"user") == Some(b"job")));
    let mut answers = [0; 2];
    far.read_exact(&mut answers).await.unwrap();
    assert_eq!(&answers, b"NN");
}

#[tokio::test]
async fn first_messages_that_do_not_fit_are_refused() {
    let endless = SSL_REQUEST_MESSAGE.repeat(3);
    let unterminated = to_untyped(0x0003_0000, b"user\0job");
    let surplus = to_untyped(0x0003_0000, b"user\0job\0\0x");
    let cases = [
        &b"\0\0\0\x07\0\x03\0\0"[..],
        b"GET / HTTP/1.1\r\n",
        &to_untyped(2 << 16, b""),
        &endless,
        &unterminated,
        &surplus,
    ];
    for case in cases {
        let (mut near, mut far) = tokio::io::duplex(1 << 16);
        far.write_all(case).await.unwrap();
        assert_eq!(read_opening(&mut near).await.err().unwrap().sqlstate, "08P01");
    }
}

#[tokio::test]
async fn a_client_that_only_looks_is_let_go() {
    let (mut near, far) = tokio::io::duplex(64);
    drop(far);
    assert!(read_opening(&mut near).await.unwrap().is_none());
}

#[tokio::test]
async fn the_token_goes_to_the_gateway_and_its_ok_to_the_client() {
    let (answer, client, gateway) = login(&[ASK, OK].concat()).await;
    assert!(answer.unwrap());
    assert_eq!(client, OK);
    assert_eq!(gateway, b"p\0\0\0\x0btok.en\0");
}

#[tokio::test]
async fn a_refusal_is_passed_on() {
    let refusal = error_message(&Trouble { sqlstate: "28000", text: "expired".to_owned() });
    let (answer, client, _) = login(&[ASK, &refusal].concat()).await;
    assert!(!answer.unwrap());
    assert_eq!(client, refusal);
}

#[tokio::test]
async fn the_token_is_sent_once_and_only_when_asked_for() {
    let (answer, _, gateway) = login(&[ASK, ASK].concat()).await;
    assert_eq!(answer.unwrap_err().sqlstate, "08P01");
    assert_eq!(gateway, b"p\0\0\0\x0btok.en\0");
    let md5 = b"R\0\0\0\x0c\0\0\0\x05salt";
    for script in [&md5[..], b"Z\0\0\0\x05I", b"R\0\0\0\x02", b"R\0\x10\0\0", b"E\xff\xff\xff\xff", b""] {
        let (answer, client, gateway) = login(script).await;
        assert!(answer.is_err());
        assert_eq!((client, gateway), (vec![], vec![]));
    }
}

#[tokio::test]
async fn a_login_that_does_not_end_is_ended() {
    let (answer, ..) = login(&b"N\0\0\0\x05\0".repeat(LOGIN_MESSAGES_MAX + 1)).await;
    assert_eq!(answer.unwrap_err().sqlstate, "08P01");
}
