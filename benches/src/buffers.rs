//! Made-up texts to scan: the forms that card data travels in, with a known share of digits. The same seed gives the
//! same bytes.

use scan::naive;

/// A text, and how many card numbers were put into it.
pub struct Buffer {
    /// What it is like.
    pub name: &'static str,
    /// The text.
    pub bytes: Vec<u8>,
    /// The card numbers put in.
    pub cards: usize,
}

impl Buffer {
    /// The share of digits in percent.
    pub fn digits_percent(&self) -> usize {
        self.bytes.iter().filter(|byte| byte.is_ascii_digit()).count() * 100 / self.bytes.len().max(1)
    }
}

/// All texts, of about `size` bytes each.
pub fn all(size: usize) -> Vec<Buffer> {
    vec![
        build("clean text", size, clean),
        build("JSON", size, json),
        build("CSV", size, csv),
        build("PostgreSQL rows", size, postgres),
        build("hexadecimal rows", size, hexadecimal),
        build("CSV of numbers", size, csv_dense),
        build("all PANs", size, cards),
    ]
}

/// Numbers that look random enough: xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 24] = [
            "the",
            "settlement",
            "of",
            "account",
            "merchant",
            "reports",
            "that",
            "closing",
            "balance",
            "was",
            "moved",
            "into",
            "reserve",
            "after",
            "review",
            "by",
            "operations",
            "team",
            "Berlin",
            "invoice",
            "and",
            "pending",
            "transfer",
            "approved",
        ];
        WORDS.get(self.below(24) as usize).copied().unwrap_or("")
    }

    /// Sixteen digits that a Visa card could have.
    fn card(&mut self) -> String {
        let body = format!("4{:014}", self.below(100_000_000_000_000));
        (0..10u8).map(|check| format!("{body}{check}")).find(|text| is_card(text)).unwrap_or(body)
    }
}

fn is_card(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().map(|byte| byte & 0x0f).collect();
    naive::luhn(&digits)
}

fn build(name: &'static str, size: usize, row: fn(&mut Random, &mut Vec<u8>) -> usize) -> Buffer {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut buffer = Buffer { name, bytes: Vec::with_capacity(size + 512), cards: 0 };
    while buffer.bytes.len() < size {
        buffer.cards += row(&mut random, &mut buffer.bytes);
    }
    buffer
}

fn clean(random: &mut Random, out: &mut Vec<u8>) -> usize {
    for _ in 0..12 {
        out.extend_from_slice(random.word().as_bytes());
        out.push(b' ');
    }
    out.extend_from_slice(b"end.\n");
    0
}

/// One card in about 500 rows.
fn some_card(random: &mut Random) -> Option<String> {
    (random.below(500) == 0).then(|| random.card())
}

fn json(random: &mut Random, out: &mut Vec<u8>) -> usize {
    let card = some_card(random);
    let reference = card.clone().unwrap_or_else(|| random.word().to_owned());
    let (first, second, third) = (random.word(), random.word(), random.word());
    let (id, amount) = (random.below(100_000), random.below(100_000));
    let row = format!(
        "{{\"id\":{id},\"merchant\":\"{first} {second}\",\"reference\":\"{reference}\",\"state\":\"{third}\",\
         \"amount\":{}.{:02},\"currency\":\"EUR\",\"at\":\"2026-{:02}-{:02}\",\"channel\":\"ecommerce\"}}\n",
        amount / 100,
        amount % 100,
        random.below(12) + 1,
        random.below(28) + 1,
    );
    out.extend_from_slice(row.as_bytes());
    usize::from(card.is_some())
}

struct Row {
    fields: Vec<String>,
    card: bool,
}

fn row(random: &mut Random) -> Row {
    let card = some_card(random);
    let day = random.below(28) + 1;
    let amount = random.below(10_000_000);
    let fields = vec![
        random.below(1_000_000).to_string(),
        format!(
            "2026-{:02}-{day:02} {:02}:{:02}:{:02}",
            random.below(12) + 1,
            random.below(24),
            random.below(60),
            day
        ),
        format!("{} {} {}", random.word(), random.word(), random.word()),
        format!("{}.{:02}", amount / 100, amount % 100),
        card.clone().unwrap_or_else(|| format!("{} {}", random.word(), random.word())),
        random.word().to_owned(),
    ];
    Row { fields, card: card.is_some() }
}

fn csv(random: &mut Random, out: &mut Vec<u8>) -> usize {
    let row = row(random);
    out.extend_from_slice(row.fields.join(",").as_bytes());
    out.push(b'\n');
    usize::from(row.card)
}

/// DataRow messages as PostgreSQL sends them.
fn postgres(random: &mut Random, out: &mut Vec<u8>) -> usize {
    let row = row(random);
    let length: usize = row.fields.iter().map(|field| field.len() + 4).sum::<usize>() + 6;
    out.push(b'D');
    out.extend_from_slice(&(length as u32).to_be_bytes());
    out.extend_from_slice(&(row.fields.len() as u16).to_be_bytes());
    for field in &row.fields {
        out.extend_from_slice(&(field.len() as u32).to_be_bytes());
        out.extend_from_slice(field.as_bytes());
    }
    usize::from(row.card)
}

/// 8 KB of hexadecimal words with a number among them.
fn hexadecimal(random: &mut Random, out: &mut Vec<u8>) -> usize {
    for word in 0..240 {
        if word == 120 {
            out.extend_from_slice(format!("{} ", random.card()).as_bytes());
        }
        out.extend_from_slice(format!("{:016x}{:016x} ", random.next(), random.next()).as_bytes());
    }
    out.push(b'\n');
    1
}

/// Long numbers in most rows: order numbers of 13 digits, account numbers of 10 to 20.
fn csv_dense(random: &mut Random, out: &mut Vec<u8>) -> usize {
    let card = some_card(random);
    let row = format!(
        "{},{:013},{},{}.{:02},{:010},{}\n",
        random.below(10_000_000),
        random.below(10_000_000_000_000),
        random.word(),
        random.below(100_000),
        random.below(100),
        random.below(10_000_000_000),
        card.clone().unwrap_or_else(|| random.word().repeat(2)),
    );
    out.extend_from_slice(row.as_bytes());
    usize::from(card.is_some())
}

fn cards(random: &mut Random, out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(random.card().as_bytes());
    out.push(b'\n');
    1
}
