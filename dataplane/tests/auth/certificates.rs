//! Certificates in place of passwords, or beside tokens: the gateway's towards a real PostgreSQL (method `cert`), the
//! jobs' towards the gateway.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::gateway::{Gateway, text, wait_for};
use crate::raw::{config, direct, rest, startup};
use crate::target::{Middle, add_other, administer, ask_other, certificate, usual};

/// Lets the role `cert_rw` log in by certificate alone.
fn take_certificates(gateway: &Gateway) {
    let data = gateway.dir().join("postgres/data");
    fs::copy(gateway.dir().join("pki/ca.pem"), data.join("root.crt")).unwrap();
    let hba = fs::read_to_string(data.join("pg_hba.conf")).unwrap();
    fs::write(data.join("pg_hba.conf"), format!("hostssl all cert_rw 127.0.0.1/32 cert\n{hba}")).unwrap();
    let said = administer(
        gateway,
        &[
            "create role cert_rw login in role settlement_rw",
            "alter system set ssl_ca_file = 'root.crt'",
            "select pg_reload_conf()",
        ],
    );
    assert_eq!(said, "t\n");
}

#[test]
fn the_gateway_s_certificate_is_all_that_the_target_needs() {
    let gateway = Gateway::start();
    take_certificates(&gateway);
    let (good, key) = certificate(&gateway, "cert_rw", "/CN=cert_rw");
    let (wrong, wrong_key) = certificate(&gateway, "nobody", "/CN=nobody");
    let (now, now_key) = (gateway.dir().join("target/now.pem"), gateway.dir().join("target/now.key"));
    let put = |certificate: &std::path::Path, key: &std::path::Path| {
        fs::copy(certificate, &now).unwrap();
        fs::copy(key, &now_key).unwrap();
    };
    put(&good, &key);
    let tls = format!(
        "tls: {{mode: verify-full, ca: {}, clientCertificate: {}, clientKey: {}}}",
        gateway.get("PANGATE_CA"),
        now.display(),
        now_key.display()
    );
    let lines = format!("{tls}\ncredential: {{username: cert_rw}}");
    add_other(&gateway, &format!("localhost:{}", gateway.target_port()), &lines);
    let until = |word: &str| {
        let said = wait_for(word, || {
            let said = ask_other(&gateway, "select 'in'");
            said.contains(word).then_some(said)
        });
        for secret in ["cert_rw", "now.key", "now.pem"] {
            assert!(!said.contains(secret), "{said}");
        }
    };
    until("in\n");
    let masked = ask_other(&gateway, "select pan from cards where id = 1");
    assert_eq!(masked, "************1111\n");
    // Another one in its place is shown without a restart, and so is the first again.
    put(&wrong, &wrong_key);
    until("the target refuses the gateway");
    put(&good, &key);
    until("in\n");
    // A key that everybody may read, a file that is none, and one that is not there.
    fs::set_permissions(&now_key, Permissions::from_mode(0o604)).unwrap();
    until("its TLS cannot be set up");
    fs::set_permissions(&now_key, Permissions::from_mode(0o600)).unwrap();
    until("in\n");
    fs::write(&now, "no certificate").unwrap();
    until("its TLS cannot be set up");
    fs::remove_file(&now).unwrap();
    until("its TLS cannot be set up");
    assert_eq!(gateway.job(&["select 'well'"]), "well\n");
}

#[test]
fn a_target_that_wants_a_password_of_a_gateway_with_a_certificate_alone_is_told_none() {
    let gateway = Gateway::start();
    let (own, key) = certificate(&gateway, "settlement", "/CN=settlement_rw");
    let lines = format!(
        "tls: {{mode: verify-full, ca: {}, clientCertificate: {}, clientKey: {}}}\ncredential: {{username: settlement_rw}}",
        gateway.get("PANGATE_CA"),
        own.display(),
        key.display()
    );
    add_other(&gateway, &format!("localhost:{}", gateway.target_port()), &lines);
    let said = ask_other(&gateway, "select 'in'");
    assert!(said.contains("FATAL") && said.contains("certificate alone"), "{said}");
}

/// PostgreSQL 15 does not take TLS from the first byte: a program that ends it stands before it, as pgbouncer would.
#[test]
fn tls_from_the_first_byte_goes_to_a_target_that_names_the_protocol() {
    let gateway = Gateway::start();
    let pki = gateway.dir().join("pki");
    let own = (pki.join("server.pem"), pki.join("server.key"));
    let lines = usual(&gateway).replace("verify-full", "verify-full, negotiation: direct");
    let port = Middle::start(&gateway, (&own.0, &own.1), true, |bytes| bytes);
    add_other(&gateway, &format!("localhost:{port}"), &lines);
    assert_eq!(ask_other(&gateway, "select pan from cards where id = 1"), "************1111\n");
    // The server itself takes a ClientHello for a packet of nonsense.
    add_other(&gateway, &format!("localhost:{}", gateway.target_port()), &lines);
    wait_for("the other address", || ask_other(&gateway, "select 'in'").contains("FATAL").then_some(()));
}

#[test]
fn jobs_may_have_to_show_a_certificate_beside_their_token() {
    let gateway = Gateway::start();
    let boot = gateway.dir().join("dataplane.yaml");
    let asked = fs::read_to_string(&boot).unwrap();
    let ca = gateway.get("PANGATE_CA");
    fs::write(&boot, asked.replace("tls: {", &format!("tls: {{clientCa: {ca}, "))).unwrap();
    gateway.kill("dataplane", "-TERM");
    gateway.start_again("dataplane");
    let (own, key) = certificate(&gateway, "job", "/CN=job");
    let with = format!("{} sslcert={} sslkey={}", gateway.conninfo(), own.display(), key.display());
    let ask = |token: &str, conninfo: &str| {
        text(&gateway.psql_as(token, conninfo, &["select 'in'"]).output().unwrap())
    };
    wait_for("the gateway's return", || (ask(&gateway.job_token(), &with) == "in\n").then_some(()));
    // Without one, with one of an authority that nobody knows, and with one but no token.
    let said = ask(&gateway.job_token(), &gateway.conninfo());
    assert!(said.contains("certificate required"), "{said}");
    let pki = gateway.dir().join("elsewhere");
    let made = std::process::Command::new(gateway.program("pangate-mgmt"))
        .args(["dev-ca", "--dir"])
        .arg(&pki)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", text(&made));
    let strange =
        format!("{} sslcert={p}/server.pem sslkey={p}/server.key", gateway.conninfo(), p = pki.display());
    let said = ask(&gateway.job_token(), &strange);
    assert!(!said.contains("in\n") && said.contains("alert"), "{said}");
    let said = ask("no token", &with);
    assert!(said.contains("FATAL"), "{said}");
    // Its own bytes: no certificate, no question.
    let mut raw = direct(&gateway, config(&gateway, &["postgresql"]));
    let _ = raw.write_all(&startup(0, "ci-job", "payments"));
    assert_eq!(rest(&mut raw), b"");
}
