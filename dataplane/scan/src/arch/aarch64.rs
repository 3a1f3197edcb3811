//! The kernel for 64-bit Arm: NEON.

use super::all::{BLOCK, Batch, CHUNK, Lanes, Masks, apart, classes, every_block, kernel};
use std::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

/// This processor has NEON. A value exists only where it has; so holding one is what makes the calls sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Neon(());

impl Neon {
    /// Where the processor has it.
    pub(super) fn detect() -> Option<Neon> {
        is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }

    /// Fills the next batch.
    pub(super) fn next(self, bytes: &[u8], batch: &mut Batch, loose: bool) {
        // SAFETY: `self` shows that the processor has NEON, all that these functions ask for.
        unsafe { if loose { scan::<true>(bytes, batch) } else { scan::<false>(bytes, batch) } }
    }
}

kernel!(
    #[target_feature(enable = "neon")]
    scan,
    chunks,
    look,
    classify,
    fill,
    leads,
    beyond_ascii,
    any_digit,
    any_high
);

#[inline]
#[target_feature(enable = "neon")]
fn quarters(block: &[u8; BLOCK]) -> [uint8x16_t; 4] {
    let at = block.as_ptr();
    // SAFETY: 16 bytes from 0, 16, 32 and 48 lie within the block of 64; the loads ask for no alignment.
    unsafe { [vld1q_u8(at), vld1q_u8(at.add(16)), vld1q_u8(at.add(32)), vld1q_u8(at.add(48))] }
}

/// One bit for each byte of which all bits are set; no byte may have only some.
#[inline]
#[target_feature(enable = "neon")]
fn gather(flags: [uint8x16_t; 4]) -> u64 {
    let weights = vreinterpretq_u8_u64(vdupq_n_u64(0x8040_2010_0804_0201));
    let [a, b, c, d] = flags.map(|flags| vandq_u8(flags, weights));
    let eighths = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(eighths, eighths)))
}

#[inline]
#[target_feature(enable = "neon")]
fn table(entries: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the table has the 16 bytes that are read; the load asks for no alignment.
    unsafe { vld1q_u8(entries.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn classify(block: &[u8; BLOCK]) -> Masks {
    let (low, high) = (table(&classes::LOW_NIBBLES), table(&classes::HIGH_NIBBLES));
    let found = quarters(block).map(|bytes| {
        let low = vqtbl1q_u8(low, vandq_u8(bytes, vdupq_n_u8(0x0f)));
        vandq_u8(low, vqtbl1q_u8(high, vshrq_n_u8::<4>(bytes)))
    });
    let of = |class: u8| gather(found.map(|found| vtstq_u8(found, vdupq_n_u8(class))));
    Masks { digits: of(classes::DIGIT), separators: of(classes::SEPARATOR), commas: of(classes::COMMA) }
}

#[inline]
#[target_feature(enable = "neon")]
fn fill(chunk: &[u8; CHUNK], _ascii: bool, lanes: &mut Lanes) {
    every_block!(chunk, |place, block| lanes.set(place, classify(block)));
}

#[inline]
#[target_feature(enable = "neon")]
fn leads(block: &[u8; BLOCK]) -> u64 {
    gather(quarters(block).map(|bytes| {
        let equal = |byte: u8| vceqq_u8(bytes, vdupq_n_u8(byte));
        vorrq_u8(vorrq_u8(equal(0xef), equal(0xe0)), vorrq_u8(equal(0xd9), equal(0xdb)))
    }))
}

#[inline]
#[target_feature(enable = "neon")]
fn beyond_ascii(block: &[u8; BLOCK]) -> u64 {
    gather(quarters(block).map(|bytes| vcltzq_s8(vreinterpretq_s8_u8(bytes))))
}

#[inline]
#[target_feature(enable = "neon")]
fn any_digit(chunk: &[u8; CHUNK]) -> bool {
    let least = apart(chunk)
        .flat_map(|block| quarters(block))
        .fold(vdupq_n_u8(0xff), |least, bytes| vminq_u8(least, vsubq_u8(bytes, vdupq_n_u8(b'0'))));
    vminvq_u8(least) < 10
}

#[inline]
#[target_feature(enable = "neon")]
fn any_high(chunk: &[u8; CHUNK]) -> bool {
    let most = apart(chunk)
        .flat_map(|block| quarters(block))
        .fold(vdupq_n_u8(0), |most, bytes| vmaxq_u8(most, bytes));
    vmaxvq_u8(most) >= 0x80
}
