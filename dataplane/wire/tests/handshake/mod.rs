//! Packets of MySQL's handshake for scripted peers, made from the protocol's documentation (MySQL's "Connection Phase
//! Packets", MariaDB's "Connecting") and from nothing of the engine's.
#![allow(dead_code, reason = "each test file uses its part")]

use wire::mysql::{Config, Session};
use wire::{ServerTls, Side};

use crate::driver::{Account, Asked, Driver, Verdict};

pub(crate) const LONG_PASSWORD: u64 = 1;
pub(crate) const CONNECT_WITH_DB: u64 = 1 << 3;
pub(crate) const COMPRESS: u64 = 1 << 5;
pub(crate) const LOCAL_FILES: u64 = 1 << 7;
pub(crate) const IGNORE_SPACE: u64 = 1 << 8;
pub(crate) const PROTOCOL_41: u64 = 1 << 9;
pub(crate) const SSL: u64 = 1 << 11;
pub(crate) const SECURE_CONNECTION: u64 = 1 << 15;
pub(crate) const MULTI_STATEMENTS: u64 = 1 << 16;
pub(crate) const MULTI_RESULTS: u64 = 1 << 17;
pub(crate) const PLUGIN_AUTH: u64 = 1 << 19;
pub(crate) const CONNECT_ATTRS: u64 = 1 << 20;
pub(crate) const LENENC: u64 = 1 << 21;
pub(crate) const SESSION_TRACK: u64 = 1 << 23;
pub(crate) const DEPRECATE_EOF: u64 = 1 << 24;
pub(crate) const OPTIONAL_METADATA: u64 = 1 << 25;
pub(crate) const ZSTD: u64 = 1 << 26;
pub(crate) const QUERY_ATTRIBUTES: u64 = 1 << 27;
pub(crate) const PROGRESS: u64 = 1 << 32;
pub(crate) const BULK: u64 = 1 << 34;
pub(crate) const EXTENDED_METADATA: u64 = 1 << 35;
pub(crate) const CACHE_METADATA: u64 = 1 << 36;

/// What a modern client asks for.
pub(crate) const MODERN: u64 = LONG_PASSWORD
    | CONNECT_WITH_DB
    | PROTOCOL_41
    | SECURE_CONNECTION
    | MULTI_STATEMENTS
    | MULTI_RESULTS
    | PLUGIN_AUTH
    | CONNECT_ATTRS
    | LENENC
    | SESSION_TRACK
    | DEPRECATE_EOF;

pub(crate) const NONCE: [u8; 20] = *b"0123456789abcdefghi$";

/// A packet.
pub(crate) fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_le_bytes();
    [&length[..3], &[sequence], payload].concat()
}

/// Sequence numbers and payloads of whole packets.
pub(crate) fn packets(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let [a, b, c, sequence, rest @ ..] = bytes {
        let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
        found.push((*sequence, rest[..length].to_vec()));
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "a packet is whole");
    found
}

/// The only packet there is.
pub(crate) fn only(bytes: &[u8]) -> (u8, Vec<u8>) {
    let mut found = packets(bytes);
    assert_eq!(found.len(), 1, "{}", bytes.escape_ascii());
    found.remove(0)
}

pub(crate) fn counted(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let head = match length {
        0..=250 => vec![u8::try_from(length).expect("short")],
        _ => [&[0xfc], &u16::try_from(length).expect("short").to_le_bytes()[..]].concat(),
    };
    [head.as_slice(), bytes].concat()
}

/// A client's HandshakeResponse.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) capabilities: u64,
    pub(crate) collation: u8,
    pub(crate) user: &'static str,
    pub(crate) answer: Vec<u8>,
    pub(crate) database: &'static str,
    pub(crate) plugin: &'static str,
    pub(crate) attributes: Vec<(&'static str, &'static str)>,
}

impl Client {
    pub(crate) fn new(plugin: &'static str, answer: &[u8]) -> Self {
        Self {
            capabilities: MODERN,
            collation: 255,
            user: "job",
            answer: answer.to_vec(),
            database: "payments",
            plugin,
            attributes: vec![("_os", "Linux"), ("program_name", "batch"), ("_pid", "1")],
        }
    }

    fn opening(&self) -> Vec<u8> {
        let flags = self.capabilities.to_le_bytes();
        [&flags[..4], &[0, 0, 0, 1], &[self.collation], &[0; 19], &flags[4..]].concat()
    }

    pub(crate) fn ssl_request(&self) -> Vec<u8> {
        let client = Self { capabilities: self.capabilities | SSL, ..self.clone() };
        packet(1, &client.opening())
    }

    pub(crate) fn payload(&self) -> Vec<u8> {
        let mut payload = self.opening();
        let mut text = |bytes: &[u8]| payload.extend_from_slice(bytes);
        let has = |flag| self.capabilities & flag != 0;
        text(&[self.user.as_bytes(), b"\0"].concat());
        if has(LENENC) {
            text(&counted(&self.answer));
        } else {
            text(&[u8::try_from(self.answer.len()).expect("short")]);
            text(&self.answer);
        }
        if has(CONNECT_WITH_DB) {
            text(&[self.database.as_bytes(), b"\0"].concat());
        }
        if has(PLUGIN_AUTH) {
            text(&[self.plugin.as_bytes(), b"\0"].concat());
        }
        if has(CONNECT_ATTRS) {
            let pairs = self
                .attributes
                .iter()
                .map(|(name, value)| [counted(name.as_bytes()), counted(value.as_bytes())].concat());
            text(&counted(&pairs.collect::<Vec<_>>().concat()));
        }
        payload
    }

    pub(crate) fn packet(&self, sequence: u8) -> Vec<u8> {
        packet(sequence, &self.payload())
    }
}

/// A target's greeting.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) version: &'static str,
    pub(crate) capabilities: u64,
    pub(crate) scramble: Vec<u8>,
    pub(crate) plugin: &'static str,
}

pub(crate) const SCRAMBLE: &[u8; 20] = b"abcdefghijklmnopqrst";
pub(crate) const THREAD: u32 = 0x0102_0304;

impl Target {
    pub(crate) fn new(plugin: &'static str) -> Self {
        let capabilities = MODERN | QUERY_ATTRIBUTES;
        Self { version: "8.4.3", capabilities, scramble: SCRAMBLE.to_vec(), plugin }
    }

    pub(crate) fn payload(&self) -> Vec<u8> {
        let flags = self.capabilities.to_le_bytes();
        let length = u8::try_from(self.scramble.len() + 1).expect("short");
        let (first, second) = self.scramble.split_at(8);
        [
            b"\x0a",
            self.version.as_bytes(),
            b"\0",
            &THREAD.to_le_bytes(),
            first,
            b"\0",
            &flags[..2],
            b"\xff\x02\0",
            &flags[2..4],
            &[length],
            &[0; 6],
            &flags[4..],
            second,
            b"\0",
            self.plugin.as_bytes(),
            b"\0",
        ]
        .concat()
    }

    pub(crate) fn packet(&self) -> Vec<u8> {
        packet(0, &self.payload())
    }
}

pub(crate) fn ok(status: u16) -> Vec<u8> {
    [&[0, 0, 0], &status.to_le_bytes()[..], &[0, 0]].concat()
}

pub(crate) fn refusal(number: u16, text: &str) -> Vec<u8> {
    [b"\xff", &number.to_le_bytes()[..], b"#28000", text.as_bytes()].concat()
}

/// The error in a packet: its number, its state, its words.
pub(crate) fn error(payload: &[u8]) -> (u16, String, String) {
    assert_eq!((payload[0], payload[3]), (0xff, b'#'), "{}", payload.escape_ascii());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (u16::from_le_bytes([payload[1], payload[2]]), text(&payload[4..9]), text(&payload[9..]))
}

pub(crate) fn switch(plugin: &str, scramble: &[u8]) -> Vec<u8> {
    [b"\xfe", plugin.as_bytes(), b"\0", scramble].concat()
}

pub(crate) fn account(tls: ServerTls) -> Account {
    Account {
        user: "settlement".into(),
        password: "geheim".into(),
        database: "work".into(),
        tls,
        mask: scan::Format::Last4,
    }
}

pub(crate) fn config(tls_offered: bool, tls_required: bool) -> Config {
    Config { tls_offered, tls_required, process: 77, nonce: NONCE, ..Config::default() }
}

/// A session that lets in whoever shows `token`.
pub(crate) fn accepted(config: Config, account: Account) -> Driver<Session> {
    let judge = move |asked: &Asked| match asked {
        Asked::Login { token, .. } if token.starts_with(b"token") => Verdict::Admit(account.clone()),
        Asked::Login { .. } => Verdict::Refuse(wire::RefusalKind::Unauthenticated, "the token is none"),
        _ => Verdict::Allow,
    };
    Driver::new(Session::new(config), Box::new(judge))
}

/// A session over a plain socket whose client, with these capabilities, is let in and whose target is connected to.
pub(crate) fn admitted_as(client: &Client, account: Account) -> Driver<Session> {
    let mut session = accepted(config(false, false), account);
    session.take(Side::Client);
    session.feed(Side::Client, &client.packet(1));
    assert_eq!((session.error, session.connecting), (None, true));
    session.connected();
    // Each step gets as many bytes as it has said it needs, and no more.
    session.stingy = true;
    session
}

pub(crate) fn admitted(account: Account) -> Driver<Session> {
    admitted_as(&Client::new("mysql_clear_password", b"token\0"), account)
}
