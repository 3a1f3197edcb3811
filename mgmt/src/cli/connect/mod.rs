//! `pangate connect`: a local listener for clients that cannot present a token themselves. Each connection is carried
//! to the gateway over verified TLS with the token put in; the token is read anew for each. Whoever can reach the
//! listener acts under that token, so it binds to loopback or to a Unix socket of the caller's own, nothing else.
//! PostgreSQL only so far; other protocols are refused when mgmt or the caller names them.

mod postgres;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

use super::client::Access;
use super::outcome::{Answer, Failure, Outcome};
use super::{output, tls, token};

/// Connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 1000;
/// From accepting a client to its login's end, the gateway's part included.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// Opens a local listener that puts the identity token in
#[derive(Args)]
#[command(after_help = "\
Examples:
  pangate connect payments --gateway gateway.cde.internal:5432 --listen 127.0.0.1:5433 &
  psql -h 127.0.0.1 -p 5433 -U settlement reports        # database reports of target payments

  pangate connect payments --gateway gateway.cde.internal:5432 --listen /run/user/1000/.s.PGSQL.5432 &
  psql -h /run/user/1000 -U settlement payments          # nobody else on this machine can use it

Other users of this machine can use a TCP listener under your token: prefer a Unix socket where there are any.")]
pub(crate) struct Connect {
    /// The target's name
    target: String,
    /// Where to listen: a loopback address, or the path of a Unix socket to create
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR|PATH")]
    listen: String,
    /// The gateway's listener for the target, host:port; its certificate must name this host
    #[arg(long, env = "PANGATE_GATEWAY", value_name = "HOST:PORT")]
    gateway: String,
    /// Says where it listens as JSON
    #[arg(long)]
    json: bool,
}

/// What every connection needs to know.
struct Route {
    target: String,
    gateway: Gateway,
    tls: tokio_rustls::TlsConnector,
    token: token::Source,
}

/// Where the gateway is, and whom its certificate must name.
struct Gateway {
    address: String,
    name: ServerName<'static>,
}

/// A connection from either kind of listener.
trait Local: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Local for T {}

/// Runs until interrupted.
pub(crate) fn run(arguments: &Connect, access: &Access) -> Answer {
    let mut config = tls::config(access.ca.as_deref())?;
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    let route = Arc::new(Route {
        target: arguments.target.clone(),
        gateway: Gateway::parse(&arguments.gateway)?,
        tls: Arc::new(config).into(),
        token: access.token.clone(),
    });
    drop(access.token.read()?);
    let place = Place::parse(&arguments.listen)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::CouldNotAsk(format!("cannot start: {error}")))?;
    let answer = runtime.block_on(async {
        let listener = place.open().await?;
        announce(arguments, &listener.address()?)?;
        tokio::select! {
            failure = serve(&listener, route) => Err(failure),
            () = interrupted() => Ok(Outcome::Done),
        }
    });
    place.clear();
    answer
}

fn announce(arguments: &Connect, listen: &str) -> Result<(), Failure> {
    if arguments.json {
        let value = serde_json::json!({
            "target": arguments.target, "listen": listen, "gateway": arguments.gateway,
        });
        return output::json_line(&mut std::io::stdout().lock(), &value);
    }
    output::line(&format!("{} is at {listen}, through {}", arguments.target, arguments.gateway))
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// Accepts until the listener fails. A single connection's trouble is told and ends that connection alone.
async fn serve(listener: &Listener, route: Arc<Route>) -> Failure {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return Failure::CouldNotAsk("stopped".to_owned());
        };
        let client = match listener.accept().await {
            Ok(client) => client,
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => return Failure::CouldNotAsk(format!("cannot accept connections: {error}")),
        };
        let route = Arc::clone(&route);
        tokio::spawn(async move {
            if let Err(trouble) = postgres::carry(client, &route).await {
                output::complain(&trouble.to_string());
            }
            drop(place);
        });
    }
}

impl Gateway {
    fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::Usage(format!("--gateway {text}: {why}"));
        let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong("must be host:port"))?;
        port.parse::<u16>().map_err(|_| wrong("has no port number"))?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| wrong("has no valid host name"))?;
        Ok(Self { address: text.to_owned(), name })
    }
}

/// Where to listen.
enum Place {
    Loopback(SocketAddr),
    Socket(PathBuf),
}

impl Place {
    fn parse(text: &str) -> Result<Self, Failure> {
        if text.contains('/') {
            return Ok(Self::Socket(text.into()));
        }
        let text = text.replacen("localhost:", "127.0.0.1:", 1);
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self::Loopback(address)),
            Ok(_) => Err(Failure::Usage(format!(
                "--listen {text}: only loopback, since whoever reaches it acts under your token"
            ))),
            Err(_) => Err(Failure::Usage(format!("--listen {text}: neither address:port nor a path"))),
        }
    }

    async fn open(&self) -> Result<Listener, Failure> {
        let (listener, place) = match self {
            Self::Loopback(address) => {
                (TcpListener::bind(address).await.map(Listener::Tcp), address.to_string())
            }
            Self::Socket(path) => (
                private_socket(path).map(|listener| Listener::Unix(listener, path.clone())),
                path.display().to_string(),
            ),
        };
        listener.map_err(|error| Failure::CouldNotAsk(format!("cannot listen on {place}: {error}")))
    }

    fn clear(&self) {
        if let Self::Socket(path) = self {
            drop(std::fs::remove_file(path));
        }
    }
}

/// A Unix socket that is the caller's alone before anyone can connect. One that was left behind is replaced, one that
/// still answers is not.
fn private_socket(path: &Path) -> std::io::Result<UnixListener> {
    use socket2::{Domain, SockAddr, Socket, Type};
    use std::os::unix::fs::FileTypeExt as _;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket());
    if is_socket {
        match std::os::unix::net::UnixStream::connect(path) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path)?,
            _ => return Err(ErrorKind::AddrInUse.into()),
        }
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    socket.listen(128)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(socket.into())
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Listener {
    fn address(&self) -> Result<String, Failure> {
        match self {
            Self::Tcp(listener) => Ok(listener.local_addr()?.to_string()),
            Self::Unix(_, path) => Ok(path.display().to_string()),
        }
    }

    async fn accept(&self) -> std::io::Result<Box<dyn Local>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Self::Unix(listener, _) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_paths_are_listened_on() {
        for good in ["127.0.0.1:0", "[::1]:5432", "localhost:5432", "/run/x/.s.PGSQL.5432", "./socket"] {
            assert!(Place::parse(good).is_ok(), "{good}");
        }
        for bad in ["0.0.0.0:5432", "10.0.0.1:1", "5432", "", "[::]:1"] {
            assert_eq!(Place::parse(bad).err().unwrap().code(), 2, "{bad}");
        }
    }

    #[test]
    fn a_gateway_is_a_host_and_a_port() {
        for good in ["127.0.0.1:5432", "gateway.cde.internal:5432", "[::1]:5432"] {
            assert!(Gateway::parse(good).is_ok(), "{good}");
        }
        for bad in ["gateway", "gateway:", "gateway:99999", ":5432", "a b:1"] {
            assert_eq!(Gateway::parse(bad).err().unwrap().code(), 2, "{bad}");
        }
    }

    #[tokio::test]
    async fn a_unix_socket_is_the_callers_alone_and_never_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let first = private_socket(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(private_socket(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(first);
        private_socket(&path).unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "kept").unwrap();
        assert!(private_socket(&file).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"kept");
    }
}
