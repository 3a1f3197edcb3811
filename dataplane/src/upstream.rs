//! Where targets are: names resolved by a thread of their own (a look-up may block), TLS configurations made once a
//! snapshot. Leaves out sockets and credentials.

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use policies::snapshot::{Snapshot, TlsMode};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::tls;

/// Seconds between two look-ups of every name.
const RESOLVE_EVERY: Duration = Duration::from_secs(30);

/// How one target is reached.
pub struct Upstream {
    /// Its address as the manifest has it.
    pub address: String,
    /// What it resolves to, in the order to be tried, or why not.
    pub resolved: Result<Vec<SocketAddr>, String>,
    /// TLS: the configuration and the name its certificate must carry; `None`: plaintext was asked for by name.
    pub tls: Option<Result<(Arc<ClientConfig>, ServerName<'static>), String>>,
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
    loop {
        match receiver.recv_timeout(RESOLVE_EVERY) {
            Ok(snapshot) => current = Some(snapshot),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if let Some(snapshot) = &current {
            tell(Arc::new(look_up(snapshot)));
        }
    }
}

/// Resolves every target of a snapshot.
pub fn look_up(snapshot: &Snapshot) -> Upstreams {
    snapshot
        .targets()
        .map(|target| {
            let address = target.address.to_owned();
            let tls = match target.tls {
                TlsMode::Plaintext => None,
                TlsMode::VerifyFull { ca } => Some(configure(ca.map(PathBuf::from), host(&address))),
            };
            let resolved = resolve(&address);
            (target.name.to_owned(), Upstream { address, resolved, tls })
        })
        .collect()
}

fn configure(ca: Option<PathBuf>, host: &str) -> Result<(Arc<ClientConfig>, ServerName<'static>), String> {
    let config = tls::client_config(ca.as_deref()).map_err(|error| error.to_string())?;
    let name = tls::server_name(host).map_err(|error| error.to_string())?;
    Ok((config, name))
}

fn resolve(address: &str) -> Result<Vec<SocketAddr>, String> {
    let found: Vec<SocketAddr> = address.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    if found.is_empty() { Err(String::from("the name has no address")) } else { Ok(found) }
}

pub(crate) fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}
