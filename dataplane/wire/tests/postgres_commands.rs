//! Commands: what is asked, what is forwarded, what takes the place of a refusal, which answer belongs to what.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod postgres;

use driver::{Asked, Verdict};
use postgres::*;
use wire::{CommandKind, Error, Event, Outcome, RefusalKind, Side, Transaction};

fn finished(number: u64, rows: u64, masked: u64, outcome: Outcome) -> Event {
    Event::Finished { number, rows, masked, outcome }
}

#[test]
fn an_allowed_session_is_byte_identical() {
    let mut session = open(allow);
    let client = [
        query("select 1"),
        parse("s", "select $1"),
        bind_with("", "s", &[b"x"], &[1]),
        describe(b'P', ""),
        execute(""),
        close(b'S', "s"),
        message(b'H', b""),
        sync(),
    ];
    let server = [
        [description(&[(23, 0)]), row(&[Some(b"1")]), complete("SELECT 1"), ready(b'I')].concat(),
        [message(b'1', b""), message(b'2', b""), description(&[(25, 1)]), row(&[Some(b"x")])].concat(),
        [complete("SELECT 1"), message(b'3', b""), ready(b'I')].concat(),
    ];
    session.feed(Side::Client, &client.concat());
    assert_eq!(session.take(Side::Server), client.concat());
    session.feed(Side::Server, &server.concat());
    assert_eq!(session.take(Side::Client), server.concat());
    let expected = [
        Event::Answering { number: 1 },
        finished(1, 1, 0, Outcome::Done),
        finished(2, 0, 0, Outcome::Done),
        Event::Answering { number: 3 },
        finished(3, 1, 0, Outcome::Done),
    ];
    assert_eq!(session.events, expected);
    let Asked::Command { kind, text, parameters, .. } = &session.asked[2] else { panic!("no command") };
    assert_eq!((kind, text.as_str()), (&CommandKind::Execute, "select $1"));
    assert_eq!(parameters, &[Some(b"x".to_vec())]);
}

#[test]
fn a_refused_query_fails_at_the_target_in_its_place() {
    let mut session = open(refuse_bad);
    session.feed(Side::Client, &[query("begin"), query("bad"), query("commit")].concat());
    assert_eq!(session.take(Side::Server), [query("begin"), failing_query(), query("commit")].concat());
    let begun = [complete("BEGIN"), ready(b'T')].concat();
    let rolled_back = [complete("ROLLBACK"), ready(b'I')].concat();
    session.feed(Side::Server, &[begun.clone(), syntax_error(), ready(b'E'), rolled_back.clone()].concat());
    assert_eq!(session.take(Side::Client), [begun, refusal(), ready(b'E'), rolled_back].concat());
    let outcomes: Vec<_> = session
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Finished { number, outcome, .. } => Some((*number, *outcome)),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes, [(1, Outcome::Done), (2, Outcome::Refused), (3, Outcome::Done)]);
}

#[test]
fn a_refused_message_of_a_pipeline_makes_the_rest_up_to_sync_go_nowhere() {
    let mut session = open(refuse_bad);
    let first = [parse("", "select 1"), bind("", "", &[]), execute("")].concat();
    let second = [parse("", "bad"), bind("", "", &[]), execute("")].concat();
    let third = [parse("", "select 2"), bind("", "", &[]), execute(""), sync()].concat();
    session.feed(Side::Client, &[first.clone(), second, third.clone(), third.clone()].concat());
    assert_eq!(session.take(Side::Server), [first, failing_parse(), sync(), third].concat());
    let answers = |rows: &str| [message(b'1', b""), message(b'2', b""), complete(rows)].concat();
    let server =
        [answers("SELECT 7"), syntax_error(), ready(b'I'), answers("SELECT 8"), ready(b'I')].concat();
    session.feed(Side::Server, &server);
    let expected = [answers("SELECT 7"), refusal(), ready(b'I'), answers("SELECT 8"), ready(b'I')].concat();
    assert_eq!(session.take(Side::Client), expected);
    assert_eq!(session.asked.len(), 5, "what goes nowhere is not asked about");
    let ends: Vec<_> =
        session.events.iter().filter(|event| matches!(event, Event::Finished { .. })).collect();
    let expected = [
        finished(1, 0, 0, Outcome::Done),
        finished(2, 7, 0, Outcome::Done),
        finished(3, 0, 0, Outcome::Refused),
        finished(4, 0, 0, Outcome::Done),
        finished(5, 8, 0, Outcome::Done),
    ];
    assert_eq!(ends, expected.iter().collect::<Vec<_>>());
}

#[test]
fn a_refused_bind_fails_and_its_statement_stays() {
    let mut refused = false;
    let mut session = open(move |asked| match asked {
        Asked::Command { kind: CommandKind::Execute, .. } if !std::mem::replace(&mut refused, true) => {
            Verdict::Refuse(RefusalKind::Rejected, "refused by rule no-bad")
        }
        _ => Verdict::Allow,
    });
    let run = [bind("", "s", &[]), execute(""), sync()].concat();
    session.feed(Side::Client, &[parse("s", "select 1"), sync()].concat());
    session.feed(Side::Server, &[message(b'1', b""), ready(b'I')].concat());
    session.take(Side::Server);
    session.take(Side::Client);
    session.feed(Side::Client, &run);
    assert_eq!(session.take(Side::Server), [failing_parse(), sync()].concat());
    session.feed(Side::Server, &[syntax_error(), ready(b'I')].concat());
    assert_eq!(session.take(Side::Client), [refusal(), ready(b'I')].concat());
    session.feed(Side::Client, &run);
    assert_eq!(session.take(Side::Server), run);
}

#[test]
fn an_error_before_a_refusal_skips_it() {
    let mut session = open(refuse_bad);
    session.feed(Side::Client, &[parse("", "selec"), parse("", "bad"), sync()].concat());
    let server = [error("42601", "syntax error at or near \"selec\""), ready(b'I')].concat();
    session.feed(Side::Server, &server);
    assert_eq!(session.take(Side::Client), server);
    let expected = [
        Event::Answering { number: 1 },
        finished(1, 0, 0, Outcome::Failed(*b"42601")),
        finished(2, 0, 0, Outcome::Refused),
    ];
    assert_eq!(session.events, expected);
}

#[test]
fn after_an_error_the_client_s_messages_up_to_sync_are_dropped_unasked() {
    let mut session = open(allow);
    session.feed(Side::Client, &parse("", "selec"));
    session.feed(Side::Server, &error("42601", "no"));
    session.take(Side::Server);
    session.feed(Side::Client, &[bind("", "", &[]), query("select 1"), message(b'd', b"x"), sync()].concat());
    assert_eq!(session.take(Side::Server), sync());
    assert_eq!(session.asked.len(), 1);
    session.feed(Side::Server, &ready(b'I'));
    session.feed(Side::Client, &bind("", "", &[]));
    assert_eq!(session.take(Side::Server), failing_parse(), "the statement never came to be");
}

#[test]
fn a_held_statement_waits_and_then_runs_as_it_came() {
    let mut session = open(|_| Verdict::Hold("held: ticket 7"));
    session.feed(Side::Client, &[query("update x"), query("select 2")].concat());
    assert!(session.is_held());
    assert_eq!(session.take(Side::Server), b"");
    assert_eq!(session.take(Side::Client), report(b'N', "NOTICE", "00000", "held: ticket 7"));
    let note = message(b'A', b"\0\0\0\x01x\0y\0");
    session.feed(Side::Server, &note);
    assert_eq!(session.take(Side::Client), note, "the other direction goes on");
    session.answer(Verdict::Allow);
    assert_eq!(session.take(Side::Server), query("update x"));
    session.answer(Verdict::Refuse(RefusalKind::Expired, "nobody answered"));
    assert_eq!(session.take(Side::Server), failing_query());
    session.feed(Side::Server, &[complete("UPDATE 3"), ready(b'I'), syntax_error(), ready(b'I')].concat());
    let expired = error("57014", "nobody answered");
    let notice = report(b'N', "NOTICE", "00000", "held: ticket 7");
    assert_eq!(
        session.take(Side::Client),
        [notice, complete("UPDATE 3"), ready(b'I'), expired, ready(b'I')].concat()
    );
}

#[test]
fn a_notice_never_lands_inside_a_message() {
    let mut session = open(|asked| match asked {
        Asked::Command { text, .. } if text == "two" => Verdict::Hold("wait"),
        _ => Verdict::Allow,
    });
    let long = row(&[Some(&vec![b'x'; 100_000])]);
    session.feed(Side::Client, &query("one"));
    session.feed(Side::Server, &[description(&[(25, 0)]), long[..50_000].to_vec()].concat());
    session.feed(Side::Client, &query("two"));
    session.feed(Side::Server, &[long[50_000..].to_vec(), complete("SELECT 1"), ready(b'I')].concat());
    let notice = report(b'N', "NOTICE", "00000", "wait");
    let expected = [description(&[(25, 0)]), long, notice, complete("SELECT 1"), ready(b'I')].concat();
    assert_eq!(session.take(Side::Client), expected);
}

#[test]
fn statements_and_portals_that_the_engine_does_not_know_are_not_run() {
    for (message, code) in [
        (bind("", "sql_made", &[]), "26000"),
        (describe(b'S', "sql_made"), "26000"),
        (describe(b'P', ""), "34000"),
        (execute("cursor"), "34000"),
    ] {
        let mut session = open(allow);
        session.feed(Side::Client, &[message, sync()].concat());
        assert_eq!(session.take(Side::Server), [failing_parse(), sync()].concat());
        session.feed(Side::Server, &[syntax_error(), ready(b'I')].concat());
        let told = session.take(Side::Client);
        assert!(told.windows(6).any(|bytes| bytes == format!("C{code}").as_bytes()), "{code}");
        assert_eq!(tags(&told), "EZ");
    }
}

#[test]
fn a_cursor_of_sql_is_described_and_not_run() {
    let mut session = open(allow);
    let asked = [describe(b'P', "cursor"), sync()].concat();
    session.feed(Side::Client, &asked);
    assert_eq!(session.take(Side::Server), asked);
    let answers = [description(&[(25, 0)]), ready(b'T')].concat();
    session.feed(Side::Server, &answers);
    assert_eq!(session.take(Side::Client), answers);
    session.feed(Side::Client, &asked);
    let answers = [message(b'n', b""), ready(b'T')].concat();
    session.feed(Side::Server, &answers);
    assert_eq!(session.take(Side::Client), answers);
    session.feed(Side::Client, &[execute("cursor"), sync()].concat());
    assert!(!session.take(Side::Server).starts_with(b"E"));
}

#[test]
fn a_name_made_or_dropped_in_sql_stands_for_nothing() {
    for sql in [
        "deallocate s",
        "DISCARD ALL",
        "prepare s as select 2",
        "select 1; deallocate all",
        "deallocate \"s\"",
    ] {
        let mut session = open(allow);
        session.feed(Side::Client, &[parse("s", "select 1"), sync(), query(sql)].concat());
        let answers = [message(b'1', b""), ready(b'I'), complete("DONE"), ready(b'I')].concat();
        session.feed(Side::Server, &answers);
        session.take(Side::Server);
        session.feed(Side::Client, &bind("", "s", &[]));
        assert_eq!(session.take(Side::Server), failing_parse(), "{sql}");
    }
}

#[test]
fn a_statement_of_an_earlier_batch_is_used_once_it_is_there() {
    let mut session = open(allow);
    let first = [parse("s", "select 1"), sync()].concat();
    let second = [bind("", "s", &[]), execute(""), sync()].concat();
    session.feed(Side::Client, &[first.clone(), second.clone()].concat());
    assert_eq!(session.take(Side::Server), first, "the second batch waits");
    session.feed(Side::Server, &message(b'1', b""));
    assert_eq!(session.take(Side::Server), second);
    // The other way round: it failed, and what refers to it is refused.
    let mut session = open(allow);
    session.feed(Side::Client, &[first.clone(), second].concat());
    session.feed(Side::Server, &[error("42P05", "exists"), ready(b'I')].concat());
    assert_eq!(session.take(Side::Server), [first, failing_parse(), sync()].concat());
}

#[test]
fn the_transaction_is_told_as_it_stands() {
    let mut session = open(allow);
    let step = |session: &mut driver::Driver<_>, sql: &str, tag: &str, status: u8| {
        session.feed(Side::Client, &query(sql));
        session.feed(Side::Server, &[complete(tag), ready(status)].concat());
    };
    step(&mut session, "begin", "BEGIN", b'T');
    step(&mut session, "set x = 1", "SET", b'T');
    step(&mut session, "update t", "UPDATE 1", b'T');
    step(&mut session, "select 1", "SELECT 1", b'E');
    step(&mut session, "rollback", "ROLLBACK", b'I');
    step(&mut session, "select 1", "SELECT 1", b'I');
    session.feed(Side::Client, &[query("begin"), query("update t"), query("select 1")].concat());
    use Transaction::*;
    let stands: Vec<_> = session
        .asked
        .iter()
        .filter_map(|asked| match asked {
            Asked::Command { transaction, .. } => Some(*transaction),
            _ => None,
        })
        .collect();
    assert_eq!(stands, [Idle, Fresh, Fresh, Active, Failed, Idle, Idle, Fresh, Active]);
}

#[test]
fn copy_in_goes_to_the_target_while_it_reads() {
    let copy_in = message(b'G', b"\0\0\x01\0\0");
    let data = [message(b'd', &vec![b'1'; 100_000]), message(b'd', b"2\n"), message(b'c', b"")].concat();
    let mut session = open(allow);
    // The data come before the answer that asks for them.
    session.feed(Side::Client, &[query("copy t from stdin"), data.clone()].concat());
    assert_eq!(session.take(Side::Server), query("copy t from stdin"));
    session.feed(Side::Server, &copy_in);
    assert_eq!(session.take(Side::Server), data);
    session.feed(Side::Server, &[complete("COPY 2"), ready(b'I')].concat());
    assert_eq!(session.events.last(), Some(&finished(1, 2, 0, Outcome::Done)));

    // A failed COPY: the rest of the data goes nowhere.
    session.feed(Side::Client, &query("copy t from stdin"));
    session.feed(Side::Server, &[copy_in, error("22P02", "no"), ready(b'I')].concat());
    session.take(Side::Server);
    session.feed(Side::Client, &[data, query("select 1")].concat());
    assert_eq!(session.take(Side::Server), query("select 1"));
    assert_eq!(session.error, None);
    session.feed(Side::Client, &message(b'c', b""));
    session.feed(Side::Server, &[complete("SELECT 0"), ready(b'I')].concat());
    assert!(matches!(session.error, Some(Error::Misbehaved { side: Side::Client, .. })));
}

#[test]
fn copy_in_of_the_extended_protocol_swallows_the_sync_before_it() {
    let mut session = open(allow);
    let batch = [parse("", "copy t from stdin"), bind("", "", &[]), execute(""), sync()].concat();
    session.feed(Side::Client, &batch);
    session.feed(Side::Server, &[message(b'1', b""), message(b'2', b""), message(b'G', b"\0\0\0")].concat());
    let rest = [message(b'd', b"1\n"), sync(), message(b'c', b""), sync()].concat();
    session.feed(Side::Client, &rest);
    assert_eq!(session.take(Side::Server), [batch, rest].concat());
    session.feed(Side::Server, &[complete("COPY 1"), ready(b'I')].concat());
    assert_eq!(session.error, None);
    session.feed(Side::Client, &query("select 1"));
    session.feed(Side::Server, &[complete("SELECT 0"), ready(b'I')].concat());
    assert_eq!(session.error, None);
}

#[test]
fn another_message_during_copy_fails_the_copy() {
    let mut session = open(allow);
    session.feed(Side::Client, &query("copy t from stdin"));
    session.feed(Side::Server, &message(b'G', b"\0\0\0"));
    session.take(Side::Server);
    session.feed(Side::Client, &query("select 1"));
    assert_eq!(tags(&session.take(Side::Server)), "f");
    session.feed(Side::Server, &[error("57014", "COPY failed"), ready(b'I')].concat());
    assert_eq!(session.asked.len(), 1);
    assert_eq!(session.error, None);
}

#[test]
fn function_calls_and_texts_in_other_encodings_are_refused_in_order() {
    let mut session = open(allow);
    session.feed(Side::Client, &[message(b'F', b"x"), message(b'Q', b"\xff\0")].concat());
    assert_eq!(session.take(Side::Server), [failing_query(), failing_query()].concat());
    session.feed(Side::Server, &[syntax_error(), ready(b'I'), syntax_error(), ready(b'I')].concat());
    let told = session.take(Side::Client);
    assert_eq!(tags(&told), "EZEZ");
    assert!(
        told.windows(6).any(|bytes| bytes == b"C0A000") && told.windows(6).any(|bytes| bytes == b"C22021")
    );
    let name = "n".repeat(64);
    session.feed(
        Side::Client,
        &[parse(&name, "select 1"), sync(), message(b'P', b"s\0\xff\0\0\0"), sync()].concat(),
    );
    assert_eq!(session.take(Side::Server), [failing_parse(), sync(), failing_parse(), sync()].concat());
    assert!(session.asked.is_empty());
}

#[test]
fn leaving_waits_for_the_answers_under_way() {
    let mut session = open(allow);
    session.feed(Side::Client, &[query("select 1"), message(b'X', b"")].concat());
    assert_eq!(session.take(Side::Server), [query("select 1"), message(b'X', b"")].concat());
    session.ended(Side::Client);
    assert!(!session.closed);
    session.feed(Side::Server, &[complete("SELECT 0"), ready(b'I')].concat());
    session.ended(Side::Server);
    assert!(session.closed && session.error.is_none());
    assert_eq!(tags(&session.take(Side::Client)), "CZ");
    // With nothing under way it closes at once.
    let mut session = open(allow);
    session.feed(Side::Client, &message(b'X', b""));
    assert_eq!(session.take(Side::Server), message(b'X', b""));
    assert!(session.closed);
}

#[test]
fn a_session_that_is_cut_ends_its_commands() {
    let mut session = open(allow);
    session.feed(Side::Client, &query("select 1"));
    session.ended(Side::Server);
    assert_eq!(session.events.last(), Some(&finished(1, 0, 0, Outcome::Cut)));
    assert_eq!(tags(&session.take(Side::Client)), "E");

    let mut session = open(allow);
    session.feed(Side::Client, &query("select 1"));
    session.take(Side::Server);
    session.refuse(RefusalKind::ShuttingDown, "pangate is going down");
    assert_eq!(session.take(Side::Client), report(b'E', "FATAL", "57P01", "pangate is going down"));
    assert_eq!(session.take(Side::Server), message(b'X', b""));

    // The target has said why already.
    let mut session = open(allow);
    let fatal = report(b'E', "FATAL", "57P01", "terminating connection");
    session.feed(Side::Server, &fatal);
    session.ended(Side::Server);
    assert_eq!(session.take(Side::Client), fatal);
}

#[test]
fn messages_out_of_place_end_the_session() {
    for message in [message(b'p', b"x\0"), message(b'd', b"x"), message(b'?', b""), message(b'S', b"x")] {
        let mut session = open(allow);
        session.feed(Side::Client, &message);
        assert!(session.error.is_some(), "{message:?}");
        assert_eq!(tags(&session.take(Side::Client)), "E");
        assert_eq!(session.take(Side::Server), postgres::message(b'X', b""));
    }
    let row = row(&[Some(b"1")]);
    for (asked, answer) in [
        (vec![], row.clone()),
        (query("x"), row.clone()),
        (vec![], ready(b'I')),
        (vec![], complete("SELECT 1")),
        (vec![], message(b'K', &[0; 8])),
        (vec![], message(b'R', &[0; 4])),
        (vec![], message(b'1', b"")),
        (vec![], description(&[(23, 0)])),
        (query("x"), message(b't', &[0, 0])),
        (query("x"), message(b'd', b"x\n")),
        (vec![], message(b'G', &[0, 0, 0])),
        (query("x"), message(b'W', &[0, 0, 0])),
        (query("x"), [message(b'H', &[0, 0, 0]), message(b'H', &[0, 0, 0])].concat()),
        (query("x"), ready(b'?')),
        (
            query("x"),
            [description(&[(23, 0), (23, 0)]), postgres::row(&[Some(b"4111111111111111")])].concat(),
        ),
        ([parse("", "x"), describe(b'S', "")].concat(), [message(b'1', b""), description(&[])].concat()),
        (vec![], setting("client_encoding", "LATIN1")),
        (vec![], setting("standard_conforming_strings", "off")),
    ] {
        let mut session = open(allow);
        session.feed(Side::Client, &asked);
        session.feed(Side::Server, &answer);
        let error = session.error.unwrap_or_else(|| panic!("{answer:?}"));
        let blamed = match error {
            Error::Malformed { side, .. }
            | Error::Misbehaved { side, .. }
            | Error::Unsupported { side, .. } => side,
            other => panic!("{other}"),
        };
        assert_eq!(blamed, Side::Server);
        assert!(tags(&session.take(Side::Client)).ends_with('E'));
    }
}

#[test]
fn bounds_hold() {
    let limits =
        wire::Limits { statement_bytes_max: 1000, portals_max: 1, statements_max: 1, ..Default::default() };
    let config = wire::postgres::Config { limits, ..Default::default() };
    let mut session = open_with(config.clone(), allow);
    session.feed(Side::Client, &[b'Q', 0, 0, 4, 0]);
    assert!(matches!(session.error, Some(Error::TooLarge { side: Side::Client, most: 1000, .. })));

    let mut session = open_with(config.clone(), allow);
    session.feed(Side::Client, &[parse("a", "x"), parse("b", "x"), sync()].concat());
    assert_eq!(session.take(Side::Server), [parse("a", "x"), failing_parse(), sync()].concat());

    let mut session = open_with(config, allow);
    session.feed(Side::Client, &[parse("a", "x"), bind("p", "a", &[]), bind("q", "a", &[]), sync()].concat());
    assert_eq!(
        session.take(Side::Server),
        [parse("a", "x"), bind("p", "a", &[]), failing_parse(), sync()].concat()
    );

    let mut session = open(allow);
    session.feed(Side::Server, &[b'N', 0, 0x7f, 0, 0]);
    assert!(matches!(session.error, Some(Error::TooLarge { side: Side::Server, .. })));

    // More commands than are kept in mind wait in the client's buffer.
    let mut session = open(allow);
    session.feed(Side::Client, &sync().repeat(wire::limits::PENDING_MAX + 10));
    assert_eq!(session.take(Side::Server).len(), wire::limits::PENDING_MAX * 5);
    session.feed(Side::Server, &ready(b'I').repeat(10));
    assert_eq!(session.take(Side::Server).len(), 10 * 5);
}
