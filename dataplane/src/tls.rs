//! TLS of one leg through rustls's unbuffered API: ciphertext is taken from the ring's own buffers, plaintext and
//! ciphertext to be sent are appended to the caller's. Leaves out sockets and order. Lives on its shard's core.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{UnbufferedServerConnection, WebPkiClientVerifier};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use zeroize::Zeroizing;

use crate::certificate::end_point;
use crate::limits::{PEM_BYTES_MAX, TLS_RECORD_BYTES_MAX};

/// PostgreSQL's name in ALPN.
pub const ALPN_POSTGRES: &[u8] = b"postgresql";

/// Why TLS cannot go on. Texts come from rustls and name no payload.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The library's own reason.
    #[error("{0}")]
    Rustls(#[from] rustls::Error),
    /// A record longer than the protocol allows.
    #[error("a TLS record is longer than the protocol allows")]
    RecordTooLong,
    /// Data was to be sent before the handshake was done.
    #[error("the TLS handshake is not done")]
    NotEstablished,
    /// A certificate, key or CA file cannot be used.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The target's address holds no name that a certificate could be checked against.
    #[error("{0} is no name that a certificate can be checked against")]
    Name(String),
}

/// What a call of [`Tls::receive`] has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The handshake is done (stays true).
    pub established: bool,
    /// The peer has said that it sends no more.
    pub closed: bool,
}

enum Role {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// One TLS connection.
pub struct Tls {
    role: Role,
    /// The start of a record whose rest has not come: at most one record.
    incoming: Vec<u8>,
    progress: Progress,
}

impl Tls {
    /// The gateway's side towards a job.
    pub fn server(config: &Arc<ServerConfig>) -> Result<Self, TlsError> {
        Ok(Self::new(Role::Server(UnbufferedServerConnection::new(Arc::clone(config))?)))
    }

    /// The gateway's side towards a target, whose certificate must carry `name`. The first flight goes to `out`.
    pub fn client(
        config: &Arc<ClientConfig>,
        name: ServerName<'static>,
        out: &mut Vec<u8>,
    ) -> Result<Self, TlsError> {
        let mut tls = Self::new(Role::Client(UnbufferedClientConnection::new(Arc::clone(config), name)?));
        tls.process(&mut [], &mut Vec::new(), out)?;
        Ok(tls)
    }

    fn new(role: Role) -> Self {
        Self { role, incoming: Vec::new(), progress: Progress::default() }
    }

    /// The protocol agreed by ALPN; empty: none.
    pub fn protocol(&self) -> &[u8] {
        match &self.role {
            Role::Server(connection) => connection.alpn_protocol(),
            Role::Client(connection) => connection.alpn_protocol(),
        }
        .unwrap_or_default()
    }

    /// The target's certificate as channel binding takes it; empty on the jobs' side, and where it has no hash.
    pub fn end_point(&self) -> Vec<u8> {
        match &self.role {
            Role::Server(_) => Vec::new(),
            Role::Client(connection) => {
                let certificates = connection.peer_certificates().unwrap_or_default();
                certificates.first().map(|own| end_point(own)).unwrap_or_default()
            }
        }
    }

    /// Whether the handshake is done.
    pub fn is_established(&self) -> bool {
        self.progress.established
    }

    /// Takes ciphertext: whole records are decrypted from where they lie, only a record that has come in part is
    /// copied. Plaintext is appended to `plain`, what the peer must be sent to `out`.
    pub fn receive(
        &mut self,
        mut cipher: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<Progress, TlsError> {
        if !self.incoming.is_empty() {
            cipher = complete(&mut self.incoming, cipher)?;
            if missing(&self.incoming)? > 0 {
                return Ok(self.progress);
            }
            self.settle(plain, out)?;
            if !self.incoming.is_empty() {
                // A handshake message that stretches over records: rustls wants them in one piece.
                self.incoming.extend_from_slice(cipher);
                self.settle(plain, out)?;
                return Ok(self.progress);
            }
        }
        if !cipher.is_empty() {
            let used = self.process(cipher, plain, out)?;
            self.incoming.extend_from_slice(cipher.get(used..).unwrap_or_default());
            self.bound()?;
        }
        Ok(self.progress)
    }

    /// Processes what is kept, and keeps what rustls has not let go.
    fn settle(&mut self, plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), TlsError> {
        let mut whole = std::mem::take(&mut self.incoming);
        let used = self.process(&mut whole, plain, out)?;
        whole.drain(..used.min(whole.len()));
        self.incoming = whole;
        self.bound()
    }

    fn bound(&self) -> Result<(), TlsError> {
        if self.incoming.len() > HANDSHAKE_BYTES_MAX { Err(TlsError::RecordTooLong) } else { Ok(()) }
    }

    /// Encrypts `plain` for the peer, appending to `out`.
    pub fn send(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), TlsError> {
        match &mut self.role {
            Role::Server(connection) => encrypt(connection.process_tls_records(&mut []), plain, out),
            Role::Client(connection) => encrypt(connection.process_tls_records(&mut []), plain, out),
        }
    }

    /// Tells the peer that no more will come.
    pub fn close(&mut self, out: &mut Vec<u8>) -> Result<(), TlsError> {
        if !self.progress.established {
            return Ok(());
        }
        match &mut self.role {
            Role::Server(connection) => say_goodbye(connection.process_tls_records(&mut []), out),
            Role::Client(connection) => say_goodbye(connection.process_tls_records(&mut []), out),
        }
    }

    /// After an error: rustls holds the alert that tells the peer why, and gives it out at the next call.
    fn tell_why(&mut self, out: &mut Vec<u8>) {
        for _ in 0..ALERTS_MAX {
            let nothing: &mut [u8] = &mut [];
            let turn = match &mut self.role {
                Role::Server(connection) => {
                    advance(connection.process_tls_records(nothing), &mut Vec::new(), out)
                }
                Role::Client(connection) => {
                    advance(connection.process_tls_records(nothing), &mut Vec::new(), out)
                }
            };
            if !matches!(turn, (_, Ok(Turn::Again))) {
                return;
            }
        }
    }

    /// Runs rustls over `bytes` until it wants more or nothing; says how many of them are done with.
    fn process(
        &mut self,
        bytes: &mut [u8],
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<usize, TlsError> {
        let mut used = 0;
        loop {
            let rest = bytes.get_mut(used..).unwrap_or_default();
            let (discard, turn) = match &mut self.role {
                Role::Server(connection) => advance(connection.process_tls_records(rest), plain, out),
                Role::Client(connection) => advance(connection.process_tls_records(rest), plain, out),
            };
            used += discard;
            if turn.is_err() {
                self.tell_why(out);
            }
            match turn? {
                Turn::Again => {}
                // What the peer says after its handshake may end with its goodbye: no `WriteTraffic` is seen then.
                Turn::Read => self.progress.established = true,
                Turn::Blocked => return Ok(used),
                Turn::Established => {
                    self.progress.established = true;
                    return Ok(used);
                }
                Turn::Closed => {
                    self.progress.closed = true;
                    return Ok(bytes.len());
                }
            }
        }
    }
}

/// What is still said after an error: what was under way, the alert, and that it has gone.
const ALERTS_MAX: usize = 8;
/// A handshake message may be as long as rustls allows (64 KiB) and come in records.
const HANDSHAKE_BYTES_MAX: usize = 4 * TLS_RECORD_BYTES_MAX + 64 * 1024;

/// How many bytes are missing of the record that `start` begins with; 0: it is whole.
fn missing(start: &[u8]) -> Result<usize, TlsError> {
    let [_, _, _, high, low, ..] = *start else { return Ok(5 - start.len()) };
    let whole = 5 + usize::from(u16::from_be_bytes([high, low]));
    if whole > TLS_RECORD_BYTES_MAX {
        return Err(TlsError::RecordTooLong);
    }
    Ok(whole.saturating_sub(start.len()))
}

/// Moves bytes of `cipher` behind `start` until the record that it begins with is whole; returns the rest.
fn complete<'a>(start: &mut Vec<u8>, mut cipher: &'a mut [u8]) -> Result<&'a mut [u8], TlsError> {
    loop {
        let wanted = missing(start)?.min(cipher.len());
        if wanted == 0 {
            return Ok(cipher);
        }
        let (now, later) = cipher.split_at_mut(wanted);
        start.extend_from_slice(now);
        cipher = later;
    }
}

enum Turn {
    Again,
    Read,
    Blocked,
    Established,
    Closed,
}

fn advance<D>(
    status: UnbufferedStatus<'_, '_, D>,
    plain: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> (usize, Result<Turn, TlsError>) {
    let mut discard = status.discard;
    let turn = match status.state {
        Err(error) => Err(error.into()),
        Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
            match traffic.next_record() {
                None => break Ok(Turn::Read),
                Some(Err(error)) => break Err(error.into()),
                Some(Ok(record)) => {
                    discard += record.discard;
                    plain.extend_from_slice(record.payload);
                }
            }
        },
        Ok(ConnectionState::EncodeTlsData(mut data)) => grow(out, |room| match data.encode(room) {
            Ok(length) => Ok(Grown::Done(length)),
            Err(EncodeError::InsufficientSize(size)) => Ok(Grown::Needs(size.required_size)),
            Err(EncodeError::AlreadyEncoded) => Ok(Grown::Done(0)),
        })
        .map(|()| Turn::Again),
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Ok(Turn::Again)
        }
        Ok(ConnectionState::BlockedHandshake) => Ok(Turn::Blocked),
        Ok(ConnectionState::WriteTraffic(_)) => Ok(Turn::Established),
        Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Ok(Turn::Closed),
        // Early data is never offered; whatever a later rustls adds is not understood here.
        Ok(_) => Err(TlsError::NotEstablished),
    };
    (discard, turn)
}

enum Grown {
    Done(usize),
    Needs(usize),
}

/// Lets `write` fill the tail of `out`, growing it to what it asks for.
fn grow(
    out: &mut Vec<u8>,
    mut write: impl FnMut(&mut [u8]) -> Result<Grown, TlsError>,
) -> Result<(), TlsError> {
    let start = out.len();
    let mut room = out.capacity().saturating_sub(start);
    loop {
        out.resize(start + room, 0);
        match write(out.get_mut(start..).unwrap_or_default())? {
            Grown::Done(length) => {
                out.truncate(start + length);
                return Ok(());
            }
            Grown::Needs(size) => room = size,
        }
    }
}

fn encrypt<D>(status: UnbufferedStatus<'_, '_, D>, plain: &[u8], out: &mut Vec<u8>) -> Result<(), TlsError> {
    let ConnectionState::WriteTraffic(mut traffic) = status.state? else {
        return Err(TlsError::NotEstablished);
    };
    // Each record of 16 KiB adds 5 + 1 + 16 bytes; asking once saves the first, failing try.
    let room = plain.len() + (plain.len() / TLS_FRAGMENT_BYTES + 1) * TLS_OVERHEAD_BYTES;
    out.reserve(room);
    grow(out, |room| match traffic.encrypt(plain, room) {
        Ok(length) => Ok(Grown::Done(length)),
        Err(EncryptError::InsufficientSize(size)) => Ok(Grown::Needs(size.required_size)),
        Err(EncryptError::EncryptExhausted) => Err(TlsError::NotEstablished),
    })
}

const TLS_FRAGMENT_BYTES: usize = 16 * 1024;
const TLS_OVERHEAD_BYTES: usize = 64;

fn say_goodbye<D>(status: UnbufferedStatus<'_, '_, D>, out: &mut Vec<u8>) -> Result<(), TlsError> {
    let ConnectionState::WriteTraffic(mut traffic) = status.state? else { return Ok(()) };
    grow(out, |room| match traffic.queue_close_notify(room) {
        Ok(length) => Ok(Grown::Done(length)),
        Err(EncryptError::InsufficientSize(size)) => Ok(Grown::Needs(size.required_size)),
        Err(EncryptError::EncryptExhausted) => Ok(Grown::Done(0)),
    })
}

/// The listeners' configuration: the gateway's certificate chain and key. With a `client_ca` every client has to show a
/// certificate that it signs.
pub fn server_config(
    certificate: &Path,
    key: &Path,
    client_ca: Option<&Path>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = (certificates(certificate)?, private_key(key)?);
    let config = match client_ca {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(authorities(path)?)).build();
            ServerConfig::builder().with_client_cert_verifier(verifier.map_err(|error| file(path, error))?)
        }
    };
    let mut config = config.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![ALPN_POSTGRES.to_vec()];
    Ok(Arc::new(config))
}

/// A target's configuration: its certificate is checked against `ca`, or the system's roots where there is none; it is
/// shown the certificate chain and key of `own`, where there are any, and the protocol's name of `alpn`, where it has one.
pub fn client_config(
    ca: Option<&Path>,
    own: Option<(&Path, &Path)>,
    alpn: Option<&[u8]>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let roots = match ca {
        Some(path) => authorities(path)?,
        None => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        }
    };
    let config = ClientConfig::builder().with_root_certificates(roots);
    let mut config = match own {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            exposed(key)?;
            config.with_client_auth_cert(certificates(certificate)?, private_key(key)?)?
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

/// The name that a target's certificate must carry: the host part of its address.
pub fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Name(host.to_owned()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(file(path, "holds no certificate")),
        Err(error) => Err(file(path, error)),
    }
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate)?;
    }
    Ok(roots)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = Zeroizing::new(read(path)?);
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| file(path, error))
}

/// Refuses a key that everybody may read, as for passwords.
fn exposed(path: &Path) -> Result<(), TlsError> {
    let mode = fs::metadata(path).map_err(|error| file(path, error))?.mode() & 0o777;
    if mode & 0o007 == 0 {
        return Ok(());
    }
    Err(file(
        path,
        format!("is open to every user (mode {mode:03o}): take away the rights of others (chmod o=)"),
    ))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let opened = fs::File::open(path).map_err(|error| file(path, error))?;
    // One allocation, so that no copy of a key is left behind.
    let mut bytes = Vec::with_capacity(PEM_BYTES_MAX + 1);
    opened.take(PEM_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|error| file(path, error))?;
    if bytes.len() > PEM_BYTES_MAX {
        return Err(file(path, format!("holds more than {PEM_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

fn file(path: &Path, cause: impl std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    fn pair() -> (Tls, Tls, Vec<u8>) {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
        fs::write(&certificate, cert.pem()).unwrap();
        fs::write(&key, signing_key.serialize_pem()).unwrap();
        let server = Tls::server(&server_config(&certificate, &key, None).unwrap()).unwrap();
        let mut flight = Vec::new();
        let config = client_config(Some(&certificate), None, Some(ALPN_POSTGRES)).unwrap();
        let client = Tls::client(&config, server_name("localhost").unwrap(), &mut flight).unwrap();
        (client, server, flight)
    }

    /// Carries both sides' bytes in pieces of `piece` bytes until the handshake is done.
    fn shake(client: &mut Tls, server: &mut Tls, mut to_server: Vec<u8>, piece: usize) {
        let mut to_client = Vec::new();
        let mut plain = Vec::new();
        for _ in 0..8 {
            for part in std::mem::take(&mut to_server).chunks_mut(piece) {
                server.receive(part, &mut plain, &mut to_client).unwrap();
            }
            for part in std::mem::take(&mut to_client).chunks_mut(piece) {
                client.receive(part, &mut plain, &mut to_server).unwrap();
            }
        }
        assert!(client.is_established() && server.is_established() && plain.is_empty());
    }

    #[test]
    fn data_arrives_whole_however_it_is_cut() {
        for piece in [1, 3, 5, 17, 1000, 16_401, 70_000] {
            let (mut client, mut server, flight) = pair();
            shake(&mut client, &mut server, flight, piece);
            let sent: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
            let (mut cipher, mut plain, mut reply) = (Vec::new(), Vec::new(), Vec::new());
            client.send(&sent, &mut cipher).unwrap();
            for part in cipher.chunks_mut(piece) {
                server.receive(part, &mut plain, &mut reply).unwrap();
            }
            assert!(plain == sent && reply.is_empty());
            let mut goodbye = Vec::new();
            server.close(&mut goodbye).unwrap();
            assert!(client.receive(&mut goodbye, &mut plain, &mut reply).unwrap().closed);
        }
    }

    #[test]
    fn a_changed_byte_is_refused() {
        let (mut client, mut server, flight) = pair();
        shake(&mut client, &mut server, flight, 100);
        let (mut cipher, mut plain, mut reply) = (Vec::new(), Vec::new(), Vec::new());
        client.send(b"select 1", &mut cipher).unwrap();
        *cipher.last_mut().unwrap() ^= 1;
        assert!(server.receive(&mut cipher, &mut plain, &mut reply).is_err());
        assert!(plain.is_empty());
    }

    #[test]
    fn a_record_over_the_bound_is_refused() {
        let (_, mut server, _) = pair();
        let mut start = vec![23, 3, 3];
        assert!(server.receive(&mut start, &mut Vec::new(), &mut Vec::new()).is_ok());
        assert!(server.receive(&mut [0xff, 0xff, 0], &mut Vec::new(), &mut Vec::new()).is_err());
    }

    #[test]
    fn a_peer_that_says_all_and_leaves_at_once_is_heard() {
        let (mut client, mut server, mut flight) = pair();
        let (mut to_client, mut to_server, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        server.receive(&mut flight, &mut plain, &mut to_client).unwrap();
        client.receive(&mut to_client, &mut plain, &mut to_server).unwrap();
        client.send(b"cancel", &mut to_server).unwrap();
        client.close(&mut to_server).unwrap();
        let progress = server.receive(&mut to_server, &mut plain, &mut to_client).unwrap();
        assert!(progress.established && progress.closed);
        assert_eq!(plain, b"cancel");
    }

    #[test]
    fn a_peer_that_is_refused_is_told_why() {
        let (_, mut server, _) = pair();
        let (mut plain, mut alert) = (Vec::new(), Vec::new());
        // A handshake record that holds no handshake.
        assert!(server.receive(&mut [22, 3, 1, 0, 4, 99, 0, 0, 0], &mut plain, &mut alert).is_err());
        assert_eq!(alert.first(), Some(&21), "an alert: {alert:?}");
        assert!(plain.is_empty());
    }

    #[test]
    fn nothing_is_sent_before_the_handshake() {
        let (mut client, _, _) = pair();
        assert!(client.send(b"secret", &mut Vec::new()).is_err());
    }
}
