//! What every engine must do, whatever its protocol. An engine is entered here by its conversations.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod handshake;
mod postgres;
mod raw;
mod talk;

use driver::{Asked, Driver, Verdict, index};
use postgres::*;
use proptest::prelude::*;
use wire::postgres::{Config, Session};
use wire::{Engine, Event, RefusalKind, ServerTls, Side};

/// One thing that happens to a connection.
#[derive(Clone)]
enum Move {
    Bytes(Side, Vec<u8>),
    Connected,
}

/// What happens to a connection, and by which judgements.
struct Conversation<E> {
    name: &'static str,
    engine: fn() -> E,
    judge: fn(&Asked) -> Verdict,
    moves: Vec<Move>,
    /// The most bytes that the engine lets pile up unconsumed.
    kept_max: usize,
}

/// What went out, and what was told.
#[derive(PartialEq)]
struct Course {
    client: Vec<u8>,
    server: Vec<u8>,
    ends: Vec<Event>,
    error: Option<wire::Error>,
    closed: bool,
}

impl<E: Engine> Conversation<E> {
    /// Runs it, each move's bytes cut by `cut` into the pieces that come in one call.
    fn run(&self, stingy: bool, mut cut: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>>) -> Course {
        let mut driver = Driver::new((self.engine)(), Box::new(self.judge));
        driver.stingy = stingy;
        for (place, each) in self.moves.iter().enumerate() {
            match each {
                Move::Connected => driver.connected(),
                Move::Bytes(side, bytes) => {
                    for piece in cut(place, bytes) {
                        driver.feed(*side, &piece);
                    }
                }
            }
        }
        assert!(driver.kept_max <= self.kept_max, "{}: {} bytes were kept", self.name, driver.kept_max);
        finish(driver)
    }

    fn whole(&self) -> Course {
        self.run(false, |_, bytes| vec![bytes.to_vec()])
    }
}

fn finish<E: Engine>(mut driver: Driver<E>) -> Course {
    let ends =
        driver.events.iter().filter(|event| !matches!(event, Event::Answering { .. })).copied().collect();
    let [client, server] = [driver.take(Side::Client), driver.take(Side::Server)];
    Course { client, server, ends, error: driver.error, closed: driver.closed }
}

fn check_same<E>(conversation: &Conversation<E>, whole: &Course, other: &Course, how: &str) {
    // Offsets in errors count from the bytes in hand, which differ.
    let kind = |course: &Course| course.error.map(|error| core::mem::discriminant(&error));
    let same = whole.client == other.client
        && whole.server == other.server
        && whole.ends == other.ends
        && kind(whole) == kind(other)
        && whole.closed == other.closed;
    assert!(same, "{}: {how} makes a difference", conversation.name);
}

/// Every split gives the same.
fn splits<E: Engine>(conversation: &Conversation<E>) {
    let whole = conversation.whole();
    check_same(
        conversation,
        &whole,
        &conversation.run(true, |_, bytes| vec![bytes.to_vec()]),
        "a stingy driver",
    );
    let bytewise = |_, bytes: &[u8]| bytes.chunks(1).map(<[u8]>::to_vec).collect();
    check_same(conversation, &whole, &conversation.run(false, bytewise), "byte by byte");
    for (split_place, each) in conversation.moves.iter().enumerate() {
        let Move::Bytes(_, bytes) = each else { continue };
        // Of long values, the ends and a sample of the middle.
        let stride = (bytes.len() / 500).max(1);
        let ends = (0..bytes.len().min(100)).chain(bytes.len().saturating_sub(100)..bytes.len());
        for at in ends.chain((0..bytes.len()).step_by(stride)) {
            let split = conversation.run(false, |place, bytes| {
                if place == split_place {
                    vec![bytes[..at].to_vec(), bytes[at..].to_vec()]
                } else {
                    vec![bytes.to_vec()]
                }
            });
            check_same(conversation, &whole, &split, &format!("a split at {at} of move {split_place}"));
        }
    }
}

/// Cut short at every byte and the peer gone: what went out is a start of what would have, and it closes.
fn truncations<E: Engine>(conversation: &Conversation<E>) {
    let whole = conversation.whole();
    for (last, each) in conversation.moves.iter().enumerate() {
        let Move::Bytes(side, bytes) = each else { continue };
        let stride = (bytes.len() / 300).max(1);
        for at in (0..bytes.len()).step_by(stride) {
            let mut driver = Driver::new((conversation.engine)(), Box::new(conversation.judge));
            for each in &conversation.moves[..last] {
                match each {
                    Move::Connected => driver.connected(),
                    Move::Bytes(side, bytes) => driver.feed(*side, bytes),
                }
            }
            driver.feed(*side, &bytes[..at]);
            for (side, expected) in [(Side::Client, &whole.client), (Side::Server, &whole.server)] {
                assert!(
                    expected.starts_with(&driver.sent[index(side)]),
                    "{}: cut at {at} of move {last}",
                    conversation.name
                );
            }
            if driver.is_held() {
                continue;
            }
            driver.ended(*side);
            assert!(driver.closed, "{}: cut at {at} of move {last} goes on", conversation.name);
        }
    }
}

/// A length that is too large is refused before it is waited for, or bounded in what is kept.
fn oversizes<E: Engine>(conversation: &Conversation<E>, oversized: &[(Side, Vec<u8>)]) {
    for (side, header) in oversized {
        let mut driver = Driver::new((conversation.engine)(), Box::new(conversation.judge));
        for each in &conversation.moves {
            match each {
                Move::Connected => driver.connected(),
                Move::Bytes(side, bytes) => driver.feed(*side, bytes),
            }
        }
        driver.feed(*side, header);
        assert!(driver.error.is_some(), "{}: {header:?} is waited for", conversation.name);
    }
}

/// One or some bytes changed: nothing panics, and whatever is refused is refused for good.
fn garbage<E: Engine>(conversation: &Conversation<E>, place: usize, at: usize, bytes: &[u8]) {
    let course = conversation.run(false, |index, original| {
        let mut changed = original.to_vec();
        if index == place % conversation.moves.len() && !changed.is_empty() {
            let at = at % changed.len();
            let end = (at + bytes.len()).min(changed.len());
            changed[at..end].copy_from_slice(&bytes[..end - at]);
        }
        vec![changed]
    });
    assert!(course.error.is_none() || course.closed);
}

fn session() -> Session {
    Session::new(Config::default())
}

fn session_with_tls() -> Session {
    Session::new(Config { tls_offered: true, tls_required: true, ..Config::default() })
}

fn judge(asked: &Asked) -> Verdict {
    match asked {
        Asked::Login { .. } => Verdict::Admit(account(ServerTls::Off)),
        Asked::Command { text, .. } if text.contains("bad") => Verdict::Refuse(RefusalKind::Denied, "no"),
        _ => Verdict::Allow,
    }
}

fn judge_with_tls(asked: &Asked) -> Verdict {
    match asked {
        Asked::Login { .. } => Verdict::Admit(account(ServerTls::Required)),
        other => judge(other),
    }
}

fn opened(mut moves: Vec<Move>) -> Vec<Move> {
    let mut all = vec![
        Move::Bytes(Side::Client, startup(&[("user", "job"), ("database", "payments")])),
        Move::Bytes(Side::Client, password("token")),
        Move::Connected,
        Move::Bytes(Side::Server, greeting()),
    ];
    all.append(&mut moves);
    all
}

fn client(messages: &[Vec<u8>]) -> Move {
    Move::Bytes(Side::Client, messages.concat())
}

fn server(messages: &[Vec<u8>]) -> Move {
    Move::Bytes(Side::Server, messages.concat())
}

fn postgres_conversations() -> Vec<Conversation<Session>> {
    let pan = b"4111111111111111".as_slice();
    let number = 4_111_111_111_111_111_i64.to_be_bytes();
    let conversation =
        |name, moves| Conversation { name, engine: session, judge, moves: opened(moves), kept_max: 1 << 20 };
    let batch = [parse("", "select"), bind("", "", &[1]), describe(b'P', ""), execute(""), sync()];
    let answers = [message(b'1', b""), message(b'2', b""), description(&[(20, 1), (25, 1)])];
    let rows =
        [row(&[Some(&number), Some(pan)]), row(&[None, Some(b"x")]), complete("SELECT 2"), ready(b'I')];
    let long = [pan, &[b' '; 40_000], pan].concat();
    let mut all = vec![
        conversation(
            "simple queries, one refused",
            vec![
                client(&[query("select 1"), query("bad"), query("select 2")]),
                server(&[description(&[(25, 0)]), row(&[Some(pan)]), complete("SELECT 1"), ready(b'I')]),
                server(&[syntax_error(), ready(b'I'), error("42P01", "no 4111111111111111"), ready(b'I')]),
            ],
        ),
        conversation(
            "pipelined batches, one refused",
            vec![
                client(&[batch.concat(), parse("", "bad"), bind("", "", &[]), sync(), batch.concat()]),
                server(&[answers.concat(), rows.concat(), syntax_error(), ready(b'I')]),
                server(&[answers.concat(), rows.concat()]),
            ],
        ),
        conversation(
            "COPY both ways",
            vec![
                client(&[query("copy t to stdout")]),
                server(&[
                    message(b'H', &[0, 0, 0]),
                    message(b'd', b"1\t4111111111111111\n"),
                    message(b'c', b""),
                ]),
                server(&[complete("COPY 1"), ready(b'I')]),
                client(&[query("copy t from stdin")]),
                server(&[message(b'G', &[0, 0, 0])]),
                client(&[message(b'd', b"1\t2\n"), message(b'd', b"3\t4\n"), message(b'c', b"")]),
                server(&[complete("COPY 2"), ready(b'I')]),
            ],
        ),
        conversation(
            "a long row, notices and settings",
            vec![
                client(&[query("select")]),
                server(&[
                    description(&[(25, 0), (25, 0)]),
                    report(b'N', "NOTICE", "00000", "4111111111111111"),
                ]),
                server(&[
                    row(&[Some(&long), Some(pan)]),
                    setting("TimeZone", "UTC"),
                    complete("SELECT 1"),
                    ready(b'I'),
                ]),
            ],
        ),
    ];
    all.push(Conversation {
        name: "start-up with TLS on both legs",
        engine: session_with_tls,
        judge: judge_with_tls,
        moves: vec![
            Move::Bytes(Side::Client, b"\0\0\0\x08\x04\xd2\x16\x30".to_vec()),
            Move::Bytes(Side::Client, b"\0\0\0\x08\x04\xd2\x16\x2f".to_vec()),
            Move::Bytes(Side::Client, startup(&[("user", "job"), ("options", "-c timezone=UTC")])),
            Move::Bytes(Side::Client, password("token")),
            Move::Connected,
            Move::Bytes(Side::Server, b"S".to_vec()),
            Move::Bytes(Side::Server, message(b'R', b"\0\0\0\x05salt")),
            Move::Bytes(Side::Server, greeting()),
            client(&[query("select 1"), message(b'X', b"")]),
        ],
        kept_max: 1 << 20,
    });
    all
}

fn postgres_oversizes() -> Vec<(Side, Vec<u8>)> {
    let header = |side, tag: u8, length: u32| (side, [&[tag], length.to_be_bytes().as_slice()].concat());
    let mut all = vec![header(Side::Client, b'Q', 0x7fff_ffff), header(Side::Client, b'E', 0x7fff_ffff)];
    for tag in *b"TCEZNSA1" {
        all.push(header(Side::Server, tag, 0x7fff_ffff));
        all.push(header(Side::Server, tag, 3));
        all.push(header(Side::Server, tag, 0xffff_ffff));
    }
    all
}

#[test]
fn postgres_splits() {
    postgres_conversations().iter().for_each(splits);
}

#[test]
fn postgres_truncations() {
    postgres_conversations().iter().for_each(truncations);
}

#[test]
fn postgres_oversizes_are_refused() {
    for conversation in postgres_conversations().iter().take(4) {
        oversizes(conversation, &postgres_oversizes());
    }
}

fn mysql_modern() -> wire::mysql::Session {
    wire::mysql::Session::new(talk::config(talk::MODERN))
}

fn mysql_old() -> wire::mysql::Session {
    wire::mysql::Session::new(talk::config(talk::OLD))
}

fn mysql_bounded() -> wire::mysql::Session {
    let limits = wire::Limits { statement_bytes_max: 10_000, ..wire::Limits::default() };
    wire::mysql::Session::new(wire::mysql::Config { limits, ..talk::config(talk::MODERN) })
}

fn mysql_judge(asked: &Asked) -> Verdict {
    match asked {
        Asked::Login { .. } => Verdict::Admit(handshake::account(ServerTls::Off)),
        other => judge(other),
    }
}

fn mysql_opened(terms: talk::Terms, mut moves: Vec<Move>) -> Vec<Move> {
    let mut all = Vec::new();
    for (side, bytes) in talk::logins(terms) {
        all.push(Move::Bytes(side, bytes));
        if side == Side::Client {
            all.push(Move::Connected);
        }
    }
    all.append(&mut moves);
    all
}

fn mysql_conversations() -> Vec<Conversation<wire::mysql::Session>> {
    use talk::*;
    let pan = b"4111111111111111".as_slice();
    let number = 4_111_111_111_111_111_u64.to_le_bytes();
    let long = [pan, &[b' '; 40_000], pan].concat();
    let answer = |payloads: &[Vec<u8>]| Move::Bytes(Side::Server, talk::answer(payloads));
    let done = |status| answer(&[ok(0, status)]);
    let mut all = Vec::new();
    for (terms, engine) in [(MODERN, mysql_modern as fn() -> _), (OLD, mysql_old), (MODERN, mysql_bounded)] {
        let conversation = |name, moves| {
            let moves = mysql_opened(terms, moves);
            Conversation { name, engine, judge: mysql_judge, moves, kept_max: 1 << 20 }
        };
        let rows = result(terms, &[computed(TEXT)], &[row(&[Some(pan)]), row(&[None])], AUTOCOMMIT);
        let more = result(terms, &[computed(LONGLONG)], &[row(&[Some(pan)])], AUTOCOMMIT | MORE);
        all.push(conversation(
            "queries, one refused, a list, an error",
            vec![
                client(&[query("select 1"), query("bad"), query("select 2")]),
                answer(&rows),
                answer(&[more.clone(), rows.clone()].concat()),
                client(&[query("select 3"), command(0x0e, b""), command(9, b"")]),
                answer(&[talk::error(1062, "Duplicate entry '4111111111111111'")]),
                done(AUTOCOMMIT),
                answer(&[b"Uptime: 1".to_vec()]),
            ],
        ));
        let line = binary_row(&[Some(&number), Some(&[&[16], pan].concat()), None]);
        let columns = [computed(LONGLONG), computed(TEXT), computed(DOUBLE)];
        let ahead = command(0x18, b"\x07\0\0\0\0\0abc");
        let mut opened = vec![vec![3]];
        opened.extend(columns.clone());
        opened.push(end(terms, AUTOCOMMIT | CURSOR));
        all.push(conversation(
            "a prepared statement, its cursor, a value sent ahead",
            vec![
                client(&[prepare("select ?")]),
                answer(&prepared(terms, 1, &columns)),
                client(&[ahead, command(0x17, &raw::execution(7, 0, &[(BLOB, Some(vec![]))], true))]),
                answer(&result(terms, &columns, &[line.clone(), line.clone()], AUTOCOMMIT)),
                client(&[command(0x17, &raw::execution(7, 1, &[(BLOB, Some(b"\x01x".to_vec()))], false))]),
                answer(&opened),
                client(&[command(0x1c, &[7, 0, 0, 0, 1, 0, 0, 0]), command(0x19, &[7, 0, 0, 0])]),
                answer(&[line, end(terms, AUTOCOMMIT)]),
            ],
        ));
        let changed = b"\0\0\0\x02\x40\0\0\x01x\x0c\0\x0a\x01a\x074111111".to_vec();
        all.push(conversation(
            "a long row, changes of the session",
            vec![
                client(&[query("select")]),
                answer(&result(
                    terms,
                    &[computed(TEXT), computed(BLOB)],
                    &[row(&[Some(&long), Some(pan)])],
                    AUTOCOMMIT,
                )),
                client(&[command(2, b"other")]),
                answer(&[changed]),
            ],
        ));
        let [.., (_, question), (_, set)] = logins(terms);
        let question = question[handshake::packet(2, &ok(0, 2)).len()..].to_vec();
        all.push(conversation(
            "a reset, a leave",
            vec![
                client(&[command(0x1f, b""), query("select 1")]),
                done(AUTOCOMMIT),
                Move::Bytes(Side::Server, question),
                Move::Bytes(Side::Server, set),
                done(AUTOCOMMIT),
                client(&[command(1, b"")]),
            ],
        ));
    }
    all
}

fn mysql_oversizes() -> Vec<(Side, Vec<u8>)> {
    let mut all = vec![(Side::Client, vec![0xff, 0xff, 0xff, 0]), (Side::Client, vec![0x11, 0x27, 0, 0])];
    for first in [0, 1, 0xfb, 0xfe, 0xff] {
        all.push((Side::Server, vec![0xff, 0xff, 0xff, 1, first]));
        all.push((Side::Server, vec![1, 0, 0x10, 1, first]));
    }
    all
}

#[test]
fn mysql_splits() {
    for conversation in &mysql_conversations() {
        let whole = conversation.whole();
        assert_eq!(whole.error, None, "{}", conversation.name);
        let leaks = whole.client.windows(16).any(|part| part == b"4111111111111111");
        assert!(!leaks, "{}", conversation.name);
        splits(conversation);
    }
}

#[test]
fn mysql_truncations() {
    mysql_conversations().iter().for_each(truncations);
}

#[test]
fn mysql_oversizes_are_refused() {
    // The last of them leaves.
    for conversation in mysql_conversations().iter().skip(8).take(3) {
        oversizes(conversation, &mysql_oversizes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mysql_garbage(place in 0usize..13, at in any::<usize>(), bytes in prop::collection::vec(any::<u8>(), 1..6)) {
        for conversation in &mysql_conversations() {
            garbage(conversation, place, at, &bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn postgres_garbage(place in 0usize..9, at in any::<usize>(), bytes in prop::collection::vec(any::<u8>(), 1..6)) {
        for conversation in &postgres_conversations() {
            garbage(conversation, place, at, &bytes);
        }
    }
}
