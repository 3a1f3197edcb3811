//! Masks of numbers that other protocols have: doubles, and the decimals of BSON. Both stay numbers of their type.

use crate::brands::{PAN_DIGITS_MAX, PAN_DIGITS_MIN};
use crate::mask::Style;
use crate::number;
use crate::window::judge;

/// The mask of a double whose whole part is a card number. Where that cannot be told apart from its neighbours as a
/// double, or would be a card again, it is a power of ten.
pub(crate) fn double(value: f64, style: Style) -> Option<f64> {
    let whole = value.abs().trunc();
    if !(1e11..1e19).contains(&whole) {
        return None;
    }
    let masked = number::magnitude(whole as u64, style)?;
    let near = masked as f64;
    let exact = near as u64 == masked && judge_number(masked).is_none();
    let digits = (whole as u64).ilog10();
    let masked = if exact { near } else { 10u64.pow(digits) as f64 };
    Some(masked.copysign(value))
}

fn judge_number(number: u64) -> Option<crate::Brand> {
    let mut digits = [0; 20];
    let count = write_digits(u128::from(number), &mut digits);
    judge(digits.iter().copied().take(count), count)
}

/// Writes the digits of a number from the front; how many.
fn write_digits(number: u128, digits: &mut [u8]) -> usize {
    let count = number.checked_ilog10().map_or(0, |log| log as usize + 1);
    let mut rest = number;
    for digit in digits.iter_mut().take(count).rev() {
        *digit = (rest % 10) as u8;
        rest /= 10;
    }
    count
}

const COEFFICIENT_BITS: u32 = 113;
const EXPONENT_BIAS: i32 = 6176;
/// A coefficient has at most so many digits.
const COEFFICIENT_DIGITS: usize = 34;

/// Masks a Decimal128 (IEEE 754, binary coefficient; bytes as BSON has them, the least first) in place where its whole
/// part is a card number; whether it was. The exponent stays, and so do digits behind the point.
pub(crate) fn decimal128(bytes: &mut [u8; 16], style: Style) -> bool {
    let bits = u128::from_le_bytes(*bytes);
    if bits >> 125 & 0b11 == 0b11 {
        // Infinite, not a number, or a coefficient too large to be one.
        return false;
    }
    let exponent = (bits >> COEFFICIENT_BITS & 0x3fff) as i32 - EXPONENT_BIAS;
    let front = bits >> COEFFICIENT_BITS << COEFFICIENT_BITS;
    let mut digits = [0; COEFFICIENT_DIGITS + PAN_DIGITS_MAX];
    let count = write_digits(bits ^ front, &mut digits);
    let Some(whole) = usize::try_from(count as i32 + exponent).ok() else { return false };
    if !(PAN_DIGITS_MIN..=PAN_DIGITS_MAX).contains(&whole) || count > COEFFICIENT_DIGITS {
        return false;
    }
    let masked = digits.get_mut(..whole).is_some_and(|whole| number::digits(whole, style));
    if !masked {
        return false;
    }
    if digits.iter().skip(count).any(|digit| *digit != 0) {
        // The mask has digits where the value has none to store.
        digits.fill(0);
        digits.iter_mut().take(1).for_each(|first| *first = 1);
    }
    let coefficient = digits.iter().take(count).fold(0u128, |number, digit| number * 10 + u128::from(*digit));
    *bytes = (front | coefficient).to_le_bytes();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Scanner};

    const FORMATS: [Format; 5] =
        [Format::Full, Format::Last4, Format::Bin6Last4, Format::Bin8Last4, Format::Surrogate];

    #[test]
    fn doubles_stay_doubles() {
        let scanner = Scanner::new();
        // Doubles of this size are 512 apart.
        let long = (0..100).map(|step| 4e18 + f64::from(step) * 512.0);
        let long = long.into_iter().find(|value| judge_number(*value as u64).is_some()).unwrap();
        for format in FORMATS {
            for value in [4111111111111111.0, -378282246310005.5, 501800000009.0, long] {
                let masked = scanner.mask_double(value, format).unwrap();
                assert_eq!(masked.abs().log10().trunc(), f64::abs(value).log10().trunc(), "{value} {masked}");
                assert_eq!(masked.is_sign_negative(), value.is_sign_negative());
                assert_eq!(scanner.mask_double(masked, format), None, "{masked}");
                assert_eq!(scanner.find(format!("{masked:.0}").as_bytes()).count(), 0, "{masked}");
            }
            for value in [0.0, 1e300, f64::NAN, f64::INFINITY, 4111111111111112.0, 1735689600000.0] {
                assert_eq!(scanner.mask_double(value, format), None, "{value}");
            }
        }
        assert_eq!(
            scanner.mask_double(4111111111111111.0, Format::Last4).map(|v| v % 10_000.0),
            Some(1111.0)
        );
    }

    fn decimal(coefficient: u128, exponent: i32) -> [u8; 16] {
        (coefficient | ((exponent + EXPONENT_BIAS) as u128) << COEFFICIENT_BITS).to_le_bytes()
    }

    #[test]
    fn decimals_keep_exponent_and_fraction() {
        let scanner = Scanner::new();
        for format in FORMATS {
            for (coefficient, exponent) in
                [(4111111111111111u128, 0), (411111111111111155, -2), (41111111111111, 2)]
            {
                let mut bytes = decimal(coefficient, exponent);
                let card = scanner.mask_decimal128(&mut bytes, format);
                if exponent == 2 {
                    // 4111111111111100 is no card.
                    assert!(!card);
                    continue;
                }
                assert!(card);
                let masked = u128::from_le_bytes(bytes);
                assert_eq!(masked >> COEFFICIENT_BITS, (exponent + EXPONENT_BIAS) as u128);
                let masked = masked & ((1 << COEFFICIENT_BITS) - 1);
                assert_eq!(masked.ilog10(), coefficient.ilog10());
                assert!(
                    masked.to_string().starts_with('1') || !matches!(format, Format::Full | Format::Last4)
                );
                assert!(exponent == 0 || masked % 100 == 55);
                assert!(!scanner.mask_decimal128(&mut bytes, format));
            }
        }
        // A card that ends in zeros, kept without them.
        let mut bytes = decimal(400000000000006, 1);
        assert_eq!(
            scanner.mask_decimal128(&mut bytes, Format::Last4),
            crate::naive::brand(&[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0]).is_some()
        );
        for special in [0x78u8, 0x7c, 0xf8] {
            let mut bytes = [0; 16];
            bytes[15] = special;
            assert!(!scanner.mask_decimal128(&mut bytes, Format::Last4));
        }
    }
}
