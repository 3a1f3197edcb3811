//! The gateway's own login at a target: greeting, TLS, HandshakeResponse, the target's plugin, then the gateway's own
//! settings for the session, until it is ready. What the target says of the login goes no further; the client hears an
//! error's number at most. Leaves out the client's side (`client.rs`), the plugins (`plugin.rs`) and the settings
//! (`settings.rs`).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroize;

use super::backend::Backend;
use super::capabilities::{CARRIED, Capabilities, EXTENDED, FRAMING, STATUS_SESSION_CHANGED};
use super::client::{Accepted, COLLATION};
use super::command;
use super::frame::{packet, whole};
use super::handshake::{Greeting, Opening, Response};
use super::plugin::{Exchange, Holder, Plugin};
use super::reply::Words;
use super::settings::{Name, Settings, Taken, read_ok};
use crate::cursor::Cursor;
use crate::limits::{AUTH_ROUNDS_MAX, LOGIN_MESSAGE_BYTES_MAX};
use crate::{Admission, Error, Event, Handshake, Now, Outbox, Secret, ServerTls, Side, Step};

/// What a step comes to.
pub(crate) enum Progress {
    Step(Step),
    /// So many bytes are done with; the client has been told (in the outbox) that it is in.
    Open {
        consumed: usize,
        backend: Box<Backend>,
    },
}

/// What the gateway asks for itself, where a target has it. By SESSION_TRACK it hears what becomes of the settings that it
/// relies on; a client that has not asked for it is not told.
const OWN: Capabilities =
    Capabilities::PLUGIN_AUTH_LENENC.and(Capabilities::CONNECT_ATTRS).and(Capabilities::SESSION_TRACK);

/// Of a target's greeting, what its answer needs.
struct Greeted {
    opening: Opening,
    plugin: Plugin,
    scramble: Vec<u8>,
}

enum Awaiting {
    /// The driver's connect.
    Connect,
    Greeting,
    /// The driver's handshake.
    Handshake(Greeted),
    /// The target's verdict, or its plugin's next word.
    Verdict(Exchange),
    /// The answer to COM_INIT_DB, on a connection that another session has had.
    Database,
    Settings(Settings),
}

/// A login under way.
pub(crate) struct TargetLogin {
    user: String,
    password: Secret,
    database: String,
    name: Name,
    tls: ServerTls,
    secured: bool,
    accepted: Accepted,
    awaiting: Awaiting,
    /// The sequence number of the next packet, whoever sends it.
    next: u8,
    rounds: u32,
    process: u32,
    /// What the target has been asked for.
    capabilities: Capabilities,
    born: Now,
    /// The connection was kept: where it fails now, another may do.
    pub(crate) kept: bool,
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Server, what }
}

fn unsupported(what: &'static str) -> Error {
    Error::Unsupported { side: Side::Server, what }
}

/// The error of an ERR packet: its number, and none of its words.
fn refused(payload: &[u8]) -> Error {
    let mut cursor = Cursor::new(Side::Server, payload);
    let number = cursor.u8("ERR: no header").and_then(|_| cursor.u16_le("ERR: no number"));
    match number {
        Ok(mut number) => {
            let mut code = [b'0'; 5];
            for digit in code.iter_mut().rev() {
                *digit += u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
            Error::Refused { side: Side::Server, code }
        }
        Err(error) => error,
    }
}

impl TargetLogin {
    pub(crate) fn new(admission: &Admission<'_>, accepted: Accepted) -> Self {
        Self {
            user: admission.user.into(),
            password: admission.password.clone(),
            database: admission.database.into(),
            name: Name::new(admission.naming.as_ref(), admission.application),
            tls: admission.tls,
            secured: false,
            accepted,
            awaiting: Awaiting::Connect,
            next: 0,
            rounds: 0,
            process: 0,
            capabilities: Capabilities::default(),
            born: Now(0),
            kept: false,
        }
    }

    /// The driver has connected: the target speaks first.
    pub(crate) fn connected(&mut self, now: Now) -> Step {
        self.awaiting = Awaiting::Greeting;
        (self.born, self.kept) = (now, false);
        (self.next, self.rounds, self.secured) = (0, 0, false);
        Step::Consumed(0)
    }

    /// The driver has a connection that another session has had, by the same account, of a client that speaks the same.
    pub(crate) fn adopt(&mut self, backend: &Backend, out: &mut Outbox) {
        (self.process, self.capabilities) = (backend.process, backend.capabilities);
        (self.born, self.kept) = (backend.born, true);
        self.next = 0;
        if self.database.is_empty() {
            return self.settle(out);
        }
        let database = self.database.clone();
        self.send(out, |payload| {
            payload.push(command::INIT_DB);
            payload.extend_from_slice(database.as_bytes());
        });
        self.awaiting = Awaiting::Database;
    }

    /// Asks for the session's settings.
    fn settle(&mut self, out: &mut Outbox) {
        let name = self.name.clone();
        self.awaiting = Awaiting::Settings(Settings::begin(name, self.capabilities, &mut out.server));
        self.next = 1;
    }

    /// The handshake is done.
    pub(crate) fn secured(&mut self, _: &Handshake<'_>, out: &mut Outbox) -> Result<(), Error> {
        match core::mem::replace(&mut self.awaiting, Awaiting::Connect) {
            Awaiting::Handshake(greeted) => {
                self.secured = true;
                self.respond(&greeted, out)
            }
            _ => Err(misbehaved("a handshake that was not asked for")),
        }
    }

    /// Goes on with the target's bytes.
    pub(crate) fn step(&mut self, bytes: &[u8], out: &mut Outbox) -> Result<Progress, Error> {
        if let Awaiting::Connect | Awaiting::Handshake(_) = self.awaiting {
            return Err(misbehaved("bytes before the gateway has connected, or made sure of TLS"));
        }
        let (frame, payload) = match whole(Side::Server, bytes, self.next, LOGIN_MESSAGE_BYTES_MAX)? {
            Ok(packet) => packet,
            Err(more) => return Ok(Progress::Step(Step::Need(more))),
        };
        self.next = self.next.wrapping_add(1);
        if payload.first() == Some(&0xff) {
            return Err(refused(payload));
        }
        match &mut self.awaiting {
            Awaiting::Greeting => {
                let greeted = self.greeted(payload)?;
                if self.tls == ServerTls::Off {
                    self.respond(&greeted, out)?;
                } else {
                    if bytes.len() > frame.length() {
                        return Err(misbehaved("bytes between the greeting and the handshake"));
                    }
                    self.send(out, |payload| greeted.opening.write(payload));
                    self.awaiting = Awaiting::Handshake(greeted);
                    return Ok(Progress::Step(Step::Secure { side: Side::Server, consumed: frame.length() }));
                }
            }
            Awaiting::Verdict(_) => self.take_verdict(payload, out)?,
            Awaiting::Database => {
                read_ok(payload)?;
                self.settle(out);
            }
            Awaiting::Settings(settings) => match settings.take(payload, &mut out.server)? {
                Taken::More => {}
                Taken::Asked => self.next = 1,
                Taken::Done(status) => {
                    let utf8_by_default = settings.utf8_by_default();
                    let backend = Backend { utf8_by_default, ..self.open(status, out) };
                    return Ok(Progress::Open { consumed: frame.length(), backend: Box::new(backend) });
                }
            },
            Awaiting::Connect | Awaiting::Handshake(_) => {}
        }
        Ok(Progress::Step(Step::Consumed(frame.length())))
    }

    /// Reads the greeting and settles what is spoken with this target.
    fn greeted(&mut self, payload: &[u8]) -> Result<Greeted, Error> {
        let greeting = Greeting::read(payload)?;
        let target = greeting.capabilities;
        if !target.has(Capabilities::PROTOCOL_41) {
            return Err(unsupported("a protocol older than 4.1"));
        }
        match self.tls {
            ServerTls::Off => {}
            ServerTls::Required if target.has(Capabilities::SSL) => {}
            ServerTls::Required => return Err(unsupported("no TLS")),
            ServerTls::Direct => return Err(unsupported("TLS before its greeting")),
        }
        let asked = self.accepted.capabilities;
        if !target.has(asked.common(FRAMING)) {
            return Err(unsupported("it is older than what the client was told of it"));
        }
        let own = Capabilities::PROTOCOL_41
            .and(Capabilities::SECURE_CONNECTION)
            .and(Capabilities::PLUGIN_AUTH)
            .and(Capabilities::TRANSACTIONS)
            .and(OWN.common(target));
        let mut capabilities = own.and(asked.common(CARRIED).common(target));
        for (needed, flag) in [
            (!self.database.is_empty(), Capabilities::CONNECT_WITH_DB),
            (self.tls == ServerTls::Required, Capabilities::SSL),
            // MariaDB reads flags of its own where this one is missing.
            (capabilities.common(EXTENDED) == Capabilities::default(), Capabilities::LONG_PASSWORD),
        ] {
            if needed {
                capabilities = capabilities.and(flag);
            }
        }
        self.capabilities = capabilities;
        self.process = greeting.process;
        let opening = Opening {
            capabilities,
            packet_bytes_max: self.accepted.packet_bytes_max,
            collation: collation(self.accepted.collation, target),
        };
        // A target names its default plugin, and switches to an account's own.
        let plugin = Plugin::named(greeting.plugin).unwrap_or(Plugin::Native);
        Ok(Greeted { opening, plugin, scramble: greeting.scramble })
    }

    fn send(&mut self, out: &mut Outbox, fill: impl FnOnce(&mut Vec<u8>)) {
        packet(&mut out.server, self.next, fill);
        self.next = self.next.wrapping_add(1);
    }

    fn holder(&self) -> Holder<'_> {
        Holder { password: &self.password, secured: self.secured }
    }

    /// Sends HandshakeResponse.
    fn respond(&mut self, greeted: &Greeted, out: &mut Outbox) -> Result<(), Error> {
        let (exchange, answer) = Exchange::begin(greeted.plugin, &greeted.scramble, &self.holder())?;
        let has_long = self.capabilities.has(Capabilities::PLUGIN_AUTH_LENENC);
        if !has_long && answer.len() > usize::from(u8::MAX) {
            return Err(unsupported("no room for so long a password"));
        }
        let mut payload = Vec::new();
        let response = Response {
            opening: greeted.opening,
            user: &self.user,
            answer: 0..answer.len(),
            database: &self.database,
            plugin: exchange.plugin.name().as_bytes(),
            application: "",
        };
        let attributes = [
            ("_client_name", "pangate"),
            ("_client_version", env!("CARGO_PKG_VERSION")),
            ("program_name", self.name.program.as_str()),
        ];
        response.write(&answer, &attributes, &mut payload);
        self.send(out, |out| out.extend_from_slice(&payload));
        payload.zeroize();
        self.awaiting = Awaiting::Verdict(exchange);
        Ok(())
    }

    /// Takes what answers the plugin: the verdict, another plugin, or its next word.
    fn take_verdict(&mut self, payload: &[u8], out: &mut Outbox) -> Result<(), Error> {
        self.rounds += 1;
        if self.rounds > AUTH_ROUNDS_MAX {
            return Err(misbehaved("too many rounds of authentication"));
        }
        let Awaiting::Verdict(mut exchange) = core::mem::replace(&mut self.awaiting, Awaiting::Connect)
        else {
            return Ok(());
        };
        let answer = match payload {
            [0, ..] => {
                read_ok(payload)?;
                self.password = Secret::default();
                self.settle(out);
                return Ok(());
            }
            [0xfe] => return Err(unsupported("passwords older than 4.1's")),
            [0xfe, ..] => {
                let (plugin, scramble) = read_switch(payload)?;
                let (begun, answer) = Exchange::begin(plugin, scramble, &self.holder())?;
                exchange = begun;
                Some(answer)
            }
            [1, said @ ..] => exchange.more(said, &self.holder())?,
            // MariaDB puts the 1 before what could be mistaken for another packet alone.
            [b'P', ..] if exchange.plugin == Plugin::Parsec => exchange.more(payload, &self.holder())?,
            _ => return Err(misbehaved("a packet that belongs to no login")),
        };
        if let Some(answer) = answer {
            self.send(out, |payload| payload.extend_from_slice(&answer));
        }
        self.awaiting = Awaiting::Verdict(exchange);
        Ok(())
    }

    /// All is set: the client is let in.
    fn open(&mut self, status: u16, out: &mut Outbox) -> Backend {
        let status = status & !STATUS_SESSION_CHANGED;
        packet(&mut out.client, self.accepted.sequence, |payload| {
            // OK: no rows, no insert id, the status, no warnings, nothing to say.
            payload.extend_from_slice(&[0, 0, 0]);
            payload.extend_from_slice(&status.to_le_bytes());
            payload.extend_from_slice(&[0, 0]);
        });
        out.events.push(Event::Opened);
        Backend {
            process: self.process,
            capabilities: self.capabilities,
            tracks: self.accepted.capabilities.has(Capabilities::SESSION_TRACK),
            status,
            database: core::mem::take(&mut self.database),
            utf8_by_default: false,
            born: self.born,
        }
    }

    /// The last packet that the client gets. The target gets none: a login has no farewell.
    pub(crate) fn tell(&self, words: &Words<'_>, out: &mut Outbox) {
        words.packet(&mut out.client, self.accepted.sequence);
    }
}

/// The client's collation where it is one of utf8mb4 that the target has: the login's names are UTF-8.
fn collation(named: u8, target: Capabilities) -> u8 {
    match named {
        // utf8mb4_bin, utf8mb4_unicode_ci and those of one language.
        46 | 224..=247 => named,
        // utf8mb4_0900_ai_ci, which MariaDB does not have under this number.
        255 if target.has(Capabilities::LONG_PASSWORD) => named,
        _ => COLLATION,
    }
}

/// AuthSwitchRequest: the plugin, and its scramble without the NUL behind it.
fn read_switch(payload: &[u8]) -> Result<(Plugin, &[u8]), Error> {
    let mut cursor = Cursor::new(Side::Server, payload);
    cursor.take(1, "AuthSwitchRequest: no header")?;
    let name = cursor.text("AuthSwitchRequest: the plugin's name has no end")?;
    let plugin = Plugin::named(name)
        .ok_or(unsupported("asks for an authentication plugin that pangate does not speak"))?;
    let scramble = cursor.rest();
    // ed25519's and PARSEC's are 32 bytes, whatever the last of them is.
    let scramble = match plugin {
        Plugin::Ed25519 | Plugin::Parsec => scramble,
        _ => scramble.strip_suffix(&[0]).unwrap_or(scramble),
    };
    Ok((plugin, scramble))
}
