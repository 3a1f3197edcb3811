//! Where targets are: names resolved by a thread of their own (a look-up may block), TLS configurations made once a
//! snapshot. Leaves out sockets and credentials.

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use policies::snapshot::{Protocol, Snapshot, TlsMode};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use wire::ServerTls;

use crate::tls;

/// Looks at the files of TLS between two look-ups of every name.
const LOOKS: u32 = 30;
/// Time between two looks at the files of TLS.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How one target is reached.
pub struct Upstream {
    /// Its address as the manifest has it.
    pub address: String,
    /// What it resolves to, in the order to be tried, or why not.
    pub resolved: Result<Vec<SocketAddr>, String>,
    /// TLS; `None`: plaintext was asked for by name.
    pub tls: Option<Result<TargetTls, String>>,
    /// Digest of the address as it is written and of what its TLS is made of.
    pub fingerprint: [u8; 32],
}

/// TLS towards one target.
pub struct TargetTls {
    /// The configuration.
    pub config: Arc<ClientConfig>,
    /// The name that its certificate must carry.
    pub name: ServerName<'static>,
    /// From the first byte on.
    pub direct: bool,
    /// The files as the manifest names them: what a login must find unchanged.
    pub files: TlsFiles,
}

/// The files that TLS towards a target is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The authority; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// The gateway's own certificate chain and key.
    pub own: Option<(PathBuf, PathBuf)>,
}

impl TlsFiles {
    /// As the manifest names them; `None`: plaintext.
    pub fn of(mode: &TlsMode<'_>) -> Option<Self> {
        let TlsMode::VerifyFull { ca, client, .. } = mode else { return None };
        let own = client.map(|own| (PathBuf::from(own.certificate), PathBuf::from(own.key)));
        Some(Self { ca: ca.map(PathBuf::from), own })
    }

    /// When each was last changed: another answer means that they are to be read again.
    fn stamps(&self) -> Vec<Option<(u64, i64, i64)>> {
        let own = self.own.iter().flat_map(|(certificate, key)| [certificate, key]);
        let stamp = |path: &PathBuf| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.ino(), found.ctime(), found.ctime_nsec()))
        };
        self.ca.iter().chain(own).map(stamp).collect()
    }
}

impl Upstream {
    /// How the engine is to begin TLS.
    pub fn server_tls(&self) -> Result<ServerTls, &str> {
        match &self.tls {
            None => Ok(ServerTls::Off),
            Some(Ok(tls)) if tls.direct => Ok(ServerTls::Direct),
            Some(Ok(_)) => Ok(ServerTls::Required),
            Some(Err(cause)) => Err(cause),
        }
    }
}

/// Every target's.
pub type Upstreams = HashMap<String, Upstream>;

/// Hands snapshots to the resolver.
#[derive(Clone)]
pub struct Resolver(Sender<Arc<Snapshot>>);

impl Resolver {
    /// Starts the thread; `tell` hears of every new table.
    pub fn start(tell: impl Fn(Arc<Upstreams>) + Send + 'static) -> std::io::Result<Self> {
        let (sender, receiver) = bounded(16);
        std::thread::Builder::new().name("resolver".into()).spawn(move || run(&receiver, tell))?;
        Ok(Self(sender))
    }

    /// A new snapshot is in use.
    pub fn use_snapshot(&self, snapshot: &Arc<Snapshot>) {
        // A full queue means that newer ones are waiting already.
        let _ = self.0.try_send(Arc::clone(snapshot));
    }
}

fn run(receiver: &Receiver<Arc<Snapshot>>, tell: impl Fn(Arc<Upstreams>)) {
    let mut current: Option<Arc<Snapshot>> = None;
    let (mut looks, mut seen) = (0, Vec::new());
    loop {
        let fresh = match receiver.recv_timeout(LOOK_EVERY) {
            Ok(snapshot) => {
                current = Some(snapshot);
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(snapshot) = &current else { continue };
        looks += 1;
        // Stamps are taken before the files are read: a change between the two is seen at the next look.
        let stamps = stamps(snapshot);
        if fresh || looks >= LOOKS || stamps != seen {
            (looks, seen) = (0, stamps);
            tell(Arc::new(look_up(snapshot)));
        }
    }
}

fn stamps(snapshot: &Snapshot) -> Vec<Option<(u64, i64, i64)>> {
    snapshot
        .targets()
        .filter_map(|target| TlsFiles::of(&target.tls))
        .flat_map(|files| files.stamps())
        .collect()
}

/// Resolves every target of a snapshot.
pub fn look_up(snapshot: &Snapshot) -> Upstreams {
    snapshot
        .targets()
        .map(|target| {
            let address = target.address.to_owned();
            let fingerprint = fingerprint(&address, &target.tls);
            let direct = matches!(target.tls, TlsMode::VerifyFull { direct: true, .. });
            let alpn = (target.protocol == Protocol::Postgres).then_some(tls::ALPN_POSTGRES);
            let tls = TlsFiles::of(&target.tls).map(|files| configure(files, direct, host(&address), alpn));
            if let Some(Err(cause)) = &tls {
                tracing::error!(target = target.name, %cause, "TLS towards a target cannot be set up");
            }
            let resolved = resolve(&address);
            (target.name.to_owned(), Upstream { address, resolved, tls, fingerprint })
        })
        .collect()
}

/// A connection is kept for other sessions only while this stays the same.
fn fingerprint(address: &str, tls: &TlsMode<'_>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(address.as_bytes());
    let Some(files) = TlsFiles::of(tls) else { return *hasher.finalize().as_bytes() };
    let own = files.own.iter().flat_map(|(certificate, key)| [certificate, key]);
    for path in files.ca.iter().chain(own) {
        // A file that cannot be read makes no connection; nor does it share one.
        let content = std::fs::read(path).unwrap_or_default();
        hasher
            .update(path.as_os_str().as_encoded_bytes())
            .update(&[0])
            .update(blake3::hash(&content).as_bytes());
    }
    let negotiation: &[u8] =
        if matches!(tls, TlsMode::VerifyFull { direct: true, .. }) { b"direct" } else { b"tls" };
    *hasher.update(negotiation).finalize().as_bytes()
}

fn configure(files: TlsFiles, direct: bool, host: &str, alpn: Option<&[u8]>) -> Result<TargetTls, String> {
    let own = files.own.as_ref().map(|(certificate, key)| (certificate.as_path(), key.as_path()));
    let config = tls::client_config(files.ca.as_deref(), own, alpn).map_err(|error| error.to_string())?;
    let name = tls::server_name(host).map_err(|error| error.to_string())?;
    Ok(TargetTls { config, name, direct, files })
}

fn resolve(address: &str) -> Result<Vec<SocketAddr>, String> {
    let found: Vec<SocketAddr> = address.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    if found.is_empty() { Err(String::from("the name has no address")) } else { Ok(found) }
}

pub(crate) fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}
