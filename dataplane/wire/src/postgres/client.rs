//! A client's way in, up to the login: encryption asked for, StartupMessage, the token as a password. Leaves out
//! whether the token is good (the driver asks) and the target (`auth.rs`).

use super::frame::{self, HEADER_BYTES, message, missing};
use super::message::read_text;
use super::reply::{self, Severity};
use super::startup::{self, ALPN_PROTOCOL, Packet, Startup};
use crate::limits::TOKEN_BYTES_MAX;
use crate::{Error, Handshake, Login, Outbox, Question, Side, Step};

/// What a TLS record of a handshake begins with; no packet of the protocol does.
const TLS_HANDSHAKE: u8 = 0x16;

enum Awaiting {
    /// The first packet, or the next.
    Packet,
    /// The driver's handshake.
    Handshake,
    /// The answer to a cancel request.
    Cancel,
    Password(Startup),
    /// The answer to the login.
    Login(Startup),
}

/// A client that is not let in yet.
pub(crate) struct ClientLogin {
    awaiting: Awaiting,
    tls_offered: bool,
    tls_required: bool,
    secured: bool,
    gss_seen: bool,
    /// Nothing has come yet: a client may begin with TLS itself.
    untouched: bool,
    /// TLS came without an SSLRequest.
    direct: bool,
    /// The client has been told why it is not let in.
    pub(crate) told: bool,
}

fn misbehaved(what: &'static str) -> Error {
    Error::Misbehaved { side: Side::Client, what }
}

impl ClientLogin {
    pub(crate) fn new(tls_offered: bool, tls_required: bool) -> Self {
        let awaiting = Awaiting::Packet;
        Self {
            awaiting,
            tls_offered,
            tls_required,
            secured: false,
            gss_seen: false,
            untouched: true,
            direct: false,
            told: false,
        }
    }

    /// The handshake is done. TLS from the first byte has to name the protocol, as the server has it: without a name
    /// it might have been meant for another service (ALPACA).
    pub(crate) fn secured(&mut self, handshake: &Handshake<'_>) -> Result<(), Error> {
        self.secured = true;
        self.awaiting = Awaiting::Packet;
        if self.direct && handshake.protocol != ALPN_PROTOCOL {
            return Err(misbehaved("direct TLS without ALPN for postgresql"));
        }
        Ok(())
    }

    /// Whether the client's next bytes are due (and not an answer of the driver's).
    pub(crate) fn awaits_client(&self) -> bool {
        matches!(self.awaiting, Awaiting::Packet | Awaiting::Handshake | Awaiting::Password(_))
    }

    pub(crate) fn step(&mut self, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        match self.awaiting {
            Awaiting::Packet => self.packet(bytes, out),
            Awaiting::Password(_) => self.password(bytes),
            Awaiting::Handshake => Err(misbehaved("bytes before the handshake")),
            Awaiting::Cancel | Awaiting::Login(_) => Ok(Step::Ask),
        }
    }

    fn packet(&mut self, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        if self.untouched && self.tls_offered && bytes.first() == Some(&TLS_HANDSHAKE) {
            self.untouched = false;
            self.direct = true;
            self.awaiting = Awaiting::Handshake;
            return Ok(Step::Secure { side: Side::Client, consumed: 0 });
        }
        self.untouched &= bytes.is_empty();
        let (length, packet) = match startup::read(bytes)? {
            Ok(packet) => packet,
            Err(step) => return Ok(step),
        };
        match packet {
            Packet::Ssl if self.secured => return Err(misbehaved("SSLRequest inside TLS")),
            Packet::Ssl if self.tls_offered => {
                // What stands behind it was not sent inside TLS, whoever sent it.
                if bytes.len() > length {
                    return Err(misbehaved("bytes between SSLRequest and the handshake"));
                }
                out.client.push(b'S');
                self.awaiting = Awaiting::Handshake;
                return Ok(Step::Secure { side: Side::Client, consumed: length });
            }
            Packet::Gss if self.gss_seen || self.secured => return Err(misbehaved("a second GSSENCRequest")),
            Packet::Ssl => out.client.push(b'N'),
            Packet::Gss => {
                self.gss_seen = true;
                out.client.push(b'N');
            }
            Packet::Cancel(_) => {
                self.awaiting = Awaiting::Cancel;
                return Ok(Step::Ask);
            }
            Packet::CancelUnknown => return Ok(Step::Close),
            Packet::Refused(refused) => {
                reply::error(
                    &mut out.client,
                    Severity::Fatal,
                    refused.code,
                    [&refused.message, "", refused.hint],
                );
                self.told = true;
                return Err(Error::Unsupported {
                    side: Side::Client,
                    what: "what its StartupMessage asks for",
                });
            }
            Packet::Start(_) if self.tls_required && !self.secured => {
                let words = [
                    "TLS is required: a token is not taken in the clear",
                    "",
                    "connect with sslmode=verify-full",
                ];
                reply::error(&mut out.client, Severity::Fatal, b"28000", words);
                self.told = true;
                return Err(misbehaved("no TLS where TLS is due"));
            }
            Packet::Start(startup) => {
                startup.negotiate(&mut out.client);
                message(&mut out.client, b'R', |body| body.extend_from_slice(&[0, 0, 0, 3]));
                self.awaiting = Awaiting::Password(startup);
            }
        }
        Ok(Step::Consumed(length))
    }

    fn password(&mut self, bytes: &[u8]) -> Result<Step, Error> {
        let Some(frame) = frame::peek(Side::Client, bytes)? else {
            return Ok(Step::Need(missing(bytes.len(), HEADER_BYTES)));
        };
        match frame.tag {
            b'p' if frame.length > HEADER_BYTES + TOKEN_BYTES_MAX + 1 => {
                return Err(Error::TooLarge { side: Side::Client, what: "a token", most: TOKEN_BYTES_MAX });
            }
            b'p' => {}
            b'X' => return Ok(Step::Close),
            _ => return Err(misbehaved("something other than the password")),
        }
        let Some(body) = bytes.get(HEADER_BYTES..frame.length) else {
            return Ok(Step::Need(missing(bytes.len(), frame.length)));
        };
        read_text(Side::Client, body)?;
        self.awaiting = match core::mem::replace(&mut self.awaiting, Awaiting::Packet) {
            Awaiting::Password(startup) => Awaiting::Login(startup),
            other => other,
        };
        Ok(Step::Ask)
    }

    /// What the suspended packet or message at the start of `bytes` asks.
    pub(crate) fn question<'a>(&'a self, bytes: &'a [u8]) -> Option<Question<'a>> {
        match &self.awaiting {
            Awaiting::Cancel => match startup::read(bytes).ok()?.ok()? {
                (_, Packet::Cancel(key)) => Some(Question::Cancel(key)),
                _ => None,
            },
            Awaiting::Login(startup) => {
                let length = frame::peek(Side::Client, bytes).ok()??.length;
                Some(Question::Login(Login {
                    token: read_text(Side::Client, bytes.get(HEADER_BYTES..length)?).ok()?,
                    user: &startup.user,
                    database: &startup.database,
                    application: &startup.application,
                    secured: self.secured,
                }))
            }
            _ => None,
        }
    }

    /// The login that is asked about, let in: the length of its message, and what the client asked for.
    pub(crate) fn admit(&mut self, bytes: &[u8]) -> Result<Option<(usize, Startup)>, Error> {
        let length = frame::peek(Side::Client, bytes)?.map_or(0, |frame| frame.length);
        match core::mem::replace(&mut self.awaiting, Awaiting::Packet) {
            Awaiting::Login(startup) => Ok(Some((length, startup))),
            other => {
                self.awaiting = other;
                Ok(None)
            }
        }
    }
}
