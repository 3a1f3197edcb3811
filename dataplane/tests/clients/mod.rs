//! tokio-postgres over TLS through the gateway: a connector of rustls, sessions whose notices are kept.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_lite::future::poll_fn;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{AsyncMessage, Client, Config, Error};

use crate::gateway::Gateway;

/// What a client of the gateway trusts.
pub(crate) fn tls_config(ca: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// Makes TLS connections for tokio-postgres.
#[derive(Clone)]
pub(crate) struct Connector(Arc<ClientConfig>);

impl Connector {
    /// One that trusts what signs the gateway's certificate.
    pub(crate) fn new(gateway: &Gateway) -> Self {
        Self(tls_config(Path::new(gateway.get("PANGATE_CA"))))
    }

    /// One with TLS of the caller's.
    pub(crate) fn with(config: Arc<ClientConfig>) -> Self {
        Self(config)
    }
}

/// One connection to be made.
pub(crate) struct Connecting(Arc<ClientConfig>, ServerName<'static>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Connector {
    type Stream = Encrypted<S>;
    type TlsConnect = Connecting;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Connecting> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Connecting(Arc::clone(&self.0), name))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connecting {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let connector = tokio_rustls::TlsConnector::from(self.0);
        Box::pin(
            async move { connector.connect(self.1, stream).await.map(|stream| Encrypted(Box::new(stream))) },
        )
    }
}

/// A stream over TLS.
pub(crate) struct Encrypted<S>(Box<tokio_rustls::client::TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// The job's session, and the notices it is sent.
pub(crate) struct Job {
    pub(crate) client: Client,
    pub(crate) notices: UnboundedReceiver<String>,
    /// What the connection ended with.
    pub(crate) end: tokio::task::JoinHandle<Option<Error>>,
}

/// Opens a session of the job.
pub(crate) async fn open(gateway: &Gateway) -> Job {
    open_as(gateway, &gateway.job_token()).await.unwrap()
}

/// Opens a session with a token of the caller's.
pub(crate) async fn open_as(gateway: &Gateway, token: &str) -> Result<Job, Error> {
    let (client, connection) = config(gateway, token).connect(Connector::new(gateway)).await?;
    Ok(watched(client, connection))
}

/// Opens a session from another address of this machine.
pub(crate) async fn open_from(gateway: &Gateway, token: &str, source: SocketAddr) -> Result<Job, Error> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(source).unwrap();
    let stream = socket.connect((Ipv4Addr::LOCALHOST, gateway.port()).into()).await.unwrap();
    let tls = Connecting(Connector::new(gateway).0, ServerName::try_from("localhost").unwrap());
    let (client, connection) = config(gateway, token).connect_raw(stream, tls).await?;
    Ok(watched(client, connection))
}

fn config(gateway: &Gateway, token: &str) -> Config {
    let mut config = Config::new();
    config.host("localhost").port(gateway.port()).user("ci-job").password(token);
    config.dbname(gateway.get("PANGATE_POSTGRES_TARGET")).ssl_mode(SslMode::Require);
    config
}

fn watched<S, T>(client: Client, mut connection: tokio_postgres::Connection<S, T>) -> Job
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, notices) = unbounded_channel();
    let end = tokio::spawn(async move {
        loop {
            match poll_fn(|cx| connection.poll_message(cx)).await {
                Some(Ok(AsyncMessage::Notice(notice))) => drop(sender.send(notice.message().to_owned())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Some(error),
                None => return None,
            }
        }
    });
    Job { client, notices, end }
}

/// Opens a session at the target itself.
pub(crate) async fn open_directly(gateway: &Gateway) -> Client {
    let mut config = Config::new();
    config.host("127.0.0.1").port(gateway.target_port()).user(gateway.get("DIRECT_POSTGRES_USER"));
    config.password(gateway.get("DIRECT_POSTGRES_PASSWORD")).dbname(gateway.get("DIRECT_POSTGRES_DATABASE"));
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The SQLSTATE and message of an error of the server.
pub(crate) fn said(error: &Error) -> String {
    error.as_db_error().map_or_else(
        || format!("no server's error: {error:?}"),
        |error| format!("{} {}", error.code().code(), error.message()),
    )
}

/// Runs a test's tasks on a runtime of two threads; at most two minutes.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(std::time::Duration::from_secs(120), test).await })
        .unwrap();
}
