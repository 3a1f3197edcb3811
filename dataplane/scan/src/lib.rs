//! pangate's card finder: card numbers by issuer range, length and Luhn, in any bytes, and masks of the same length.
//!
//! | module | what it knows |
//! | --- | --- |
//! | `arch` | SIMD kernels that find where a number may start; the only unsafe code |
//! | `script` | digits as UTF-8 writes them |
//! | `separator` | what may stand between groups of digits |
//! | `window` | a number at one place: plain or in printed groups |
//! | `chain` | a number digit by digit, or parted by what is not seen |
//! | `context` | surroundings that make it no card: UUID, hexadecimal, IBAN, fraction |
//! | `sensitive` | tracks and card codes beside it |
//! | `narrow` | UTF-16 around a number, as if it were ASCII |
//! | `card` | all of these together |
//! | `stream` | values that arrive in parts |
//! | `mask`, `json`, `number` | masks of text, of JSON, of integers and decimals |
//! | `masked` | what masks have made, on its way back |
//! | `float` | masks of doubles and of BSON's decimals |
//! | `surrogate` | another number in a card number's place, by a key |
//! | `encoded` | base64 and hexadecimal text, where a caller asks for it |
//! | `naive` | the oracle: the same answers, as plainly as they can be computed |
//!
//! Left out: whether a value is labelled (the caller knows), compression, and base64 within values that arrive in parts.

#![deny(unsafe_code)]

mod arch;
mod brands;
mod bytes;
mod card;
mod chain;
mod context;
mod encoded;
mod float;
mod json;
#[cfg(test)]
mod linear;
mod luhn;
mod mask;
mod masked;
pub mod naive;
mod narrow;
mod number;
mod script;
mod sensitive;
mod separator;
mod stream;
mod surrogate;
mod window;

pub use brands::{Brand, PAN_DIGITS_MAX, PAN_DIGITS_MIN};
pub use card::Kind;
pub use encoded::Encoding;
pub use mask::Format;
pub use masked::MASKED_BYTES_MAX;
pub use stream::{HOLDBACK_BYTES_MAX, Progress, Stream};
pub use surrogate::Surrogates;

use arch::Starts;
use card::{Card, Look};
use mask::{Notation, Style};
use sensitive::Unlabelled;
use std::ops::Range;

/// A card found in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where it is, in bytes of the value.
    pub range: Range<usize>,
    /// Whose issuer range it is in; a card code has its number's brand.
    pub brand: Brand,
    /// A number alone, a track, or a card code beside a number.
    pub kind: Kind,
}

/// Finds and masks card numbers. Cheap to make and to copy.
#[derive(Clone, Copy, Debug)]
pub struct Scanner {
    kernel: arch::Kernel,
    surrogates: Option<&'static Surrogates>,
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner::new()
    }
}

impl Scanner {
    /// With the fastest kernel that this processor runs.
    pub fn new() -> Self {
        Scanner { kernel: arch::Kernel::detect(), surrogates: None }
    }

    /// The same scanner, with a key for [`Format::Surrogate`].
    #[must_use]
    pub fn with_surrogates(self, key: &'static Surrogates) -> Self {
        Scanner { surrogates: Some(key), ..self }
    }

    /// Whether it has a key: without one, [`Format::Surrogate`] leaves nothing, as `Full` does.
    pub fn has_surrogates(&self) -> bool {
        self.surrogates.is_some()
    }

    /// Whether digits (values 0 to 9) may be a surrogate of this scanner's key: see [`Surrogates::made`].
    pub fn is_surrogate(&self, digits: &[u8]) -> bool {
        self.surrogates.is_some_and(|surrogates| surrogates.made(digits))
    }

    fn style(&self, format: Format, notation: Notation) -> Style {
        Style { format, notation, surrogates: self.surrogates }
    }

    fn text(&self, format: Format) -> Style {
        self.style(format, Notation::Text)
    }

    /// One scanner for each kernel that this processor runs, with its name; the portable one first.
    pub fn all() -> Vec<(&'static str, Scanner)> {
        arch::Kernel::available()
            .map(|kernel| (kernel.name(), Scanner { kernel, surrogates: None }))
            .collect()
    }

    /// The name of the kernel in use.
    pub fn kernel(&self) -> &'static str {
        self.kernel.name()
    }

    /// False: no part of `bytes`, taken as a value, holds a card. So a buffer of framed values may be passed over as
    /// it is, whatever bytes of the framing look like digits and adjoin a value.
    pub fn suspect(&self, bytes: &[u8]) -> bool {
        self.suspect_at(bytes, 0).is_some()
    }

    /// Where the first number starts that some part of `bytes[from..]`, taken as a value, would give. No part that
    /// ends before it holds a card.
    pub fn suspect_at(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut starts = Starts::loose(self.kernel, from);
        while let Some(start) = starts.next(bytes) {
            if window::any_at(bytes, start.at, start.run) {
                return Some(start.at);
            }
        }
        None
    }

    /// All cards of a whole value, in order; they do not overlap.
    pub fn find<'a>(&self, value: &'a [u8]) -> Hits<'a> {
        Hits::new(self.kernel, value)
    }

    /// Masks a text value in place and returns the number of cards. Hidden digits become `*`; separators stay, and
    /// so does the length. What is masked is not found again.
    pub fn mask(&self, value: &mut [u8], format: Format) -> usize {
        self.mask_from(value, 0, format)
    }

    /// The same for a text value in which no number starts before `from`, as [`Scanner::suspect_at`] tells: what stands
    /// there is not searched again.
    pub fn mask_from(&self, value: &mut [u8], from: usize, format: Format) -> usize {
        if value.len() < PAN_DIGITS_MIN {
            return 0;
        }
        let from = card::earliest(value, from);
        stream::pass(self.kernel, value, from, true, self.text(format)).1
    }

    /// The same for a JSON text, which stays one: what may be a number gets digits in place of the hidden ones, first a
    /// 1 where nothing is open at the front; a string gets `*`. No mask begins with a zero.
    pub fn mask_json(&self, value: &mut [u8], format: Format) -> usize {
        if value.len() < PAN_DIGITS_MIN {
            return 0;
        }
        stream::pass(self.kernel, value, 0, true, self.style(format, Notation::Json)).1
    }

    /// Masks a JSON text of a labelled column whatever it holds: of strings every letter, digit and sign beyond ASCII,
    /// of numbers every digit. It stays a JSON text. Whether it changed.
    pub fn mask_whole_json(&self, value: &mut [u8]) -> bool {
        json::hide_all(value)
    }

    /// Masks a text value of a labelled column whatever it holds: one number of a card's length by the format, of
    /// anything else every letter, digit and sign beyond ASCII. Whether the value changed.
    pub fn mask_whole(&self, value: &mut [u8], format: Format) -> bool {
        mask::whole(value, self.text(format))
    }

    /// The mask of an integer that is a card number, with the same sign and as many digits; `None` where it is none.
    pub fn mask_integer(&self, value: i64, format: Format) -> Option<i64> {
        signed(number::magnitude(value.unsigned_abs(), self.text(format))?, value)
    }

    /// The same for an unsigned integer.
    pub fn mask_unsigned(&self, value: u64, format: Format) -> Option<u64> {
        number::magnitude(value, self.text(format))
    }

    /// The mask of a double whose whole part is a card number; `None` where it is none.
    pub fn mask_double(&self, value: f64, format: Format) -> Option<f64> {
        float::double(value, self.text(format))
    }

    /// Masks a Decimal128, as BSON has its bytes, in place where its whole part is a card number; whether it was.
    pub fn mask_decimal128(&self, bytes: &mut [u8; 16], format: Format) -> bool {
        float::decimal128(bytes, self.text(format))
    }

    /// Masks the digits (values 0 to 9, first digit first, leading zeros allowed) of a decimal's whole part in place
    /// where they are a card number; whether they were.
    pub fn mask_digits(&self, digits: &mut [u8], format: Format) -> bool {
        number::digits(digits, self.text(format))
    }

    /// The mask of an integer of a labelled column: as many digits, whatever it holds.
    pub fn mask_whole_integer(&self, value: i64, format: Format) -> i64 {
        signed(number::whole_magnitude(value.unsigned_abs(), self.text(format)), value).unwrap_or(0)
    }

    /// Masks the digits (as for [`Scanner::mask_digits`]) of a labelled column's decimal whatever they are.
    pub fn mask_whole_digits(&self, digits: &mut [u8], format: Format) {
        number::whole_digits(digits, self.text(format));
    }
}

/// What masks have made: such values are no card numbers any more, and must not take a card number's place.
impl Scanner {
    /// The first masked card number in the text.
    pub fn find_masked(&self, text: &[u8], format: Format) -> Option<Range<usize>> {
        masked::find(text, 0, format)
    }

    /// Whether the integer is the mask of a card number.
    pub fn is_masked_integer(&self, value: i64, format: Format) -> bool {
        masked::integer(value, format)
    }
}

fn signed(magnitude: u64, like: i64) -> Option<i64> {
    let value = i64::try_from(magnitude).ok()?;
    Some(if like < 0 { -value } else { value })
}

/// The cards of one value, in order.
#[derive(Clone, Debug)]
pub struct Hits<'a> {
    starts: Starts,
    value: &'a [u8],
    /// Up to where cards have been found.
    at: usize,
    /// Up to where hits have been reported.
    reported: usize,
    waiting: [Option<Hit>; 2],
    unlabelled: Unlabelled,
    /// A code behind the last card; reported once the next card is known to start after it.
    behind: Option<Hit>,
    /// Nothing is waiting, or behind.
    quiet: bool,
}

impl<'a> Hits<'a> {
    fn new(kernel: arch::Kernel, value: &'a [u8]) -> Self {
        Hits {
            starts: Starts::new(kernel, 0),
            value,
            at: 0,
            reported: 0,
            waiting: [None, None],
            unlabelled: Unlabelled::default(),
            behind: None,
            quiet: true,
        }
    }

    /// The next card. A bare number has nothing beside it.
    #[inline(always)]
    fn next_place(&mut self) -> Option<Place> {
        loop {
            let start = self.starts.next(self.value)?;
            if start.at < self.at {
                let Some(card) = card::behind(self.value, start.at, start.run, self.at) else { continue };
                return Some(Place::Card(card));
            }
            match card::look(self.value, start.at, start.run, &mut self.unlabelled) {
                Look::Nothing => {}
                Look::Bare(brand) => {
                    self.at = start.at + start.run;
                    return Some(Place::Bare(Hit { range: start.at..self.at, brand, kind: Kind::Pan }));
                }
                Look::Unclear => {
                    if let Some(card) = card::at(self.value, start.at, start.run) {
                        return Some(Place::Card(card));
                    }
                }
            }
        }
    }

    /// The next hit where some may be waiting.
    #[inline(never)]
    fn next_with_codes(&mut self) -> Option<Hit> {
        let hit = self.waiting.iter_mut().find_map(Option::take).or_else(|| match self.next_place() {
            None => self.behind.take(),
            Some(place) => Some(self.beside(place)),
        });
        self.reported = hit.as_ref().map_or(self.reported, |hit| hit.range.end);
        self.quiet = self.behind.is_none() && self.waiting.iter().all(Option::is_none);
        hit
    }

    /// The first of a card and the codes beside it; the others wait.
    fn beside(&mut self, place: Place) -> Hit {
        let (hit, [before, behind]) = match place {
            Place::Bare(hit) => (hit, [None, None]),
            Place::Card(card) => {
                self.at = card.span.end;
                let codes = card.codes(self.value);
                (Hit { range: card.span, brand: card.window.brand, kind: card.kind }, codes)
            }
        };
        let code = |range| Hit { range, brand: hit.brand, kind: Kind::Code };
        let earlier = self.behind.take().filter(|code| code.range.end <= hit.range.start);
        let reported = earlier.as_ref().map_or(self.reported, |code| code.range.end);
        let before = before.filter(|range| range.start >= reported).map(code);
        self.behind = behind.map(code);
        let (first, second) = match (earlier, before) {
            (Some(earlier), before) => (earlier, before),
            (None, Some(before)) => (before, None),
            (None, None) => return hit,
        };
        self.waiting = [second, Some(hit)];
        first
    }
}

impl Iterator for Hits<'_> {
    type Item = Hit;

    fn next(&mut self) -> Option<Hit> {
        if !self.quiet {
            return self.next_with_codes();
        }
        match self.next_place()? {
            Place::Bare(hit) => {
                self.reported = hit.range.end;
                Some(hit)
            }
            place @ Place::Card(_) => {
                let hit = self.beside(place);
                self.reported = hit.range.end;
                self.quiet = self.behind.is_none() && self.waiting.iter().all(Option::is_none);
                Some(hit)
            }
        }
    }
}

/// What is found next in a value.
enum Place {
    /// A number that stands alone.
    Bare(Hit),
    /// Any other card.
    Card(Card),
}
