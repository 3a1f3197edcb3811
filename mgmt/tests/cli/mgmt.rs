//! The commands that ask mgmt, against a server that says what the test wants.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::{code, json as parsed, pangate, run, stderr, stdout};

const TOKEN: &str = "header.payload.signature";

/// What a client sent.
struct Asked {
    /// Method and path with query.
    line: String,
    authorization: String,
    body: Value,
}

/// Answers as many requests as there are answers, in order, each on a connection of its own; or as many as come before
/// a connection that asks nothing.
fn serve(answers: Vec<(u16, Value)>) -> (SocketAddr, JoinHandle<Vec<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let answer = |(status, body)| answer(&listener.accept().unwrap().0, status, &body);
        answers.into_iter().map_while(answer).collect()
    });
    (address, server)
}

fn answer(mut stream: &TcpStream, status: u16, body: &Value) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = head.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        });
        found.unwrap_or_default()
    };
    let mut sent = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut sent).unwrap();
    let body = body.to_string();
    let length = body.len();
    let reply = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(reply.as_bytes()).unwrap();
    Some(Asked {
        line: head[0].rsplit_once(' ').unwrap().0.to_owned(),
        authorization: header("authorization"),
        body: serde_json::from_slice(&sent).unwrap_or(Value::Null),
    })
}

fn ask(arguments: &[&str], answers: Vec<(u16, Value)>) -> (Output, Vec<Asked>) {
    let (address, server) = serve(answers);
    let url = format!("http://{address}");
    let output =
        pangate(arguments).env("PANGATE_MGMT_URL", url).env("PANGATE_TOKEN", TOKEN).output().unwrap();
    // Ends a server that waits for more than was asked; one that has ended refuses.
    drop(TcpStream::connect(address));
    (output, server.join().unwrap())
}

fn approval(state: &str) -> Value {
    json!({
        "id": "5f", "state": state, "identity": "job", "issuer": "https://ci", "requester": "ada",
        "groups": ["batch"], "session": "41", "source": "10.0.0.1:5", "target": "payments",
        "statement": "update cards\nset pan = '************1111'", "parameters": [null], "masked": 1,
        "objects": ["cards"], "rule": "settlement/changes", "snapshot": 3, "digest": "ab",
        "reviewers": ["pci"], "count": 2, "grant": "once", "opened_ms": 1, "deadline_ms": 2, "votes": [],
        "ruled_ms": null, "outcome": "", "settled_ms": null, "may_decide": true, "may_not": "",
        "of_a_later_version": true,
    })
}

#[test]
fn approvals_are_listed_as_mgmt_gives_them() {
    let (output, asked) = ask(&["approvals", "list", "--json"], vec![(200, json!([approval("pending")]))]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(parsed(&output), json!([approval("pending")]), "unknown fields included");
    assert_eq!(asked[0].line, "GET /v1/approvals");
    assert_eq!(asked[0].authorization, format!("Bearer {TOKEN}"));
    let (output, asked) =
        ask(&["approvals", "list", "--state", "pending"], vec![(200, json!([approval("pending")]))]);
    assert!(stdout(&output).contains("update cards set pan"), "{}", stdout(&output));
    assert_eq!(asked[0].line, "GET /v1/approvals?state=pending");
}

#[test]
fn a_vote_needs_a_reason_and_names_one_ticket() {
    let arguments = ["approvals", "approve", "../5f", "--reason", "checked"];
    let (output, asked) = ask(&arguments, vec![(200, approval("approved"))]);
    assert_eq!((code(&output), stdout(&output).trim()), (0, "5f: approved"));
    assert_eq!(asked[0].line, "POST /v1/approvals/..%2F5f/approve");
    assert_eq!(asked[0].body, json!({ "reason": "checked" }));
    for reason in ["", "  "] {
        let output = pangate(&["approvals", "reject", "5f", "--reason", reason])
            .env("PANGATE_MGMT_URL", "http://127.0.0.1:1")
            .output()
            .unwrap();
        assert_eq!(code(&output), 2);
    }
}

#[test]
fn what_mgmt_refuses_is_1_and_what_it_cannot_say_is_3() {
    let problem = json!({ "title": "Forbidden", "detail": "the requester may not approve" });
    for (status, wanted) in [(403, 1), (404, 1), (409, 1), (401, 3), (429, 3), (500, 3), (503, 3)] {
        let arguments = ["approvals", "approve", "5f", "--reason", "x"];
        let (output, _) = ask(&arguments, vec![(status, problem.clone())]);
        assert_eq!(code(&output), wanted, "{status}");
        assert!(stderr(&output).contains("the requester may not approve"));
        assert!(!stderr(&output).contains(TOKEN));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_mgmt_that_cannot_be_asked_is_3_and_none_at_all_is_2() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let output = pangate(&["status", "--mgmt", &url]).env("PANGATE_TOKEN", TOKEN).output().unwrap();
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).starts_with(&format!("pangate: cannot reach mgmt at {url}")));
    let output = run(&["status", "--mgmt", &url]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("no identity token"));
    assert_eq!(code(&run(&["status"])), 2);
    assert_eq!(
        code(&run(&["status", "--mgmt", "http://mgmt.example"])),
        2,
        "the token would travel in clear"
    );
}

#[test]
fn a_redirect_is_not_followed_with_the_token() {
    let (output, _) = ask(&["status"], vec![(302, json!({}))]);
    assert_eq!(code(&output), 3);
}

#[test]
fn sessions_are_listed_shown_and_replayed() {
    let session = json!({
        "id": "41", "identity": "job", "issuer": "https://ci", "requester": "ada", "groups": ["batch"],
        "source": "10.0.0.1:5", "target": "payments", "protocol": "postgres", "user": "settlement",
        "database": "payments", "application": "psql", "opened_ms": 1_795_514_400_000_u64, "closed_ms": null,
        "how": "", "command_count": 1, "rows": 1, "bytes": 30, "masked": 1,
    });
    let (output, asked) = ask(&["sessions", "list", "--json", "--limit", "7"], vec![(200, json!([session]))]);
    assert_eq!(parsed(&output)[0]["id"], "41");
    assert_eq!(asked[0].line, "GET /v1/sessions?limit=7");
    let mut detail = session;
    detail["policies"] = json!(["settlement"]);
    detail["snapshot"] = json!(3);
    detail["claims"] = json!({});
    detail["truncated"] = json!(false);
    detail["commands"] = json!([{
        "number": 1, "at_ms": 1, "kind": "query", "statement": "select pan from cards", "parameters": "",
        "objects": ["cards"], "decision": "allow", "rule": "settlement/reports", "snapshot": 3, "masked": 0,
        "ticket": null, "ruling": "", "reviewers": [], "reason": "", "outcome": "done", "finished_ms": 2,
        "rows": 1, "bytes": 30, "response_masked": 1, "response_digest": "",
        // DataRow with one cell of four bytes.
        "response": "RAAAAA4AAQAAAAQxMTEx",
    }]);
    let (output, _) = ask(&["sessions", "show", "41"], vec![(200, detail.clone())]);
    assert!(stdout(&output).contains("select pan from cards"), "{}", stderr(&output));
    let (output, _) = ask(&["sessions", "replay", "41"], vec![(200, detail)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("select pan from cards\n1111\n"), "{}", stdout(&output));
}

#[test]
fn a_request_is_answered_at_once_or_waited_for() {
    let held = |state| json!({ "decision": "hold", "rule": "r", "reason": "", "approval": approval(state) });
    let arguments = ["request", "--target", "payments", "update x set y = $1", "--param", "-1", "--json"];
    let (output, asked) = ask(&arguments, vec![(200, held("ahead"))]);
    assert_eq!((code(&output), &parsed(&output)["decision"]), (0, &json!("hold")));
    let body = json!({ "target": "payments", "statement": "update x set y = $1", "parameters": ["-1"] });
    assert_eq!(asked[0].body, body);
    let denied =
        json!({ "decision": "deny", "rule": "default", "reason": "nothing matches", "approval": null });
    assert_eq!(code(&ask(&arguments, vec![(200, denied)]).0), 1);
    let waiting = [&arguments[..], &["--wait"]].concat();
    for (state, wanted) in [("approved", 0), ("rejected", 1), ("expired", 1)] {
        let (output, asked) = ask(&waiting, vec![(200, held("ahead")), (200, approval(state))]);
        assert_eq!((code(&output), asked[1].line.as_str()), (wanted, "GET /v1/approvals/5f"));
    }
    let later = vec![(200, held("ahead")), (200, approval("ahead")), (200, approval("approved"))];
    assert_eq!(code(&ask(&waiting, later).0), 0);
    let impatient = [&waiting[..], &["--timeout", "0s"]].concat();
    let (output, _) = ask(&impatient, vec![(200, held("ahead")), (200, approval("ahead"))]);
    assert_eq!(code(&output), 3);
}

#[test]
fn status_is_1_where_something_is_in_trouble() {
    let status = |healthy| {
        json!({
            "healthy": healthy, "version": "1", "started_ms": 1, "policy": null, "approvals_waiting": 0,
            "caller": { "issuer": "i", "subject": "s", "requester": "", "groups": [], "roles": [] },
            "dataplanes": [], "issuers": [], "events_queued": 0, "troubles": ["no dataplane"],
        })
    };
    assert_eq!(code(&ask(&["status", "--json"], vec![(200, status(true))]).0), 0);
    let (output, _) = ask(&["status"], vec![(200, status(false))]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("no dataplane"));
}

#[test]
fn events_are_read_page_after_page() {
    let event = |number: usize| json!({ "id": number.to_string(), "at_ms": number, "event": "e", "actor": "ada", "text": "", "sent": true, "recorded": true });
    let first: Vec<Value> = (0..500).map(event).collect();
    let (output, asked) =
        ask(&["audit", "export", "--identity", "ada"], vec![(200, json!(first)), (200, json!([event(500)]))]);
    assert_eq!(stdout(&output).lines().count(), 501);
    assert_eq!(asked[1].line, "GET /v1/events?limit=500&after=499");
}
