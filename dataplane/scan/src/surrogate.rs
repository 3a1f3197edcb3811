//! Surrogates: another number of as many digits in a card number's place, the same for the same number under one key.
//!
//! The digits but the last are encrypted by FF1 (NIST SP 800-38G) with AES-256. A surrogate begins with 1, as no card
//! does; its last digit is not the Luhn digit but as far from it as the first encrypted digit says. So numbers that
//! differ have surrogates that differ, and a key's holder can tell a surrogate. Where some part of it would be a card,
//! it is encrypted again. Left out: the way back to the number, which nobody here may go, and speed: it costs some
//! microseconds and allocations, for the sake of a kept implementation.

use crate::PAN_DIGITS_MAX;
use crate::brands::PAN_DIGITS_MIN;
use crate::window::judge;
use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString};
use std::fmt;

/// First digits of cards. Their places are what is encrypted: at most 8, as is what a last digit can tell.
const FIRST: [u8; 7] = [2, 3, 4, 5, 6, 8, 9];
const TOLD_MAX: u8 = 8;
/// Encryptions of one number: each one has about even odds or better.
const STEPS_MAX: usize = 1000;

/// The key that surrogates are made with. It lives as long as the process: scanners hold a reference to it.
pub struct Surrogates {
    cipher: FF1<Aes256>,
}

impl fmt::Debug for Surrogates {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Surrogates")
    }
}

impl Surrogates {
    /// With this key.
    pub fn new(key: &[u8; 32]) -> Surrogates {
        let cipher = FF1::new(key, 10).unwrap_or_else(|_| unreachable!("FF1 takes every radix from 2 on"));
        Surrogates { cipher }
    }

    /// Whether digits (values 0 to 9) are a surrogate of some card number under this key. Of other numbers that begin
    /// with 1, about half are taken for one too: every digit is needed to keep numbers apart, and none is left to sign.
    pub fn made(&self, digits: &[u8]) -> bool {
        if !(PAN_DIGITS_MIN..=PAN_DIGITS_MAX).contains(&digits.len()) || digits.first() != Some(&1) {
            return false;
        }
        (0..10).any(|shift| self.made_with(digits, shift).is_some())
    }

    fn made_with(&self, digits: &[u8], shift: u8) -> Option<()> {
        let (last, front) = digits.split_last()?;
        let told = (10 + last - luhn_digit(front)) % 10;
        let mut hidden: Vec<u8> =
            [told.checked_sub(1)?].into_iter().chain(front.iter().skip(1).copied()).collect();
        for _ in 0..STEPS_MAX {
            hidden = self.turn(&hidden, shift, false)?;
            if original(&hidden, shift).is_some() {
                return Some(());
            }
            if surrogate(&hidden).is_some() {
                return None;
            }
        }
        None
    }

    /// Puts a card number's surrogate in its place; whether there is one.
    pub(crate) fn put(&self, digits: &mut [u8]) -> bool {
        self.of(digits).is_some_and(|other| {
            digits.copy_from_slice(&other);
            true
        })
    }

    fn of(&self, digits: &[u8]) -> Option<Vec<u8>> {
        judge(digits.iter().copied(), digits.len())?;
        let (last, front) = digits.split_last()?;
        let place = FIRST.iter().position(|first| Some(first) == front.first())?;
        // A brand whose numbers need no Luhn digit: the last one counts too.
        let shift = (10 + last - luhn_digit(front)) % 10;
        let mut hidden: Vec<u8> = [place as u8].into_iter().chain(front.iter().skip(1).copied()).collect();
        for _ in 0..STEPS_MAX {
            hidden = self.turn(&hidden, shift, true)?;
            if let Some(other) = surrogate(&hidden) {
                return Some(other);
            }
        }
        None
    }

    fn turn(&self, digits: &[u8], shift: u8, forth: bool) -> Option<Vec<u8>> {
        let numerals = FlexibleNumeralString::from(digits.iter().copied().map(u16::from).collect::<Vec<_>>());
        let tweak = [b'p', b'a', b'n', shift];
        let turned = match forth {
            true => self.cipher.encrypt(&tweak, &numerals),
            false => self.cipher.decrypt(&tweak, &numerals),
        };
        Some(Vec::from(turned.ok()?).into_iter().map(|digit| digit as u8).collect())
    }
}

/// The digit that makes those before it pass Luhn.
fn luhn_digit(front: &[u8]) -> u8 {
    let sum: u32 = front
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit @ 0..=4) => digit * 2,
            (0, digit) => digit * 2 - 9,
            (_, digit) => digit,
        })
        .sum();
    ((10 - sum % 10) % 10) as u8
}

/// The surrogate that encrypted digits make, where they make one: no part of it may be a card.
fn surrogate(hidden: &[u8]) -> Option<Vec<u8>> {
    let (told, middle) = hidden.split_first()?;
    if *told > TOLD_MAX {
        return None;
    }
    let mut digits: Vec<u8> = [1].into_iter().chain(middle.iter().copied()).collect();
    digits.push((luhn_digit(&digits) + told + 1) % 10);
    let cards = (1..digits.len()).any(|from| {
        (from + PAN_DIGITS_MIN..=digits.len()).any(|to| {
            digits.get(from..to).is_some_and(|part| judge(part.iter().copied(), part.len()).is_some())
        })
    });
    (!cards).then_some(digits)
}

/// The card number that decrypted digits are, where they are one.
fn original(hidden: &[u8], shift: u8) -> Option<()> {
    let (place, middle) = hidden.split_first()?;
    let mut digits: Vec<u8> =
        [*FIRST.get(usize::from(*place))?].into_iter().chain(middle.iter().copied()).collect();
    digits.push((luhn_digit(&digits) + shift) % 10);
    judge(digits.iter().copied(), digits.len()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Scanner, naive};
    use std::collections::HashSet;

    fn scanner() -> Scanner {
        static KEY: std::sync::OnceLock<Surrogates> = std::sync::OnceLock::new();
        Scanner::new().with_surrogates(KEY.get_or_init(|| Surrogates::new(&[7; 32])))
    }

    fn masked(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        assert_eq!(scanner().mask(&mut bytes, Format::Surrogate), 1, "{text}");
        assert_eq!(scanner().find(&bytes).count(), 0, "{text}");
        assert_eq!(naive::find(&bytes).len(), 0);
        String::from_utf8(bytes).unwrap()
    }

    fn values(text: &str) -> Vec<u8> {
        text.chars().filter_map(|letter| letter.to_digit(10)).map(|digit| digit as u8).collect()
    }

    fn cards(count: u64) -> impl Iterator<Item = String> {
        let brands = [
            ("4", 13),
            ("4", 16),
            ("5018", 12),
            ("51", 16),
            ("34", 15),
            ("36", 14),
            ("62", 19),
            ("9704", 19),
        ];
        (0..count).zip(brands.into_iter().cycle()).map(|(number, (prefix, length))| {
            let body = length - prefix.len() - 1;
            let front = format!("{prefix}{:0body$}", number * 7_919 % 10u64.pow(body as u32));
            let check = luhn_digit(&values(&front));
            format!("{front}{check}")
        })
    }

    #[test]
    fn a_surrogate_is_a_number_of_the_same_length_and_no_card() {
        let mut seen = HashSet::new();
        for card in cards(800) {
            let other = masked(&card);
            assert_eq!(other.len(), card.len());
            assert!(other.starts_with('1') && other.bytes().all(|byte| byte.is_ascii_digit()), "{other}");
            assert!(!naive::luhn(&values(&other)), "{other}");
            assert_eq!(masked(&card), other);
            assert!(scanner().is_surrogate(&values(&other)), "{card} {other}");
            assert!(seen.insert(other), "{card}");
        }
    }

    #[test]
    fn numbers_without_a_luhn_digit_have_one_each() {
        let others: HashSet<String> = (0..10).map(|last| masked(&format!("860012345678901{last}"))).collect();
        assert_eq!(others.len(), 10);
        assert!(
            others.iter().all(|other| scanner().is_surrogate(&values(other)) && !naive::luhn(&values(other)))
        );
    }

    #[test]
    fn separators_scripts_and_types_stay() {
        let plain = masked("4111111111111111");
        let spaced = masked("4111 1111 1111 1111");
        assert_eq!(values(&spaced), values(&plain));
        assert_eq!(spaced.match_indices(' ').map(|(at, _)| at).collect::<Vec<_>>(), [4, 9, 14]);
        assert_eq!(masked("{\"n\":4111111111111111}"), format!("{{\"n\":{plain}}}"));
        assert_eq!(masked("x 4.111111111111111e15"), format!("x 1.{}e15", &plain[1..]));
        assert!(masked("％４１１１１１１１１１１１１１１１").starts_with("％１"));
        let number = scanner().mask_integer(-4_111_111_111_111_111, Format::Surrogate).unwrap();
        assert_eq!(number.to_string(), format!("-{plain}"));
        assert_eq!(scanner().mask_integer(number, Format::Surrogate), None);
        assert_eq!(scanner().mask_double(4_111_111_111_111_111.0, Format::Surrogate), plain.parse().ok());
    }

    #[test]
    fn a_labelled_value_that_is_no_card_is_hidden_and_a_surrogate_stays() {
        let whole = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            let changed = scanner().mask_whole(&mut bytes, Format::Surrogate);
            (String::from_utf8(bytes).unwrap(), changed)
        };
        let (other, changed) = whole("4111-1111-1111-1111");
        assert!(changed && other.starts_with('1'));
        assert_eq!(whole(&other), (other.clone(), false));
        assert_eq!(whole("4111111111111112").0, "****************");
        assert_eq!(whole("secret 7").0, "****** *");
        let mut digits = [7; 16];
        scanner().mask_whole_digits(&mut digits, Format::Surrogate);
        assert_eq!(digits[0], 1);
    }

    #[test]
    fn without_a_key_nothing_is_left_open_and_another_key_gives_another_number() {
        let mut bytes = *b"4111111111111111";
        Scanner::new().mask(&mut bytes, Format::Surrogate);
        assert_eq!(&bytes, b"****************");
        let other = Surrogates::new(&[8; 32]);
        let mut digits = values("4111111111111111");
        assert!(other.put(&mut digits));
        assert_ne!(digits, values(&masked("4111111111111111")));
        assert_eq!(format!("{other:?}"), "Surrogates");
    }
}
