//! Kernels for x86-64: AVX2, AVX-512 with byte instructions, and the same with look-ups among all of ASCII (VBMI).
//!
//! A value of the type `Avx2`, `Avx512` or `Vbmi` exists only where the processor has the instructions; so holding one is what
//! makes the calls sound.

use super::all::{BATCH, BLOCK, Batch, CHUNK, Lanes, Masks, apart, classes, every_block, kernel};
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

/// This processor has AVX-512 F, BW and VBMI, and GFNI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vbmi(());

impl Vbmi {
    /// Where the processor has it.
    pub(super) fn detect() -> Option<Vbmi> {
        let has = is_x86_feature_detected!("avx512vbmi") && is_x86_feature_detected!("gfni");
        Avx512::detect().filter(|_| has).map(|_| Vbmi(()))
    }

    /// Fills the next batch.
    pub(super) fn next(self, bytes: &[u8], batch: &mut Batch, loose: bool) {
        // SAFETY: `self` shows that the processor has AVX-512 F, BW and VBMI, and GFNI, all that these functions ask for.
        unsafe { if loose { scan_vbmi::<true>(bytes, batch) } else { scan_vbmi::<false>(bytes, batch) } }
    }
}

kernel!(
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    scan_avx2,
    chunks_avx2,
    look_avx2,
    classify_avx2,
    fill_avx2,
    leads_avx2,
    beyond_avx2,
    digit_avx2,
    high_avx2
);
kernel!(
    #[target_feature(enable = "avx512f,avx512bw,bmi1,bmi2,lzcnt,popcnt")]
    scan_avx512,
    chunks_avx512,
    look_avx512,
    classify_avx512,
    fill_avx512,
    leads_avx512,
    beyond_avx512,
    digit_avx512,
    high_avx512
);
kernel!(
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni,bmi1,bmi2,lzcnt,popcnt")]
    scan_vbmi,
    chunks_vbmi,
    look_vbmi,
    classify_avx512,
    fill_vbmi,
    leads_avx512,
    beyond_avx512,
    digit_avx512,
    high_avx512
);

#[inline]
#[target_feature(enable = "avx2")]
fn halves(block: &[u8; BLOCK]) -> [__m256i; 2] {
    let at = block.as_ptr();
    // SAFETY: 32 bytes from 0 and from 32 lie within the block of 64; the loads ask for no alignment.
    unsafe { [_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(32).cast())] }
}

/// The top bits of 64 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn tops([low, high]: [__m256i; 2]) -> u64 {
    u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal_avx2(bytes: __m256i, byte: u8) -> __m256i {
    _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8))
}

/// The bytes from `low` to `high`: moved so that the range begins at the least signed byte, one comparison tells.
#[inline]
#[target_feature(enable = "avx2")]
fn within_avx2(bytes: __m256i, low: u8, high: u8) -> __m256i {
    let moved = _mm256_add_epi8(bytes, _mm256_set1_epi8((0x80 - low) as i8));
    _mm256_cmpgt_epi8(_mm256_set1_epi8((0x81 + high - low) as i8), moved)
}

/// The bytes whose bits under `mask` are those of `byte`: several at the price of one.
#[inline]
#[target_feature(enable = "avx2")]
fn alike_avx2(bytes: __m256i, mask: u8, byte: u8) -> __m256i {
    equal_avx2(_mm256_and_si256(bytes, _mm256_set1_epi8(mask as i8)), byte)
}

#[inline]
#[target_feature(enable = "avx2")]
fn classify_avx2(block: &[u8; BLOCK]) -> Masks {
    let halves = halves(block);
    let separators = halves.map(|bytes| {
        let ascii = _mm256_or_si256(within_avx2(bytes, b'+', b'/'), alike_avx2(bytes, SPACES.0, SPACES.1));
        let beyond = _mm256_or_si256(alike_avx2(bytes, WIDE.0, WIDE.1), equal_avx2(bytes, 0xef));
        let ascii = _mm256_or_si256(ascii, equal_avx2(bytes, b'\\'));
        _mm256_or_si256(_mm256_or_si256(ascii, alike_avx2(bytes, LINES.0, LINES.1)), beyond)
    });
    Masks {
        digits: tops(halves.map(|bytes| within_avx2(bytes, b'0', b'9'))),
        separators: tops(separators),
        commas: tops(halves.map(|bytes| {
            let lines = _mm256_or_si256(equal_avx2(bytes, b','), alike_avx2(bytes, LINES.0, LINES.1));
            _mm256_or_si256(lines, equal_avx2(bytes, 0))
        })),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn fill_avx2(chunk: &[u8; CHUNK], _ascii: bool, lanes: &mut Lanes) {
    every_block!(chunk, |place, block| lanes.set(place, classify_avx2(block)));
}

#[inline]
#[target_feature(enable = "avx2")]
fn leads_avx2(block: &[u8; BLOCK]) -> u64 {
    tops(halves(block).map(|bytes| {
        let three = _mm256_or_si256(equal_avx2(bytes, 0xef), equal_avx2(bytes, 0xe0));
        _mm256_or_si256(three, alike_avx2(bytes, ARABIC.0, ARABIC.1))
    }))
}

#[inline]
#[target_feature(enable = "avx2")]
fn beyond_avx2(block: &[u8; BLOCK]) -> u64 {
    tops(halves(block))
}

#[inline]
#[target_feature(enable = "avx2")]
fn digit_avx2(chunk: &[u8; CHUNK]) -> bool {
    let any = apart(chunk).fold(_mm256_setzero_si256(), |any, block| {
        let [low, high] = halves(block).map(|bytes| within_avx2(bytes, b'0', b'9'));
        _mm256_or_si256(any, _mm256_or_si256(low, high))
    });
    _mm256_movemask_epi8(any) != 0
}

#[inline]
#[target_feature(enable = "avx2")]
fn high_avx2(chunk: &[u8; CHUNK]) -> bool {
    let any = apart(chunk).fold(_mm256_setzero_si256(), |any, block| {
        let [low, high] = halves(block);
        _mm256_or_si256(any, _mm256_or_si256(low, high))
    });
    _mm256_movemask_epi8(any) != 0
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_avx512(block: &[u8; BLOCK]) -> __m512i {
    // SAFETY: the block has 64 bytes; the load asks for no alignment.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn equal_avx512(bytes: __m512i, byte: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn alike_avx512(bytes: __m512i, mask: u8, byte: u8) -> u64 {
    equal_avx512(_mm512_and_si512(bytes, _mm512_set1_epi8(mask as i8)), byte)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn classify_avx512(block: &[u8; BLOCK]) -> Masks {
    let bytes = load_avx512(block);
    let nibble = _mm512_set1_epi8(0x0f);
    let low = _mm512_shuffle_epi8(table(&classes::LOW_NIBBLES), _mm512_and_si512(bytes, nibble));
    let high = _mm512_shuffle_epi8(
        table(&classes::HIGH_NIBBLES),
        _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), nibble),
    );
    masks_avx512(_mm512_and_si512(low, high))
}

/// Of ASCII each byte's kinds by one look-up; then the bits of eight bytes become bytes of eight bits of a kind, and the
/// bytes of each kind are brought together. Nothing goes through memory in parts, for which a load of the whole would wait.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn fill_vbmi(chunk: &[u8; CHUNK], ascii: bool, lanes: &mut Lanes) {
    if !ascii {
        return fill_avx512(chunk, false, lanes);
    }
    const EACH_BIT: i64 = 0x8040_2010_0804_0201_u64 as i64;
    let each_bit = _mm512_set1_epi64(EACH_BIT);
    let [low, high] = classes::BYTES.each_ref().map(|half| load_avx512(half));
    // Of every eight bytes the first one's bits come to be the highest.
    let kinds = |block| {
        let found = _mm512_permutex2var_epi8(low, load_avx512(block), high);
        _mm512_gf2p8affine_epi64_epi8::<0>(each_bit, found)
    };
    let mut all = [_mm512_setzero_si512(); BATCH];
    let mut left = all.iter_mut();
    every_block!(chunk, |_place, block| left.next().into_iter().for_each(|to| *to = kinds(block)));
    let [a, b, c, d, e, f, g, h] = all;
    let pairs = load_avx512(&PAIRS);
    let pair = |first, second| _mm512_permutex2var_epi8(first, pairs, second);
    let (ab, cd, ef, gh) = (pair(a, b), pair(c, d), pair(e, f), pair(g, h));
    let digits_separators = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    let commas = _mm512_setr_epi64(4, 5, 12, 13, 4, 5, 12, 13);
    let four = |first, kinds, second| _mm512_permutex2var_epi64(first, kinds, second);
    let (fore, aft) = (four(ab, digits_separators, cd), four(ef, digits_separators, gh));
    let first_half = _mm512_setr_epi64(0, 1, 2, 3, 8, 9, 10, 11);
    let second_half = _mm512_setr_epi64(4, 5, 6, 7, 12, 13, 14, 15);
    let [digits, separators, commas] = [
        four(fore, first_half, aft),
        four(fore, second_half, aft),
        four(four(ab, commas, cd), first_half, four(ef, commas, gh)),
    ]
    .map(|bits| store_avx512(_mm512_gf2p8affine_epi64_epi8::<0>(bits, each_bit)));
    lanes.set_all(digits, separators, commas);
}

/// Of two blocks, the bytes of the first kind, of the second and of the third.
static PAIRS: [u8; 64] = pairs();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a slip does not build")]
const fn pairs() -> [u8; 64] {
    let mut table = [0; 64];
    let mut place = 0;
    while place < table.len() {
        let (word, byte) = (place / 8, place % 8);
        table[place] = (word % 2 * 64 + byte * 8 + word / 2) as u8;
        place += 1;
    }
    table
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_avx512(words: __m512i) -> [u64; BATCH] {
    let mut stored = [0; BATCH];
    // SAFETY: the array has the 64 bytes that are written; the store asks for no alignment.
    unsafe { _mm512_storeu_si512(stored.as_mut_ptr().cast(), words) };
    stored
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn masks_avx512(classes: __m512i) -> Masks {
    let of = |class: u8| _mm512_test_epi8_mask(classes, _mm512_set1_epi8(class as i8));
    Masks { digits: of(classes::DIGIT), separators: of(classes::SEPARATOR), commas: of(classes::COMMA) }
}

/// Sixteen entries, the same for every sixteen bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn table(entries: &[u8; 16]) -> __m512i {
    // SAFETY: the table has the 16 bytes that are read; the load asks for no alignment.
    _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(entries.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn fill_avx512(chunk: &[u8; CHUNK], _ascii: bool, lanes: &mut Lanes) {
    every_block!(chunk, |place, block| lanes.set(place, classify_avx512(block)));
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn leads_avx512(block: &[u8; BLOCK]) -> u64 {
    let bytes = load_avx512(block);
    equal_avx512(bytes, 0xef) | equal_avx512(bytes, 0xe0) | alike_avx512(bytes, ARABIC.0, ARABIC.1)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn beyond_avx512(block: &[u8; BLOCK]) -> u64 {
    _mm512_movepi8_mask(load_avx512(block))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn digit_avx512(chunk: &[u8; CHUNK]) -> bool {
    let least = apart(chunk).fold(_mm512_set1_epi8(-1), |least, block| {
        let moved = _mm512_sub_epi8(load_avx512(block), _mm512_set1_epi8(b'0' as i8));
        _mm512_min_epu8(least, moved)
    });
    _mm512_cmple_epu8_mask(least, _mm512_set1_epi8(9)) != 0
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn high_avx512(chunk: &[u8; CHUNK]) -> bool {
    let any =
        apart(chunk).fold(_mm512_setzero_si512(), |any, block| _mm512_or_si512(any, load_avx512(block)));
    _mm512_movepi8_mask(any) != 0
}

/// The Luhn sum of the last `count` (at most 16) of 16 ASCII digits.
#[inline(always)]
pub(super) fn luhn_sum(last: &[u8; 16], count: usize) -> u32 {
    const VALUES: [u8; 32] = values();
    let kept = VALUES.get(count..).and_then(|rest| rest.first_chunk()).unwrap_or(&[0x0f; 16]);
    // SAFETY: every x86-64 processor has SSE2, all that the function asks for.
    unsafe { luhn_sum_sse2(last, kept) }
}

/// Sixteen bytes of this, from the one at `count` on, keep the values of the last `count` digits.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a slip does not build")]
const fn values() -> [u8; 32] {
    let mut table = [0; 32];
    let (_, kept) = table.split_at_mut(16);
    let mut index = 0;
    while index < kept.len() {
        kept[index] = 0x0f;
        index += 1;
    }
    table
}

#[inline]
#[target_feature(enable = "sse2")]
fn luhn_sum_sse2(last: &[u8; 16], kept: &[u8; 16]) -> u32 {
    // SAFETY: both arrays have the 16 bytes that are read; the loads ask for no alignment.
    let (digits, kept) =
        unsafe { (_mm_loadu_si128(last.as_ptr().cast()), _mm_loadu_si128(kept.as_ptr().cast())) };
    let digits = _mm_and_si128(digits, kept);
    let doubled = _mm_add_epi8(digits, _mm_and_si128(digits, _mm_set1_epi16(0x00ff)));
    // A digit of five or more, doubled, has two digits whose sum is nine less.
    let nines = _mm_and_si128(_mm_cmpgt_epi8(doubled, _mm_set1_epi8(9)), _mm_set1_epi8(9));
    let sums = _mm_sad_epu8(_mm_sub_epi8(doubled, nines), _mm_setzero_si128());
    (_mm_cvtsi128_si32(sums) + _mm_cvtsi128_si32(_mm_unpackhi_epi64(sums, sums))) as u32
}

/// Space, `%` and `&`, and with them the five bytes between, which begin no separator.
const SPACES: (u8, u8) = (0xf8, 0x20);
/// Line feed and carriage return, and with them 0x08 to 0x0F, which begin no separator.
const LINES: (u8, u8) = (0xf8, 0x08);
/// 0xC2, 0xE2 and 0xE3, and with them 0xC3, which begins none.
const WIDE: (u8, u8) = (0xde, 0xc2);
/// 0xD9 and 0xDB.
const ARABIC: (u8, u8) = (0xfd, 0xd9);
