//! Masks of numbers that must stay numbers: integers, and the digits of decimals.
//!
//! A mask has as many digits as the number, begins with 1 where the format opens nothing at the front (no brand does),
//! and hides the rest behind zeros, changed just enough that no run of a card's length within it passes Luhn.

use crate::brands::{PAN_DIGITS_MAX, PAN_DIGITS_MIN, possible};
use crate::bytes::tally;
use crate::mask::Style;
use crate::window::judge;

/// How many steps the search for a filling takes before the mask opens less; in practice a few hundred suffice.
const STEPS_MAX: usize = 20_000;

/// Decimal digits of a machine integer, at most 20, first digit first.
struct Decimal {
    values: [u8; 20],
    first: usize,
}

impl Decimal {
    fn of(mut magnitude: u64) -> Decimal {
        let mut decimal = Decimal { values: [0; 20], first: 20 };
        for value in decimal.values.iter_mut().rev() {
            if magnitude == 0 {
                break;
            }
            *value = (magnitude % 10) as u8;
            magnitude /= 10;
            decimal.first -= 1;
        }
        decimal
    }

    fn digits(&mut self) -> &mut [u8] {
        self.values.get_mut(self.first..).unwrap_or(&mut [])
    }

    fn value(&self) -> Option<u64> {
        self.values
            .iter()
            .try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(*digit)))
    }
}

/// The mask of a magnitude that is a card number.
pub(crate) fn magnitude(magnitude: u64, style: Style) -> Option<u64> {
    if magnitude < 10u64.pow(PAN_DIGITS_MIN as u32 - 1) {
        return None;
    }
    let mut decimal = Decimal::of(magnitude);
    if !digits(decimal.digits(), style) {
        return None;
    }
    decimal.value()
}

/// The mask of any magnitude in a labelled column: of a card's length, as a card; of any other, all hidden.
pub(crate) fn whole_magnitude(magnitude: u64, style: Style) -> u64 {
    let mut decimal = Decimal::of(magnitude);
    whole_digits(decimal.digits(), style);
    decimal.value().unwrap_or(1)
}

/// Masks digits (values 0 to 9, leading zeros allowed) in place where they are a card number.
pub(crate) fn digits(values: &mut [u8], style: Style) -> bool {
    let zeros = values.iter().take_while(|value| **value == 0).count();
    let values = values.get_mut(zeros..).unwrap_or(&mut []);
    let count = values.len();
    if !(PAN_DIGITS_MIN..=PAN_DIGITS_MAX).contains(&count) || judge(values.iter().copied(), count).is_none() {
        return false;
    }
    fill(values, style, 0);
    true
}

/// Masks digits (values 0 to 9, leading zeros allowed) in place whatever they are.
pub(crate) fn whole_digits(values: &mut [u8], style: Style) {
    let zeros = values.iter().take_while(|value| **value == 0).count();
    let values = values.get_mut(zeros..).unwrap_or(&mut []);
    if style.surrogates().is_some_and(|surrogates| surrogates.made(values)) {
        return;
    }
    if (PAN_DIGITS_MIN..=PAN_DIGITS_MAX).contains(&values.len()) {
        fill(values, style, 0);
        return;
    }
    values.fill(0);
    if let Some(first) = values.first_mut() {
        *first = 1;
    }
}

/// Hides what the format hides of 12 to 19 digits, behind digits of at least `least`.
pub(crate) fn fill(values: &mut [u8], style: Style, least: u8) {
    if style.surrogates().is_some_and(|surrogates| surrogates.put(values)) {
        return;
    }
    let (mut front, end) = style.format.open(values.len());
    let first_four = values.iter().take(4).fold(0, |number, digit| number * 10 + u32::from(*digit));
    if !possible(first_four).needs_luhn() {
        // Without a Luhn digit the brand's prefix alone would make the mask a card number again.
        front = 0;
    }
    if !fill_between(values, front, end, least) && !fill_between(values, 0, end, least) {
        fill_between(values, 0, 0, least);
    }
}

/// The same for a number of `count` digits of which the first `written` alone are written, and zeros meant behind them.
pub(crate) fn fill_written(values: &mut [u8; PAN_DIGITS_MAX], written: usize, count: usize, style: Style) {
    fill(values.get_mut(..count).unwrap_or(&mut []), style, 0);
    values.iter_mut().skip(written).for_each(|value| *value = 0);
    if judge(values.iter().copied().take(count), count).is_some() {
        // A power of ten never passes Luhn.
        values.fill(0);
        values.iter_mut().take(1).for_each(|first| *first = 1);
    }
}

/// Fills the hidden digits, from left to right, each with the least digit that lets no run pass Luhn; goes back where
/// none does. Whether a filling was found.
fn fill_between(values: &mut [u8], front: usize, end: usize, least: u8) -> bool {
    let until = values.len() - end;
    let least = |place: usize| least.max(u8::from(place == 0));
    let most = |place: usize| if place == 0 { 1 } else { 9 };
    let (mut place, mut next) = (front, least(front));
    for _ in 0..STEPS_MAX {
        if place == until {
            if (until..values.len()).all(|place| !any_run_passes(values, place)) {
                return true;
            }
        } else if next <= most(place) {
            if let Some(value) = values.get_mut(place) {
                *value = next;
            }
            if any_run_passes(values, place) {
                next += 1;
            } else {
                place += 1;
                next = least(place);
            }
            continue;
        }
        if place == front {
            return false;
        }
        place -= 1;
        next = values.get(place).map_or(10, |value| value + 1);
    }
    false
}

/// Whether any 12 to 19 digits that end with the one at `last` pass Luhn.
fn any_run_passes(values: &[u8], last: usize) -> bool {
    tally::add(PAN_DIGITS_MAX);
    let mut sum = 0;
    values.iter().take(last + 1).rev().take(PAN_DIGITS_MAX).enumerate().any(|(place, value)| {
        let value = u32::from(*value);
        sum += match (place % 2, value) {
            (0, _) => value,
            (_, 0..=4) => value * 2,
            _ => value * 2 - 9,
        };
        place + 1 >= PAN_DIGITS_MIN && sum % 10 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::{Format, Notation};
    use crate::naive;
    use proptest::prelude::*;

    const FORMATS: [Format; 4] = [Format::Full, Format::Last4, Format::Bin6Last4, Format::Bin8Last4];

    fn style(format: Format) -> Style {
        Style { format, notation: Notation::Text, surrogates: None }
    }

    fn card_digits() -> impl Strategy<Value = Vec<u8>> {
        let prefix =
            prop::sample::select(vec!["4", "51", "2221", "34", "6011", "62", "8600", "9704", "5018", "81"]);
        (prefix, prop::collection::vec(0u8..=9, 19), 12usize..=19).prop_filter_map(
            "no length",
            |(prefix, rest, n)| {
                let mut values: Vec<u8> =
                    prefix.bytes().map(|byte| byte - b'0').chain(rest).take(n).collect();
                (0..=9).find_map(|check| {
                    *values.last_mut()? = check;
                    (naive::luhn(&values) && judge(values.iter().copied(), n).is_some())
                        .then(|| values.clone())
                })
            },
        )
    }

    proptest! {
        #[test]
        fn a_mask_is_no_card_and_stays_as_it_is(values in card_digits()) {
            for format in FORMATS {
                let mut masked = values.clone();
                prop_assert!(digits(&mut masked, style(format)));
                prop_assert!(masked[0] != 0);
                let (_, end) = format.open(values.len());
                prop_assert_eq!(&masked[values.len() - end..], &values[values.len() - end..]);
                prop_assert!(masked != values);
                for from in 0..masked.len() {
                    for to in from + 12..=masked.len() {
                        prop_assert!(!naive::luhn(&masked[from..to]));
                    }
                }
                let again = masked.clone();
                prop_assert!(!digits(&mut masked, style(format)));
                prop_assert_eq!(&again, &masked);
                whole_digits(&mut masked, style(format));
                prop_assert_eq!(&again, &masked);
            }
        }

        #[test]
        fn any_labelled_number_keeps_its_length(values in prop::collection::vec(0u8..=9, 0..40)) {
            for format in FORMATS {
                let mut masked = values.clone();
                whole_digits(&mut masked, style(format));
                prop_assert_eq!(masked.iter().position(|v| *v != 0), values.iter().position(|v| *v != 0));
                let again = masked.clone();
                whole_digits(&mut masked, style(format));
                prop_assert_eq!(again, masked);
            }
        }
    }

    #[test]
    fn integers() {
        assert_eq!(
            magnitude(4_111_111_111_111_111, style(Format::Last4)).map(|value| value % 10_000),
            Some(1111)
        );
        assert_eq!(magnitude(4_111_111_111_111_112, style(Format::Last4)), None);
        assert_eq!(magnitude(0, style(Format::Full)), None);
        assert_eq!(whole_magnitude(0, style(Format::Full)), 0);
        assert_eq!(whole_magnitude(737, style(Format::Full)), 100);
        assert!(whole_magnitude(u64::MAX, style(Format::Last4)) >= 10_000_000_000_000_000_000);
    }
}
