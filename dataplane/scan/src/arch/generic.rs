//! The portable kernel: eight bytes at a time in a plain register.

use super::all::{BLOCK, Batch, CHUNK, Lanes, Masks, every_block, kernel};

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f * ONES;

/// Fills the next batch.
pub(super) fn next(bytes: &[u8], batch: &mut Batch, loose: bool) {
    if loose { scan::<true>(bytes, batch) } else { scan::<false>(bytes, batch) }
}

kernel!(scan, chunks, look, classify, fill, leads, beyond_ascii, any_digit, any_high);

fn any_digit(chunk: &[u8; CHUNK]) -> bool {
    chunk.iter().fold(false, |any, byte| any | byte.is_ascii_digit())
}

fn any_high(chunk: &[u8; CHUNK]) -> bool {
    chunk.iter().fold(0, |any, byte| any | byte) >= 0x80
}

#[inline(always)]
fn each_word(block: &[u8; BLOCK], tops: impl Fn(u64) -> u64) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let gathered = words.iter().map(|word| gather(tops(u64::from_le_bytes(*word))));
    gathered.rev().fold(0, |mask, byte| mask << 8 | byte)
}

#[inline(always)]
fn classify(block: &[u8; BLOCK]) -> Masks {
    Masks {
        digits: each_word(block, |word| between(word, b'0', b'9')),
        separators: each_word(block, |word| {
            between(word, b'+', b'/')
                | between(word, b' ', b' ')
                | between(word, b'\n', b'\r')
                | between(word, b'%', b'&')
                | between(word, b'\\', b'\\')
                | beyond(word, 0xc2)
                | beyond(word, 0xe2)
                | beyond(word, 0xe3)
                | beyond(word, 0xef)
        }),
        commas: each_word(block, |word| {
            between(word, b',', b',') | between(word, b'\n', b'\r') | between(word, 0, 0)
        }),
    }
}

fn fill(chunk: &[u8; CHUNK], _ascii: bool, lanes: &mut Lanes) {
    every_block!(chunk, |place, block| lanes.set(place, classify(block)));
}

fn leads(block: &[u8; BLOCK]) -> u64 {
    each_word(block, |word| beyond(word, 0xef) | beyond(word, 0xd9) | beyond(word, 0xdb) | beyond(word, 0xe0))
}

fn beyond_ascii(block: &[u8; BLOCK]) -> u64 {
    each_word(block, |word| word & !LOW)
}

/// The top bit of each byte from `low` to `high`, both ASCII.
#[inline(always)]
fn between(word: u64, low: u8, high: u8) -> u64 {
    let ascii = word & LOW;
    let at_least = ascii + u64::from(0x80 - low) * ONES;
    let more = ascii + u64::from(0x7f - high) * ONES;
    at_least & !more & !word & !LOW
}

/// The top bit of each byte that is this one, beyond ASCII.
#[inline(always)]
fn beyond(word: u64, byte: u8) -> u64 {
    between(word ^ !LOW, byte & 0x7f, byte & 0x7f)
}

/// The eight top bits, put together.
#[inline(always)]
fn gather(tops: u64) -> u64 {
    ((tops >> 7 & ONES).wrapping_mul(0x0102_0408_1020_4080)) >> 56
}
