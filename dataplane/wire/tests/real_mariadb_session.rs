//! The open session between clients and a real MariaDB: every type as text and in binary, procedures, cursors, statement
//! lists, rows longer than a packet.
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
mod mariadb;
mod raw;

use std::process::Stdio;

use driver::{Asked, Verdict};
use mariadb::{Gateway, Server};
use raw::{DEPRECATE_EOF, Raw, cells, execution};
use wire::{Event, RefusalKind};

const PAN: &str = "4111111111111111";
const MASKED: &str = "************1111";
const MASKED_NUMBER: u64 = 1_000_000_000_001_111;
const SESSION_TRACK: u64 = 1 << 23;

fn server() -> Server {
    let server = Server::start();
    server.sql(
        "CREATE TABLE work.types (id INT PRIMARY KEY, t VARCHAR(40), c CHAR(20), b VARBINARY(40), bl BLOB, tx TEXT,
           j JSON, n BIGINT, u BIGINT UNSIGNED, d DECIMAL(30,2), f FLOAT, db DOUBLE, bt BIT(64), da DATE,
           ti TIME(6), dt DATETIME(6), ts TIMESTAMP NULL, y YEAR, e ENUM('a','4111111111111111'), g GEOMETRY,
           ty TINYINT, sm SMALLINT, me MEDIUMINT, nu INT, UNIQUE (t));
         INSERT INTO work.types VALUES (1, '4111111111111111', '4111 1111 1111 1111', '4111111111111111',
           'x4111111111111111', 'no 4111-1111-1111-1111', '{\"pan\": 4111111111111111, \"s\": \"4111111111111111\"}',
           4111111111111111, 4111111111111111, 4111111111111111.25, 1.5, 4111111111111111, 4111111111111111,
           '2031-12-31', '-838:59:58.999999', '2031-12-31 23:59:59.5', '2031-12-31 23:59:59', 2031,
           '4111111111111111', ST_GeomFromText('POINT(4111111111111111 2)'), -1, -2, -3, NULL),
         (2, '', NULL, 'a', '', 'b', '{}', -1, 0, -1.5, 0, 1e300, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1,
           2, 3, 4);
         DELIMITER //
         CREATE PROCEDURE work.pair(IN a INT, OUT o VARCHAR(20))
           BEGIN SELECT t FROM work.types WHERE id = a; SELECT n FROM work.types WHERE id = a;
           SET o = '4111111111111111'; END//",
    );
    server
}

#[test]
fn a_session_with_a_real_server() {
    let server = server();
    text_rows_of_every_type_are_masked_and_otherwise_as_they_were(&server);
    errors_names_and_lists_are_masked(&server);
    binary_rows_of_every_type_are_masked(&server);
    cursors_parameters_and_values_sent_ahead(&server);
    a_connection_is_reset_with_the_gateways_settings(&server);
    what_sql_does_not_show_ends_the_session(&server);
    rows_longer_than_a_packet_are_masked_wherever_a_number_lies(&server);
}

fn judge(asked: &Asked) -> Verdict {
    match asked {
        Asked::Command { text, .. } if text.contains("bad") => {
            Verdict::Refuse(RefusalKind::Denied, "refused by rule no-bad")
        }
        _ => Verdict::Allow,
    }
}

fn gateway(server: &Server) -> Gateway {
    Gateway::start(server, "native", mariadb::USERS[0].1, judge)
}

fn run(server: &Server, args: &[&str]) -> (String, String) {
    let gateway = gateway(server);
    let output = Server::client(gateway.port).args(args).stdin(Stdio::null()).output().expect("mariadb");
    let seen = gateway.seen.recv().expect("a session");
    assert_eq!(seen.error, None);
    (String::from_utf8_lossy(&output.stdout).into(), String::from_utf8_lossy(&output.stderr).into())
}

fn text_rows_of_every_type_are_masked_and_otherwise_as_they_were(server: &Server) {
    let (rows, said) = run(server, &["-N", "-B", "-e", "select * from types order by id"]);
    let expected = server
        .sql("select * from work.types order by id")
        .replace(&format!("\"pan\": {PAN}"), "\"pan\": 1000000000001111")
        .replace("\t4111111111111111.25", "\t1000000000001111.25")
        .replace("\t4111111111111111\t4111111111111111\t1", "\t1000000000001111\t1000000000001111\t1")
        .replace("\t4.111111111111111e15", "\t1.000000000001111e15")
        .replace("\t4111111111111111\t0", "\t1000000000001111\t0")
        .replace("4111 1111 1111 1111", "**** **** **** 1111")
        .replace("4111-1111-1111-1111", "****-****-****-1111")
        .replace(PAN, MASKED);
    let shown = |text: &str| text.split('\t').map(str::to_owned).collect::<Vec<_>>();
    // BIT and geometry are bytes that the client cannot show as they are: see the binary rows.
    let (rows, expected) = (shown(&rows), shown(&expected));
    assert_eq!(rows.len(), expected.len(), "{said}");
    for (index, (own, direct)) in rows.iter().zip(&expected).enumerate() {
        if !matches!(index, 12 | 19) {
            assert_eq!(own, direct, "column {index} {said}");
        }
    }
}

fn errors_names_and_lists_are_masked(server: &Server) {
    let (_, said) = run(server, &["-e", "insert into types (id, t) values (9, '4111111111111111')"]);
    assert!(said.contains(&format!("ERROR 1062 (23000) at line 1: Duplicate entry '{MASKED}'")), "{said}");
    let (rows, said) = run(server, &["-e", "select 1 as `4111111111111111`; select 2; select bad; select 3"]);
    assert_eq!(rows, format!("{MASKED}\n1\n2\n2\n"), "{said}");
    assert!(said.contains("ERROR 1227 (42000) at line 1: refused by rule no-bad"), "{said}");
    let (rows, said) =
        run(server, &["-N", "-e", "call pair(1, @o); select @o; use mysql; select database()"]);
    assert_eq!(rows, format!("{MASKED}\n{MASKED_NUMBER}\n{MASKED}\nmysql\n"), "{said}");
    // With completion of names: COM_FIELD_LIST; `status`: COM_STATISTICS.
    let (rows, said) = run(server, &["--auto-rehash", "-e", "status; select 1"]);
    assert!(rows.contains("Connection id:") && rows.ends_with("1\n1\n"), "{rows} {said}");
}

/// One prepared statement's row, by type.
fn binary(raw: &mut Raw, column: &str) -> (u8, Vec<u8>) {
    let statement = raw.prepare(&format!("select {column} from types where id = ?"));
    let rows = raw.execute(statement, 0, &[(3, Some(1_u32.to_le_bytes().to_vec()))]);
    assert_eq!(rows.rows.len(), 1, "{column} {}", rows.end.escape_ascii());
    raw.command(0x19, &statement.to_le_bytes());
    let head = 2;
    assert_eq!(rows.rows[0][..head], [0, 0]);
    (rows.kinds[0], rows.rows[0][head..].to_vec())
}

fn binary_rows_of_every_type_are_masked(server: &Server) {
    let gateway = gateway(server);
    for less in [0, DEPRECATE_EOF, DEPRECATE_EOF | SESSION_TRACK] {
        let mut raw = Raw::connect(gateway.port, 0, less);
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let json = r#"{"pan": 1000000000001111, "s": "************1111"}"#;
        let point = |x: f64| {
            [&[25, 0, 0, 0, 0, 1, 1, 0, 0, 0], x.to_le_bytes().as_slice(), &2_f64.to_le_bytes()].concat()
        };
        for (column, kind, value) in [
            ("t", 0xfd, text(MASKED)),
            ("c", 0xfe, text("**** **** **** 1111")),
            ("b", 0xfd, text(MASKED)),
            ("bl", 0xfc, text(&format!("x{MASKED}"))),
            ("tx", 0xfc, text("no ****-****-****-1111")),
            ("n", 8, MASKED_NUMBER.to_le_bytes().to_vec()),
            ("u", 8, MASKED_NUMBER.to_le_bytes().to_vec()),
            ("d", 0xf6, text("1000000000001111.25")),
            ("f", 4, 1.5_f32.to_le_bytes().to_vec()),
            ("db", 5, (MASKED_NUMBER as f64).to_le_bytes().to_vec()),
            ("bt", 0x10, [&[8], MASKED_NUMBER.to_be_bytes().as_slice()].concat()),
            ("da", 0x0a, b"\x04\xef\x07\x0c\x1f".to_vec()),
            ("ti", 0x0b, b"\x0c\x01\x22\0\0\0\x16\x3b\x3a\x3f\x42\x0f\0".to_vec()),
            ("dt", 0x0c, b"\x0b\xef\x07\x0c\x1f\x17\x3b\x3b\x20\xa1\x07\0".to_vec()),
            ("ts", 0x07, b"\x07\xef\x07\x0c\x1f\x17\x3b\x3b".to_vec()),
            ("y", 0x0d, b"\xef\x07".to_vec()),
            ("e", 0xfe, text(MASKED)),
            ("g", 0xff, point(MASKED_NUMBER as f64)),
            ("ty", 1, vec![0xff]),
            ("sm", 2, vec![0xfe, 0xff]),
            ("me", 9, vec![0xfd, 0xff, 0xff, 0xff]),
        ] {
            assert_eq!(binary(&mut raw, column), (kind, value), "{column} {less:x}");
        }
        let (_, seen) = binary(&mut raw, "j");
        assert!(
            seen == text(json) || less == 0 && seen.ends_with(b"************1111\"}"),
            "{}",
            seen.escape_ascii()
        );
    }
}

fn cursors_parameters_and_values_sent_ahead(server: &Server) {
    let gateway = gateway(server);
    for less in [0, DEPRECATE_EOF] {
        let mut raw = Raw::connect(gateway.port, 0, less);
        let all = raw.prepare("select id, n, t from types where id < ? order by id");
        let opened = raw.execute(all, 1, &[(8, Some(9_u64.to_le_bytes().to_vec()))]);
        assert_eq!((opened.kinds.len(), opened.rows.len()), (3, 0));
        let mut fetched = raw::Rows::default();
        for _ in 0..2 {
            raw.command(0x1c, &[&all.to_le_bytes()[..], &1_u32.to_le_bytes()].concat());
            raw.more_rows(&mut fetched);
        }
        assert_eq!(fetched.rows.len(), 2);
        let first = [b"\0\0\x01\0\0\0".as_slice(), &MASKED_NUMBER.to_le_bytes(), b"\x10", MASKED.as_bytes()];
        assert_eq!(fetched.rows[0], first.concat());
        // A value sent ahead, then types bound by an earlier execution alone.
        let echo = raw.prepare("select ?, ?");
        raw.command(0x18, &[&echo.to_le_bytes()[..], &[0, 0], b"4111111"].concat());
        raw.command(0x18, &[&echo.to_le_bytes()[..], &[0, 0], b"111111111"].concat());
        let rows = raw.execute(echo, 0, &[(0xfc, Some(vec![])), (0xfd, Some(b"\x01x".to_vec()))]);
        assert_eq!(rows.rows, [[b"\0\0\x10".as_slice(), MASKED.as_bytes(), b"\x01x"].concat()]);
        raw.command(0x17, &execution(echo, 0, &[(0xfc, Some(b"\x01a".to_vec())), (0xfd, None)], false));
        assert_eq!(raw.rows().rows, [b"\0\x08\x01a"]);
        let gone = raw.ask(0x17, &execution(99, 0, &[], true));
        assert_eq!(gone[..3], [0xff, 0xdb, 0x04]);
        raw.command(0x01, b"");
    }
    let seen = gateway.seen.recv().expect("a session");
    let shown: Vec<_> = seen
        .asked
        .iter()
        .filter_map(|asked| match asked {
            Asked::Command { parameters, .. } if !parameters.is_empty() => Some(parameters.clone()),
            _ => None,
        })
        .collect();
    let texts = |values: &[Option<&str>]| -> Vec<Option<Vec<u8>>> {
        values.iter().map(|value| value.map(|text| text.as_bytes().to_vec())).collect()
    };
    assert_eq!(shown, [texts(&[Some("9")]), texts(&[Some(PAN), Some("x")]), texts(&[Some("a"), None])]);
}

fn a_connection_is_reset_with_the_gateways_settings(server: &Server) {
    let gateway = gateway(server);
    for less in [0, SESSION_TRACK | DEPRECATE_EOF] {
        let mut raw = Raw::connect(gateway.port, 0, less);
        assert_eq!(raw.query("set @@sql_mode = 'PIPES_AS_CONCAT', @x = 1").end[0], 0);
        let statement = raw.prepare("select 1");
        assert_eq!(raw.ask(0x1f, b"")[0], 0);
        assert_eq!(raw.ask(0x17, &execution(statement, 0, &[], true))[..3], [0xff, 0xdb, 0x04]);
        let rows =
            raw.query("select @x, @@sql_mode like '%PIPES%', @@character_set_client, @@session_track_schema");
        assert_eq!(
            cells(&rows.rows[0]),
            [None, Some(b"0".to_vec()), Some(b"utf8mb4".to_vec()), Some(b"1".to_vec())]
        );
        assert_eq!(raw.ask(0x0e, b"")[0], 0);
        let pinned = raw.query("set names latin1").end;
        assert_eq!(pinned[..3], [0xff, 0xcf, 0x04], "{}", pinned.escape_ascii());
        for command in [0x11, 0x12, 0x15, 0x1e] {
            assert_eq!(raw.ask(command, b"")[..3], [0xff, 0xd3, 0x04]);
        }
        assert_eq!(raw.ask(0x77, b"")[..3], [0xff, 0x17, 0x04]);
    }
}

fn what_sql_does_not_show_ends_the_session(server: &Server) {
    let gateway = gateway(server);
    for sql in ["set @s = 'set sql_mode = ''ansi''' ; prepare p from @s", "prepare q from 'set names latin1'"]
    {
        let mut raw = Raw::connect(gateway.port, 0, 0);
        for part in sql.split(" ; ") {
            assert_eq!(raw.query(part).end[0], 0, "{part}");
        }
        let name = if sql.contains(" q ") { "q" } else { "p" };
        let end = raw.query(&format!("execute {name}")).end;
        assert_eq!(end[..3], [0xff, 0xd3, 0x04], "{}", end.escape_ascii());
    }
    let mut raw = Raw::connect(gateway.port, 0, 0);
    let end = raw.query("load data local infile '/etc/passwd' into table types").end;
    assert_eq!(end[0], 0xff);
}

fn rows_longer_than_a_packet_are_masked_wherever_a_number_lies(server: &Server) {
    let gateway = gateway(server);
    let mut raw = Raw::connect(gateway.port, 0, 0);
    const FULL: usize = 0xff_ffff;
    // What stands before the value in its row: its length, in nine bytes.
    for before in [FULL - 9 - 16, FULL - 9 - 8, FULL - 9 - 1, FULL - 9, FULL - 9 + 1] {
        let sql =
            format!("select concat(repeat('x', {before}), '{PAN}', repeat('y', 70000), '{PAN}'), '{PAN}'");
        let rows = raw.query(&sql);
        let cells = cells(&rows.rows[0]);
        let value = cells[0].as_ref().unwrap();
        assert_eq!(value.len(), before + 70_032);
        assert_eq!(&value[before..before + 16], MASKED.as_bytes(), "{before}");
        assert!(value.ends_with(MASKED.as_bytes()));
        assert_eq!(cells[1].as_deref(), Some(MASKED.as_bytes()));
    }
    // The row is as long as a packet can be: an empty one follows.
    let rows = raw.query(&format!("select repeat('x', {})", FULL - 4));
    assert_eq!(rows.rows[0].len(), FULL);
    // The second value's length lies across the end of a packet; then a number does.
    for before in (FULL - 30..FULL - 3).step_by(3) {
        let rows = raw.query(&format!("select repeat('x', {before}), '{PAN}', repeat('4', 300)"));
        assert_eq!(cells(&rows.rows[0])[1].as_deref(), Some(MASKED.as_bytes()), "{before}");
    }
    assert_eq!(raw.query("select 1").rows.len(), 1);
    drop(raw);
    let seen = gateway.seen.recv().expect("a session");
    let masked = seen.events.iter().filter_map(|event| match event {
        Event::Finished { masked, .. } => Some(*masked),
        _ => None,
    });
    // Three in the row, three in its columns' names.
    assert_eq!(masked.take(5).collect::<Vec<_>>(), [6; 5]);
}
