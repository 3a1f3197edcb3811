//! MySQL's start of a connection, just far enough to put the token in: the gateway's greeting without TLS (the listener is
//! local), the client's answer to it, the gateway's TLS, the login with the token as its password. From the login's end
//! on, bytes are passed on unread. What does not fit is refused with MySQL's own error.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::super::token::Token;
use super::trouble::{Trouble, lost, misbehaved, unreachable};
use super::{Local, Route, database_of, read_token};

/// Bytes of a packet before the login's end at the most.
const LOGIN_PACKET_BYTES_MAX: usize = 64 * 1024;
/// How long the gateway may take to greet: what speaks another protocol never does.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);

const PROTOCOL: u8 = 10;
const CONNECT_WITH_DB: u32 = 1 << 3;
const PROTOCOL_41: u32 = 1 << 9;
const SSL: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;
const PLUGIN_AUTH_LENENC: u32 = 1 << 21;

/// What a HandshakeResponse begins with, and all of an SSLRequest: capabilities, packet size, collation, reserved bytes
/// (in which MariaDB has more capabilities).
const HEAD_BYTES: usize = 32;

const ERROR: u8 = 0xff;
const OK: u8 = 0;
const MORE_DATA: u8 = 1;
/// AuthMoreData of caching_sha2_password: the password is known, nothing more is asked.
const FAST_AUTHENTICATION: [u8; 2] = [MORE_DATA, 3];
const CACHING_SHA2: &[u8] = b"caching_sha2_password";
const CLEAR: &[u8] = b"mysql_clear_password";

/// The gateway's greeting, before TLS: nobody has vouched for it.
struct Greeting {
    payload: Vec<u8>,
    /// Where its lower capabilities stand.
    capabilities: usize,
}

/// A client's HandshakeResponse.
struct Response {
    head: [u8; HEAD_BYTES],
    user: Vec<u8>,
    /// It has sent something for a password, which nobody looks at.
    has_password: bool,
    database: Vec<u8>,
    plugin: Vec<u8>,
    /// Attributes and what may stand behind them.
    rest: Vec<u8>,
}

/// From the client's accepting to its login's end; `None` where nothing remains to be carried. `greeted`: the client has
/// answered the greeting, so that an error is its second packet.
pub(super) async fn log_in(
    client: &mut Box<dyn Local>,
    route: &Route,
    greeted: &mut bool,
) -> Result<Option<TlsStream<TcpStream>>, Trouble> {
    let (mut gateway, greeting) = dial(route).await?;
    client.write_all(&packet(0, &greeting.without_tls())).await.map_err(lost)?;
    let Some((number, payload)) = read_packet(client).await? else { return Ok(None) };
    *greeted = true;
    if number != 1 {
        return Err(misbehaved("the client's answer to the greeting is out of sequence"));
    }
    let response = Response::parse(&payload)?;
    // A token that cannot be had is known before the gateway has to wait for it.
    let token = read_token(route).await?;
    gateway.write_all(&packet(1, &response.head_for_gateway())).await.map_err(lost)?;
    let mut gateway = secure(route, gateway).await?;
    let login = Zeroizing::new(packet(2, &response.to_login(&route.target, &token)));
    gateway.write_all(&login).await.map_err(lost)?;
    let accepted = settle(client, &mut gateway, &response).await?;
    Ok(accepted.then_some(gateway))
}

/// Connects to the gateway and reads its greeting.
async fn dial(route: &Route) -> Result<(TcpStream, Greeting), Trouble> {
    let address = &route.gateway.address;
    let failed =
        |error: io::Error| unreachable(&format!("cannot connect to the gateway at {address}: {error}"));
    let mut gateway = TcpStream::connect(address).await.map_err(failed)?;
    gateway.set_nodelay(true).map_err(failed)?;
    let silent = || {
        let text = format!("what listens at {address} does not greet as MySQL's servers do");
        unreachable(&text)
    };
    let greeted = tokio::time::timeout(GREETING_TIMEOUT, read_packet(&mut gateway)).await;
    let Some((0, payload)) = greeted.map_err(|_| silent())?? else { return Err(silent()) };
    if payload.first() == Some(&ERROR) {
        return Err(unreachable(&format!("the gateway at {address} takes no connection now")));
    }
    let greeting = Greeting::parse(payload).ok_or_else(silent)?;
    if !greeting.offers_tls() {
        return Err(unreachable(&format!("what listens at {address} offers no TLS: the token is not sent")));
    }
    Ok((gateway, greeting))
}

/// TLS, with the gateway's certificate verified.
async fn secure(route: &Route, gateway: TcpStream) -> Result<TlsStream<TcpStream>, Trouble> {
    let address = &route.gateway.address;
    let failed =
        |error: io::Error| unreachable(&format!("cannot connect to the gateway at {address}: {error}"));
    route.tls.connect(route.gateway.name.clone(), gateway).await.map_err(failed)
}

/// Tells the client how the gateway has taken the login. `true`: logged in.
async fn settle<C, G>(client: &mut C, gateway: &mut G, response: &Response) -> Result<bool, Trouble>
where
    C: AsyncRead + AsyncWrite + Unpin,
    G: AsyncRead + AsyncWrite + Unpin,
{
    let ended = || misbehaved("the gateway has closed the connection amid the login");
    let (_, payload) = read_packet(gateway).await?.ok_or_else(ended)?;
    match payload.first() {
        Some(&OK) => {
            let mut answer = Vec::new();
            let mut next = 2;
            if response.awaits_verdict() {
                answer.extend(packet(next, &FAST_AUTHENTICATION));
                next += 1;
            }
            answer.extend(packet(next, &payload));
            client.write_all(&answer).await.map_err(lost)?;
            Ok(true)
        }
        Some(&ERROR) => {
            client.write_all(&packet(2, &payload)).await.map_err(lost)?;
            client.shutdown().await.map_err(lost)?;
            Ok(false)
        }
        _ => Err(misbehaved("the gateway asks for something else than the token")),
    }
}

/// A packet's number and payload; bounded. `None` at the end of the stream.
async fn read_packet<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Option<(u8, Vec<u8>)>, Trouble> {
    let head = match stream.read_u32_le().await {
        Ok(head) => head,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(lost(error)),
    };
    let length = usize::try_from(head & 0xff_ffff).unwrap_or(usize::MAX);
    if !(1..=LOGIN_PACKET_BYTES_MAX).contains(&length) {
        return Err(misbehaved("a packet of the login has no valid length"));
    }
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.map_err(lost)?;
    Ok(Some(((head >> 24) as u8, payload)))
}

fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX) & 0xff_ffff;
    [&(length | u32::from(number) << 24).to_le_bytes(), payload].concat()
}

/// The trouble as an ERR packet (ER_HANDSHAKE_ERROR). In the greeting's place it has no SQLSTATE: the client has not said
/// yet what it speaks.
pub(super) fn error_packet(trouble: &Trouble, greeted: bool) -> Vec<u8> {
    let mut payload = vec![ERROR];
    payload.extend_from_slice(&1043_u16.to_le_bytes());
    if greeted {
        payload.push(b'#');
        payload.extend_from_slice(trouble.sqlstate.as_bytes());
    }
    payload.extend_from_slice(trouble.told().as_bytes());
    packet(if greeted { 2 } else { 0 }, &payload)
}

impl Greeting {
    fn parse(payload: Vec<u8>) -> Option<Self> {
        let (protocol, rest) = payload.split_first()?;
        let version = rest.iter().position(|byte| *byte == 0)?;
        // The connection's number, the scramble's first part and a filler stand between.
        let capabilities = 1 + version + 1 + 4 + 8 + 1;
        let plain = *protocol == PROTOCOL && payload.len() > capabilities + 2;
        plain.then_some(Self { payload, capabilities })
    }

    fn place(&self) -> std::ops::Range<usize> {
        self.capabilities..self.capabilities + 2
    }

    fn lower(&self) -> u16 {
        match self.payload.get(self.place()) {
            Some([low, high]) => u16::from_le_bytes([*low, *high]),
            _ => 0,
        }
    }

    fn offers_tls(&self) -> bool {
        u32::from(self.lower()) & SSL != 0
    }

    /// As the client gets it.
    fn without_tls(&self) -> Vec<u8> {
        let mut payload = self.payload.clone();
        if let Some(place) = payload.get_mut(self.place()) {
            place.copy_from_slice(&(self.lower() & !(SSL as u16)).to_le_bytes());
        }
        payload
    }
}

impl Response {
    fn parse(payload: &[u8]) -> Result<Self, Trouble> {
        let head = *payload.first_chunk::<HEAD_BYTES>().ok_or_else(malformed)?;
        let mut rest = payload.get(HEAD_BYTES..).unwrap_or_default();
        let [a, b, c, d, ..] = head;
        let capabilities = u32::from_le_bytes([a, b, c, d]);
        if capabilities & PROTOCOL_41 == 0 {
            return Err(misbehaved("the client speaks a protocol older than 4.1"));
        }
        if capabilities & SSL != 0 {
            return Err(misbehaved(
                "the client asks for TLS, which a local listener does not have: --skip-ssl, or ssl-mode=DISABLED",
            ));
        }
        let user = take_text(&mut rest).ok_or_else(malformed)?;
        let answer = if capabilities & PLUGIN_AUTH_LENENC != 0 {
            let length = take_length(&mut rest).ok_or_else(malformed)?;
            take(&mut rest, length).ok_or_else(malformed)?
        } else if capabilities & SECURE_CONNECTION != 0 {
            let length = take(&mut rest, 1).and_then(|bytes| bytes.first().copied()).ok_or_else(malformed)?;
            take(&mut rest, length.into()).ok_or_else(malformed)?
        } else {
            take_text(&mut rest).ok_or_else(malformed)?
        };
        let mut named = |flag: u32| match (capabilities & flag != 0, rest.is_empty()) {
            (true, false) => take_text(&mut rest).ok_or_else(malformed),
            _ => Ok(Vec::new()),
        };
        let (database, plugin) = (named(CONNECT_WITH_DB)?, named(PLUGIN_AUTH)?);
        let has_password = !matches!(answer.as_slice(), [] | [0]);
        Ok(Self { head, user, has_password, database, plugin, rest: rest.to_vec() })
    }

    /// Whether its plugin wants to hear that the password was the right one.
    fn awaits_verdict(&self) -> bool {
        self.has_password && self.plugin == CACHING_SHA2
    }

    /// The start of its answer, with the client's capabilities and what the login itself needs: the SSLRequest too.
    fn head_for_gateway(&self) -> [u8; HEAD_BYTES] {
        let mut head = self.head;
        if let Some(place) = head.first_chunk_mut::<4>() {
            let needed = SSL | CONNECT_WITH_DB | SECURE_CONNECTION | PLUGIN_AUTH | PLUGIN_AUTH_LENENC;
            *place = (u32::from_le_bytes(*place) | needed).to_le_bytes();
        }
        head
    }

    /// The HandshakeResponse with the token as the password, and the database that leads to the target.
    fn to_login(&self, target: &str, token: &Token) -> Zeroizing<Vec<u8>> {
        let password = token.expose();
        let database = database_of(target, &self.database);
        let room = HEAD_BYTES + self.user.len() + password.len() + database.len() + self.rest.len() + 64;
        let mut payload = Zeroizing::new(Vec::with_capacity(room));
        payload.extend_from_slice(&self.head_for_gateway());
        payload.extend_from_slice(&self.user);
        payload.push(0);
        // A length of three bytes does for any token; the NUL behind it belongs to the plugin's form.
        let length = u32::try_from(password.len() + 1).unwrap_or(u32::MAX).to_le_bytes();
        payload.push(0xfd);
        payload.extend_from_slice(length.get(..3).unwrap_or_default());
        payload.extend_from_slice(password.as_bytes());
        payload.push(0);
        for text in [database.as_slice(), CLEAR] {
            payload.extend_from_slice(text);
            payload.push(0);
        }
        payload.extend_from_slice(&self.rest);
        payload
    }
}

fn malformed() -> Trouble {
    misbehaved("the client's answer to the greeting is malformed")
}

/// Takes so many bytes off the front.
fn take(rest: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken.to_vec())
}

/// Takes a length off the front: of one byte or of two, as a password has it.
fn take_length(rest: &mut &[u8]) -> Option<usize> {
    match take(rest, 1)?.first()? {
        0xfc => match take(rest, 2)?.as_slice() {
            [low, high] => Some(u16::from_le_bytes([*low, *high]).into()),
            _ => None,
        },
        0xfb | 0xfd.. => None,
        byte => Some(usize::from(*byte)),
    }
}

/// Takes a zero-terminated text off the front.
fn take_text(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let text = take(rest, end)?;
    take(rest, 1)?;
    Some(text)
}

#[cfg(test)]
mod tests;
