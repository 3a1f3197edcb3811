//! C2SP checkpoints (c2sp.org/tlog-checkpoint): the signed head of one log. Origin, size and root, nothing else:
//! extension lines are refused, as they are not part of the tree.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::merkle::Hash;
use crate::note::{NoteError, SignerKey, VerifierKey};

/// Bytes of an origin at the most.
pub const ORIGIN_BYTES_MAX: usize = 512;

/// The head of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name: one line, not empty.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// The tree's root.
    pub root: Hash,
}

/// Why a checkpoint is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Signed, but not the text of a checkpoint.
    #[error("not the text of a checkpoint")]
    Malformed,
}

impl Checkpoint {
    /// The signed note.
    pub fn sign(&self, key: &SignerKey) -> Result<String, CheckpointError> {
        if !is_origin(&self.origin) {
            return Err(CheckpointError::Malformed);
        }
        Ok(key.sign(&self.text())?)
    }

    /// Opens a note that must be signed by `key`; further signatures (witnesses') may stand beside it.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        Self::parse(key.open(note)?)
    }

    /// As [`Checkpoint::open`], with no signature but `key`'s: one checkpoint has one form.
    pub fn open_sole(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        Self::parse(key.open_sole(note)?)
    }

    /// Bytes of the note's text where the log had `size` leaves.
    pub(crate) fn text_bytes(&self, size: u64) -> usize {
        Self { origin: self.origin.clone(), size, root: self.root }.text().len()
    }

    fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Malformed);
        };
        let root = STANDARD.decode(root).ok().and_then(|root| Hash::try_from(root).ok());
        let (Ok(size), Some(root)) = (size.parse(), root) else {
            return Err(CheckpointError::Malformed);
        };
        let checkpoint = Self { origin: origin.to_owned(), size, root };
        // Signs, leading zeroes and the like: what is not written the one way is refused.
        if !is_origin(origin) || checkpoint.text() != text {
            return Err(CheckpointError::Malformed);
        }
        Ok(checkpoint)
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }
}

/// Whether this may name a log: one line of at most [`ORIGIN_BYTES_MAX`] bytes without spaces, controls or `+`.
pub fn is_origin(origin: &str) -> bool {
    !origin.is_empty()
        && origin.len() <= ORIGIN_BYTES_MAX
        && !origin.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_opens_as_it_was_signed() {
        let key = SignerKey::from_seed("example.com/key", &[1; 32]).unwrap();
        let checkpoint = Checkpoint { origin: "example.com/log/0".into(), size: 0, root: [3; 32] };
        let note = checkpoint.sign(&key).unwrap();
        assert!(note.starts_with("example.com/log/0\n0\nAwMD"));
        assert_eq!(Checkpoint::open(&note, key.verifier()).as_ref(), Ok(&checkpoint));
        assert_eq!(Checkpoint::open_sole(&note, key.verifier()), Ok(checkpoint));
    }

    #[test]
    fn what_is_not_the_one_form_is_refused() {
        let key = SignerKey::from_seed("example.com/key", &[1; 32]).unwrap();
        let root = STANDARD.encode([3; 32]);
        let opens = |text: &str| Checkpoint::open(&key.sign(text).unwrap(), key.verifier());
        assert!(opens(&format!("log\n12\n{root}\n")).is_ok());
        for bad in [
            "log\n".to_owned(),
            format!("log\n12\n{root}\nextension\n"),
            format!("log\n012\n{root}\n"),
            format!("log\n+12\n{root}\n"),
            format!("log\n-1\n{root}\n"),
            format!("log\n18446744073709551616\n{root}\n"),
            format!("\n12\n{root}\n"),
            format!("a log\n12\n{root}\n"),
            "log\n12\nAwMD\n".to_owned(),
            format!("{}\n12\n{root}\n", "x".repeat(ORIGIN_BYTES_MAX + 1)),
        ] {
            assert_eq!(opens(&bad), Err(CheckpointError::Malformed), "{bad}");
        }
        let unnamed = Checkpoint { origin: String::new(), size: 0, root: [0; 32] };
        assert_eq!(unnamed.sign(&key), Err(CheckpointError::Malformed));
        assert_eq!(Checkpoint::open("x\n", key.verifier()), Err(CheckpointError::Note(NoteError::Malformed)));
    }
}
