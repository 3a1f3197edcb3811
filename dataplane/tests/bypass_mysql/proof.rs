//! A MariaDB with the demo's data and no gateway, ended with the value: where tricks are shown to work.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::client::Session;

/// The server.
pub(crate) struct Proof {
    folder: tempfile::TempDir,
}

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("packaging")
}

fn script(word: &str, folder: &Path) -> Command {
    let mut command = Command::new(packaging().join("mariadb"));
    command.arg(word).arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Proof {
    /// Starts it; its user `proof` may do all, files of the server and of the client included.
    pub(crate) fn start() -> Self {
        // Where the server's own user can come to.
        let folder = tempfile::Builder::new().prefix("pangate-proof.").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let proof = Self { folder };
        assert!(script("start", &proof.server()).arg(port.to_string()).status().unwrap().success());
        let data = std::fs::read_to_string(packaging().join("demo.d/cards.mysql.sql")).unwrap();
        let setup = format!(
            "CREATE USER proof@localhost; GRANT ALL ON *.* TO proof@localhost; SET GLOBAL local_infile = ON; \
             CREATE DATABASE shop; USE shop; {data}"
        );
        let mut client = Command::new("mariadb")
            .args(["--no-defaults", "-S"])
            .arg(proof.socket())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        client.stdin.take().unwrap().write_all(setup.as_bytes()).unwrap();
        assert!(client.wait().unwrap().success());
        proof
    }

    fn server(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    fn socket(&self) -> PathBuf {
        self.server().join("socket")
    }

    /// A session.
    pub(crate) fn session(&self) -> Session {
        Session::open_directly(&self.socket(), "shop")
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        let _ = script("stop", &self.server()).status();
    }
}
