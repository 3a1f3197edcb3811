//! Tokens that are expired, for others, or used before; sessions from elsewhere.

use std::net::SocketAddr;

use crate::clients::{open_as, open_from, run, said};
use crate::gateway::{Gateway, text, wait_for};

const JOB: [&str; 6] = ["--subject", "ci-job", "--requester", "dana", "--group", "settlement-batch"];

fn login(gateway: &Gateway, token: &str) -> String {
    text(&gateway.psql_as(token, &gateway.conninfo(), &["select 'in'"]).output().unwrap())
}

#[test]
fn expired_and_misdirected_tokens_are_refused() {
    let gateway = Gateway::start();
    let short = gateway.token(&[&JOB[..], &["--ttl", "3s"]].concat());
    // The dataplane remembers tokens that it has verified: their expiry counts nevertheless.
    let refused = wait_for("the token's expiry", || {
        let said = login(&gateway, &short);
        (!said.starts_with("in")).then_some(said)
    });
    assert!(refused.contains("the token has expired") && refused.contains("FATAL"), "{refused}");
    let elsewhere = gateway.token(&[&JOB[..], &["--audience", "elsewhere"]].concat());
    let refused = login(&gateway, &elsewhere);
    assert!(refused.contains("the token is for another audience"), "{refused}");
    for (token, refused) in [(&short, &refused), (&elsewhere, &refused)] {
        for part in token.split('.') {
            assert!(!refused.contains(part), "the refusal repeats the token");
        }
    }
    let long = "x".repeat(20_000);
    assert!(login(&gateway, &long).contains("FATAL"));
    assert_eq!(login(&gateway, &gateway.job_token()), "in\n");
    gateway.kill("dataplane", "-TERM");
    let recorded = gateway.export();
    for reason in ["the token has expired", "the token is for another audience", "a token, at most"] {
        let refusals =
            recorded.lines().filter(|line| line.contains("login-refused") && line.contains(reason));
        assert!(refusals.count() > 0, "{reason}");
    }
}

#[test]
fn a_token_bound_to_one_session_opens_no_second_even_after_a_restart() {
    let gateway =
        Gateway::with_changes(&[("requester: requester", "requester: requester\nbind: {jti: once}")]);
    let token = gateway.job_token();
    assert_eq!(login(&gateway, &token), "in\n");
    let refused = login(&gateway, &token);
    assert!(refused.contains("the token has been used before: replay refused"), "{refused}");
    for signal in ["-TERM", "-KILL"] {
        gateway.kill("dataplane", signal);
        gateway.start_again("dataplane");
        wait_for("the gateway letting a job in", || {
            (login(&gateway, &gateway.job_token()) == "in\n").then_some(())
        });
        let refused = login(&gateway, &token);
        assert!(refused.contains("the token has been used before: replay refused"), "{signal}: {refused}");
    }
}

#[test]
fn a_token_bound_to_its_source_opens_sessions_from_there_alone() {
    let gateway =
        Gateway::with_changes(&[("requester: requester", "requester: requester\nbind: {jti: source}")]);
    run(async {
        let token = gateway.job_token();
        let first = open_as(&gateway, &token).await.unwrap();
        let second = open_as(&gateway, &token).await.unwrap();
        let elsewhere: SocketAddr = "127.0.0.2:0".parse().unwrap();
        let refused = open_from(&gateway, &token, elsewhere).await.map(|_| ()).unwrap_err();
        assert!(said(&refused).contains("used before"), "{}", said(&refused));
        let other = open_from(&gateway, &gateway.job_token(), elsewhere).await.unwrap();
        for job in [first, second, other] {
            job.client.simple_query("select 1").await.unwrap();
        }
    });
}
