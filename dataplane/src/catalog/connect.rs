//! The catalog thread's own sessions at targets: under the rules of every other connection there (verify-full, or
//! plaintext asked for by name). Leaves out what is read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config};
use wire::Secret;

use super::Spec;
use crate::tls;
use crate::upstream::{TlsFiles, host};

/// What every session begins with. Names mean the catalog's own; nothing is written; nobody is waited for long.
const SETTINGS: &str = "SET search_path TO ''; SET default_transaction_read_only TO on; \
                        SET statement_timeout TO '8s'; SET lock_timeout TO '2s'";

/// Opens a session.
pub(super) async fn connect(spec: &Spec, database: &str, password: &Secret) -> Result<Client, String> {
    let stream = TcpStream::connect(&spec.address).await.map_err(|error| error.to_string())?;
    let mut config = Config::new();
    config.user(&spec.username).dbname(database);
    // Without a password the certificate speaks for the gateway.
    if !password.expose().is_empty() {
        config.password(password.expose());
    }
    config.application_name("pangate catalog");
    let client = match &spec.tls {
        None => {
            config.ssl_mode(SslMode::Disable);
            let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(cause)?;
            tokio::spawn(connection);
            client
        }
        Some(files) => {
            config.ssl_mode(SslMode::Require);
            if spec.direct {
                config.ssl_negotiation(SslNegotiation::Direct);
            }
            let connecting = Connecting::new(files, &spec.address)?;
            let (client, connection) = config.connect_raw(stream, connecting).await.map_err(cause)?;
            tokio::spawn(connection);
            client
        }
    };
    client.batch_execute(SETTINGS).await.map_err(cause)?;
    Ok(client)
}

/// What went wrong, without what the server says: that may name the credential, or hold a value.
pub(super) fn cause(error: tokio_postgres::Error) -> String {
    match error.code() {
        Some(code) => format!("SQLSTATE {}", code.code()),
        None => error.to_string(),
    }
}

/// TLS to be made.
struct Connecting {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Connecting {
    fn new(files: &TlsFiles, address: &str) -> Result<Self, String> {
        let own = files.own.as_ref().map(|(certificate, key)| (certificate.as_path(), key.as_path()));
        let config = tls::client_config(files.ca.as_deref(), own, Some(tls::ALPN_POSTGRES))
            .map_err(|error| error.to_string())?;
        let name = tls::server_name(host(address)).map_err(|error| error.to_string())?;
        Ok(Self { config, name })
    }
}

impl TlsConnect<TcpStream> for Connecting {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        let connector = tokio_rustls::TlsConnector::from(self.config);
        Box::pin(async move { Ok(Encrypted(Box::new(connector.connect(self.name, stream).await?))) })
    }
}

/// A stream over TLS.
struct Encrypted(Box<tokio_rustls::client::TlsStream<TcpStream>>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
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
