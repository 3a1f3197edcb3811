//! The key that closes the records' contents, and what is derived from it for each frame. AES-256-GCM by aws-lc-rs.
//!
//! Each frame draws a random seed of 256 bits and derives a key of its own from it (HKDF-SHA-256), used for this one
//! frame with the nonce zero: key and nonce never meet twice, whatever was lost or written again before a restart,
//! and no counter has to outlive a crash. A second key of the same seed makes the records' salts.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes that sealing adds.
pub const TAG_BYTES: usize = 16;
/// Bytes of a record's salt.
pub const SALT_BYTES: usize = 16;

const SEAL_INFO: &[u8] = b"pangate evidence v1: seal";
const SALT_INFO: &[u8] = b"pangate evidence v1: salt";

/// Why a key is refused or something does not open. Says nothing of keys or contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// The text is not 32 bytes in base64.
    #[error("not a sealing key: 32 bytes in base64 are due")]
    BadKey,
    /// The system has no random numbers.
    #[error("no random numbers from the system")]
    NoRandom,
    /// Another key, or the bytes were changed.
    #[error("does not open: another sealing key, or changed")]
    NotOpened,
    /// The library refused a derivation or an encryption.
    #[error("the cipher failed")]
    Cipher,
}

/// 32 random bytes; text form base64. Wiped from memory when dropped.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    /// A new random key.
    pub fn generate() -> Result<Self, SealingError> {
        let mut bytes = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| SealingError::NoRandom)?;
        Ok(Self(bytes))
    }

    /// The key of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The text form, a secret.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.0))
    }

    /// The keys of the frame with this seed.
    pub(crate) fn frame(&self, seed: &[u8; 32]) -> Result<FrameKeys, SealingError> {
        let secret = Salt::new(HKDF_SHA256, seed).extract(self.0.as_ref());
        let derive = |info: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            let info = [info];
            let derived =
                secret.expand(&info, HKDF_SHA256).and_then(|key_material| key_material.fill(key.as_mut()));
            derived.map(|()| key).map_err(|_| SealingError::Cipher)
        };
        let seal = derive(SEAL_INFO)?;
        let seal = UnboundKey::new(&AES_256_GCM, seal.as_ref()).map_err(|_| SealingError::Cipher)?;
        Ok(FrameKeys { seal: LessSafeKey::new(seal), salts: derive(SALT_INFO)? })
    }
}

impl FromStr for SealingKey {
    type Err = SealingError;

    fn from_str(text: &str) -> Result<Self, SealingError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim_end()).map_err(|_| SealingError::BadKey)?);
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SealingError::BadKey)?;
        Ok(Self::from_bytes(bytes))
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SealingKey")
    }
}

/// A fresh random seed for one frame.
pub(crate) fn seed() -> Result<[u8; 32], SealingError> {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| SealingError::NoRandom)?;
    Ok(seed)
}

/// What one frame is sealed and salted with.
pub(crate) struct FrameKeys {
    seal: LessSafeKey,
    salts: Zeroizing<[u8; 32]>,
}

impl FrameKeys {
    /// Seals `bytes` in place and appends the tag. `bound` is authenticated with it.
    pub(crate) fn seal(self, bound: &[u8], bytes: &mut Vec<u8>) -> Result<(), SealingError> {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        self.seal.seal_in_place_append_tag(nonce, Aad::from(bound), bytes).map_err(|_| SealingError::Cipher)
    }

    /// Opens what [`FrameKeys::seal`] made, in place; the contents without the tag.
    pub(crate) fn open<'a>(&self, bound: &[u8], bytes: &'a mut [u8]) -> Result<&'a mut [u8], SealingError> {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        self.seal
            .open_in_place(nonce, Aad::from(bound), bytes)
            .map(|open| &mut *open)
            .map_err(|_| SealingError::NotOpened)
    }

    /// The salt of the frame's record `number`: without it, a leaf's hash tells nothing of a guessable record.
    /// A keyed hash over input of one fixed length, cut to half: 41 bytes, one block.
    pub(crate) fn salt(&self, number: u32) -> [u8; SALT_BYTES] {
        let hash =
            Sha256::new_with_prefix(*self.salts).chain_update(u64::from(number).to_le_bytes()).finalize();
        hash.first_chunk().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_text() {
        let key = SealingKey::from_bytes([9; 32]);
        let again: SealingKey = format!("{}\n", *key.to_text()).parse().unwrap();
        assert_eq!(again.0, key.0);
        assert_eq!(format!("{key:?}"), "SealingKey");
        assert_ne!(SealingKey::generate().unwrap().0, SealingKey::generate().unwrap().0);
        for bad in ["", "AAAA", "not base64", &STANDARD.encode([0; 33])] {
            assert_eq!(bad.parse::<SealingKey>().unwrap_err(), SealingError::BadKey);
        }
    }

    #[test]
    fn only_the_same_key_seed_and_bound_bytes_open() {
        let key = SealingKey::from_bytes([1; 32]);
        let mut sealed = b"contents".to_vec();
        key.frame(&[2; 32]).unwrap().seal(b"bound", &mut sealed).unwrap();
        assert_eq!(sealed.len(), 8 + TAG_BYTES);
        let opens = |key: &SealingKey, seed: u8, bound: &[u8], mut bytes: Vec<u8>| {
            key.frame(&[seed; 32]).unwrap().open(bound, &mut bytes).map(|open| open.to_vec())
        };
        assert_eq!(opens(&key, 2, b"bound", sealed.clone()).unwrap(), b"contents");
        assert_eq!(opens(&key, 3, b"bound", sealed.clone()), Err(SealingError::NotOpened));
        assert_eq!(opens(&key, 2, b"other", sealed.clone()), Err(SealingError::NotOpened));
        assert_eq!(
            opens(&SealingKey::from_bytes([2; 32]), 2, b"bound", sealed.clone()),
            Err(SealingError::NotOpened)
        );
        sealed[0] ^= 1;
        assert_eq!(opens(&key, 2, b"bound", sealed), Err(SealingError::NotOpened));
        assert_eq!(opens(&key, 2, b"bound", vec![1; 3]), Err(SealingError::NotOpened));
    }

    #[test]
    fn salts_differ_by_record_and_by_frame() {
        let key = SealingKey::from_bytes([1; 32]);
        let (one, other) = (key.frame(&[2; 32]).unwrap(), key.frame(&[3; 32]).unwrap());
        assert_eq!(one.salt(4), key.frame(&[2; 32]).unwrap().salt(4));
        assert_ne!(one.salt(4), one.salt(5));
        assert_ne!(one.salt(4), other.salt(4));
    }
}
