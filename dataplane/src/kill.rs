//! `KILL`: how a MySQL client cancels what another of its connections runs. The number is the one that the gateway's
//! greeting told, which no connection of the target's has; whoever shows the same identity at the same target may use
//! it. Any other number goes the way of every statement. Lives on its shard's core.

use evidence::record::{Record, SessionId};
use policies::statement::Dialect;
use wire::{Command, CommandKind};

use crate::desk::{Answer, Desk};
use crate::session::Session;

/// Marks the gateway's own numbers: servers count their connections from 1.
const OWN: u32 = 1 << 31;

/// A session to be interrupted, and for whom.
#[derive(Clone)]
pub struct Kill {
    /// Its shard and slot, as [`Desk::number_of`] has them.
    pub number: u32,
    /// Its command alone; otherwise the session.
    pub query: bool,
    /// Who asks.
    pub issuer: String,
    /// Who asks.
    pub subject: String,
    /// The target of both.
    pub target: String,
}

impl Kill {
    /// Which shard it is for.
    pub fn shard(&self) -> usize {
        (self.number >> 24) as usize
    }

    /// Whether it may be done to this session.
    pub fn is_for(&self, session: &Session) -> bool {
        session.who.as_ref().is_some_and(|who| {
            (&who.issuer, &who.subject, &who.target) == (&self.issuer, &self.subject, &self.target)
        })
    }
}

/// What a greeting calls the connection of this number.
pub fn greeted(number: u32) -> u32 {
    number | OWN
}

/// Reads `KILL [QUERY | CONNECTION] n` with one of the gateway's numbers: whether the command alone is meant, and which.
fn read(text: &str) -> Option<(bool, u32)> {
    let mut words = text.trim_end_matches([';', ' ', '\n']).split_ascii_whitespace();
    if !words.next()?.eq_ignore_ascii_case("kill") {
        return None;
    }
    let mut word = words.next()?;
    let query = word.eq_ignore_ascii_case("query");
    if query || word.eq_ignore_ascii_case("connection") {
        word = words.next()?;
    }
    let number: u32 = word.parse().ok()?;
    (words.next().is_none() && number & OWN != 0).then_some((query, number & !OWN))
}

impl Desk {
    /// Sees to a KILL of one of the gateway's own numbers; `None`: it is none. The job is not told whether the number was
    /// right.
    pub(crate) fn kill(&mut self, command: &Command<'_>, session: &mut Session) -> Option<Answer> {
        if session.dialect() != Dialect::Mysql {
            return None;
        }
        if command.kind != CommandKind::Query {
            return None;
        }
        let (query, number) = read(command.text)?;
        let who = session.who.as_ref()?;
        self.kills.push(Kill {
            number,
            query,
            issuer: who.issuer.clone(),
            subject: who.subject.clone(),
            target: who.target.clone(),
        });
        session.commands += 1;
        self.metrics.commands.add(1);
        let record = Record::Command {
            session: SessionId(session.id),
            number: command.number,
            at: self.time(),
            kind: "query",
            text: command.text,
            parameters: "",
            objects: "",
            decision: "allow",
            rule: "own-session",
            snapshot: session.standing.as_ref().map_or(0, |standing| standing.snapshot),
            masked: 0,
        };
        self.recorder.append(&record, self.now_ms, session.gather_ms());
        Some(Answer::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_gateways_own_numbers_are_its_to_kill() {
        let own = greeted(7);
        assert_eq!(read(&format!("KILL QUERY {own}")), Some((true, 7)));
        assert_eq!(read(&format!("kill {own};")), Some((false, 7)));
        assert_eq!(read(&format!("Kill  Connection\n{own}")), Some((false, 7)));
        for text in ["KILL 7", "KILL QUERY 7", "KILL QUERY", "SELECT 1", "KILL USER x", ""] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&format!("KILL HARD {own}")), None);
        assert_eq!(read(&format!("KILL {own}, 3")), None);
    }
}
