//! Watches COPY data on their way to the target for what a mask has made: such a value would take a card number's place.
//! What lies across the end of a part is seen with the next. Leaves out what becomes of the COPY (`session.rs`).

use scan::MASKED_BYTES_MAX;

use crate::masker::Masker;

/// How a COPY stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stand {
    #[default]
    Clean,
    /// A masked number has been seen; the target does not know yet.
    Seen,
    /// The target has been told that the COPY fails.
    Failed,
}

/// One COPY's watch.
pub(crate) struct Back {
    pub(crate) stand: Stand,
    /// The last bytes that have gone by, at the end.
    tail: [u8; MASKED_BYTES_MAX],
    length: usize,
}

impl Default for Back {
    fn default() -> Self {
        Self { stand: Stand::Clean, tail: [0; MASKED_BYTES_MAX], length: 0 }
    }
}

impl Back {
    /// Looks at the next part of the data.
    pub(crate) fn look(&mut self, masker: &Masker, bytes: &[u8]) {
        if self.stand != Stand::Clean {
            return;
        }
        let mut seam = [0; 2 * MASKED_BYTES_MAX];
        let begin = bytes.get(..bytes.len().min(MASKED_BYTES_MAX)).unwrap_or_default();
        let length = self.length + begin.len();
        let seam = seam.get_mut(..length).unwrap_or_default();
        if let Some((tail, rest)) = seam.split_at_mut_checked(self.length) {
            tail.copy_from_slice(self.tail.get(..self.length).unwrap_or_default());
            rest.copy_from_slice(begin);
        }
        // What touches the end may go on.
        let ends_inside = |text: &[u8]| {
            masker.scanner.find_masked(text, masker.format).is_some_and(|found| found.end < text.len())
        };
        if self.length > 0 && ends_inside(seam) || ends_inside(bytes) {
            self.stand = Stand::Seen;
            return;
        }
        let source = if bytes.len() >= MASKED_BYTES_MAX { bytes } else { &*seam };
        let kept = source.get(source.len().saturating_sub(MASKED_BYTES_MAX)..).unwrap_or_default();
        self.length = kept.len();
        if let Some(tail) = self.tail.get_mut(..kept.len()) {
            tail.copy_from_slice(kept);
        }
    }

    /// The data have ended.
    pub(crate) fn end(&mut self, masker: &Masker) {
        let tail = self.tail.get(..self.length).unwrap_or_default();
        if self.stand == Stand::Clean && masker.scanner.find_masked(tail, masker.format).is_some() {
            self.stand = Stand::Seen;
        }
    }
}
