//! A second target on the gateway's listener, certificates of the demo's authority, and a man in the middle.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::gateway::{Gateway, text, wait_for};
use crate::raw::SSL_REQUEST;

fn openssl(arguments: &[&str], folder: &Path) {
    let done = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", text(&done));
}

/// A certificate for localhost and its key, of the demo's authority; `subject` as `/CN=…`.
pub(crate) fn certificate(gateway: &Gateway, name: &str, subject: &str) -> (PathBuf, PathBuf) {
    let pki = gateway.dir().join("pki");
    let (request, key, file) = (format!("{name}.csr"), format!("{name}.key"), format!("{name}.pem"));
    let new = ["req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    openssl(&[&new[..], &["-subj", subject, "-keyout", &key, "-out", &request]].concat(), &pki);
    std::fs::write(
        pki.join("names"),
        "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n",
    )
    .unwrap();
    let signed = ["x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
    openssl(&[&signed[..], &["-extfile", "names", "-in", &request, "-out", &file]].concat(), &pki);
    (pki.join(file), pki.join(key))
}

/// Adds a target `other` to the demo's, on the same listener and for the same jobs.
pub(crate) fn add_other(gateway: &Gateway, address: &str, lines: &str) {
    let listen = format!("127.0.0.1:{}", gateway.port());
    let other = format!(
        "kind: Target\nname: other\nprotocol: postgres\nlisten: {listen}\naddress: {address}\ndatabase: payments\n\
         {lines}\n---\nkind: Policy\n"
    );
    let policy = gateway
        .policy()
        .replace("kind: Policy\n", &other)
        .replace("targets: [payments]", "targets: [payments, other]");
    let applied = gateway.apply(&policy);
    assert!(applied.status.success(), "{}", text(&applied));
}

/// What a job's psql at `other` says, once the gateway knows that target.
pub(crate) fn ask_other(gateway: &Gateway, statement: &str) -> String {
    let conninfo = gateway.conninfo().replace("dbname=payments", "dbname=other");
    wait_for("the new target", || {
        let said = text(&gateway.psql_as(&gateway.job_token(), &conninfo, &[statement]).output().unwrap());
        let known = !["no target", "being looked up", "no policy"].iter().any(|word| said.contains(word));
        known.then_some(said)
    })
}

/// The demo's own way to its target.
pub(crate) fn usual(gateway: &Gateway) -> String {
    format!(
        "tls: {{mode: verify-full, ca: {}}}\ncredential: {{username: settlement_rw, passwordFile: {}}}",
        gateway.get("PANGATE_CA"),
        gateway.dir().join("target/payments.password").display()
    )
}

/// Runs statements at the target as its superuser.
pub(crate) fn administer(gateway: &Gateway, statements: &[&str]) -> String {
    let conninfo = format!(
        "host={} port={} user=postgres dbname=payments",
        gateway.dir().join("postgres").display(),
        gateway.target_port()
    );
    text(&gateway.psql_as("", &conninfo, statements).output().unwrap())
}

/// What a man in the middle does to a message of the target's.
pub(crate) type Change = fn(Vec<u8>) -> Vec<u8>;

/// Ends TLS with a certificate of its own, carries everything on to the target in TLS of its own.
pub(crate) struct Middle {
    /// Names the protocol by ALPN and wants TLS from the first byte, as PostgreSQL 17 can.
    direct: bool,
    accept: Arc<ServerConfig>,
    connect: Arc<ClientConfig>,
    target: u16,
    change: Change,
}

impl Middle {
    pub(crate) fn start(
        gateway: &Gateway,
        (certificate, key): (&Path, &Path),
        direct: bool,
        change: Change,
    ) -> u16 {
        let chain = CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let accept =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let mut accept = accept.with_no_client_auth().with_single_cert(chain, key).unwrap();
        if direct {
            accept.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connect = crate::raw::config(gateway, &[]);
        let middle =
            Self { direct, accept: Arc::new(accept), connect, target: gateway.target_port(), change };
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let middle = Arc::new(middle);
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let middle = Arc::clone(&middle);
                    tokio::spawn(async move { middle.carry(stream).await });
                }
            });
        });
        port
    }

    async fn carry(&self, mut client: TcpStream) -> std::io::Result<()> {
        if !self.direct {
            client.read_exact(&mut [0; 8]).await?;
            client.write_all(b"S").await?;
        }
        let client = tokio_rustls::TlsAcceptor::from(Arc::clone(&self.accept)).accept(client).await?;
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.target)).await?;
        server.write_all(&SSL_REQUEST).await?;
        server.read_exact(&mut [0]).await?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.connect));
        let server = connector.connect(ServerName::try_from("localhost").unwrap(), server).await?;
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_server, mut to_server) = tokio::io::split(server);
        let change = self.change;
        let back = async move {
            let mut bytes = vec![0; 16 * 1024];
            loop {
                let length = from_server.read(&mut bytes).await?;
                if length == 0 {
                    return to_client.shutdown().await;
                }
                to_client.write_all(&change(bytes[..length].to_vec())).await?;
                to_client.flush().await?;
            }
        };
        let forth = async move {
            tokio::io::copy(&mut from_client, &mut to_server).await?;
            to_server.shutdown().await
        };
        let (forth, back) = tokio::join!(forth, back);
        forth.and(back)
    }
}
