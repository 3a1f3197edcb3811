//! mgmt down and back, manifests with mistakes, policy that changes under open sessions, limits.

use tokio_postgres::Client;

use crate::clients::{open, open_as, run, said};
use crate::gateway::{Gateway, text, wait_for};

const TIMES: &str = "timeout: 5m, inTransaction: 60s";
const UPDATE: &str = "update cards set holder = 'x' where id = 1";

async fn one(client: &Client, statement: &str) -> Result<(), String> {
    client.simple_query(statement).await.map(drop).map_err(|error| said(&error))
}

#[test]
fn without_mgmt_sessions_go_on_and_holds_end_at_their_timeout() {
    let gateway = Gateway::with_changes(&[(TIMES, "timeout: 2s, inTransaction: 2s")]);
    run(async {
        let open_before = open(&gateway).await.client;
        gateway.kill("mgmt", "-KILL");
        one(&open_before, "select 1").await.unwrap();
        let open_after = open(&gateway).await.client;
        one(&open_after, "select 1").await.unwrap();
        let denied = one(&open_after, UPDATE).await.unwrap_err();
        assert!(denied.starts_with("57014 not approved in time: ticket "), "{denied}");
        one(&open_after, "select 1").await.unwrap();
    });
    assert_eq!(gateway.direct(&["select holder from cards where id = 1"]).trim(), "Ada Example");
}

/// Lets the kept snapshot look as if mgmt had confirmed it so long ago: its time stands behind eight bytes of magic.
fn age_snapshot(gateway: &Gateway, seconds: u64) {
    let file = gateway.dir().join("state/snapshot");
    let mut bytes = std::fs::read(&file).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let then = u64::try_from(now.as_micros()).unwrap() - seconds * 1_000_000;
    bytes[8..16].copy_from_slice(&then.to_le_bytes());
    std::fs::write(&file, bytes).unwrap();
}

#[test]
fn a_kept_policy_serves_without_mgmt_up_to_its_max_age() {
    let gateway = Gateway::start();
    gateway.kill("mgmt", "-TERM");
    gateway.kill("dataplane", "-TERM");
    // mgmt's maxAge is a day where its boot file does not say.
    age_snapshot(&gateway, 86_400 - 15);
    gateway.start_again("dataplane");
    run(async {
        wait_for("a login under the kept policy", || (gateway.job(&["select 'in'"]) == "in\n").then_some(()));
        let client = open(&gateway).await.client;
        let told = wait_for("the policy's age", || {
            let told = gateway.job(&["select 'in'"]);
            (told != "in\n").then_some(told)
        });
        assert!(told.contains("older than its maxAge"), "{told}");
        let denied = one(&client, "select 1").await.unwrap_err();
        assert!(denied.starts_with("42501 ") && denied.contains("older than its maxAge"), "{denied}");
        gateway.start_again("mgmt");
        wait_for("mgmt's word on the policy", || (gateway.job(&["select 'in'"]) == "in\n").then_some(()));
        one(&client, "select 1").await.unwrap();
    });
}

#[test]
fn a_kept_policy_that_is_broken_is_not_used() {
    let gateway = Gateway::start();
    gateway.kill("mgmt", "-TERM");
    gateway.kill("dataplane", "-TERM");
    let file = gateway.dir().join("state/snapshot");
    let mut bytes = std::fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes.truncate(half);
    std::fs::write(&file, bytes).unwrap();
    gateway.start_again("dataplane");
    wait_for("its complaint", || {
        let log = std::fs::read_to_string(gateway.dir().join("dataplane.log")).unwrap();
        log.contains("snapshot").then_some(())
    });
    assert!(!gateway.job(&["select 'in'"]).contains("in\n"));
    gateway.start_again("mgmt");
    wait_for("a policy of mgmt's", || (gateway.job(&["select 'in'"]) == "in\n").then_some(()));
}

#[test]
fn with_mgmt_back_a_ticket_is_sent_again_and_can_be_approved() {
    let gateway = Gateway::start();
    run(async {
        let mut job = open(&gateway).await;
        gateway.kill("mgmt", "-KILL");
        let held = tokio::spawn(async move { one(&job.client, UPDATE).await.map(|()| job.client) });
        let notice = job.notices.recv().await.unwrap();
        gateway.start_again("mgmt");
        wait_for("mgmt answering", || gateway.pangate(1, &["status"]).status.success().then_some(()));
        let ticket = gateway.pending_ticket();
        assert!(notice.contains(&ticket), "{notice}");
        gateway.approve(1, &ticket);
        held.await.unwrap().unwrap();
    });
    assert_eq!(gateway.direct(&["select holder from cards where id = 1"]).trim(), "x");
}

#[test]
fn manifests_with_mistakes_are_refused_with_their_place_and_the_last_good_stay() {
    let gateway = Gateway::start();
    let good = gateway.policy();
    for (from, to, word) in [
        ("decide: allow}", "decide: alow}", "alow"),
        ("protocol: postgres", "protocol: postgres\nspeed: 9", "speed"),
        ("targets: [payments]", "targets: [elsewhere]", "elsewhere"),
        ("kind: Policy", "kind: Polizei", "Polizei"),
        ("mask: {pan: last4}", "mask: {pan: [last4}", "demo.yaml"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        let refused = gateway.apply(&bad);
        let told = text(&refused);
        assert_eq!(refused.status.code(), Some(1), "{word}: {told}");
        assert!(told.contains(word), "{word}: {told}");
        let line = bad.lines().position(|line| line.contains(to.lines().last().unwrap())).unwrap() + 1;
        assert!(told.contains(&format!("demo.yaml:{line}:")), "{word}, line {line}: {told}");
    }
    assert_eq!(gateway.job(&["select 1", "drop table cards"]).lines().next(), Some("1"));
    // A start of mgmt with a folder that has mistakes keeps what was in force, too.
    std::fs::write(gateway.dir().join("manifests/demo.yaml"), good.replace("kind: Policy", "kind: P"))
        .unwrap();
    gateway.kill("mgmt", "-TERM");
    gateway.start_again("mgmt");
    let said = gateway.job(&["select 1", "drop table cards"]);
    assert!(said.starts_with("1\n") && said.contains("settlement/no-ddl"), "{said}");
}

#[test]
fn a_new_policy_rules_the_next_statement_of_an_open_session() {
    let gateway = Gateway::start();
    let good = gateway.policy();
    run(async {
        let client = open(&gateway).await.client;
        let prepared = client.prepare("select count(*) from cards").await.unwrap();
        client.query(&prepared, &[]).await.unwrap();
        let rule = "  - {name: closed, verbs: [select], objects: [public.cards], decide: deny}\n";
        let denying = good.replacen("rules:\n", &format!("rules:\n{rule}"), 1);
        gateway.put_in_force(&denying, &["select count(*) from cards"], "settlement/closed");
        let denied = said(&client.query(&prepared, &[]).await.unwrap_err());
        assert!(denied.starts_with("42501 denied by rule settlement/closed"), "{denied}");
        assert!(one(&client, "select * from cards").await.unwrap_err().starts_with("42501 "));
        one(&client, "select 1").await.unwrap();
        gateway.put_in_force(&good, &["select count(*) from cards"], "5\n");
        client.query(&prepared, &[]).await.unwrap();
        // A policy that no longer lets the job in at all.
        let away = good.replace("groups: [settlement-batch]", "groups: [others]");
        gateway.put_in_force(&away, &["select 1"], "no policy");
        assert!(one(&client, "select 1").await.unwrap_err().starts_with("42501 "));
    });
}

#[test]
fn a_hold_that_was_asked_under_another_policy_is_not_approved() {
    let gateway = Gateway::start();
    run(async {
        let client = open(&gateway).await.client;
        let held = tokio::spawn(async move { one(&client, UPDATE).await });
        let ticket = gateway.pending_ticket();
        let changed = gateway.policy().replace("name: no-ddl", "name: never-ddl");
        gateway.put_in_force(&changed, &["drop table cards"], "never-ddl");
        let _ = gateway.pangate(1, &["approvals", "approve", &ticket, "--reason", "late"]);
        let refused = held.await.unwrap().unwrap_err();
        assert!(refused.starts_with("42501 rejected: ticket "), "{refused}");
    });
    assert_eq!(gateway.direct(&["select holder from cards where id = 1"]).trim(), "Ada Example");
}

#[test]
fn limits_of_sessions_rows_and_duration_hold() {
    let gateway = Gateway::with_changes(&[(
        "limits: {sessions: 200, duration: 2h}",
        "limits: {sessions: 2, rows: 1000}",
    )]);
    run(async {
        let token = gateway.job_token();
        let first = open_as(&gateway, &token).await.unwrap();
        let second = open_as(&gateway, &token).await.unwrap();
        let refused = open_as(&gateway, &token).await.map(|_| ()).unwrap_err();
        assert!(said(&refused).starts_with("53400 "), "{}", said(&refused));
        one(&second.client, "select 1").await.unwrap();
        let over = one(&first.client, "select generate_series(1, 5000)").await.unwrap_err();
        assert!(over.starts_with("53400 "), "{over}");
        one(&second.client, "select generate_series(1, 900)").await.unwrap();
        drop((first, second));
        wait_for("a place for a session", || gateway.job(&["select 'in'"]).contains("in\n").then_some(()));
        gateway.put_in_force(
            &gateway.policy().replace("sessions: 2, rows: 1000", "duration: 3s"),
            &["select count(*) from generate_series(1, 2)"],
            "2\n",
        );
        let job = open(&gateway).await;
        let end = job.end.await.unwrap();
        assert!(said(&end.unwrap()).starts_with("53400 "));
    });
}
