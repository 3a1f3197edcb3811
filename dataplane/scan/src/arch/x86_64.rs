//! Kernels for x86-64: AVX2, and AVX-512 with byte instructions.
//!
//! A value of the type `Avx2` or `Avx512` exists only where the processor has the instructions; so holding one is what
//! makes the calls sound.

use super::all::{BLOCK, Batch, CHUNK, Masks, kernel};
use std::arch::x86_64::*;

/// This processor has AVX2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Where the processor has it.
    pub(super) fn detect() -> Option<Avx2> {
        is_x86_feature_detected!("avx2").then_some(Avx2(()))
    }

    /// Fills the next batch.
    pub(super) fn next(self, bytes: &[u8], batch: &mut Batch, loose: bool) {
        // SAFETY: `self` shows that the processor has AVX2, all that these functions ask for.
        unsafe { if loose { scan_avx2::<true>(bytes, batch) } else { scan_avx2::<false>(bytes, batch) } }
    }
}

/// This processor has AVX-512 F and BW.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Where the processor has it.
    pub(super) fn detect() -> Option<Avx512> {
        let has = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        has.then_some(Avx512(()))
    }

    /// Fills the next batch.
    pub(super) fn next(self, bytes: &[u8], batch: &mut Batch, loose: bool) {
        // SAFETY: `self` shows that the processor has AVX-512 F and BW, all that these functions ask for.
        unsafe { if loose { scan_avx512::<true>(bytes, batch) } else { scan_avx512::<false>(bytes, batch) } }
    }
}

kernel!(
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    scan_avx2,
    classify_avx2,
    any_digit_avx2
);
kernel!(
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    scan_avx512,
    classify_avx512,
    any_digit_avx512
);

#[inline]
#[target_feature(enable = "avx2")]
fn classify_avx2(block: &[u8; BLOCK]) -> Masks {
    let (digits_low, separators_low) = classify_half(block, 0);
    let (digits_high, separators_high) = classify_half(block, 32);
    Masks {
        digits: u64::from(digits_low) | u64::from(digits_high) << 32,
        separators: u64::from(separators_low) | u64::from(separators_high) << 32,
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn classify_half(block: &[u8; BLOCK], at: usize) -> (u32, u32) {
    debug_assert!(at == 0 || at == 32);
    // SAFETY: 32 bytes from 0 or 32 lie within the block of 64; the load asks for no alignment.
    let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().add(at).cast()) };
    let equal = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8));
    // Moved so that the range begins at the least signed byte, one comparison tells whether a byte is in it.
    let within = |low: u8, high: u8| {
        let moved = _mm256_add_epi8(bytes, _mm256_set1_epi8((0x80 - low) as i8));
        _mm256_cmpgt_epi8(_mm256_set1_epi8((0x81 + high - low) as i8), moved)
    };
    let no_break = _mm256_or_si256(equal(0xc2), equal(0xa0));
    let separators = _mm256_or_si256(_mm256_or_si256(within(b'-', b'/'), equal(b' ')), no_break);
    (_mm256_movemask_epi8(within(b'0', b'9')) as u32, _mm256_movemask_epi8(separators) as u32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn any_digit_avx2(chunk: &[u8; CHUNK]) -> bool {
    let (blocks, _) = chunk.as_chunks::<BLOCK>();
    let last = chunk.last_chunk::<BLOCK>();
    blocks.iter().chain(last).fold(0, |any, block| any | classify_avx2(block).digits) != 0
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn any_digit_avx512(chunk: &[u8; CHUNK]) -> bool {
    let (blocks, _) = chunk.as_chunks::<BLOCK>();
    let last = chunk.last_chunk::<BLOCK>();
    blocks.iter().chain(last).fold(0, |any, block| any | classify_avx512(block).digits) != 0
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn classify_avx512(block: &[u8; BLOCK]) -> Masks {
    // SAFETY: the block has 64 bytes; the load asks for no alignment.
    let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
    let equal = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8));
    let within = |low: u8, high: u8| {
        let moved = _mm512_sub_epi8(bytes, _mm512_set1_epi8(low as i8));
        _mm512_cmple_epu8_mask(moved, _mm512_set1_epi8((high - low) as i8))
    };
    Masks {
        digits: within(b'0', b'9'),
        separators: within(b'-', b'/') | equal(b' ') | equal(0xc2) | equal(0xa0),
    }
}
