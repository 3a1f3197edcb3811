//! What an engine asks and how it is answered. Views borrow from the bytes in hand; nothing is copied.

use alloc::string::String;

use crate::origin::Labels;
use crate::secret::Secret;

/// A question of a suspended engine.
pub enum Question<'a> {
    /// How is a client of this name to say who it is? Asked only where [`crate::postgres::Config::oauth_offered`] is set.
    /// Answer: [`Ruling::Password`] or [`Ruling::Bearer`].
    Method(Method<'a>),
    /// May this job open a session?
    Login(Login<'a>),
    /// May this command run?
    Command(Command<'a>),
    /// Someone asks to cancel the command of the session with this key. Answer: [`Ruling::Done`].
    Cancel(CancelKey),
}

/// A client that has named itself and shown no token yet.
pub struct Method<'a> {
    /// The user name asked for.
    pub user: &'a str,
    /// The database asked for, or empty.
    pub database: &'a str,
}

/// A job's login.
pub struct Login<'a> {
    /// The identity token, as it came.
    pub token: &'a [u8],
    /// The user name asked for.
    pub user: &'a str,
    /// The database asked for (`target` or `target/database`), or empty.
    pub database: &'a str,
    /// The client's name for itself, or empty.
    pub application: &'a str,
    /// Whether the token came over TLS.
    pub secured: bool,
    /// Settings that the session starts with, as the protocol's start-up has them. Part of what a reset returns to.
    pub settings: &'a [u8],
    /// Some of them came as command-line options.
    pub options: bool,
}

/// How a command came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// Text to be run at once (simple query, COM_QUERY).
    Query,
    /// Text to be prepared; nothing runs yet (Parse, COM_STMT_PREPARE).
    Prepare,
    /// A prepared text with its parameters, about to run (Bind, COM_STMT_EXECUTE).
    Execute,
}

/// A command to be ruled on.
pub struct Command<'a> {
    /// Counts the session's commands from 1; [`crate::Event`]s name it.
    pub number: u64,
    /// How it came.
    pub kind: CommandKind,
    /// The statement's text.
    pub text: &'a str,
    /// The database that names without one stand for, where the protocol has such a thing (MySQL); empty: none, or unknown
    /// to the protocol.
    pub database: &'a str,
    /// A number that stays the same for one prepared statement of this session, for per-statement caches; `None` for
    /// text that came by itself.
    pub statement: Option<u64>,
    /// The parameters as the protocol frames them (for PostgreSQL: the Bind message's parameter part).
    pub parameters: Parameters<'a>,
    /// Where the session's transaction stands.
    pub transaction: Transaction,
}

/// Bound parameters: a count and their raw bytes, read by [`Parameters::iter`].
#[derive(Clone, Copy, Default)]
pub struct Parameters<'a> {
    /// `count` times: int32 length (-1: NULL), then the bytes (PostgreSQL's form; other engines store the same form).
    pub(crate) framed: &'a [u8],
    /// Format codes, int16 each: none (all text), one (for all), or one each.
    pub(crate) formats: &'a [u8],
    pub(crate) count: u32,
}

/// One parameter's value.
pub struct Parameter<'a> {
    /// `None`: NULL.
    pub value: Option<&'a [u8]>,
    /// Whether the value is in the protocol's binary form.
    pub binary: bool,
}

impl<'a> Parameters<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The parameters in order.
    pub fn iter(&self) -> ParametersIter<'a> {
        ParametersIter { framed: self.framed, formats: self.formats, index: 0, left: self.count }
    }
}

/// Iterates over [`Parameters`].
pub struct ParametersIter<'a> {
    framed: &'a [u8],
    formats: &'a [u8],
    index: usize,
    left: u32,
}

impl<'a> Iterator for ParametersIter<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Parameter<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (length, rest) = self.framed.split_first_chunk::<4>()?;
        let place = if self.formats.len() == 2 { 0 } else { self.index * 2 };
        let binary = self.formats.get(place..place + 2).is_some_and(|code| code != [0, 0]);
        self.index += 1;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.framed = rest;
            return Some(Parameter { value: None, binary });
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.framed = rest;
        Some(Parameter { value: Some(value), binary })
    }
}

/// Where the session's transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// None is open.
    Idle,
    /// Opened, nothing run yet: holds no lock in the target.
    Fresh,
    /// Has run something: may hold locks.
    Active,
    /// Failed: the target will refuse all but its end.
    Failed,
}

/// Names a session to those who would cancel its command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CancelKey {
    /// The process number told to the client; says which shard.
    pub process: u32,
    /// The secret told to the client.
    pub secret: u32,
}

/// The answer to a question.
pub enum Ruling<'a> {
    /// Method: the token comes as the password.
    Password,
    /// Method: the token comes by SASL OAUTHBEARER (RFC 7628).
    Bearer(Discovery<'a>),
    /// Login: yes. The driver connects to the target and calls [`crate::Engine::connected`].
    Admit(Admission<'a>),
    /// Command: run it as it stands.
    Allow,
    /// Command: the same, at a target where columns are labelled: what comes of them is masked whole.
    AllowLabelled(Labels<'a>),
    /// Command: keep it; tell the client why it waits, if the protocol can.
    Hold {
        /// For people: the ticket and where to approve it.
        notice: &'a str,
    },
    /// Login or command: no.
    Refuse(Refusal<'a>),
    /// Cancel: seen to (or not: the client is not told).
    Done,
}

/// Where a client that has no token, or a bad one, can get one. Both texts are printable ASCII without `"` and `\`.
pub struct Discovery<'a> {
    /// The URL of the issuer's discovery document.
    pub configuration: &'a str,
    /// What to ask the issuer for.
    pub scope: &'a str,
}

/// What a session may be opened with. The engine copies what it needs; secrets are zeroized after use.
pub struct Admission<'a> {
    /// The target's own user name.
    pub user: &'a str,
    /// The target's own password.
    pub password: &'a Secret,
    /// The database to open at the target.
    pub database: &'a str,
    /// What the target's own log calls a connection of the gateway's: the value that RESET brings back.
    pub application: &'a str,
    /// What it calls this session; `None`: nothing of its own.
    pub naming: Option<Naming<'a>>,
    /// TLS towards the target.
    pub tls: ServerTls,
    /// The key told to the client for cancelling.
    pub cancel: CancelKey,
    /// How card numbers are masked.
    pub mask: scan::Format,
    /// Finds them, with the key where the mask is a surrogate.
    pub scanner: scan::Scanner,
}

/// Who a session is for, as the target's own log shows it.
#[derive(Clone, Copy)]
pub struct Naming<'a> {
    /// The session's name.
    pub name: &'a str,
    /// A comment beside the statement that sets it.
    pub comment: &'a str,
}

impl Naming<'_> {
    /// Letters, digits and `._:@+-/` stay, and what `also` has; anything else becomes `_`: nothing of it can end a string.
    pub(crate) fn plain(text: &str, also: &str) -> String {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._:@+-/".contains(c) || also.contains(c);
        text.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
    }

    /// The same for the inside of a comment, which nothing of it can end, or make one that is code.
    pub(crate) fn inside_comment(text: &str) -> String {
        Self::plain(text, " =").replace('/', "|")
    }
}

/// TLS towards the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerTls {
    /// Without it there is no session. Asked for in the protocol's own way.
    Required,
    /// The same, from the first byte on, with the protocol named by ALPN (PostgreSQL 17 and later).
    Direct,
    /// Asked for by name in the manifest: none.
    Off,
}

/// Why something is refused; each protocol has its own code for a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// No token, or a bad one.
    Unauthenticated,
    /// Policy says no.
    Denied,
    /// It would write back what a mask has made.
    Masked,
    /// A reviewer said no.
    Rejected,
    /// Nobody said yes in time.
    Expired,
    /// The evidence cannot be written.
    NotRecorded,
    /// The target cannot be reached, or refuses the gateway.
    Unreachable,
    /// A limit of the policy or the gateway is reached.
    Limit,
    /// The gateway is going down.
    ShuttingDown,
}

/// A refusal in words. `message` names the cause and the rule or ticket, never a value.
pub struct Refusal<'a> {
    /// The kind, for the protocol's code.
    pub kind: RefusalKind,
    /// One line.
    pub message: &'a str,
    /// More, or empty.
    pub detail: &'a str,
    /// What to do, or empty.
    pub hint: &'a str,
}
