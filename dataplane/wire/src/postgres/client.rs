//! A client's way in, up to the login: encryption asked for, StartupMessage, the token as a password or by SASL. Leaves out
//! whether the token is good (the driver asks) and the target (`auth.rs`).

use alloc::vec::Vec;

use super::bearer::{self, Challenge};
use super::frame::{self, HEADER_BYTES, message, missing};
use super::message::read_text;
use super::reply::{self, Severity};
use super::startup::{self, ALPN_PROTOCOL, Packet, Startup};
use crate::limits::{SASL_BYTES_MAX, TOKEN_BYTES_MAX};
use crate::{Discovery, Error, Handshake, Login, Method, Outbox, Question, Refusal, RefusalKind, Side, Step};

/// What a TLS record of a handshake begins with; no packet of the protocol does.
const TLS_HANDSHAKE: u8 = 0x16;

enum Awaiting {
    /// The first packet, or the next.
    Packet,
    /// The driver's handshake.
    Handshake,
    /// The answer to a cancel request.
    Cancel,
    /// How this client is to log in; the packet's length.
    Method(Startup, usize),
    Password(Startup),
    /// A SASL response: the first, or the one behind an empty challenge.
    Bearer(Startup, Challenge, Form),
    /// The answer to the login.
    Login(Startup, Option<Challenge>, Form),
    /// The message that ends a failed SASL exchange; then this goes out.
    Farewell(Vec<u8>),
}

/// The message in which a token comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Password,
    /// SASLInitialResponse.
    Initial,
    /// SASLResponse.
    Continued,
}

impl Form {
    /// The token in a message's body; `None`: it comes with the next.
    fn token(self, body: &[u8]) -> Result<Option<&[u8]>, Error> {
        match self {
            Self::Password => read_text(Side::Client, body).map(Some),
            Self::Initial => bearer::initial(body)?.map(bearer::token).transpose(),
            Self::Continued => bearer::token(body).map(Some),
        }
    }
}

/// A client that is not let in yet.
pub(crate) struct ClientLogin {
    awaiting: Awaiting,
    tls_offered: bool,
    tls_required: bool,
    oauth_offered: bool,
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
    pub(crate) fn new(tls_offered: bool, tls_required: bool, oauth_offered: bool) -> Self {
        let awaiting = Awaiting::Packet;
        Self {
            awaiting,
            tls_offered,
            tls_required,
            oauth_offered,
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
        !matches!(self.awaiting, Awaiting::Cancel | Awaiting::Method(..) | Awaiting::Login(..))
    }

    pub(crate) fn step(&mut self, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        match self.awaiting {
            Awaiting::Packet => self.packet(bytes, out),
            Awaiting::Password(_) | Awaiting::Bearer(..) | Awaiting::Farewell(_) => self.answer(bytes, out),
            Awaiting::Handshake => Err(misbehaved("bytes before the handshake")),
            Awaiting::Cancel | Awaiting::Method(..) | Awaiting::Login(..) => Ok(Step::Ask),
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
                self.awaiting = Awaiting::Method(startup, length);
                return if self.oauth_offered { Ok(Step::Ask) } else { self.ask_for_password(out) };
            }
        }
        Ok(Step::Consumed(length))
    }

    /// The client's packet is taken; its token is to come as the password.
    pub(crate) fn ask_for_password(&mut self, out: &mut Outbox) -> Result<Step, Error> {
        let Some((startup, length)) = self.begun(out) else { return Ok(Step::Close) };
        message(&mut out.client, b'R', |body| body.extend_from_slice(&[0, 0, 0, 3]));
        self.awaiting = Awaiting::Password(startup);
        Ok(Step::Consumed(length))
    }

    /// The client's packet is taken; its token is to come by OAUTHBEARER, and never in the clear.
    pub(crate) fn ask_for_bearer(
        &mut self,
        discovery: &Discovery<'_>,
        out: &mut Outbox,
    ) -> Result<Step, Error> {
        if !self.secured {
            return Err(misbehaved("OAUTHBEARER without TLS"));
        }
        let Some((startup, length)) = self.begun(out) else { return Ok(Step::Close) };
        bearer::offer(&mut out.client);
        self.awaiting = Awaiting::Bearer(startup, Challenge::new(discovery), Form::Initial);
        Ok(Step::Consumed(length))
    }

    fn begun(&mut self, out: &mut Outbox) -> Option<(Startup, usize)> {
        match core::mem::replace(&mut self.awaiting, Awaiting::Packet) {
            Awaiting::Method(startup, length) => {
                startup.negotiate(&mut out.client);
                Some((startup, length))
            }
            _ => None,
        }
    }

    /// Takes the message that answers what the client was asked for.
    fn answer(&mut self, bytes: &[u8], out: &mut Outbox) -> Result<Step, Error> {
        let Some(frame) = frame::peek(Side::Client, bytes)? else {
            return Ok(Step::Need(missing(bytes.len(), HEADER_BYTES)));
        };
        let room = if matches!(self.awaiting, Awaiting::Password(_)) { 1 } else { SASL_BYTES_MAX };
        match frame.tag {
            b'p' if frame.length > HEADER_BYTES + TOKEN_BYTES_MAX + room => {
                return Err(Error::TooLarge { side: Side::Client, what: "a token", most: TOKEN_BYTES_MAX });
            }
            b'p' => {}
            b'X' => return Ok(Step::Close),
            _ => return Err(misbehaved("something other than the password")),
        }
        let Some(body) = bytes.get(HEADER_BYTES..frame.length) else {
            return Ok(Step::Need(missing(bytes.len(), frame.length)));
        };
        let (startup, challenge, form) = match core::mem::replace(&mut self.awaiting, Awaiting::Packet) {
            Awaiting::Password(startup) => (startup, None, Form::Password),
            Awaiting::Bearer(startup, challenge, form) => (startup, Some(challenge), form),
            Awaiting::Farewell(mut words) if bearer::is_farewell(body) => {
                out.client.append(&mut words);
                self.told = true;
                return Ok(Step::Close);
            }
            _ => return Err(misbehaved("a SASL response after the exchange has failed")),
        };
        self.awaiting = match (form.token(body)?, challenge) {
            (None, Some(challenge)) => {
                bearer::proceed(&mut out.client, b"");
                Awaiting::Bearer(startup, challenge, Form::Continued)
            }
            // The client asks where there are tokens: told, it comes again.
            (Some([]), Some(challenge)) => {
                challenge.tell(&mut out.client);
                let mut words = Vec::new();
                let text = ["no token was sent: the client has asked where to get one", "", ""];
                reply::error(&mut words, Severity::Fatal, b"28000", text);
                Awaiting::Farewell(words)
            }
            (_, challenge) => {
                self.awaiting = Awaiting::Login(startup, challenge, form);
                return Ok(Step::Ask);
            }
        };
        Ok(Step::Consumed(frame.length))
    }

    /// A login by OAUTHBEARER is refused for its token: the client is told the status, and why once it has answered
    /// that. The length of its message; `None`: there is no such exchange.
    pub(crate) fn fail(
        &mut self,
        refusal: &Refusal<'_>,
        bytes: &[u8],
        out: &mut Outbox,
    ) -> Result<Option<usize>, Error> {
        let Awaiting::Login(_, Some(challenge), _) = &self.awaiting else { return Ok(None) };
        if refusal.kind != RefusalKind::Unauthenticated {
            return Ok(None);
        }
        challenge.tell(&mut out.client);
        let mut words = Vec::new();
        reply::refusal(&mut words, Severity::Fatal, refusal);
        self.awaiting = Awaiting::Farewell(words);
        Ok(frame::peek(Side::Client, bytes)?.map(|frame| frame.length))
    }

    /// What the suspended packet or message at the start of `bytes` asks.
    pub(crate) fn question<'a>(&'a self, bytes: &'a [u8]) -> Option<Question<'a>> {
        match &self.awaiting {
            Awaiting::Cancel => match startup::read(bytes).ok()?.ok()? {
                (_, Packet::Cancel(key)) => Some(Question::Cancel(key)),
                _ => None,
            },
            Awaiting::Method(startup, _) => {
                Some(Question::Method(Method { user: &startup.user, database: &startup.database }))
            }
            Awaiting::Login(startup, _, form) => {
                let length = frame::peek(Side::Client, bytes).ok()??.length;
                Some(Question::Login(Login {
                    token: form.token(bytes.get(HEADER_BYTES..length)?).ok()??,
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
            Awaiting::Login(startup, ..) => Ok(Some((length, startup))),
            other => {
                self.awaiting = other;
                Ok(None)
            }
        }
    }
}
