//! A PostgreSQL of the test's own, and the engine between it and a client, over plain sockets.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use wire::Side;
use wire::postgres::{Config, Session};

use crate::driver::{Account, Asked, Driver, Verdict, index};

/// A running server; stopped when dropped.
pub(crate) struct Server {
    directory: tempfile::TempDir,
    binaries: PathBuf,
    pub(crate) port: u16,
}

fn binaries() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    found.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    found.retain(|directory| ["initdb", "psql", "pgbench"].iter().all(|name| directory.join(name).exists()));
    found.sort();
    found.pop().expect("PostgreSQL's server programs are needed for this test")
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    output.stdout.starts_with(b"0\n")
}

/// PostgreSQL does not run as root.
fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

impl Server {
    /// With users `scram`, `md5`, `plain` (password over a plain socket) and `trust`, each by the method of its name.
    pub(crate) fn start() -> Self {
        let binaries = binaries();
        let directory = tempfile::tempdir().expect("a directory");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(directory.path()));
        }
        let data = directory.path().join("data");
        run(command(&binaries.join("initdb"))
            .args(["-A", "trust", "-U", "owner", "-E", "UTF8", "--no-sync", "-D"])
            .arg(&data));
        // Taken and given back: the server cannot be handed a socket.
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories={}",
            directory.path().display()
        );
        let log = directory.path().join("log");
        run(command(&binaries.join("pg_ctl"))
            .arg("-w")
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(&log)
            .arg("-o")
            .arg(options)
            .arg("start")
            .stdout(Stdio::null()));
        let server = Self { directory, binaries, port };
        server.sql(
            "SET password_encryption = 'scram-sha-256'; CREATE USER scram PASSWORD 'schlüssel';
             CREATE USER plain PASSWORD 'geheim'; CREATE USER trust;
             SET password_encryption = 'md5'; CREATE USER md5 PASSWORD 'geheim'; CREATE DATABASE work;",
        );
        let hba = "host all scram 127.0.0.1/32 scram-sha-256\nhost all md5 127.0.0.1/32 md5\n\
                   host all plain 127.0.0.1/32 password\nhost all all 127.0.0.1/32 trust\n";
        std::fs::write(data.join("pg_hba.conf"), hba).expect("pg_hba.conf");
        run(command(&server.binaries.join("pg_ctl")).arg("reload").arg("-D").arg(&data));
        server
    }

    /// Runs SQL as the owner, past the gateway.
    pub(crate) fn sql(&self, text: &str) -> String {
        self.sql_in("postgres", text)
    }

    /// The same in another database.
    pub(crate) fn sql_in(&self, database: &str, text: &str) -> String {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.args(["-qAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "owner", "-d", database, "-p"]);
        psql.arg(self.port.to_string());
        for statement in text.split_inclusive(';') {
            psql.arg("-c").arg(statement);
        }
        let output = psql.output().expect("psql");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// psql, to be run against a gateway's port.
    pub(crate) fn psql(&self, port: u16) -> Command {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.env_clear().env("PGPASSWORD", "token").env("LC_ALL", "C.UTF-8");
        psql.args(["-X", "-h", "127.0.0.1", "-U", "job", "-d", "work", "-p"]).arg(port.to_string());
        psql
    }

    /// pgbench, to be run against a gateway's port.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut program = Command::new(self.binaries.join(name));
        program.env_clear().env("PGPASSWORD", "token");
        program
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.directory.path().join("data");
        let _ = command(&self.binaries.join("pg_ctl"))
            .args(["-m", "immediate", "stop", "-D"])
            .arg(&data)
            .output();
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
    /// Lets everyone in as `user`; statements are judged by `judge`.
    pub(crate) fn start(server: &Server, user: &str, password: &str, judge: fn(&Asked) -> Verdict) -> Self {
        Self::serving(server, ["work", user, password], judge)
    }

    /// The same, to another database, without a password.
    pub(crate) fn start_in(
        server: &Server,
        database: &str,
        user: &str,
        judge: fn(&Asked) -> Verdict,
    ) -> Self {
        Self::serving(server, [database, user, ""], judge)
    }

    fn serving(server: &Server, [database, user, password]: [&str; 3], judge: fn(&Asked) -> Verdict) -> Self {
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
                thread::spawn(move || tell.send(serve(client, target, account, judge)));
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

fn serve(client: TcpStream, target: u16, account: Account, judge: fn(&Asked) -> Verdict) -> Seen {
    let verdict = move |asked: &Asked| match asked {
        Asked::Login { .. } => Verdict::Admit(account.clone()),
        other => judge(other),
    };
    let mut driver = Driver::new(Session::new(Config::default()), Box::new(verdict));
    let (tell, told) = mpsc::channel();
    client.set_nodelay(true).expect("no delay");
    read_into(client.try_clone().expect("a socket"), Side::Client, tell.clone());
    let mut sockets = [Some(client), None];
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
        for side in [Side::Client, Side::Server] {
            let bytes = driver.take(side);
            if let Some(socket) = &mut sockets[index(side)] {
                let _ = socket.write_all(&bytes);
            }
        }
    }
    for socket in sockets.into_iter().flatten() {
        let _ = socket.shutdown(Shutdown::Both);
    }
    Seen { asked: driver.asked, events: driver.events, error: driver.error }
}
