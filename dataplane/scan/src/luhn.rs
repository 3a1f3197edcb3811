//! The Luhn check: sixteen digits at once where there are instructions for it, eight in a plain register.

use crate::arch;
use crate::brands::PAN_DIGITS_MAX;

/// Digits (values 0 to 9) of one candidate, right-aligned in 24 bytes with zeros in front: leading zeros change no
/// Luhn sum, so every length is checked in the same three steps.
#[derive(Clone, Copy)]
pub(crate) struct Digits {
    padded: [u8; 24],
    count: usize,
}

impl Digits {
    /// Collects `values`; `None` where there are more than the longest card number has.
    pub(crate) fn collect(values: impl Iterator<Item = u8>) -> Option<Digits> {
        let mut taken = [0u8; PAN_DIGITS_MAX];
        let mut count = 0;
        for value in values {
            *taken.get_mut(count)? = value;
            count += 1;
        }
        Digits::new(taken.get(..count)?)
    }

    /// At most 19 digits, each 0 to 9.
    pub(crate) fn new(values: &[u8]) -> Option<Digits> {
        let mut padded = [0u8; 24];
        let gap = padded.len().checked_sub(values.len()).filter(|_| values.len() <= PAN_DIGITS_MAX)?;
        padded.get_mut(gap..)?.copy_from_slice(values);
        Some(Digits { padded, count: values.len() })
    }

    /// The first `n` digits as a number; leading zeros where there are fewer.
    pub(crate) fn leading(&self, n: usize) -> u32 {
        let values = self.padded.iter().skip(self.padded.len() - self.count).take(n);
        values.fold(0, |number, digit| number * 10 + u32::from(*digit))
    }

    /// Whether the last digit is the Luhn digit of those before it.
    pub(crate) fn luhn(&self) -> bool {
        let (words, _) = self.padded.as_chunks::<8>();
        sum(words.iter().map(|word| weigh(u64::from_le_bytes(*word))).sum()).is_multiple_of(10)
    }
}

/// Whether the last `count` (at most 19) of 24 bytes, all of them ASCII digits, pass Luhn.
#[inline(always)]
pub(crate) fn passes(last: &[u8; 24], count: usize) -> bool {
    if count <= 16
        && let Some(sixteen) = last.last_chunk()
        && let Some(sum) = arch::luhn_sum(sixteen, count)
    {
        return sum.is_multiple_of(10);
    }
    plainly(last, count)
}

/// The same in plain registers: where there are instructions for sixteen digits, for the few longer numbers only.
#[cfg_attr(target_arch = "x86_64", inline(never))]
#[cfg_attr(not(target_arch = "x86_64"), inline(always))]
fn plainly(last: &[u8; 24], count: usize) -> bool {
    let (words, _) = last.as_chunks::<8>();
    let &[far, middle, near] = words else { return false };
    let mut lanes = weigh(values(near, count)) + weigh(values(middle, count.saturating_sub(8)));
    if count > 16 {
        lanes += weigh(values(far, count - 16));
    }
    sum(lanes).is_multiple_of(10)
}

/// The values of the last `wanted` of eight ASCII digits, zero for the others; the first one lowest.
#[inline(always)]
fn values(digits: [u8; 8], wanted: usize) -> u64 {
    const VALUES: u64 = 0x0f0f_0f0f_0f0f_0f0f;
    const KEEP: [u64; 8] =
        [0, VALUES << 56, VALUES << 48, VALUES << 40, VALUES << 32, VALUES << 24, VALUES << 16, VALUES << 8];
    u64::from_le_bytes(digits) & KEEP.get(wanted).copied().unwrap_or(VALUES)
}

/// Luhn sums of the digits of a word (0 to 9, the first one lowest, the last one undoubled), in four lanes.
#[inline(always)]
fn weigh(word: u64) -> u64 {
    let second = word & PLAIN;
    // A digit of five or more, doubled, has two digits whose sum is nine less.
    let carries = (second + 123 * ONES) >> 7 & ONES;
    (word >> 8 & PLAIN) + 2 * second - 9 * carries
}

/// The sum of four lanes.
#[inline(always)]
fn sum(lanes: u64) -> u32 {
    (lanes.wrapping_mul(ONES) >> 48) as u32
}

const PLAIN: u64 = 0x00ff_00ff_00ff_00ff;
const ONES: u64 = 0x0001_0001_0001_0001;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naive;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_naive_sum(values in proptest::collection::vec(0u8..=9, 1..=19)) {
            let digits = Digits::new(&values).unwrap();
            prop_assert_eq!(digits.luhn(), naive::luhn(&values));
            let text: Vec<u8> = std::iter::repeat_n(b'7', 24).chain(values.iter().map(|value| value + b'0')).collect();
            let last = text.last_chunk().unwrap();
            prop_assert_eq!(passes(last, values.len()), naive::luhn(&values));
            prop_assert_eq!(plainly(last, values.len()), naive::luhn(&values));
        }
    }

    #[test]
    fn takes_at_most_nineteen() {
        assert!(Digits::new(&[1; 19]).is_some());
        assert!(Digits::new(&[1; 20]).is_none());
        assert!(Digits::collect(std::iter::repeat_n(1, 20)).is_none());
        assert_eq!(Digits::new(&[4, 1, 1, 2]).unwrap().leading(3), 411);
    }
}
