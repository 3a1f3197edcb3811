//! What all kernels share: from the masks of 64 bytes to the places where a number may start.
//!
//! A kernel says which of 64 bytes are digits and which may stand between groups; everything else is shifts of these
//! two words. A place is offered where a run of twelve digits begins, or the groups of a printed number seem to. It is
//! an offer only: `window` decides. None is left out.

/// Bytes that a kernel looks at in one step.
pub(super) const BLOCK: usize = 64;
/// Places decided on in one step: a run of twelve digits that starts at one of them is seen whole.
pub(super) const STEP: usize = BLOCK - 12;
const PLACES: u64 = (1 << STEP) - 1;

/// One bit for each byte of a block, the first byte lowest.
#[derive(Clone, Copy)]
pub(super) struct Masks {
    /// `0` to `9`.
    pub(super) digits: u64,
    /// Any byte of a separator: space, `-`, `.`, `/`, and both bytes of the no-break space.
    pub(super) separators: u64,
}

/// Blocks that a kernel looks at before it asks whether any of them had offers.
pub(super) const BATCH: usize = 8;
/// All bytes that a batch's blocks touch.
pub(super) const CHUNK: usize = (BATCH - 1) * STEP + BLOCK;

/// Places where a number may start: bit n stands for `base + n`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Offers {
    pub(super) base: usize,
    pub(super) bits: u64,
    /// All digits of the block.
    pub(super) digits: u64,
}

/// The offers of the blocks of one batch that have any.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Batch {
    pub(super) offers: [Offers; BATCH],
    pub(super) count: usize,
    /// Up to where the bytes have been looked at.
    pub(super) next: usize,
}

impl Batch {
    /// Takes up a block. Its offers are always written, and kept where there are any: which blocks have some is not to
    /// be foretold, so there is no branch.
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "a remainder is within bounds, and no test is left in the loop"
    )]
    pub(super) fn add(&mut self, offers: Offers) {
        self.offers[self.count % BATCH] = offers;
        self.count += usize::from(offers.bits != 0);
    }
}

/// `x` moved down by `n`; what comes in from beyond the block is taken as set, for nothing is known of it.
#[inline(always)]
fn ahead(x: u64, n: u32) -> u64 {
    !(!x >> n)
}

/// The offers among the first `STEP` bytes of a block. `LOOSE`: wherever a number may start if what is before were cut
/// off; otherwise only where a run of digits starts. `behind`: 1 where the byte before the block is a digit.
#[inline(always)]
pub(super) fn offers<const LOOSE: bool>(masks: Masks, behind: u64) -> u64 {
    let Masks { digits: one, separators } = masks;
    let two = one & one >> 1;
    let three = two & one >> 2;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    let twelve = eight & four >> 8;
    let starts = if LOOSE { PLACES } else { PLACES & !(one << 1 | behind) };
    let plain = twelve & starts;
    // Four digits, a separator of one byte or two, three digits: every grouping has that after its first group.
    let seam = four << 4 & separators & (three >> 1 | separators >> 1 & three >> 2);
    if seam == 0 { plain } else { plain | grouped(masks) & starts }
}

/// Where groups of 4-4-4, 4-6-4, 4-3-3 or 6-4 seem to begin.
#[inline(never)]
fn grouped(masks: Masks) -> u64 {
    let two = masks.digits & ahead(masks.digits, 1);
    let three = two & ahead(masks.digits, 2);
    let four = two & ahead(two, 2);
    let six = four & ahead(two, 4);
    let separator = |n| ahead(masks.separators, n);
    let short = |n, groups| separator(n) & ahead(groups, n + 1);
    let long = |n, groups| separator(n) & separator(n + 1) & ahead(groups, n + 2);
    let after = |n, short: u64, long: u64| separator(n) & (short | separator(n + 1) & long);
    let single =
        ahead(four, 5) & short(9, four) | ahead(six, 5) & short(11, four) | ahead(three, 5) & short(8, three);
    let double =
        ahead(four, 6) & long(10, four) | ahead(six, 6) & long(12, four) | ahead(three, 6) & long(9, three);
    four & after(4, single, double) | six & after(6, ahead(four, 7), ahead(four, 8))
}

/// The body of a kernel: goes on from `batch.next` to the first batch with offers; without any, `batch.count` stays
/// zero. `$classify` turns `&[u8; 64]` to masks, `$any_digit` looks for digits in `&[u8; CHUNK]`.
macro_rules! kernel {
    ($(#[$attribute:meta])* $name:ident, $classify:path, $any_digit:path) => {
        $(#[$attribute])*
        fn $name<const LOOSE: bool>(bytes: &[u8], batch: &mut $crate::arch::all::Batch) {
            use $crate::arch::all::{BATCH, BLOCK, CHUNK, Offers, STEP, offers};
            let mut base = batch.next;
            let mut behind = u64::from($crate::bytes::before(bytes, base, 1).is_ascii_digit());
            let mut clean = false;
            batch.count = 0;
            while let Some(chunk) = bytes.get(base..).and_then(|rest| rest.first_chunk::<CHUNK>()) {
                if clean && !$any_digit(chunk) {
                    base += CHUNK;
                    continue;
                }
                let mut any = 0;
                for place in 0..BATCH {
                    let Some(block) = chunk.get(place * STEP..).and_then(|rest| rest.first_chunk::<BLOCK>()) else {
                        continue;
                    };
                    let masks = $classify(block);
                    let bits = offers::<LOOSE>(masks, behind);
                    batch.add(Offers { base: base + place * STEP, bits, digits: masks.digits });
                    behind = masks.digits >> (STEP - 1) & 1;
                    any |= masks.digits;
                }
                base += BATCH * STEP;
                clean = any == 0;
                if batch.count > 0 {
                    batch.next = base;
                    return;
                }
            }
            while let Some(rest) = bytes.get(base..).filter(|rest| !rest.is_empty()) {
                let mut padded = [0u8; BLOCK];
                let block = rest.first_chunk::<BLOCK>().unwrap_or_else(|| {
                    padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                    &padded
                });
                let masks = $classify(block);
                let bits = offers::<LOOSE>(masks, behind);
                batch.add(Offers { base, bits, digits: masks.digits });
                behind = masks.digits >> (STEP - 1) & 1;
                base += STEP;
                if batch.count == BATCH {
                    break;
                }
            }
            batch.next = base;
        }
    };
}
pub(super) use kernel;
