//! `pangate connect`: a local listener for clients that cannot present a token themselves. Each connection is carried
//! to the gateway over verified TLS with the token put in; the token is read anew for each. Whoever can reach the
//! listener acts under that token, so it binds to loopback or to a Unix socket of the caller's own, nothing else.
//! PostgreSQL, and MySQL where the caller says so: there the listener has to speak first.

mod mysql;
mod postgres;
mod trouble;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

use super::client::Access;
use super::outcome::{Answer, Failure, Outcome};
use super::{output, tls, token};
use trouble::{Trouble, unreachable};

/// Connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 1000;
/// From accepting a client to its login's end, the gateway's part included.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes copied at once in each direction.
const COPY_BYTES: usize = 64 * 1024;

/// Opens a local listener that puts the identity token in
#[derive(Args)]
#[command(after_help = "\
Examples:
  pangate connect payments --gateway gateway.cde.internal:5432 --listen 127.0.0.1:5433 &
  psql -h 127.0.0.1 -p 5433 -U settlement reports        # database reports of target payments

  pangate connect payments --gateway gateway.cde.internal:5432 --listen /run/user/1000/.s.PGSQL.5432 &
  psql -h /run/user/1000 -U settlement payments          # nobody else on this machine can use it

  pangate connect shop --protocol mysql --gateway gateway.cde.internal:3306 --listen /run/user/1000/shop.sock &
  mariadb -S /run/user/1000/shop.sock -u settlement       # any password: the token takes its place

  pangate connect shop --protocol mysql --gateway gateway.cde.internal:3306 --listen 127.0.0.1:3307 &
  mysql --ssl-mode=DISABLED -h 127.0.0.1 -P 3307 -u settlement   # MariaDB's: --skip-ssl; the listener has no TLS

Other users of this machine can use a TCP listener under your token: prefer a Unix socket where there are any.")]
pub(crate) struct Connect {
    /// The target's name
    target: String,
    /// What the target and its clients speak
    #[arg(long, value_enum, default_value_t = Protocol::Postgres)]
    protocol: Protocol,
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

/// What is spoken with the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    /// PostgreSQL
    Postgres,
    /// MySQL and MariaDB
    Mysql,
}

/// What every connection needs to know.
struct Route {
    protocol: Protocol,
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
    if arguments.protocol == Protocol::Postgres {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    let route = Arc::new(Route {
        protocol: arguments.protocol,
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
            if let Err(trouble) = carry(client, &route).await {
                output::complain(&trouble.to_string());
            }
            drop(place);
        });
    }
}

/// Carries one client's connection to its end.
async fn carry(mut client: Box<dyn Local>, route: &Route) -> Result<(), Trouble> {
    let mut greeted = false;
    let login = async {
        match route.protocol {
            Protocol::Postgres => postgres::log_in(&mut client, route).await,
            Protocol::Mysql => mysql::log_in(&mut client, route, &mut greeted).await,
        }
    };
    let login = tokio::time::timeout(LOGIN_TIMEOUT, login).await;
    match login.unwrap_or_else(|_| Err(unreachable("the login took too long"))) {
        // How a session that got this far ends is the two sides' own affair.
        Ok(Some(mut gateway)) => drop(
            tokio::io::copy_bidirectional_with_sizes(&mut client, &mut gateway, COPY_BYTES, COPY_BYTES).await,
        ),
        Ok(None) => {}
        Err(trouble) => {
            let told = match route.protocol {
                Protocol::Postgres => postgres::error_message(&trouble),
                Protocol::Mysql => mysql::error_packet(&trouble, greeted),
            };
            // The client may be gone already; the trouble is told on standard error as well.
            drop(client.write_all(&told).await);
            drop(client.shutdown().await);
            return Err(trouble);
        }
    }
    Ok(())
}

/// The token command may take its time: it runs on a thread of its own.
async fn read_token(route: &Route) -> Result<token::Token, Trouble> {
    let source = route.token.clone();
    let read = tokio::task::spawn_blocking(move || source.read()).await;
    let read = read.unwrap_or_else(|_| Err(Failure::CouldNotAsk("the token could not be read".to_owned())));
    read.map_err(|failure| Trouble { sqlstate: "28000", text: failure.to_string() })
}

/// The database that the gateway routes by, `target` or `target/database`, for a client that has asked for `named`;
/// empty: for none.
fn database_of(target: &str, named: &[u8]) -> Vec<u8> {
    let prefix = [target.as_bytes(), b"/"].concat();
    if named.is_empty() {
        target.as_bytes().to_vec()
    } else if named == target.as_bytes() || named.starts_with(&prefix) {
        named.to_vec()
    } else {
        [prefix.as_slice(), named].concat()
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
