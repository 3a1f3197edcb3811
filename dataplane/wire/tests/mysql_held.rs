//! What a client of MariaDB's is told while its command is held: progress reports, and an answer whose packets go on
//! counting behind them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod handshake;
mod raw;
mod talk;

use driver::{Asked, Driver, Verdict};
use handshake::packet;
use raw::execution;
use talk::*;
use wire::limits::HELD_REPORT_MS;
use wire::mysql::Session;
use wire::{CommandKind, Engine as _, Now, RefusalKind, Side};

const NOTICE: &str = "pangate: waiting for approval, ticket 9";

fn hold(asked: &Asked) -> Verdict {
    match asked {
        Asked::Command { kind: CommandKind::Prepare, .. } => Verdict::Allow,
        _ => Verdict::Hold(NOTICE),
    }
}

/// As MariaDB's `net_send_progress_packet` writes it: 0xffff, one string, stage 1 of 1, 0 %, its name.
fn report(number: u8) -> Vec<u8> {
    packet(number, &[b"\xff\xff\xff\x01\x01\x01\0\0\0\x27".as_slice(), NOTICE.as_bytes()].concat())
}

/// Lets the time for another report come.
fn later(session: &mut Driver<Session>) {
    let due = session.engine.deadline().expect("a report is due some time");
    assert_eq!(due.0, session.now.0 + HELD_REPORT_MS);
    session.expire(due);
}

/// A session whose command has been told of twice.
fn held(command: &[u8]) -> Driver<Session> {
    let mut session = open(MARIADB, hold);
    session.feed(Side::Client, &prepare("select ?"));
    let mut prepared = prepared(MARIADB, 1, &[]);
    prepared[1] = extended(TEXT);
    session.feed(Side::Server, &answer(&prepared));
    assert_eq!(session.error, None);
    session.take(Side::Client);
    session.take(Side::Server);
    session.feed(Side::Client, command);
    assert_eq!(session.take(Side::Client), report(1));
    later(&mut session);
    assert_eq!(session.take(Side::Client), report(2));
    assert!(session.is_held() && session.take(Side::Server).is_empty());
    session
}

fn execute() -> Vec<u8> {
    command(0x17, &execution(7, 0, &[(LONG, Some(vec![1, 0, 0, 0]))], true))
}

fn spoken(payload: Vec<u8>) -> Vec<u8> {
    [payload.as_slice(), &[NOTICE.len() as u8], NOTICE.as_bytes()].concat()
}

/// A column's definition with MariaDB's extended metadata: none.
fn extended(kind: u8) -> Vec<u8> {
    let plain = computed(kind);
    let fixed = plain.len() - 13;
    [&plain[..fixed], &[0], &plain[fixed..]].concat()
}

#[test]
fn an_answer_goes_on_counting_behind_the_reports() {
    let text = [row(&[Some(b"1")]), row(&[None])];
    let binary = [binary_row(&[Some(&[1, 0, 0, 0])]), binary_row(&[None])];
    for (command, rows) in [(query("select 1"), &text), (execute(), &binary)] {
        let mut session = held(&command);
        session.answer(Verdict::Allow);
        assert_eq!(session.take(Side::Server), command);
        assert_eq!(session.engine.deadline(), None, "no report once it runs");
        let several = [
            result(MARIADB, &[extended(LONG)], rows, AUTOCOMMIT | MORE),
            // A report of the target's own.
            vec![b"\xff\xff\xff\x01\x01\x02\0\0\0\x04copy".to_vec()],
            result(MARIADB, &[extended(LONG)], rows, AUTOCOMMIT | MORE),
        ]
        .concat();
        let given = [several.clone(), vec![ok(1, AUTOCOMMIT)]].concat();
        let expected = [several, vec![spoken(ok(1, AUTOCOMMIT))]].concat();
        session.feed(Side::Server, &answer(&given));
        assert_eq!(session.error, None);
        assert_eq!(session.take(Side::Client), numbered(3, &expected));
        // The next command's answer begins anew.
        session.feed(Side::Client, &packet(0, &[0x0e]));
        session.take(Side::Server);
        session.feed(Side::Server, &answer(&[ok(0, AUTOCOMMIT)]));
        assert_eq!(session.take(Side::Client), answer(&[ok(0, AUTOCOMMIT)]));
    }
}

#[test]
fn an_error_in_the_place_of_an_answer_counts_on_too() {
    for command in [query("update t"), execute()] {
        let mut session = held(&command);
        session.answer(Verdict::Refuse(RefusalKind::Rejected, "rejected, ticket 9"));
        let refusal = error(1227, "rejected, ticket 9");
        let refusal = [&refusal[..4], b"42000", &refusal[9..]].concat();
        assert_eq!(session.take(Side::Client), packet(3, &refusal));
        let mut session = held(&command);
        session.answer(Verdict::Allow);
        session.feed(Side::Server, &answer(&[error(1062, "no")]));
        assert_eq!(session.take(Side::Client), packet(3, &error(1062, "no")));
    }
    // The gateway's own end of the session, while it is held and while it runs.
    let mut session = held(&query("update t"));
    session.refuse(RefusalKind::ShuttingDown, "the gateway goes down");
    assert_eq!(session.take(Side::Client)[3], 3);
    assert_eq!(session.engine.deadline(), None);
    let mut session = held(&query("select 1"));
    session.answer(Verdict::Allow);
    session.feed(Side::Server, &answer(&[vec![1], extended(LONG)]));
    session.take(Side::Client);
    session.refuse(RefusalKind::ShuttingDown, "the gateway goes down");
    assert_eq!(session.take(Side::Client)[3], 5);
}

#[test]
fn numbers_wrap_on_either_side_by_themselves() {
    let mut session = held(&query("select 1"));
    for number in 3..=300_u32 {
        later(&mut session);
        assert_eq!(session.take(Side::Client), report((number % 256) as u8));
    }
    session.answer(Verdict::Allow);
    let rows = vec![row(&[Some(b"1")]); 600];
    let mut given = result(MARIADB, &[extended(LONG)], &rows, AUTOCOMMIT);
    session.feed(Side::Server, &answer(&given));
    let last = given.pop().unwrap();
    given.push([last, b"\x27".to_vec(), NOTICE.into()].concat());
    assert_eq!(session.take(Side::Client), numbered(45, &given));
}

#[test]
fn rows_over_several_packets_count_on() {
    for binary in [false, true] {
        let value = vec![b'x'; 0xff_ffff * 2 + 1000];
        let cell = [b"\xfe".as_slice(), &(value.len() as u64).to_le_bytes(), &value].concat();
        let line = if binary { binary_row(&[Some(&cell)]) } else { cell };
        // One that ends with its packet is followed by an empty one.
        let mut even = line.clone();
        even.truncate(0xff_ffff * 2);
        let place = if binary { 3 } else { 1 };
        let length = (even.len() - place - 8) as u64;
        even[place..place + 8].copy_from_slice(&length.to_le_bytes());
        for line in [line, even] {
            let mut session = held(&if binary { execute() } else { query("select long") });
            session.answer(Verdict::Allow);
            let head = [vec![1], extended(TEXT)];
            let bytes = spread(3, &line);
            let packets = (line.len() / 0xff_ffff + 1) as u8;
            let tail = |first: u8| numbered(first, &[end(MARIADB, AUTOCOMMIT)]);
            let given = [answer(&head), bytes, tail(3 + packets)].concat();
            for piece in given.chunks(1 << 20) {
                session.feed(Side::Server, piece);
            }
            assert_eq!(session.error, None);
            let ended = [end(MARIADB, AUTOCOMMIT), b"\x27".to_vec(), NOTICE.into()].concat();
            let expected = [numbered(3, &head), spread(5, &line), packet(5 + packets, &ended)].concat();
            assert!(session.take(Side::Client) == expected, "{binary}");
        }
    }
}

#[test]
fn who_has_not_asked_and_what_has_no_result_is_held_in_silence() {
    for terms in [MODERN, OLD, ATTRIBUTES] {
        let mut session = open(terms, hold);
        let held = if terms.version.is_empty() { query("update t") } else { command(3, b"\0\x01update t") };
        session.feed(Side::Client, &held);
        assert!(session.is_held() && session.take(Side::Client).is_empty());
        assert_eq!(session.engine.deadline(), None);
        session.answer(Verdict::Allow);
        session.feed(Side::Server, &answer(&[error(1062, "no")]));
        assert_eq!(session.take(Side::Client), answer(&[error(1062, "no")]));
    }
    // COM_INIT_DB, which MariaDB reports nothing of.
    let mut session = open(MARIADB, hold);
    session.feed(Side::Client, &command(2, b"work"));
    assert!(session.is_held() && session.take(Side::Client).is_empty());
    assert_eq!((session.engine.deadline(), session.now), (None, Now(0)));
}
