//! A folder with keys, certificates, manifests and mgmt running from it; people and jobs that call it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mgmt::api::https;
use mgmt::api::types::{Approval, PolicyFile, Problem};
use mgmt::app::StartError;
use mgmt::auth::development::{Claims, DevelopmentIssuer};
use mgmt::clock::Clock;
use mgmt::config::Config;
use mgmt::server::Server;
use mgmt::setup::{certificates, keys};
use mgmt::store::PolicySource;
use reqwest::Method;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::LinkClient;

/// A running mgmt.
pub(crate) struct Site {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Clock,
    pub(crate) server: Server,
    pub(crate) issuer: DevelopmentIssuer,
    client: reqwest::Client,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) request_id: String,
    pub(crate) body: Vec<u8>,
}

impl Site {
    /// Starts mgmt with the usual policy in force and the issuer's keys fetched.
    pub(crate) async fn start() -> Self {
        Self::start_with(&|url| manifests(url)).await
    }

    /// The same with other manifests; they are given the development issuer's URL.
    pub(crate) async fn start_with(manifests: &dyn Fn(&str) -> String) -> Self {
        let site = Self::bare().await;
        let files = vec![PolicyFile { name: "site.yaml".into(), text: manifests(site.issuer.url()) }];
        let applied = site.server.app.publisher.apply(files, "test", PolicySource::Folder, false).await;
        applied.expect("the manifests");
        site.wait_for_keys().await;
        site
    }

    /// Starts mgmt without a policy.
    pub(crate) async fn bare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        keys::generate(&dir.path().join("keys"), "test").unwrap();
        certificates::generate(&dir.path().join("pki"), &[]).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let clock = Clock::standing(u64::try_from(now.as_millis()).unwrap());
        let server = start(&dir, "127.0.0.1:0", &clock, "").await.expect("mgmt starts");
        Self::around(dir, clock, server)
    }

    fn around(dir: tempfile::TempDir, clock: Clock, server: Server) -> Self {
        let url = format!("https://{}/dev", server.address);
        let issuer = DevelopmentIssuer::open(&dir.path().join("development.key"), &url).unwrap();
        let client = client(&dir.path().join("pki/ca.pem"));
        Self { dir, clock, server, issuer, client }
    }

    /// Stops mgmt and starts it again at the same address, over the same files.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with("").await
    }

    /// The same with more lines in the boot file.
    pub(crate) async fn restart_with(self, more: &str) -> Self {
        let Self { dir, clock, server, .. } = self;
        let address = server.address.to_string();
        server.stop().await;
        let server = start(&dir, &address, &clock, more).await.expect("mgmt starts again");
        let site = Self::around(dir, clock, server);
        site.wait_for_keys().await;
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Waits until the development issuer's keys are there.
    pub(crate) async fn wait_for_keys(&self) {
        let mut keys = self.server.app.keys.subscribe();
        keys.wait_for(|keys| !keys.is_empty()).await.expect("keys");
    }

    /// Connects to the link as the dataplane does.
    pub(crate) async fn link(&self) -> LinkClient {
        LinkClient::connect(&self.path("link.sock")).await
    }

    /// A token of somebody who is of these groups; `requester` is the person behind it.
    pub(crate) fn token(&self, subject: &str, requester: &str, groups: &[&str]) -> String {
        let issued_s = self.clock.now_s();
        let claims = Claims {
            subject: subject.into(),
            audience: "pangate".into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            requester: requester.into(),
            issued_s,
            expires_s: issued_s + 600,
        };
        self.issuer.token(&claims).unwrap().to_string()
    }

    /// The job that the tests' tickets are of.
    pub(crate) fn job(&self) -> String {
        self.token("job", "alice", &["batch"])
    }

    /// A reviewer.
    pub(crate) fn reviewer(&self, name: &str) -> String {
        self.token(name, name, &["pci"])
    }

    pub(crate) fn admin(&self) -> String {
        self.token("root", "root", &["ops"])
    }

    pub(crate) fn auditor(&self) -> String {
        self.token("ida", "ida", &["audit"])
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.call(Method::GET, path, token, None).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        self.call(Method::POST, path, token, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, token: &str, body: Value) -> Reply {
        self.call(Method::PUT, path, token, Some(body.to_string())).await
    }

    pub(crate) async fn approve(&self, id: u128, token: &str) -> Reply {
        self.post(&format!("/v1/approvals/{id:032x}/approve"), token, json!({"reason": "as agreed"})).await
    }

    pub(crate) async fn reject(&self, id: u128, token: &str) -> Reply {
        self.post(&format!("/v1/approvals/{id:032x}/reject"), token, json!({"reason": "not now"})).await
    }

    pub(crate) async fn approval(&self, id: u128, token: &str) -> Approval {
        self.get(&format!("/v1/approvals/{id:032x}"), token).await.json(200)
    }

    /// Any request; an empty token is none.
    pub(crate) async fn call(&self, method: Method, path: &str, token: &str, body: Option<String>) -> Reply {
        let mut request = self.client.request(method, format!("https://{}{path}", self.address()));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let answer = request.send().await.expect("an answer");
        let header = |name: &str| {
            answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let (content_type, request_id) = (header("content-type"), header("x-request-id"));
        let status = answer.status().as_u16();
        Reply { status, content_type, request_id, body: answer.bytes().await.unwrap().to_vec() }
    }
}

impl Reply {
    /// The body, of an answer of this status.
    pub(crate) fn json<T: DeserializeOwned>(&self, status: u16) -> T {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("the body")
    }

    /// The error, of this status.
    pub(crate) fn problem(&self, status: u16) -> Problem {
        assert_eq!(self.content_type, "application/problem+json");
        let problem: Problem = self.json(status);
        assert_eq!(problem.status, status);
        assert_eq!(problem.instance, format!("urn:pangate:request:{}", self.request_id));
        problem
    }
}

/// Starts mgmt in this folder.
pub(crate) async fn start(
    dir: &tempfile::TempDir,
    address: &str,
    clock: &Clock,
    more: &str,
) -> Result<Server, StartError> {
    let root = dir.path().display();
    let text = format!(
        "listen: {address}
tls: {{cert: {root}/pki/server.pem, key: {root}/pki/server.key}}
store: {root}/mgmt.sqlite
link: {root}/link.sock
evidence: {{dir: {root}/evidence, sealingKey: {root}/keys/sealing.key, publicKey: {root}/keys/evidence.pub}}
roles: {{admin: [ops], auditor: [audit]}}
issuerCa: {root}/pki/ca.pem
developmentIssuer: {{enabled: true, keyFile: {root}/development.key}}
{more}
"
    );
    let config = Config::parse(&dir.path().join("mgmt.yaml"), &text).expect("the boot file");
    Server::start(&config, clock.clone()).await
}

/// A client that trusts this authority alone.
pub(crate) fn client(ca: &std::path::Path) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(https::certificates(ca).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().use_preconfigured_tls(tls).no_proxy().build().unwrap()
}

/// The usual policy: updates of public.cards wait for one reviewer, deletes for two; everything else of a job is denied
/// but for reading.
pub(crate) fn manifests(issuer: &str) -> String {
    format!(
        "kind: Issuer
name: development
url: {issuer}
audience: pangate
requester: requester
groups: [{{fromClaim: groups}}]
---
kind: Target
name: payments
protocol: postgres
listen: 127.0.0.1:5432
address: localhost:5433
credential: {{username: app, passwordFile: /run/pangate/payments.password}}
---
kind: Policy
name: settlement
groups: [batch]
targets: [payments]
rules:
  - {{name: reads, verbs: [select], objects: [\"public.*\"], decide: allow}}
  - name: writes
    verbs: [update]
    objects: [public.cards]
    decide: hold
    approval: {{reviewers: [pci], count: 1, timeout: 5m, grant: once}}
"
    )
}
