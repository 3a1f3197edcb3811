//! A token's parts: JWS compact serialization (RFC 7515, 7.1), strict base64url, strict JSON. Nothing is verified here.

use std::cell::Cell;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policies::link::Algorithm;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::IdentityError;
use crate::limits::TOKEN_DEPTH_MAX;

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first.
    Header,
    /// The second: the claims.
    Payload,
    /// The third.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// What of a header counts. Keys and addresses of keys that it may carry (`jwk`, `jku`, `x5c`, `x5u`) never do.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
}

/// A token taken apart.
pub(super) struct Token<'a> {
    /// Header and payload with their dot, as they came: what the signature is over.
    pub(super) signed: &'a [u8],
    pub(super) header: Header,
    /// An object.
    pub(super) claims: Value,
    pub(super) signature: Vec<u8>,
}

/// Takes a token apart; the caller has bounded its length.
pub(super) fn parse(token: &[u8]) -> Result<Token<'_>, IdentityError> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(IdentityError::NotCompact);
    };
    let signed = token.get(..header.len() + 1 + payload.len()).unwrap_or_default();
    let header = read_header(&object(header, Part::Header)?)?;
    let claims = object(payload, Part::Payload)?;
    let signature = decode(signature, Part::Signature)?;
    Ok(Token { signed, header, claims, signature })
}

/// RFC 7515, 4.1. `typ` and `cty` may be anything: the claims say what the token is for.
fn read_header(header: &Value) -> Result<Header, IdentityError> {
    if header.get("crit").is_some() {
        return Err(IdentityError::Critical);
    }
    let algorithm = match header.get("alg").and_then(Value::as_str) {
        Some("RS256") => Algorithm::Rs256,
        Some("ES256") => Algorithm::Es256,
        Some("EdDSA") => Algorithm::EdDsa,
        _ => return Err(IdentityError::Algorithm),
    };
    let key_id = match header.get("kid") {
        None => None,
        Some(Value::String(id)) => Some(id.clone()),
        Some(_) => return Err(IdentityError::KeyId),
    };
    Ok(Header { algorithm, key_id })
}

fn decode(part: &[u8], which: Part) -> Result<Vec<u8>, IdentityError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| IdentityError::Encoding(which))
}

fn object(part: &[u8], which: Part) -> Result<Value, IdentityError> {
    let text = decode(part, which)?;
    let twice = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_slice(&text);
    let value = Strict { depth: 0, twice: &twice }.deserialize(&mut reader);
    match value.and_then(|value| reader.end().map(|()| value)) {
        Ok(value) if value.is_object() => Ok(value),
        Err(_) if twice.get() => Err(IdentityError::DuplicateKey(which)),
        _ => Err(IdentityError::Json(which)),
    }
}

/// Reads any JSON value in which no object has a key twice and nothing is nested too deep.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    /// Set where the reason to stop was a key that came twice.
    twice: &'a Cell<bool>,
}

impl Strict<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > TOKEN_DEPTH_MAX { Err(E::custom("too deep")) } else { Ok(Self { depth, ..self }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut values = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            let value = object.next_value_seed(inner)?;
            if values.insert(key, value).is_some() {
                self.twice.set(true);
                return Err(A::Error::custom("a key twice"));
            }
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::btree_map;
    use proptest::prelude::any;

    fn read(text: &str) -> Result<Value, IdentityError> {
        object(URL_SAFE_NO_PAD.encode(text).as_bytes(), Part::Payload)
    }

    proptest::proptest! {
        /// On text without duplicate keys the strict reader reads what `serde_json` reads.
        #[test]
        fn it_reads_what_the_lenient_reader_reads(
            members in btree_map("[a-c\\\\\"é]{0,3}", any::<(i64, String, bool)>(), 0..6),
        ) {
            let value = serde_json::to_value(members).unwrap();
            assert_eq!(read(&value.to_string()), Ok(value));
        }

        #[test]
        fn no_bytes_make_it_panic(token: Vec<u8>) {
            let _ = parse(&token);
        }
    }

    #[test]
    fn all_kinds_of_values_are_read() {
        let text = r#"{"a":null,"b":true,"c":-1,"d":1.5,"e":"4","f":[1,{"g":[]}],"h":18446744073709551615}"#;
        assert_eq!(read(text).unwrap().to_string(), text.replace("\\u0034", "4"));
    }

    #[test]
    fn keys_come_once_at_every_level_and_however_they_are_written() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"b":{"a":1,"a":2}}"#, r#"{"b":[{"a":1,"\u0061":2}]}"#] {
            assert_eq!(read(text), Err(IdentityError::DuplicateKey(Part::Payload)), "{text}");
        }
        assert!(read(r#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn only_one_object_of_bounded_depth_is_taken() {
        let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(TOKEN_DEPTH_MAX - 1)).is_ok());
        let too_deep = [deep(TOKEN_DEPTH_MAX), deep(5000), "[".repeat(5000)];
        let others =
            ["", "[]", "1", "null", "\"a\"", "{", "{}{}", "{} x", "{\"a\":01}", "{\"a\":1e999}", "{'a':1}"];
        for text in too_deep.iter().map(String::as_str).chain(others) {
            assert_eq!(read(text), Err(IdentityError::Json(Part::Payload)));
        }
        let not_utf8 = URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xff\"}");
        assert_eq!(object(not_utf8.as_bytes(), Part::Header), Err(IdentityError::Json(Part::Header)));
    }

    #[test]
    fn base64url_has_one_form() {
        assert_eq!(decode(b"-_8", Part::Signature).unwrap(), [0xfb, 0xff]);
        for part in [&b"-_8="[..], b"+/8", b"-_9", b"-_8 ", b" -_8", b"-_\n8", b"A", b"\xc3\xa9"] {
            assert_eq!(decode(part, Part::Signature), Err(IdentityError::Encoding(Part::Signature)));
        }
    }
}
