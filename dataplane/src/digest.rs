//! The digest of what has gone to a client of one answer: BLAKE3 of its bytes, whatever pieces they come in. Leaves out
//! which bytes these are. Lives on its shard's core.
//!
//! BLAKE3 takes 16 KiB at once where they begin at a multiple of that, and less and less of what lies askew. So beyond
//! the first bytes of an answer what lies askew is gathered: that costs a copy, and half of the time or less.

use blake3::Hasher;

use crate::limits::DIGEST_PIECE_BYTES;

/// A digest under way; kept between answers, as making one anew costs more.
#[derive(Default)]
pub struct Digest {
    hasher: Hasher,
    /// Bytes that it has been given directly, up to one piece.
    begun: usize,
    /// Of a long answer, the bytes behind the last whole piece.
    askew: Vec<u8>,
}

impl Digest {
    /// Begins the next answer.
    pub fn reset(&mut self) {
        self.hasher.reset();
        self.begun = 0;
        self.askew = Vec::new();
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let (first, mut rest) = bytes.split_at(bytes.len().min(DIGEST_PIECE_BYTES - self.begun));
        self.begun += first.len();
        self.hasher.update(first);
        if rest.is_empty() {
            return;
        }
        if !self.askew.is_empty() {
            let missing = rest.len().min(DIGEST_PIECE_BYTES - self.askew.len());
            let (filling, behind) = rest.split_at(missing);
            self.askew.extend_from_slice(filling);
            rest = behind;
            if self.askew.len() < DIGEST_PIECE_BYTES {
                return;
            }
            self.hasher.update(&self.askew);
            self.askew.clear();
        }
        let (whole, behind) = rest.split_at(rest.len() - rest.len() % DIGEST_PIECE_BYTES);
        self.hasher.update(whole);
        if !behind.is_empty() {
            self.askew.reserve_exact(DIGEST_PIECE_BYTES);
            self.askew.extend_from_slice(behind);
        }
    }

    /// The digest of all bytes since [`Digest::reset`]. What was gathered is given back.
    pub fn finish(&mut self) -> [u8; 32] {
        self.hasher.update(&std::mem::take(&mut self.askew));
        *self.hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_give_the_digest_of_the_whole() {
        let bytes: Vec<u8> = (0..10 * DIGEST_PIECE_BYTES).map(|index| (index % 251) as u8).collect();
        let piece = DIGEST_PIECE_BYTES;
        let mut digest = Digest::default();
        for step in [1, 1000, piece - 1, piece, piece + 1, 3 * piece, 57_000] {
            for length in [0, 1, piece - 1, piece, piece + 1, 2 * piece, 4 * piece + 17, bytes.len()] {
                let bytes = bytes.get(..length).unwrap_or_default();
                digest.reset();
                bytes.chunks(step).for_each(|part| digest.update(part));
                assert_eq!(digest.finish(), *blake3::hash(bytes).as_bytes(), "{length} bytes by {step}");
            }
        }
    }

    #[test]
    fn nothing_is_gathered_of_short_answers_or_kept_of_long_ones() {
        let mut digest = Digest::default();
        digest.update(&[1; DIGEST_PIECE_BYTES]);
        assert_eq!(digest.askew.capacity(), 0);
        digest.update(&[1; DIGEST_PIECE_BYTES + 1]);
        assert_eq!(digest.askew.len(), 1);
        digest.finish();
        assert_eq!(digest.askew.capacity(), 0);
    }
}
