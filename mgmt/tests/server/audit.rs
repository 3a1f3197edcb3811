//! Evidence: files as the dataplane writes them, made with crate evidence, and what mgmt shows of them to whom.

use std::path::PathBuf;

use evidence::merkle::Tree;
use evidence::note::SignerKey;
use evidence::record::{Record, SessionId, TicketId, Time};
use evidence::sealing::SealingKey;
use evidence::segment::{Writer, file_name};
use mgmt::api::types::{Checkpoint, Event, Session, SessionDetail, Status};
use policies::link::ToMgmt;

use crate::support::Site;

/// One log, written as the dataplane does.
struct Log {
    writer: Writer,
    folder: PathBuf,
    file: PathBuf,
    bytes: Vec<u8>,
}

impl Log {
    fn new(site: &Site, name: &str) -> Self {
        let read = |file: &str| std::fs::read_to_string(site.path("keys").join(file)).unwrap();
        let signer: SignerKey = read("evidence.key").parse().unwrap();
        let sealing: SealingKey = read("sealing.key").trim().parse().unwrap();
        let writer = Writer::new(&format!("gate-1/{name}"), signer, sealing, Tree::new()).unwrap();
        let folder = site.path("evidence").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(file_name(0));
        Self { writer, folder, file, bytes: Vec::new() }
    }

    fn write(&mut self, records: &[Record<'_>]) {
        let mut batch = Vec::new();
        records.iter().for_each(|record| record.encode_framed(&mut batch).unwrap());
        self.writer.seal(&batch, &mut self.bytes).unwrap();
        std::fs::write(&self.file, &self.bytes).unwrap();
    }

    /// The next frames go to a new segment.
    fn begin_segment(&mut self) {
        self.file = self.folder.join(file_name(self.writer.size()));
        self.bytes.clear();
    }
}

const SESSION: SessionId = SessionId(0x51);

fn opened<'a>(session: u128, issuer: &'a str, subject: &'a str, at: u64) -> Record<'a> {
    Record::SessionOpened {
        session: SessionId(session),
        at: Time(at * 1000),
        issuer,
        subject,
        requester: "alice",
        groups: "batch,night",
        claims: "{\"sub\":\"job\"}",
        source: "10.0.0.7:4711",
        target: "payments",
        protocol: "postgres",
        user: "job",
        database: "payments",
        application: "nightly",
        policies: "settlement",
        snapshot: 1,
    }
}

fn command(number: u64) -> Record<'static> {
    Record::Command {
        session: SESSION,
        number,
        at: Time(2_000_000),
        kind: "query",
        text: "update public.cards",
        parameters: "",
        objects: "public.cards",
        decision: "hold",
        rule: "settlement/writes",
        snapshot: 1,
        masked: 1,
    }
}

/// What becomes of command 1: held, approved, answered, ended.
fn rest() -> [Record<'static>; 5] {
    let (session, number, at) = (SESSION, 1, Time(3_000_000));
    let ticket = TicketId(0xa1);
    [
        Record::Held { session, number, at, ticket, digest: "00", rule: "settlement/writes", deadline: at },
        Record::Ruled {
            session,
            number,
            at,
            ticket,
            outcome: "approved",
            reviewers: "bob,carol",
            reason: "ok",
        },
        Record::Response { session, number, at, offset: 0, bytes: b"C\0\0\0\rUPDATE 1\0" },
        Record::Finished {
            session,
            number,
            at,
            outcome: "done",
            rows: 1,
            bytes: 14,
            masked: 2,
            digest: [7; 32],
        },
        Record::SessionClosed { session, at, how: "client left", commands: 1, rows: 1, bytes: 14, masked: 3 },
    ]
}

#[tokio::test]
async fn sessions_are_listed_and_shown_as_they_were_recorded() {
    let site = Site::start().await;
    let mut log = Log::new(&site, "0");
    log.write(&[opened(SESSION.0, site.issuer.url(), "job", 1000), command(1)]);
    let sessions: Vec<Session> = site.get("/v1/sessions", &site.auditor()).await.json(200);
    assert_eq!((sessions.len(), sessions[0].closed_ms, sessions[0].command_count), (1, None, 1));
    log.begin_segment();
    log.write(&rest());

    let sessions: Vec<Session> = site.get("/v1/sessions", &site.auditor()).await.json(200);
    let session = &sessions[0];
    assert_eq!((session.closed_ms, session.how.as_str()), (Some(3000), "client left"));
    assert_eq!((session.command_count, session.rows, session.bytes, session.masked), (1, 1, 14, 3));
    assert_eq!(session.groups, ["batch", "night"]);

    let path = format!("/v1/sessions/{SESSION}");
    let detail: SessionDetail = site.get(&path, &site.auditor()).await.json(200);
    assert_eq!(detail.session, *session);
    assert_eq!(detail.claims["sub"], "job");
    let [command] = detail.commands.as_slice() else { panic!("one command") };
    assert_eq!((command.number, command.decision.as_str(), command.ruling.as_str()), (1, "hold", "approved"));
    assert_eq!(command.ticket.as_deref(), Some("000000000000000000000000000000a1"));
    assert_eq!(command.reviewers, ["bob", "carol"]);
    assert_eq!((command.outcome.as_str(), command.rows, command.response_masked), ("done", 1, 2));
    assert_eq!(command.response, "QwAAAA1VUERBVEUgMQA=");
    assert_eq!(command.response_digest, "07".repeat(32));
}

#[tokio::test]
async fn a_job_sees_its_own_sessions_and_an_auditor_all() {
    let site = Site::start().await;
    let mut log = Log::new(&site, "0");
    let url = site.issuer.url();
    log.write(&[opened(1, url, "job", 1), opened(2, url, "other", 2), opened(3, "https://ci", "job", 3)]);
    let own: Vec<Session> = site.get("/v1/sessions", &site.job()).await.json(200);
    assert_eq!(own.iter().map(|session| session.opened_ms).collect::<Vec<_>>(), [1]);
    assert_eq!(site.get(&format!("/v1/sessions/{:032x}", 1), &site.job()).await.status, 200);
    for id in [2, 3] {
        assert_eq!(site.get(&format!("/v1/sessions/{id:032x}"), &site.job()).await.problem(404).status, 404);
    }
    let first: Vec<Session> = site.get("/v1/sessions?limit=2", &site.auditor()).await.json(200);
    assert_eq!(first.iter().map(|session| session.opened_ms).collect::<Vec<_>>(), [3, 2]);
    let after = format!("/v1/sessions?limit=2&after={}", first[1].id);
    let second: Vec<Session> = site.get(&after, &site.auditor()).await.json(200);
    assert_eq!(second.iter().map(|session| session.opened_ms).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn looking_at_evidence_is_itself_an_event() {
    let site = Site::start().await;
    let mut log = Log::new(&site, "0");
    log.write(&[opened(1, site.issuer.url(), "job", 1)]);
    let mut link = site.link().await;
    site.get("/v1/sessions", &site.auditor()).await;
    assert_eq!(link.hear_event("sessions-listed").await.1, "ida");
    site.get(&format!("/v1/sessions/{:032x}", 1), &site.auditor()).await;
    assert!(link.hear_event("session-read").await.2.contains("00000001"));
    site.get("/v1/events", &site.auditor()).await;
    link.hear_event("events-read").await;
    site.get("/v1/audit/checkpoints", &site.auditor()).await;
    link.hear_event("checkpoints-read").await;
    for path in ["/v1/events", "/v1/audit/checkpoints"] {
        assert_eq!(site.get(path, &site.admin()).await.problem(403).status, 403);
    }
}

#[tokio::test]
async fn an_event_that_the_evidence_holds_is_not_sent_again() {
    let site = Site::start().await;
    let mut link = site.link().await;
    let (at_us, actor, text) = link.hear_event("mgmt-started").await;
    let mut log = Log::new(&site, "own");
    log.write(&[Record::System { at: Time(at_us), event: "mgmt-started", actor: &actor, text: &text }]);
    drop(link);
    let mut link = site.link().await;
    site.get("/v1/events", &site.auditor()).await;
    let mut before = Vec::new();
    loop {
        let name = link
            .hear_some(|message| match message {
                policies::link::ToDataplane::Event { event, .. } => Some(event.clone()),
                _ => None,
            })
            .await;
        if name == "events-read" {
            break;
        }
        before.push(name);
    }
    assert!(before.iter().any(|name| name == "policy-applied"), "{before:?}");
    assert!(!before.iter().any(|name| name == "mgmt-started"), "{before:?}");
    let events: Vec<Event> = site.get("/v1/events", &site.auditor()).await.json(200);
    let started = events.iter().find(|event| event.event == "mgmt-started").unwrap();
    assert!(started.sent && started.recorded);
}

#[tokio::test]
async fn evidence_that_was_changed_is_told_and_not_shown() {
    let site = Site::start().await;
    let mut log = Log::new(&site, "0");
    log.write(&[opened(1, site.issuer.url(), "job", 1)]);
    let mut bytes = log.bytes.clone();
    bytes[300] ^= 1;
    std::fs::write(&log.file, &bytes).unwrap();
    let sessions: Vec<Session> = site.get("/v1/sessions", &site.auditor()).await.json(200);
    assert!(sessions.is_empty());
    let status: Status = site.get("/v1/status", &site.auditor()).await.json(200);
    let told = |status: &Status| status.troubles.iter().any(|trouble| trouble.contains("evidence: log 0"));
    assert!(told(&status), "{:?}", status.troubles);

    // As it was: the index goes on. What was shown once and changed afterwards is not shown either.
    std::fs::write(&log.file, &log.bytes).unwrap();
    let sessions: Vec<Session> = site.get("/v1/sessions", &site.auditor()).await.json(200);
    assert_eq!(sessions.len(), 1);
    let status: Status = site.get("/v1/status", &site.auditor()).await.json(200);
    assert!(!told(&status));
    std::fs::write(&log.file, &bytes).unwrap();
    let path = format!("/v1/sessions/{:032x}", 1);
    assert_eq!(site.get(&path, &site.auditor()).await.problem(500).status, 500);
}

#[tokio::test]
async fn a_frame_that_is_still_being_written_waits_and_a_gone_segment_is_told() {
    let site = Site::start().await;
    let mut log = Log::new(&site, "0");
    log.write(&[opened(1, site.issuer.url(), "job", 1)]);
    let whole = log.bytes.len();
    log.write(&[opened(2, site.issuer.url(), "job", 2)]);
    std::fs::write(&log.file, &log.bytes[..whole + 100]).unwrap();
    let count = async || {
        let sessions: Vec<Session> = site.get("/v1/sessions", &site.auditor()).await.json(200);
        sessions.len()
    };
    assert_eq!(count().await, 1);
    std::fs::write(&log.file, &log.bytes).unwrap();
    assert_eq!(count().await, 2);

    log.begin_segment();
    log.write(&[opened(3, site.issuer.url(), "job", 3)]);
    std::fs::remove_file(&log.file).unwrap();
    log.begin_segment();
    log.write(&[opened(4, site.issuer.url(), "job", 4)]);
    assert_eq!(count().await, 2);
    assert!(site.server.app.index.trouble().unwrap().contains("none begins at leaf"));
}

#[tokio::test]
async fn checkpoints_are_witnessed() {
    let site = Site::start().await;
    let mut log = Log::new(&site, "0");
    log.write(&[opened(1, site.issuer.url(), "job", 1)]);
    let note = log.writer.checkpoint().unwrap().to_owned();
    let mut link = site.link().await;
    link.say(ToMgmt::Checkpoint { origin: "gate-1/0".into(), note: note.clone() }).await;
    link.settle().await;
    let seen: Vec<Checkpoint> = site.get("/v1/audit/checkpoints", &site.auditor()).await.json(200);
    assert_eq!((seen.len(), seen[0].size, seen[0].note.as_str()), (1, 2, note.as_str()));
}
