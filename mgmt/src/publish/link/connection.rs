//! One connection of the link: a reader and a writer beside each other; when one ends, so does the other. What the
//! dataplane must not miss (policy, keys, rulings of tickets that wait, events) is sent anew on the next connection.

use std::pin::pin;
use std::time::Duration;

use policies::link::{Decoder, Health, ToDataplane, ToMgmt, encode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, mpsc};

use super::Link;
use crate::api::types::{DataplaneStatus, TargetTrouble};
use crate::store::StoreError;

/// A message that is not taken for so long ends the connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;
/// Replies that wait for the writer.
const REPLIES_MAX: usize = 256;
/// Events sent in one go.
const EVENTS_MAX: u32 = 64;
/// Events are looked for at least so often.
const EVENTS_EVERY: Duration = Duration::from_secs(5);
/// Events younger than this, which a dataplane took but did not record, are sent again on the next connection.
const REQUEUE_US: u64 = 24 * 3600 * 1_000_000;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the dataplane has closed it")]
    Closed,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Message(#[from] policies::link::LinkError),
    #[error("the first message is no hello")]
    NoHello,
    #[error("the dataplane reads too slowly")]
    Slow,
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("mgmt stops")]
    Stopping,
}

/// Serves one connection to its end.
pub(super) async fn run(link: &Link, number: u64, stream: UnixStream) {
    let status = DataplaneStatus {
        instance: String::new(),
        shards: 0,
        connected_ms: link.clock.now_ms(),
        heard_ms: 0,
        snapshot: 0,
        refused: String::new(),
        sessions: 0,
        commands: 0,
        held: 0,
        masked: 0,
        recording: false,
        recording_error: "not heard from yet".to_owned(),
        troubles: Vec::new(),
    };
    link.connected().insert(number, status);
    let (reader, writer) = stream.into_split();
    let (replies, queue) = mpsc::channel(REPLIES_MAX);
    let mut writing = pin!(write(link, writer, queue));
    let ended = tokio::select! {
        ended = read(link, number, reader, replies) => {
            // The reader's end of the replies is gone: the writer ends too, but what it has begun it ends, so that an
            // event that is on the wire counts as sent.
            let _ = writing.await;
            ended
        }
        ended = &mut writing => ended,
    };
    // A connection that found the pump taken by this one need not wait for its next look.
    link.events.wake();
    let instance = link.connected().remove(&number).map(|status| status.instance).unwrap_or_default();
    if let Err(cause) = ended {
        tracing::warn!(instance, %cause, "the link to a dataplane has ended");
    }
}

async fn read(
    link: &Link,
    number: u64,
    mut reader: OwnedReadHalf,
    replies: mpsc::Sender<ToDataplane>,
) -> Result<(), Ended> {
    let mut decoder = Decoder::<ToMgmt>::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut greeted = false;
    loop {
        while let Some(message) = decoder.next()? {
            greeted |= matches!(message, ToMgmt::Hello { .. });
            if !greeted {
                return Err(Ended::NoHello);
            }
            if let Some(reply) = take(link, number, message).await? {
                replies.send(reply).await.map_err(|_| Ended::Closed)?;
            }
        }
        match reader.read(&mut buffer).await? {
            0 => return Err(Ended::Closed),
            count => decoder.push(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// Takes one message in; what is to be answered to it.
async fn take(link: &Link, number: u64, message: ToMgmt) -> Result<Option<ToDataplane>, StoreError> {
    let now_ms = link.clock.now_ms();
    let note = |change: &dyn Fn(&mut DataplaneStatus)| {
        if let Some(status) = link.connected().get_mut(&number) {
            change(status);
        }
    };
    match message {
        ToMgmt::Hello { instance, shards, snapshot } => {
            tracing::info!(instance, shards, snapshot, "a dataplane is connected");
            note(&|status| {
                (status.instance, status.shards, status.snapshot) = (instance.clone(), shards, snapshot);
            });
        }
        ToMgmt::Health(health) => note(&|status| set_health(status, &health, now_ms)),
        ToMgmt::Ticket(ticket) => {
            return Ok(link.desk.arrived(&ticket).await?.map(ToDataplane::Ruling));
        }
        ToMgmt::Withdrawn { ticket, reason } => link.desk.withdrawn(ticket, &reason).await?,
        ToMgmt::Settled { ticket, outcome } => link.desk.settled(ticket, &outcome).await?,
        ToMgmt::Applied { version, error } => {
            if let Some(cause) = &error {
                tracing::error!(version, cause, "a dataplane refuses the policy");
            }
            note(&|status| match &error {
                None => (status.snapshot, status.refused) = (version, String::new()),
                Some(cause) => status.refused = format!("version {version}: {cause}"),
            });
        }
        ToMgmt::Checkpoint { origin, note } => link.witness.take(&origin, &note).await?,
    }
    Ok(None)
}

fn set_health(status: &mut DataplaneStatus, health: &Health, now_ms: u64) {
    status.heard_ms = now_ms;
    status.snapshot = health.snapshot;
    status.sessions = health.sessions;
    status.commands = health.commands;
    status.held = health.held;
    status.masked = health.masked;
    status.recording = health.recording.is_ok();
    status.recording_error = health.recording.clone().err().unwrap_or_default();
    let trouble =
        |(target, cause): &(String, String)| TargetTrouble { target: target.clone(), cause: cause.clone() };
    status.troubles = health.troubles.iter().map(trouble).collect();
}

async fn write(
    link: &Link,
    mut writer: OwnedWriteHalf,
    mut queue: mpsc::Receiver<ToDataplane>,
) -> Result<(), Ended> {
    let mut rulings = link.desk.subscribe();
    let (mut policy, mut keys) = (link.policy.clone(), link.keys.clone());
    policy.mark_changed();
    keys.mark_changed();
    let mut resend = tokio::time::interval(link.resend());
    let mut events = tokio::time::interval(EVENTS_EVERY);
    resend.reset();
    let mut requeued = false;
    loop {
        // Registered before it is looked, so that nothing that is added in between waits.
        let added = link.events.added().notified();
        tokio::select! {
            changed = policy.changed() => {
                changed.map_err(|_| Ended::Stopping)?;
                send_policy(&mut policy, &mut writer).await?;
            }
            changed = keys.changed() => {
                changed.map_err(|_| Ended::Stopping)?;
                let current = keys.borrow_and_update().clone();
                // None known yet: the dataplane keeps those of its last run.
                if !current.is_empty() {
                    send(&mut writer, &ToDataplane::Keys(current.to_vec())).await?;
                }
            }
            _ = resend.tick() => send_policy(&mut policy, &mut writer).await?,
            ruling = rulings.recv() => match ruling {
                Ok(ruling) => send(&mut writer, &ToDataplane::Ruling(ruling)).await?,
                // The next connection begins with every ticket that waits.
                Err(broadcast::error::RecvError::Lagged(_)) => return Err(Ended::Slow),
                Err(broadcast::error::RecvError::Closed) => return Err(Ended::Stopping),
            },
            reply = queue.recv() => send(&mut writer, &reply.ok_or(Ended::Closed)?).await?,
            () = added => send_events(link, &mut requeued, &mut writer).await?,
            _ = events.tick() => send_events(link, &mut requeued, &mut writer).await?,
        }
    }
}

async fn send_policy(
    policy: &mut tokio::sync::watch::Receiver<Option<std::sync::Arc<super::Published>>>,
    writer: &mut OwnedWriteHalf,
) -> Result<(), Ended> {
    let current = policy.borrow_and_update().clone();
    match current {
        Some(current) => send(writer, &ToDataplane::Snapshot { bytes: current.bytes.clone() }).await,
        None => Ok(()),
    }
}

/// Puts back what an earlier connection took and did not record.
async fn requeue(link: &Link) -> Result<(), Ended> {
    link.index.catch_up().await;
    let since = link.clock.now_ms().saturating_mul(1000).saturating_sub(REQUEUE_US);
    let count = link.store.requeue_events(since).await?;
    if count > 0 {
        tracing::info!(count, "events that the evidence does not hold are sent again");
    }
    Ok(())
}

/// Sends what no dataplane took yet, unless another connection is at it; the first time, what was taken and not recorded
/// as well. Only whoever has the pump may look for that: an event is on the wire before it counts as sent, and would be
/// missed by a look in between.
async fn send_events(link: &Link, requeued: &mut bool, writer: &mut OwnedWriteHalf) -> Result<(), Ended> {
    let Ok(_pump) = link.pump.try_lock() else { return Ok(()) };
    if !*requeued {
        requeue(link).await?;
        *requeued = true;
    }
    loop {
        let events = link.store.unsent_events(0, EVENTS_MAX).await?;
        if events.is_empty() {
            return Ok(());
        }
        for event in events {
            let id = event.id;
            let message = ToDataplane::Event {
                id,
                at_us: event.at_us,
                event: event.event,
                actor: event.actor,
                text: event.text,
            };
            send(writer, &message).await?;
            link.store.set_event_sent(id).await?;
        }
    }
}

async fn send(writer: &mut OwnedWriteHalf, message: &ToDataplane) -> Result<(), Ended> {
    let bytes = encode(message)?;
    let written = tokio::time::timeout(WRITE_TIMEOUT, writer.write_all(&bytes)).await;
    written.map_err(|_| Ended::Slow)?.map_err(Ended::Io)
}
