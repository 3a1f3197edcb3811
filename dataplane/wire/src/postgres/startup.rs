//! The packets that a client starts with: encryption and cancel requests, StartupMessage with its settings. Says which
//! settings may reach the target. Leaves out the order in which packets may come (`client.rs`).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::frame::{message, missing, text};
use crate::ask::CancelKey;
use crate::cursor::{Cursor, u32_at};
use crate::limits::STARTUP_BYTES_MAX;
use crate::{Error, Side, Step};

/// The protocol's name in ALPN.
pub(crate) const ALPN_PROTOCOL: &[u8] = b"postgresql";

const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;
/// The newest minor version of protocol 3 that the engine speaks with clients.
const NEWEST_MINOR: u16 = 2;

/// Settings that a job may make when it connects. None changes how a statement or a value is read, nor who acts.
const SETTINGS: [&str; 15] = [
    "bytea_output",
    "client_min_messages",
    "datestyle",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "extra_float_digits",
    "geqo",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "intervalstyle",
    "jit",
    "lock_timeout",
    "statement_timeout",
    "timezone",
];

/// The first packets of a connection.
pub(crate) enum Packet {
    Ssl,
    Gss,
    Cancel(CancelKey),
    /// A cancel request whose key cannot be one of ours.
    CancelUnknown,
    Start(Startup),
    Refused(Refused),
}

/// A StartupMessage that is not taken, and why.
pub(crate) struct Refused {
    pub(crate) code: &'static [u8; 5],
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

/// What a StartupMessage asks for.
#[derive(Default)]
pub(crate) struct Startup {
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) application: String,
    /// Settings for the target: name NUL value NUL, repeated.
    pub(crate) settings: Vec<u8>,
    minor: u16,
    /// Protocol options that the engine does not know.
    unknown: Vec<String>,
}

impl Startup {
    /// Appends NegotiateProtocolVersion where the client asked for more than the engine speaks.
    pub(crate) fn negotiate(&self, out: &mut Vec<u8>) {
        let minor = if self.minor == 1 { 0 } else { self.minor.min(NEWEST_MINOR) };
        if minor == self.minor && self.unknown.is_empty() {
            return;
        }
        message(out, b'v', |body| {
            body.extend_from_slice(&(3 << 16 | u32::from(minor)).to_be_bytes());
            body.extend_from_slice(&u32::try_from(self.unknown.len()).unwrap_or(0).to_be_bytes());
            for name in &self.unknown {
                text(body, name.as_bytes());
            }
        });
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Refused> {
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            "application_name" => value.clone_into(&mut self.application),
            "client_encoding" if is_utf8(value) => {}
            "client_encoding" => {
                return Err(refused(b"22023", "client_encoding must be UTF8 through pangate".to_owned()));
            }
            "standard_conforming_strings" if is_on(value) => {}
            known if SETTINGS.contains(&known) => {
                text(&mut self.settings, lower.as_bytes());
                text(&mut self.settings, value.as_bytes());
            }
            _ => return Err(refused(b"0A000", format!("{} may not be set through pangate", shown(name)))),
        }
        Ok(())
    }

    fn field(&mut self, name: &str, value: &str) -> Result<(), Refused> {
        match name {
            "user" => value.clone_into(&mut self.user),
            "database" => value.clone_into(&mut self.database),
            "replication" if matches!(value, "false" | "off" | "no" | "0") => {}
            "replication" => {
                return Err(refused(b"0A000", "replication connections are refused by pangate".to_owned()));
            }
            "options" => {
                for (name, value) in options(value)? {
                    self.set(&name, &value)?;
                }
            }
            option if option.starts_with("_pq_.") => self.unknown.push(option.to_owned()),
            setting => self.set(setting, value)?,
        }
        Ok(())
    }
}

/// Reads the packet at the start of `bytes`: how long it is, and what. `Err` of the inner result: a step without one.
pub(crate) fn read(bytes: &[u8]) -> Result<Result<(usize, Packet), Step>, Error> {
    let Some(length) = u32_at(bytes, 0) else { return Ok(Err(Step::Need(missing(bytes.len(), 8)))) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length < 8 {
        return Err(Error::Malformed { side: Side::Client, offset: 0, what: "a start-up packet's length" });
    }
    if length > STARTUP_BYTES_MAX {
        return Err(Error::TooLarge {
            side: Side::Client,
            what: "a start-up packet",
            most: STARTUP_BYTES_MAX,
        });
    }
    let Some(packet) = bytes.get(..length) else { return Ok(Err(Step::Need(missing(bytes.len(), length)))) };
    let mut cursor = Cursor::new(Side::Client, packet);
    cursor.take(4, "length")?;
    let code = cursor.u32("a start-up packet's code is missing")?;
    let packet = match (code, length) {
        (SSL_REQUEST, 8) => Packet::Ssl,
        (GSSENC_REQUEST, 8) => Packet::Gss,
        (CANCEL_REQUEST, 16) => {
            let process = cursor.u32("CancelRequest: no process")?;
            Packet::Cancel(CancelKey { process, secret: cursor.u32("CancelRequest: no secret")? })
        }
        (CANCEL_REQUEST, _) => Packet::CancelUnknown,
        (version, _) if version >> 16 == 3 => match read_startup(&mut cursor, version)? {
            Ok(startup) => Packet::Start(startup),
            Err(refused) => Packet::Refused(refused),
        },
        _ => Packet::Refused(Refused {
            code: b"0A000",
            message: "only protocol 3 is spoken here".to_owned(),
            hint: "PostgreSQL 7.4 and its clients brought it: use one of those or later",
        }),
    };
    Ok(Ok((length, packet)))
}

fn read_startup(cursor: &mut Cursor<'_>, version: u32) -> Result<Result<Startup, Refused>, Error> {
    let minor = u16::try_from(version & 0xffff).unwrap_or(u16::MAX);
    let mut startup = Startup { minor, ..Startup::default() };
    let mut verdict = Ok(());
    loop {
        let name = cursor.utf8("StartupMessage: a name has no end or is not UTF-8")?;
        if name.is_empty() {
            break;
        }
        let value = cursor.utf8("StartupMessage: a value has no end or is not UTF-8")?;
        if verdict.is_ok() {
            verdict = startup.field(name, value);
        }
    }
    cursor.end("StartupMessage: bytes after its end")?;
    if verdict.is_ok() && startup.user.is_empty() {
        verdict = Err(refused(b"28000", "no user name is given".to_owned()));
    }
    Ok(verdict.map(|()| startup))
}

/// Reads the command-line form of settings: `-c name=value`, `-cname=value`, `--name=value`.
fn options(line: &str) -> Result<Vec<(String, String)>, Refused> {
    let mut words = split_words(line).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match (word.strip_prefix("--"), word.strip_prefix("-c")) {
            (Some(long), _) => Some(long.to_owned()),
            (None, Some("")) => words.next(),
            (None, Some(short)) => Some(short.to_owned()),
            (None, None) => None,
        };
        let pair = setting.as_deref().and_then(|setting| setting.split_once('='));
        let Some((name, value)) = pair else {
            return Err(refused(
                b"0A000",
                "options other than -c name=value are refused by pangate".to_owned(),
            ));
        };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

/// Splits at white space; a backslash keeps the next character as it is (as the server does).
fn split_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.get_or_insert_default().extend(characters.next()),
            space if space.is_ascii_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// Whether an encoding's name is one of UTF-8's, as the target reads names: letters and digits alone count.
pub(crate) fn is_utf8(value: &str) -> bool {
    let letters = value.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
    let name: String = letters.collect();
    name == "utf8" || name == "unicode"
}

fn is_on(value: &str) -> bool {
    ["on", "true", "yes", "1"].iter().any(|on| value.eq_ignore_ascii_case(on))
}

/// A client's own name for a setting where it is a plain one.
fn shown(name: &str) -> String {
    let plain = name.len() <= 63
        && name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.'));
    if plain { format!("\"{name}\"") } else { "this setting".to_owned() }
}

fn refused(code: &'static [u8; 5], message: String) -> Refused {
    let hint =
        if code == b"0A000" { "connect without it; see the settings allowed in the manual" } else { "" };
    Refused { code, message, hint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::frame::packet;

    fn startup(version: u32, fields: &[(&str, &str)]) -> Packet {
        let mut bytes = Vec::new();
        packet(&mut bytes, |body| {
            body.extend_from_slice(&version.to_be_bytes());
            for (name, value) in fields {
                text(body, name.as_bytes());
                text(body, value.as_bytes());
            }
            body.push(0);
        });
        for cut in 0..bytes.len() {
            assert!(matches!(read(&bytes[..cut]), Ok(Err(Step::Need(_)))), "{cut}");
        }
        let (length, packet) = read(&bytes).unwrap().map_err(|_| "incomplete").unwrap();
        assert_eq!(length, bytes.len());
        packet
    }

    fn refusal(fields: &[(&str, &str)]) -> Option<String> {
        match startup(196_608, fields) {
            Packet::Refused(refused) => Some(refused.message),
            _ => None,
        }
    }

    #[test]
    fn takes_what_is_harmless_and_names_what_is_not() {
        let Packet::Start(got) = startup(
            196_608,
            &[
                ("user", "job"),
                ("database", "payments"),
                ("application_name", "psql"),
                ("client_encoding", "'utf-8'"),
                ("options", "-c statement_timeout=5s --lock-timeout=1s -cTimeZone=Europe/\\ Paris"),
            ],
        ) else {
            panic!("refused")
        };
        assert_eq!(
            (got.user.as_str(), got.database.as_str(), got.application.as_str()),
            ("job", "payments", "psql")
        );
        assert_eq!(got.settings, b"statement_timeout\x005s\0lock_timeout\x001s\0timezone\0Europe/ Paris\0");

        assert_eq!(refusal(&[("user", "u"), ("standard_conforming_strings", "on")]), None);
        for fields in [
            [("user", "u"), ("replication", "database")],
            [("user", "u"), ("client_encoding", "LATIN1")],
            [("user", "u"), ("search_path", "x")],
            [("user", "u"), ("standard_conforming_strings", "off")],
            [("user", "u"), ("options", "-c search_path=x")],
            [("user", "u"), ("options", "-c role=postgres")],
            [("user", "u"), ("options", "-c client_encoding=UTF8 -c client_encoding=LATIN1")],
            [("user", "u"), ("options", "--client-encoding=SQL_ASCII")],
            [("user", "u"), ("options", "-cCLIENT_ENCODING=LATIN1")],
            [("user", "u"), ("options", "-c clie\\nt_encoding=LATIN1")],
            [("user", "u"), ("options", "-c standard_conforming_strings=off")],
            [("user", "u"), ("options", "-c session_authorization=postgres")],
            [("user", "u"), ("options", "-c timezone=UTC -B 8")],
            [("user", "u"), ("Replication", "true")],
            [("user", "u"), ("options", "-d 5")],
            [("user", "u"), ("options", "-c")],
            [("user", ""), ("database", "x")],
        ] {
            assert!(refusal(&fields).is_some(), "{fields:?}");
        }
        let odd = refusal(&[("user", "u"), ("x 4111", "y")]).unwrap();
        assert_eq!(odd, "this setting may not be set through pangate");
    }

    #[test]
    fn negotiates_newer_minors_and_unknown_options() {
        for (version, expected) in [
            (196_608, &b""[..]),
            (196_610, b""),
            (196_609, b"v\0\0\0\x0c\0\x03\0\0\0\0\0\0"),
            (199_999, b"v\0\0\0\x0c\0\x03\0\x02\0\0\0\0"),
        ] {
            let Packet::Start(got) = startup(version, &[("user", "u")]) else { panic!("refused") };
            let mut out = Vec::new();
            got.negotiate(&mut out);
            assert_eq!(out, expected);
        }
        let Packet::Start(got) = startup(196_608, &[("user", "u"), ("_pq_.x", "1")]) else {
            panic!("refused")
        };
        let mut out = Vec::new();
        got.negotiate(&mut out);
        assert_eq!(out, b"v\0\0\0\x13\0\x03\0\0\0\0\0\x01_pq_.x\0");
    }

    #[test]
    fn refuses_packets_that_are_none() {
        assert!(read(b"\0\0\0\x07\0\0\0").is_err());
        assert!(read(b"\0\x01\0\0\0\x03\0\0").is_err());
        assert!(read(b"\0\0\0\x0a\0\x03\0\0a\0").is_err());
        assert!(matches!(read(b"\0\0\0\x08\0\x02\0\0"), Ok(Ok((8, Packet::Refused(_))))));
        assert!(matches!(read(b"\0\0\0\x08\x04\xd2\x16\x2f"), Ok(Ok((8, Packet::Ssl)))));
        assert!(matches!(read(b"\0\0\0\x08\x04\xd2\x16\x30"), Ok(Ok((8, Packet::Gss)))));
        let cancel = read(b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02").unwrap();
        assert!(
            matches!(cancel, Ok((16, Packet::Cancel(key))) if key == CancelKey { process: 1, secret: 2 })
        );
        assert!(matches!(read(b"\0\0\0\x0c\x04\xd2\x16\x2e\0\0\0\x01"), Ok(Ok((12, Packet::CancelUnknown)))));
    }
}
