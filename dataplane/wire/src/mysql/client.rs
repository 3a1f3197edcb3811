//! A client's way in, up to the login: greeting, SSLRequest, HandshakeResponse, the token by the plugin that the client
//! speaks. Leaves out whether the token is good (the driver asks) and the target (`auth.rs`).
//!
//! A token comes over TLS as a password in the clear: by the full authentication of caching_sha2_password, which every
//! client has and does by itself, or by a plugin that is made for it. Without TLS, where that is allowed, only a client
//! that is told to sends it, by mysql_clear_password.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::capabilities::{self, Capabilities, FOREIGN, STATUS_AUTOCOMMIT};
use super::frame::{HEADER_BYTES, packet, read_string, text, whole};
use super::handshake::{Greeting, Opening, Response, SCRAMBLE_BYTES, SSL_REQUEST_BYTES};
use super::reply::Words;
use super::{Config, VERSION};
use crate::cursor::Cursor;
use crate::limits::{RESPONSE_BYTES_MAX, TOKEN_BYTES_MAX};
use crate::{Error, Handshake, Login, Outbox, Question, Side, Step};

/// What MariaDB puts before its version in greetings.
const MARIADB_PREFIX: &str = "5.5.5-";
const CACHING_SHA2: &[u8] = b"caching_sha2_password";
const SHA256: &[u8] = b"sha256_password";
const CLEAR: &[u8] = b"mysql_clear_password";
const OPENID: &[u8] = b"authentication_openid_connect_client";

/// What a TLS record of a handshake begins with.
const TLS_HANDSHAKE: u8 = 0x16;

/// AuthMoreData of caching_sha2_password: the password is to come as a whole.
const FULL_AUTHENTICATION: [u8; 2] = [1, 4];
/// What a client that sees no TLS of its own asks for instead: the key to encrypt the password with.
const KEY_REQUEST: &[u8] = &[2];

/// utf8mb4_general_ci, which MySQL and MariaDB both have.
pub(crate) const COLLATION: u8 = 45;

/// Bytes around a token: its NUL, or the form of [`OPENID`].
const FORM_BYTES_MAX: usize = 16;

/// A client that is let in: what the target's login needs of it.
pub(crate) struct Accepted {
    /// What the client has asked for, of what was offered.
    pub(crate) capabilities: Capabilities,
    /// The collation's number that it named.
    pub(crate) collation: u8,
    pub(crate) packet_bytes_max: u32,
    /// The sequence number of the packet that ends its login.
    pub(crate) sequence: u8,
}

impl Accepted {
    /// What stands for a client where there is none.
    pub(crate) fn nobody() -> Self {
        let capabilities = Capabilities::PROTOCOL_41;
        Self { capabilities, collation: COLLATION, packet_bytes_max: OWN_PACKET_BYTES_MAX, sequence: 0 }
    }
}

/// The longest packet that a login of the gateway's own says it takes.
const OWN_PACKET_BYTES_MAX: u32 = 1 << 20;

/// A client that has named itself.
struct Applicant {
    user: String,
    database: String,
    application: String,
    opening: Opening,
    /// What a connection at the target is opened by: the capabilities and the collation.
    terms: [u8; 9],
}

/// How a token stands in a plugin's answer.
#[derive(Clone, Copy)]
enum Form {
    /// By itself; the NUL behind it may be missing.
    Clear,
    /// Behind a byte of capabilities and its length, as MySQL's OpenID Connect client sends it.
    OpenId,
}

enum Awaiting {
    /// SSLRequest or HandshakeResponse.
    Response,
    /// The driver's handshake.
    Handshake,
    /// The answer to a switch to caching_sha2_password.
    Scramble(Applicant),
    Token(Applicant, Form),
    /// The answer to the login: where its token stands in the packet, and how long that is.
    Login(Applicant, Range<usize>, usize),
}

/// A client that is not let in yet.
pub(crate) struct ClientLogin {
    awaiting: Awaiting,
    tls_offered: bool,
    tls_required: bool,
    version: String,
    process: u32,
    scramble: [u8; SCRAMBLE_BYTES],
    offered: Capabilities,
    secured: bool,
    /// The sequence number of the next packet, whoever sends it.
    next: u8,
    /// The client has been told why it is not let in.
    told: bool,
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Client, what }
}

fn unsupported(what: &'static str) -> Error {
    Error::Unsupported { side: Side::Client, what }
}

/// Random bytes as servers send them: clients read the scramble as text, and MySQL keeps `$` for its own use.
fn plain(byte: u8) -> u8 {
    match byte & 0x7f {
        0 | b'$' => (byte & 0x7f) + 1,
        other => other,
    }
}

impl ClientLogin {
    pub(crate) fn new(config: Config) -> Self {
        let version = match config.version {
            version if version.is_empty() => VERSION.into(),
            // As MariaDB itself greets: clients of MySQL would take its 10 for a later MySQL, whose collations it has not.
            version if version.contains("MariaDB") && !version.starts_with(MARIADB_PREFIX) => {
                [MARIADB_PREFIX, &version].concat()
            }
            version => version,
        };
        Self {
            awaiting: Awaiting::Response,
            tls_offered: config.tls_offered,
            tls_required: config.tls_required,
            offered: capabilities::offered(&version, config.tls_offered),
            version,
            process: config.process,
            scramble: config.nonce.map(plain),
            secured: false,
            next: 0,
            told: false,
        }
    }

    fn send(&mut self, out: &mut Vec<u8>, fill: impl FnOnce(&Self, &mut Vec<u8>)) {
        packet(out, self.next, |payload| fill(self, payload));
        self.next = self.next.wrapping_add(1);
    }

    /// Sends the greeting; called once, before the client has sent anything.
    pub(crate) fn greet(&mut self, out: &mut Vec<u8>) {
        self.send(out, |login, payload| {
            let greeting = Greeting {
                version: login.version.as_bytes(),
                process: login.process,
                capabilities: login.offered,
                collation: COLLATION,
                status: STATUS_AUTOCOMMIT,
                scramble: login.scramble.to_vec(),
                plugin: CACHING_SHA2,
            };
            greeting.write(payload);
        });
    }

    /// Goes on with the client's bytes.
    pub(crate) fn step(&mut self, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        let most = match self.awaiting {
            Awaiting::Response => RESPONSE_BYTES_MAX,
            Awaiting::Scramble(_) | Awaiting::Token(..) => TOKEN_BYTES_MAX + FORM_BYTES_MAX,
            Awaiting::Handshake => return Err(misbehaved("bytes before the handshake")),
            Awaiting::Login(..) => return Ok(Step::Ask),
        };
        let (frame, payload) = match whole(Side::Client, bytes, self.next, most)? {
            Ok(packet) => packet,
            Err(more) => return Ok(Step::Need(more)),
        };
        self.next = self.next.wrapping_add(1);
        match core::mem::replace(&mut self.awaiting, Awaiting::Response) {
            Awaiting::Scramble(applicant) => Ok(self.take_scramble(applicant, payload, out)),
            Awaiting::Token(applicant, form) => {
                let token = token(form, payload)?;
                self.awaiting = Awaiting::Login(applicant, token, payload.len());
                Ok(Step::Ask)
            }
            _ => self.take_response(payload, bytes.get(frame.length()), &mut out.client),
        }
    }

    fn take_response(
        &mut self,
        payload: &[u8],
        behind: Option<&u8>,
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        let opening = Opening::read(&mut Cursor::new(Side::Client, payload))?;
        let asks_tls = opening.capabilities.has(Capabilities::SSL);
        if asks_tls && payload.len() == SSL_REQUEST_BYTES {
            if self.secured {
                return Err(misbehaved("SSLRequest inside TLS"));
            }
            if !self.tls_offered {
                return Err(unsupported("TLS, which was not offered"));
            }
            // A client waits for no answer: its ClientHello may have come along, and belongs to the handshake. Anything
            // else was not sent inside TLS, whoever sent it.
            if behind.is_some_and(|first| *first != TLS_HANDSHAKE) {
                return Err(misbehaved("bytes between SSLRequest and the handshake"));
            }
            self.awaiting = Awaiting::Handshake;
            return Ok(Step::Secure { side: Side::Client, consumed: HEADER_BYTES + payload.len() });
        }
        if self.tls_required && !self.secured {
            // ER_SECURE_TRANSPORT_REQUIRED
            self.tell_off(3159, b"HY000", "TLS is required: a token is not taken in the clear", out);
            return Err(misbehaved("no TLS where TLS is due"));
        }
        let response = Response::read(payload)?;
        let asked = response.opening.capabilities;
        if asked.common(FOREIGN).without(self.offered) != Capabilities::default() {
            return Err(unsupported("compression, or another form of packets that was not offered"));
        }
        if !asked.has(Capabilities::PLUGIN_AUTH) {
            // ER_NOT_SUPPORTED_AUTH_MODE
            self.tell_off(1251, b"08004", "a client without authentication plugins cannot send a token", out);
            return Err(unsupported("a client without authentication plugins"));
        }
        let spoken = asked.common(self.offered);
        let mut terms = [response.opening.collation; 9];
        if let Some(flags) = terms.first_chunk_mut() {
            *flags = spoken.0.to_le_bytes();
        }
        let applicant = Applicant {
            terms,
            user: response.user.into(),
            database: response.database.into(),
            application: response.application.into(),
            opening: Opening { capabilities: spoken, ..response.opening },
        };
        self.choose(applicant, &response, payload, out)
    }

    /// Goes on by the plugin that the client has named, or by another.
    fn choose(
        &mut self,
        applicant: Applicant,
        response: &Response<'_>,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Step, Error> {
        let answer = payload.get(response.answer.clone()).unwrap_or_default();
        let named = |form: Form| {
            let token = token(form, answer)?;
            let start = response.answer.start;
            Ok::<_, Error>(start + token.start..start + token.end)
        };
        let token = match (response.plugin, answer) {
            (CLEAR, [_, ..]) => named(Form::Clear)?,
            (OPENID, [_, ..]) => named(Form::OpenId)?,
            (OPENID, []) => {
                self.switch(OPENID, &[], out);
                self.awaiting = Awaiting::Token(applicant, Form::OpenId);
                return Ok(Step::Consumed(HEADER_BYTES + payload.len()));
            }
            (SHA256, [.., 0]) if self.secured && answer.len() > 1 => named(Form::Clear)?,
            // No password: nothing will follow.
            (CACHING_SHA2, [] | [0]) => 0..0,
            (CACHING_SHA2, _) if self.secured => {
                self.send(out, |_, payload| payload.extend_from_slice(&FULL_AUTHENTICATION));
                self.awaiting = Awaiting::Token(applicant, Form::Clear);
                return Ok(Step::Consumed(HEADER_BYTES + payload.len()));
            }
            (plugin, _) if self.secured && plugin != CLEAR => {
                let scramble = self.scramble;
                self.switch(CACHING_SHA2, &scramble, out);
                self.awaiting = Awaiting::Scramble(applicant);
                return Ok(Step::Consumed(HEADER_BYTES + payload.len()));
            }
            _ => {
                self.switch(CLEAR, &[], out);
                self.awaiting = Awaiting::Token(applicant, Form::Clear);
                return Ok(Step::Consumed(HEADER_BYTES + payload.len()));
            }
        };
        self.awaiting = Awaiting::Login(applicant, token, payload.len());
        Ok(Step::Ask)
    }

    /// Sends AuthSwitchRequest.
    fn switch(&mut self, plugin: &[u8], scramble: &[u8], out: &mut Vec<u8>) {
        self.send(out, |_, payload| {
            payload.push(0xfe);
            text(payload, plugin);
            if !scramble.is_empty() {
                text(payload, scramble);
            }
        });
    }

    /// What caching_sha2_password makes of the password says nothing of a token: that is to follow.
    fn take_scramble(&mut self, applicant: Applicant, payload: &[u8], out: &mut Outbox) -> Step {
        if matches!(payload, [] | [0]) {
            self.awaiting = Awaiting::Login(applicant, 0..0, payload.len());
            return Step::Ask;
        }
        self.send(&mut out.client, |_, payload| payload.extend_from_slice(&FULL_AUTHENTICATION));
        self.awaiting = Awaiting::Token(applicant, Form::Clear);
        Step::Consumed(HEADER_BYTES + payload.len())
    }

    /// The handshake is done.
    pub(crate) fn secured(&mut self, _: &Handshake<'_>) -> Result<(), Error> {
        self.secured = true;
        self.awaiting = Awaiting::Response;
        Ok(())
    }

    /// Whether the client's next bytes are due (and not an answer of the driver's).
    pub(crate) fn awaits_client(&self) -> bool {
        !matches!(self.awaiting, Awaiting::Login(..))
    }

    /// The login, once the token has come (`bytes`: the unconsumed ones).
    pub(crate) fn question<'a>(&'a self, bytes: &'a [u8]) -> Option<Question<'a>> {
        let Awaiting::Login(applicant, token, length) = &self.awaiting else { return None };
        let payload = bytes.get(HEADER_BYTES..HEADER_BYTES + length)?;
        Some(Question::Login(Login {
            token: payload.get(token.clone())?,
            user: &applicant.user,
            database: &applicant.database,
            application: &applicant.application,
            secured: self.secured,
            settings: &applicant.terms,
            options: false,
        }))
    }

    /// The driver lets it in: so many bytes are done with.
    pub(crate) fn admit(&mut self, _: &[u8]) -> Result<(usize, Accepted), Error> {
        let Awaiting::Login(applicant, _, length) = &self.awaiting else {
            return Err(misbehaved("let in before its login"));
        };
        let accepted = Accepted {
            capabilities: applicant.opening.capabilities,
            collation: applicant.opening.collation,
            packet_bytes_max: applicant.opening.packet_bytes_max,
            sequence: self.next,
        };
        Ok((HEADER_BYTES + length, accepted))
    }

    fn tell_off(&mut self, number: u16, state: &'static [u8; 5], words: &'static str, out: &mut Vec<u8>) {
        Words { number, state, text: Cow::Borrowed(words) }.packet(out, self.next);
        self.told = true;
    }

    /// The last packet it gets, where it can still be told anything.
    pub(crate) fn tell(&self, words: &Words<'_>, out: &mut Vec<u8>) {
        if !self.told && !matches!(self.awaiting, Awaiting::Handshake) {
            words.packet(out, self.next);
        }
    }
}

/// Where the token stands in a plugin's answer; empty: none was sent.
fn token(form: Form, answer: &[u8]) -> Result<Range<usize>, Error> {
    let mut cursor = Cursor::new(Side::Client, answer);
    let (start, token) = match form {
        Form::Clear if answer == KEY_REQUEST => {
            return Err(unsupported("a token encrypted with a key of the server's"));
        }
        Form::Clear => (0, answer.strip_suffix(&[0]).unwrap_or(answer)),
        Form::OpenId if answer.is_empty() => (0, answer),
        Form::OpenId => {
            cursor.u8("OpenID Connect: no capabilities")?;
            let token = read_string(&mut cursor, "OpenID Connect: the token is short")?;
            cursor.end("OpenID Connect: bytes after the token")?;
            (answer.len() - token.len(), token)
        }
    };
    if memchr::memchr(0, token).is_some() {
        return Err(cursor.malformed("a token with a NUL in it"));
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Error::TooLarge { side: Side::Client, what: "a token", most: TOKEN_BYTES_MAX });
    }
    Ok(start..start + token.len())
}
