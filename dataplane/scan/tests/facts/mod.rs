//! Every brand and length of the public tables, typed in again: from the tables and not from the finder's rows.

use scan::naive;

/// Brand, first digits, lengths.
const FACTS: &[(&str, &[&str], &[usize])] = &[
    ("visa", &["4000", "4242", "4999"], &[13, 16, 18, 19]),
    ("mastercard", &["51", "52", "53", "54", "55", "222100", "222999", "25", "271999", "272099"], &[16]),
    ("amex", &["34", "37"], &[15]),
    ("discover", &["6011", "644", "645", "649", "6503"], &[16, 17, 18, 19]),
    ("diners", &["300", "305", "309", "36", "38", "39"], &[14, 15, 16, 17, 18, 19]),
    ("jcb", &["3528", "3540", "3589"], &[16, 17, 18, 19]),
    ("unionpay", &["620", "622126", "622925", "629", "8110", "8171"], &[16, 17, 18, 19]),
    (
        "maestro",
        &["5018", "5020", "5038", "5893", "6304", "6759", "6761", "6763"],
        &[12, 13, 14, 15, 16, 17, 18, 19],
    ),
    ("maestro", &["501", "56", "57", "58", "59", "61", "66", "67", "69"], &[16, 17, 18, 19]),
    ("rupay", &["508", "6521", "6522", "8172", "82", "607"], &[16]),
    ("mir", &["2200", "2204"], &[16, 17, 18, 19]),
    ("troy", &["9792"], &[16]),
    ("verve", &["506099", "506198", "650002", "650027", "507865", "507964"], &[16, 18, 19]),
    (
        "elo",
        &["401178", "438935", "457631", "504175", "506699", "509000", "627780", "636368", "650031"],
        &[16],
    ),
    ("hiper", &["637095", "637612"], &[16]),
    ("hipercard", &["606282"], &[16]),
    ("uzcard", &["8600", "5614"], &[16]),
    ("humo", &["9860"], &[16]),
    ("napas", &["9704"], &[16, 19]),
    ("lankapay", &["357111"], &[16]),
    ("afrigo", &["564456"], &[18]),
];

/// A number of each brand, first digits and length.
pub(crate) fn numbers() -> impl Iterator<Item = (&'static str, String)> {
    FACTS.iter().flat_map(|(brand, prefixes, lengths)| {
        prefixes
            .iter()
            .flat_map(move |prefix| lengths.iter().map(move |length| (*brand, number(prefix, *length))))
    })
}

/// A number of that brand: the first digits, then a pattern, then the Luhn digit. No shorter part of it that starts at
/// the front passes Luhn, so that only the whole can be meant.
fn number(prefix: &str, length: usize) -> String {
    (0u64..1000)
        .map(|seed| {
            let mut state = seed * 2_654_435_761 + length as u64;
            let mut random = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 60) as u8 % 10
            };
            let mut digits: Vec<u8> = prefix.bytes().map(|byte| byte & 0x0f).collect();
            digits.resize_with(length - 1, &mut random);
            digits.push(0);
            if let Some(check) =
                (0..10).find(|check| naive::luhn(&[&digits[..length - 1], &[*check]].concat()))
            {
                digits[length - 1] = check;
            }
            digits
        })
        .find(|digits| !(12..digits.len()).any(|length| naive::luhn(&digits[..length])))
        .map(|digits| digits.iter().map(|digit| char::from(b'0' + digit)).collect())
        .unwrap_or_default()
}

/// The groupings that a number of that length is printed in; without any, last.
pub(crate) fn layouts(brand: &str, length: usize) -> Vec<Vec<usize>> {
    let mut layouts = match length {
        12 => vec![vec![4, 4, 4]],
        13 => vec![vec![4, 4, 4, 1], vec![4, 3, 3, 3]],
        14 => vec![vec![4, 6, 4], vec![4, 4, 4, 2]],
        15 => vec![vec![4, 6, 5], vec![4, 4, 4, 3]],
        16 => vec![vec![4, 4, 4, 4], vec![4, 6, 6]],
        17 => vec![vec![4, 4, 4, 4, 1], vec![4, 4, 4, 5]],
        18 => vec![vec![4, 4, 4, 4, 2], vec![4, 4, 4, 6]],
        _ => vec![vec![4, 4, 4, 4, 3], vec![4, 4, 4, 7], vec![6, 13]],
    };
    // Without a Luhn digit the first sixteen are a number by themselves, and what follows is taken for its code.
    layouts.retain(|layout| brand != "napas" || *layout != [4, 4, 4, 4, 3]);
    layouts.push(vec![length]);
    layouts
}

/// The number in groups.
pub(crate) fn printed(number: &str, layout: &[usize], separator: &str) -> String {
    let mut groups = Vec::new();
    let mut rest = number;
    for length in layout {
        let (group, after) = rest.split_at(*length);
        groups.push(group);
        rest = after;
    }
    groups.join(separator)
}
