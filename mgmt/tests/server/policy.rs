//! Policy: applied by admins, refused whole with every mistake, pushed to the dataplane.

use mgmt::api::types::{Policy, PolicyApplied, Status};
use mgmt::app::StartError;
use serde_json::{Value, json};

use crate::support::Site;
use crate::support::site::{manifests, start};

fn upload(text: &str, dry_run: bool) -> Value {
    json!({"files": [{"name": "site.yaml", "text": text}], "dry_run": dry_run})
}

fn changed(site: &Site) -> String {
    manifests(site.issuer.url()).replace("timeout: 5m", "timeout: 6m")
}

#[tokio::test]
async fn an_applied_policy_reaches_the_dataplane() {
    let site = Site::start().await;
    let mut link = site.link().await;
    assert_eq!(link.hear_snapshot().await.version(), 1);
    let applied: PolicyApplied =
        site.put("/v1/policy", &site.admin(), upload(&changed(&site), false)).await.json(200);
    assert_eq!((applied.version, applied.unchanged), (2, false));
    let snapshot = link.hear_snapshot().await;
    assert_eq!((snapshot.version(), snapshot.max_age_s()), (2, 86_400));
    assert!(snapshot.target("payments").is_some());
    let (_, actor, text) = link.hear_event("policy-applied").await;
    assert!(actor == "mgmt" || actor == "root" || actor == "test", "{actor} {text}");
    let policy: Policy = site.get("/v1/policy", &site.auditor()).await.json(200);
    assert_eq!((policy.version, policy.author.as_str()), (2, "root"));
    assert_eq!(policy.files[0].text, changed(&site));
}

#[tokio::test]
async fn a_dry_run_and_the_same_again_change_nothing() {
    let site = Site::start().await;
    let dry: PolicyApplied =
        site.put("/v1/policy", &site.admin(), upload(&changed(&site), true)).await.json(200);
    assert_eq!((dry.version, dry.dry_run, dry.unchanged), (2, true, false));
    let same = upload(&manifests(site.issuer.url()), false);
    let same: PolicyApplied = site.put("/v1/policy", &site.admin(), same).await.json(200);
    assert_eq!((same.version, same.unchanged), (1, true));
    let status: Status = site.get("/v1/status", &site.admin()).await.json(200);
    assert_eq!(status.policy.unwrap().version, 1);
}

#[tokio::test]
async fn bad_manifests_are_refused_with_every_mistake_and_the_last_good_stay() {
    let site = Site::start().await;
    let bad = manifests(site.issuer.url())
        .replace("protocol: postgres", "protocol: postgrse")
        .replace("decide: allow", "decide: perhaps")
        .replace("count: 1", "count: none");
    let problem = site.put("/v1/policy", &site.admin(), upload(&bad, false)).await.problem(422);
    assert_eq!(problem.kind, "urn:pangate:problem:manifests-refused");
    assert!(problem.diagnostics.len() >= 3, "{:?}", problem.diagnostics);
    assert!(problem.diagnostics.iter().all(|one| one.file == "site.yaml" && one.line > 0 && one.column > 0));
    let policy: Policy = site.get("/v1/policy", &site.admin()).await.json(200);
    assert_eq!(policy.version, 1);
    site.link().await.hear_event("policy-refused").await;
}

#[tokio::test]
async fn only_admins_apply() {
    let site = Site::start().await;
    for token in [site.job(), site.reviewer("bob"), site.auditor()] {
        let reply = site.put("/v1/policy", &token, upload(&changed(&site), false)).await;
        assert!(reply.problem(403).detail.contains("admin"));
    }
    for token in [site.job(), site.reviewer("bob")] {
        assert_eq!(site.get("/v1/policy", &token).await.problem(403).status, 403);
    }
}

#[tokio::test]
async fn uploads_that_are_none_are_refused() {
    let site = Site::start().await;
    let put = async |body: Value| site.put("/v1/policy", &site.admin(), body).await.problem(422).status;
    assert_eq!(put(json!({"files": []})).await, 422);
    assert_eq!(put(json!({"files": [{"name": "", "text": ""}]})).await, 422);
    assert_eq!(put(json!({"files": [{"name": "a\nb", "text": ""}]})).await, 422);
    let large = upload(&"#".repeat(10 << 20), false);
    assert_eq!(site.put("/v1/policy", &site.admin(), large).await.problem(413).status, 413);
}

#[tokio::test]
async fn versions_count_on_across_a_restart() {
    let site = Site::start().await;
    let site = site.restart().await;
    let mut link = site.link().await;
    assert_eq!(link.hear_snapshot().await.version(), 1);
    let applied: PolicyApplied =
        site.put("/v1/policy", &site.admin(), upload(&changed(&site), false)).await.json(200);
    assert_eq!(applied.version, 2);
}

#[tokio::test]
async fn another_max_age_is_a_new_version_of_the_same_manifests() {
    let site = Site::start().await.restart_with("maxAge: 1h").await;
    let snapshot = site.link().await.hear_snapshot().await;
    assert_eq!((snapshot.version(), snapshot.max_age_s()), (2, 3600));
}

#[tokio::test]
async fn the_folder_is_applied_at_start_when_it_has_changed() {
    let site = Site::start().await;
    let folder = site.path("manifests");
    std::fs::create_dir(&folder).unwrap();
    let write = |text: String| std::fs::write(folder.join("site.yaml"), text).unwrap();
    let more = format!("manifests: {}", folder.display());

    write(changed(&site));
    let site = site.restart_with(&more).await;
    assert_eq!(site.link().await.hear_snapshot().await.version(), 2);
    // An admin's later word holds against a folder that has not changed since.
    let other = manifests(site.issuer.url()).replace("timeout: 5m", "timeout: 7m");
    assert_eq!(site.put("/v1/policy", &site.admin(), upload(&other, false)).await.status, 200);
    let site = site.restart_with(&more).await;
    assert_eq!(site.link().await.hear_snapshot().await.version(), 3);
    // One with mistakes leaves the last good in force, and is trouble.
    write("kind: Nonsense".to_owned());
    let site = site.restart_with(&more).await;
    assert_eq!(site.link().await.hear_snapshot().await.version(), 3);
    let status: Status = site.get("/v1/status", &site.admin()).await.json(200);
    assert!(status.troubles.iter().any(|trouble| trouble.contains("manifests")), "{:?}", status.troubles);
    assert!(!status.healthy);
}

#[tokio::test]
async fn without_any_good_policy_a_bad_folder_is_no_start() {
    let site = Site::bare().await;
    let folder = site.path("manifests");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("site.yaml"), "kind: Nonsense\n---\nkind: Policy\n").unwrap();
    let more = format!("manifests: {}", folder.display());
    let Site { dir, clock, server, .. } = site;
    server.stop().await;
    let error = start(&dir, "127.0.0.1:0", &clock, &more).await.err().expect("no start");
    assert!(matches!(error, StartError::Policy(_)));
    let text = error.to_string();
    assert!(text.lines().count() > 2 && text.contains("site.yaml:1:"), "{text}");
    assert!(!dir.path().join("link.sock").exists());
}
