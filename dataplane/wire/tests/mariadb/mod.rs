//! A MariaDB of the test's own, and the engine between it and a client, over plain sockets.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use wire::Side;
use wire::mysql::{Config, Session};

use crate::driver::{Account, Asked, Driver, Verdict, index};

/// The users beside `root` (no password), each by the plugin of its name, and its password.
pub(crate) const USERS: [(&str, &str); 3] = [("native", "schlüssel"), ("ed25519", "geheim"), ("empty", "")];

/// A running server; stopped when dropped.
pub(crate) struct Server {
    process: Child,
    directory: tempfile::TempDir,
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
            .arg(format!("--datadir={}", data.display())));
        // Taken and given back: the server cannot be handed a socket.
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let log = std::fs::File::create(directory.path().join("log")).expect("a log");
        let process = program("mariadbd")
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--plugin-load-add=auth_ed25519"])
            .args(["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0"])
            .args(["--local-infile=1", "--max-allowed-packet=64M", "--skip-name-resolve"])
            .args(&owner)
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", directory.path().join("socket").display()))
            .arg(format!("--port={port}"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("MariaDB's server is needed for this test");
        let server = Self { process, directory, port };
        // Tries again, a second apart, until the server is up.
        run(program("mariadb-admin")
            .args(["--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-u", "root", "--wait=60"])
            .args(["-P", &port.to_string(), "ping"]));
        let mut set_up = String::from("CREATE DATABASE work CHARACTER SET utf8mb4;");
        for (user, password) in USERS {
            let plugin = match user {
                "ed25519" => "ed25519",
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

    /// The `mariadb` client with a token, to be run against a gateway's port.
    pub(crate) fn client(port: u16) -> Command {
        let mut client = program("mariadb");
        client.env_clear().env("LC_ALL", "C.UTF-8").env("MYSQL_PWD", "token");
        client.args(["--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-u", "job", "-P"]);
        client.args([&port.to_string(), "--default-character-set=utf8mb4", "--skip-ssl", "work"]);
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
        let config = Config { nonce: *b"0123456789abcdefghij", process: 77, ..Config::default() };
        Self::start_with(server, [user, password, "work"], config, judge)
    }

    /// The same, with the account's user, password and database, and a listener's settings.
    pub(crate) fn start_with(
        server: &Server,
        [user, password, database]: [&str; 3],
        config: Config,
        judge: fn(&Asked) -> Verdict,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (tell, seen) = mpsc::channel();
        let target = server.port;
        let account = Account {
            user: user.into(),
            password: password.into(),
            database: database.into(),
            tls: wire::ServerTls::Off,
            mask: scan::Format::Last4,
        };
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), tell, account) = (client, tell.clone(), account.clone()) else { return };
                let config = config.clone();
                thread::spawn(move || tell.send(serve(client, target, config, account, judge)));
            }
        });
        Self { port, seen }
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

fn send(driver: &mut Driver<Session>, sockets: &mut [Option<TcpStream>; 2]) {
    for side in [Side::Client, Side::Server] {
        let bytes = driver.take(side);
        if let Some(socket) = &mut sockets[index(side)] {
            let _ = socket.write_all(&bytes);
        }
    }
}

fn serve(
    client: TcpStream,
    target: u16,
    config: Config,
    account: Account,
    judge: fn(&Asked) -> Verdict,
) -> Seen {
    let verdict = move |asked: &Asked| match asked {
        Asked::Login { .. } => Verdict::Admit(account.clone()),
        other => judge(other),
    };
    let mut driver = Driver::new(Session::new(config), Box::new(verdict));
    let (tell, told) = mpsc::channel();
    client.set_nodelay(true).expect("no delay");
    read_into(client.try_clone().expect("a socket"), Side::Client, tell.clone());
    let mut sockets = [Some(client), None];
    send(&mut driver, &mut sockets);
    while !driver.closed {
        let Ok((side, bytes)) = told.recv() else { break };
        if bytes.is_empty() {
            driver.ended(side);
        } else {
            driver.feed(side, &bytes);
        }
        if driver.connecting {
            let server = TcpStream::connect(("127.0.0.1", target)).expect("the server");
            server.set_nodelay(true).expect("no delay");
            read_into(server.try_clone().expect("a socket"), Side::Server, tell.clone());
            sockets[1] = Some(server);
            driver.connected();
        }
        send(&mut driver, &mut sockets);
    }
    send(&mut driver, &mut sockets);
    for socket in sockets.into_iter().flatten() {
        let _ = socket.shutdown(Shutdown::Both);
    }
    Seen { asked: driver.asked, events: driver.events, error: driver.error }
}
