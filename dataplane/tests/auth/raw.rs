//! A client of the test's own: TLS as it likes, the protocol's messages by hand.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::gateway::Gateway;

pub(crate) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

pub(crate) type Raw = StreamOwned<ClientConnection, TcpStream>;

pub(crate) fn tcp(gateway: &Gateway) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gateway.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// What the gateway's authority signs is trusted, `protocols` are offered by ALPN.
pub(crate) fn config(gateway: &Gateway, protocols: &[&str]) -> Arc<ClientConfig> {
    let trusted = crate::clients::tls_config(std::path::Path::new(gateway.get("PANGATE_CA")));
    let mut config = ClientConfig::clone(&trusted);
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// TLS on a fresh connection, without a word before it.
pub(crate) fn direct(gateway: &Gateway, config: Arc<ClientConfig>) -> Raw {
    StreamOwned::new(ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap(), tcp(gateway))
}

/// TLS as clients before 17 ask for it.
pub(crate) fn asked_for(gateway: &Gateway, config: Arc<ClientConfig>) -> Raw {
    let mut stream = tcp(gateway);
    stream.write_all(&SSL_REQUEST).unwrap();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"S");
    StreamOwned::new(ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap(), stream)
}

pub(crate) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// A StartupMessage of protocol 3.`minor`.
pub(crate) fn startup(minor: u8, user: &str, database: &str) -> Vec<u8> {
    let body = format!("user\0{user}\0database\0{database}\0\0");
    let mut bytes = u32::try_from(body.len() + 8).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(&[0, 3, 0, minor]);
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

/// The next message: its tag and body.
pub(crate) fn read_message(raw: &mut impl Read) -> (u8, Vec<u8>) {
    let mut head = [0; 5];
    raw.read_exact(&mut head).unwrap();
    let mut body = vec![0; u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4];
    raw.read_exact(&mut body).unwrap();
    (head[0], body)
}

/// Messages up to ReadyForQuery, or the ErrorResponse that ends the login.
pub(crate) fn until_ready(raw: &mut impl Read) -> Result<Vec<(u8, Vec<u8>)>, String> {
    let mut seen = Vec::new();
    loop {
        match read_message(raw) {
            (b'E', body) => return Err(String::from_utf8_lossy(&body).replace('\0', " ")),
            (b'Z', _) => return Ok(seen),
            other => seen.push(other),
        }
    }
}

/// Logs in with the token as the password; what came before the session was ready.
pub(crate) fn log_in(raw: &mut Raw, token: &str, minor: u8) -> Result<Vec<(u8, Vec<u8>)>, String> {
    raw.write_all(&startup(minor, "ci-job", "payments")).unwrap();
    raw.write_all(&message(b'p', format!("{token}\0").as_bytes())).unwrap();
    until_ready(raw)
}

/// All that still comes until the connection ends; it must end.
pub(crate) fn rest(raw: &mut impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    match raw.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::InvalidData
            ) => {}
        Err(error) => panic!("the connection did not end: {error}"),
    }
    all
}
