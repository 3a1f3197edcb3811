//! What an attacker does with what a trick brought home: each decoder puts candidates together, in which a card number is
//! looked for. Raw messages are always searched; `same` takes whatever equals what the target itself says for a find.

use base64::Engine as _;

use crate::client::Transcript;
use crate::texts::Texts;

/// The card numbers of the demo's data.
pub(crate) const PANS: [&str; 5] =
    ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "2223003122003222"];

/// Whether a card number can be had from a transcript; which, and how.
pub(crate) fn find(decoders: &[String], got: &Transcript, truth: Option<&Texts>) -> Option<String> {
    if let Some(pan) = raw(got) {
        return Some(format!("{pan} as it is"));
    }
    let texts = Texts::of(got);
    decoders.iter().find_map(|decoder| {
        if decoder == "same" {
            let same = |truth: &&Texts| !truth.rows.is_empty() && texts.rows == truth.rows;
            return truth.filter(same).map(|_| "the rows that the target itself gives".to_owned());
        }
        let candidates = candidates(decoder, &texts);
        let found = PANS.iter().find(|pan| candidates.iter().any(|text| text.contains(*pan)));
        found.map(|pan| format!("{pan} by `{decoder}`"))
    })
}

/// A card number in a message's own bytes: as text, as an integer or float of eight bytes in either order.
fn raw(got: &Transcript) -> Option<&'static str> {
    PANS.into_iter().find(|pan| {
        let number: i64 = pan.parse().unwrap();
        let float = number as f64;
        let coded = [number.to_be_bytes(), number.to_le_bytes(), float.to_be_bytes(), float.to_le_bytes()];
        let forms: Vec<&[u8]> = coded.iter().map(<[u8; 8]>::as_slice).chain([pan.as_bytes()]).collect();
        let holds = |body: &[u8]| forms.iter().any(|form| memchr::memmem::find(body, form).is_some());
        got.messages.iter().any(|(_, body)| holds(body))
    })
}

fn candidates(decoder: &str, texts: &Texts) -> Vec<String> {
    let (name, argument) = decoder.split_once(':').unwrap_or((decoder, ""));
    let each = |decode: &dyn Fn(&str) -> String| texts.all().map(decode).collect::<Vec<_>>();
    let whole = |cells: &mut dyn Iterator<Item = &String>| cells.map(String::as_str).collect::<String>();
    match name {
        "digits" => each(&digits),
        "joined" => {
            let width = texts.rows.iter().map(Vec::len).max().unwrap_or(0);
            let mut all: Vec<String> = texts.rows.iter().map(|row| whole(&mut row.iter())).collect();
            all.extend((0..width).map(|at| whole(&mut texts.rows.iter().filter_map(|row| row.get(at)))));
            all.push(whole(&mut texts.rows.iter().flatten()));
            all.push(whole(&mut texts.rows.iter().rev().flatten()));
            all.push(whole(&mut texts.others.iter()));
            all.iter().map(|text| digits(text)).collect()
        }
        "reversed" => each(&|text| digits(&text.chars().rev().collect::<String>())),
        "reversed-joined" => {
            candidates("joined", texts).iter().map(|text| text.chars().rev().collect()).collect()
        }
        "base64" => each(&|text| latin(base64::engine::general_purpose::STANDARD.decode(text.trim()))),
        "hex" => each(&unhexed),
        "hex-digits" => each(&|text| digits(&unhexed(text))),
        "hex-twice" => each(&|text| unhexed(&unhexed(text))),
        "codes" => each(&codes),
        "minus" => each(&|text| computed(text, |value| value - argument.parse::<i128>().unwrap())),
        "xor" => each(&|text| computed(text, |value| value ^ argument.parse::<i128>().unwrap())),
        "over" => each(&|text| computed(text, |value| value / argument.parse::<i128>().unwrap())),
        "negated" => each(&|text| computed(text, |value| -value)),
        "translated" => {
            // The argument says what stands for 0, 1, … 9.
            let back = |letter: char| argument.chars().position(|own| own == letter);
            each(&|text| text.chars().filter_map(back).map(|digit| digit.to_string()).collect())
        }
        "radix" => {
            let radix = argument.parse().unwrap();
            each(&|text| {
                i128::from_str_radix(text.trim_start_matches("\\x"), radix)
                    .map_or_else(|_| String::new(), |value| value.to_string())
            })
        }
        "bits" => each(&|text| {
            text.as_bytes()
                .chunks(8)
                .filter_map(|bits| u8::from_str_radix(std::str::from_utf8(bits).ok()?, 2).ok())
                .map(char::from)
                .collect()
        }),
        "microseconds" => each(&microseconds),
        "escapes" => each(&|text| {
            let parts = text.split("\\u").filter_map(|part| u32::from_str_radix(part.get(..4)?, 16).ok());
            parts.filter_map(char::from_u32).collect()
        }),
        // A full-width digit of Shift-JIS: 0x82, then 0x4f and more. Bytes that are no UTF-8 have been replaced by now,
        // and the second byte is a letter from O to X.
        "sjis" => candidates("translated:OPQRSTUVWX", texts),
        "swapped" => each(&|text| {
            let at = text.len().saturating_sub(argument.parse().unwrap());
            text.split_at_checked(at).map_or_else(String::new, |(end, start)| [start, end].concat())
        }),
        _ => panic!("no decoder is called {decoder}"),
    }
}

/// The digits of a text, in whatever script they are.
fn digits(text: &str) -> String {
    let ascii = |letter: char| {
        let code = u32::from(letter);
        // Arabic-Indic, extended Arabic-Indic, Devanagari, full-width, mathematical monospace.
        let zero = [0x30, 0x660, 0x6f0, 0x966, 0xff10, 0x1d7f6]
            .into_iter()
            .find(|zero| code.wrapping_sub(*zero) < 10);
        zero.and_then(|zero| char::from_digit(code - zero, 10))
    };
    text.chars().filter_map(ascii).collect()
}

fn latin(bytes: Result<Vec<u8>, base64::DecodeError>) -> String {
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

/// Runs of hexadecimal digits as the bytes that they stand for.
fn unhexed(text: &str) -> String {
    let plain: String = text.trim_start_matches("\\x").chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    plain.as_bytes().chunks(2).filter_map(byte).map(char::from).collect()
}

/// Numbers as the characters of those codes.
fn codes(text: &str) -> String {
    let numbers = text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|part| part.parse().ok());
    numbers.filter_map(char::from_u32).collect()
}

fn computed(text: &str, undo: impl Fn(i128) -> i128) -> String {
    let number = text.split('.').next().unwrap_or_default().parse::<i128>();
    number.map_or_else(|_| String::new(), |value| undo(value).to_string())
}

/// `HOURS:MINUTES:SECONDS.FRACTION` as microseconds.
fn microseconds(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let parts: Option<Vec<i128>> = whole.split(':').map(|part| part.parse().ok()).collect();
    let seconds = parts.unwrap_or_default().iter().fold(0, |sum, part| sum * 60 + part);
    format!("{seconds}{fraction:0<6}")
}
