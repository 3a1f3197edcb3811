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
