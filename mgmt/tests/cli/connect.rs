//! `pangate connect`, between a client and a gateway played here.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use tempfile::TempDir;

use crate::{pangate, text};

const STARTUP: &[u8] = b"\0\0\0\x12\0\x03\0\0user\0job\0\0";
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const OK: &[u8] = b"R\0\0\0\x08\0\0\0\0";

/// What a gateway was told: start-up and password. `None`: the client left before.
type Told = (Vec<u8>, Vec<u8>);

/// A certificate for this host, and the file that a client trusts it by.
struct Identity {
    folder: TempDir,
    config: Arc<ServerConfig>,
}

impl Identity {
    fn new(host: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Self { folder, config: Arc::new(config) }
    }

    /// What a gateway that lets one job in is told: start-up and password; then it says what the job says.
    fn serve(&self) -> (SocketAddr, JoinHandle<Option<Told>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::clone(&self.config);
        let server = std::thread::spawn(move || {
            let mut socket = listener.accept().unwrap().0;
            let mut asked = [0; 8];
            socket.read_exact(&mut asked).unwrap();
            assert_eq!(asked, SSL_REQUEST);
            socket.write_all(b"S").unwrap();
            let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
            let startup = read_message(&mut tls, 0)?;
            tls.write_all(b"R\0\0\0\x08\0\0\0\x03").unwrap();
            let password = read_message(&mut tls, 1)?;
            tls.write_all(OK).unwrap();
            let mut byte = [0];
            while tls.read(&mut byte).unwrap_or(0) > 0 {
                tls.write_all(&byte).unwrap();
            }
            Some((startup, password))
        });
        (address, server)
    }
}

/// A message of which `before` bytes come before its length; `None` where the stream ends.
fn read_message(stream: &mut impl Read, before: usize) -> Option<Vec<u8>> {
    let mut message = vec![0; before + 4];
    stream.read_exact(&mut message).ok()?;
    let length = u32::from_be_bytes(message[before..].try_into().unwrap()) as usize;
    message.resize(before + length, 0);
    stream.read_exact(&mut message[before + 4..]).ok()?;
    Some(message)
}

/// A running `connect`; ended when dropped.
struct Running {
    child: Child,
    listen: String,
}

impl Running {
    fn new(identity: &Identity, gateway: &str) -> Self {
        Self::of(identity, gateway, "postgres")
    }

    fn of(identity: &Identity, gateway: &str, protocol: &str) -> Self {
        let ca = identity.folder.path().join("ca.pem");
        let arguments = ["connect", "payments", "--json", "--ca", text(&ca), "--gateway", gateway];
        let mut child = pangate(&arguments)
            .args(["--protocol", protocol])
            .env("PANGATE_TOKEN", "tok.en")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        Self { child, listen: told["listen"].as_str().unwrap().to_owned() }
    }

    /// A client that has sent its start-up message.
    fn client(&self) -> TcpStream {
        let mut client = TcpStream::connect(&self.listen).unwrap();
        client.write_all(STARTUP).unwrap();
        client
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn refusal(mut client: TcpStream) -> String {
    let mut told = Vec::new();
    client.read_to_end(&mut told).unwrap();
    assert_eq!(told[0], b'E');
    String::from_utf8_lossy(&told).into_owned()
}

#[test]
fn the_token_is_put_in_and_the_rest_passes() {
    let identity = Identity::new("localhost");
    let (address, server) = identity.serve();
    let running = Running::new(&identity, &format!("localhost:{}", address.port()));
    let mut client = running.client();
    assert_eq!(read_message(&mut client, 1).unwrap(), OK);
    client.write_all(b"hello").unwrap();
    let mut echoed = [0; 5];
    client.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"hello");
    drop(client);
    let (startup, password) = server.join().unwrap().unwrap();
    assert!(startup.ends_with(b"user\0job\0database\0payments\0\0"));
    assert_eq!(password, b"p\0\0\0\x0btok.en\0");
}

#[test]
fn a_gateway_of_another_name_or_ca_gets_no_token() {
    let identity = Identity::new("localhost");
    let (address, server) = identity.serve();
    let running = Running::new(&identity, &format!("127.0.0.1:{}", address.port()));
    assert!(refusal(running.client()).contains("C08001\0"));
    assert!(server.join().unwrap().is_none());

    let (address, server) = Identity::new("localhost").serve();
    let running = Running::new(&identity, &format!("localhost:{}", address.port()));
    assert!(refusal(running.client()).contains("certificate"));
    assert!(server.join().unwrap().is_none());
}

#[test]
fn a_gateway_without_tls_gets_no_token() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        socket.read_exact(&mut [0; 8]).unwrap();
        socket.write_all(b"N").unwrap();
        let mut told = Vec::new();
        socket.read_to_end(&mut told).unwrap();
        told
    });
    let running = Running::new(&Identity::new("localhost"), &gateway);
    assert!(refusal(running.client()).contains("no TLS"));
    assert!(server.join().unwrap().is_empty());
}

/// A greeting of MySQL's with these lower capabilities.
fn greeting(capabilities: u16) -> Vec<u8> {
    let mut payload = b"\x0a8.4.0\0\x01\0\0\0abcdefgh\0".to_vec();
    payload.extend_from_slice(&capabilities.to_le_bytes());
    payload.extend_from_slice(
        b"\x2d\x02\0\xff\x01\x15\0\0\0\0\0\0\0\0\0\0mnopqrstuvwx\0caching_sha2_password\0",
    );
    [&[payload.len() as u8, 0, 0, 0], payload.as_slice()].concat()
}

const MYSQL_TLS: u16 = 1 << 11;
const MYSQL_RESPONSE: &[u8] =
    b"\x26\0\0\x01\0\x82\x08\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0job\0\0\0";

/// The error packet that ends a client's login: its number, and its words.
fn mysql_refusal(mut client: TcpStream) -> (u8, String) {
    let mut told = Vec::new();
    client.read_to_end(&mut told).unwrap();
    assert_eq!(told[4..7], [0xff, 0x13, 0x04]);
    (told[3], String::from_utf8_lossy(&told[7..]).into_owned())
}

/// What listens in a gateway's place: it says so much, and tells all that it is sent.
fn impostor(says: Vec<u8>) -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        socket.write_all(&says).unwrap();
        let mut told = Vec::new();
        socket.read_to_end(&mut told).unwrap();
        told
    });
    (address, server)
}

#[test]
fn what_is_no_mysql_gateway_gets_no_token() {
    for (says, why) in [
        (greeting(0), "no TLS"),
        (b"\x03\0\0\0\x098\0".to_vec(), "does not greet as MySQL's servers do"),
        (b"\x17\0\0\0\xff\x10\x04Too many connections".to_vec(), "takes no connection now"),
    ] {
        let (address, server) = impostor(says);
        let running = Running::of(&Identity::new("localhost"), &address, "mysql");
        let (number, words) = mysql_refusal(TcpStream::connect(&running.listen).unwrap());
        assert!(number == 0 && words.contains(why), "{words}");
        assert!(server.join().unwrap().is_empty());
    }
}

#[test]
fn a_mysql_gateway_of_another_name_gets_no_token() {
    let identity = Identity::new("localhost");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::clone(&identity.config);
    let server = std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        socket.write_all(&greeting(MYSQL_TLS)).unwrap();
        let mut asked = [0; 36];
        socket.read_exact(&mut asked).unwrap();
        let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
        (asked, tls.read(&mut [0; 1]).unwrap_or(0))
    });
    let running = Running::of(&identity, &format!("127.0.0.1:{port}"), "mysql");
    let mut client = TcpStream::connect(&running.listen).unwrap();
    let mut greeted = greeting(0);
    client.read_exact(&mut greeted).unwrap();
    assert_eq!(greeted, greeting(0), "the listener has no TLS");
    client.write_all(MYSQL_RESPONSE).unwrap();
    let (number, words) = mysql_refusal(client);
    assert!(number == 2 && words.starts_with("#08001") && words.contains("certificate"), "{words}");
    let (asked, told) = server.join().unwrap();
    assert_eq!((asked[3], u32::from_le_bytes(asked[4..8].try_into().unwrap()) & 0x800, told), (1, 0x800, 0));
}
