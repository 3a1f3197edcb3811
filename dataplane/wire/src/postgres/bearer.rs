//! SASL OAUTHBEARER as a client of PostgreSQL 18 speaks it (RFC 7628): a token found in the client's response, and what
//! it is told where there is none or a bad one. Leaves out whether a token is good (the driver asks).

use alloc::format;
use alloc::vec::Vec;

use super::frame::{message, text};
use crate::cursor::Cursor;
use crate::{Discovery, Error, Side};

/// The mechanism's name.
const MECHANISM: &[u8] = b"OAUTHBEARER";
/// Stands between and behind the pairs of a response.
const SEPARATOR: u8 = 1;
/// The scheme before a token; its letters may be of either case (RFC 9110, section 11.1).
const SCHEME: &[u8] = b"Bearer ";

/// What a client is told with a failure: the status of RFC 7628, section 3.2.2.
pub(crate) struct Challenge(Vec<u8>);

impl Challenge {
    pub(crate) fn new(discovery: &Discovery<'_>) -> Self {
        let plain = |text: &str| text.replace(['"', '\\'], "");
        let (configuration, scope) = (plain(discovery.configuration), plain(discovery.scope));
        let words = format!(
            "{{ \"status\": \"invalid_token\", \"openid-configuration\": \"{configuration}\", \"scope\": \"{scope}\" }}"
        );
        Self(words.into_bytes())
    }

    /// Appends AuthenticationSASLContinue with the status. The client answers it by a separator alone.
    pub(crate) fn tell(&self, out: &mut Vec<u8>) {
        proceed(out, &self.0);
    }
}

/// Appends AuthenticationSASL.
pub(crate) fn offer(out: &mut Vec<u8>) {
    message(out, b'R', |body| {
        body.extend_from_slice(&[0, 0, 0, 10]);
        text(body, MECHANISM);
        body.push(0);
    });
}

/// Appends AuthenticationSASLContinue.
pub(crate) fn proceed(out: &mut Vec<u8>, words: &[u8]) {
    message(out, b'R', |body| {
        body.extend_from_slice(&[0, 0, 0, 11]);
        body.extend_from_slice(words);
    });
}

fn malformed(what: &'static str) -> Error {
    Error::Malformed { side: Side::Client, offset: 0, what }
}

/// Reads a SASLInitialResponse: the client's response, or `None` where it sends that with its next message.
pub(crate) fn initial(body: &[u8]) -> Result<Option<&[u8]>, Error> {
    let mut cursor = Cursor::new(Side::Client, body);
    if cursor.text("SASLInitialResponse: the mechanism has no end")? != MECHANISM {
        let what = "a SASL mechanism other than OAUTHBEARER";
        return Err(Error::Unsupported { side: Side::Client, what });
    }
    let length = cursor.u32("SASLInitialResponse: no length")?;
    if length == u32::MAX {
        cursor.end("SASLInitialResponse: bytes where there are none")?;
        return Ok(None);
    }
    let response = cursor.rest();
    if usize::try_from(length) != Ok(response.len()) {
        return Err(malformed("SASLInitialResponse: a wrong length"));
    }
    Ok(Some(response))
}

/// Whether a message is the one that ends a failed exchange.
pub(crate) fn is_farewell(body: &[u8]) -> bool {
    body == [SEPARATOR]
}

/// The token of a client's response (RFC 7628, section 3.1); empty: the client asks where it can get one.
pub(crate) fn token(response: &[u8]) -> Result<&[u8], Error> {
    let rest = match response {
        [b'p', ..] => return Err(malformed("OAUTHBEARER: channel binding, which it does not have")),
        // There is no binding that a server could have offered: `y` is as good as `n`.
        [b'n' | b'y', b',', rest @ ..] => rest,
        _ => return Err(malformed("OAUTHBEARER: no GS2 header")),
    };
    let pairs = match rest {
        [b',', SEPARATOR, pairs @ ..] => pairs,
        [b'a', ..] => {
            let what = "OAUTHBEARER: an authorization identity";
            return Err(Error::Unsupported { side: Side::Client, what });
        }
        _ => return Err(malformed("OAUTHBEARER: no end of the GS2 header")),
    };
    // Each pair ends with a separator, and so does the list.
    let Some(pairs) = pairs.strip_suffix(&[SEPARATOR]) else {
        return Err(malformed("OAUTHBEARER: no end"));
    };
    let mut found = None;
    let mut rest = pairs;
    while !rest.is_empty() {
        let end = memchr::memchr(SEPARATOR, rest).ok_or(malformed("OAUTHBEARER: a pair has no end"))?;
        let (pair, behind) = rest.split_at(end);
        rest = behind.get(1..).unwrap_or_default();
        if let Some(value) = authorization(pair)?
            && found.replace(value).is_some()
        {
            return Err(malformed("OAUTHBEARER: two values of auth"));
        }
    }
    scheme(found.ok_or(malformed("OAUTHBEARER: no value of auth"))?)
}

/// The value of a pair whose key is `auth`; other keys (host, port) mean nothing here.
fn authorization(pair: &[u8]) -> Result<Option<&[u8]>, Error> {
    let sign = memchr::memchr(b'=', pair).ok_or(malformed("OAUTHBEARER: a pair without a value"))?;
    let (key, value) = pair.split_at(sign);
    let value = value.get(1..).unwrap_or_default();
    if key.is_empty() || !key.iter().all(u8::is_ascii_alphabetic) {
        return Err(malformed("OAUTHBEARER: a key of other than letters"));
    }
    if !value.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~')) {
        return Err(malformed("OAUTHBEARER: a value of other than printable characters"));
    }
    Ok((key == b"auth").then_some(value))
}

/// Takes off the scheme (RFC 6750, section 2.1): what is left is the token, whose form is checked.
fn scheme(value: &[u8]) -> Result<&[u8], Error> {
    if value.is_empty() {
        return Ok(value);
    }
    let token = match value.split_at_checked(SCHEME.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => token.trim_ascii_start(),
        _ => return Err(malformed("OAUTHBEARER: a scheme other than Bearer")),
    };
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    if token.is_empty() || !token.iter().all(is_token) {
        return Err(malformed("OAUTHBEARER: no token behind its scheme"));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_as_the_rfc_writes_it() {
        for (response, expected) in [
            (&b"n,,\x01auth=Bearer abc.def-_~+/=\x01\x01"[..], &b"abc.def-_~+/="[..]),
            (b"y,,\x01auth=bearer  x\x01\x01", b"x"),
            (b"n,,\x01host=db\x01port=5432\x01auth=BEARER x\x01\x01", b"x"),
            (b"n,,\x01auth=\x01\x01", b""),
        ] {
            assert_eq!(token(response), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_response_is_refused() {
        for response in [
            &b""[..],
            b"\x01",
            b"n",
            b"n,",
            b"n,,",
            b"n,,\x01",
            b"p=tls-server-end-point,,\x01auth=Bearer x\x01\x01",
            b"x,,\x01auth=Bearer x\x01\x01",
            b"n,a=someone,\x01auth=Bearer x\x01\x01",
            b"n,,auth=Bearer x\x01\x01",
            b"n,,\x01auth=Bearer x",
            b"n,,\x01auth=Bearer x\x01",
            b"n,,\x01auth=Bearer x\x01\x01\x01",
            b"n,,\x01auth=Bearer x\x01\x01more",
            b"n,,\x01\x01",
            b"n,,\x01host=x\x01\x01",
            b"n,,\x01auth\x01\x01",
            b"n,,\x01=x\x01\x01",
            b"n,,\x01a1=x\x01auth=Bearer x\x01\x01",
            b"n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01",
            b"n,,\x01auth=Basic x\x01\x01",
            b"n,,\x01auth=Bearer\x01\x01",
            b"n,,\x01auth=Bearer \x01\x01",
            b"n,,\x01auth=Bearer x y\x01\x01",
            b"n,,\x01auth=Bearer x\0\x01\x01",
            b"n,,\x01auth=Bearer \xc3\xa9\x01\x01",
        ] {
            assert!(token(response).is_err(), "{}", response.escape_ascii());
        }
    }

    #[test]
    fn an_initial_response_may_come_later() {
        assert_eq!(initial(b"OAUTHBEARER\0\xff\xff\xff\xff"), Ok(None));
        assert_eq!(initial(b"OAUTHBEARER\0\0\0\0\x02ab"), Ok(Some(&b"ab"[..])));
        for body in [
            &b""[..],
            b"OAUTHBEARER",
            b"OAUTHBEARER\0\0\0",
            b"OAUTHBEARER\0\0\0\0\x03ab",
            b"OAUTHBEARER\0\0\0\0\x01ab",
            b"OAUTHBEARER\0\xff\xff\xff\xffab",
            b"SCRAM-SHA-256\0\0\0\0\x02ab",
            b"eyJhbGciOi\0",
        ] {
            assert!(initial(body).is_err(), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn the_status_is_json_whatever_it_is_given() {
        let challenge =
            Challenge::new(&Discovery { configuration: "https://i/.well-known/x", scope: "a\"b\\c" });
        let expected = br#"{ "status": "invalid_token", "openid-configuration": "https://i/.well-known/x", "scope": "abc" }"#;
        assert_eq!(challenge.0, expected);
        assert!(is_farewell(b"\x01") && !is_farewell(b"") && !is_farewell(b"\x01\x01"));
    }
}
