//! The Luhn check, eight digits at a step in a plain register.

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
        words.iter().map(|word| weigh(u64::from_be_bytes(*word))).sum::<u32>() % 10 == 0
    }
}

/// The Luhn sum of eight digits, the last of them undoubled. One digit (0 to 9) a byte, the first one on top.
pub(crate) fn weigh(word: u64) -> u32 {
    const PLAIN: u64 = 0x00ff_00ff_00ff_00ff;
    const ONES: u64 = 0x0001_0001_0001_0001;
    let plain = word & PLAIN;
    let second = word >> 8 & PLAIN;
    // A digit of five or more, doubled, has two digits whose sum is nine less.
    let carries = (second + 123 * ONES) >> 7 & ONES;
    let lanes = plain + 2 * second - 9 * carries;
    (lanes.wrapping_mul(ONES) >> 48) as u32
}

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
