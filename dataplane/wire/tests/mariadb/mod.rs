//! A MariaDB of the test's own, and the engine between it and a client, over plain sockets or TLS.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, IpAddr, PrivateKeyDer, ServerName};

use wire::mysql::{Config, Session};
use wire::{ServerTls, Side};

use crate::driver::{Account, Asked, Driver, Verdict, index};

/// The users beside `root` (no password), each by the plugin of its name, and its password. `either` may come by two
/// plugins, and this password is the second's.
pub(crate) const USERS: [(&str, &str); 4] =
    [("native", "schlüssel"), ("ed25519", "geheim"), ("empty", ""), ("either", "geheim")];

/// A running server; stopped when dropped.
pub(crate) struct Server {
    process: Child,
    directory: tempfile::TempDir,
    papers: Papers,
    pub(crate) port: u16,
}

/// Programs of the server stand in `sbin`, which a test's path need not have.
fn program(name: &str) -> Command {
    let place = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin", "/usr/libexec"]
        .map(|directory| Path::new(directory).join(name))
        .into_iter()
        .find(|place| place.exists());
    Command::new(place.unwrap_or_else(|| name.into()))
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    output.stdout.starts_with(b"0\n")
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("MariaDB's programs are needed for this test");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(output.stdout), text(output.stderr));
    text(output.stdout)
}

/// An authority and a certificate of its own for 127.0.0.1, which both legs' servers show.
struct Papers {
    authority: CertificateDer<'static>,
    authority_pem: String,
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key: KeyPair,
}

impl Papers {
    fn issue() -> Self {
        let mut params = CertificateParams::new([]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().expect("a key");
        let authority = params.self_signed(&authority_key).expect("a certificate");
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["127.0.0.1", "localhost"].map(String::from)).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        Self {
            authority: authority.der().clone(),
            authority_pem: authority.pem(),
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            key,
        }
    }

    /// TLS of the gateway as a server, and as a client.
    fn configs(&self) -> (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>) {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("a key");
        let server = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .expect("a certificate");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.authority.clone()).expect("an authority");
        let client = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        (Arc::new(server), Arc::new(client))
    }
}

impl Server {
    /// With the [`USERS`], who may do everything, and the database `work`.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with options of the server.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        let mut owner = Vec::new();
        if is_root() {
            run(Command::new("chown").arg("mysql").arg(directory.path()));
            owner.push("--user=mysql");
        }
        run(program("mariadb-install-db")
            .args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"])
            .args(&owner)
            // Servers clear what they find of each other's in a folder that they share.
            .arg(format!("--tmpdir={}", directory.path().display()))
            .arg(format!("--datadir={}", data.display())));
        // Taken and given back: the server cannot be handed a socket.
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let papers = Papers::issue();
        let place = |name: &str| directory.path().join(name);
        for (name, text) in [
            ("ca.pem", &papers.authority_pem),
            ("cert.pem", &papers.certificate_pem),
            ("key.pem", &papers.key.serialize_pem()),
        ] {
            std::fs::write(place(name), text).expect("written");
        }
        let log = std::fs::File::create(directory.path().join("log")).expect("a log");
        let process = program("mariadbd")
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--plugin-load-add=auth_ed25519"])
            .args(["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0"])
            .args(["--local-infile=1", "--max-allowed-packet=64M", "--skip-name-resolve"])
            .args(&owner)
            .arg(format!("--tmpdir={}", directory.path().display()))
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", directory.path().join("socket").display()))
            .arg(format!("--port={port}"))
            .arg(format!("--ssl-cert={}", place("cert.pem").display()))
            .arg(format!("--ssl-key={}", place("key.pem").display()))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("MariaDB's server is needed for this test");
        let server = Self { process, directory, papers, port };
        // Tries again, a second apart, until the server is up.
        run(program("mariadb-admin")
            .args(["--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-u", "root", "--wait=60"])
            .args(["-P", &port.to_string(), "ping"]));
        let mut set_up = String::from("CREATE DATABASE work CHARACTER SET utf8mb4;");
        for (user, password) in USERS {
            let plugin = match user {
                "ed25519" => "ed25519",
                "either" => "ed25519 USING PASSWORD('other') OR mysql_native_password",
                _ => "mysql_native_password",
            };
            set_up.push_str(&format!(
                "CREATE USER {user}@'127.0.0.1' IDENTIFIED VIA {plugin} USING PASSWORD('{password}');
                 GRANT ALL ON *.* TO {user}@'127.0.0.1' WITH GRANT OPTION;"
            ));
        }
        server.sql(&set_up);
        server
    }

    /// Runs SQL as `root`, past the gateway: rows with tabs between their columns.
    pub(crate) fn sql(&self, text: &str) -> String {
        run(program("mariadb")
            .args(["--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-u", "root", "-N", "-B"])
            .args(["--default-character-set=utf8mb4", "-P", &self.port.to_string(), "-e", text]))
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// The `mariadb` client with a token, to be run against a gateway's port, over a plain socket.
    pub(crate) fn client(port: u16) -> Command {
        let mut client = Self::any_client(port);
        client.args(["--skip-ssl", "work"]);
        client
    }

    /// The same over TLS, which it takes from this server's authority alone.
    pub(crate) fn secure_client(&self, port: u16) -> Command {
        let mut client = Self::any_client(port);
        client.arg(format!("--ssl-ca={}", self.directory.path().join("ca.pem").display()));
        client.args(["--ssl-verify-server-cert", "work"]);
        client
    }

    /// The file of its authority, for other clients.
    pub(crate) fn ca(&self) -> String {
        self.directory.path().join("ca.pem").display().to_string()
    }
    fn any_client(port: u16) -> Command {
        let mut client = program("mariadb");
        client.env_clear().env("LC_ALL", "C.UTF-8").env("MYSQL_PWD", "token");
        client.args(["--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-u", "job", "-P"]);
        client.args([&port.to_string(), "--default-character-set=utf8mb4"]);
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a gateway's session came to.
pub(crate) struct Seen {
    pub(crate) asked: Vec<Asked>,
    pub(crate) events: Vec<wire::Event>,
    pub(crate) error: Option<wire::Error>,
}

/// Serves one client after another until dropped; each session's end is told.
pub(crate) struct Gateway {
    pub(crate) port: u16,
    pub(crate) seen: mpsc::Receiver<Seen>,
}

impl Gateway {
    /// Lets everyone in as `user`, to `work`; statements are judged by `judge`.
    pub(crate) fn start(server: &Server, user: &str, password: &str, judge: fn(&Asked) -> Verdict) -> Self {
        Self::start_with(server, [user, password, "work"], plain(), ServerTls::Off, judge)
    }

    /// The same, with TLS due on both legs.
    pub(crate) fn start_secure(
        server: &Server,
        user: &str,
        password: &str,
        judge: fn(&Asked) -> Verdict,
    ) -> Self {
        let config = Config { tls_offered: true, tls_required: true, ..plain() };
        Self::start_with(server, [user, password, "work"], config, ServerTls::Required, judge)
    }

    /// The same, with the account's user, password and database, and a listener's settings.
    pub(crate) fn start_with(
        server: &Server,
        [user, password, database]: [&str; 3],
        config: Config,
        tls: ServerTls,
        judge: fn(&Asked) -> Verdict,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (tell, seen) = mpsc::channel();
        let account = Account {
            user: user.into(),
            password: password.into(),
            database: database.into(),
            tls,
            mask: scan::Format::Last4,
        };
        let place =
            Arc::new(Place { target: server.port, config, account, judge, tls: server.papers.configs() });
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), tell, place) = (client, tell.clone(), Arc::clone(&place)) else { return };
                thread::spawn(move || tell.send(serve(client, &place)));
            }
        });
        Self { port, seen }
    }
}

/// What a listener's sessions have in common.
struct Place {
    target: u16,
    config: Config,
    account: Account,
    judge: fn(&Asked) -> Verdict,
    tls: (Arc<rustls::ServerConfig>, Arc<rustls::ClientConfig>),
}

fn plain() -> Config {
    Config { nonce: *b"0123456789abcdefghij", process: 77, ..Config::default() }
}

/// A leg's socket, and its TLS once that has begun.
struct Leg {
    socket: TcpStream,
    tls: Option<rustls::Connection>,
}

impl Leg {
    fn new(socket: TcpStream, side: Side, tell: mpsc::Sender<(Side, Vec<u8>)>) -> Self {
        socket.set_nodelay(true).expect("no delay");
        read_into(socket.try_clone().expect("a socket"), side, tell);
        Self { socket, tls: None }
    }

    /// What the peer has said; `None`: nothing as yet, or its TLS is none.
    fn receive(&mut self, mut bytes: &[u8]) -> Option<Vec<u8>> {
        let Some(tls) = &mut self.tls else { return Some(bytes.to_vec()) };
        let mut plain = Vec::new();
        while !bytes.is_empty() {
            tls.read_tls(&mut bytes).expect("read from memory");
            let done = tls.process_new_packets();
            let mut part = vec![0; done.as_ref().map_or(0, rustls::IoState::plaintext_bytes_to_read)];
            tls.reader().read_exact(&mut part).expect("as much as there is");
            plain.append(&mut part);
            if done.is_err() {
                let _ = self.socket.shutdown(Shutdown::Both);
                break;
            }
        }
        self.flush();
        (!plain.is_empty()).then_some(plain)
    }

    fn send(&mut self, plain: &[u8]) {
        match &mut self.tls {
            None => drop(self.socket.write_all(plain)),
            Some(tls) => tls.writer().write_all(plain).expect("written to memory"),
        }
        self.flush();
    }

    fn flush(&mut self) {
        while let Some(tls) = self.tls.as_mut().filter(|tls| tls.wants_write()) {
            if tls.write_tls(&mut self.socket).is_err() {
                return;
            }
        }
    }

    fn secure(&mut self, side: Side, place: &Place) {
        let (server, client) = &place.tls;
        let tls = match side {
            Side::Client => rustls::ServerConnection::new(Arc::clone(server)).map(rustls::Connection::from),
            Side::Server => {
                let name = ServerName::IpAddress(IpAddr::try_from("127.0.0.1").expect("an address"));
                rustls::ClientConnection::new(Arc::clone(client), name).map(rustls::Connection::from)
            }
        };
        let mut tls = tls.expect("TLS");
        tls.set_buffer_limit(None);
        self.tls = Some(tls);
    }
}

fn read_into(mut socket: TcpStream, side: Side, tell: mpsc::Sender<(Side, Vec<u8>)>) {
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = socket.read(&mut buffer).unwrap_or(0);
            if tell.send((side, buffer[..length].to_vec())).is_err() || length == 0 {
                return;
            }
        }
    });
}

/// Sends what is to be sent; TLS begins where the engine has said.
fn send(driver: &mut Driver<Session>, legs: &mut [Option<Leg>; 2], place: &Place) {
    for side in [Side::Client, Side::Server] {
        let bytes = driver.take(side);
        let Some(leg) = &mut legs[index(side)] else { continue };
        let (plain, inside) = bytes.split_at(driver.plain[index(side)].unwrap_or(0));
        if driver.plain[index(side)].take().is_some() {
            leg.send(plain);
            leg.secure(side, place);
            let early = std::mem::take(&mut driver.early[index(side)]);
            assert_eq!(leg.receive(&early), None, "a handshake is not over in its first flight");
        }
        leg.send(inside);
    }
}

fn serve(client: TcpStream, place: &Place) -> Seen {
    let (account, judge) = (place.account.clone(), place.judge);
    let verdict = move |asked: &Asked| match asked {
        Asked::Login { .. } => Verdict::Admit(account.clone()),
        other => judge(other),
    };
    let mut driver = Driver::new(Session::new(place.config.clone()), Box::new(verdict));
    let (tell, told) = mpsc::channel();
    let mut legs = [Some(Leg::new(client, Side::Client, tell.clone())), None];
    send(&mut driver, &mut legs, place);
    while !driver.closed {
        let Ok((side, bytes)) = told.recv() else { break };
        if bytes.is_empty() {
            driver.ended(side);
        } else if let Some(plain) = legs[index(side)].as_mut().and_then(|leg| leg.receive(&bytes)) {
            driver.feed(side, &plain);
        }
        if driver.connecting {
            let server = TcpStream::connect(("127.0.0.1", place.target)).expect("the server");
            legs[1] = Some(Leg::new(server, Side::Server, tell.clone()));
            driver.connected();
        }
        send(&mut driver, &mut legs, place);
    }
    for leg in legs.into_iter().flatten() {
        let _ = leg.socket.shutdown(Shutdown::Both);
    }
    Seen { asked: driver.asked, events: driver.events, error: driver.error }
}
