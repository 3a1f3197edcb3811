//! What jobs at a real MariaDB have beside their statements: word of what holds one up, approvals asked ahead, and
//! `pangate connect` for clients that cannot send a token.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "clients/mysql.rs"]
mod clients;
mod gateway;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use clients::{MASKED, assert_no_pan, run, said};
use gateway::{Gateway, text};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};
use serde_json::{Value, json};

const UPDATE: &str = "update cards set holder = 'x' where id = 1";

/// A job by Connector/C, which prints what it is told.
fn connector(gateway: &Gateway, how: &str, statement: &str) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/connector_c_job.py");
    Command::new("timeout")
        .args(["120", "python3"])
        .arg(script)
        .args([how, statement])
        .env("PANGATE_PORT", gateway.mysql_port().to_string())
        .env("PANGATE_CA", gateway.get("PANGATE_CA"))
        .env("MYSQL_PWD", gateway.job_token())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The next line that a job prints, as JSON.
fn line(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Value {
    let line = lines.next().expect("a line").unwrap();
    assert_no_pan("a job's output", line.as_bytes());
    serde_json::from_str(&line).unwrap()
}

/// Runs a job until it has been told so many times that its command is held; then lets `decide` see to its ticket. What
/// the job says at its end.
fn held(
    gateway: &Gateway,
    (how, statement): (&str, &str),
    reports: usize,
    decide: impl FnOnce(&Gateway, &str),
) -> Value {
    let mut job = connector(gateway, how, statement);
    let mut lines = BufReader::new(job.stdout.take().unwrap()).lines();
    let ticket = gateway.pending_ticket();
    for _ in 0..reports {
        let told = line(&mut lines);
        assert_eq!((&told["stage"], &told["stages"], &told["progress"]), (&json!(1), &json!(1), &json!(0.0)));
        let words = told["words"].as_str().unwrap();
        assert!(words.starts_with(&format!("pangate: waiting for approval, ticket {ticket}")), "{words}");
    }
    decide(gateway, &ticket);
    let mut last = line(&mut lines);
    while last["words"].is_string() {
        last = line(&mut lines);
    }
    assert!(job.wait().unwrap().success());
    assert_eq!(last["after"], json!([["still here"]]), "the session goes on");
    last
}

#[test]
fn a_held_client_of_mariadbs_is_told_again_and_again_and_then_gets_its_answer() {
    let gateway = Gateway::with_mysql();
    let approve = |gateway: &Gateway, ticket: &str| gateway.approve(1, ticket);
    // Three reports: by then a client that heard nothing would have given up.
    let done = held(&gateway, ("query", UPDATE), 3, approve);
    assert_eq!(done["done"], 1);
    assert_eq!(gateway.mysql_direct(&["select holder from cards where id = 1"]).trim(), "x");
    let done = held(&gateway, ("execute", "update cards set holder = 'y' where id < 3"), 2, approve);
    assert_eq!(done["done"], 2);
    let reject = |gateway: &Gateway, ticket: &str| {
        assert!(gateway.pangate(2, &["approvals", "reject", ticket, "--reason", "no case"]).status.success());
    };
    for how in ["query", "execute"] {
        let done = held(&gateway, (how, UPDATE), 1, reject);
        assert!(done["done"].as_str().unwrap().starts_with("rejected: ticket"), "{done}");
    }
    // Rows behind reports.
    gateway.mysql_direct(&["delete from settlements"]);
    let done = held(&gateway, ("query", "delete from cards where id > 3 returning pan"), 1, approve);
    assert_eq!(done["done"], json!([[MASKED[3]], [MASKED[4]]]));
    let done =
        held(&gateway, ("execute", "delete from cards where id = 3 returning pan, holder"), 1, approve);
    assert_eq!(done["done"], 1);
}

/// It shows progress to people alone, at a terminal.
#[test]
fn the_stock_client_shows_why_it_waits() {
    let gateway = Gateway::with_mysql();
    let port = gateway.mysql_port().to_string();
    let ca = format!("--ssl-ca={}", gateway.get("PANGATE_CA"));
    let arguments =
        ["--no-defaults", "--protocol=tcp", "-h", "localhost", "-P", &port, "-u", "ci-job", &ca, "shop"];
    let quoted: Vec<String> = arguments
        .into_iter()
        .chain(["--ssl-verify-server-cert", "--progress-reports"])
        .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
        .collect();
    let mut job = Command::new("script")
        .args(["--quiet", "--return", "--command", &format!("stty cols 300; mariadb {}", quoted.join(" "))])
        .arg("/dev/null")
        .env("MYSQL_PWD", gateway.job_token())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut terminal = job.stdin.take().unwrap();
    writeln!(terminal, "{UPDATE};").unwrap();
    let ticket = gateway.pending_ticket();
    let shown = format!("Stage: 1 of 1 'pangate: waiting for approval, ticket {ticket}");
    let mut out = job.stdout.take().unwrap();
    let mut printed = Vec::new();
    while memchr::memmem::find(&printed, shown.as_bytes()).is_none() {
        let mut piece = [0; 1024];
        let count = out.read(&mut piece).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&printed));
        printed.extend_from_slice(&piece[..count]);
    }
    gateway.approve(1, &ticket);
    writeln!(terminal, "select concat('still', ' here');\nexit").unwrap();
    out.read_to_end(&mut printed).unwrap();
    let printed = String::from_utf8_lossy(&printed);
    assert!(job.wait().unwrap().success(), "{printed}");
    assert!(printed.contains("1 row affected") && printed.contains("still here"), "{printed}");
}

#[test]
fn what_was_asked_ahead_runs_once_and_is_held_again() {
    let gateway = Gateway::with_mysql();
    let token = gateway.job_token();
    let statement = "update cards set holder = concat(holder, ?) where id = ?";
    let asked = gateway.pangate_as(
        &token,
        &["request", "--target", "shop", "--json", statement, "--param", "!", "--param", "1"],
    );
    assert!(asked.status.success(), "{}", text(&asked));
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let ticket = asked["approval"]["id"].as_str().unwrap();
    assert_eq!(asked["rule"], "shop/changes-card-data", "{asked}");
    gateway.approve(1, ticket);
    run(async {
        let mut job = clients::open(&gateway).await;
        job.exec_drop(statement, ("!", 1)).await.unwrap();
        assert_eq!(job.affected_rows(), 1);
        let again = tokio::spawn(async move { job.exec_drop(statement, ("!", 1)).await });
        let second = gateway.pending_ticket();
        assert_ne!(second, ticket);
        let rejected = gateway.pangate(2, &["approvals", "reject", &second, "--reason", "asked for one run"]);
        assert!(rejected.status.success(), "{}", text(&rejected));
        let refused = said(&again.await.unwrap().unwrap_err());
        assert!(refused.starts_with("1227 42000 rejected: ticket"), "{refused}");
    });
    let holder = gateway.mysql_direct(&["select holder from cards where id = 1"]);
    assert_eq!(holder.trim(), "Ada Example!", "it ran once");
    // What policy allows or denies needs nobody.
    let ask = |statement: &str| gateway.pangate_as(&token, &["request", "--target", "shop", statement]);
    assert!(ask("select id from settlements").status.success());
    let denied = ask("drop table cards");
    assert_eq!(denied.status.code(), Some(1), "{}", text(&denied));
    assert!(text(&denied).contains("no-ddl"), "{}", text(&denied));
}

/// A running `pangate connect`; ended when dropped.
struct Connect {
    child: Child,
    listen: String,
}

impl Connect {
    fn start(gateway: &Gateway, listen: &str, more: &[&str]) -> Self {
        let mut child = Command::new(gateway.program("pangate"))
            .args(["connect", "shop", "--json", "--listen", listen])
            .args(["--gateway", &format!("localhost:{}", gateway.mysql_port())])
            .args(more)
            .env("PANGATE_CA", gateway.get("PANGATE_CA"))
            .args(["--token-command", gateway.get("PANGATE_TOKEN_CMD")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        Self { child, listen: told["listen"].as_str().unwrap().to_owned() }
    }

    fn port(&self) -> u16 {
        self.listen.rsplit_once(':').unwrap().1.parse().unwrap()
    }
}

impl Drop for Connect {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The stock client, with a password of no meaning or none.
fn stock(arguments: &[&str], password: Option<&str>, statement: &str) -> String {
    let mut client = Command::new("mariadb");
    client.args(["--no-defaults", "--batch", "--skip-column-names", "-u", "ci-job", "--skip-ssl"]);
    client.args(arguments).args(["-e", statement]).stdin(Stdio::null()).env_remove("MYSQL_PWD");
    if let Some(password) = password {
        client.env("MYSQL_PWD", password);
    }
    text(&client.output().unwrap())
}

#[test]
fn clients_without_a_token_come_by_connect() {
    let gateway = Gateway::with_mysql();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let mysql = ["--protocol", "mysql"];
    let local = Connect::start(&gateway, socket.to_str().unwrap(), &mysql);
    let select = "select pan from cards order by id";
    for password in [None, Some("anything")] {
        for database in ["", "shop", "shop/shop"] {
            let got = stock(&["-S", &local.listen, "-D", database], password, select);
            assert_eq!(got.lines().collect::<Vec<_>>(), MASKED, "{database}");
        }
    }
    let refused = stock(&["-S", &local.listen, "-D", "elsewhere"], None, select);
    assert!(refused.contains("ERROR 1045 (28000)") && refused.contains("one database"), "{refused}");

    let tcp = Connect::start(&gateway, "127.0.0.1:0", &mysql);
    let port = tcp.port().to_string();
    let got = stock(&["--protocol=tcp", "-h", "127.0.0.1", "-P", &port], None, select);
    assert_eq!(got.lines().collect::<Vec<_>>(), MASKED);
    run(async {
        // One that speaks caching_sha2_password, and waits for its verdict where it has sent something.
        for password in [None, Some("anything")] {
            let options = OptsBuilder::default()
                .ip_or_hostname("127.0.0.1")
                .tcp_port(tcp.port())
                .prefer_socket(false)
                .user(Some("ci-job"))
                .pass(password);
            let mut job = Conn::new(options).await.unwrap();
            let rows: Vec<String> = job.exec(select, ()).await.unwrap();
            assert_eq!(rows, MASKED);
            let denied = said(&job.query_drop("drop table cards").await.unwrap_err());
            assert!(denied.starts_with("1227 42000 denied by rule shop/no-ddl"), "{denied}");
            job.disconnect().await.unwrap();
        }
    });
    // What is said to be PostgreSQL's gateway and is not gets no token, and the client hears it in its own words.
    let other = Connect::start(&gateway, "127.0.0.1:0", &[]);
    let refused = Command::new("psql")
        .args(["-X", &format!("host=127.0.0.1 port={} user=ci-job dbname=shop", other.port())])
        .args(["-c", "select 1"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(text(&refused).contains("the token is not sent"), "{}", text(&refused));
}

#[test]
fn a_token_that_cannot_be_had_is_an_error_of_the_clients_own_protocol() {
    let gateway = Gateway::with_mysql();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, gateway.job_token()).unwrap();
    let mut connect = Command::new(gateway.program("pangate"));
    connect
        .args(["connect", "shop", "--json", "--protocol", "mysql", "--token-file", file.to_str().unwrap()])
        .args(["--gateway", &format!("localhost:{}", gateway.mysql_port())])
        .env("PANGATE_CA", gateway.get("PANGATE_CA"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = connect.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let told: Value = serde_json::from_str(&line).unwrap();
    let connect = Connect { child, listen: told["listen"].as_str().unwrap().to_owned() };
    let port = connect.port().to_string();
    let ask = || stock(&["--protocol=tcp", "-h", "127.0.0.1", "-P", &port], None, "select 'in'");
    assert_eq!(ask().trim(), "in");
    std::fs::remove_file(&file).unwrap();
    let refused = ask();
    assert!(refused.contains("ERROR 1043 (28000)") && refused.contains("pangate connect:"), "{refused}");
    std::fs::write(&file, "not a token").unwrap();
    let refused = ask();
    assert!(refused.contains("something else than one token"), "{refused}");
    std::fs::write(&file, "nor.this").unwrap();
    let refused = ask();
    assert!(refused.contains("ERROR 1045 (28000)"), "{refused}");
}
