//! Commands: what is asked, what is forwarded, what answers in the target's place, how the session's books stand.
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
mod raw;
mod talk;

use driver::{Asked, Driver, Verdict};
use handshake::{only, packet, packets};
use raw::execution;
use talk::*;
use wire::mysql::Session;
use wire::{CommandKind, Error, Event, Limits, Outcome, RefusalKind, Side, Transaction};

fn finished(number: u64, rows: u64, masked: u64, outcome: Outcome) -> Event {
    Event::Finished { number, rows, masked, outcome }
}

/// Sends a command that passes as it is, and its answer, which passes as it is.
fn passes(session: &mut Driver<Session>, command: &[u8], answer: &[u8]) {
    session.feed(Side::Client, command);
    assert_eq!(session.take(Side::Server), command, "{:?}", session.error);
    session.feed(Side::Server, answer);
    assert_eq!(session.take(Side::Client), answer, "{:?}", session.error);
}

/// Sends a command that the gateway answers; the error's number and words.
fn answered(session: &mut Driver<Session>, command: &[u8]) -> (u16, String) {
    session.feed(Side::Client, command);
    assert!(session.take(Side::Server).is_empty());
    let (sequence, payload) = only(&session.take(Side::Client));
    assert_eq!(sequence, 1);
    let (number, _, words) = handshake::error(&payload);
    (number, words)
}

fn texts(session: &Driver<Session>) -> Vec<String> {
    let text = |asked: &Asked| match asked {
        Asked::Command { text, .. } => text.clone(),
        _ => String::new(),
    };
    session.asked.iter().map(text).collect()
}

#[test]
fn an_allowed_session_is_byte_identical() {
    for terms in [MODERN, OLD] {
        let mut session = open(terms, allow);
        let rows = result(terms, &[computed(LONG)], &[row(&[Some(b"1")]), row(&[None])], AUTOCOMMIT);
        passes(&mut session, &query("select 1"), &answer(&rows));
        passes(&mut session, &query("update t"), &answer(&[ok(3, AUTOCOMMIT)]));
        passes(&mut session, &prepare("select ?"), &answer(&prepared(terms, 1, &[computed(LONG)])));
        let run = command(0x17, &execution(7, 0, &[(LONG, Some(vec![5, 0, 0, 0]))], true));
        let rows = [binary_row(&[Some(&[1, 0, 0, 0])])];
        passes(&mut session, &run, &answer(&result(terms, &[computed(LONG)], &rows, AUTOCOMMIT)));
        passes(&mut session, &command(0x1a, &[7, 0, 0, 0]), &answer(&[ok(0, AUTOCOMMIT)]));
        passes(&mut session, &command(0x0e, b""), &answer(&[ok(0, AUTOCOMMIT)]));
        passes(&mut session, &command(0x1b, &[0, 0]), &answer(&[end(terms, AUTOCOMMIT)]));
        passes(&mut session, &command(0x1b, &[0, 0]), &answer(&[b"\xfe\0\0\x02\0".to_vec()]));
        passes(&mut session, &command(0x19, &[7, 0, 0, 0]), b"");
        session.feed(Side::Client, &command(1, b""));
        assert_eq!(session.take(Side::Server), command(1, b""));
        assert!(session.closed);
        let expected = [
            Event::Answering { number: 1 },
            finished(1, 2, 0, Outcome::Done),
            Event::Answering { number: 2 },
            finished(2, 3, 0, Outcome::Done),
            Event::Answering { number: 3 },
            finished(3, 0, 0, Outcome::Done),
            Event::Answering { number: 4 },
            finished(4, 1, 0, Outcome::Done),
        ];
        assert_eq!(session.events[..8], expected);
        let Asked::Command { kind, text, parameters, .. } = &session.asked[3] else { panic!("no command") };
        assert_eq!((kind, text.as_str()), (&CommandKind::Execute, "select ?"));
        assert_eq!(parameters, &[Some(b"5".to_vec())]);
    }
}

#[test]
fn a_refused_command_is_answered_in_the_target_s_place() {
    let mut session = open(MODERN, refuse_bad);
    assert_eq!(answered(&mut session, &query("bad")), (1227, "refused by rule no-bad".into()));
    passes(&mut session, &query("good"), &answer(&[ok(0, AUTOCOMMIT)]));
    assert_eq!(answered(&mut session, &prepare("bad")).0, 1227);
    assert_eq!(answered(&mut session, &command(0x17, &execution(u32::MAX, 0, &[], true))).0, 1243);
    assert_eq!(answered(&mut session, &command(2, b"bad`")).0, 1227);
    let refused: Vec<_> = session
        .events
        .iter()
        .filter(|event| matches!(event, Event::Finished { outcome: Outcome::Refused, .. }))
        .collect();
    assert_eq!(refused.len(), 3);
    assert_eq!(texts(&session)[3], "USE `bad```");
}

#[test]
fn what_stands_for_sql_is_asked_as_sql_and_forwarded_as_it_came() {
    let done = answer(&[ok(0, AUTOCOMMIT)]);
    let listed = answer(&[end(MODERN, AUTOCOMMIT)]);
    let rows = answer(&result(MODERN, &[computed(LONG)], &[row(&[Some(b"1")])], AUTOCOMMIT));
    let words = packet(1, b"Uptime: 4111111111111111");
    for (command, sql, answer) in [
        (command(2, b"payments"), "USE `payments`", &done),
        (command(5, b"a`b"), "CREATE DATABASE `a``b`", &done),
        (command(6, b"x"), "DROP DATABASE `x`", &done),
        (command(4, b"cards\0"), "SHOW COLUMNS FROM `cards`", &listed),
        (command(4, b"cards\0p'%"), "SHOW COLUMNS FROM `cards` LIKE 'p''%'", &listed),
        (command(7, &[5]), "FLUSH PRIVILEGES, TABLES", &done),
        (command(8, &[0]), "SHUTDOWN", &done),
        (command(9, b""), "SHOW STATUS", &words),
        (command(0x0a, b""), "SHOW PROCESSLIST", &rows),
        (command(0x0c, &[5, 1, 0, 0]), "KILL 261", &done),
    ] {
        let mut session = open(MODERN, allow);
        session.feed(Side::Client, &command);
        assert_eq!(session.take(Side::Server), command, "{sql}");
        assert_eq!(texts(&session), [sql]);
        let Asked::Command { kind: CommandKind::Query, .. } = session.asked[0] else { panic!("{sql}") };
        session.feed(Side::Server, answer);
        let seen = session.take(Side::Client);
        assert_eq!(seen.len(), answer.len(), "{sql} {:?}", session.error);
        assert!(!String::from_utf8_lossy(&seen).contains("411111"));
        assert!(matches!(session.events.last(), Some(Event::Finished { outcome: Outcome::Done, .. })));
    }
}

#[test]
fn what_is_not_to_be_had_is_refused_and_the_session_goes_on() {
    let mut session = open(MODERN, allow);
    for (bytes, number) in [
        (command(0x11, b"user\0"), 1235),
        (command(0x12, &[0; 10]), 1235),
        (command(0x15, &[0; 18]), 1235),
        (command(0x13, b"\x01a\x01b"), 1235),
        (command(0x1e, &[0; 20]), 1235),
        (command(0x20, b""), 1235),
        (command(0x0d, b""), 1235),
        (command(0xfa, &[0; 10]), 1235),
        (command(0xfe, b""), 1235),
        (command(7, &[0x40]), 1235),
        (command(0x0b, b""), 1047),
        (command(0x0f, b""), 1047),
        (command(0x10, b""), 1047),
        (command(0x14, b""), 1047),
        (command(0x1d, b""), 1047),
        (command(0x7f, b""), 1047),
        (command(3, b"select '\xff'"), 1300),
        (command(0x16, b"\xff"), 1300),
        (query("set names latin1"), 1231),
        (prepare("set sql_mode = 'ANSI'"), 1231),
        (query("select 1; /*! set session_track_schema = off */"), 1231),
        (command(0x1c, &[9, 0, 0, 0, 1, 0, 0, 0]), 1243),
    ] {
        assert_eq!(answered(&mut session, &bytes).0, number, "{}", bytes.escape_ascii());
        assert_eq!(session.error, None);
    }
    passes(&mut session, &command(0x0e, b""), &answer(&[ok(0, AUTOCOMMIT)]));
    for sql in [
        "SET sql_mode=(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')),time_zone='+00:00',NAMES utf8mb4 COLLATE utf8mb4_unicode_ci;",
        "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_general_ci'",
    ] {
        passes(&mut session, &query(sql), &answer(&[ok(0, AUTOCOMMIT)]));
    }
}

#[test]
fn one_command_at_a_time_and_the_rest_in_order() {
    let mut session = open(MODERN, refuse_bad);
    let all = [query("select 1"), query("bad"), command(0x19, &[7, 0, 0, 0]), query("select 2")];
    session.feed(Side::Client, &all.concat());
    assert_eq!(session.take(Side::Server), all[0]);
    assert_eq!(session.asked.len(), 1);
    let one = answer(&[ok(1, AUTOCOMMIT)]);
    session.feed(Side::Server, &one);
    assert_eq!(session.take(Side::Server), [all[2].clone(), all[3].clone()].concat());
    let seen = packets(&session.take(Side::Client));
    assert_eq!((seen.len(), seen[0].1[0], seen[1].1[0]), (2, 0, 0xff));
    session.feed(Side::Server, &one);
    assert_eq!(session.take(Side::Client), one);
}

#[test]
fn a_held_statement_waits_and_its_ticket_comes_with_the_end_of_its_answer() {
    for (terms, given, expected) in [
        (OLD, vec![ok(1, AUTOCOMMIT)], vec![[ok(1, AUTOCOMMIT), b"ticket 9".to_vec()].concat()]),
        (MODERN, vec![ok(1, AUTOCOMMIT)], vec![[ok(1, AUTOCOMMIT), b"\x08ticket 9".to_vec()].concat()]),
        (
            MODERN,
            [vec![ok(1, AUTOCOMMIT | MORE)], result(MODERN, &[computed(LONG)], &[], AUTOCOMMIT)].concat(),
            vec![
                ok(1, AUTOCOMMIT | MORE),
                vec![1],
                computed(LONG),
                [end(MODERN, AUTOCOMMIT), b"\x08ticket 9".to_vec()].concat(),
            ],
        ),
        // No place for it.
        (
            OLD,
            result(OLD, &[computed(LONG)], &[], AUTOCOMMIT),
            result(OLD, &[computed(LONG)], &[], AUTOCOMMIT),
        ),
        (MODERN, vec![error(1062, "no")], vec![error(1062, "no")]),
    ] {
        let mut session = open(terms, |_| Verdict::Hold("ticket 9"));
        session.feed(Side::Client, &[query("update t"), query("x")].concat());
        assert!(session.is_held() && session.take(Side::Server).is_empty());
        assert!(session.take(Side::Client).is_empty(), "there is no word for waiting");
        session.answer(Verdict::Allow);
        assert_eq!(session.take(Side::Server), query("update t"));
        session.feed(Side::Server, &answer(&given));
        assert_eq!(session.take(Side::Client), answer(&expected));
        // The words are said once.
        session.answer(Verdict::Refuse(RefusalKind::Rejected, "rejected, ticket 9"));
        let (_, refusal) = only(&session.take(Side::Client));
        assert_eq!(handshake::error(&refusal).2, "rejected, ticket 9");
    }
}

#[test]
fn a_client_without_session_tracking_is_not_told_what_the_gateway_hears() {
    let mut session = open(OLD, allow);
    let changed = b"\0\0\0\x02\x40\0\0\x03own\x0a\x01\x08\x07another".to_vec();
    session.feed(Side::Client, &query("use another"));
    session.feed(Side::Server, &answer(&[changed]));
    assert_eq!(session.take(Side::Client), packet(1, b"\0\0\0\x02\0\0\0own"));
    // One that knows it gets it as it came.
    let mut session = open(MODERN, allow);
    let changed = answer(&[b"\0\0\0\x02\x40\0\0\x03own\x0a\x01\x08\x07another".to_vec()]);
    passes(&mut session, &query("use another"), &changed);
}

#[test]
fn settings_that_the_target_tells_of_end_the_session_where_texts_read_otherwise() {
    let variable = |name: &str, value: &str| {
        let pair = [handshake::counted(name.as_bytes()), handshake::counted(value.as_bytes())].concat();
        let changes = [b"\0".to_vec(), handshake::counted(&pair)].concat();
        [b"\0\0\0\x02\x40\0\0\0".to_vec(), handshake::counted(&changes)].concat()
    };
    for (name, value, kept) in [
        ("sql_mode", "STRICT_TRANS_TABLES", true),
        ("sql_mode", "REAL_AS_FLOAT,ANSI_QUOTES,ANSI", false),
        ("character_set_client", "latin1", false),
        ("character_set_results", "", false),
        ("character_set_connection", "utf8mb3", true),
        ("collation_connection", "gbk_bin", false),
        ("time_zone", "ANSI", true),
    ] {
        for terms in [MODERN, OLD] {
            let mut session = open(terms, allow);
            session.feed(Side::Client, &query("call p()"));
            session.feed(Side::Server, &answer(&[variable(name, value)]));
            let seen = only(&session.take(Side::Client));
            assert_eq!((session.error.is_none(), seen.1[0] == 0, seen.0), (kept, kept, 1), "{name} {value}");
        }
    }
    for status in [0x200, 0x8000] {
        let mut session = open(MODERN, allow);
        session.feed(Side::Client, &query("call p()"));
        session.feed(Side::Server, &answer(&result(MODERN, &[computed(LONG)], &[], status)));
        assert!(matches!(session.error, Some(Error::Unsupported { side: Side::Server, .. })));
        assert_eq!(packets(&session.take(Side::Client)).last().unwrap().1[..3], [0xff, 0xd3, 4]);
    }
}

#[test]
fn the_transaction_is_told_as_it_stands() {
    for terms in [MODERN, OLD] {
        let mut session = open(terms, allow);
        let mut transactions = Vec::new();
        for (sql, status, fails) in [
            ("begin", IN_TRANSACTION, false),
            ("set @x = 1", IN_TRANSACTION, false),
            ("select 1", IN_TRANSACTION, false),
            ("select 2", IN_TRANSACTION, false),
            ("start transaction", IN_TRANSACTION, false),
            ("update t", IN_TRANSACTION, true),
            ("commit", AUTOCOMMIT, false),
            ("begin", IN_TRANSACTION, true),
            ("select 3", AUTOCOMMIT, false),
        ] {
            session.feed(Side::Client, &query(sql));
            let answered = if fails { error(1064, "no") } else { ok(0, status) };
            session.feed(Side::Server, &answer(&[answered]));
            let Some(Asked::Command { transaction, .. }) = session.asked.last() else { panic!("no command") };
            transactions.push(*transaction);
        }
        use Transaction::{Active, Fresh, Idle};
        assert_eq!(transactions, [Idle, Fresh, Fresh, Active, Active, Fresh, Active, Idle, Idle]);
    }
}

#[test]
fn the_default_database_is_what_the_target_makes_it() {
    let tracked = |name: &str| {
        let change = [b"\x01".to_vec(), handshake::counted(&handshake::counted(name.as_bytes()))].concat();
        [b"\0\0\0\x02\x40\0\0\0".to_vec(), handshake::counted(&change)].concat()
    };
    let asked = |session: &Driver<Session>| match session.asked.last() {
        Some(Asked::Command { database, .. }) => database.clone(),
        _ => panic!("no command"),
    };
    for terms in [MODERN, OLD] {
        let mut session = open(terms, allow);
        for (command, said, before) in [
            (query("use other"), tracked("other"), "work"),
            (query("use bad"), error(1049, "no such database"), "other"),
            (command(2, b"third"), tracked("third"), "other"),
            (query("drop database third"), tracked(""), "third"),
            (query("select 1"), ok(0, AUTOCOMMIT), ""),
        ] {
            session.feed(Side::Client, &command);
            session.feed(Side::Server, &answer(&[said]));
            assert_eq!((asked(&session).as_str(), session.error), (before, None));
        }
    }
}

#[test]
fn attributes_are_parameters() {
    let mut session = open(ATTRIBUTES, allow);
    let attributed = b"\x03\x02\x01\x02\x01\xfd\0\x02id\x03\0\0\x03abcselect 1";
    // One that is there, one NULL.
    session.feed(Side::Client, &packet(0, attributed));
    assert_eq!(session.take(Side::Server), packet(0, attributed));
    let Asked::Command { text, parameters, .. } = &session.asked[0] else { panic!("no command") };
    assert_eq!((text.as_str(), parameters), ("select 1", &vec![Some(b"abc".to_vec()), None]));
    session.feed(Side::Server, &answer(&[ok(0, AUTOCOMMIT)]));
    session.feed(Side::Client, &prepare("select ?"));
    session.feed(Side::Server, &answer(&prepared(ATTRIBUTES, 1, &[])));
    let run = b"\x17\x07\0\0\0\x08\x01\0\0\0\x02\0\x01\x03\0\0\xfd\0\x01k\x05\0\0\0\x01v";
    session.feed(Side::Client, &packet(0, run));
    let Some(Asked::Command { parameters, .. }) = session.asked.last() else { panic!("no command") };
    assert_eq!(parameters, &[Some(b"5".to_vec()), Some(b"v".to_vec())]);
    for broken in [&b"\x03\x01\x02select"[..], b"\x03\x01\x01\0\0", b"\x03\xfe", b"\x03\x01\x01\0\x01\x03"] {
        let mut session = open(ATTRIBUTES, allow);
        session.feed(Side::Client, &packet(0, broken));
        assert!(matches!(session.error, Some(Error::Malformed { side: Side::Client, .. })));
    }
}

#[test]
fn what_is_sent_ahead_waits_for_the_ruling_and_types_for_the_target() {
    let mut session = open(MODERN, refuse_bad);
    let ahead = |parameter: u8, bytes: &[u8]| command(0x18, &[&[7, 0, 0, 0, parameter, 0], bytes].concat());
    passes(&mut session, &prepare("select ?"), &answer(&prepared(MODERN, 1, &[])));
    let mut held = open(MODERN, |asked| match asked {
        Asked::Command { kind: CommandKind::Execute, .. } => Verdict::Hold("wait"),
        _ => Verdict::Allow,
    });
    passes(&mut held, &prepare("select ?, ?"), &answer(&prepared(MODERN, 2, &[])));
    held.feed(Side::Client, &[ahead(1, b"4111"), ahead(1, b"1111")].concat());
    let values = [(LONG, Some(vec![1, 0, 0, 0])), (BLOB, Some(vec![]))];
    let run = command(0x17, &execution(7, 0, &values, true));
    held.feed(Side::Client, &run);
    assert!(held.take(Side::Server).is_empty());
    let Some(Asked::Command { parameters, .. }) = held.asked.last() else { panic!("no command") };
    assert_eq!(parameters, &[Some(b"1".to_vec()), Some(b"41111111".to_vec())]);
    held.answer(Verdict::Refuse(RefusalKind::Denied, "no"));
    assert!(held.take(Side::Server).is_empty());
    // Its types have never come to the target: the next run brings them.
    let next = [(LONG, Some(vec![2, 0, 0, 0])), (BLOB, Some(b"\x01x".to_vec()))];
    held.feed(Side::Client, &command(0x17, &execution(7, 0, &next, false)));
    held.answer(Verdict::Allow);
    assert_eq!(held.take(Side::Server), command(0x17, &execution(7, 0, &next, true)));
    held.feed(Side::Server, &answer(&[ok(0, AUTOCOMMIT)]));
    held.feed(Side::Client, &[ahead(1, b""), command(0x17, &execution(7, 0, &values, false))].concat());
    held.answer(Verdict::Allow);
    let expected = [ahead(1, b""), command(0x17, &execution(7, 0, &values, false))].concat();
    assert_eq!(held.take(Side::Server), expected);
    // Of a parameter that there is none of, and too much.
    session.feed(Side::Client, &ahead(1, b"x"));
    let run = command(0x17, &execution(7, 0, &[(BLOB, Some(vec![]))], true));
    assert_eq!(answered(&mut session, &run).0, 1153);
    assert_eq!(
        answered(&mut session, &command(0x17, &execution(7, 0, &[(LONG, Some(vec![0; 4]))], false))).0,
        1210
    );
}

#[test]
fn a_bulk_shows_every_row_s_parameters() {
    let mut session = open(MARIADB, allow);
    let columns = prepared(MARIADB, 2, &[]);
    let columns: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(index, payload)| {
            // MariaDB's further types: none.
            if index == 0 { payload.clone() } else { extended(payload) }
        })
        .collect();
    passes(&mut session, &prepare("insert into t values (?, ?)"), &answer(&columns));
    let rows = b"\0\x05\0\0\0\0\x01a\0\x06\0\0\0\x01";
    let bulk = command(0xfa, &[b"\xff\xff\xff\xff\x80\0\x03\0\xfd\0".as_slice(), rows].concat());
    passes(&mut session, &bulk, &answer(&[ok(2, AUTOCOMMIT)]));
    let Some(Asked::Command { parameters, .. }) = session.asked.last() else { panic!("no command") };
    let text = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(parameters, &[text("5"), text("a"), text("6"), None]);
    assert_eq!(session.events.last(), Some(&finished(2, 2, 0, Outcome::Done)));
    session.feed(Side::Client, &command(0x18, b"\x07\0\0\0\0\0x"));
    assert_eq!(answered(&mut session, &bulk).0, 1153, "values sent ahead are in no row");
    for broken in [b"\0\x05\0\0".as_slice(), b"\x04", b"\0\x05\0\0\0"] {
        let mut session = open(MARIADB, allow);
        passes(&mut session, &prepare("insert"), &answer(&columns));
        session.feed(
            Side::Client,
            &command(0xfa, &[b"\x07\0\0\0\x80\0\x03\0\xfd\0".as_slice(), broken].concat()),
        );
        assert!(matches!(session.error, Some(Error::Malformed { side: Side::Client, .. })));
    }
}

fn extended(definition: &[u8]) -> Vec<u8> {
    let (names, fixed) = definition.split_at(definition.len() - 13);
    [names, &[0], fixed].concat()
}

#[test]
fn a_reset_connection_is_set_again_before_the_client_hears() {
    let mut session = open(MODERN, allow);
    passes(&mut session, &prepare("select 1"), &answer(&prepared(MODERN, 0, &[])));
    session.feed(Side::Client, &[command(0x1f, b""), query("select 2")].concat());
    assert_eq!(session.take(Side::Server), command(0x1f, b""));
    session.feed(Side::Server, &answer(&[ok(0, AUTOCOMMIT)]));
    assert!(session.take(Side::Client).is_empty());
    let [.., (_, question), (_, set)] = logins(MODERN);
    let question = question[packet(2, &ok(0, AUTOCOMMIT)).len()..].to_vec();
    assert!(String::from_utf8_lossy(&session.take(Side::Server)).contains("@@sql_mode"));
    session.feed(Side::Server, &question);
    assert!(session.take(Side::Client).is_empty());
    assert!(String::from_utf8_lossy(&session.take(Side::Server)).contains("character_set_client = utf8mb4"));
    session.feed(Side::Server, &set);
    assert_eq!(session.take(Side::Client)[4..11], ok(0, AUTOCOMMIT));
    assert_eq!(session.take(Side::Server), query("select 2"));
    session.feed(Side::Server, &answer(&[ok(0, AUTOCOMMIT)]));
    session.take(Side::Client);
    assert_eq!(answered(&mut session, &command(0x17, &execution(7, 0, &[], true))).0, 1243);
    // Where the settings fail, nothing goes on.
    session.feed(Side::Client, &command(0x1f, b""));
    session.feed(Side::Server, &answer(&[ok(0, AUTOCOMMIT)]));
    session.feed(Side::Server, &answer(&[error(1231, "no")]));
    assert!(matches!(session.error, Some(Error::Refused { code: [b'0', b'1', b'2', b'3', b'1'], .. })));
}

#[test]
fn a_session_that_is_cut_ends_its_commands() {
    for side in [Side::Client, Side::Server] {
        let mut session = open(MODERN, allow);
        session.feed(Side::Client, &query("select 1"));
        session.feed(Side::Server, &packet(1, &[1]));
        session.take(Side::Client);
        session.take(Side::Server);
        session.ended(side);
        assert!(session.closed);
        assert_eq!(session.events.last(), Some(&finished(1, 0, 0, Outcome::Cut)));
        let (client, server) = (session.take(Side::Client), session.take(Side::Server));
        match side {
            // No goodbye behind a command that runs: the server would take the client for being there.
            Side::Client => assert_eq!((client, server), (vec![], vec![])),
            Side::Server => {
                assert!(server.is_empty());
                let (sequence, payload) = only(&client);
                assert_eq!((sequence, handshake::error(&payload).0), (2, 1158));
            }
        }
    }
    // Between commands, what the client sends next is answered by it.
    let mut session = open(MODERN, allow);
    session.refuse(RefusalKind::ShuttingDown, "going down");
    assert_eq!(only(&session.take(Side::Client)).0, 1);
    assert_eq!(session.take(Side::Server), command(1, b""));
}

#[test]
fn packets_out_of_place_end_the_session() {
    for bytes in [
        packet(1, b"\x03select 1"),
        packet(0, b""),
        command(0x0e, b"x"),
        command(0x19, &[1]),
        command(0x1c, &[1, 0, 0, 0]),
        command(0x17, &[1, 0]),
        command(0x18, &[1, 0, 0]),
        command(4, b"no end"),
    ] {
        let mut session = open(MODERN, allow);
        session.feed(Side::Client, &bytes);
        assert!(
            matches!(session.error, Some(Error::Malformed { side: Side::Client, .. })),
            "{}",
            bytes.escape_ascii()
        );
    }
    let rows = result(MODERN, &[computed(LONG)], &[row(&[Some(b"1")])], AUTOCOMMIT);
    for bytes in [
        numbered(2, &rows),
        packet(1, b""),
        packet(1, b"\xfb/etc/passwd"),
        packet(1, b"\xfc\xff\xff"),
        packet(1, b"\x01\x01"),
        numbered(1, &[vec![1], b"\x03def".to_vec()]),
        [numbered(1, &rows[..3]), packet(3, b"\xfe\0\0\0\0\0\0")].concat(),
        numbered(1, &[vec![1], computed(LONG), vec![]]),
    ] {
        let mut session = open(MODERN, allow);
        session.feed(Side::Client, &query("select 1"));
        session.feed(Side::Server, &bytes);
        assert!(session.error.is_some(), "{}", bytes.escape_ascii());
        let told = packets(&session.take(Side::Client));
        assert_eq!(told.last().unwrap().1[0], 0xff);
    }
    // Nothing was asked for.
    let mut session = open(MODERN, allow);
    session.feed(Side::Server, &answer(&[ok(0, AUTOCOMMIT)]));
    assert!(matches!(session.error, Some(Error::Misbehaved { side: Side::Server, .. })));
    // But an error may come at any time: it is the last word.
    let mut session = open(MODERN, allow);
    session.feed(Side::Server, &packet(0, &error(1184, "idle, 4111111111111111")));
    // In the gateway's words: nobody knows what is in the target's.
    let told = session.take(Side::Client);
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("the target ends the session") && !told.contains("idle"), "{told}");
    session.ended(Side::Server);
    assert!(session.take(Side::Client).is_empty());
}

#[test]
fn bounds_hold() {
    let limits = Limits { statement_bytes_max: 1000, statements_max: 1, ..Limits::default() };
    let small = || wire::mysql::Config { limits, ..config(MODERN) };
    let mut session = open_with(MODERN, small(), allow);
    session.feed(Side::Client, &[0xe9, 3, 0, 0]);
    assert!(matches!(session.error, Some(Error::TooLarge { side: Side::Client, most: 1000, .. })));
    assert_eq!(handshake::error(&only(&session.take(Side::Client)).1).0, 1153);

    let mut session = open_with(MODERN, small(), allow);
    passes(&mut session, &prepare("x"), &answer(&prepared(MODERN, 1, &[])));
    assert_eq!(answered(&mut session, &prepare("y")).0, 1461);
    let ahead = command(0x18, &[&[7, 0, 0, 0, 0, 0], [b'x'; 600].as_slice()].concat());
    session.feed(Side::Client, &[ahead.clone(), ahead].concat());
    let run = command(0x17, &execution(7, 0, &[(BLOB, Some(vec![]))], true));
    assert_eq!(answered(&mut session, &run).0, 1153);

    // The text takes one byte, two parameters' types four: one byte too much.
    let limits = Limits { statements_bytes_max: 4, ..limits };
    let mut session = open_with(MODERN, wire::mysql::Config { limits, ..config(MODERN) }, allow);
    passes(&mut session, &prepare("x"), &answer(&prepared(MODERN, 2, &[])));
    let run = command(0x17, &execution(7, 0, &[(LONG, Some(vec![1, 0, 0, 0])), (LONG, None)], true));
    let (number, words) = answered(&mut session, &run);
    assert!(number == 1153 && words.starts_with("too much is kept"), "{number} {words}");

    let mut session = open(MODERN, allow);
    session.feed(Side::Client, &query("select 1"));
    session.feed(Side::Server, &[packet(1, &[1]), vec![0, 0, 0x7f, 2, 3]].concat());
    assert!(matches!(session.error, Some(Error::TooLarge { side: Side::Server, .. })));
}

#[test]
fn a_statement_may_be_spread_over_packets() {
    const FULL: usize = 0xff_ffff;
    let limits = Limits { statement_bytes_max: 2 * FULL, ..Limits::default() };
    for length in [FULL, FULL + 5] {
        let mut session = open_with(MODERN, wire::mysql::Config { limits, ..config(MODERN) }, allow);
        let text = format!("\x03select '{}'", "x".repeat(length - 10));
        let bytes = spread(0, text.as_bytes());
        session.feed(Side::Client, &bytes);
        assert!(session.take(Side::Server) == bytes);
        assert!(texts(&session) == [&text[1..]]);
        session.feed(Side::Server, &packet(2, &ok(0, AUTOCOMMIT)));
        assert_eq!(session.take(Side::Client), packet(2, &ok(0, AUTOCOMMIT)));
    }
}

#[test]
fn what_the_target_has_said_of_its_end_is_said_again() {
    let said = |session: &mut Driver<Session>| {
        let (sequence, payload) = only(&session.take(Side::Client));
        (sequence, handshake::error(&payload))
    };
    for (number, state, words) in [
        (1927, "70100", "Connection was killed"),
        (3169, "HY000", "The session was killed"),
        (1053, "08S01", "Server shutdown in progress"),
        (4031, "HY000", "The client was disconnected by the server because of inactivity"),
    ] {
        // As an answer, and then no more: that is what the next command hears.
        let mut session = open(MODERN, allow);
        session.feed(Side::Client, &query("select sleep(9)"));
        session.feed(Side::Server, &answer(&[error(number, "4111111111111111")]));
        assert_eq!(said(&mut session).1.0, number);
        session.ended(Side::Server);
        assert_eq!(said(&mut session), (1, (number, state.into(), words.into())), "{number}");
        // Of its own accord: its words may hold anything.
        let mut session = open(MODERN, allow);
        session.feed(Side::Server, &packet(0, &error(number, "4111111111111111")));
        let (_, told) = said(&mut session);
        assert_eq!(told, (number, state.into(), words.into()));
        session.ended(Side::Server);
        assert!(session.take(Side::Client).is_empty() && session.closed);
    }
    // Any other error explains nothing, and one before a good answer neither.
    for answers in [vec![error(1062, "no")], vec![error(1927, "no"), ok(0, AUTOCOMMIT)]] {
        let mut session = open(MODERN, allow);
        for payload in answers {
            session.feed(Side::Client, &query("update t"));
            session.feed(Side::Server, &answer(&[payload]));
            session.take(Side::Client);
        }
        session.ended(Side::Server);
        assert_eq!(said(&mut session).1.0, 1158);
    }
}
