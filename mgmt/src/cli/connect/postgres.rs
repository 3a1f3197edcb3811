//! PostgreSQL's start of a connection, just far enough to put the token in: the client's start-up message (TLS and
//! GSSAPI encryption declined, the listener is local), the gateway's TLS, its request for the password. From the
//! login's end on, bytes are passed on unread. What does not fit is refused with PostgreSQL's own error.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::super::token::Token;
use super::trouble::{Trouble, lost, misbehaved, unreachable};
use super::{Local, Route, database_of, read_token};

/// Bytes of a start-up message at the most, as in PostgreSQL (MAX_STARTUP_PACKET_LENGTH).
const STARTUP_BYTES_MAX: usize = 10_000;
/// Bytes of a message before the login's end at the most.
const LOGIN_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Messages before the login's end at the most.
const LOGIN_MESSAGES_MAX: usize = 100;

const SSL_REQUEST: u32 = 80_877_103;
const GSS_ENCRYPTION_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST_MESSAGE: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What a client's first message asks for.
enum Opening {
    Start(Startup),
    Cancel(Vec<u8>),
}

/// A start-up message: its protocol version and parameters, in order.
struct Startup {
    version: u32,
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
}

/// From the client's first byte to the login's end; `None` where nothing remains to be carried.
pub(super) async fn log_in(
    client: &mut Box<dyn Local>,
    route: &Route,
) -> Result<Option<TlsStream<TcpStream>>, Trouble> {
    let Some(opening) = read_opening(client).await? else {
        return Ok(None);
    };
    match opening {
        Opening::Cancel(message) => {
            let mut gateway = dial(route).await?;
            gateway.write_all(&message).await.map_err(lost)?;
            gateway.shutdown().await.map_err(lost)?;
            Ok(None)
        }
        Opening::Start(mut startup) => {
            // A token that cannot be had is known before the gateway is troubled.
            let token = read_token(route).await?;
            startup.lead_to(&route.target);
            let mut gateway = dial(route).await?;
            gateway.write_all(&startup.to_message()).await.map_err(lost)?;
            let accepted = authenticate(client, &mut gateway, &token).await?;
            Ok(accepted.then_some(gateway))
        }
    }
}

/// The client's first message; requests for encryption before it are declined. `None`: the client only looked.
async fn read_opening<C>(client: &mut C) -> Result<Option<Opening>, Trouble>
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    for _ in 0..3 {
        let Some((code, rest)) = read_untyped(client).await? else {
            return Ok(None);
        };
        match code {
            SSL_REQUEST | GSS_ENCRYPTION_REQUEST if rest.is_empty() => {
                client.write_all(b"N").await.map_err(lost)?;
            }
            CANCEL_REQUEST => return Ok(Some(Opening::Cancel(to_untyped(code, &rest)))),
            version if version >> 16 == 3 => {
                return Startup::parse(version, &rest).map(|startup| Some(Opening::Start(startup)));
            }
            _ => return Err(misbehaved("the client speaks no PostgreSQL protocol 3")),
        }
    }
    Err(misbehaved("the client asks for encryption again and again"))
}

/// A message without a type byte: its code and what follows. `None` at the end of the stream.
async fn read_untyped<C: AsyncRead + Unpin>(client: &mut C) -> Result<Option<(u32, Vec<u8>)>, Trouble> {
    let length = match client.read_u32().await {
        Ok(length) => usize::try_from(length).unwrap_or(usize::MAX),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(lost(error)),
    };
    if !(8..=STARTUP_BYTES_MAX).contains(&length) {
        return Err(misbehaved("the client's first message has no valid length"));
    }
    let code = client.read_u32().await.map_err(lost)?;
    let mut rest = vec![0; length - 8];
    client.read_exact(&mut rest).await.map_err(lost)?;
    Ok(Some((code, rest)))
}

fn to_untyped(code: u32, rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(rest.len() + 8).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), &code.to_be_bytes(), rest].concat()
}

/// Connects to the gateway: TCP, SSLRequest, TLS with its certificate verified.
async fn dial(route: &Route) -> Result<TlsStream<TcpStream>, Trouble> {
    let address = &route.gateway.address;
    let failed =
        |error: io::Error| unreachable(&format!("cannot connect to the gateway at {address}: {error}"));
    let mut gateway = TcpStream::connect(address).await.map_err(failed)?;
    gateway.set_nodelay(true).map_err(failed)?;
    gateway.write_all(&SSL_REQUEST_MESSAGE).await.map_err(failed)?;
    if gateway.read_u8().await.map_err(failed)? != b'S' {
        return Err(unreachable(&format!("what listens at {address} offers no TLS: the token is not sent")));
    }
    route.tls.connect(route.gateway.name.clone(), gateway).await.map_err(failed)
}

/// Answers the gateway's request for the token, once, and passes its other messages on. `true`: logged in.
async fn authenticate<C, G>(client: &mut C, gateway: &mut G, token: &Token) -> Result<bool, Trouble>
where
    C: AsyncRead + AsyncWrite + Unpin,
    G: AsyncRead + AsyncWrite + Unpin,
{
    let mut sent = false;
    for _ in 0..LOGIN_MESSAGES_MAX {
        let message = read_typed(gateway).await?;
        match (message.first(), message.get(5..9)) {
            (Some(b'R'), Some([0, 0, 0, 3])) if !sent => {
                gateway.write_all(&password_message(token)).await.map_err(lost)?;
                sent = true;
            }
            (Some(b'R'), Some([0, 0, 0, 0])) => {
                client.write_all(&message).await.map_err(lost)?;
                return Ok(true);
            }
            (Some(b'R'), _) => return Err(misbehaved("the gateway asks for something else than the token")),
            (Some(b'E'), _) => {
                client.write_all(&message).await.map_err(lost)?;
                client.shutdown().await.map_err(lost)?;
                return Ok(false);
            }
            // NegotiateProtocolVersion and notices are for the client.
            (Some(b'v' | b'N'), _) => client.write_all(&message).await.map_err(lost)?,
            _ => return Err(misbehaved("what answers is not a gateway's login")),
        }
    }
    Err(misbehaved("the gateway's login does not end"))
}

/// A message with its type and length; bounded.
async fn read_typed<G: AsyncRead + Unpin>(gateway: &mut G) -> Result<Vec<u8>, Trouble> {
    let mut message = vec![0; 5];
    gateway.read_exact(&mut message).await.map_err(lost)?;
    let length = match message.as_slice() {
        [_, a, b, c, d] => usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX),
        _ => 0,
    };
    if !(4..=LOGIN_MESSAGE_BYTES_MAX).contains(&length) {
        return Err(misbehaved("the gateway sent a message without a valid length"));
    }
    message.resize(1 + length, 0);
    if let Some(rest) = message.get_mut(5..) {
        gateway.read_exact(rest).await.map_err(lost)?;
    }
    Ok(message)
}

fn password_message(token: &Token) -> Zeroizing<Vec<u8>> {
    let text = token.expose();
    let length = u32::try_from(text.len() + 5).unwrap_or(u32::MAX);
    let mut message = Zeroizing::new(Vec::with_capacity(text.len() + 6));
    message.push(b'p');
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(text.as_bytes());
    message.push(0);
    message
}

impl Startup {
    fn parse(version: u32, rest: &[u8]) -> Result<Self, Trouble> {
        let malformed = || misbehaved("the client's start-up message is malformed");
        let mut parameters = Vec::new();
        let mut rest = rest;
        loop {
            let name = take_text(&mut rest).ok_or_else(malformed)?;
            if name.is_empty() {
                break;
            }
            parameters.push((name, take_text(&mut rest).ok_or_else(malformed)?));
        }
        if rest.is_empty() { Ok(Self { version, parameters }) } else { Err(malformed()) }
    }

    /// Makes the database name what the gateway routes by: `target` or `target/database`. A client that was given
    /// no database sends the user's name, so that counts as none.
    fn lead_to(&mut self, target: &str) {
        let user = self.value(b"user").map(<[u8]>::to_vec);
        let database = self.value(b"database").map(<[u8]>::to_vec).unwrap_or_default();
        let named = if Some(&database) == user.as_ref() { &[] } else { database.as_slice() };
        let wanted = database_of(target, named);
        self.parameters.retain(|(name, _)| name != b"database");
        self.parameters.push((b"database".to_vec(), wanted));
    }

    fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
    }

    fn to_message(&self) -> Vec<u8> {
        let mut rest = Vec::new();
        for (name, value) in &self.parameters {
            for text in [name, value] {
                rest.extend_from_slice(text);
                rest.push(0);
            }
        }
        rest.push(0);
        to_untyped(self.version, &rest)
    }
}

/// Takes a zero-terminated text off the front.
fn take_text(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (text, after) = rest.split_at_checked(end)?;
    *rest = after.get(1..)?;
    Some(text.to_vec())
}

/// The trouble as an ErrorResponse.
pub(super) fn error_message(trouble: &Trouble) -> Vec<u8> {
    let mut fields = Vec::new();
    let text = trouble.told();
    for (field, value) in [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', trouble.sqlstate), (b'M', text.as_str())]
    {
        fields.push(field);
        fields.extend_from_slice(value.as_bytes());
        fields.push(0);
    }
    fields.push(0);
    let length = u32::try_from(fields.len() + 4).unwrap_or(u32::MAX);
    [b"E", length.to_be_bytes().as_slice(), &fields].concat()
}

#[cfg(test)]
mod tests;
