//! What plugins make of a password: hashes, signatures, encryption. Leaves out their rounds (`plugin.rs`).

use alloc::vec::Vec;
use core::num::NonZeroU32;

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::{digest, pbkdf2, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
use ed25519_dalek::{Sha512, Signer, SigningKey, VerifyingKey};
use zeroize::{Zeroize, Zeroizing};

use crate::limits::PARSEC_FACTOR_MAX;
use crate::{Error, Secret, Side};

/// Of ed25519's and PARSEC's scrambles.
pub(crate) const NONCE_BYTES: usize = 32;
/// PARSEC's algorithm and factor, and the salt.
const SALT_BYTES: usize = 18;

fn malformed(what: &'static str) -> Error {
    Error::Malformed { side: Side::Server, offset: 0, what }
}

fn unsupported(what: &'static str) -> Error {
    Error::Unsupported { side: Side::Server, what }
}

fn hash(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> digest::Digest {
    let mut context = digest::Context::new(algorithm);
    for part in parts {
        context.update(part);
    }
    context.finish()
}

fn xor(left: &[u8], right: &[u8]) -> Vec<u8> {
    left.iter().zip(right).map(|(left, right)| left ^ right).collect()
}

/// mysql_native_password: SHA1(password) XOR SHA1(scramble, SHA1(SHA1(password))).
pub(crate) fn native(password: &Secret, scramble: &[u8]) -> Vec<u8> {
    let algorithm = &digest::SHA1_FOR_LEGACY_USE_ONLY;
    let once = hash(algorithm, &[password.expose()]);
    let twice = hash(algorithm, &[once.as_ref()]);
    xor(once.as_ref(), hash(algorithm, &[scramble, twice.as_ref()]).as_ref())
}

/// caching_sha2_password: SHA256(password) XOR SHA256(SHA256(SHA256(password)), scramble).
pub(crate) fn caching_sha2(password: &Secret, scramble: &[u8]) -> Vec<u8> {
    let algorithm = &digest::SHA256;
    let once = hash(algorithm, &[password.expose()]);
    let twice = hash(algorithm, &[once.as_ref()]);
    xor(once.as_ref(), hash(algorithm, &[twice.as_ref(), scramble]).as_ref())
}

/// The password, its NUL included, XORed with the scramble over and over, encrypted with the server's key: RSA, OAEP
/// with SHA-1 (sha256_password, caching_sha2_password).
pub(crate) fn encrypted(password: &Secret, scramble: &[u8], pem: &[u8]) -> Result<Vec<u8>, Error> {
    let der = public_key(pem).ok_or(malformed("the server's key is not PEM"))?;
    let key = PublicEncryptingKey::from_der(&der)
        .and_then(|key| OaepPublicEncryptingKey::new(key).map_err(Into::into))
        .map_err(|_| malformed("the server's key is not RSA's, or is short"))?;
    let bytes = password.expose().iter().chain(&[0]);
    let plain: Zeroizing<Vec<u8>> =
        Zeroizing::new(bytes.zip(scramble.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect());
    let mut out = alloc::vec![0; key.ciphertext_size()];
    key.encrypt(&OAEP_SHA1_MGF1SHA1, &plain, &mut out, None)
        .map_err(|_| unsupported("a key that is too short for the password"))?;
    Ok(out)
}

/// The DER in a PEM's only section.
fn public_key(pem: &[u8]) -> Option<Vec<u8>> {
    let text = core::str::from_utf8(pem).ok()?.trim_end_matches('\0').trim();
    let body = text.strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let packed: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).ok()
}

/// MariaDB's ed25519: the scramble signed with the key that SHA-512 of the password is, in place of a seed's.
pub(crate) fn ed25519(password: &Secret, scramble: &[u8; NONCE_BYTES]) -> Result<Vec<u8>, Error> {
    let hashed = hash(&digest::SHA512, &[password.expose()]);
    let key =
        ExpandedSecretKey::from_slice(hashed.as_ref()).map_err(|_| malformed("ed25519: a key's length"))?;
    let public = VerifyingKey::from(&key);
    Ok(raw_sign::<Sha512>(&key, scramble, &public).to_bytes().to_vec())
}

/// MariaDB's PARSEC: a nonce of the client's and the signature over both nonces, with a key that PBKDF2 makes of the
/// password. `salted`: the algorithm (`P`), its factor, the salt.
pub(crate) fn parsec(
    password: &Secret,
    scramble: &[u8; NONCE_BYTES],
    salted: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut nonce = [0; NONCE_BYTES];
    rand::fill(&mut nonce).map_err(|_| unsupported("no random numbers"))?;
    parsec_with(password, scramble, salted, &nonce)
}

fn parsec_with(
    password: &Secret,
    scramble: &[u8; NONCE_BYTES],
    salted: &[u8],
    nonce: &[u8; NONCE_BYTES],
) -> Result<Vec<u8>, Error> {
    let (factor, salt) = match salted {
        [b'P', factor, salt @ ..] if salt.len() == SALT_BYTES => (*factor, salt),
        _ => return Err(malformed("PARSEC: the salt's form")),
    };
    if factor > PARSEC_FACTOR_MAX {
        return Err(unsupported("PARSEC: more iterations than clients take"));
    }
    let iterations =
        NonZeroU32::MIN.saturating_mul(NonZeroU32::new(1_024 << factor).unwrap_or(NonZeroU32::MIN));
    let mut seed = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, iterations, salt, password.expose(), &mut seed);
    let key = SigningKey::from_bytes(&seed);
    seed.zeroize();
    let signature = key.sign(&[scramble.as_slice(), nonce].concat());
    Ok([nonce.as_slice(), &signature.to_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    const SCRAMBLE: &[u8; 20] = b"0123456789abcdefghij";

    #[test]
    fn the_server_that_keeps_a_hash_of_a_hash_finds_it_in_the_answer() {
        // The server's side of both: from the answer and what it keeps it makes SHA(password), and hashes that.
        let algorithm = &digest::SHA1_FOR_LEGACY_USE_ONLY;
        let kept = hash(algorithm, &[hash(algorithm, &[b"geheim"]).as_ref()]);
        let mask = hash(algorithm, &[SCRAMBLE, kept.as_ref()]);
        let once = xor(&native(&secret("geheim"), SCRAMBLE), mask.as_ref());
        assert_eq!(hash(algorithm, &[&once]).as_ref(), kept.as_ref());
        let algorithm = &digest::SHA256;
        let kept = hash(algorithm, &[hash(algorithm, &[b"geheim"]).as_ref()]);
        let mask = hash(algorithm, &[kept.as_ref(), SCRAMBLE]);
        let once = xor(&caching_sha2(&secret("geheim"), SCRAMBLE), mask.as_ref());
        assert_eq!(hash(algorithm, &[&once]).as_ref(), kept.as_ref());
    }

    fn pem(der: &[u8]) -> Vec<u8> {
        let body = STANDARD.encode(der);
        let lines: Vec<&str> =
            body.as_bytes().chunks(64).map(|line| core::str::from_utf8(line).unwrap()).collect();
        alloc::format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
            .into_bytes()
    }

    #[test]
    fn the_server_s_key_alone_opens_what_is_encrypted_for_it() {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let der: PublicKeyX509Der<'_> = private.public_key().as_der().unwrap();
        let pem = pem(der.as_ref());
        let sent = encrypted(&secret("schlüssel, länger als zwanzig"), SCRAMBLE, &pem).unwrap();
        let key = OaepPrivateDecryptingKey::new(private).unwrap();
        let mut plain = alloc::vec![0; key.min_output_size()];
        let plain = key.decrypt(&OAEP_SHA1_MGF1SHA1, &sent, &mut plain, None).unwrap();
        let plain: Vec<u8> = plain.iter().zip(SCRAMBLE.iter().cycle()).map(|(a, b)| a ^ b).collect();
        assert_eq!(plain, "schlüssel, länger als zwanzig\0".as_bytes());
        assert!(encrypted(&secret(&"x".repeat(300)), SCRAMBLE, &pem).is_err());
        for wrong in [
            &pem[1..],
            &pem[..pem.len() - 9],
            b"",
            b"\xff",
            b"-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----",
        ] {
            assert!(encrypted(&secret("x"), SCRAMBLE, wrong).is_err());
        }
    }

    #[test]
    fn signatures_are_those_that_mariadb_checks() {
        // ed25519_password('foobar') and its signature of 32 times 'A'... of MariaDB's own test
        // (plugin/auth_ed25519/server_ed25519.c stores the public key in base64, without padding).
        let hashed = hash(&digest::SHA512, &[b"secret"]);
        let public = VerifyingKey::from(&ExpandedSecretKey::from_slice(hashed.as_ref()).unwrap());
        // MariaDB's documentation: PASSWORD('secret') of this plugin.
        let kept = "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY";
        assert_eq!(STANDARD.encode(public.as_bytes()).trim_end_matches('='), kept);
        let nonce = [7; NONCE_BYTES];
        let signature = ed25519(&secret("secret"), &nonce).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
        assert!(public.verify_strict(&nonce, &signature).is_ok());
    }

    #[test]
    fn parsec_signs_both_nonces_and_bounds_the_work() {
        let salted = [b"P\x01".as_slice(), &[3; SALT_BYTES]].concat();
        let answer = parsec(&secret("geheim"), &[7; NONCE_BYTES], &salted).unwrap();
        let (nonce, signature) = answer.split_at(NONCE_BYTES);
        let mut seed = [0; 32];
        let iterations = NonZeroU32::new(2_048).unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, iterations, &[3; SALT_BYTES], b"geheim", &mut seed);
        let signature = ed25519_dalek::Signature::from_slice(signature).unwrap();
        let signed = [[7; NONCE_BYTES].as_slice(), nonce].concat();
        let public = SigningKey::from_bytes(&seed).verifying_key();
        assert!(public.verify_strict(&signed, &signature).is_ok());
        let other = parsec(&secret("geheim"), &[7; NONCE_BYTES], &salted).unwrap();
        assert_ne!(other[..NONCE_BYTES], answer[..NONCE_BYTES]);
        for wrong in [
            &salted[..19],
            b"",
            &[b"Q\x01".as_slice(), &salted[2..]].concat(),
            &[b"P\x04".as_slice(), &salted[2..]].concat(),
        ] {
            assert!(parsec(&secret("geheim"), &[7; NONCE_BYTES], wrong).is_err());
        }
    }
}
