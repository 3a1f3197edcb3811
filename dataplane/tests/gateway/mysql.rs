//! What is MariaDB's of a running gateway: the demo's policy for it, the stock client through the gateway and beside it.

use std::process::{Command, Stdio};

use super::{Gateway, changed, demo, text};

impl Gateway {
    /// Starts it with MariaDB alone behind it and the demo's policy for that.
    pub(crate) fn with_mysql() -> Self {
        Self::with_mysql_changes(&[])
    }

    /// The same with a policy in which every `from` is `to`.
    pub(crate) fn with_mysql_changes(changes: &[(&str, &str)]) -> Self {
        Self::with_policy(changed(Self::mysql_policy(), changes).path())
    }

    /// The demo's issuer and what it has for MariaDB.
    pub(crate) fn mysql_policy() -> String {
        let manifests = demo("manifests.yaml");
        let (issuer, _) = manifests.split_once("---\n").unwrap();
        format!("{issuer}---\n{}", demo("mysql.yaml"))
    }

    /// The gateway's port for it.
    pub(crate) fn mysql_port(&self) -> u16 {
        self.get("PANGATE_MYSQL_ADDR").rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// MariaDB's own port.
    pub(crate) fn mysql_target_port(&self) -> u16 {
        self.get("DIRECT_MYSQL_ADDR").rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// A stock client of the job, ready to run: statement after statement, errors or not, rows without heads.
    pub(crate) fn mariadb(&self, statements: &[&str]) -> Command {
        self.mariadb_as(&self.job_token(), self.mysql_port(), statements)
    }

    /// A stock client with a password and port of the caller's.
    pub(crate) fn mariadb_as(&self, password: &str, port: u16, statements: &[&str]) -> Command {
        let mut command = self.over_tcp(password, port, statements);
        command.args(["--ssl-verify-server-cert", &format!("--ssl-ca={}", self.get("PANGATE_CA"))]);
        command
    }

    /// A stock client of the job's that asks for no TLS.
    pub(crate) fn mariadb_without_tls(&self, password: &str, statements: &[&str]) -> Command {
        let mut command = self.over_tcp(password, self.mysql_port(), statements);
        command.arg("--skip-ssl");
        command
    }

    fn over_tcp(&self, password: &str, port: u16, statements: &[&str]) -> Command {
        let mut command = stock(statements);
        command.args(["--protocol=tcp", "-h", "localhost", "-u", "ci-job", "--connect-timeout=20"]);
        command.args(["-P", &port.to_string(), "-D", self.get("PANGATE_MYSQL_TARGET")]);
        command.env("MYSQL_PWD", password);
        command
    }

    /// Runs statements as the job; what was printed, errors too.
    pub(crate) fn mysql_job(&self, statements: &[&str]) -> String {
        text(&self.mariadb(statements).output().unwrap())
    }

    /// Runs statements at MariaDB itself, as its administrator.
    pub(crate) fn mysql_direct(&self, statements: &[&str]) -> String {
        let mut command = stock(statements);
        command
            .arg("-S")
            .arg(self.dir().join("mariadb/socket"))
            .args(["-D", self.get("DIRECT_MYSQL_DATABASE")]);
        text(&command.output().unwrap())
    }
}

/// By standard input: with `-e` the client gives up at the first error, whatever it is told.
fn stock(statements: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", "exec mariadb \"$@\" <<<\"$STATEMENTS\"", "mariadb"]);
    command.args(["--no-defaults", "--batch", "--skip-column-names", "--force"]);
    command.env("STATEMENTS", format!("{};", statements.join(";\n")));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
