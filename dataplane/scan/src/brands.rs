//! Issuer ranges and lengths of the card brands, and the table that rejects a prefix in one look-up.
//!
//! The ranges are detection heuristics from public tables, not the networks' own documents. Where ranges overlap,
//! the first row wins. Left out on purpose: Maestro's broad ranges at 12 to 15 digits, which are mostly telephone
//! numbers; a labelled column is masked whatever it holds.

/// The shortest number taken for a card.
pub const PAN_DIGITS_MIN: usize = 12;
/// The longest number taken for a card.
pub const PAN_DIGITS_MAX: usize = 19;
/// Runs of digits are counted no further: it is longer than any card number.
pub(crate) const RUN_MAX: usize = PAN_DIGITS_MAX + 1;

/// The brand that an issuer range belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum Brand {
    Visa,
    Mastercard,
    AmericanExpress,
    Discover,
    Diners,
    Jcb,
    UnionPay,
    Maestro,
    RuPay,
    Mir,
    Troy,
    Verve,
    Elo,
    Hiper,
    Hipercard,
    UzCard,
    Humo,
    Napas,
    LankaPay,
    AfriGo,
}

impl Brand {
    /// The brand's name in lower case, for records and command lines.
    pub fn name(self) -> &'static str {
        match self {
            Brand::Visa => "visa",
            Brand::Mastercard => "mastercard",
            Brand::AmericanExpress => "amex",
            Brand::Discover => "discover",
            Brand::Diners => "diners",
            Brand::Jcb => "jcb",
            Brand::UnionPay => "unionpay",
            Brand::Maestro => "maestro",
            Brand::RuPay => "rupay",
            Brand::Mir => "mir",
            Brand::Troy => "troy",
            Brand::Verve => "verve",
            Brand::Elo => "elo",
            Brand::Hiper => "hiper",
            Brand::Hipercard => "hipercard",
            Brand::UzCard => "uzcard",
            Brand::Humo => "humo",
            Brand::Napas => "napas",
            Brand::LankaPay => "lankapay",
            Brand::AfriGo => "afrigo",
        }
    }
}

/// One row of the table: six-digit prefixes, both ends included.
pub(crate) struct Issuer {
    pub(crate) low: u32,
    pub(crate) high: u32,
    /// Bit n: numbers of 12 + n digits.
    pub(crate) lengths: u8,
    /// Whether the brand's numbers are known to end in a Luhn digit. Where that is undocumented, the range alone
    /// decides: a four-digit range is hit by one random number in ten thousand.
    pub(crate) luhn: bool,
    pub(crate) brand: Brand,
}

const L12_19: u8 = 0b1111_1111;
const L14_19: u8 = 0b1111_1100;
const L16_19: u8 = 0b1111_0000;
const L15: u8 = 0b0000_1000;
const L16: u8 = 0b0001_0000;
const L18: u8 = 0b0100_0000;
const L16_AND_19: u8 = 0b1001_0000;
const L16_18_19: u8 = 0b1101_0000;
const L13_16_18_19: u8 = 0b1101_0010;

const fn row(low: u32, high: u32, lengths: u8, brand: Brand) -> Issuer {
    Issuer { low: widen(low, 0), high: widen(high, 9), lengths, luhn: true, brand }
}

const fn undocumented(prefix: u32, lengths: u8, brand: Brand) -> Issuer {
    Issuer { low: widen(prefix, 0), high: widen(prefix, 9), lengths, luhn: false, brand }
}

/// A prefix of one to six digits, filled up to six with `digit`.
const fn widen(mut prefix: u32, digit: u32) -> u32 {
    while prefix < 100_000 {
        prefix = prefix * 10 + digit;
    }
    prefix
}

/// All rows, the more particular before the more general.
pub(crate) static ISSUERS: &[Issuer] = &ROWS;

const ROWS: [Issuer; 76] = [
    row(401178, 401179, L16, Brand::Elo),
    row(431274, 431274, L16, Brand::Elo),
    row(438935, 438935, L16, Brand::Elo),
    row(451416, 451416, L16, Brand::Elo),
    row(457393, 457393, L16, Brand::Elo),
    row(457631, 457632, L16, Brand::Elo),
    row(4, 4, L13_16_18_19, Brand::Visa),
    row(51, 55, L16, Brand::Mastercard),
    row(2221, 2720, L16, Brand::Mastercard),
    row(34, 34, L15, Brand::AmericanExpress),
    row(37, 37, L15, Brand::AmericanExpress),
    row(2200, 2204, L16_19, Brand::Mir),
    row(384100, 384100, L16, Brand::Hipercard),
    row(384140, 384140, L16, Brand::Hipercard),
    row(384160, 384160, L16, Brand::Hipercard),
    row(300, 305, L14_19, Brand::Diners),
    row(309, 309, L14_19, Brand::Diners),
    row(36, 36, L14_19, Brand::Diners),
    row(38, 39, L14_19, Brand::Diners),
    undocumented(357111, L16, Brand::LankaPay),
    row(3528, 3589, L16_19, Brand::Jcb),
    row(353, 353, L16, Brand::RuPay),
    row(356, 356, L16, Brand::RuPay),
    row(504175, 504175, L16, Brand::Elo),
    row(506099, 506198, L16_18_19, Brand::Verve),
    row(506699, 506778, L16, Brand::Elo),
    row(507865, 507964, L16_18_19, Brand::Verve),
    row(508, 508, L16, Brand::RuPay),
    row(509000, 509999, L16, Brand::Elo),
    undocumented(5614, L16, Brand::UzCard),
    undocumented(564456, L18, Brand::AfriGo),
    row(5018, 5018, L12_19, Brand::Maestro),
    row(5020, 5020, L12_19, Brand::Maestro),
    row(5038, 5038, L12_19, Brand::Maestro),
    row(5893, 5893, L12_19, Brand::Maestro),
    row(50, 50, L16_19, Brand::Maestro),
    row(56, 59, L16_19, Brand::Maestro),
    row(606282, 606282, L16, Brand::Hipercard),
    row(6011, 6011, L16_19, Brand::Discover),
    row(60, 60, L16, Brand::RuPay),
    row(627780, 627780, L16, Brand::Elo),
    row(62, 62, L16_19, Brand::UnionPay),
    row(6304, 6304, L12_19, Brand::Maestro),
    row(636297, 636297, L16, Brand::Elo),
    row(636368, 636368, L16, Brand::Elo),
    row(637095, 637095, L16, Brand::Hiper),
    row(637374, 637374, L16, Brand::Hiper),
    row(637433, 637433, L16, Brand::Hiper),
    row(637568, 637568, L16, Brand::Hiper),
    row(637599, 637599, L16, Brand::Hiper),
    row(637609, 637609, L16, Brand::Hiper),
    row(637612, 637612, L16, Brand::Hiper),
    row(644, 649, L16_19, Brand::Discover),
    row(650002, 650027, L16_18_19, Brand::Verve),
    row(650031, 650033, L16, Brand::Elo),
    row(650035, 650051, L16, Brand::Elo),
    row(650405, 650439, L16, Brand::Elo),
    row(650485, 650538, L16, Brand::Elo),
    row(650541, 650598, L16, Brand::Elo),
    row(650700, 650718, L16, Brand::Elo),
    row(650720, 650727, L16, Brand::Elo),
    row(650901, 650978, L16, Brand::Elo),
    row(651652, 651679, L16, Brand::Elo),
    row(655000, 655019, L16, Brand::Elo),
    row(655021, 655058, L16, Brand::Elo),
    row(6521, 6522, L16, Brand::RuPay),
    row(65, 65, L16_19, Brand::Discover),
    row(6759, 6759, L12_19, Brand::Maestro),
    row(6761, 6763, L12_19, Brand::Maestro),
    row(6, 6, L16_19, Brand::Maestro),
    row(8110, 8171, L16_19, Brand::UnionPay),
    row(81, 82, L16, Brand::RuPay),
    undocumented(8600, L16, Brand::UzCard),
    undocumented(9704, L16_AND_19, Brand::Napas),
    row(9792, 9792, L16, Brand::Troy),
    undocumented(9860, L16, Brand::Humo),
];

/// What is known from the first four digits, in one word: in the lowest byte the union of the lengths of all rows that
/// touch the prefix, in the next the first such row, then two flags.
#[derive(Clone, Copy)]
pub(crate) struct Possible(u32);

/// One row alone touches the prefix, and covers all of it.
const ALONE: u32 = 1 << 16;
/// All rows that touch the prefix ask for a Luhn digit.
const NEEDS_LUHN: u32 = 1 << 17;

static PREFIXES: [Possible; 10_000] = prefixes();

/// The brand of each row, filled up so that any byte is the place of one.
static BRANDS: [Brand; 256] = brands();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a slip does not build")]
const fn brands() -> [Brand; 256] {
    let mut table = [Brand::Visa; 256];
    let mut index = 0;
    while index < ROWS.len() {
        table[index] = ROWS[index].brand;
        index += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler: a slip does not build")]
const fn prefixes() -> [Possible; 10_000] {
    let mut table = [Possible(NEEDS_LUHN); 10_000];
    let mut index = ROWS.len();
    while index > 0 {
        index -= 1;
        let issuer = &ROWS[index];
        let (low, high) = (issuer.low / 100, issuer.high / 100);
        let mut prefix = low;
        while prefix <= high {
            let known = table[prefix as usize].0;
            let first = known & 0xff == 0;
            let whole = issuer.low <= prefix * 100 && prefix * 100 + 99 <= issuer.high;
            let alone = if first && whole { ALONE } else { 0 };
            let luhn = if issuer.luhn { known & NEEDS_LUHN } else { 0 };
            table[prefix as usize] =
                Possible(known & 0xff | issuer.lengths as u32 | (index as u32) << 8 | alone | luhn);
            prefix += 1;
        }
    }
    table
}

/// The rows that a number with these first four digits (0..=9999) may belong to.
#[inline(always)]
pub(crate) fn possible(first_four: u32) -> Possible {
    PREFIXES.get(first_four as usize).copied().unwrap_or(Possible(NEEDS_LUHN))
}

impl Possible {
    /// Some row here has numbers of that many digits.
    #[inline(always)]
    pub(crate) fn length(self, digits: usize) -> bool {
        let Some(place) = digits.checked_sub(PAN_DIGITS_MIN) else { return false };
        digits <= PAN_DIGITS_MAX && self.0 >> place & 1 == 1
    }

    /// Every row here asks for a Luhn digit: a number without one is no card.
    #[inline(always)]
    pub(crate) fn needs_luhn(self) -> bool {
        self.0 & NEEDS_LUHN != 0
    }

    /// The first row here.
    #[inline(always)]
    fn first(self) -> usize {
        (self.0 >> 8 & 0xff) as usize
    }

    /// The brand of a number of that many digits, of a length that some row here has. `luhn`: its last digit is right.
    #[inline(always)]
    pub(crate) fn brand(self, first_six: impl FnOnce() -> u32, digits: usize, luhn: bool) -> Option<Brand> {
        if !luhn && self.needs_luhn() {
            return None;
        }
        if self.0 & ALONE != 0 {
            return BRANDS.get(self.first()).copied();
        }
        self.search(first_six(), digits, luhn)
    }

    #[inline(never)]
    fn search(self, first_six: u32, digits: usize, luhn: bool) -> Option<Brand> {
        let rows = ISSUERS.get(self.first()..)?;
        let bit = 1u8.checked_shl(digits.checked_sub(PAN_DIGITS_MIN)? as u32)?;
        let row = rows.iter().find(|row| {
            (row.low..=row.high).contains(&first_six) && row.lengths & bit != 0 && (luhn || !row.luhn)
        })?;
        Some(row.brand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_the_rows() {
        let edges = ISSUERS.iter().flat_map(|row| [row.low.wrapping_sub(1), row.low, row.high, row.high + 1]);
        for first_six in (0..1_000_000).step_by(37).chain(edges) {
            for digits in 10..=21 {
                for luhn in [false, true] {
                    let plain = ISSUERS.iter().find(|row| {
                        (row.low..=row.high).contains(&first_six)
                            && (12..=19).contains(&digits)
                            && row.lengths >> (digits - 12) & 1 == 1
                            && (luhn || !row.luhn)
                    });
                    let possible = possible(first_six / 100);
                    let found = possible.length(digits).then(|| possible.brand(|| first_six, digits, luhn));
                    assert_eq!(plain.map(|row| row.brand), found.flatten(), "{first_six} {digits}");
                }
            }
        }
    }

    #[test]
    fn no_number_with_a_leading_zero_one_or_seven_is_a_card() {
        for first_four in (0..2000).chain(7000..8000) {
            assert!((12..=19).all(|digits| !possible(first_four).length(digits)));
        }
    }
}
