//! Held statements that nobody, or the wrong person, rules on; transactions; grants.

use crate::clients::{open, run, said};
use crate::gateway::{Gateway, text, wait_for};

const UPDATE: &str = "update cards set holder = 'Renamed' where id = 1";
const HOLDER: &str = "select holder from cards where id = 1";

#[test]
fn a_ticket_of_a_client_that_is_gone_is_withdrawn() {
    let gateway = Gateway::start();
    let mut job = gateway.psql(&[UPDATE]).spawn().unwrap();
    let ticket = gateway.pending_ticket();
    job.kill().unwrap();
    job.wait().unwrap();
    wait_for("the withdrawal", || (gateway.state(&ticket) == "withdrawn").then_some(()));
    let late = gateway.pangate(1, &["approvals", "approve", &ticket, "--reason", "late"]);
    assert_eq!(late.status.code(), Some(1), "{}", text(&late));
    assert_eq!(gateway.direct(&[HOLDER]).trim(), "Ada Example");
}

#[test]
fn a_ticket_that_nobody_rules_on_expires() {
    let gateway =
        Gateway::with_changes(&[("timeout: 5m, inTransaction: 60s", "timeout: 1s, inTransaction: 1s")]);
    let told = gateway.job(&[UPDATE, "select 'goes on'"]);
    assert!(told.contains("not approved in time: ticket") && told.contains("goes on"), "{told}");
    wait_for("the ticket's end", || {
        let all = gateway.json(&["approvals", "list"]);
        (all[0]["state"] == "expired").then_some(())
    });
    assert_eq!(gateway.direct(&[HOLDER]).trim(), "Ada Example");
}

#[test]
fn two_approvers_are_two_people_and_neither_of_them_asked() {
    let gateway = Gateway::with_changes(&[("count: 1", "count: 2")]);
    let job = gateway.psql(&[UPDATE]).spawn().unwrap();
    let ticket = gateway.pending_ticket();
    let vote = ["approvals", "approve", &ticket, "--reason", "case 7"];
    let refused = |token: &str, why: &str| {
        let said = gateway.pangate_as(token, &vote);
        assert_eq!(said.status.code(), Some(1), "{}", text(&said));
        assert!(text(&said).contains(why), "{}", text(&said));
        assert_eq!(gateway.state(&ticket), "pending");
    };
    let reviewer = ["--group", "pci-reviewers"];
    // The person behind the job, by whatever name, and the job itself.
    refused(&gateway.token(&[&["--subject", "dana"][..], &reviewer].concat()), "whoever asks");
    refused(
        &gateway.token(&[&["--subject", "x", "--requester", "Dana"][..], &reviewer].concat()),
        "whoever asks",
    );
    refused(&gateway.token(&[&["--subject", "ci-job"][..], &reviewer].concat()), "whoever asks");
    refused(&gateway.token(&["--subject", "eve", "--group", "others"]), "");
    gateway.approve(1, &ticket);
    assert_eq!(gateway.state(&ticket), "pending");
    assert_eq!(gateway.direct(&[HOLDER]).trim(), "Ada Example");
    refused(&gateway.reviewer_token(1), "another person");
    gateway.approve(2, &ticket);
    let done = job.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", text(&done));
    assert_eq!(gateway.direct(&[HOLDER]).trim(), "Renamed");
}

#[test]
fn inside_a_transaction_that_has_run_something_a_rule_may_deny_to_hold() {
    let gateway = Gateway::with_changes(&[("inTransaction: 60s", "inTransaction: deny")]);
    let told =
        gateway.job(&["begin", "update settlements set settled = true where id = 1", UPDATE, "commit"]);
    assert!(
        told.contains("holds no command inside a transaction") && told.contains("pangate request"),
        "{told}"
    );
    assert_eq!(gateway.direct(&["select settled from settlements where id = 1"]).trim(), "f");
    // Drivers begin transactions by themselves: the first statement of one is held like any other.
    let job = gateway.psql(&["begin", UPDATE, "commit"]).spawn().unwrap();
    let ticket = gateway.pending_ticket();
    gateway.approve(1, &ticket);
    let done = job.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", text(&done));
    assert_eq!(gateway.direct(&[HOLDER]).trim(), "Renamed");
}

/// Runs a statement that needs no approval of its own any more.
async fn runs(client: &tokio_postgres::Client, statement: &str) {
    client.simple_query(statement).await.unwrap();
}

#[test]
fn a_grant_for_the_session_covers_the_same_statement_there_and_nothing_else() {
    let gateway = Gateway::with_changes(&[("grant: once", "grant: session")]);
    run(async {
        let client = open(&gateway).await.client;
        let held = tokio::spawn(async move { client.simple_query(UPDATE).await.map(|_| client) });
        let ticket = gateway.pending_ticket();
        gateway.approve(1, &ticket);
        let client = held.await.unwrap().unwrap();
        runs(&client, UPDATE).await;
        runs(&client, UPDATE).await;
        let other = "update cards set holder = 'Renamed' where id = 2";
        let held = tokio::spawn(async move { client.simple_query(other).await.map(drop) });
        let ticket = gateway.pending_ticket();
        assert!(gateway.pangate(1, &["approvals", "reject", &ticket, "--reason", "no"]).status.success());
        assert!(said(&held.await.unwrap().unwrap_err()).starts_with("42501 rejected"));
        let elsewhere = open(&gateway).await.client;
        let held = tokio::spawn(async move { elsewhere.simple_query(UPDATE).await.map(drop) });
        let ticket = gateway.pending_ticket();
        assert!(gateway.pangate(1, &["approvals", "reject", &ticket, "--reason", "no"]).status.success());
        assert!(held.await.unwrap().is_err());
    });
}

#[test]
fn a_grant_for_a_window_covers_the_same_statement_of_the_same_job() {
    let gateway = Gateway::with_changes(&[("grant: once", "grant: {window: 1h}")]);
    let job = gateway.psql(&[UPDATE]).spawn().unwrap();
    let ticket = gateway.pending_ticket();
    gateway.approve(1, &ticket);
    assert!(job.wait_with_output().unwrap().status.success());
    let done = gateway.psql(&[UPDATE]).output().unwrap();
    assert!(done.status.success() && text(&done).contains("NOTICE"), "{}", text(&done));
    // Another job, with the same rights.
    let stranger =
        gateway.token(&["--subject", "other-job", "--requester", "dana", "--group", "settlement-batch"]);
    let mut job = gateway.psql_as(&stranger, &gateway.conninfo(), &[UPDATE]).spawn().unwrap();
    let ticket = gateway.pending_ticket();
    assert_eq!(gateway.json(&["approvals", "show", &ticket])["identity"], "other-job");
    job.kill().unwrap();
    job.wait().unwrap();
}
