//! Gives a session its name at the target, so that both logs can be joined: one statement of the gateway's own, sent
//! ahead of whatever the client sends, its answer swallowed. That answer also shows that a kept connection is alive:
//! until it has come nothing of the client's is forwarded, and the login can begin anew on another connection.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::auth::TargetLogin;
use super::backend::Backend;
use super::frame::{self, HEADER_BYTES, message, missing};
use super::message::{Report, read_text};
use crate::limits::{LOGIN_MESSAGE_BYTES_MAX, LOGIN_MESSAGES_MAX};
use crate::{Error, Naming, Side, Step};

/// What a session is called at its target.
#[derive(Default)]
pub(crate) struct Name {
    /// `application_name`: 63 bytes at most, as PostgreSQL keeps.
    pub(crate) name: String,
    comment: String,
}

const NAME_BYTES_MAX: usize = 63;

impl Name {
    /// What is not plain becomes `_`: nothing in it can end a comment or a string.
    pub(crate) fn new(naming: &Naming<'_>) -> Self {
        let mut name = Naming::plain(naming.name, "");
        name.truncate(NAME_BYTES_MAX);
        Self { name, comment: Naming::inside_comment(naming.comment) }
    }

    /// Appends the statement.
    pub(crate) fn announce(&self, out: &mut Vec<u8>) {
        message(out, b'Q', |body| {
            for part in ["/* ", &self.comment, " */ SET application_name = '", &self.name, "'\0"] {
                body.extend_from_slice(part.as_bytes());
            }
        });
    }
}

/// A session whose naming has been sent and is not answered.
pub(crate) struct Proving {
    pub(crate) backend: Backend,
    /// By which to begin anew; `None`: the connection is fresh, and its failure is the target's.
    pub(crate) login: Option<Box<TargetLogin>>,
    named: bool,
    messages: u32,
}

/// What a step comes to.
pub(crate) enum Progress {
    Step(Step),
    /// So many bytes are done with, and the session's own commands may come.
    Open(usize),
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Server, what }
}

impl Proving {
    pub(crate) fn new(backend: Backend, login: Option<Box<TargetLogin>>) -> Self {
        Self { backend, login, named: false, messages: 0 }
    }

    /// Takes the target's next message.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Result<Progress, Error> {
        let Some(frame) = frame::peek(Side::Server, bytes)? else {
            return Ok(Progress::Step(Step::Need(missing(bytes.len(), HEADER_BYTES))));
        };
        if frame.length > LOGIN_MESSAGE_BYTES_MAX {
            let what = "a message before the session is open";
            return Err(Error::TooLarge { side: Side::Server, what, most: LOGIN_MESSAGE_BYTES_MAX });
        }
        let Some(body) = bytes.get(HEADER_BYTES..frame.length) else {
            return Ok(Progress::Step(Step::Need(missing(bytes.len(), frame.length))));
        };
        self.messages += 1;
        match frame.tag {
            _ if self.messages > LOGIN_MESSAGES_MAX => {
                return Err(misbehaved("too many messages before the session is open"));
            }
            b'S' => {
                self.backend.settings.report(body)?;
            }
            b'N' => {
                Report::read(body)?;
            }
            b'C' if !self.named && read_text(Side::Server, body)? == b"SET" => self.named = true,
            b'Z' if self.named && body == b"I" => return Ok(Progress::Open(frame.length)),
            b'E' => {
                let report = Report::read(body)?;
                // A fresh connection that cannot be named (a target's time limit, say) is as good without: its
                // process is recorded.
                if report.fatal || self.login.is_some() || self.named {
                    return Err(Error::Refused { side: Side::Server, code: report.sqlstate });
                }
                self.named = true;
            }
            _ => return Err(misbehaved("an answer to what was not asked")),
        }
        Ok(Progress::Step(Step::Consumed(frame.length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn proving() -> Proving {
        let settings = super::super::backend::Settings::default();
        Proving::new(Backend { key: None, settings, born: crate::Now(0) }, None)
    }

    #[test]
    fn a_fresh_connection_opens_once_its_naming_is_answered() {
        let error = b"E\0\0\0\x17SERROR\0C57014\0Mno\0\0".as_slice();
        let fatal = b"E\0\0\0\x1eSFATAL\0VFATAL\0C57P01\0Mno\0\0".as_slice();
        let (set, ready) = (b"C\0\0\0\x08SET\0".as_slice(), b"Z\0\0\0\x05I".as_slice());
        let notice = b"N\0\0\0\x17SERROR\0C00000\0Mno\0\0".as_slice();
        for (answer, opens) in [
            (vec![set, ready], true),
            (vec![notice, set, ready], true),
            (vec![error, ready], true),
            (vec![ready], false),
            (vec![set, set], false),
            (vec![set, error], false),
            (vec![fatal], false),
            (vec![set, b"Z\0\0\0\x05T".as_slice()], false),
            (vec![b"C\0\0\0\x0aRESET\0".as_slice()], false),
            (vec![b"D\0\0\0\x06\0\0".as_slice()], false),
        ] {
            let mut proving = proving();
            let mut last = None;
            for message in &answer {
                last = Some(proving.step(message));
                if matches!(last, Some(Err(_))) {
                    break;
                }
            }
            let opened = matches!(last, Some(Ok(Progress::Open(_))));
            assert_eq!((opened, matches!(last, Some(Err(_)))), (opens, !opens), "{answer:?}");
        }
    }

    #[test]
    fn nothing_in_a_name_ends_a_comment_or_a_string() {
        let name = Name::new(&Naming {
            name: "pangate/0123456789abcdef0123456789abcdef/repo:o'rg*/;select é and so on",
            comment: "pangate session=1 subject=a*/drop table x;/*'\0b",
        });
        assert_eq!(name.name, "pangate/0123456789abcdef0123456789abcdef/repo:o_rg_/_select___a");
        let mut out = Vec::new();
        name.announce(&mut out);
        let text = core::str::from_utf8(&out[HEADER_BYTES..]).unwrap();
        let (comment, rest) = text.split_once(" */ ").unwrap();
        assert_eq!(comment, "/* pangate session=1 subject=a_|drop table x_|___b");
        assert_eq!(rest, alloc::format!("SET application_name = '{}'\0", name.name));
    }
}
