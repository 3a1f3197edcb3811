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

/// Places where a number may start: bit n stands for `base + n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offers {
    pub(crate) base: usize,
    pub(crate) bits: u64,
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
    // Four digits, a separator of one byte or two, three digits: the head of all groupings but 6-13.
    let first = four & separators >> 4 & (three >> 5 | separators >> 5 & three >> 6);
    let six = four & two >> 4;
    let first_of_six = six & separators >> 6 & (four >> 7 | separators >> 7 & four >> 8);
    let starts = if LOOSE { PLACES } else { PLACES & !(one << 1 | behind) };
    let grouped = (first | first_of_six) & starts;
    let plain = twelve & starts;
    if grouped == 0 {
        return plain;
    }
    plain | first_of_six & starts | second_group(masks) & grouped
}

/// Narrows the heads of groupings down to those whose next two groups fit: 4-4-4, 4-6-4, 4-3-3.
#[inline(always)]
fn second_group(masks: Masks) -> u64 {
    let two = masks.digits & ahead(masks.digits, 1);
    let three = two & ahead(masks.digits, 2);
    let four = two & ahead(two, 2);
    let six = four & ahead(two, 4);
    let separator = |n| ahead(masks.separators, n);
    let short = |n, groups| separator(n) & ahead(groups, n + 1);
    let long = |n, groups| separator(n) & separator(n + 1) & ahead(groups, n + 2);
    let single =
        ahead(four, 5) & short(9, four) | ahead(six, 5) & short(11, four) | ahead(three, 5) & short(8, three);
    let double =
        ahead(four, 6) & long(10, four) | ahead(six, 6) & long(12, four) | ahead(three, 6) & long(9, three);
    separator(4) & (single | separator(5) & double)
}

/// The body of a kernel: the first block at or after `from` that has offers. `$classify` turns `&[u8; 64]` to masks.
macro_rules! kernel {
    ($(#[$attribute:meta])* $name:ident, $classify:path) => {
        $(#[$attribute])*
        fn $name<const LOOSE: bool>(bytes: &[u8], from: usize) -> Option<$crate::arch::all::Offers> {
            use $crate::arch::all::{BLOCK, Offers, STEP, offers};
            let mut base = from;
            let mut behind = u64::from($crate::bytes::before(bytes, from, 1).is_ascii_digit());
            let mut rest = bytes.get(from..)?;
            while let Some(block) = rest.first_chunk::<BLOCK>() {
                let masks = $classify(block);
                let bits = offers::<LOOSE>(masks, behind);
                if bits != 0 {
                    return Some(Offers { base, bits });
                }
                behind = masks.digits >> (STEP - 1) & 1;
                base += STEP;
                rest = bytes.get(base..)?;
            }
            while !rest.is_empty() {
                let mut block = [0u8; BLOCK];
                let (head, _) = block.split_at_mut(rest.len());
                head.copy_from_slice(rest);
                let masks = $classify(&block);
                let bits = offers::<LOOSE>(masks, behind);
                if bits != 0 {
                    return Some(Offers { base, bits });
                }
                behind = masks.digits >> (STEP - 1) & 1;
                base += STEP;
                rest = bytes.get(base..)?;
            }
            None
        }
    };
}
pub(super) use kernel;
