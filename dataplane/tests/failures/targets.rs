//! Targets that are down, that cannot be trusted, that refuse the gateway or speak nonsense: the protocol's connection
//! error, nothing of the credential, nobody else disturbed.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use crate::clients::{open, run, said};
use crate::gateway::{Gateway, text, wait_for};

/// The demo's manifests and one more target, `other`, on the same listener.
pub(crate) fn with_other(gateway: &Gateway, address: &str, tls: &str, password_file: &str) -> String {
    let policy = gateway.policy();
    let listen = format!("127.0.0.1:{}", gateway.port());
    let other = format!(
        "kind: Target\nname: other\nprotocol: postgres\nlisten: {listen}\naddress: {address}\ndatabase: payments\n\
         tls: {tls}\ncredential: {{username: settlement_rw, passwordFile: {password_file}}}\n---\nkind: Policy\n"
    );
    policy.replace("kind: Policy\n", &other).replace("targets: [payments]", "targets: [payments, other]")
}

fn verified(gateway: &Gateway) -> String {
    format!("{{mode: verify-full, ca: {}}}", gateway.get("PANGATE_CA"))
}

/// What psql is told where `other` is as the manifests say; the demo's target goes on all the while.
fn refusal(gateway: &Gateway, policy: &str) -> String {
    let applied = gateway.apply(policy);
    assert!(applied.status.success(), "{}", text(&applied));
    let conninfo = gateway.conninfo().replace("dbname=payments", "dbname=other");
    let told = wait_for("the new target", || {
        let said =
            text(&gateway.psql_as(&gateway.job_token(), &conninfo, &["select 'in'"]).output().unwrap());
        (!said.contains("no target") && !said.contains("being looked up") && !said.contains("no policy"))
            .then_some(said)
    });
    assert!(told.contains("FATAL") && !told.contains("in\n"), "{told}");
    for secret in [gateway.get("DIRECT_POSTGRES_PASSWORD"), "settlement_rw", "wrong-password"] {
        assert!(!told.contains(secret), "the credential or its name was told: {told}");
    }
    assert_eq!(gateway.job(&["select 'well'"]), "well\n");
    told
}

/// A listener that answers each connection with `reply` and then tells what it has read until the connection's end.
fn fake_target(reply: &'static [u8]) -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut got = vec![0; 8];
            stream.read_exact(&mut got).unwrap();
            stream.write_all(reply).unwrap();
            let _ = stream.read_to_end(&mut got);
            if sender.send(got).is_err() {
                return;
            }
        }
    });
    (port, receiver)
}

/// Another address of the same server: what comes there is carried to the target.
fn forwarder(target_port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target_port)).unwrap();
            for (mut from, mut to) in
                [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
            {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
            }
        }
    });
    port
}

#[test]
fn a_target_that_is_down_costs_its_own_sessions_alone() {
    let gateway = Gateway::start();
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let password = gateway.dir().join("target/payments.password").display().to_string();
    let other = with_other(&gateway, &format!("localhost:{closed}"), &verified(&gateway), &password);
    let told = refusal(&gateway, &other);
    assert!(told.contains("target cannot be reached"), "{told}");
    // The demo's own target goes and comes back: its session ends with an error, later ones work.
    run(async {
        let job = open(&gateway).await;
        gateway.target("stop");
        let ended = job.client.simple_query("select 1").await.unwrap_err();
        let end = job.end.await.unwrap();
        let code = ended
            .code()
            .or(end.as_ref().and_then(tokio_postgres::Error::code))
            .map(|code| code.code().to_owned());
        assert!(
            ["57P01", "08006"].contains(&code.as_deref().unwrap_or("closed without a word")),
            "{ended:?} {end:?}"
        );
    });
    let told = gateway.job(&["select 1"]);
    assert!(told.contains("target cannot be reached"), "{told}");
    gateway.target("start");
    wait_for("the target's return", || (gateway.job(&["select 'back'"]) == "back\n").then_some(()));
}

#[test]
fn a_target_whose_certificate_is_not_the_right_one_gets_no_credential() {
    let gateway = Gateway::start();
    let password = gateway.dir().join("target/payments.password").display().to_string();
    // The certificate is for localhost and 127.0.0.1.
    let address = format!("127.0.0.2:{}", forwarder(gateway.target_port()));
    let told = refusal(&gateway, &with_other(&gateway, &address, &verified(&gateway), &password));
    assert!(told.contains("certificate"), "{told}");
    // Signed by nobody who is known.
    let pki = gateway.dir().join("other-pki");
    let made =
        Command::new(gateway.program("pangate-mgmt")).args(["dev-ca", "--dir"]).arg(&pki).output().unwrap();
    assert!(made.status.success());
    let tls = format!("{{mode: verify-full, ca: {}/ca.pem}}", pki.display());
    let address = format!("localhost:{}", gateway.target_port());
    let told = refusal(&gateway, &with_other(&gateway, &address, &tls, &password));
    assert!(told.contains("certificate"), "{told}");
    let log = gateway
        .direct(&["select count(*) from pg_stat_activity where application_name like 'pangate%other%'"]);
    assert_eq!(log.trim(), "0");
}

#[test]
fn a_target_without_tls_or_sense_gets_no_credential() {
    let gateway = Gateway::start();
    let password = gateway.dir().join("target/payments.password").display().to_string();
    for reply in [&b"N"[..], b"\x00garbage that is no answer to SSLRequest", b"S\x15\x03\x03\xff\xff"] {
        let (port, read) = fake_target(reply);
        let other = with_other(&gateway, &format!("localhost:{port}"), &verified(&gateway), &password);
        refusal(&gateway, &other);
        let got = read.recv().unwrap();
        assert_eq!(&got[..8], b"\x00\x00\x00\x08\x04\xd2\x16\x2f");
        for secret in [gateway.get("DIRECT_POSTGRES_PASSWORD"), "settlement_rw"] {
            assert!(memchr::memmem::find(&got, secret.as_bytes()).is_none(), "sent without TLS");
        }
        if reply == b"N" {
            assert_eq!(got.len(), 8, "nothing follows where TLS is refused");
        }
    }
}

#[test]
fn a_target_that_refuses_the_credential_is_told_of_without_it() {
    let gateway = Gateway::start();
    let address = format!("localhost:{}", gateway.target_port());
    // A copy keeps the rights: one that others may read is refused.
    let (password, file) =
        (gateway.dir().join("target/payments.password"), gateway.dir().join("wrong.password"));
    std::fs::copy(&password, &file).unwrap();
    std::fs::write(&file, "wrong-password\n").unwrap();
    let policy = with_other(&gateway, &address, &verified(&gateway), &file.display().to_string());
    let told = refusal(&gateway, &policy);
    assert!(told.contains("the target refuses the gateway"), "{told}");
    std::fs::remove_file(&file).unwrap();
    let told = wait_for("the file's loss", || {
        let told = refusal(&gateway, &policy);
        told.contains("its credential cannot be read").then_some(told)
    });
    assert!(!told.contains("wrong.password"), "{told}");
    // The right one in its place is read without a restart.
    std::fs::copy(&password, &file).unwrap();
    let conninfo = gateway.conninfo().replace("dbname=payments", "dbname=other");
    wait_for("the new credential", || {
        let said =
            text(&gateway.psql_as(&gateway.job_token(), &conninfo, &["select 'in'"]).output().unwrap());
        (said == "in\n").then_some(())
    });
}

#[test]
fn a_server_that_breaks_off_ends_its_session_with_an_error() {
    let gateway = Gateway::start();
    run(async {
        let job = open(&gateway).await;
        let undisturbed = open(&gateway).await;
        let row = job.client.query_one("select pg_backend_pid()", &[]).await.unwrap();
        let backend: i32 = row.get(0);
        let admin = format!(
            "host={} port={} user=postgres dbname=payments",
            gateway.dir().join("postgres").display(),
            gateway.target_port()
        );
        let ended = gateway
            .psql_as("", &admin, &[&format!("select pg_terminate_backend({backend})")])
            .output()
            .unwrap();
        assert_eq!(text(&ended), "t\n");
        let end = job.end.await.unwrap().unwrap();
        assert!(said(&end).starts_with("57P01 "), "{}", said(&end));
        undisturbed.client.simple_query("select 1").await.unwrap();
    });
}
