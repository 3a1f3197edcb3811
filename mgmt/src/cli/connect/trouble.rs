//! Why a connection could not be carried, before each protocol puts it into its own words.

use std::fmt;
use std::io;

/// A connection exception's SQLSTATE and what to say.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) sqlstate: &'static str,
    pub(super) text: String,
}

impl Trouble {
    /// As the client is told it: text without NUL.
    pub(super) fn told(&self) -> String {
        format!("pangate connect: {}", self.text.replace('\0', " "))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

pub(super) fn unreachable(text: &str) -> Trouble {
    Trouble { sqlstate: "08001", text: text.to_owned() }
}

pub(super) fn misbehaved(text: &str) -> Trouble {
    Trouble { sqlstate: "08P01", text: text.to_owned() }
}

pub(super) fn lost(error: io::Error) -> Trouble {
    Trouble { sqlstate: "08006", text: format!("the connection was lost during the login: {error}") }
}
