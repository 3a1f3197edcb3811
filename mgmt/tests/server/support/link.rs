//! A client of the link: says what the dataplane says, and hears what mgmt says.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use policies::approval::{Grant, Ticket, digest};
use policies::link::{Decoder, TicketRuling, ToDataplane, ToMgmt, encode};
use policies::snapshot::Snapshot;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// Only so that a test that waits in vain ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct LinkClient {
    stream: UnixStream,
    decoder: Decoder<ToDataplane>,
    passed: VecDeque<ToDataplane>,
}

impl LinkClient {
    /// Connects and says hello.
    pub(crate) async fn connect(socket: &Path) -> Self {
        let mut client = Self::silent(socket).await;
        client.say(ToMgmt::Hello { instance: "gate-1".into(), shards: 2, snapshot: 0 }).await;
        client
    }

    /// Connects.
    pub(crate) async fn silent(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).await.expect("mgmt's socket");
        Self { stream, decoder: Decoder::new(), passed: VecDeque::new() }
    }

    pub(crate) async fn say(&mut self, message: ToMgmt) {
        self.say_bytes(&encode(&message).unwrap()).await;
    }

    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("mgmt takes it");
    }

    /// The next message that nobody has heard yet; `None`: mgmt has closed.
    pub(crate) async fn hear(&mut self) -> Option<ToDataplane> {
        if self.passed.is_empty() && !self.read().await {
            return None;
        }
        self.passed.pop_front()
    }

    /// The first message that `pick` takes; others stay to be heard.
    pub(crate) async fn hear_some<T>(&mut self, pick: impl Fn(&ToDataplane) -> Option<T>) -> T {
        let mut looked = 0;
        loop {
            while let Some(message) = self.passed.get(looked) {
                if let Some(found) = pick(message) {
                    self.passed.remove(looked);
                    return found;
                }
                looked += 1;
            }
            assert!(self.read().await, "mgmt has closed the connection");
        }
    }

    /// Waits for more messages; false: mgmt has closed.
    async fn read(&mut self) -> bool {
        let before = self.passed.len();
        while self.passed.len() == before {
            while let Some(message) = self.decoder.next().expect("mgmt's messages") {
                self.passed.push_back(message);
            }
            if self.passed.len() > before {
                break;
            }
            let mut bytes = [0; 4096];
            let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut bytes)).await;
            match read.expect("mgmt says something") {
                Ok(0) | Err(_) => return false,
                Ok(count) => self.decoder.push(&bytes[..count]),
            }
        }
        true
    }

    pub(crate) async fn hear_ruling(&mut self) -> TicketRuling {
        self.hear_some(|message| match message {
            ToDataplane::Ruling(ruling) => Some(ruling.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn hear_snapshot(&mut self) -> Snapshot {
        self.hear_some(|message| match message {
            ToDataplane::Snapshot { bytes } => Some(Snapshot::open(bytes).expect("a snapshot")),
            _ => None,
        })
        .await
    }

    /// The text of the next event of this name.
    pub(crate) async fn hear_event(&mut self, name: &str) -> (u64, String, String) {
        self.hear_some(|message| match message {
            ToDataplane::Event { event, at_us, actor, text, .. } if event == name => {
                Some((*at_us, actor.clone(), text.clone()))
            }
            _ => None,
        })
        .await
    }

    /// Says something that mgmt answers at once, and waits for the answer: what was said before has been taken.
    pub(crate) async fn settle(&mut self) {
        let mut probe = ticket(u128::MAX);
        probe.digest = [0; 32];
        self.say(ToMgmt::Ticket(probe)).await;
        self.hear_some(|message| match message {
            ToDataplane::Ruling(ruling) if ruling.ticket == u128::MAX => Some(()),
            _ => None,
        })
        .await;
    }
}

/// A ticket of job `job`, behind whom is alice, that one reviewer of group pci must approve.
pub(crate) fn ticket(id: u128) -> Ticket {
    let ticket = Ticket {
        id,
        session: 77,
        issuer: "https://ci.test".into(),
        subject: "job".into(),
        requester: "alice".into(),
        groups: vec!["batch".into()],
        source: "10.0.0.7:4711".into(),
        target: "payments".into(),
        statement: "update public.cards set holder = 'A' where id = 1".into(),
        parameters: vec![Some("7".into()), None],
        masked: 0,
        objects: vec!["public.cards".into()],
        rule: "settlement/writes".into(),
        snapshot: 1,
        digest: [0; 32],
        reviewers: vec!["pci".into()],
        count: 1,
        grant: Grant::Once,
        opened_ms: 0,
        deadline_ms: u64::MAX / 2,
    };
    signed(ticket)
}

/// The ticket with the digest of what it shows.
pub(crate) fn signed(mut ticket: Ticket) -> Ticket {
    ticket.digest = digest(ticket.covered());
    ticket
}
