//! A target's connection whose session has ended: reset (`DISCARD ALL`, its answer checked), then kept for the next.
//! Whatever is not exactly as it should be closes it. It has a server's side only. Leaves out for whom it is kept, and
//! which sessions leave something behind that no reset undoes (the driver knows).

use alloc::boxed::Box;

use super::backend::Backend;
use super::frame::{self, Frame, HEADER_BYTES, message, missing};
use super::message::{Report, read_text};
use crate::limits::{LOGIN_MESSAGE_BYTES_MAX, LOGIN_MESSAGES_MAX, RESET_MS_MAX};
use crate::{Engine, Error, Handshake, Now, Outbox, Refusal, Side, Step};

/// Undoes all that a session can do to itself: settings, role and session user, prepared statements, cursors, temporary
/// tables, sequences' last values, advisory locks, channels listened to.
const RESET: &[u8] = b"DISCARD ALL\0";

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The reset has been sent.
    Resetting,
    /// CommandComplete has come.
    Done,
    /// Ready for another session.
    Ready,
    Over,
}

/// A connection between two sessions.
pub struct Kept {
    backend: Option<Box<Backend>>,
    state: State,
    messages: u32,
    deadline: Option<Now>,
    /// When it is given up where nobody has taken it.
    until: Now,
}

impl Kept {
    /// To be kept until a time at the longest.
    pub fn new(backend: Box<Backend>, until: Now) -> Self {
        Self { backend: Some(backend), state: State::Resetting, messages: 0, deadline: None, until }
    }

    /// A connection that is of no use any more, to be closed.
    pub fn useless() -> Self {
        Self { backend: None, state: State::Over, messages: 0, deadline: None, until: Now(0) }
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

    fn message(&mut self, frame: Frame, body: &[u8], behind: bool) -> Result<(), Error> {
        let misbehaved = |what| Error::Misbehaved { side: Side::Server, what };
        match (frame.tag, self.state) {
            (b'S', State::Resetting | State::Done) => {
                if let Some(backend) = &mut self.backend {
                    backend.settings.report(body)?;
                }
            }
            (b'N', State::Resetting | State::Done) => {
                Report::read(body)?;
            }
            (b'C', State::Resetting) if read_text(Side::Server, body)? == b"DISCARD ALL" => {
                self.state = State::Done;
            }
            (b'Z', State::Done) if body == b"I" && !behind && self.settings_are_known() => {
                self.state = State::Ready;
                self.deadline = Some(self.until);
            }
            (b'E', State::Resetting) => {
                return Err(Error::Refused { side: Side::Server, code: Report::read(body)?.sqlstate });
            }
            _ => return Err(misbehaved("a reset is not answered so")),
        }
        Ok(())
    }

    fn settings_are_known(&self) -> bool {
        self.backend.as_ref().is_some_and(|backend| backend.settings.are_known())
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Step, Error> {
        let Some(frame) = frame::peek(Side::Server, bytes)? else {
            return Ok(Step::Need(missing(bytes.len(), HEADER_BYTES)));
        };
        self.messages += 1;
        if frame.length > LOGIN_MESSAGE_BYTES_MAX || self.messages > LOGIN_MESSAGES_MAX {
            let what = "an answer to a reset";
            return Err(Error::TooLarge { side: Side::Server, what, most: LOGIN_MESSAGE_BYTES_MAX });
        }
        let Some(body) = bytes.get(HEADER_BYTES..frame.length) else {
            self.messages -= 1;
            return Ok(Step::Need(missing(bytes.len(), frame.length)));
        };
        self.message(frame, body, bytes.len() > frame.length)?;
        Ok(Step::Consumed(frame.length))
    }

    fn give_up(&mut self, out: &mut Outbox) {
        if self.state != State::Over {
            message(&mut out.server, b'X', |_| {});
        }
        self.state = State::Over;
        self.deadline = None;
        self.backend = None;
    }
}

impl Engine for Kept {
    fn step(&mut self, side: Side, bytes: &mut [u8], out: &mut Outbox, _: Now) -> Result<Step, Error> {
        let step = match (side, self.state) {
            (Side::Server, State::Resetting | State::Done) => self.read(bytes),
            // Nothing is due while it is kept: whatever it says, the next session must not take it for its own.
            _ => Ok(Step::Close),
        };
        if matches!(step, Err(_) | Ok(Step::Close)) {
            self.give_up(out);
        }
        step
    }

    /// Sends the reset.
    fn connected(&mut self, out: &mut Outbox, now: Now) -> Result<Step, Error> {
        if self.state == State::Resetting {
            message(&mut out.server, b'Q', |body| body.extend_from_slice(RESET));
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
    use crate::postgres::backend::Settings;
    use alloc::vec::Vec;

    const DONE: &[u8] = b"C\0\0\0\x10DISCARD ALL\0";
    const READY: &[u8] = b"Z\0\0\0\x05I";

    fn kept() -> Kept {
        let backend = Backend { key: None, settings: Settings::default(), born: Now(0) };
        let mut kept = Kept::new(Box::new(backend), Now(60_000));
        let mut out = Outbox::default();
        kept.connected(&mut out, Now(0)).unwrap();
        assert_eq!(out.server, b"Q\0\0\0\x10DISCARD ALL\0");
        kept
    }

    /// Steps all of `bytes`; whether it is ready then, and what it says to the target.
    fn answered(kept: &mut Kept, bytes: &[u8]) -> (bool, Vec<u8>) {
        let (mut bytes, mut out) = (bytes.to_vec(), Outbox::default());
        while !bytes.is_empty() {
            match kept.step(Side::Server, &mut bytes, &mut out, Now(0)) {
                Ok(Step::Consumed(length)) => drop(bytes.drain(..length)),
                _ => break,
            }
        }
        (kept.is_ready(), out.server)
    }

    #[test]
    fn it_is_ready_once_the_reset_is_answered_as_it_should_be() {
        let mut kept = kept();
        assert!(kept.take().is_none());
        let zone = b"S\0\0\0\x11TimeZone\0UTC\0";
        assert_eq!(answered(&mut kept, &[zone, DONE].concat()), (false, Vec::new()));
        assert_eq!(answered(&mut kept, READY), (true, Vec::new()));
        assert_eq!(kept.deadline(), Some(Now(60_000)));
        let backend = kept.take().unwrap();
        let mut told = Vec::new();
        backend.settings.tell("x", &mut told, |_| 0);
        assert!(told.starts_with(zone));
        assert!(!kept.is_ready() && kept.take().is_none());
    }

    #[test]
    fn anything_else_closes_it() {
        let error = b"E\0\0\0\x17SERROR\0C25001\0Mno\0\0".as_slice();
        for answer in [
            error.to_vec(),
            READY.to_vec(),
            [DONE, b"Z\0\0\0\x05T"].concat(),
            [DONE, b"Z\0\0\0\x05E"].concat(),
            [DONE, DONE].concat(),
            b"C\0\0\0\x11DISCARD TEMP\0".to_vec(),
            [DONE, READY, b"N"].concat(),
            [DONE, READY, READY].concat(),
            [DONE, error].concat(),
            b"A\0\0\0\x0e\0\0\0\x01cha\0pay\0".to_vec(),
            b"S\0\0\0\x1bclient_encoding\0LATIN1\0".to_vec(),
            b"S\0\0\0\x24standard_conforming_strings\0off\0".to_vec(),
            b"D\0\0\0\x06\0\0".to_vec(),
            b"C\x7f\xff\xff\xff".to_vec(),
            b"Z\0\0\0\0".to_vec(),
        ] {
            let mut kept = kept();
            let (ready, said) = answered(&mut kept, &answer);
            assert_eq!((ready, said.as_slice()), (false, &b"X\0\0\0\x04"[..]), "{answer:?}");
            assert!(kept.take().is_none());
        }
    }

    #[test]
    fn a_kept_one_that_speaks_ends_or_is_too_old_is_given_up() {
        let mut out = Outbox::default();
        let mut speaks = kept();
        answered(&mut speaks, &[DONE, READY].concat());
        assert!(matches!(speaks.step(Side::Server, &mut [b'S'], &mut out, Now(1)), Ok(Step::Close)));
        assert!(speaks.take().is_none());
        let mut ends = kept();
        answered(&mut ends, &[DONE, READY].concat());
        assert!(matches!(ends.ended(Side::Server, &mut out, Now(1)), Ok(Step::Close)));
        assert!(ends.take().is_none());
        let mut old = kept();
        answered(&mut old, &[DONE, READY].concat());
        assert!(matches!(old.expire(Now(59_999), &mut out), Ok(Step::Consumed(0))));
        assert!(matches!(old.expire(Now(60_000), &mut out), Ok(Step::Close)));
        assert!(old.take().is_none());
        let mut silent = kept();
        assert_eq!(silent.deadline(), Some(Now(RESET_MS_MAX)));
        assert!(matches!(silent.expire(Now(RESET_MS_MAX), &mut out), Ok(Step::Close)));
    }
}
