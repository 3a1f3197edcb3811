//! What the finder takes for card numbers in texts that hold none: hits per gigabyte by kind of text, and what is left
//! when brands' ranges are not asked for. Prints benches/records/false-positives.md:
//!
//! `cargo run --release -p benches --bin false-positives > benches/records/false-positives.md`
//!
//! Files of this machine are read as they are (a machine has others: the figures are of the one that wrote the record);
//! the rest is made, the same on every run. Numbers that the brands publish for tests are real hits, and told apart.

use scan::{Kind, Scanner, naive};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Bytes made of each kind.
const MADE_BYTES: usize = 256 << 20;
/// Of a file, more is not read.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Numbers for tests that brands and processors publish, as digits.
const PUBLISHED: [&str; 22] = [
    "4111111111111111",
    "4242424242424242",
    "4012888888881881",
    "4000056655665556",
    "4222222222222",
    "4000000000000002",
    "5555555555554444",
    "5105105105105100",
    "5200828282828210",
    "2223003122003222",
    "378282246310005",
    "371449635398431",
    "378734493671000",
    "6011111111111117",
    "6011000990139424",
    "3056930009020004",
    "30569309025904",
    "38520000023237",
    "3530111333300000",
    "3566002020360505",
    "6200000000000005",
    "5019717010103742",
];

#[derive(Default)]
struct Count {
    bytes: u64,
    hits: u64,
    published: u64,
    /// Runs of 12 to 19 digits that pass Luhn, whatever their range.
    luhn: u64,
    brands: BTreeMap<&'static str, u64>,
    forms: BTreeMap<&'static str, u64>,
}

impl Count {
    fn add(&mut self, scanner: &Scanner, text: &[u8]) {
        self.bytes += text.len() as u64;
        for hit in scanner.find(text).filter(|hit| hit.kind != Kind::Code) {
            let written = text.get(hit.range).unwrap_or(&[]);
            let digits: String =
                written.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| char::from(*byte)).collect();
            if PUBLISHED.contains(&digits.as_str()) {
                self.published += 1;
            } else {
                self.hits += 1;
                *self.brands.entry(hit.brand.name()).or_default() += 1;
                *self.forms.entry(form(written, hit.kind)).or_default() += 1;
            }
        }
        let runs = text.chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit());
        let long = runs.filter(|run| (12..=19).contains(&run.len()) && run.iter().all(u8::is_ascii_digit));
        self.luhn += long
            .filter(|run| naive::luhn(&run.iter().map(|digit| digit & 15).collect::<Vec<_>>()))
            .count() as u64;
    }

    fn per_gigabyte(&self, count: u64) -> f64 {
        count as f64 * 1e9 / self.bytes.max(1) as f64
    }
}

/// How a hit is written.
fn form(written: &[u8], kind: Kind) -> &'static str {
    let has = |mark: u8| written.contains(&mark);
    let groups = written.split(|byte| !byte.is_ascii_digit()).filter(|group| !group.is_empty());
    let longest = groups.map(<[u8]>::len).max().unwrap_or(0);
    if kind != Kind::Pan {
        "tracks"
    } else if written.iter().all(u8::is_ascii_digit) {
        "digits alone"
    } else if has(b'e') || has(b'E') {
        "scientific notation"
    } else if has(0) {
        "UTF-16"
    } else if [b'%', b'\\', b'&'].into_iter().any(has) {
        "escapes"
    } else if !written.is_ascii() {
        "beyond ASCII"
    } else if has(b'\n') {
        "lines"
    } else if longest == 1 {
        "digit by digit"
    } else if longest == 3 {
        "thousands"
    } else {
        "groups"
    }
}

/// Reads all files under a folder, symbolic links left out.
fn folder(scanner: &Scanner, path: &Path, count: &mut Count) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        if about.is_dir() {
            folder(scanner, &path, count);
        } else if about.is_file() && about.len() <= FILE_BYTES_MAX {
            // What cannot be read is not counted.
            if let Ok(bytes) = fs::read(&path) {
                count.add(scanner, &bytes);
            }
        }
    }
}

/// Numbers that look random enough: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }

    fn date(&mut self) -> String {
        format!("20{:02}-{:02}-{:02}", self.below(27), self.below(12) + 1, self.below(28) + 1)
    }
}

/// One row of a kind of text.
type Row = fn(&mut Random) -> String;

const MADE: [(&str, Row); 9] = [
    ("pgbench tables as CSV", |r| {
        format!("{},{},{}\n", r.below(10_000_000), r.below(100), r.below(1_000_000))
    }),
    ("TPC-H lineitem", |r| {
        format!(
            "{}|{}|{}|{}|{}|{}.{:02}|0.0{}|0.0{}|N|O|{}|{}|{}|DELIVER IN PERSON|TRUCK|\n",
            r.below(6_000_000),
            r.below(200_000),
            r.below(10_000),
            r.below(7) + 1,
            r.below(50) + 1,
            r.below(90_000),
            r.below(100),
            r.below(10),
            r.below(9),
            r.date(),
            r.date(),
            r.date()
        )
    }),
    ("JSON export, ids of 64 bits", |r| {
        format!(
            "{{\"id\":{},\"at\":\"{}T{:02}:{:02}:{:02}.{:06}Z\",\"ratio\":0.{:016},\"amount\":{}.{:02}}}\n",
            r.below(1 << 53),
            r.date(),
            r.below(24),
            r.below(60),
            r.below(60),
            r.below(1_000_000),
            r.below(10_000_000_000_000_000),
            r.below(100_000),
            r.below(100)
        )
    }),
    ("UUIDs", |r| {
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}\n",
            r.below(1 << 32),
            r.below(1 << 16),
            r.below(1 << 12),
            0x8000 | r.below(1 << 14),
            r.below(1 << 48)
        )
    }),
    ("hashes in hexadecimal", |r| {
        format!("{:013x}{:013x}{:014x}  file\n", r.below(1 << 52), r.below(1 << 52), r.below(1 << 53))
    }),
    ("telephone numbers", |r| {
        format!(
            "+{} {} {}\n+{}{:010}\n",
            r.below(98) + 1,
            r.below(900) + 100,
            r.below(9_000_000) + 1_000_000,
            r.below(98) + 1,
            r.below(10_000_000_000)
        )
    }),
    ("timestamps (s, ms, us, ns)", |r| {
        let second = 1_500_000_000 + r.below(400_000_000);
        format!(
            "{second} {second}{:03} {second}{:06} {second}{:09}\n",
            r.below(1000),
            r.below(1_000_000),
            r.below(1_000_000_000)
        )
    }),
    ("order ids of 12 to 19 random digits", |r| {
        let digits = 12 + r.below(8) as u32;
        format!("order {}\n", 10u64.pow(digits - 1) + r.below(9 * 10u64.pow(digits - 1)))
    }),
    ("random 16-digit numbers in groups", |r| {
        format!(
            "ref {:04}-{:04}-{:04}-{:04}\n",
            r.below(10_000),
            r.below(10_000),
            r.below(10_000),
            r.below(10_000)
        )
    }),
];

fn made(scanner: &Scanner, row: Row) -> Count {
    let (mut random, mut count, mut text) = (Random(0x9e37_79b9_7f4a_7c15), Count::default(), Vec::new());
    while count.bytes < MADE_BYTES as u64 {
        text.clear();
        while text.len() < 1 << 20 {
            text.extend_from_slice(row(&mut random).as_bytes());
        }
        count.add(scanner, &text);
    }
    count
}

fn line(name: &str, count: &Count) {
    let mut brands: Vec<_> = count.brands.iter().collect();
    brands.sort_by_key(|(_, hits)| std::cmp::Reverse(**hits));
    let most: Vec<String> = brands.iter().take(4).map(|(brand, hits)| format!("{brand} {hits}")).collect();
    println!(
        "| {name} | {:.2} | {} | {:.1} | {:.1} | {} | {} |",
        count.bytes as f64 / 1e9,
        count.hits,
        count.per_gigabyte(count.hits),
        count.per_gigabyte(count.luhn),
        count.published,
        most.join(", ")
    );
}

/// How the hits in the machine's own files are written.
fn forms(total: &Count) {
    println!("\nHow the hits in the machine's own files are written:\n");
    println!("| form | hits | hits a GB |");
    println!("| --- | --- | --- |");
    let mut forms: Vec<_> = total.forms.iter().collect();
    forms.sort_by_key(|(_, hits)| std::cmp::Reverse(**hits));
    for (form, hits) in forms {
        println!("| {form} | {hits} | {:.1} |", total.per_gigabyte(*hits));
    }
}

fn main() {
    let scanner = Scanner::new();
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    println!("# What is taken for a card number and is none\n");
    println!(
        "Written by `cargo run --release -p benches --bin false-positives`. `Luhn alone`: runs of 12 to 19 digits that pass"
    );
    println!("Luhn, whatever their range. Published test numbers are real hits.\n");
    println!(
        "| text | GB | hits | hits a GB | Luhn alone, a GB | published test numbers | brands with most hits |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let folders = [
        ("logs (/var/log)", PathBuf::from("/var/log")),
        ("texts and data (/usr/share)", PathBuf::from("/usr/share")),
        ("programs (/usr/lib)", PathBuf::from("/usr/lib")),
        ("source trees (crates)", home.join(".cargo/registry/src")),
        ("source trees (headers)", PathBuf::from("/usr/include")),
    ];
    let mut total = Count::default();
    for (name, path) in folders {
        let mut count = Count::default();
        folder(&scanner, &path, &mut count);
        total.bytes += count.bytes;
        total.hits += count.hits;
        total.luhn += count.luhn;
        total.published += count.published;
        for (form, hits) in &count.forms {
            *total.forms.entry(form).or_default() += hits;
        }
        line(name, &count);
    }
    line("**all of the machine's**", &total);
    for (name, row) in MADE {
        line(&format!("made: {name}"), &made(&scanner, row));
    }
    forms(&total);
    println!("\n{REMAINS}");
}

/// What no finder can tell apart.
const REMAINS: &str = "\
In a machine's own files two hits in five stand in one table of strokes (/usr/share/i18n, 16 digits from 1 to 5 a line), the next
are constants of arithmetic in source trees and, of the groups, lists of four-digit numbers (collation and distribution tables).
A list of groups of four may as well be one of cards, so they are taken. Digits one by one, thousands, escapes, and digits of
other scripts have none.

What remains is arithmetic: of random numbers of 16 digits, the brands' ranges take about four in ten (Visa one in ten,
Mastercard one in seventeen, Maestro's, Discover's and UnionPay's 5 and 6 nearly all of two in ten), and Luhn one in ten of
these. A number with no Luhn digit that is documented (UzCard, Humo, Napas, LankaPay, AfriGo) is taken by range and length
alone: one random number in some thousands. A column that is known to hold order ids is not to be labelled, and its values are
masked all the same: a number that cannot be told from a card's is treated as one.";
