//! The whole of pangate, started as `packaging/demo --keep` starts it, ended with the value.
#![allow(dead_code, reason = "each test binary uses a part of it")]

mod mysql;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A running gateway with a real PostgreSQL, MariaDB or both behind it, as its policy has targets.
pub(crate) struct Gateway {
    dir: tempfile::TempDir,
    env: HashMap<String, String>,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A part of the demo's policy.
fn demo(name: &str) -> String {
    std::fs::read_to_string(repository().join("packaging/demo.d").join(name)).unwrap()
}

/// A text in which every `from` is `to`.
fn changed(mut policy: String, changes: &[(&str, &str)]) -> tempfile::NamedTempFile {
    for (from, to) in changes {
        assert!(policy.contains(from), "the demo's policy has no {from}");
        policy = policy.replace(from, to);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), policy).unwrap();
    file
}

impl Gateway {
    /// Starts it with the demo's policy.
    pub(crate) fn start() -> Self {
        Self::with_policy(&repository().join("packaging/demo.d/manifests.yaml"))
    }

    /// Starts it with another policy (a file with the demo's placeholders).
    pub(crate) fn with_policy(policy: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("pangate-test.").tempdir_in("/tmp").unwrap();
        let started = Command::new(repository().join("packaging/demo"))
            .args(["--keep".as_ref(), dir.path().as_os_str()])
            .env("PANGATE_DEMO_POLICY", policy)
            .env(
                "PANGATE_DEMO_PROFILE",
                std::env::var("PANGATE_DEMO_PROFILE").unwrap_or_else(|_| "dev".into()),
            )
            .output()
            .unwrap();
        if !started.status.success() {
            show_logs(dir.path());
            panic!("{}", text(&started));
        }
        let lines = std::fs::read_to_string(dir.path().join("demo.env")).unwrap();
        let env = lines
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(k, v)| (k.into(), v.into()))
            .collect();
        Self { dir, env }
    }

    /// Starts it with the demo's policy in which every `from` is `to`.
    pub(crate) fn with_changes(changes: &[(&str, &str)]) -> Self {
        Self::with_policy(changed(demo("manifests.yaml"), changes).path())
    }

    /// A setting of demo.env.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.env.get(key).unwrap_or_else(|| panic!("demo.env has no {key}"))
    }

    /// Where it keeps everything.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A fresh token of the job.
    pub(crate) fn job_token(&self) -> String {
        self.shell(self.get("PANGATE_TOKEN_CMD"))
    }

    /// A fresh token of a reviewer.
    pub(crate) fn reviewer_token(&self, person: u32) -> String {
        self.shell(&format!("{} {person}", self.get("PANGATE_REVIEWER_TOKEN_CMD")))
    }

    /// A token of the development issuer with other words.
    pub(crate) fn token(&self, arguments: &[&str]) -> String {
        let config = self.dir().join("mgmt.yaml");
        let made = Command::new(self.program("pangate-mgmt"))
            .args(["dev-token", "--config"])
            .arg(config)
            .args(arguments)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", text(&made));
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    fn shell(&self, command: &str) -> String {
        let done = Command::new("sh").args(["-c", command]).output().unwrap();
        assert!(done.status.success(), "{}", text(&done));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// One of the built programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        Path::new(self.get("PANGATE_BIN")).join(name)
    }

    /// The gateway's port.
    pub(crate) fn port(&self) -> u16 {
        self.get("PANGATE_POSTGRES_ADDR").rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// The target's own port.
    pub(crate) fn target_port(&self) -> u16 {
        self.get("DIRECT_POSTGRES_ADDR").rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// A connection string through the gateway, without the password.
    pub(crate) fn conninfo(&self) -> String {
        format!(
            "host=localhost port={} dbname={} user=ci-job sslmode=verify-full sslrootcert={}",
            self.port(),
            self.get("PANGATE_POSTGRES_TARGET"),
            self.get("PANGATE_CA")
        )
    }

    /// A psql of the job, ready to run.
    pub(crate) fn psql(&self, statements: &[&str]) -> Command {
        self.psql_as(&self.job_token(), &self.conninfo(), statements)
    }

    /// A psql with a password and connection string of the caller's.
    pub(crate) fn psql_as(&self, password: &str, conninfo: &str, statements: &[&str]) -> Command {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-A", "-t", conninfo]).env("PGPASSWORD", password);
        for statement in statements {
            command.args(["-c", statement]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs statements as the job; what was printed, errors too.
    pub(crate) fn job(&self, statements: &[&str]) -> String {
        text(&self.psql(statements).output().unwrap())
    }

    /// Runs statements at the target itself.
    pub(crate) fn direct(&self, statements: &[&str]) -> String {
        let conninfo = format!(
            "host=127.0.0.1 port={} dbname={} user={}",
            self.target_port(),
            self.get("DIRECT_POSTGRES_DATABASE"),
            self.get("DIRECT_POSTGRES_USER")
        );
        text(&self.psql_as(self.get("DIRECT_POSTGRES_PASSWORD"), &conninfo, statements).output().unwrap())
    }

    /// `pangate` as a reviewer.
    pub(crate) fn pangate(&self, person: u32, arguments: &[&str]) -> Output {
        self.pangate_as(&self.reviewer_token(person), arguments)
    }

    /// `pangate` with a token of the caller's.
    pub(crate) fn pangate_as(&self, token: &str, arguments: &[&str]) -> Output {
        Command::new(self.program("pangate"))
            .args(arguments)
            .env("PANGATE_MGMT_URL", self.get("PANGATE_MGMT_URL"))
            .env("PANGATE_CA", self.get("PANGATE_CA"))
            .env("PANGATE_TOKEN", token)
            .output()
            .unwrap()
    }

    /// What `pangate … --json` says, as a reviewer.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        let said = self.pangate(1, &all);
        serde_json::from_slice(&said.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", text(&said)))
    }

    /// The one ticket that waits, once there is one.
    pub(crate) fn pending_ticket(&self) -> String {
        wait_for("a pending ticket", || {
            let all = self.json(&["approvals", "list"]);
            let pending = all.as_array()?.iter().find(|ticket| ticket["state"] == "pending")?;
            Some(pending["id"].as_str()?.to_owned())
        })
    }

    /// The process number of `mgmt` or `dataplane`.
    pub(crate) fn pid(&self, name: &str) -> i32 {
        std::fs::read_to_string(self.dir().join(format!("{name}.pid"))).unwrap().trim().parse().unwrap()
    }

    /// Sends a signal to `mgmt` or `dataplane` and waits until it is gone.
    pub(crate) fn kill(&self, name: &str, signal: &str) {
        let pid = self.pid(name).to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        wait_for(&format!("{name} ending"), || has_ended(&Path::new("/proc").join(&pid)).then_some(()));
    }

    /// Starts `mgmt` or `dataplane` again.
    pub(crate) fn start_again(&self, name: &str) {
        let (program, arguments) = match name {
            "mgmt" => ("pangate-mgmt", vec!["serve", "--config"]),
            _ => ("pangate-dataplane", vec!["--config"]),
        };
        let log = std::fs::File::options().append(true).open(self.dir().join(format!("{name}.log"))).unwrap();
        let child = Command::new(self.program(program))
            .args(arguments)
            .arg(self.dir().join(format!("{name}.yaml")))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        std::fs::write(self.dir().join(format!("{name}.pid")), child.id().to_string()).unwrap();
        reap(child);
    }

    /// The manifests in force.
    pub(crate) fn policy(&self) -> String {
        std::fs::read_to_string(self.dir().join("manifests/demo.yaml")).unwrap()
    }

    /// `pangate apply` of other manifests, as an administrator.
    pub(crate) fn apply(&self, policy: &str) -> Output {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("demo.yaml"), policy).unwrap();
        self.pangate(1, &["apply", folder.path().to_str().unwrap()])
    }

    /// Puts other manifests in force and waits until the dataplane judges by them: until `job` says `expected`.
    pub(crate) fn put_in_force(&self, policy: &str, job: &[&str], expected: &str) {
        let applied = self.apply(policy);
        assert!(applied.status.success(), "{}", text(&applied));
        wait_for("the new policy", || self.job(job).contains(expected).then_some(()));
    }

    /// The state of a ticket, as mgmt has it.
    pub(crate) fn state(&self, ticket: &str) -> String {
        self.json(&["approvals", "show", ticket])["state"].as_str().unwrap().to_owned()
    }

    /// Approves a ticket as a reviewer.
    pub(crate) fn approve(&self, person: u32, ticket: &str) {
        let said = self.pangate(person, &["approvals", "approve", ticket, "--reason", "case 42"]);
        assert!(said.status.success(), "{}", text(&said));
    }

    /// Starts or stops the target.
    pub(crate) fn target(&self, word: &str) {
        let script = repository().join("packaging/postgres");
        let mut command = Command::new(script);
        command.arg(word).arg(self.dir().join("postgres"));
        if word == "start" {
            command.arg(self.target_port().to_string());
        }
        // Its standard output would be the server's, which stays.
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(done.success(), "the target's {word}");
    }

    /// The opened evidence, as JSON lines.
    pub(crate) fn export(&self) -> String {
        let export = Command::new(self.program("pangate"))
            .args(["audit", "export", "--key", self.get("PANGATE_EVIDENCE_KEY"), "--sealing-key"])
            .arg(self.dir().join("keys/sealing.key"))
            .arg(self.get("PANGATE_EVIDENCE_DIR"))
            .output()
            .unwrap();
        assert!(export.status.success(), "{}", text(&export));
        String::from_utf8(export.stdout).unwrap()
    }

    /// Verifies the evidence offline.
    pub(crate) fn verify(&self) -> Output {
        let key = self.get("PANGATE_EVIDENCE_KEY");
        Command::new(self.program("pangate"))
            .args(["audit", "verify", "--key", key, self.get("PANGATE_EVIDENCE_DIR")])
            .output()
            .unwrap()
    }
}

/// A child that the test ends by its number: a thread waits for it, so that it leaves the process table.
fn reap(mut child: std::process::Child) {
    std::thread::spawn(move || child.wait());
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            show_logs(self.dir());
        }
        let _ = Command::new(repository().join("packaging/demo")).arg("--stop").arg(self.dir()).output();
    }
}

/// Whether a process has let go of all that it had: it is not there, or dead to its last thread and not waited for.
fn has_ended(process: &Path) -> bool {
    let Ok(stat) = std::fs::read_to_string(process.join("stat")) else { return true };
    let dead = stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']));
    dead && std::fs::read_dir(process.join("task")).map_or(0, Iterator::count) <= 1
}

/// What the processes said last, for a test that has failed.
fn show_logs(folder: &Path) {
    for name in ["mgmt.log", "dataplane.log"] {
        let log = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(15).collect();
        eprintln!("{name}, newest first:\n{}", tail.join("\n"));
    }
}

/// A change of the demo's policy that leaves out the labels: what comes back is masked by its value alone.
pub(crate) const BY_VALUE: (&str, &str) = (
    "data:\n  - {column: public.cards.pan, label: pan}\n  - {column: public.cards.pan_number, label: pan}\n",
    "",
);

/// Standard output and error of a finished program.
pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Polls until `look` finds something; at most half a minute.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what} did not happen in time");
        std::thread::yield_now();
    }
}
