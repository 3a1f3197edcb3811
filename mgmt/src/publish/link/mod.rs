//! The Unix socket that the dataplane connects to. Each connection is given the policy in force, the issuers' keys,
//! rulings and events, and gives tickets, health and checkpoints. Leaves out the messages' form (policies::link).
//!
//! Who may connect: root, mgmt's own user, and users that the boot file names, as the kernel tells (SO_PEERCRED).

mod connection;

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use policies::link::IssuerKeys;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::events::Events;
use super::policy::Published;
use crate::api::types::DataplaneStatus;
use crate::approvals::Desk;
use crate::clock::Clock;
use crate::evidence::index::Index;
use crate::evidence::witness::Witness;
use crate::store::Store;

/// Connections at the most: the dataplane's own, and those of one that is about to take over.
const CONNECTIONS_MAX: usize = 16;
/// The policy is sent again so often, or, where its maxAge is short, three times within that.
const RESEND: Duration = Duration::from_secs(300);

/// Why the socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Somebody serves it already.
    #[error("{path}: another pangate-mgmt serves this socket", path = path.display())]
    Taken {
        /// The socket.
        path: PathBuf,
    },
    /// Something else is there.
    #[error("{path}: is no socket", path = path.display())]
    NoSocket {
        /// The path.
        path: PathBuf,
    },
    /// It cannot be made.
    #[error("{path}: {cause}", path = path.display())]
    Bind {
        /// The socket.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// What every connection needs.
#[derive(Debug)]
pub struct Link {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) events: Events,
    pub(super) desk: Arc<Desk>,
    pub(super) witness: Arc<Witness>,
    pub(super) index: Arc<Index>,
    pub(super) policy: watch::Receiver<Option<Arc<Published>>>,
    pub(super) keys: watch::Receiver<Arc<Vec<IssuerKeys>>>,
    /// Events go over one connection at a time.
    pub(super) pump: tokio::sync::Mutex<()>,
    connected: Mutex<BTreeMap<u64, DataplaneStatus>>,
    resend: Duration,
    uids: Vec<u32>,
}

/// What a [`Link`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// Events that the dataplane is to record.
    pub events: Events,
    /// Tickets.
    pub desk: Arc<Desk>,
    /// Checkpoints.
    pub witness: Arc<Witness>,
    /// What the evidence holds already.
    pub index: Arc<Index>,
    /// The policy in force.
    pub policy: watch::Receiver<Option<Arc<Published>>>,
    /// The issuers' keys.
    pub keys: watch::Receiver<Arc<Vec<IssuerKeys>>>,
    /// How long the dataplane may go without hearing of the policy.
    pub max_age_s: u64,
    /// Users that may connect, beside root and mgmt's own.
    pub uids: Vec<u32>,
}

impl Link {
    /// Brings the parts together.
    pub fn new(parts: Parts) -> Self {
        let Parts { store, clock, events, desk, witness, index, policy, keys, max_age_s, uids } = parts;
        let resend = RESEND.min(Duration::from_secs((max_age_s / 3).max(1)));
        let (pump, connected) = (tokio::sync::Mutex::new(()), Mutex::new(BTreeMap::new()));
        Self { store, clock, events, desk, witness, index, policy, keys, pump, connected, resend, uids }
    }

    /// Dataplanes that are connected, as they last said they were.
    pub fn status(&self) -> Vec<DataplaneStatus> {
        self.connected().values().filter(|status| !status.instance.is_empty()).cloned().collect()
    }

    /// Takes connections for as long as mgmt runs.
    pub async fn serve(self: Arc<Self>, socket: Socket) {
        let own = socket.uid;
        // Dropped with this future: a stop ends every connection.
        let mut connections = JoinSet::new();
        for number in 0_u64.. {
            let stream = match socket.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::error!(%error, "the link's socket takes no connection");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            if !self.may_connect(&stream, own) || self.connected().len() >= CONNECTIONS_MAX {
                tracing::warn!("a connection to the link's socket is refused");
                continue;
            }
            let link = self.clone();
            connections.spawn(async move { connection::run(&link, number, stream).await });
            while connections.try_join_next().is_some() {}
        }
    }

    fn may_connect(&self, stream: &UnixStream, own: u32) -> bool {
        stream.peer_cred().is_ok_and(|peer| {
            let uid = peer.uid();
            uid == 0 || uid == own || self.uids.contains(&uid)
        })
    }

    pub(super) fn connected(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, DataplaneStatus>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn resend(&self) -> Duration {
        self.resend
    }
}

/// The socket, bound. Its file is removed when dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    uid: u32,
}

impl Socket {
    /// Binds the socket; a file that a dead mgmt left is replaced. `shared`: other users than root and mgmt's own may
    /// connect, by the group of the socket's folder.
    pub fn bind(path: &Path, shared: bool) -> Result<Self, LinkError> {
        let failed = |cause| LinkError::Bind { path: path.to_owned(), cause };
        match std::fs::symlink_metadata(path) {
            Err(_) => {}
            Ok(there) if !there.file_type().is_socket() => {
                return Err(LinkError::NoSocket { path: path.to_owned() });
            }
            Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
                return Err(LinkError::Taken { path: path.to_owned() });
            }
            Ok(_) => std::fs::remove_file(path).map_err(failed)?,
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        // Until here the mode is the umask's; the kernel's word on the peer's user holds from the first connection.
        let mode = if shared { 0o660 } else { 0o600 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(failed)?;
        let uid = std::fs::metadata(path).map_err(failed)?.uid();
        Ok(Self { listener, path: path.to_owned(), uid })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the link's socket file stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_is_the_owners_alone_and_goes_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("link.sock");
        let socket = Socket::bind(&path, false).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(Socket::bind(&path, false), Err(LinkError::Taken { .. })));
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_a_dead_process_left_is_replaced_and_other_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("link.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        drop(Socket::bind(&path, true).unwrap());
        std::fs::write(&path, "notes").unwrap();
        assert!(matches!(Socket::bind(&path, false), Err(LinkError::NoSocket { .. })));
        let nowhere = dir.path().join("none/link.sock");
        assert!(matches!(Socket::bind(&nowhere, false), Err(LinkError::Bind { .. })));
    }
}
