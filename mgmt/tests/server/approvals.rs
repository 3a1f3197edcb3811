//! Tickets from arrival to ruling: who may decide, what an approval is good for, what a restart keeps.

use mgmt::api::types::{AheadAnswer, Approval, ApprovalState};
use policies::approval::Grant;
use policies::link::ToMgmt;
use serde_json::json;

use crate::support::link::{signed, ticket};
use crate::support::{LinkClient, Site};

const ID: u128 = 0xa1;

async fn with_ticket() -> (Site, LinkClient) {
    let site = Site::start().await;
    let mut link = site.link().await;
    link.say(ToMgmt::Ticket(ticket(ID))).await;
    link.settle().await;
    (site, link)
}

#[tokio::test]
async fn an_approved_ticket_is_ruled_with_its_digest() {
    let (site, mut link) = with_ticket().await;
    let waiting: Vec<Approval> =
        site.get("/v1/approvals?state=pending", &site.reviewer("bob")).await.json(200);
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].may_decide);
    assert_eq!((waiting[0].identity.as_str(), waiting[0].target.as_str()), ("job", "payments"));

    let approval: Approval = site.approve(ID, &site.reviewer("bob")).await.json(200);
    assert_eq!(approval.state, ApprovalState::Approved);
    let ruling = link.hear_ruling().await;
    assert_eq!((ruling.ticket, ruling.digest, ruling.approved), (ID, ticket(ID).digest, true));
    assert_eq!(ruling.reviewers, ["bob"]);
    let (_, actor, text) = link.hear_event("approval-approved").await;
    assert_eq!(actor, "bob");
    assert!(text.contains("as agreed"));

    link.say(ToMgmt::Settled { ticket: ID, outcome: "approved".into() }).await;
    link.settle().await;
    let approval = site.approval(ID, &site.reviewer("bob")).await;
    assert_eq!(approval.state, ApprovalState::Approved);
    assert!(approval.settled_ms.is_some());
}

#[tokio::test]
async fn a_rejected_ticket_is_ruled_and_stays_rejected() {
    let (site, mut link) = with_ticket().await;
    let approval: Approval = site.reject(ID, &site.reviewer("bob")).await.json(200);
    assert_eq!((approval.state, approval.outcome.as_str()), (ApprovalState::Rejected, "not now"));
    assert!(!link.hear_ruling().await.approved);
    assert!(site.approve(ID, &site.reviewer("carol")).await.problem(409).detail.contains("decided"));
}

#[tokio::test]
async fn whoever_asks_may_not_decide() {
    let (site, _link) = with_ticket().await;
    for (subject, requester) in [("alice", "alice"), ("job", "x"), ("robot", "Alice")] {
        let token = site.token(subject, requester, &["pci"]);
        assert!(site.approve(ID, &token).await.problem(403).detail.contains("asks"), "{subject}");
        assert_eq!(site.reject(ID, &token).await.status, 403);
    }
    assert_eq!(site.approval(ID, &site.reviewer("bob")).await.state, ApprovalState::Pending);
}

#[tokio::test]
async fn others_than_reviewers_may_not_decide_and_strangers_do_not_see_it() {
    let (site, _link) = with_ticket().await;
    assert_eq!(site.approve(ID, &site.auditor()).await.problem(403).status, 403);
    let stranger = site.token("mallory", "mallory", &["batch", "pci-2"]);
    assert_eq!(site.approve(ID, &stranger).await.problem(404).status, 404);
    let seen: Vec<Approval> = site.get("/v1/approvals", &stranger).await.json(200);
    assert!(seen.is_empty());
}

#[tokio::test]
async fn two_people_are_two_people() {
    let (site, mut link) = with_ticket().await;
    let mut two = ticket(0xb2);
    two.count = 2;
    link.say(ToMgmt::Ticket(two)).await;
    link.settle().await;
    let approval: Approval = site.approve(0xb2, &site.reviewer("bob")).await.json(200);
    assert_eq!(approval.state, ApprovalState::Pending);
    assert!(approval.may_not.contains("already"));
    for token in [site.reviewer("bob"), site.token("bob-2", "BOB", &["pci"])] {
        assert!(site.approve(0xb2, &token).await.problem(403).detail.contains("another person"));
    }
    let approval: Approval = site.approve(0xb2, &site.reviewer("carol")).await.json(200);
    assert_eq!(approval.state, ApprovalState::Approved);
    assert_eq!(link.hear_ruling().await.reviewers, ["bob", "carol"]);
}

#[tokio::test]
async fn the_digest_that_was_seen_must_be_the_tickets() {
    let (site, _link) = with_ticket().await;
    let path = format!("/v1/approvals/{ID:032x}/approve");
    let other = json!({"reason": "yes", "digest": "00".repeat(32)});
    assert!(site.post(&path, &site.reviewer("bob"), other).await.problem(409).detail.contains("digest"));
    let digest = site.approval(ID, &site.reviewer("bob")).await.digest;
    let same = json!({"reason": "yes", "digest": digest});
    assert_eq!(site.post(&path, &site.reviewer("bob"), same).await.status, 200);
}

#[tokio::test]
async fn a_ticket_whose_digest_is_not_its_own_is_refused_at_once() {
    let (site, mut link) = with_ticket().await;
    let mut forged = ticket(0xf0);
    forged.statement = "drop table public.cards".into();
    link.say(ToMgmt::Ticket(forged.clone())).await;
    let ruling = link.hear_ruling().await;
    assert_eq!((ruling.ticket, ruling.digest, ruling.approved), (0xf0, forged.digest, false));
    assert_eq!(site.approve(0xf0, &site.reviewer("bob")).await.status, 404);

    let mut other = ticket(ID);
    other.statement = "update public.cards set holder = 'B'".into();
    link.say(ToMgmt::Ticket(signed(other))).await;
    assert!(link.hear_ruling().await.reason.contains("number"));
    link.hear_event("ticket-refused").await;
}

#[tokio::test]
async fn a_reason_is_needed_and_card_numbers_in_it_do_not_stay() {
    let (site, _link) = with_ticket().await;
    let path = format!("/v1/approvals/{ID:032x}/approve");
    for reason in ["", "  ", &"x".repeat(2001)] {
        let reply = site.post(&path, &site.reviewer("bob"), json!({"reason": reason})).await;
        assert_eq!(reply.problem(422).status, 422);
    }
    let reason = json!({"reason": "for card 4111111111111111"});
    let approval: Approval = site.post(&path, &site.reviewer("bob"), reason).await.json(200);
    assert!(!approval.votes[0].reason.contains("4111") && approval.votes[0].reason.starts_with("for card "));
    let events = site.server.app.store.events(None, 100).await.unwrap();
    assert!(events.iter().all(|event| !event.text.contains("41111111")));
}

#[tokio::test]
async fn a_window_grant_covers_the_same_again_until_it_ends() {
    let (site, mut link) = with_ticket().await;
    let window = |id| {
        let mut window = ticket(id);
        window.grant = Grant::Window(60);
        window
    };
    link.say(ToMgmt::Ticket(window(1))).await;
    link.settle().await;
    assert_eq!(site.approve(1, &site.reviewer("bob")).await.status, 200);
    link.hear_ruling().await;

    let mut again = window(2);
    again.session = 78;
    link.say(ToMgmt::Ticket(again)).await;
    let ruling = link.hear_ruling().await;
    assert_eq!(
        (ruling.ticket, ruling.approved, ruling.reviewers.as_slice()),
        (2, true, &["bob".to_owned()][..])
    );

    let mut other = window(3);
    other.parameters = vec![Some("8".into()), None];
    link.say(ToMgmt::Ticket(signed(other))).await;
    // The same digest, but now the one who approved it is behind the job.
    let mut own = window(4);
    own.requester = "bob".into();
    link.say(ToMgmt::Ticket(own)).await;
    link.settle().await;
    for id in [3, 4] {
        assert_eq!(site.approval(id, &site.auditor()).await.state, ApprovalState::Pending, "{id}");
    }

    site.clock.advance_ms(60_000);
    link.say(ToMgmt::Ticket(window(5))).await;
    link.settle().await;
    assert_eq!(site.approval(5, &site.auditor()).await.state, ApprovalState::Pending);
}

#[tokio::test]
async fn a_session_grant_holds_in_that_session_alone() {
    let (site, mut link) = with_ticket().await;
    let session = |id, session| {
        let mut ticket = ticket(id);
        (ticket.grant, ticket.session) = (Grant::Session, session);
        ticket
    };
    link.say(ToMgmt::Ticket(session(1, 5))).await;
    link.settle().await;
    assert_eq!(site.approve(1, &site.reviewer("bob")).await.status, 200);
    assert!(link.hear_ruling().await.approved);
    link.say(ToMgmt::Ticket(session(2, 6))).await;
    link.say(ToMgmt::Ticket(session(3, 5))).await;
    let ruling = link.hear_ruling().await;
    assert_eq!((ruling.ticket, ruling.approved), (3, true));
    assert_eq!(site.approval(2, &site.auditor()).await.state, ApprovalState::Pending);
}

#[tokio::test]
async fn a_masked_ticket_makes_no_grant_and_uses_none() {
    let (site, mut link) = with_ticket().await;
    let window = |id, masked| {
        let mut ticket = ticket(id);
        (ticket.grant, ticket.masked) = (Grant::Window(60), masked);
        ticket
    };
    for (first, second, masked) in [(1, 2, (1, 0)), (3, 4, (0, 1))] {
        link.say(ToMgmt::Ticket(window(first, masked.0))).await;
        link.settle().await;
        assert_eq!(site.approve(first, &site.reviewer("bob")).await.status, 200);
        link.hear_ruling().await;
        link.say(ToMgmt::Ticket(window(second, masked.1))).await;
        link.settle().await;
        assert_eq!(site.approval(second, &site.auditor()).await.state, ApprovalState::Pending);
    }
}

#[tokio::test]
async fn nobody_deciding_in_time_is_a_no() {
    let (site, mut link) = with_ticket().await;
    let mut short = ticket(1);
    short.deadline_ms = site.clock.now_ms() + 1000;
    link.say(ToMgmt::Ticket(short)).await;
    link.settle().await;
    site.clock.advance_ms(1000);
    assert!(matches!(site.approve(1, &site.reviewer("bob")).await.status, 409));
    let approval = site.approval(1, &site.reviewer("bob")).await;
    assert_eq!(approval.state, ApprovalState::Expired);
    let ruling = link.hear_ruling().await;
    assert_eq!((ruling.ticket, ruling.approved), (1, false));
}

#[tokio::test]
async fn what_the_job_gave_up_is_over() {
    let (site, mut link) = with_ticket().await;
    link.say(ToMgmt::Withdrawn { ticket: ID, reason: "client gone".into() }).await;
    link.say(ToMgmt::Withdrawn { ticket: 0xdead, reason: "never was".into() }).await;
    link.settle().await;
    let approval = site.approval(ID, &site.reviewer("bob")).await;
    assert_eq!((approval.state, approval.outcome.as_str()), (ApprovalState::Withdrawn, "client gone"));
    assert_eq!(site.approve(ID, &site.reviewer("bob")).await.problem(409).status, 409);
}

#[tokio::test]
async fn what_the_dataplane_ends_by_itself_is_shown_as_it_ended() {
    let (site, mut link) = with_ticket().await;
    for id in [1, 2, 3] {
        link.say(ToMgmt::Ticket(ticket(id))).await;
    }
    link.say(ToMgmt::Withdrawn { ticket: 1, reason: "nobody ruled on it in time".into() }).await;
    link.say(ToMgmt::Settled { ticket: 1, outcome: "expired".into() }).await;
    link.say(ToMgmt::Settled { ticket: 2, outcome: "withdrawn".into() }).await;
    link.settle().await;
    assert_eq!(site.approve(3, &site.reviewer("bob")).await.status, 200);
    link.say(ToMgmt::Settled { ticket: 3, outcome: "rejected".into() }).await;
    link.say(ToMgmt::Settled { ticket: ID, outcome: "cut".into() }).await;
    link.settle().await;
    for (id, state, outcome) in [
        (1, ApprovalState::Expired, "nobody ruled on it in time"),
        (2, ApprovalState::Withdrawn, "withdrawn"),
        (3, ApprovalState::Settled, "approved, but rejected by the dataplane"),
        (ID, ApprovalState::Settled, "cut"),
    ] {
        let approval = site.approval(id, &site.auditor()).await;
        assert_eq!((approval.state, approval.outcome.as_str()), (state, outcome));
        assert!(approval.settled_ms.is_some());
    }
}

#[tokio::test]
async fn a_restart_keeps_tickets_and_a_reconnect_gets_what_was_ruled_meanwhile() {
    let (site, link) = with_ticket().await;
    drop(link);
    let site = site.restart().await;
    assert_eq!(site.approval(ID, &site.reviewer("bob")).await.state, ApprovalState::Pending);
    assert_eq!(site.approve(ID, &site.reviewer("bob")).await.status, 200);
    let mut link = site.link().await;
    link.say(ToMgmt::Ticket(ticket(ID))).await;
    let ruling = link.hear_ruling().await;
    assert_eq!((ruling.ticket, ruling.approved, ruling.reviewers), (ID, true, vec!["bob".to_owned()]));
    // And the same again: an answer is not used up.
    link.say(ToMgmt::Ticket(ticket(ID))).await;
    assert!(link.hear_ruling().await.approved);
}

fn asked(statement: &str) -> serde_json::Value {
    json!({"target": "payments", "statement": statement, "parameters": []})
}

const UPDATE: &str = "update public.cards set holder = 'A' where id = 1";

#[tokio::test]
async fn what_was_asked_ahead_and_approved_passes_once() {
    let site = Site::start().await;
    let mut link = site.link().await;
    let answer: AheadAnswer = site.post("/v1/requests", &site.job(), asked(UPDATE)).await.json(200);
    assert_eq!(answer.decision, "hold");
    let approval = answer.approval.unwrap();
    assert_eq!(approval.state, ApprovalState::Ahead);
    let same: AheadAnswer = site.post("/v1/requests", &site.job(), asked(UPDATE)).await.json(200);
    assert_eq!(same.approval.unwrap().id, approval.id);
    let id = u128::from_str_radix(&approval.id, 16).unwrap();
    assert_eq!(site.approve(id, &site.job()).await.status, 403);
    let approval: Approval = site.approve(id, &site.reviewer("bob")).await.json(200);
    assert_eq!(approval.state, ApprovalState::Approved);

    let policy = site.server.app.publisher.current().unwrap();
    let command = |id| {
        let mut command = ticket(id);
        command.issuer = site.issuer.url().to_owned();
        command.statement = UPDATE.into();
        command.parameters = Vec::new();
        command.snapshot = policy.version;
        signed(command)
    };
    link.say(ToMgmt::Ticket(command(1))).await;
    let ruling = link.hear_ruling().await;
    assert_eq!((ruling.ticket, ruling.approved, ruling.reviewers), (1, true, vec!["bob".to_owned()]));
    link.say(ToMgmt::Ticket(command(2))).await;
    link.settle().await;
    assert_eq!(site.approval(2, &site.auditor()).await.state, ApprovalState::Pending);
    // The first one asks again after a reconnect: the answer is the same.
    link.say(ToMgmt::Ticket(command(1))).await;
    assert_eq!(link.hear_ruling().await.reviewers, ["bob"]);
}

#[tokio::test]
async fn asking_ahead_tells_what_policy_says() {
    let site = Site::start().await;
    let ask = async |statement: &str| -> AheadAnswer {
        site.post("/v1/requests", &site.job(), asked(statement)).await.json(200)
    };
    assert_eq!(ask("select 1 from public.cards").await.decision, "allow");
    let denied = ask("drop table public.cards").await;
    assert_eq!(denied.decision, "deny");
    assert!(denied.approval.is_none() && !denied.reason.is_empty());
    let stranger = site.token("x", "x", &["nobody"]);
    let answer: AheadAnswer = site.post("/v1/requests", &stranger, asked(UPDATE)).await.json(200);
    assert_eq!((answer.decision.as_str(), answer.rule.as_str()), ("deny", "default"));
}

#[tokio::test]
async fn what_its_masked_text_does_not_tell_whole_is_not_asked_ahead() {
    let site = Site::start().await;
    for statement in [
        "update public.cards set pan = '4111111111111111'",
        "update public.cards set note = crypt('hunter2', 'x')",
    ] {
        let reply = site.post("/v1/requests", &site.job(), asked(statement)).await;
        assert!(reply.problem(422).detail.contains("cannot be asked ahead"), "{statement}");
    }
    let parameter = json!({"target": "payments", "statement": "update public.cards set pan = $1",
        "parameters": ["4111 1111 1111 1111"]});
    assert_eq!(site.post("/v1/requests", &site.job(), parameter).await.problem(422).status, 422);
    let nowhere = json!({"target": "nowhere", "statement": "select 1"});
    assert_eq!(site.post("/v1/requests", &site.job(), nowhere).await.problem(404).status, 404);
    let long = asked(&format!("select '{}'", "x".repeat(256 << 10)));
    assert_eq!(site.post("/v1/requests", &site.job(), long).await.problem(422).status, 422);
}

#[tokio::test]
async fn a_job_asks_for_so_much_ahead_and_no_more() {
    let site = Site::start().await;
    for id in 0..50 {
        let statement = format!("update public.cards set holder = 'A' where id = {id}");
        assert_eq!(site.post("/v1/requests", &site.job(), asked(&statement)).await.status, 200);
    }
    assert_eq!(site.post("/v1/requests", &site.job(), asked(UPDATE)).await.status, 200, "asked before");
    let more = "update public.cards set holder = 'B' where id = 1";
    assert_eq!(site.post("/v1/requests", &site.job(), asked(more)).await.problem(429).status, 429);
}
