//! C2SP signed notes (c2sp.org/signed-note) with Ed25519 keys: the text forms of keys, signing, and opening a note
//! with the one key that is trusted. Leaves out what the text says (checkpoint.rs) and every other signature type.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of one note at the most.
pub const NOTE_BYTES_MAX: usize = 16 << 10;
/// Signature lines of one note at the most.
pub const SIGNATURES_MAX: usize = 16;

const ED25519: u8 = 1;
const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// Why a key or a note is refused. Says nothing of a key's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A key's name is empty or holds a space or a plus sign.
    #[error("a key's name must not be empty nor hold spaces or '+'")]
    BadName,
    /// The text is not a key in note form, or not of Ed25519.
    #[error("not an Ed25519 key in signed-note form")]
    BadKey,
    /// The hash in a key's text is not that of its name and key.
    #[error("the key's hash does not fit its name and key")]
    KeyHashMismatch,
    /// The system has no random numbers.
    #[error("no random numbers from the system")]
    NoRandom,
    /// The bytes are not in the form of a signed note.
    #[error("not in the form of a signed note")]
    Malformed,
    /// Longer than [`NOTE_BYTES_MAX`], or more than [`SIGNATURES_MAX`] signatures.
    #[error("the note is too large")]
    TooLarge,
    /// No signature by the trusted key.
    #[error("not signed by the trusted key")]
    NotSigned,
    /// A signature in the trusted key's name does not verify.
    #[error("the signature does not verify")]
    BadSignature,
}

/// What signs notes: a named Ed25519 key. Text form `PRIVATE+KEY+name+hash+base64`; wiped from memory when dropped.
#[derive(Clone)]
pub struct SignerKey {
    key: SigningKey,
    verifier: VerifierKey,
}

/// What notes are checked with. Text form `name+hash+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl SignerKey {
    /// A new random key.
    pub fn generate(name: &str) -> Result<Self, NoteError> {
        let mut seed = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(seed.as_mut()).map_err(|_| NoteError::NoRandom)?;
        Self::from_seed(name, &seed)
    }

    /// The key that `seed` determines (RFC 8032).
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// The text form, a secret.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(vec![ED25519]);
        bytes.extend_from_slice(self.key.as_bytes());
        let body = Zeroizing::new(STANDARD.encode(&*bytes));
        let VerifierKey { name, id, .. } = &self.verifier;
        Zeroizing::new(format!("{PRIVATE_PREFIX}{name}+{:08x}+{}", u32::from_be_bytes(*id), *body))
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Bytes of the note that signing a text of `text_bytes` makes.
    pub fn note_bytes(&self, text_bytes: usize) -> usize {
        // Blank line, dash and space, name, space, base64 of 4 + 64 bytes, newline.
        text_bytes + 1 + SIGNATURE_PREFIX.len() + self.verifier.name.len() + 1 + 92 + 1
    }

    /// Signs `text`, which must end in a newline: the whole note, one signature line.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        if !is_note_text(text) {
            return Err(NoteError::Malformed);
        }
        let mut signature = [0; 68];
        let (id, body) = signature.split_at_mut(4);
        id.copy_from_slice(&self.verifier.id);
        body.copy_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        Ok(format!("{text}\n{SIGNATURE_PREFIX}{} {}\n", self.verifier.name, STANDARD.encode(signature)))
    }
}

impl FromStr for SignerKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let rest = text.trim_end().strip_prefix(PRIVATE_PREFIX).ok_or(NoteError::BadKey)?;
        let (name, id, seed) = parse_key(rest)?;
        let signer = Self::from_seed(name, &seed)?;
        if signer.verifier.id != id {
            return Err(NoteError::KeyHashMismatch);
        }
        Ok(signer)
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SignerKey({})", self.verifier.name)
    }
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, NoteError> {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(NoteError::BadName);
        }
        let hash = Sha256::new_with_prefix(name).chain_update([b'\n', ED25519]).chain_update(key).finalize();
        let id = hash.first_chunk().copied().unwrap_or_default();
        Ok(Self { name: name.to_owned(), id, key })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note that this key has signed. Signatures by other keys are ignored, as the format asks for;
    /// a signature in this key's name that does not verify refuses the note.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        self.check(note).map(|(text, _)| text)
    }

    /// As [`VerifierKey::open`], and the note must hold nothing but the text and this key's one signature.
    pub fn open_sole<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        match self.check(note)? {
            (text, 1) => Ok(text),
            _ => Err(NoteError::Malformed),
        }
    }

    /// The text and the number of signature lines.
    fn check<'a>(&self, note: &'a str) -> Result<(&'a str, usize), NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLarge);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, rest) = note.split_at_checked(split + 1).ok_or(NoteError::Malformed)?;
        let lines =
            rest.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n')).ok_or(NoteError::Malformed)?;
        if !is_note_text(text) {
            return Err(NoteError::Malformed);
        }
        let (mut signed, mut count) = (false, 0);
        for line in lines.split('\n') {
            count += 1;
            if count > SIGNATURES_MAX {
                return Err(NoteError::TooLarge);
            }
            signed |= self.check_line(text, line)?;
        }
        if signed { Ok((text, count)) } else { Err(NoteError::NotSigned) }
    }

    /// Whether this line is this key's, and if so its signature right.
    fn check_line(&self, text: &str, line: &str) -> Result<bool, NoteError> {
        let line = line.strip_prefix(SIGNATURE_PREFIX).ok_or(NoteError::Malformed)?;
        let (name, signature) = line.split_once(' ').ok_or(NoteError::Malformed)?;
        let signature = STANDARD.decode(signature).map_err(|_| NoteError::Malformed)?;
        let (id, signature) = signature.split_first_chunk::<4>().ok_or(NoteError::Malformed)?;
        if name.is_empty() || signature.is_empty() {
            return Err(NoteError::Malformed);
        }
        if name != self.name || *id != self.id {
            return Ok(false);
        }
        let signature = Signature::from_slice(signature).map_err(|_| NoteError::BadSignature)?;
        self.key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::BadSignature)?;
        Ok(true)
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, id, key) = parse_key(text.trim_end())?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| NoteError::BadKey)?;
        let verifier = Self::new(name, key)?;
        if verifier.id != id {
            return Err(NoteError::KeyHashMismatch);
        }
        Ok(verifier)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(out, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), STANDARD.encode(bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "VerifierKey({self})")
    }
}

/// Name, hash and key.
type KeyParts<'a> = (&'a str, [u8; 4], Zeroizing<[u8; 32]>);

/// Splits `name+hash+base64(type || 32 bytes)`.
fn parse_key(text: &str) -> Result<KeyParts<'_>, NoteError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::BadKey);
    };
    if id.len() != 8 || !id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(NoteError::BadKey);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| NoteError::BadKey)?.to_be_bytes();
    let bytes = Zeroizing::new(STANDARD.decode(body).map_err(|_| NoteError::BadKey)?);
    match bytes.split_first() {
        Some((&ED25519, key)) => {
            Ok((name, id, Zeroizing::new(key.try_into().map_err(|_| NoteError::BadKey)?)))
        }
        _ => Err(NoteError::BadKey),
    }
}

/// Not empty, ends in a newline, no control characters but newlines.
fn is_note_text(text: &str) -> bool {
    text.ends_with('\n') && !text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> SignerKey {
        SignerKey::from_seed("example.com/a", &[7; 32]).unwrap()
    }

    #[test]
    fn the_specification_s_example_verifies() {
        let key: VerifierKey =
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let note = format!(
            "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        );
        assert_eq!(key.open(&note), Ok(text));
        assert_eq!(key.name(), "PeterNeumann");
    }

    #[test]
    fn keys_come_back_from_their_text() {
        let signer = signer();
        let text = signer.to_text();
        assert!(text.starts_with("PRIVATE+KEY+example.com/a+"));
        let again: SignerKey = text.parse().unwrap();
        assert_eq!(again.verifier(), signer.verifier());
        assert_eq!(signer.verifier().to_string().parse::<VerifierKey>().as_ref(), Ok(signer.verifier()));
        assert_eq!(format!("{signer:?}"), "SignerKey(example.com/a)");
        assert!(SignerKey::generate("x").unwrap().verifier() != SignerKey::generate("x").unwrap().verifier());
    }

    #[test]
    fn bad_keys_are_refused() {
        assert_eq!(SignerKey::generate("a b").unwrap_err(), NoteError::BadName);
        assert_eq!(SignerKey::generate("").unwrap_err(), NoteError::BadName);
        let text = signer().verifier().to_string();
        assert_eq!(text.replace("/a+", "/b+").parse::<VerifierKey>(), Err(NoteError::KeyHashMismatch));
        for bad in ["", "a", "a+b", "a+00000000+", "a+0000000g+AQ==", "a+00000000+AQ=="] {
            assert_eq!(bad.parse::<VerifierKey>(), Err(NoteError::BadKey), "{bad}");
        }
        assert_eq!(text.parse::<SignerKey>().unwrap_err(), NoteError::BadKey);
        let private = signer().to_text().replace("/a+", "/b+");
        assert_eq!(private.parse::<SignerKey>().unwrap_err(), NoteError::KeyHashMismatch);
    }

    #[test]
    fn a_note_opens_with_its_key_alone() {
        let signer = signer();
        let other = SignerKey::from_seed("example.com/b", &[8; 32]).unwrap();
        let note = signer.sign("one\n\ntwo\n").unwrap();
        assert_eq!(signer.verifier().open_sole(&note), Ok("one\n\ntwo\n"));
        assert_eq!(other.verifier().open(&note), Err(NoteError::NotSigned));
        let line = other.sign("one\n\ntwo\n").unwrap().rsplit_once("\n\n").unwrap().1.to_owned();
        let both = format!("{note}{line}");
        assert_eq!(signer.verifier().open(&both), Ok("one\n\ntwo\n"));
        assert_eq!(other.verifier().open(&both), Ok("one\n\ntwo\n"));
        assert_eq!(signer.verifier().open_sole(&both), Err(NoteError::Malformed));
        assert_eq!(signer.sign("no newline"), Err(NoteError::Malformed));
        assert_eq!(signer.sign("control\t\n"), Err(NoteError::Malformed));
    }

    #[test]
    fn bad_notes_are_refused() {
        let signer = signer();
        let key = signer.verifier();
        let note = signer.sign("text\n").unwrap();
        assert_eq!(key.open(&note.replace("text", "tent")), Err(NoteError::BadSignature));
        for bad in
            ["", "\n\n", "text\n", "text\n\nsignature\n", "text\n\n\u{2014} a\n", "text\n\n\u{2014} a AAAA\n"]
        {
            assert_eq!(key.open(bad), Err(NoteError::Malformed), "{bad}");
        }
        assert_eq!(key.open(note.trim_end()), Err(NoteError::Malformed));
        let line = "\u{2014} x AAAAAAA=\n";
        assert_eq!(key.open(&format!("{note}{}", line.repeat(16))), Err(NoteError::TooLarge));
        assert_eq!(key.open(&"x".repeat(NOTE_BYTES_MAX + 1)), Err(NoteError::TooLarge));
    }

    #[test]
    fn every_flipped_bit_of_a_note_is_found() {
        let signer = signer();
        let note = signer.sign("example.com/log\n7\n").unwrap();
        for place in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    assert!(signer.verifier().open_sole(text).is_err(), "byte {place} bit {bit}");
                }
            }
        }
    }
}
