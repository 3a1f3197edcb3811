//! A published key (RFC 7517) -> the form in which the dataplane verifies with it. What is weak, of another use or of
//! another kind is left out, with the reason. Leaves out fetching (keys.rs).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::CoreJsonWebKey;
use policies::link::{Algorithm, VerificationKey};
use serde::Deserialize;

/// Keys of one issuer at the most.
pub const KEYS_MAX: usize = 64;
/// Bytes of a `kid` at the most.
const KEY_ID_BYTES_MAX: usize = 256;
/// RSA keys are of so many bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Smaller public exponents are weak; larger ones than 64 bits are of no use but to burn time.
const RSA_EXPONENT_MIN: u64 = 65_537;

/// Why a key is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// Not for signatures.
    #[error("not for signatures")]
    Use,
    /// Not RSA with RS256, P-256 with ES256 or Ed25519 with EdDSA.
    #[error("of a kind or algorithm that is not accepted")]
    Kind,
    /// Numbers missing, malformed or of the wrong length.
    #[error("malformed")]
    Malformed,
    /// RSA under 2048 bits or over 8192, a public exponent under 65537, or a point of small order.
    #[error("weak")]
    Weak,
    /// `kid` too long.
    #[error("key id too long")]
    KeyId,
}

/// The fields that count, as RFC 7517 and 7518 name them.
#[derive(Deserialize)]
struct Fields {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Converts one key.
pub fn convert(key: &CoreJsonWebKey) -> Result<VerificationKey, KeyRefused> {
    // openidconnect keeps the numbers to itself; its own serialisation is the way to them.
    let fields: Fields =
        serde_json::to_value(key).and_then(serde_json::from_value).map_err(|_| KeyRefused::Malformed)?;
    if fields.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return Err(KeyRefused::Use);
    }
    let (algorithm, material) = match (fields.kty.as_str(), fields.crv.as_deref()) {
        ("RSA", _) => (Algorithm::Rs256, rsa(&fields)?),
        ("EC", Some("P-256")) => (Algorithm::Es256, p256(&fields)?),
        ("OKP", Some("Ed25519")) => (Algorithm::EdDsa, ed25519(&fields)?),
        _ => return Err(KeyRefused::Kind),
    };
    let named = match algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
        Algorithm::EdDsa => "EdDSA",
    };
    if fields.alg.as_deref().is_some_and(|alg| alg != named) {
        return Err(KeyRefused::Kind);
    }
    let id = fields.kid.unwrap_or_default();
    if id.len() > KEY_ID_BYTES_MAX {
        return Err(KeyRefused::KeyId);
    }
    Ok(VerificationKey { id, algorithm, material })
}

fn rsa(fields: &Fields) -> Result<Vec<u8>, KeyRefused> {
    let (modulus, exponent) = (number(fields.n.as_deref())?, number(fields.e.as_deref())?);
    let (Some(first), Some(last)) = (modulus.first(), modulus.last()) else {
        return Err(KeyRefused::Malformed);
    };
    let bits = modulus.len() * 8 - first.leading_zeros() as usize;
    let small = exponent.len() > 8
        || exponent.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)) < RSA_EXPONENT_MIN;
    let odd = |byte: Option<&u8>| byte.is_some_and(|byte| byte % 2 == 1);
    if !RSA_BITS.contains(&bits) || small || !odd(exponent.last()) || !odd(Some(last)) {
        return Err(KeyRefused::Weak);
    }
    let mut body = Vec::new();
    integer(&mut body, &modulus);
    integer(&mut body, &exponent);
    let mut der = vec![0x30];
    length(&mut der, body.len());
    der.extend_from_slice(&body);
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &der).map_err(|_| KeyRefused::Malformed)?;
    Ok(der)
}

fn p256(fields: &Fields) -> Result<Vec<u8>, KeyRefused> {
    let mut point = vec![4];
    for coordinate in [&fields.x, &fields.y] {
        let bytes = bytes(coordinate.as_deref())?;
        if bytes.len() != 32 {
            return Err(KeyRefused::Malformed);
        }
        point.extend_from_slice(&bytes);
    }
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(|_| KeyRefused::Malformed)?;
    Ok(point)
}

fn ed25519(fields: &Fields) -> Result<Vec<u8>, KeyRefused> {
    let bytes = bytes(fields.x.as_deref())?;
    let encoded: [u8; 32] = bytes.as_slice().try_into().map_err(|_| KeyRefused::Malformed)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&encoded).map_err(|_| KeyRefused::Malformed)?;
    if key.is_weak() { Err(KeyRefused::Weak) } else { Ok(bytes) }
}

fn bytes(text: Option<&str>) -> Result<Vec<u8>, KeyRefused> {
    URL_SAFE_NO_PAD.decode(text.unwrap_or_default()).map_err(|_| KeyRefused::Malformed)
}

/// A big-endian number without leading zeroes, not 0.
fn number(text: Option<&str>) -> Result<Vec<u8>, KeyRefused> {
    let bytes = bytes(text)?;
    let zeroes = bytes.iter().take_while(|byte| **byte == 0).count();
    match bytes.get(zeroes..) {
        Some(number) if !number.is_empty() => Ok(number.to_vec()),
        _ => Err(KeyRefused::Malformed),
    }
}

/// DER's INTEGER, positive.
fn integer(der: &mut Vec<u8>, number: &[u8]) {
    let sign = number.first().is_some_and(|first| first & 0x80 != 0);
    der.push(2);
    length(der, number.len() + usize::from(sign));
    if sign {
        der.push(0);
    }
    der.extend_from_slice(number);
}

/// DER's length, definite form.
fn length(der: &mut Vec<u8>, length: usize) {
    if length < 0x80 {
        der.push(length as u8);
        return;
    }
    let bytes = length.to_be_bytes();
    let zeroes = bytes.iter().take_while(|byte| **byte == 0).count();
    der.push(0x80 | (bytes.len() - zeroes) as u8);
    der.extend_from_slice(bytes.get(zeroes..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RsaKeyPair, UnparsedPublicKey,
    };
    use serde_json::{Value, json};

    use super::*;

    fn text(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn try_convert(value: Value) -> Result<VerificationKey, KeyRefused> {
        convert(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn an_rsa_key_verifies_after_conversion() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        // RSAPublicKey of 2048 bits: SEQUENCE (4 bytes), INTEGER (4), its sign, modulus, INTEGER (2), exponent.
        let der = pair.public_key().as_ref().to_vec();
        let (n, e) = (text(&der[9..265]), text(&der[267..]));
        let key = try_convert(json!({"kty": "RSA", "kid": "a", "use": "sig", "n": n, "e": e})).unwrap();
        assert_eq!((key.id.as_str(), key.algorithm, &key.material), ("a", Algorithm::Rs256, &der));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"claims", &mut signature).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key.material)
            .verify(b"claims", &signature)
            .unwrap();
    }

    #[test]
    fn a_p256_key_verifies_after_conversion() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref().to_vec();
        let key = try_convert(
            json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "x": text(&point[1..33]), "y": text(&point[33..])}),
        )
        .unwrap();
        assert_eq!((key.algorithm, key.material), (Algorithm::Es256, point));
    }

    #[test]
    fn an_ed25519_key_is_its_32_bytes() {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = pair.public_key().as_ref().to_vec();
        let key = try_convert(json!({"kty": "OKP", "crv": "Ed25519", "x": text(&public)})).unwrap();
        assert_eq!((key.algorithm, key.material), (Algorithm::EdDsa, public));
    }

    #[test]
    fn weak_keys_are_refused() {
        let rsa = |n: &[u8], e: &[u8]| try_convert(json!({"kty": "RSA", "n": text(n), "e": text(e)}));
        assert_eq!(rsa(&[0xff; 128], &[1, 0, 1]), Err(KeyRefused::Weak));
        assert_eq!(rsa(&[0xff; 1025], &[1, 0, 1]), Err(KeyRefused::Weak));
        assert_eq!(rsa(&[0xff; 256], &[3]), Err(KeyRefused::Weak));
        assert_eq!(rsa(&[0xff; 256], &[1, 0, 0, 0, 0, 0, 0, 0, 1]), Err(KeyRefused::Weak));
        assert_eq!(rsa(&[0xfe; 256], &[1, 0, 1]), Err(KeyRefused::Weak));
        let mut identity = [0; 32];
        identity[0] = 1;
        let small = try_convert(json!({"kty": "OKP", "crv": "Ed25519", "x": text(&identity)}));
        assert_eq!(small, Err(KeyRefused::Weak));
    }

    #[test]
    fn what_is_malformed_or_of_another_kind_is_refused() {
        let p256 = |x: &[u8]| json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(&[1; 32])});
        assert_eq!(try_convert(p256(&[1; 32])), Err(KeyRefused::Malformed), "not on the curve");
        assert_eq!(try_convert(p256(&[1; 31])), Err(KeyRefused::Malformed));
        assert_eq!(try_convert(json!({"kty": "RSA", "e": "AQAB"})), Err(KeyRefused::Malformed));
        let used = json!({"kty": "OKP", "crv": "Ed25519", "use": "enc", "x": text(&[7; 32])});
        assert_eq!(try_convert(used), Err(KeyRefused::Use));
        let other = json!({"kty": "EC", "crv": "P-384", "x": text(&[1; 48]), "y": text(&[1; 48])});
        assert_eq!(try_convert(other), Err(KeyRefused::Kind));
        let pair = Ed25519KeyPair::generate().unwrap();
        let x = text(pair.public_key().as_ref());
        let long = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k".repeat(257), "x": x});
        assert_eq!(try_convert(long), Err(KeyRefused::KeyId));
        let other = json!({"kty": "OKP", "crv": "Ed25519", "alg": "RS256", "x": x});
        assert_eq!(try_convert(other), Err(KeyRefused::Kind));
    }
}
