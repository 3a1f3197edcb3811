//! The open session, from the client's side: which commands are asked about, what goes to the target, what answers a
//! refused one. Leaves out the answers.

use scan::{Format, Scanner};

use super::backend::Backend;
use super::reply::Words;
use crate::{Error, Limits, Outbox, Question, Ruling, Step};

/// An open session.
pub(crate) struct Talk {
    /// The client has taken its leave.
    pub(crate) leaving: bool,
}

impl Talk {
    pub(crate) fn new(_scanner: Scanner, _mask: Format, _limits: Limits, _backend: Backend) -> Self {
        Self { leaving: false }
    }

    pub(crate) fn client_step(&mut self, _bytes: &[u8], _out: &mut Outbox) -> Result<Step, Error> {
        Ok(Step::Close)
    }

    pub(crate) fn server_step(&mut self, _bytes: &mut [u8], _out: &mut Outbox) -> Result<Step, Error> {
        Ok(Step::Close)
    }

    /// What the suspended command at the start of `bytes` asks.
    pub(crate) fn question<'a>(&'a self, _bytes: &'a [u8]) -> Option<Question<'a>> {
        None
    }

    pub(crate) fn rule(
        &mut self,
        _ruling: Ruling<'_>,
        _bytes: &[u8],
        _out: &mut Outbox,
    ) -> Result<Step, Error> {
        Ok(Step::Close)
    }

    /// Whether a command is under way at the target.
    pub(crate) fn is_busy(&self) -> bool {
        false
    }

    /// Rows of the answer under way that have been passed to the client and stand in no event yet.
    pub(crate) fn rows_under_way(&self) -> u64 {
        0
    }

    /// Ends what is under way: its event says that it was cut.
    pub(crate) fn cut(&mut self, _out: &mut Outbox) {}

    /// The session ends for a reason of the gateway's: the client is told where a packet can begin, COM_QUIT goes to the
    /// target where one can be sent.
    pub(crate) fn give_up(&mut self, _words: &Words<'_>, _out: &mut Outbox) {}
}
