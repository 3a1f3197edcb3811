//! A client of MySQL's protocol that keeps every packet it is sent: queries, prepared statements, cursors fetched in
//! parts, several at once. Offers LOCAL INFILE and session tracking. Leaves out compression and EOF-less results.

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
/// LONG_PASSWORD to LONG_FLAG, CONNECT_WITH_DB, LOCAL_FILES, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION,
/// MULTI_STATEMENTS, MULTI_RESULTS, PS_MULTI_RESULTS, PLUGIN_AUTH, PLUGIN_AUTH_LENENC, SESSION_TRACK.
const CAPABILITIES: u32 = 0x00af_a28d;
const SSL: u32 = 0x800;
/// What a server gets that asks for a file of ours.
const FILE: &[u8] = b"a line\n";

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// How requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Each as a query.
    Simple,
    /// Each prepared and executed.
    Binary,
    /// The same with a cursor, so many rows at a time.
    Portal(i32),
    /// All of them sent before the first answer is read.
    Pipelined,
}

/// What came of some requests.
#[derive(Default)]
pub(crate) struct Transcript {
    /// Every packet: what it is, and its payload. `H` a count of columns, `T` a column, `D` a row, `B` a binary row,
    /// `O` OK, `Z` EOF, `E` an error, `S` a prepared statement, `F` the wish for a file.
    pub(crate) messages: Vec<(u8, Vec<u8>)>,
    /// The gateway said that people would have had to approve.
    pub(crate) held: bool,
    /// The peer ended the connection.
    pub(crate) ended: bool,
    /// It said nothing for too long.
    pub(crate) quiet: bool,
}

/// One connection.
pub(crate) struct Session {
    stream: Box<dyn Stream>,
    sequence: u8,
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
        let (_, greeting) = packet(&mut stream).unwrap();
        assert_eq!(greeting[0], 10, "{}", String::from_utf8_lossy(&greeting));
        let mut hello = (CAPABILITIES | SSL).to_le_bytes().to_vec();
        hello.extend_from_slice(&head());
        stream.write_all(&framed(1, &hello)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(tls), name).unwrap();
        let mut session = Self::over(Box::new(StreamOwned::new(connection, stream)));
        session.sequence = 2;
        session.log_in(CAPABILITIES | SSL, "ci-job", database, token, "mysql_clear_password");
        session
    }

    /// At the target itself, as a user who may do all and has no password.
    pub(crate) fn open_directly(socket: &Path, database: &str) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(QUIET_MAX)).unwrap();
        let mut session = Self::over(Box::new(stream));
        session.read().expect("a greeting");
        session.log_in(CAPABILITIES, "proof", database, "", "mysql_native_password");
        session
    }

    fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream, sequence: 0, seen: Transcript::default() }
    }

    fn log_in(&mut self, capabilities: u32, user: &str, database: &str, password: &str, plugin: &str) {
        let token = if password.is_empty() { Vec::new() } else { [password.as_bytes(), b"\0"].concat() };
        let mut body = capabilities.to_le_bytes().to_vec();
        body.extend_from_slice(&head());
        body.extend_from_slice(&[user.as_bytes(), b"\0"].concat());
        push_length(&mut body, token.len());
        body.extend_from_slice(&token);
        body.extend_from_slice(&[database.as_bytes(), b"\0", plugin.as_bytes(), b"\0"].concat());
        self.send(&body);
        loop {
            let body = self.read().expect("the connection ended at login");
            match body[0] {
                0 => return,
                0xff => panic!("login: {}", String::from_utf8_lossy(&body)),
                // A switch to another plugin, or its wish for the password itself.
                _ => self.send(&token),
            }
        }
    }

    fn send(&mut self, body: &[u8]) {
        // A peer that has ended the connection is noticed at the next read.
        let _ = self.stream.write_all(&framed(self.sequence, body)).and_then(|()| self.stream.flush());
    }

    fn command(&mut self, code: u8, parts: &[&[u8]]) {
        self.sequence = 0;
        self.send(&[&[code][..], &parts.concat()].concat());
    }

    /// The next payload; `None`: the connection has ended.
    fn read(&mut self) -> Option<Vec<u8>> {
        match packet(&mut self.stream) {
            Ok((sequence, body)) => {
                self.sequence = sequence.wrapping_add(1);
                Some(body)
            }
            Err(error) => {
                self.seen.quiet = error.kind() == ErrorKind::WouldBlock;
                let ended = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
                assert!(self.seen.quiet || ended.contains(&error.kind()), "reading: {error}");
                self.seen.ended = true;
                None
            }
        }
    }

    fn keep(&mut self, kind: u8, body: Vec<u8>) {
        let said = String::from_utf8_lossy(&body);
        self.seen.held |= kind == b'E' && said.contains("not approved in time: ticket");
        self.seen.messages.push((kind, body));
    }

    /// Reads packets that are all of one kind, up to and with an EOF (its status) or an error (`None`).
    fn read_up_to_end(&mut self, kind: u8) -> Option<u16> {
        loop {
            let body = self.read()?;
            match body[0] {
                0xff => {
                    self.keep(b'E', body);
                    return None;
                }
                0xfe if body.len() < 9 => {
                    let status = u16::from_le_bytes([body[3], body[4]]);
                    self.keep(b'Z', body);
                    return Some(status);
                }
                _ => self.keep(kind, body),
            }
        }
    }

    /// Reads the answers to one command; rows are of this kind. The status at the end of the last one.
    /// Rows come in packets that are kept as `rows`; `fetches`: a cursor was asked for.
    fn read_answers(&mut self, rows: u8, fetches: bool) -> Option<u16> {
        loop {
            let body = self.read()?;
            let status = match body[0] {
                0xff => {
                    self.keep(b'E', body);
                    return None;
                }
                0 => {
                    let status = status_of(&body);
                    self.keep(b'O', body);
                    status
                }
                0xfb => {
                    self.keep(b'F', body);
                    self.send(FILE);
                    self.sequence = self.sequence.wrapping_add(1);
                    self.send(b"");
                    continue;
                }
                _ => {
                    self.keep(b'H', body);
                    let status = self.read_up_to_end(b'T')?;
                    match status {
                        // A cursor's rows are fetched. One of a stored program leaves its flag on other results.
                        _ if fetches && status & 0x48 == 0x40 => status,
                        // Behind OUT parameters the procedure's own end comes, which their end does not say.
                        _ if status & 0x1008 == 0x1008 => self.read_up_to_end(rows)? | 8,
                        _ => self.read_up_to_end(rows)?,
                    }
                }
            };
            // More results follow.
            if status & 8 == 0 {
                return Some(status);
            }
        }
    }

    /// Sends requests and reads all that comes of them, until one is held or the connection ends.
    pub(crate) fn run(mut self, way: Way, requests: &[String], parameters: &[String]) -> Transcript {
        if way == Way::Pipelined {
            for request in requests {
                self.command(3, &[request.as_bytes()]);
            }
        }
        for request in requests {
            match way {
                Way::Pipelined => {
                    let _ = self.read_answers(b'D', false);
                }
                Way::Simple => {
                    self.command(3, &[request.as_bytes()]);
                    let _ = self.read_answers(b'D', false);
                }
                Way::Binary => drop(self.execute(request, parameters, 0)),
                Way::Portal(rows) => drop(self.execute(request, parameters, rows)),
            }
            if self.seen.held || self.seen.ended {
                break;
            }
        }
        self.seen
    }

    fn execute(&mut self, request: &str, parameters: &[String], rows: i32) -> Option<()> {
        self.command(0x16, &[request.as_bytes()]);
        let body = self.read()?;
        if body[0] == 0xff {
            self.keep(b'E', body);
            return None;
        }
        let statement = &body[1..5].to_vec();
        let counts = [&body[7..9], &body[5..7]].map(|two| u16::from_le_bytes([two[0], two[1]]));
        self.keep(b'S', body);
        for count in counts {
            if count > 0 {
                self.read_up_to_end(b'T')?;
            }
        }
        let mut values = Vec::new();
        if counts[0] > 0 {
            values.extend(vec![0; usize::from(counts[0]).div_ceil(8)]);
            values.push(1);
            values.extend([253, 0].repeat(counts[0].into()));
            // One parameter stands for all.
            for value in parameters.iter().cycle().take(counts[0].into()) {
                push_length(&mut values, value.len());
                values.extend_from_slice(value.as_bytes());
            }
        }
        self.command(0x17, &[statement, &[u8::from(rows > 0), 1, 0, 0, 0], &values]);
        let mut status = self.read_answers(b'B', rows > 0)?;
        while rows > 0 && status & 0x40 != 0 && status & 0x80 == 0 {
            self.command(0x1c, &[statement, &rows.to_le_bytes()]);
            status = self.read_up_to_end(b'B')?;
        }
        self.command(0x19, &[statement]);
        Some(())
    }
}

/// Sequence number and payload, which may come in several packets.
fn packet(stream: &mut impl Read) -> std::io::Result<(u8, Vec<u8>)> {
    let mut whole = Vec::new();
    loop {
        let mut head = [0; 4];
        stream.read_exact(&mut head)?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
        let start = whole.len();
        whole.resize(start + length, 0);
        stream.read_exact(&mut whole[start..])?;
        if length < 0xff_ffff {
            return Ok((head[3], whole));
        }
    }
}

fn framed(sequence: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&length[..3], &[sequence], body].concat()
}

/// Of a HandshakeResponse, what stands between capabilities and user: packet size, utf8mb4, filler.
fn head() -> [u8; 28] {
    let mut head = [0; 28];
    head[..5].copy_from_slice(&[0, 0, 0, 4, 45]);
    head
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    match u16::try_from(length).unwrap() {
        0..=250 => out.push(length as u8),
        length => out.extend([&[0xfc][..], &length.to_le_bytes()].concat()),
    }
}

/// The status flags of an OK packet.
fn status_of(body: &[u8]) -> u16 {
    let mut rest = &body[1..];
    for _ in 0..2 {
        rest = crate::texts::integer(rest).expect("an OK packet").1;
    }
    u16::from_le_bytes([rest[0], rest[1]])
}
