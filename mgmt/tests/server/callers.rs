//! Who is let in, and what everybody is told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use mgmt::api::https;
use mgmt::api::types::Status;
use mgmt::auth::development::{Claims, DevelopmentIssuer};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Site;
use crate::support::site::manifests;

#[tokio::test]
async fn who_has_no_good_token_is_told_which_check_failed() {
    let site = Site::start().await;
    let now = site.clock.now_s();
    let claims = json!({"iss": site.issuer.url(), "sub": "bob", "aud": "pangate", "exp": now + 60,
        "requester": "bob", "groups": ["pci"]});
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        site.issuer.sign(&claims).to_string()
    };
    assert_eq!(site.get("/v1/status", &with("exp", json!(now + 60))).await.status, 200);
    for (token, said) in [
        (String::new(), "no bearer token"),
        (with("exp", json!(now)), "expired"),
        (with("nbf", json!(now + 3600)), "not valid yet"),
        (with("aud", json!("other")), "audience"),
        (with("iss", json!("https://other.test")), "issuer"),
        (with("requester", json!("")), "requester"),
        ("not.a.token".to_owned(), "malformed"),
    ] {
        let reply = site.get("/v1/status", &token).await;
        let problem = reply.problem(401);
        assert!(problem.detail.contains(said), "{said}: {}", problem.detail);
        assert!(token.is_empty() || !problem.detail.contains(&token));
    }
    site.link().await.hear_event("mgmt-login-refused").await;
}

#[tokio::test]
async fn before_any_policy_nobody_is_let_in_but_health_is_told() {
    let site = Site::bare().await;
    assert_eq!(site.get("/healthz", "").await.status, 200);
    assert!(site.get("/v1/status", &site.admin()).await.problem(503).detail.contains("policy"));
}

#[tokio::test]
async fn roles_and_groups_are_told_to_their_bearer_and_the_site_to_its_people() {
    let site = Site::start().await;
    let status: Status = site.get("/v1/status", &site.admin()).await.json(200);
    assert_eq!(status.caller.roles, ["admin"]);
    assert_eq!(status.issuers[0].keys, 1);
    assert!(status.troubles.iter().any(|trouble| trouble.contains("no dataplane")));
    let status: Status = site.get("/v1/status", &site.job()).await.json(200);
    assert!(status.issuers.is_empty() && status.troubles.is_empty() && !status.healthy);
    assert_eq!((status.caller.subject.as_str(), status.caller.requester.as_str()), ("job", "alice"));
}

#[tokio::test]
async fn requests_that_are_none_get_a_problem_that_repeats_nothing() {
    let site = Site::start().await;
    let admin = site.admin();
    assert_eq!(site.get("/v1/nothing", "").await.problem(404).status, 404);
    assert_eq!(site.call(Method::DELETE, "/v1/policy", &admin, None).await.problem(405).status, 405);
    for path in
        ["/v1/approvals/7", "/v1/approvals?state=nowhere", "/v1/approvals?sate=pending", "/v1/events?after=x"]
    {
        assert_eq!(site.get(path, &site.auditor()).await.problem(400).status, 400, "{path}");
    }
    for (body, status) in [
        ("{\"reason\": 4111111111111111}", 400),
        ("{\"reason\": \"ok\", \"more\": 4111111111111111}", 400),
        ("{", 400),
    ] {
        let path = format!("/v1/approvals/{:032x}/approve", 1);
        let problem = site.call(Method::POST, &path, &admin, Some(body.to_owned())).await.problem(status);
        assert!(!problem.detail.contains("4111"), "{}", problem.detail);
    }
    let large = format!("{{\"reason\": \"{}\"}}", "x".repeat(2 << 20));
    let path = format!("/v1/approvals/{:032x}/approve", 1);
    assert_eq!(site.call(Method::POST, &path, &admin, Some(large)).await.problem(413).status, 413);
    let reply = site.call(Method::POST, &path, &admin, None).await;
    assert_eq!(reply.problem(415).status, 415);
}

#[tokio::test]
async fn the_document_of_all_routes_is_served_and_tells_the_truth() {
    let site = Site::start().await;
    let document: Value = site.get("/openapi.json", "").await.json(200);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{id}", &format!("{:032x}", 1));
            let status = site.call(method, &path, "", None).await.status;
            let expected = if operation["security"].is_array() { 401 } else { 200 };
            assert_eq!(status, expected, "{path}");
        }
    }
}

/// An issuer of its own, over real HTTPS, whose keys can be changed and taken away.
struct OtherIssuer {
    keys: Arc<Mutex<Option<Value>>>,
    url: String,
    site: Site,
}

impl OtherIssuer {
    async fn start() -> Self {
        let site = Site::bare().await;
        let listener = https::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let keys = Arc::new(Mutex::new(None));
        let (shown, discovery) = (keys.clone(), json!({"issuer": url, "jwks_uri": format!("{url}/keys")}));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(|| async move { discovery.to_string() }))
            .route(
                "/keys",
                get(|| async move {
                    shown
                        .lock()
                        .unwrap()
                        .as_ref()
                        .map(Value::to_string)
                        .ok_or(axum::http::StatusCode::BAD_GATEWAY)
                }),
            );
        let tls = https::tls(&site.path("pki/server.pem"), &site.path("pki/server.key")).unwrap();
        let (stop, stopping) = tokio::sync::watch::channel(false);
        std::mem::forget(stop);
        tokio::spawn(https::serve(listener, tls, router, stopping));
        Self { keys, url, site }
    }

    fn issuer(&self, key: &str) -> DevelopmentIssuer {
        DevelopmentIssuer::open(&self.site.path(key), &self.url).unwrap()
    }

    fn publish(&self, issuer: Option<&DevelopmentIssuer>) {
        *self.keys.lock().unwrap() = issuer.map(DevelopmentIssuer::keys);
    }

    fn token(&self, issuer: &DevelopmentIssuer) -> String {
        let issued_s = self.site.clock.now_s();
        let claims = Claims {
            subject: "bob".into(),
            audience: "pangate".into(),
            groups: vec!["pci".into()],
            requester: "bob".into(),
            issued_s,
            expires_s: issued_s + 600,
        };
        issuer.token(&claims).unwrap().to_string()
    }

    async fn apply(&self) {
        let files =
            vec![mgmt::api::types::PolicyFile { name: "site.yaml".into(), text: manifests(&self.url) }];
        let source = mgmt::store::PolicySource::Api;
        self.site.server.app.publisher.apply(files, "test", source, false).await.unwrap();
    }
}

#[tokio::test]
async fn an_issuers_new_key_is_fetched_when_a_token_names_it() {
    let other = OtherIssuer::start().await;
    let (first, second) = (other.issuer("first.key"), other.issuer("second.key"));
    other.publish(Some(&first));
    other.apply().await;
    other.site.wait_for_keys().await;
    let site = &other.site;
    assert_eq!(site.get("/v1/status", &other.token(&first)).await.status, 200);
    other.publish(Some(&second));
    assert!(site.get("/v1/status", &other.token(&second)).await.problem(401).detail.contains("key"));
    site.clock.advance_ms(10_000);
    assert_eq!(site.get("/v1/status", &other.token(&second)).await.status, 200);
    // The key that is published no more is good for nothing.
    assert_eq!(site.get("/v1/status", &other.token(&first)).await.problem(401).status, 401);
    let mut link = site.link().await;
    link.hear_event("issuer-keys-changed").await;
}

#[tokio::test]
async fn the_last_good_keys_stay_while_the_issuer_is_away() {
    let other = OtherIssuer::start().await;
    let first = other.issuer("first.key");
    other.publish(Some(&first));
    other.apply().await;
    other.site.wait_for_keys().await;
    other.publish(None);
    let site = &other.site;
    site.clock.advance_ms(301_000);
    let policy = site.server.app.publisher.current().unwrap();
    assert_eq!(site.server.app.keys.refresh(&policy).await.unwrap(), 0);
    assert_eq!(site.get("/v1/status", &other.token(&first)).await.status, 200);
    let status = site.server.app.keys.status(&policy);
    assert!(status[0].error.contains("502") && status[0].keys == 1, "{:?}", status[0]);
    site.clock.advance_ms(3_600_000);
    assert!(site.server.app.keys.troubles(&policy)[0].contains("old keys"));
}

#[tokio::test]
async fn an_issuer_without_a_usable_key_is_trouble() {
    let other = OtherIssuer::start().await;
    let weak = json!({"keys": [{"kty": "RSA", "kid": "weak", "n": "_".repeat(170), "e": "AQAB"}]});
    *other.keys.lock().unwrap() = Some(weak);
    other.apply().await;
    let app = &other.site.server.app;
    app.keys.demand(&other.url).await.unwrap();
    let policy = app.publisher.current().unwrap();
    let troubles = app.keys.troubles(&policy);
    assert!(troubles[0].contains("no usable key: weak"), "{troubles:?}");
}

#[tokio::test]
async fn discovery_tells_what_is_wrong() {
    use mgmt::publish::discovery::{DiscoveryError, Fetcher};

    let other = OtherIssuer::start().await;
    let ca = https::certificates(&other.site.path("pki/ca.pem")).unwrap();
    let fetcher = Fetcher::new(&ca).unwrap();
    let failed = async |url: &str| fetcher.keys(url).await.unwrap_err();
    assert!(matches!(failed("http://127.0.0.1:1").await, DiscoveryError::Url(_)));
    assert!(matches!(failed("nonsense").await, DiscoveryError::Url(_)));
    let localhost = other.url.replace("127.0.0.1", "localhost");
    assert!(matches!(failed(&localhost).await, DiscoveryError::OtherIssuer { .. }));
    assert!(matches!(failed(&format!("{}/none", other.url)).await, DiscoveryError::Http { .. }));
    *other.keys.lock().unwrap() = Some(json!("no set"));
    assert!(matches!(failed(&other.url).await, DiscoveryError::Malformed { .. }));
    *other.keys.lock().unwrap() = Some(json!({"keys": []}));
    assert!(matches!(failed(&other.url).await, DiscoveryError::NoKey { .. }));
    // Large answers are cut off.
    *other.keys.lock().unwrap() = Some(json!({"keys": [], "more": "x".repeat(2 << 20)}));
    assert!(failed(&other.url).await.to_string().contains("more than"));
    // An authority that is not trusted.
    let strict = Fetcher::new(&[]).unwrap();
    assert!(matches!(strict.keys(&other.url).await.unwrap_err(), DiscoveryError::Http { .. }));
}
