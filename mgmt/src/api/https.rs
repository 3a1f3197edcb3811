//! HTTP/1.1 over TLS 1.2 and 1.3: connections bounded in number, time and bytes; every request numbered, logged and
//! answered in time; a stop lets what has begun end. Leaves out the routes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::Response;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::problem::Failure;
use super::types::REQUEST_ID_HEADER;

/// Connections at once, at the most.
const CONNECTIONS_MAX: usize = 512;
/// A TLS handshake takes so long at the most.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// A request's head takes so long at the most, and so long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A request is answered within this.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A stop waits for requests that have begun, at the most so long.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a request's head at the most.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Why HTTPS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HttpsError {
    /// Certificate or key cannot be read, or are none.
    #[error("{path}: {cause}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// Certificate and key do not fit each other, or are of a kind that is not taken.
    #[error("certificate and key: {0}")]
    Tls(#[from] rustls::Error),
    /// The address cannot be listened at.
    #[error("{address}: {cause}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
}

/// TLS with this certificate chain and key.
pub fn tls(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, HttpsError> {
    let chain = certificates(cert)?;
    let failed = |cause: String| HttpsError::File { path: key.to_owned(), cause };
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates in a PEM file; at least one.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, HttpsError> {
    let failed = |cause: String| HttpsError::File { path: path.to_owned(), cause };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
    let certificates: Vec<_> =
        certificates.collect::<Result<_, _>>().map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() { Err(failed("no certificate in it".to_owned())) } else { Ok(certificates) }
}

/// Listens.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, HttpsError> {
    TcpListener::bind(address).await.map_err(|cause| HttpsError::Bind { address, cause })
}

/// Serves until `stop` says so, and then until what has begun has ended.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let router = router.layer(middleware::from_fn(answer));
    let (acceptor, places) = (TlsAcceptor::from(tls), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((stream, place)) = accepted else { continue };
        let (acceptor, router, watcher) = (acceptor.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
            let Ok(Ok(stream)) = handshake else {
                tracing::debug!("a TLS handshake failed");
                return;
            };
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_buf_size(HEAD_BYTES_MAX)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still running at the stop");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, place))
        }
        Err(error) => {
            // Out of descriptors, most likely: others must end first.
            tracing::error!(%error, "no connection can be taken");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// The outermost layer: numbers the request, bounds its time, finishes errors, logs. Never logs a query or a header.
async fn answer(request: Request, next: Next) -> Result<Response, Infallible> {
    let begun = Instant::now();
    let mut bytes = [0; 8];
    let _ = getrandom::fill(&mut bytes);
    let id = format!("{:016x}", u64::from_be_bytes(bytes));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::unavailable("it took too long").respond(&id),
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let headers = std::mem::take(response.headers_mut());
        response = failure.respond(&id);
        for (name, value) in &headers {
            if name != axum::http::header::CONTENT_LENGTH {
                response.headers_mut().insert(name, value.clone());
            }
        }
    }
    let status = response.status();
    for (name, value) in [
        (REQUEST_ID_HEADER, id.as_str()),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if status.is_server_error() {
        tracing::error!(request = id, %method, path, status = status.as_u16(), took_ms, "answered");
    } else {
        tracing::info!(request = id, %method, path, status = status.as_u16(), took_ms, "answered");
    }
    Ok(response)
}
