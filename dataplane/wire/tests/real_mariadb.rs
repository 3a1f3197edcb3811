//! The engine's login between the `mariadb` client and a real MariaDB, by each plugin that they have, over TLS and
//! without.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod mariadb;

use driver::{Asked, Verdict};
use mariadb::{Gateway, Server, USERS};
use wire::Event;

fn allow(_: &Asked) -> Verdict {
    Verdict::Allow
}

#[test]
fn every_login_that_a_target_may_ask_for() {
    let server = Server::start();
    for (user, password) in USERS {
        for tls in [false, true] {
            let (gateway, mut client) = if tls {
                let gateway = Gateway::start_secure(&server, user, password, allow);
                let client = server.secure_client(gateway.port);
                (gateway, client)
            } else {
                let gateway = Gateway::start(&server, user, password, allow);
                let client = Server::client(gateway.port);
                (gateway, client)
            };
            let output = client.args(["-e", "select 1"]).output().expect("mariadb");
            let seen = gateway.seen.recv().expect("a session");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(seen.events.contains(&Event::Opened), "{user}: {:?} {said}", seen.error);
            let [Asked::Login { token, user, database, application, secured }, ..] = seen.asked.as_slice()
            else {
                panic!("{:?}", seen.asked)
            };
            assert_eq!((token.as_slice(), *secured), (b"token".as_slice(), tls));
            assert_eq!([user.as_str(), database, application], ["job", "work", "mysql"]);
        }
    }
}

#[test]
fn what_a_target_refuses_its_client_is_told_by_number() {
    let server = Server::start();
    for (user, password) in [("native", "wrong"), ("ed25519", "wrong"), ("native", ""), ("nobody", "x")] {
        let gateway = Gateway::start(&server, user, password, allow);
        let output = Server::client(gateway.port).args(["-e", "select 1"]).output().expect("mariadb");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("ERROR 1043 (08S01): the target refuses the gateway: its error 01045"),
            "{said}"
        );
        assert!(!said.contains(user) && !said.contains("127.0.0.1"), "{said}");
        assert!(!gateway.seen.recv().expect("a session").events.contains(&Event::Opened));
    }
    // A client without TLS, where TLS is due.
    let gateway = Gateway::start_secure(&server, "native", "schlüssel", allow);
    let output = Server::client(gateway.port).args(["-e", "select 1"]).output().expect("mariadb");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("ERROR 3159 (HY000): TLS is required"), "{said}");
    assert!(gateway.seen.recv().expect("a session").asked.is_empty());
}

/// What the gateway has set, as the server has logged it.
fn set_by_the_gateway(server: &Server) -> String {
    server.sql(
        "SELECT argument FROM mysql.general_log WHERE command_type = 'Query' AND argument LIKE '/*%pangate%SET %'",
    )
}

#[test]
fn a_server_of_odd_habits_is_set_right() {
    let server = Server::start_with(&[
        "--general-log",
        "--log-output=TABLE",
        "--character-set-server=latin1",
        "--sql-mode=ORACLE,NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES",
        "--session-track-system-variables=",
        "--init-connect=SET NAMES latin1",
        "--autocommit=0",
    ]);
    server.sql("REVOKE ALL ON *.* FROM native@'127.0.0.1'; GRANT ALL ON work.* TO native@'127.0.0.1'");
    let gateway = Gateway::start(&server, "native", "schlüssel", allow);
    let output = Server::client(gateway.port).args(["-e", "select 1"]).output().expect("mariadb");
    let seen = gateway.seen.recv().expect("a session");
    assert!(seen.events.contains(&Event::Opened), "{:?} {output:?}", seen.error);
    let statement = set_by_the_gateway(&server);
    let mode = statement.split_once("sql_mode = '").expect("a mode").1.trim_end().trim_end_matches('\'');
    let all = server.sql("SELECT @@global.sql_mode");
    let cut = ["ORACLE", "ANSI_QUOTES", "IGNORE_SPACE", "NO_BACKSLASH_ESCAPES"];
    assert!(all.contains("ORACLE") && all.contains("IGNORE_SPACE"), "ORACLE stands for more: {all}");
    let kept: Vec<&str> = all.trim_end().split(',').filter(|mode| !cut.contains(mode)).collect();
    assert_eq!(mode, kept.join(","));
    // The statement does what it says: run again, past the gateway, and asked of.
    let values = server.sql(&format!(
        "{statement}; SELECT @@sql_mode, @@character_set_client, @@character_set_connection, \
         @@character_set_results, @@session_track_system_variables, @@session_track_schema"
    ));
    let tracked =
        "autocommit,character_set_client,character_set_connection,character_set_results,sql_mode,time_zone";
    assert!(values.trim_end().ends_with(&format!("utf8mb4\tutf8mb4\tutf8mb4\t{tracked}\t1")), "{values}");
    for gone in cut {
        assert!(!values.contains(gone), "{values}");
    }
}
