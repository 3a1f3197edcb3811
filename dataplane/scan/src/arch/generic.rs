//! The portable kernel: eight bytes at a time in a plain register.

use super::all::{BLOCK, Batch, CHUNK, Masks, kernel};

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f * ONES;

/// Fills the next batch.
pub(super) fn next(bytes: &[u8], batch: &mut Batch, loose: bool) {
    if loose { scan::<true>(bytes, batch) } else { scan::<false>(bytes, batch) }
}

kernel!(scan, classify, any_digit);

fn any_digit(chunk: &[u8; CHUNK]) -> bool {
    chunk.iter().fold(false, |any, byte| any | byte.is_ascii_digit())
}

#[inline(always)]
fn classify(block: &[u8; BLOCK]) -> Masks {
    let mut masks = Masks { digits: 0, separators: 0 };
    let (words, _) = block.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let separators = between(word, b'-', b'/') | between(word, b' ', b' ') | no_break_space(word);
        masks.digits |= gather(between(word, b'0', b'9')) << (8 * place);
        masks.separators |= gather(separators) << (8 * place);
    }
    masks
}

/// The top bit of each byte from `low` to `high`, both ASCII.
#[inline(always)]
fn between(word: u64, low: u8, high: u8) -> u64 {
    let ascii = word & LOW;
    let at_least = ascii + u64::from(0x80 - low) * ONES;
    let more = ascii + u64::from(0x7f - high) * ONES;
    at_least & !more & !word & !LOW
}

/// The top bit of each byte 0xC2 or 0xA0.
#[inline(always)]
fn no_break_space(word: u64) -> u64 {
    (between(word ^ !LOW, 0x42, 0x42) | between(word ^ !LOW, 0x20, 0x20)) & !LOW
}

/// The eight top bits, put together.
#[inline(always)]
fn gather(tops: u64) -> u64 {
    ((tops >> 7 & ONES).wrapping_mul(0x0102_0408_1020_4080)) >> 56
}
