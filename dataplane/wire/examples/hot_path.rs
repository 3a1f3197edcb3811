//! What the engines cost a transaction, and a gigabyte: nanoseconds, printed. Run it with --release; with a word, only
//! what has that word in its name.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "nobody depends on it"
)]

#[path = "../tests/driver/mod.rs"]
mod driver;
#[path = "../tests/handshake/mod.rs"]
mod handshake;
#[path = "../tests/talk/mod.rs"]
mod talk;

use std::hint::black_box;

use wire::postgres::{Config, Session};
use wire::{Admission, CancelKey, Engine, Now, Outbox, Question, Ruling, Secret, ServerTls, Side, Step};

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 4).to_be_bytes();
    [&[tag], length.as_slice(), body].concat()
}

fn run(engine: &mut impl Engine, side: Side, bytes: &mut [u8], out: &mut Outbox) {
    let mut at = 0;
    while at < bytes.len() {
        let rest = &mut bytes[at..];
        let mut step = engine.step(side, rest, out, Now(0)).expect("a step");
        if matches!(step, Step::Ask) {
            black_box(matches!(engine.question(rest), Some(Question::Command(_))));
            let password = Secret::default();
            let admission = Admission {
                user: "u",
                password: &password,
                database: "d",
                application: "a",
                naming: None,
                tls: ServerTls::Off,
                cancel: CancelKey { process: 1, secret: 1 },
                mask: scan::Format::Last4,
                scanner: scan::Scanner::new(),
            };
            let login = matches!(engine.question(rest), Some(Question::Login(_)));
            let ruling = if login { Ruling::Admit(admission) } else { Ruling::Allow };
            step = engine.rule(ruling, rest, out, Now(0)).expect("a step");
        }
        at += match step {
            Step::ToClient(cleared) => cleared.len(),
            Step::ToServer(permitted) => permitted.len(),
            Step::Consumed(length) => length,
            Step::Need(_) => return,
            _ => panic!("not expected"),
        };
        out.events.clear();
        out.client.clear();
        out.server.clear();
    }
}

/// The least time that one of `times` exchanges took: the answer is copied each time, since it is masked in place.
fn best(name: &str, session: &mut impl Engine, out: &mut Outbox, asked: &[u8], answer: &[u8], times: u32) {
    if !std::env::args().nth(1).is_none_or(|word| name.contains(&word)) {
        return;
    }
    let (mut asked, mut hand) = (asked.to_vec(), answer.to_vec());
    let best = (0..5)
        .map(|_| {
            let start = cpu_ns();
            for _ in 0..times {
                run(session, Side::Client, &mut asked, out);
                hand.copy_from_slice(answer);
                run(session, Side::Server, &mut hand, out);
            }
            (cpu_ns() - start) / u64::from(times)
        })
        .min()
        .unwrap_or(0);
    println!("{name}: {best} ns, {:.2} s/GB", best as f64 / answer.len() as f64);
}

/// Time on a processor so far: what others do meanwhile does not count.
fn cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").expect("Linux");
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds")
}

fn measure(name: &str, asked: &[u8], answer: &[u8], times: u32) {
    let mut session = Session::new(Config::default());
    let out = &mut Outbox::default();
    run(&mut session, Side::Client, &mut b"\0\0\0\x12\0\x03\0\0user\0job\0\0".to_vec(), out);
    run(&mut session, Side::Client, &mut message(b'p', b"token\0"), out);
    session.connected(out, Now(0)).expect("connected");
    let greeting = [
        message(b'R', &[0; 4]),
        message(b'S', b"client_encoding\0UTF8\0"),
        message(b'S', b"standard_conforming_strings\0on\0"),
        message(b'K', &[0; 8]),
        message(b'Z', b"I"),
    ];
    run(&mut session, Side::Server, &mut greeting.concat(), out);
    run(
        &mut session,
        Side::Client,
        &mut [message(b'P', b"s\0select $1\0\0\0"), message(b'S', b"")].concat(),
        out,
    );
    run(&mut session, Side::Server, &mut [message(b'1', b""), message(b'Z', b"I")].concat(), out);
    best(name, &mut session, out, asked, answer, times);
}

/// The same at a MySQL target, with one column of text.
fn measure_mysql(name: &str, rows: &[Vec<u8>], times: u32) {
    let mut session = wire::mysql::Session::new(talk::config(talk::MODERN));
    let out = &mut Outbox::default();
    session.accepted(out, Now(0));
    for (side, mut bytes) in talk::logins(talk::MODERN) {
        run(&mut session, side, &mut bytes, out);
        if side == Side::Client {
            session.connected(out, Now(0)).expect("connected");
        }
    }
    let answer =
        talk::answer(&talk::result(talk::MODERN, &[talk::computed(talk::BLOB)], rows, talk::AUTOCOMMIT));
    best(name, &mut session, out, &talk::query("SELECT payload FROM bench_big LIMIT 4711"), &answer, times);
}

/// Groups of 32 hexadecimal digits, as `md5` gives them: the same each time.
fn hexadecimal(state: &mut u64, groups: usize) -> String {
    let group = |state: &mut u64| -> String {
        let digits = (0..32).map(|_| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from_digit((*state >> 60) as u32, 16).expect("four bits")
        });
        digits.collect()
    };
    (0..groups).map(|_| group(state)).collect::<Vec<_>>().join(" ")
}

fn row(cells: &[&[u8]]) -> Vec<u8> {
    let mut body = (cells.len() as u16).to_be_bytes().to_vec();
    for cell in cells {
        body.extend_from_slice(&(cell.len() as u32).to_be_bytes());
        body.extend_from_slice(cell);
    }
    message(b'D', &body)
}

fn described(columns: u16, rows: &[u8]) -> Vec<u8> {
    let column = [b"abalance\0".as_slice(), &[0; 6], &[0, 0, 0, 25], &[0; 8]].concat();
    let head =
        message(b'T', &[&columns.to_be_bytes(), column.repeat(usize::from(columns)).as_slice()].concat());
    [head, rows.to_vec(), message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat()
}

fn main() {
    let query = message(b'Q', b"SELECT abalance FROM pgbench_accounts WHERE aid = 4711;\0");
    measure("pgbench -S, simple", &query, &described(1, &row(&[b"-1234"])), 1_000_000);
    let batch = [
        message(b'B', b"\0s\0\0\0\0\x01\0\0\0\x044711\0\x01\0\0"),
        message(b'D', b"P\0"),
        message(b'E', b"\0\0\0\0\0"),
        message(b'S', b""),
    ];
    let answer = [message(b'2', b""), described(1, &row(&[b"-1234"]))].concat();
    measure("pgbench -S, prepared", &batch.concat(), &answer, 1_000_000);
    let text = "lorem ipsum dolor sit amet ".repeat(300);
    let clean = row(&[text.as_bytes()]);
    measure("8 KB rows, clean", &query, &described(1, &clean.repeat(7)), 20_000);
    let small = row(&[b"1234567", b"2026-11-24", b"some text of a row", b"12.50"]);
    measure("64 KB of small rows, clean", &query, &described(4, &small.repeat(900)), 20_000);
    let pan = row(&[[text.as_bytes(), b"4111111111111112 "].concat().as_slice()]);
    measure("8 KB rows, a number that is nearly a card each", &query, &described(1, &pan.repeat(7)), 20_000);
    let state = &mut 1;
    let card = b" 4111111111111111 ".as_slice();
    let large: Vec<Vec<u8>> = (0..7)
        .map(|_| [hexadecimal(state, 124).as_bytes(), card, hexadecimal(state, 124).as_bytes()].concat())
        .collect();
    let rows: Vec<_> = large.iter().map(|text| row(&[text])).collect();
    measure("8 KB rows of digits, a card each", &query, &described(1, &rows.concat()), 20_000);
    let rows: Vec<_> = large.iter().map(|text| talk::row(&[Some(text)])).collect();
    measure_mysql("MySQL, 8 KB rows of digits, a card each", &rows, 20_000);
    let small: Vec<Vec<u8>> =
        (0..350).map(|_| [hexadecimal(state, 4), "x".repeat(43)].concat().into()).collect();
    let rows: Vec<_> = small.iter().map(|text| row(&[text])).collect();
    measure("64 KB of small rows of digits", &query, &described(1, &rows.concat()), 20_000);
    let rows: Vec<_> = small.iter().map(|text| talk::row(&[Some(text)])).collect();
    measure_mysql("MySQL, 64 KB of small rows of digits", &rows, 20_000);
}
