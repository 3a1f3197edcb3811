//! What keeps mgmt from starting is told by the file or address that is to blame.

use mgmt::app::StartError;

use crate::support::Site;
use crate::support::site::start;

/// The error of a start in the folder of a mgmt that was stopped, after `change`.
async fn start_after(change: impl FnOnce(&std::path::Path), address: &str, more: &str) -> StartError {
    let Site { dir, clock, server, .. } = Site::bare().await;
    server.stop().await;
    change(dir.path());
    start(&dir, address, &clock, more).await.err().expect("no start")
}

#[tokio::test]
async fn certificate_and_key() {
    let gone = |dir: &std::path::Path| std::fs::remove_file(dir.join("pki/server.pem")).unwrap();
    assert!(start_after(gone, "127.0.0.1:0", "").await.to_string().contains("server.pem"));
    let empty = |dir: &std::path::Path| std::fs::write(dir.join("pki/server.pem"), "").unwrap();
    assert!(start_after(empty, "127.0.0.1:0", "").await.to_string().contains("no certificate"));
    let no_key = |dir: &std::path::Path| std::fs::write(dir.join("pki/server.key"), "x").unwrap();
    assert!(start_after(no_key, "127.0.0.1:0", "").await.to_string().contains("server.key"));
    let other = |dir: &std::path::Path| {
        std::fs::copy(dir.join("pki/ca.key"), dir.join("pki/server.key")).unwrap();
    };
    assert!(start_after(other, "127.0.0.1:0", "").await.to_string().contains("certificate and key"));
}

#[tokio::test]
async fn address() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(start_after(|_| (), &address, "").await.to_string().contains(&address));
}

#[tokio::test]
async fn keys_of_the_evidence() {
    for file in ["keys/sealing.key", "keys/evidence.pub"] {
        let damage = |dir: &std::path::Path| std::fs::write(dir.join(file), "hush").unwrap();
        let error = start_after(damage, "127.0.0.1:0", "").await;
        assert!(matches!(error, StartError::EvidenceKey { .. }));
        let text = error.to_string();
        assert!(text.contains(file) && !text.contains("hush"), "{text}");
    }
}

#[tokio::test]
async fn the_development_issuers_key_and_the_issuers_authority() {
    let damage = |dir: &std::path::Path| std::fs::write(dir.join("development.key"), "hush").unwrap();
    assert!(matches!(start_after(damage, "127.0.0.1:0", "").await, StartError::Development(_)));
    let gone = |dir: &std::path::Path| std::fs::remove_file(dir.join("pki/ca.pem")).unwrap();
    assert!(start_after(gone, "127.0.0.1:0", "").await.to_string().contains("ca.pem"));
}

#[tokio::test]
async fn the_store() {
    let damage = |dir: &std::path::Path| {
        for file in ["mgmt.sqlite", "mgmt.sqlite-wal", "mgmt.sqlite-shm"] {
            let _ = std::fs::remove_file(dir.join(file));
        }
        std::fs::create_dir(dir.join("mgmt.sqlite")).unwrap();
    };
    assert!(matches!(start_after(damage, "127.0.0.1:0", "").await, StartError::Store(_)));
}
