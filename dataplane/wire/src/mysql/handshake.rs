//! The packets of the handshake, read and written: greeting, SSLRequest, HandshakeResponse. Leaves out who sends which
//! when (`client.rs`, `auth.rs`). Form: MySQL's "Connection Phase Packets", MariaDB's "Connecting".

use alloc::vec::Vec;
use core::ops::Range;

use super::capabilities::Capabilities;
use super::frame::{read_integer, read_string, string, text};
use crate::cursor::Cursor;
use crate::limits::ATTRIBUTES_BYTES_MAX;
use crate::{Error, Side};

/// Bytes of the scramble of MySQL's own plugins.
pub(crate) const SCRAMBLE_BYTES: usize = 20;
/// Of them, those in the greeting's first part.
const FIRST_PART_BYTES: usize = 8;
/// An SSLRequest's payload: the start of a HandshakeResponse.
pub(crate) const SSL_REQUEST_BYTES: usize = 32;
const PROTOCOL: u8 = 10;

/// What a server says first.
pub(crate) struct Greeting<'a> {
    pub(crate) version: &'a [u8],
    pub(crate) process: u32,
    pub(crate) capabilities: Capabilities,
    pub(crate) collation: u8,
    pub(crate) status: u16,
    /// For the plugin, without the NUL behind it.
    pub(crate) scramble: Vec<u8>,
    pub(crate) plugin: &'a [u8],
}

impl<'a> Greeting<'a> {
    /// Appends the payload.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let (first, second) = self.scramble.split_at(FIRST_PART_BYTES.min(self.scramble.len()));
        let flags = self.capabilities.0.to_le_bytes();
        let [low0, low1, high0, high1, ext0, ext1, ext2, ext3] = flags;
        out.push(PROTOCOL);
        text(out, self.version);
        out.extend_from_slice(&self.process.to_le_bytes());
        text(out, first);
        out.extend_from_slice(&[low0, low1, self.collation]);
        out.extend_from_slice(&self.status.to_le_bytes());
        out.extend_from_slice(&[high0, high1]);
        out.push(u8::try_from(self.scramble.len() + 1).unwrap_or(u8::MAX));
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&[ext0, ext1, ext2, ext3]);
        text(out, second);
        text(out, self.plugin);
    }

    /// Reads a target's.
    pub(crate) fn read(payload: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(Side::Server, payload);
        if cursor.u8("greeting: no protocol")? != PROTOCOL {
            return Err(Error::Unsupported { side: Side::Server, what: "a protocol other than 10" });
        }
        let version = cursor.text("greeting: the version has no end")?;
        let process = cursor.u32_le("greeting: no connection number")?;
        let mut scramble = cursor.take(FIRST_PART_BYTES, "greeting: no scramble")?.to_vec();
        cursor.take(1, "greeting: no filler")?;
        let low = cursor.u16_le("greeting: no capabilities")?;
        let collation = cursor.u8("greeting: no collation")?;
        let status = cursor.u16_le("greeting: no status")?;
        let high = cursor.u16_le("greeting: no upper capabilities")?;
        let length = usize::from(cursor.u8("greeting: no length of the scramble")?);
        cursor.take(6, "greeting: no reserved bytes")?;
        let extended = cursor.u32_le("greeting: no reserved bytes")?;
        let mut capabilities = Capabilities(u64::from(high) << 16 | u64::from(low));
        // A MySQL server's bytes there mean nothing.
        if !capabilities.has(Capabilities::LONG_PASSWORD) {
            capabilities = Capabilities(capabilities.0 | u64::from(extended) << 32);
        }
        if !capabilities.has(Capabilities::SECURE_CONNECTION.and(Capabilities::PLUGIN_AUTH)) {
            return Err(Error::Unsupported { side: Side::Server, what: "a server without plugins" });
        }
        // 13 at the least, the NUL behind it included.
        let second = length.saturating_sub(FIRST_PART_BYTES).max(SCRAMBLE_BYTES + 1 - FIRST_PART_BYTES);
        let second = cursor.take(second, "greeting: the scramble is short")?;
        scramble.extend_from_slice(second.strip_suffix(&[0]).unwrap_or(second));
        let plugin = cursor.text("greeting: the plugin's name has no end")?;
        cursor.end("greeting: bytes after its end")?;
        Ok(Self { version, process, capabilities, collation, status, scramble, plugin })
    }
}

/// The start of a HandshakeResponse, and all of an SSLRequest.
#[derive(Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) capabilities: Capabilities,
    pub(crate) packet_bytes_max: u32,
    pub(crate) collation: u8,
}

impl Opening {
    /// Appends it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let [low0, low1, low2, low3, ext @ ..] = self.capabilities.0.to_le_bytes();
        out.extend_from_slice(&[low0, low1, low2, low3]);
        out.extend_from_slice(&self.packet_bytes_max.to_le_bytes());
        out.push(self.collation);
        out.extend_from_slice(&[0; 19]);
        out.extend_from_slice(&ext);
    }

    /// Reads a client's.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let low = cursor.u32_le("HandshakeResponse: no capabilities")?;
        let mut capabilities = Capabilities(low.into());
        if !capabilities.has(Capabilities::PROTOCOL_41) {
            return Err(Error::Unsupported { side: Side::Client, what: "a protocol older than 4.1" });
        }
        let packet_bytes_max = cursor.u32_le("HandshakeResponse: no packet size")?;
        let collation = cursor.u8("HandshakeResponse: no collation")?;
        cursor.take(19, "HandshakeResponse: no reserved bytes")?;
        let extended = cursor.u32_le("HandshakeResponse: no reserved bytes")?;
        // A client that calls itself MySQL's has none; what it leaves there means nothing.
        if !capabilities.has(Capabilities::LONG_PASSWORD) {
            capabilities = Capabilities(capabilities.0 | u64::from(extended) << 32);
        }
        Ok(Self { capabilities, packet_bytes_max, collation })
    }
}

/// What a client says of itself.
pub(crate) struct Response<'a> {
    pub(crate) opening: Opening,
    pub(crate) user: &'a str,
    /// What its plugin says; where it stands in the payload.
    pub(crate) answer: Range<usize>,
    pub(crate) database: &'a str,
    pub(crate) plugin: &'a [u8],
    pub(crate) application: &'a str,
}

impl<'a> Response<'a> {
    /// Reads a client's.
    pub(crate) fn read(payload: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(Side::Client, payload);
        let opening = Opening::read(&mut cursor)?;
        let has = |flag| opening.capabilities.has(flag);
        let user = cursor.utf8("HandshakeResponse: the user's name has no end, or is not UTF-8")?;
        let short = "HandshakeResponse: the plugin's answer is short";
        let answer = if has(Capabilities::PLUGIN_AUTH_LENENC) {
            read_string(&mut cursor, short)?
        } else if has(Capabilities::SECURE_CONNECTION) {
            let length = cursor.u8(short)?;
            cursor.take(length.into(), short)?
        } else {
            return Err(Error::Unsupported { side: Side::Client, what: "passwords older than 4.1's" });
        };
        let end = cursor.offset();
        let answer = end.saturating_sub(answer.len())..end;
        let database = if has(Capabilities::CONNECT_WITH_DB) {
            cursor.utf8("HandshakeResponse: the database's name has no end, or is not UTF-8")?
        } else {
            ""
        };
        let plugin = if has(Capabilities::PLUGIN_AUTH) {
            cursor.text("HandshakeResponse: the plugin's name has no end")?
        } else {
            b""
        };
        let application = if has(Capabilities::CONNECT_ATTRS) { read_attributes(&mut cursor)? } else { "" };
        cursor.end("HandshakeResponse: bytes after its end")?;
        Ok(Self { opening, user, answer, database, plugin, application })
    }

    /// Appends the payload; of `answer` it takes the bytes given.
    pub(crate) fn write(&self, answer: &[u8], attributes: &[(&str, &str)], out: &mut Vec<u8>) {
        let has = |flag| self.opening.capabilities.has(flag);
        let plain = |name: &str, out: &mut Vec<u8>| {
            out.extend(name.bytes().filter(|byte| *byte != 0));
            out.push(0);
        };
        self.opening.write(out);
        plain(self.user, out);
        if has(Capabilities::PLUGIN_AUTH_LENENC) {
            string(out, answer);
        } else {
            out.push(u8::try_from(answer.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(answer.get(..answer.len().min(255)).unwrap_or_default());
        }
        if has(Capabilities::CONNECT_WITH_DB) {
            plain(self.database, out);
        }
        text(out, self.plugin);
        if has(Capabilities::CONNECT_ATTRS) {
            let mut pairs = Vec::new();
            for (name, value) in attributes {
                string(&mut pairs, name.as_bytes());
                string(&mut pairs, value.as_bytes());
            }
            string(out, &pairs);
        }
    }
}

/// Reads connection attributes; of them the engine knows `program_name`.
fn read_attributes<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Error> {
    let what = "HandshakeResponse: the attributes are short";
    let mut length = usize::try_from(read_integer(cursor, what)?).unwrap_or(usize::MAX);
    if length > ATTRIBUTES_BYTES_MAX {
        let what = "connection attributes";
        return Err(Error::TooLarge { side: Side::Client, what, most: ATTRIBUTES_BYTES_MAX });
    }
    let mut application = "";
    while length > 0 {
        let start = *cursor;
        let name = read_string(cursor, what)?;
        let value = read_string(cursor, what)?;
        length = length
            .checked_sub(cursor.offset() - start.offset())
            .ok_or(start.malformed("HandshakeResponse: an attribute is longer than all"))?;
        if name == b"program_name" {
            application = core::str::from_utf8(value)
                .map_err(|_| start.malformed("HandshakeResponse: program_name is not UTF-8"))?;
        }
    }
    Ok(application)
}
