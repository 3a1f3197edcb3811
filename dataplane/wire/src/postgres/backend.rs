//! A target's connection between its sessions: what the next one must be told of it (settings, process, cancel key).
//! Leaves out the socket, and how it is made fit for another session (`kept.rs`).

use alloc::vec::Vec;

use super::auth::{ServerCancelKey, check_setting};
use super::frame::{self, HEADER_BYTES, message, text};
use super::message::read_setting;
use crate::limits::SETTINGS_BYTES_MAX;
use crate::{Error, Now, Side};

/// The setting whose value is the session's name.
pub(crate) const APPLICATION: &[u8] = b"application_name";

/// What is known of a target's connection.
pub struct Backend {
    /// The target's own key, by which a command is cancelled there.
    pub(crate) key: Option<ServerCancelKey>,
    pub(crate) settings: Settings,
    /// When it was opened.
    pub born: Now,
}

impl Backend {
    /// The target's process number; 0 where it has told none.
    pub fn process(&self) -> u32 {
        self.key.as_ref().map_or(0, |key| key.process)
    }
}

/// The settings that a target reports, with the values that it reported last: the messages as they came, one a setting.
#[derive(Default)]
pub(crate) struct Settings {
    messages: Vec<u8>,
    /// More than is kept: they are not known to the last.
    overflown: bool,
}

impl Settings {
    /// Takes note of a ParameterStatus with this body. Whether its setting goes on to the client.
    pub(crate) fn report(&mut self, body: &[u8]) -> Result<bool, Error> {
        let (name, value) = read_setting(body)?;
        let shown = check_setting(name, value)?;
        self.set(name, value);
        Ok(shown)
    }

    fn set(&mut self, name: &[u8], value: &[u8]) {
        if let Some((at, length)) = self.find(name) {
            self.messages.drain(at..at + length);
        }
        if self.messages.len() + name.len() + value.len() > SETTINGS_BYTES_MAX {
            self.overflown = true;
            return;
        }
        message(&mut self.messages, b'S', |body| {
            text(body, name);
            text(body, value);
        });
    }

    /// Where the message of this setting lies.
    fn find(&self, name: &[u8]) -> Option<(usize, usize)> {
        let mut at = 0;
        for (own, length) in self.iter() {
            if own == name {
                return Some((at, length));
            }
            at += length;
        }
        None
    }

    /// Names of the settings and lengths of their messages.
    fn iter(&self) -> impl Iterator<Item = (&[u8], usize)> {
        let mut rest = self.messages.as_slice();
        core::iter::from_fn(move || {
            let length = frame::peek(Side::Server, rest).ok()??.length;
            let (message, behind) = rest.split_at_checked(length)?;
            rest = behind;
            let (name, _) = read_setting(message.get(HEADER_BYTES..)?).ok()?;
            Some((name, length))
        })
    }

    /// Whether they are known to the last.
    pub(crate) fn are_known(&self) -> bool {
        !self.overflown
    }

    /// Appends the messages that a client gets, their words masked; the session's own name stands in place of the
    /// target's. How much was masked.
    pub(crate) fn tell(&self, name: &str, out: &mut Vec<u8>, mask: impl Fn(&mut [u8]) -> usize) -> usize {
        let mut masked = 0;
        let mut rest = self.messages.as_slice();
        for (own, length) in self.iter() {
            let (message, behind) = rest.split_at_checked(length).unwrap_or_default();
            rest = behind;
            if own != b"session_authorization" && own != APPLICATION {
                let start = out.len() + HEADER_BYTES;
                out.extend_from_slice(message);
                masked += mask(out.get_mut(start..).unwrap_or_default());
            }
        }
        tell_name(name, out);
        masked
    }
}

/// Appends the ParameterStatus by which a client learns what the target's log calls its session.
pub(crate) fn tell_name(name: &str, out: &mut Vec<u8>) {
    message(out, b'S', |body| {
        text(body, APPLICATION);
        text(body, name.as_bytes());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(settings: &Settings) -> Vec<u8> {
        let mut out = Vec::new();
        settings.tell("me", &mut out, |_| 0);
        out
    }

    #[test]
    fn the_last_value_of_each_setting_is_told() {
        let mut settings = Settings::default();
        assert_eq!(settings.report(b"TimeZone\0UTC\0"), Ok(true));
        assert_eq!(settings.report(b"application_name\0pangate\0"), Ok(true));
        assert_eq!(settings.report(b"session_authorization\0owner\0"), Ok(false));
        assert_eq!(settings.report(b"DateStyle\0ISO, MDY\0"), Ok(true));
        assert_eq!(settings.report(b"TimeZone\0Europe/Paris\0"), Ok(true));
        let mut expected = Vec::new();
        for pair in [&b"DateStyle\0ISO, MDY\0"[..], b"TimeZone\0Europe/Paris\0", b"application_name\0me\0"] {
            message(&mut expected, b'S', |body| body.extend_from_slice(pair));
        }
        assert_eq!(told(&settings), expected);
        assert!(settings.are_known());
    }

    #[test]
    fn settings_that_change_how_values_read_are_refused_and_too_many_are_not_known() {
        let mut settings = Settings::default();
        assert!(settings.report(b"client_encoding\0LATIN1\0").is_err());
        assert!(settings.report(b"standard_conforming_strings\0off\0").is_err());
        assert!(settings.report(b"no end").is_err());
        let long = [b"a\0".as_slice(), &[b'x'; SETTINGS_BYTES_MAX], b"\0"].concat();
        assert_eq!(settings.report(&long), Ok(true));
        assert!(!settings.are_known());
    }
}
