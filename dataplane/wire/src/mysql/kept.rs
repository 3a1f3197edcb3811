//! A target's connection whose session has ended: reset (COM_RESET_CONNECTION, its answer checked), then kept for the next.
//! Whatever is not exactly as it should be closes it. It has a server's side only. Leaves out for whom it is kept, and
//! which sessions leave something behind that no reset undoes (the driver knows).

use alloc::boxed::Box;

use super::backend::Backend;
use super::capabilities::STATUS_IN_TRANSACTION;
use super::command::{QUIT, RESET_CONNECTION};
use super::frame::{packet, whole};
use super::settings::read_ok;
use crate::limits::{LOGIN_MESSAGE_BYTES_MAX, RESET_MS_MAX};
use crate::{Engine, Error, Handshake, Now, Outbox, Refusal, Side, Step};

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The reset has been sent.
    Resetting,
    /// Ready for another session.
    Ready,
    Over,
}

/// A connection between two sessions.
pub struct Kept {
    backend: Option<Box<Backend>>,
    state: State,
    deadline: Option<Now>,
    /// When it is given up where nobody has taken it.
    until: Now,
}

impl Kept {
    /// To be kept until a time at the longest.
    pub fn new(backend: Box<Backend>, until: Now) -> Self {
        Self { backend: Some(backend), state: State::Resetting, deadline: None, until }
    }

    /// Whether another session may have it.
    pub fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// Gives it away.
    pub fn take(&mut self) -> Option<Box<Backend>> {
        if self.state != State::Ready {
            return None;
        }
        self.state = State::Over;
        self.deadline = None;
        self.backend.take()
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Step, Error> {
        let misbehaved = |what| Error::Misbehaved { side: Side::Server, what };
        let (frame, payload) = match whole(Side::Server, bytes, 1, LOGIN_MESSAGE_BYTES_MAX)? {
            Ok(packet) => packet,
            Err(more) => return Ok(Step::Need(more)),
        };
        let in_transaction = match payload {
            [0, ..] => read_ok(payload)? & STATUS_IN_TRANSACTION != 0,
            _ => return Err(misbehaved("a reset is not answered so")),
        };
        if in_transaction || bytes.len() > frame.length() {
            return Err(misbehaved("a reset leaves something open"));
        }
        self.state = State::Ready;
        self.deadline = Some(self.until);
        Ok(Step::Consumed(frame.length()))
    }

    fn give_up(&mut self, out: &mut Outbox) {
        if self.state != State::Over {
            packet(&mut out.server, 0, |payload| payload.push(QUIT));
        }
        self.state = State::Over;
        self.deadline = None;
        self.backend = None;
    }
}

impl Engine for Kept {
    fn step(&mut self, side: Side, bytes: &mut [u8], out: &mut Outbox, _: Now) -> Result<Step, Error> {
        let step = match (side, self.state) {
            (Side::Server, State::Resetting) => self.read(bytes),
            // Nothing is due while it is kept: whatever it says, the next session must not take it for its own.
            _ => Ok(Step::Close),
        };
        if matches!(step, Err(_) | Ok(Step::Close)) {
            self.give_up(out);
        }
        step
    }

    /// Sends the reset: it rolls back, closes what is prepared, drops temporary tables, locks, user variables, and sets
    /// every setting back. The default database stays.
    fn connected(&mut self, out: &mut Outbox, now: Now) -> Result<Step, Error> {
        if self.state == State::Resetting {
            packet(&mut out.server, 0, |payload| payload.push(RESET_CONNECTION));
            self.deadline = Some(Now(now.0 + RESET_MS_MAX));
        }
        Ok(Step::Consumed(0))
    }

    fn secured(&mut self, _: Side, _: &Handshake<'_>, _: &mut Outbox, _: Now) -> Result<(), Error> {
        Ok(())
    }

    fn ended(&mut self, _: Side, out: &mut Outbox, _: Now) -> Result<Step, Error> {
        self.give_up(out);
        Ok(Step::Close)
    }

    fn refuse(&mut self, _: &Refusal<'_>, out: &mut Outbox) {
        self.give_up(out);
    }

    fn is_busy(&self) -> bool {
        false
    }

    fn deadline(&self) -> Option<Now> {
        self.deadline
    }

    fn expire(&mut self, now: Now, out: &mut Outbox) -> Result<Step, Error> {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return Ok(Step::Consumed(0));
        }
        self.give_up(out);
        Ok(Step::Close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::capabilities::Capabilities;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn kept() -> (Kept, Outbox) {
        let backend = Backend {
            process: 7,
            capabilities: Capabilities::default(),
            tracks: true,
            status: 2,
            database: String::new(),
            utf8_by_default: false,
            born: Now(0),
        };
        let (mut kept, mut out) = (Kept::new(Box::new(backend), Now(90_000)), Outbox::default());
        assert!(matches!(kept.connected(&mut out, Now(0)), Ok(Step::Consumed(0))));
        assert_eq!(core::mem::take(&mut out.server), [1, 0, 0, 0, RESET_CONNECTION]);
        (kept, out)
    }

    fn answered(answer: &[u8]) -> (Kept, Outbox, Result<Step, Error>) {
        let (mut kept, mut out) = kept();
        let mut bytes = Vec::from(answer);
        let step = kept.step(Side::Server, &mut bytes, &mut out, Now(1));
        (kept, out, step)
    }

    #[test]
    fn a_reset_that_is_answered_as_it_should_be_makes_it_ready() {
        let (mut kept, out, step) = answered(&[7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
        assert!(matches!(step, Ok(Step::Consumed(11))) && out.is_empty());
        assert!(kept.is_ready());
        assert_eq!(kept.deadline(), Some(Now(90_000)));
        assert!(kept.take().is_some() && kept.take().is_none() && !kept.is_ready());
    }

    #[test]
    fn any_other_answer_closes_it() {
        let answers: [&[u8]; 4] = [
            // In a transaction.
            &[7, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0],
            // An error, another sequence number, something behind it.
            &[9, 0, 0, 1, 0xff, 1, 4, b'#', b'0', b'8', b'S', b'0', b'1'],
            &[7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0],
            &[7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1],
        ];
        for answer in answers {
            let (mut kept, out, step) = answered(answer);
            assert!(step.is_err(), "{answer:?}");
            assert_eq!(out.server, [1, 0, 0, 0, QUIT]);
            assert!(!kept.is_ready() && kept.take().is_none());
        }
    }

    #[test]
    fn whatever_comes_while_it_is_kept_closes_it_and_so_does_time() {
        let (mut kept, mut out, _) = answered(&[7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
        assert!(matches!(kept.step(Side::Server, &mut [1], &mut out, Now(2)), Ok(Step::Close)));
        assert!(!kept.is_ready());
        let (mut kept, mut out, _) = answered(&[7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
        assert!(matches!(kept.expire(Now(89_999), &mut out), Ok(Step::Consumed(0))));
        assert!(matches!(kept.expire(Now(90_000), &mut out), Ok(Step::Close)));
    }
}
