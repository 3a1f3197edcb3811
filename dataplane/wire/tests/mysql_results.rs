//! Answers in the characters that they are stored in: `character_set_results` NULL, where columns tell which those are, and
//! binary, where nothing does.
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

use driver::Driver;
use handshake::{counted, packet};
use talk::*;
use wire::mysql::Session;
use wire::{Error, Side};

const OWN: &str = "SET character_set_results = NULL";
const BINARY: &str = "SET SESSION character_set_results = 'binary'";

/// An OK packet that tells of a variable.
fn told(name: &str, value: &str) -> Vec<u8> {
    let pair = [counted(name.as_bytes()), counted(value.as_bytes())].concat();
    let changes = [b"\0".to_vec(), counted(&pair)].concat();
    [b"\0\0\0\x02\x40\0\0\0".to_vec(), counted(&changes)].concat()
}

fn runs(session: &mut Driver<Session>, command: &[u8], answer: &[u8]) -> Vec<u8> {
    session.feed(Side::Client, command);
    assert_eq!(session.error, None);
    session.take(Side::Server);
    session.feed(Side::Server, answer);
    session.take(Side::Client)
}

/// A session whose answers come unconverted since this statement, which the target has told.
fn unconverted(terms: Terms, statement: &str) -> Driver<Session> {
    let mut session = open(terms, allow);
    let value = if statement == OWN { "" } else { "binary" };
    let ok = answer(&[told("character_set_results", value)]);
    runs(&mut session, &query(statement), &ok);
    assert_eq!(session.error, None, "{statement}");
    session
}

/// What comes of one value of a text column.
fn seen(
    session: &mut Driver<Session>,
    statement: &str,
    (database, charset): (&str, u16),
    value: &[u8],
) -> Result<Vec<u8>, Error> {
    let columns = [column([database, "t"], "c", TEXT, charset, 0)];
    let given = result(MODERN, &columns, &[row(&[Some(value)])], AUTOCOMMIT);
    let released = runs(session, &query(statement), &answer(&given));
    match session.error.take() {
        Some(error) => Err(error),
        None => {
            let place = 4 + given[0].len() + 4 + given[1].len() + 4;
            Ok(released[place + 1..place + 1 + value.len()].to_vec())
        }
    }
}

#[test]
fn text_of_one_byte_a_character_is_masked_whatever_parts_its_groups() {
    for (given, expected) in [
        (b"4111111111111111".as_slice(), b"************1111".as_slice()),
        (b"\xe94111111111111111\xe9", b"\xe9************1111\xe9"),
        (b"4111\xa01111\xa01111\xa01111", b"****\xa0****\xa0****\xa01111"),
        (b"\xf5 4111\x961111\x961111\x961111", b"\xf5 ****\x96****\x96****\x961111"),
        (b"41111111\xad11111111", b"********\xad****1111"),
        (
            b"4\xa01\xa01\xa01\xa01\xa01\xa01\xa01\xa01\xa01\xa01\xa01\xa01\xa01\xa01\xa01",
            b"*\xa0*\xa0*\xa0*\xa0*\xa0*\xa0*\xa0*\xa0*\xa0*\xa0*\xa0*\xa01\xa01\xa01\xa01",
        ),
        (b"{\"\xe9\": 4111111111111111}", b"{\"\xe9\": 1000000000001111}"),
        (b"{\"\xe9\": \"4111\xa01111\xa01111\xa01111\"}", b"{\"\xe9\": \"****\xa0****\xa0****\xa01111\"}"),
        (b"\xe9 12 \xe9 3.45", b"\xe9 12 \xe9 3.45"),
    ] {
        for charset in [8, 14, 1032] {
            let mut session = unconverted(MODERN, OWN);
            let got = seen(&mut session, "select c", ("work", charset), given);
            assert_eq!(got.as_deref(), Ok(expected), "{}", given.escape_ascii());
        }
    }
    // In parts, as long rows come, it is seen as a whole all the same.
    let value = [&b"\xe9".repeat(40_000)[..], b"4111\xa01111\xa01111\xa01111"].concat();
    let mut session = unconverted(MODERN, OWN);
    let given = result(MODERN, &[column(["", ""], "", BLOB, 8, 0)], &[row(&[Some(&value)])], AUTOCOMMIT);
    session.feed(Side::Client, &query("select c"));
    session.take(Side::Server);
    for piece in answer(&given).chunks(7_000) {
        session.feed(Side::Server, piece);
    }
    assert_eq!(session.error, None);
    let released = session.take(Side::Client);
    assert!(memchr::memmem::find(&released, b"\xe9****\xa0****\xa0****\xa01111").is_some());
    // One that is too long for that is not let through.
    let value = b"\xe9".repeat((1 << 20) + 1);
    let given = result(MODERN, &[column(["", ""], "", BLOB, 8, 0)], &[row(&[Some(&value)])], AUTOCOMMIT);
    session.feed(Side::Client, &query("select c"));
    session.feed(Side::Server, &answer(&given));
    assert!(matches!(session.error, Some(Error::TooLarge { side: Side::Server, .. })));
}

#[test]
fn characters_that_cannot_be_read_are_refused() {
    // gbk, sjis, ucs2, utf16, utf32, tis620, gb18030, one that nobody knows.
    for charset in [28, 13, 35, 1059, 54, 60, 18, 248, 4000] {
        for statement in [OWN, BINARY] {
            let mut session = unconverted(MODERN, statement);
            let got = seen(&mut session, "select c", ("work", charset), b"x");
            assert!(matches!(got, Err(Error::Unsupported { side: Side::Server, .. })), "{charset}");
        }
        // Whoever has made it so: a procedure.
        let got = seen(&mut open(MODERN, allow), "call p()", ("work", charset), b"x");
        assert!(matches!(got, Err(Error::Unsupported { side: Side::Server, .. })), "{charset}");
    }
    for charset in [33, 45, 255, 11, 63] {
        let mut session = unconverted(MODERN, OWN);
        let got = seen(&mut session, "select c", ("work", charset), b"4111111111111111");
        assert_eq!(got.as_deref(), Ok(b"************1111".as_slice()), "{charset}");
    }
}

#[test]
fn of_what_is_not_told_only_the_servers_own_words_pass() {
    for statement in
        ["show create table t", "SHOW FIELDS FROM t;", "select @@collation_database, @@version as v"]
    {
        for (given, expected) in [
            (b"enum('4111111111111111')".as_slice(), b"enum('************1111')".as_slice()),
            ("ключ 4111111111111111\t\r\n".as_bytes(), "ключ ************1111\t\r\n".as_bytes()),
            // latin1, gbk's digits, UTF-16, UTF-32.
            (b"\xe9t\xe9", b"***"),
            (b"\xa3\xb4\xa3\xb1\xa3\xb1", b"******"),
            (b"\x004\x001", b"****"),
            (b"\0\0\x004", b"****"),
            (b"\x06\x64", b"**"),
        ] {
            let mut session = unconverted(MODERN, BINARY);
            let got = seen(&mut session, statement, ("", 63), given);
            assert_eq!(got.as_deref(), Ok(expected), "{statement} {}", given.escape_ascii());
        }
    }
    let mut session = unconverted(MODERN, BINARY);
    let got = seen(&mut session, "select c from columns", ("information_schema", 63), b"4111111111111111");
    assert_eq!(got.as_deref(), Ok(b"************1111".as_slice()));
    for statement in [
        "select c from t",
        "select @a",
        "select @@a from t",
        "call p()",
        "show x; select c from t",
        "execute p",
    ] {
        for database in ["", "work"] {
            let mut session = unconverted(MODERN, BINARY);
            let got = seen(&mut session, statement, (database, 63), b"x");
            assert!(matches!(got, Err(Error::Unsupported { side: Side::Server, .. })), "{statement}");
        }
    }
    // Numbers are no text, and need no characters.
    let mut session = unconverted(MODERN, BINARY);
    let given = result(MODERN, &[column(["", ""], "", LONGLONG, 63, 0)], &[row(&[Some(b"7")])], AUTOCOMMIT);
    assert_eq!(runs(&mut session, &query("select n"), &answer(&given)), answer(&given));
}

#[test]
fn how_answers_come_is_what_the_target_has_made_of_the_statement() {
    // Back in UTF-8, bytes are bytes again.
    let mut session = unconverted(MODERN, BINARY);
    runs(&mut session, &query("set names utf8mb4"), &answer(&[told("character_set_results", "utf8mb4")]));
    assert_eq!(seen(&mut session, "select b", ("work", 63), b"\xff\0").as_deref(), Ok(b"\xff\0".as_slice()));
    // Not by what another statement has done within it.
    let mut session = unconverted(MODERN, BINARY);
    runs(&mut session, &query("call p()"), &answer(&[told("character_set_results", "utf8mb4")]));
    assert!(seen(&mut session, "select b", ("work", 63), b"x").is_err());
    // A statement that has failed has changed nothing.
    let mut session = open(MODERN, allow);
    runs(&mut session, &query(BINARY), &answer(&[error(1193, "no such variable")]));
    assert!(seen(&mut session, "select b", ("work", 63), b"x").is_ok());
    // A prepared one does when it is run.
    let mut session = open(MODERN, allow);
    runs(&mut session, &prepare(BINARY), &answer(&prepared(MODERN, 0, &[])));
    assert!(seen(&mut session, "select b", ("work", 63), b"x").is_ok());
    let ok = answer(&[told("character_set_results", "binary")]);
    runs(&mut session, &command(0x17, &raw::execution(7, 0, &[], true)), &ok);
    assert_eq!(session.error, None);
    assert!(seen(&mut session, "select b", ("work", 63), b"x").is_err());
    // A target that tells nothing is taken at the statement's word.
    for (statement, passes) in [(BINARY, false), (OWN, true)] {
        let mut session = open(OLD, allow);
        runs(&mut session, &query(statement), &answer(&[ok_plain()]));
        let given =
            result(OLD, &[column(["work", "t"], "c", TEXT, 63, 0)], &[row(&[Some(b"x")])], AUTOCOMMIT);
        runs(&mut session, &query("select c"), &answer(&given));
        assert_eq!(session.error.is_none(), passes, "{statement}");
    }
    // Told of something else than was said.
    for (statement, value) in [(OWN, "binary"), (BINARY, ""), (OWN, "latin1"), ("set autocommit = 1", "")] {
        let mut session = open(MODERN, allow);
        runs(&mut session, &query(statement), &answer(&[told("character_set_results", value)]));
        assert!(matches!(session.error, Some(Error::Unsupported { side: Side::Server, .. })), "{statement}");
    }
    // A connection that is reset has the gateway's settings again.
    let mut session = unconverted(MODERN, BINARY);
    session.feed(Side::Client, &command(0x1f, b""));
    let question = logins(MODERN)[2].1.clone();
    session.feed(Side::Server, &packet(1, &handshake::ok(AUTOCOMMIT)));
    session.feed(Side::Server, &question[11..]);
    session.feed(Side::Server, &packet(1, &handshake::ok(AUTOCOMMIT)));
    assert_eq!(session.error, None);
    session.take(Side::Client);
    assert_eq!(seen(&mut session, "select b", ("work", 63), b"\xff\0").as_deref(), Ok(b"\xff\0".as_slice()));
}

fn ok_plain() -> Vec<u8> {
    ok(0, AUTOCOMMIT)
}

#[test]
fn a_cursor_is_read_in_the_characters_that_it_was_opened_in() {
    let mut session = open(MODERN, allow);
    runs(&mut session, &prepare("select c"), &answer(&prepared(MODERN, 0, &[computed(TEXT)])));
    let mut opened = vec![vec![1], computed(TEXT)];
    opened.push(end(MODERN, AUTOCOMMIT | CURSOR));
    runs(&mut session, &command(0x17, &raw::execution(7, 1, &[], true)), &answer(&opened));
    assert_eq!(session.error, None);
    runs(&mut session, &query(OWN), &answer(&[told("character_set_results", "")]));
    let fetch = command(0x1c, b"\x07\0\0\0\x01\0\0\0");
    session.feed(Side::Client, &fetch);
    assert!(session.take(Side::Server).is_empty());
    assert_eq!(session.take(Side::Client)[4..7], [0xff, 0xd3, 4]);
    // Columns' defaults come in characters that nothing tells.
    session.feed(Side::Client, &command(4, b"t\0"));
    assert!(session.take(Side::Server).is_empty());
    assert_eq!(session.take(Side::Client)[4..7], [0xff, 0xd3, 4]);
    runs(&mut session, &query("set names utf8"), &answer(&[told("character_set_results", "utf8mb3")]));
    session.feed(Side::Client, &fetch);
    assert_eq!(session.take(Side::Server), fetch);
}
