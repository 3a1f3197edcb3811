//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS as the client of a target (RFC 5802, RFC 7677; channel binding by
//! tls-server-end-point, RFC 5929, whose hash the driver has made). Keys are derived once per
//! password and salt and kept by the shard: the derivation takes a millisecond of its core.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::limits::{SCRAM_ITERATIONS_MAX, SCRAM_ITERATIONS_MIN};
use crate::{Error, Secret, Side};

/// The mechanism's name.
pub(crate) const MECHANISM: &[u8] = b"SCRAM-SHA-256";
/// Its name with channel binding.
pub(crate) const MECHANISM_BOUND: &[u8] = b"SCRAM-SHA-256-PLUS";

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 18;
const CACHED_MAX: usize = 64;

/// Keys already derived; clones share them. Lives on one shard.
#[derive(Clone, Default)]
pub struct ScramCache(Rc<RefCell<VecDeque<Keys>>>);

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Keys {
    salt: Vec<u8>,
    iterations: u32,
    /// SHA-256 of salt and password: says that it is the same password.
    check: [u8; KEY_BYTES],
    client: [u8; KEY_BYTES],
    server: [u8; KEY_BYTES],
}

/// What is said and proven of the TLS connection under the exchange.
pub(crate) enum Binding {
    /// There is no TLS, or the certificate's signature names no one hash to bind with.
    Impossible,
    /// The server has not offered it. The server that did learns from this that someone between has taken it out.
    NotOffered,
    /// The server's certificate, hashed.
    EndPoint(Vec<u8>),
}

impl Binding {
    /// The header of GS2 (RFC 5802, section 7).
    const fn header(&self) -> &'static str {
        match self {
            Self::Impossible => "n,,",
            Self::NotOffered => "y,,",
            Self::EndPoint(_) => "p=tls-server-end-point,,",
        }
    }

    /// The value of `c=`: the header again, and what is bound.
    fn proof(&self) -> String {
        let mut bytes = self.header().as_bytes().to_vec();
        if let Self::EndPoint(hash) = self {
            bytes.extend_from_slice(hash);
        }
        STANDARD.encode(bytes)
    }
}

/// The client's first message has gone out.
pub(crate) struct First {
    nonce: String,
    binding: Binding,
}

/// The client's final message has gone out.
pub(crate) struct Final {
    server_signature: hmac::Tag,
}

fn wrong(what: &'static str) -> Error {
    Error::Malformed { side: Side::Server, offset: 0, what }
}

impl First {
    pub(crate) fn new(binding: Binding) -> Result<Self, Error> {
        let mut random = [0; NONCE_BYTES];
        rand::fill(&mut random)
            .map_err(|_| Error::Unsupported { side: Side::Server, what: "no random numbers" })?;
        Ok(Self { nonce: STANDARD.encode(random), binding })
    }

    /// The client-first-message.
    pub(crate) fn message(&self) -> String {
        format!("{}n=,r={}", self.binding.header(), self.nonce)
    }

    /// Answers the server-first-message: the client-final-message, and what the server has to prove.
    pub(crate) fn answer(
        &self,
        server_first: &[u8],
        password: &Secret,
        cache: &ScramCache,
    ) -> Result<(String, Final), Error> {
        let text = core::str::from_utf8(server_first).map_err(|_| wrong("SCRAM: not UTF-8"))?;
        let mut fields = text.split(',');
        let mut field = |name: &str| fields.next().and_then(|field| field.strip_prefix(name));
        let nonce = field("r=").ok_or(wrong("SCRAM: no nonce"))?;
        let salt = field("s=").and_then(|salt| STANDARD.decode(salt).ok()).ok_or(wrong("SCRAM: no salt"))?;
        let iterations =
            field("i=").and_then(|count| count.parse().ok()).ok_or(wrong("SCRAM: no iteration count"))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(wrong("SCRAM: the nonce is not ours made longer"));
        }
        if !(SCRAM_ITERATIONS_MIN..=SCRAM_ITERATIONS_MAX).contains(&iterations) {
            return Err(Error::Unsupported {
                side: Side::Server,
                what: "SCRAM: an iteration count out of bounds",
            });
        }
        let keys = cache.keys(password, salt, iterations)?;
        let bare = format!("c={},r={nonce}", self.binding.proof());
        let signed = format!("n=,r={},{text},{bare}", self.nonce);
        let stored = digest::digest(&digest::SHA256, &keys.client);
        let signature = sign(stored.as_ref(), signed.as_bytes());
        let proof: Vec<u8> =
            keys.client.iter().zip(signature.as_ref()).map(|(key, sign)| key ^ sign).collect();
        let answer = format!("{bare},p={}", STANDARD.encode(proof));
        Ok((answer, Final { server_signature: sign(&keys.server, signed.as_bytes()) }))
    }
}

impl Final {
    /// Checks the server-final-message: the target knows the password too.
    pub(crate) fn verify(&self, server_final: &[u8]) -> Result<(), Error> {
        let proof = server_final.strip_prefix(b"v=").and_then(|proof| STANDARD.decode(proof).ok());
        let proof = proof.ok_or(wrong("SCRAM: no server signature"))?;
        aws_lc_rs::constant_time::verify_slices_are_equal(&proof, self.server_signature.as_ref()).map_err(
            |_| Error::Misbehaved { side: Side::Server, what: "SCRAM: the server's signature is wrong" },
        )
    }
}

impl ScramCache {
    fn keys(&self, password: &Secret, salt: Vec<u8>, iterations: u32) -> Result<Keys, Error> {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&salt);
        context.update(password.expose());
        let check = key_of(context.finish().as_ref())?;
        let mut kept = self.0.borrow_mut();
        let same = |keys: &&Keys| keys.check == check && keys.iterations == iterations && keys.salt == salt;
        if let Some(keys) = kept.iter().find(same) {
            return Ok(keys.clone());
        }
        let mut salted = salted_password(password, &salt, iterations)?;
        let client = key_of(sign(&salted, b"Client Key").as_ref())?;
        let server = key_of(sign(&salted, b"Server Key").as_ref())?;
        salted.zeroize();
        let keys = Keys { salt, iterations, check, client, server };
        kept.truncate(CACHED_MAX - 1);
        kept.push_front(keys.clone());
        Ok(keys)
    }
}

fn key_of(bytes: &[u8]) -> Result<[u8; KEY_BYTES], Error> {
    bytes.try_into().map_err(|_| wrong("SCRAM: a key of another length"))
}

fn sign(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

/// Hi() of RFC 5802. As PostgreSQL does, a password that SASLprep does not accept is used as it is.
fn salted_password(password: &Secret, salt: &[u8], iterations: u32) -> Result<[u8; KEY_BYTES], Error> {
    let iterations = NonZeroU32::new(iterations).ok_or(wrong("SCRAM: no iterations"))?;
    let text = core::str::from_utf8(password.expose()).ok();
    let prepared = text
        .and_then(|text| stringprep::saslprep(text).ok())
        .map(|text| Secret::new(text.as_bytes().to_vec()));
    let password = prepared.as_ref().unwrap_or(password);
    let mut salted = [0; KEY_BYTES];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password.expose(), &mut salted);
    Ok(salted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    // The exchange of RFC 7677, section 3, with PostgreSQL's empty user name put in place of "user".
    fn first() -> First {
        First { nonce: "rOprNGfwEbeRWgbNEkqO".to_string(), binding: Binding::Impossible }
    }

    const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    #[test]
    fn both_sides_prove_the_same_password() {
        let cache = ScramCache::default();
        let password = Secret::new(b"pencil".to_vec());
        let (answer, end) = first().answer(SERVER_FIRST.as_bytes(), &password, &cache).unwrap();
        let (bare, proof) = answer.split_once(",p=").unwrap();
        assert_eq!(bare, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        // The server's side of RFC 5802: ClientKey = proof XOR signature, and its hash is the stored key.
        let salted =
            salted_password(&password, &STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap(), 4096).unwrap();
        let stored = digest::digest(&digest::SHA256, sign(&salted, b"Client Key").as_ref());
        let signed = format!("n=,r=rOprNGfwEbeRWgbNEkqO,{SERVER_FIRST},{bare}");
        let signature = sign(stored.as_ref(), signed.as_bytes());
        let proof = STANDARD.decode(proof).unwrap();
        let key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        assert_eq!(digest::digest(&digest::SHA256, &key).as_ref(), stored.as_ref());
        let server = sign(sign(&salted, b"Server Key").as_ref(), signed.as_bytes());
        assert_eq!(end.verify(format!("v={}", STANDARD.encode(server.as_ref())).as_bytes()), Ok(()));
        assert!(end.verify(b"v=AAAA").is_err());
        assert!(end.verify(b"e=other-error").is_err());
        // Derived once.
        let (again, _) = first().answer(SERVER_FIRST.as_bytes(), &password, &cache).unwrap();
        assert_eq!(again, answer);
        assert_eq!(cache.0.borrow().len(), 1);
    }

    #[test]
    fn the_header_says_what_became_of_channel_binding() {
        let password = Secret::new(b"pencil".to_vec());
        for (binding, start, proof) in [
            (Binding::Impossible, "n,,n=,r=", "c=biws,r="),
            (Binding::NotOffered, "y,,n=,r=", "c=eSws,r="),
            // base64 of "p=tls-server-end-point,," and the bytes 0 to 2.
            (
                Binding::EndPoint(alloc::vec![0, 1, 2]),
                "p=tls-server-end-point,,n=,r=",
                "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAAEC,r=",
            ),
        ] {
            let first = First { binding, ..first() };
            assert!(first.message().starts_with(start));
            let (answer, _) =
                first.answer(SERVER_FIRST.as_bytes(), &password, &ScramCache::default()).unwrap();
            assert!(answer.starts_with(proof), "{answer}");
        }
    }

    #[test]
    fn refuses_what_the_server_may_not_say() {
        let cache = ScramCache::default();
        let password = Secret::new(b"pencil".to_vec());
        for server_first in [
            "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==",
            "",
        ] {
            assert!(first().answer(server_first.as_bytes(), &password, &cache).is_err(), "{server_first}");
        }
        assert!(first().answer(b"r=\xff", &password, &cache).is_err());
    }
}
