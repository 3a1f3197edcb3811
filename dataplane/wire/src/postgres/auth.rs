//! The gateway's own login at a target: TLS, StartupMessage, the target's authentication, its settings, until it is
//! ready. What the target says of the login goes no further; the client hears a SQLSTATE at most. Leaves out the
//! client's side (`client.rs`) and SCRAM's arithmetic (`scram.rs`).

use alloc::string::String;
use alloc::vec::Vec;

use md5::{Digest, Md5};
use scan::Scanner;
use zeroize::Zeroize;

use super::backend::{APPLICATION, Backend, Settings, tell_name};
use super::frame::{self, HEADER_BYTES, message, missing, packet, text};
use super::message::{Report, read_setting};
use super::naming::Name;
use super::scram::{self, Binding, ScramCache};
use super::startup::{ALPN_PROTOCOL, is_utf8};
use crate::cursor::Cursor;
use crate::limits::{CANCEL_SECRET_BYTES_MAX, LOGIN_MESSAGE_BYTES_MAX, LOGIN_MESSAGES_MAX};
use crate::{Admission, CancelKey, Error, Event, Handshake, Now, Outbox, Secret, ServerTls, Side, Step};

pub(crate) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const CANCEL_REQUEST: u32 = 80_877_102;
/// The newest protocol: a target that does not speak it says so and goes on with its own (since PostgreSQL 9.3.21).
const PROTOCOL: u32 = 3 << 16 | 2;
/// The secret of a cancel key in protocol 3.0 and 3.1.
const SHORT_SECRET_BYTES: usize = 4;

/// What names a session to its target, for cancelling.
#[derive(Clone)]
pub struct ServerCancelKey {
    /// The target's process number.
    pub process: u32,
    /// The target's secret: 4 bytes, or up to 256 in protocol 3.2.
    pub secret: Secret,
}

impl ServerCancelKey {
    /// Appends the CancelRequest.
    pub(crate) fn request(&self, out: &mut Vec<u8>) {
        packet(out, |body| {
            body.extend_from_slice(&CANCEL_REQUEST.to_be_bytes());
            body.extend_from_slice(&self.process.to_be_bytes());
            body.extend_from_slice(self.secret.expose());
        });
    }
}

enum Awaiting {
    /// The driver's connect.
    Connect,
    /// The answer to SSLRequest.
    TlsAnswer,
    /// The driver's handshake.
    Handshake,
    /// An authentication request.
    Request,
    ScramFirst(scram::First),
    ScramFinal(scram::Final),
    /// AuthenticationOk; the password has been sent or proven.
    Ok,
    /// Settings, key and ReadyForQuery.
    Ready,
}

/// A login under way.
pub(crate) struct TargetLogin {
    user: String,
    password: Secret,
    database: String,
    application: String,
    /// What the session is called at the target, where it is to be called anything.
    pub(crate) name: Option<Name>,
    settings: Vec<u8>,
    tls: ServerTls,
    secured: bool,
    /// The target's certificate for channel binding; empty: without TLS, or it has none.
    end_point: Vec<u8>,
    cancel: CancelKey,
    cache: ScramCache,
    awaiting: Awaiting,
    messages: u32,
    /// The client has been let in already, on a connection that turned out dead.
    quiet: bool,
    /// The target's protocol, where it is older than ours.
    older: bool,
    /// The target's own key, once it has come.
    key: Option<ServerCancelKey>,
    reported: Settings,
    born: Now,
    encoding_seen: bool,
    strings_seen: bool,
}

/// What a step of the login comes to.
pub(crate) enum Progress {
    Step(Step),
    /// The target is ready; this many bytes go to the client.
    Open(usize),
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Server, what }
}

fn unsupported(what: &'static str) -> Error {
    Error::Unsupported { side: Side::Server, what }
}

impl TargetLogin {
    pub(crate) fn new(admission: &Admission<'_>, settings: Vec<u8>, cache: ScramCache) -> Self {
        Self {
            user: admission.user.into(),
            password: admission.password.clone(),
            database: admission.database.into(),
            application: admission.application.into(),
            name: admission.naming.as_ref().map(Name::new),
            settings,
            tls: admission.tls,
            secured: false,
            end_point: Vec::new(),
            cancel: admission.cancel,
            cache,
            awaiting: Awaiting::Connect,
            messages: 0,
            quiet: false,
            older: false,
            key: None,
            reported: Settings::default(),
            born: Now(0),
            encoding_seen: false,
            strings_seen: false,
        }
    }

    /// Lets the client in on a connection that an earlier session has had; the session's name goes to the target.
    pub(crate) fn let_in(&mut self, backend: &Backend, out: &mut Outbox, mask: impl Fn(&mut [u8]) -> usize) {
        message(&mut out.client, b'R', |body| body.extend_from_slice(&[0; 4]));
        let name = self.name.as_ref().map_or(self.application.as_str(), |name| &name.name);
        let masked = backend.settings.tell(name, &mut out.client, mask);
        if masked > 0 {
            out.events.push(Event::Masked(masked as u64));
        }
        self.tell_key(&mut out.client);
        message(&mut out.client, b'Z', |body| body.push(b'I'));
        out.events.push(Event::Opened);
        self.quiet = true;
        self.name.get_or_insert_default().announce(&mut out.server);
    }

    /// What the login has learned of the connection.
    pub(crate) fn backend(&mut self) -> Backend {
        Backend { key: self.key.take(), settings: core::mem::take(&mut self.reported), born: self.born }
    }

    /// Whether the client has been told nothing but this login's own words.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn connected(&mut self, out: &mut Vec<u8>, now: Now) -> Step {
        self.born = now;
        match self.tls {
            ServerTls::Direct => {
                self.awaiting = Awaiting::Handshake;
                return Step::Secure { side: Side::Server, consumed: 0 };
            }
            ServerTls::Required => {
                out.extend_from_slice(&SSL_REQUEST);
                self.awaiting = Awaiting::TlsAnswer;
            }
            ServerTls::Off => self.start(out),
        }
        Step::Consumed(0)
    }

    pub(crate) fn secured(&mut self, handshake: &Handshake<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        check_protocol(self.tls, handshake).map_err(misbehaved)?;
        self.secured = true;
        self.end_point = handshake.end_point.to_vec();
        self.start(out);
        Ok(())
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        packet(out, |body| {
            body.extend_from_slice(&PROTOCOL.to_be_bytes());
            for (name, value) in [
                ("user", self.user.as_str()),
                ("database", &self.database),
                ("application_name", &self.application),
                ("client_encoding", "UTF8"),
            ] {
                text(body, name.as_bytes());
                body.extend(value.bytes().filter(|byte| *byte != 0));
                body.push(0);
            }
            body.extend_from_slice(&self.settings);
            body.push(0);
        });
        self.awaiting = Awaiting::Request;
    }

    /// Takes the target's next message.
    pub(crate) fn step(
        &mut self,
        bytes: &mut [u8],
        out: &mut Outbox,
        scanner: &Scanner,
        mask: scan::Format,
    ) -> Result<Progress, Error> {
        match self.awaiting {
            Awaiting::Connect | Awaiting::Handshake => {
                return Err(misbehaved("bytes before the gateway has spoken"));
            }
            Awaiting::TlsAnswer => return self.tls_answer(bytes).map(Progress::Step),
            _ => {}
        }
        let Some(frame) = frame::peek(Side::Server, bytes)? else {
            return Ok(Progress::Step(Step::Need(missing(bytes.len(), HEADER_BYTES))));
        };
        if frame.length > LOGIN_MESSAGE_BYTES_MAX {
            let what = "a message before the session is open";
            return Err(Error::TooLarge { side: Side::Server, what, most: LOGIN_MESSAGE_BYTES_MAX });
        }
        let have = bytes.len();
        let Some(body) = bytes.get_mut(HEADER_BYTES..frame.length) else {
            return Ok(Progress::Step(Step::Need(missing(have, frame.length))));
        };
        self.messages += 1;
        if self.messages > LOGIN_MESSAGES_MAX {
            return Err(misbehaved("too many messages before the session is open"));
        }
        let settling = matches!(self.awaiting, Awaiting::Ready);
        match (frame.tag, settling) {
            (b'E', _) => {
                return Err(Error::Refused { side: Side::Server, code: Report::read(body)?.sqlstate });
            }
            (b'R', false) => self.request(body, out)?,
            (b'v', false) => self.take_older(body)?,
            (b'N', false) => {}
            (b'N', true) => {
                Report::read(body)?;
                return Ok(Progress::Step(pass(frame.length, scanner.mask(body, mask), out)));
            }
            (b'S', true) => {
                if self.setting(body, out)? {
                    return Ok(Progress::Step(pass(frame.length, scanner.mask(body, mask), out)));
                }
            }
            (b'K', true) => self.take_key(body)?,
            (b'Z', true) => return self.ready(body, out).map(|()| Progress::Open(frame.length)),
            _ => return Err(misbehaved("a message that belongs to no login")),
        }
        Ok(Progress::Step(Step::Consumed(frame.length)))
    }

    fn tls_answer(&mut self, bytes: &[u8]) -> Result<Step, Error> {
        match bytes {
            [] => Ok(Step::Need(missing(0, 1))),
            [b'S'] => {
                self.awaiting = Awaiting::Handshake;
                Ok(Step::Secure { side: Side::Server, consumed: 1 })
            }
            [b'S', ..] => Err(misbehaved("bytes between the answer to SSLRequest and the handshake")),
            [b'N', ..] => Err(unsupported("no TLS")),
            _ => Err(misbehaved("neither S nor N answers SSLRequest")),
        }
    }

    /// Answers an authentication request.
    fn request(&mut self, body: &[u8], out: &mut Outbox) -> Result<(), Error> {
        let mut cursor = Cursor::new(Side::Server, body);
        let kind = cursor.u32("Authentication: no kind")?;
        if matches!(kind, 3 | 5 | 10) && self.password.expose().is_empty() {
            return Err(unsupported("asks for a password where the gateway has a certificate alone"));
        }
        let awaiting = core::mem::replace(&mut self.awaiting, Awaiting::Request);
        self.awaiting = match (kind, awaiting) {
            (0, Awaiting::Request | Awaiting::Ok) => {
                cursor.end("AuthenticationOk: bytes after its end")?;
                if !self.quiet {
                    message(&mut out.client, b'R', |body| body.extend_from_slice(&[0; 4]));
                }
                // Ahead of the client's commands: its answer is there before they are.
                if let Some(name) = &self.name {
                    name.announce(&mut out.server);
                }
                self.password = Secret::default();
                Awaiting::Ready
            }
            (3, Awaiting::Request) if self.secured => {
                password_message(&mut out.server, self.password.expose());
                Awaiting::Ok
            }
            (3, Awaiting::Request) => {
                return Err(unsupported("asks for a password in the clear without TLS"));
            }
            (5, Awaiting::Request) => {
                let salt = cursor.take(4, "AuthenticationMD5Password: no salt")?;
                cursor.end("AuthenticationMD5Password: bytes after the salt")?;
                let mut answer = self.md5_answer(salt);
                password_message(&mut out.server, &answer);
                answer.zeroize();
                Awaiting::Ok
            }
            (10, Awaiting::Request) => self.begin_scram(&mut cursor, &mut out.server)?,
            (11, Awaiting::ScramFirst(first)) => {
                let (answer, end) = first.answer(cursor.rest(), &self.password, &self.cache)?;
                message(&mut out.server, b'p', |body| body.extend_from_slice(answer.as_bytes()));
                Awaiting::ScramFinal(end)
            }
            (12, Awaiting::ScramFinal(end)) => {
                end.verify(cursor.rest())?;
                Awaiting::Ok
            }
            (0 | 3 | 5 | 10 | 11 | 12, _) => {
                return Err(misbehaved("an authentication request out of order"));
            }
            _ => return Err(unsupported("an authentication method that pangate does not speak")),
        };
        Ok(())
    }

    /// Takes the strongest mechanism offered: with the target's certificate bound in wherever that can be.
    fn begin_scram(&self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<Awaiting, Error> {
        let (mut offered, mut bound) = (false, false);
        loop {
            let mechanism = cursor.text("AuthenticationSASL: the mechanisms have no end")?;
            if mechanism.is_empty() {
                break;
            }
            offered |= mechanism == scram::MECHANISM;
            bound |= mechanism == scram::MECHANISM_BOUND;
        }
        cursor.end("AuthenticationSASL: bytes after the mechanisms")?;
        if bound && !self.secured {
            return Err(misbehaved("offers channel binding without TLS"));
        }
        let (mechanism, binding) = match (self.end_point.is_empty(), bound, offered) {
            (false, true, _) => (scram::MECHANISM_BOUND, Binding::EndPoint(self.end_point.clone())),
            (false, false, true) => (scram::MECHANISM, Binding::NotOffered),
            (true, _, true) => (scram::MECHANISM, Binding::Impossible),
            _ => return Err(unsupported("no SASL mechanism that pangate speaks")),
        };
        let first = scram::First::new(binding)?;
        let words = first.message();
        message(out, b'p', |body| {
            text(body, mechanism);
            body.extend_from_slice(&u32::try_from(words.len()).unwrap_or(0).to_be_bytes());
            body.extend_from_slice(words.as_bytes());
        });
        Ok(Awaiting::ScramFirst(first))
    }

    /// "md5" and the hex of MD5(hex of MD5(password, user), salt).
    fn md5_answer(&self, salt: &[u8]) -> Vec<u8> {
        let mut inner =
            hex(&Md5::new().chain_update(self.password.expose()).chain_update(&self.user).finalize());
        let outer = hex(&Md5::new().chain_update(&inner).chain_update(salt).finalize());
        inner.zeroize();
        [b"md5", outer.as_slice()].concat()
    }

    /// NegotiateProtocolVersion: once, before the target asks for anything. No option was asked for that it could refuse.
    fn take_older(&mut self, body: &[u8]) -> Result<(), Error> {
        let mut cursor = Cursor::new(Side::Server, body);
        let version = cursor.u32("NegotiateProtocolVersion: no version")?;
        let unknown = cursor.u32("NegotiateProtocolVersion: no count")?;
        cursor.end("NegotiateProtocolVersion: names of options that were not asked for")?;
        let older = (3 << 16..PROTOCOL).contains(&version);
        if self.older || !older || unknown != 0 || !matches!(self.awaiting, Awaiting::Request) {
            return Err(misbehaved("negotiates a protocol that was not asked for"));
        }
        self.older = true;
        Ok(())
    }

    /// Whether the setting goes on to the client.
    fn setting(&mut self, body: &[u8], out: &mut Outbox) -> Result<bool, Error> {
        let (name, _) = read_setting(body)?;
        self.encoding_seen |= name == b"client_encoding";
        self.strings_seen |= name == b"standard_conforming_strings";
        let shown = self.reported.report(body)?;
        match &self.name {
            Some(own) if name == APPLICATION => {
                tell_name(&own.name, &mut out.client);
                Ok(false)
            }
            _ => Ok(shown),
        }
    }

    fn take_key(&mut self, body: &[u8]) -> Result<(), Error> {
        let mut cursor = Cursor::new(Side::Server, body);
        let process = cursor.u32("BackendKeyData: no process")?;
        let secret = cursor.rest();
        let most = if self.older { SHORT_SECRET_BYTES } else { CANCEL_SECRET_BYTES_MAX };
        if !(SHORT_SECRET_BYTES..=most).contains(&secret.len()) || self.key.is_some() {
            return Err(cursor.malformed("BackendKeyData: a secret of an impossible length, or a second key"));
        }
        self.key = Some(ServerCancelKey { process, secret: Secret::new(secret.to_vec()) });
        Ok(())
    }

    fn ready(&mut self, body: &[u8], out: &mut Outbox) -> Result<(), Error> {
        if body != b"I" {
            return Err(misbehaved("ready, but inside a transaction"));
        }
        if !self.encoding_seen || !self.strings_seen {
            return Err(unsupported("says neither its client_encoding nor how it reads strings"));
        }
        if !self.quiet {
            self.tell_key(&mut out.client);
        }
        out.events.push(Event::Opened);
        Ok(())
    }

    fn tell_key(&self, out: &mut Vec<u8>) {
        message(out, b'K', |body| {
            body.extend_from_slice(&self.cancel.process.to_be_bytes());
            body.extend_from_slice(&self.cancel.secret.to_be_bytes());
        });
    }
}

/// Refuses a setting under which values would not be what they seem. Whether it goes on to the client: the target's
/// user name does not.
pub(crate) fn check_setting(name: &[u8], value: &[u8]) -> Result<bool, Error> {
    match name {
        b"client_encoding" if !core::str::from_utf8(value).is_ok_and(is_utf8) => {
            Err(unsupported("client_encoding is not UTF8"))
        }
        b"standard_conforming_strings" if value != b"on" => {
            Err(unsupported("standard_conforming_strings is not on"))
        }
        b"session_authorization" => Ok(false),
        _ => Ok(true),
    }
}

/// TLS from the first byte has to be agreed on by name, as with libpq: so no other service can stand in.
pub(crate) fn check_protocol(tls: ServerTls, handshake: &Handshake<'_>) -> Result<(), &'static str> {
    if tls == ServerTls::Direct && handshake.protocol != ALPN_PROTOCOL {
        return Err("direct TLS without ALPN for postgresql");
    }
    Ok(())
}

fn pass(length: usize, masked: usize, out: &mut Outbox) -> Step {
    if masked > 0 {
        out.events.push(Event::Masked(masked as u64));
    }
    Step::ToClient(crate::Cleared(length))
}

fn password_message(out: &mut Vec<u8>, password: &[u8]) {
    message(out, b'p', |body| text(body, password));
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
