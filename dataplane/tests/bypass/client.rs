//! A client that keeps every message it is sent: the simple and the extended protocol, text and binary, batches, portals
//! fetched in parts. Leaves out passwords other than in clear text.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How long a peer may say nothing.
const QUIET_MAX: Duration = Duration::from_secs(30);

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// How requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Each as a simple query.
    Simple,
    /// Each parsed, bound and executed, results in binary.
    Binary,
    /// The same, so many rows at a time.
    Portal(i32),
    /// All of them in one batch with one Sync.
    Pipelined,
}

/// What came of some requests.
#[derive(Default)]
pub(crate) struct Transcript {
    /// Every message: its kind and body.
    pub(crate) messages: Vec<(u8, Vec<u8>)>,
    /// The gateway said that people have to approve.
    pub(crate) held: bool,
    /// The peer ended the connection.
    pub(crate) ended: bool,
    /// It said nothing for too long.
    pub(crate) quiet: bool,
}

/// One connection.
pub(crate) struct Session {
    stream: Box<dyn Stream>,
    seen: Transcript,
}

/// What trusts the authority in a file.
pub(crate) fn trusting(ca: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

impl Session {
    /// Through the gateway, over TLS, with a token.
    pub(crate) fn open(tls: &Arc<ClientConfig>, port: u16, database: &str, token: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(QUIET_MAX)).unwrap();
        stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
        let mut answer = [0];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *b"S", "TLS is refused");
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(tls), name).unwrap();
        let mut session = Self::over(Box::new(StreamOwned::new(connection, stream)));
        session.log_in("ci-job", database, token);
        session
    }

    /// At the target itself, as its superuser.
    pub(crate) fn open_directly(socket: &Path, database: &str) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(QUIET_MAX)).unwrap();
        let mut session = Self::over(Box::new(stream));
        session.log_in("postgres", database, "");
        session
    }

    fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream, seen: Transcript::default() }
    }

    fn log_in(&mut self, user: &str, database: &str, password: &str) {
        let mut body = 196_608_i32.to_be_bytes().to_vec();
        for word in ["user", user, "database", database, ""] {
            body.extend_from_slice(word.as_bytes());
            body.push(0);
        }
        let length = u32::try_from(body.len() + 4).unwrap();
        self.stream.write_all(&[&length.to_be_bytes()[..], &body].concat()).unwrap();
        loop {
            let (kind, body) = self.read().expect("the connection ended at login");
            match kind {
                b'R' if body == 3_i32.to_be_bytes() => {
                    self.send(&[message(b'p', &[password.as_bytes(), b"\0"])])
                }
                b'E' => panic!("login: {}", String::from_utf8_lossy(&body)),
                b'Z' => return,
                _ => {}
            }
        }
    }

    fn send(&mut self, messages: &[Vec<u8>]) {
        // A peer that has ended the connection is noticed at the next read.
        let _ = self.stream.write_all(&messages.concat()).and_then(|()| self.stream.flush());
    }

    /// The next message, kept too; `None`: the connection has ended.
    fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        if let Err(error) = self.stream.read_exact(&mut head) {
            self.seen.quiet = error.kind() == ErrorKind::WouldBlock;
            let ended = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
            assert!(self.seen.quiet || ended.contains(&error.kind()), "reading: {error}");
            self.seen.ended = true;
            return None;
        }
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        let said = String::from_utf8_lossy(&body);
        self.seen.held |= head[0] == b'N' && said.contains("ticket") && said.contains("pangate approvals");
        self.seen.messages.push((head[0], body.clone()));
        Some((head[0], body))
    }

    /// Reads until one of these kinds, or until the statement is held, or the connection ends.
    fn read_until(&mut self, kinds: &[u8]) -> Option<u8> {
        while !self.seen.held
            && let Some((kind, _)) = self.read()
        {
            if kind == b'G' {
                self.send(&[message(b'f', &[b"no data\0"])]);
            }
            if kinds.contains(&kind) {
                return Some(kind);
            }
        }
        None
    }

    /// Sends requests and reads all that comes of them, until one is held or the connection ends.
    pub(crate) fn run(mut self, way: Way, requests: &[String], parameters: &[String]) -> Transcript {
        if way == Way::Pipelined {
            let mut all: Vec<_> = requests.iter().flat_map(|one| extended(one, parameters, 0)).collect();
            all.push(message(b'S', &[]));
            self.send(&all);
            self.read_until(b"Z");
            return self.seen;
        }
        for request in requests {
            match way {
                Way::Simple => self.send(&[message(b'Q', &[request.as_bytes(), b"\0"])]),
                Way::Portal(rows) => self.execute(request, parameters, rows),
                _ => self.execute(request, parameters, 0),
            }
            if self.read_until(b"Z").is_none() {
                break;
            }
        }
        self.seen
    }

    fn execute(&mut self, request: &str, parameters: &[String], rows: i32) {
        let mut all = extended(request, parameters, rows);
        loop {
            all.push(message(b'H', &[]));
            self.send(&all);
            match self.read_until(b"CsEIZ") {
                Some(b's') => all = vec![execute(rows)],
                Some(_) => break,
                None => return,
            }
        }
        self.send(&[message(b'S', &[])]);
    }
}

fn message(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = u32::try_from(parts.iter().map(|part| part.len()).sum::<usize>() + 4).unwrap();
    [&[kind][..], &length.to_be_bytes(), &parts.concat()].concat()
}

fn execute(rows: i32) -> Vec<u8> {
    message(b'E', &[b"\0", &rows.to_be_bytes()])
}

/// Parse, Bind (parameters in text, results in binary), Describe, Execute.
fn extended(request: &str, parameters: &[String], rows: i32) -> Vec<Vec<u8>> {
    let mut values = u16::try_from(parameters.len()).unwrap().to_be_bytes().to_vec();
    for value in parameters {
        values.extend_from_slice(&u32::try_from(value.len()).unwrap().to_be_bytes());
        values.extend_from_slice(value.as_bytes());
    }
    vec![
        message(b'P', &[b"\0", request.as_bytes(), b"\0\0\0"]),
        message(b'B', &[b"\0\0\0\0", &values, &[0, 1, 0, 1]]),
        message(b'D', &[b"P\0"]),
        execute(rows),
    ]
}
