//! One session in full, from the frames that hold its records. Bounded: what is beyond the bounds is left out and said
//! to be.

use std::collections::BTreeMap;

use ::evidence::record::{Record, SessionId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::index::{Index, IndexError, words};
use super::reader::{Reader, fault};
use crate::api::types::{Command, SessionDetail};
use crate::publish::policy::hex;
use crate::store::{FramePlace, OpenedSession, Store, number_to_text};

/// Frames read for one answer, at the most.
const FRAMES_MAX: u32 = 4096;
/// Commands in one answer, at the most.
const COMMANDS_MAX: usize = 5000;
/// Bytes of responses in one answer, at the most.
const RESPONSE_BYTES_MAX: usize = 4 << 20;

/// A session as it is put together.
#[derive(Default)]
struct Gathered {
    commands: BTreeMap<u64, Command>,
    responses: BTreeMap<u64, Vec<u8>>,
    response_bytes: usize,
    truncated: bool,
    process: u64,
    connection: String,
}

impl Index {
    /// A session with its commands.
    pub async fn detail(&self, store: &Store, opened: OpenedSession) -> Result<SessionDetail, IndexError> {
        let id = u128::from_str_radix(&opened.session.id, 16).unwrap_or(0);
        let places = store.session_frames(id, FRAMES_MAX).await?;
        let log = opened.log.clone();
        let gathered = self.reading(move |reader| gather(reader, &log, &places, SessionId(id))).await?;
        Ok(gathered.finish(opened))
    }
}

fn gather(
    reader: &Reader,
    log: &str,
    places: &[FramePlace],
    session: SessionId,
) -> Result<Gathered, IndexError> {
    let mut gathered = Gathered { truncated: places.len() >= FRAMES_MAX as usize, ..Gathered::default() };
    for place in places {
        for entry in reader.at(log, place)?.entries() {
            let record = entry.record().map_err(|error| fault(log, place, error.to_string()))?;
            if record.session() == Some(session) {
                gathered.take(&record);
            }
        }
    }
    Ok(gathered)
}

impl Gathered {
    fn take(&mut self, record: &Record<'_>) {
        match *record {
            Record::Command { number, .. } => {
                if let Some(command) = self.command(number) {
                    set_command(command, record);
                }
            }
            Record::Held { number, ticket, rule, .. } => {
                if let Some(command) = self.command(number) {
                    command.ticket = Some(number_to_text(ticket.0));
                    rule.clone_into(&mut command.rule);
                }
            }
            Record::Ruled { number, outcome, reviewers, reason, .. } => {
                if let Some(command) = self.command(number) {
                    outcome.clone_into(&mut command.ruling);
                    command.reviewers = words(reviewers);
                    reason.clone_into(&mut command.reason);
                }
            }
            Record::Response { number, bytes, .. } => self.response(number, bytes),
            Record::Finished { number, at, outcome, rows, bytes, masked, digest, .. } => {
                if let Some(command) = self.command(number) {
                    outcome.clone_into(&mut command.outcome);
                    command.finished_ms = Some(at.0 / 1000);
                    (command.rows, command.bytes, command.response_masked) = (rows, bytes, masked);
                    command.response_digest = if digest == [0; 32] { String::new() } else { hex(&digest) };
                }
            }
            Record::SessionAttached { process, connection, .. } => {
                (self.process, self.connection) = (process, connection.to_owned());
            }
            Record::SessionOpened { .. }
            | Record::SessionClosed { .. }
            | Record::LoginRefused { .. }
            | Record::System { .. } => {}
        }
    }

    fn command(&mut self, number: u64) -> Option<&mut Command> {
        if self.commands.len() >= COMMANDS_MAX && !self.commands.contains_key(&number) {
            self.truncated = true;
            return None;
        }
        Some(self.commands.entry(number).or_insert_with(|| Command { number, ..Command::default() }))
    }

    fn response(&mut self, number: u64, bytes: &[u8]) {
        let room = RESPONSE_BYTES_MAX - self.response_bytes;
        let kept = bytes.get(..bytes.len().min(room)).unwrap_or_default();
        self.truncated |= kept.len() < bytes.len();
        self.response_bytes += kept.len();
        self.responses.entry(number).or_default().extend_from_slice(kept);
    }

    fn finish(mut self, opened: OpenedSession) -> SessionDetail {
        for (number, bytes) in std::mem::take(&mut self.responses) {
            if let Some(command) = self.command(number) {
                command.response = STANDARD.encode(bytes);
            }
        }
        SessionDetail {
            session: opened.session,
            policies: opened.policies,
            snapshot: opened.snapshot,
            claims: serde_json::from_str(&opened.claims).unwrap_or(serde_json::Value::Null),
            process: self.process,
            connection: self.connection,
            commands: self.commands.into_values().collect(),
            truncated: self.truncated,
        }
    }
}

fn set_command(command: &mut Command, record: &Record<'_>) {
    let Record::Command { at, kind, text, parameters, objects, decision, rule, snapshot, masked, .. } =
        *record
    else {
        return;
    };
    command.at_ms = at.0 / 1000;
    kind.clone_into(&mut command.kind);
    text.clone_into(&mut command.statement);
    parameters.clone_into(&mut command.parameters);
    command.objects = words(objects);
    decision.clone_into(&mut command.decision);
    rule.clone_into(&mut command.rule);
    (command.snapshot, command.masked) = (snapshot, masked);
}
