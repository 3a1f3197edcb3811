//! mariadb-dump, and whoever else asks for answers in the characters that they are stored in, through the whole of pangate
//! to a real MariaDB.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "clients/mysql.rs"]
mod clients;
mod gateway;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use clients::{MASKED, PANS, assert_no_pan, open, run, said};
use gateway::{Gateway, text, wait_for};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row, Value};

/// What the demo's policy has to allow of it beside rows.
const DUMPS: [(&str, &str); 2] = [
    (
        "objects: [autocommit, names,",
        "objects: [autocommit, names, database, sql_mode, max_statement_time, transaction, optimizer_switch, \
         sql_quote_show_create, ",
    ),
    (
        "objects: [\"shop.*\"], decide: allow}",
        "objects: [\"shop.*\", \"information_schema.*\"], decide: allow}",
    ),
];

/// Tables beside the demo's: card numbers in other characters, in bytes, in JSON, in what a definition says.
const TABLES: [&str; 7] = [
    "create table stored (id int primary key, l varchar(60) character set latin1, g text character set koi8r, \
     b varbinary(60), j json, n bigint, e enum('4111111111111111', 'none') default 'none' comment 'as 4111111111111111', \
     p point) charset utf8mb4 comment 'of 5555555555554444'",
    "insert into stored values (1, convert(x'c3a934313131c2a031313131c2a031313131c2a031313131' using utf8mb4), \
     concat('номер ', '4111111111111111'), '4111111111111111', '{\"pan\": 4111111111111111}', 4111111111111111, \
     '4111111111111111', point(4111111111111111, 2)), (2, 'é', 'ж', x'00ff', '[]', 2, 'none', null)",
    "create trigger checks before insert on stored for each row set @last = '4111111111111111'",
    "create table narrow (id int, a varchar(90) character set latin1, b varchar(90) character set cp1251, \
     c varchar(90) character set macroman, d longtext character set latin1, u varchar(90) character set utf8mb3)",
    // Letters beside; groups between dashes and no-break spaces.
    "insert into narrow values (7, 'é4111111111111111é', 'ж4111–1111–1111–1111 ж', \
     convert(x'34313131c2a031313131c2a031313131c2a031313131' using utf8mb4), \
     concat(repeat('é ', 20000), '4111111111111111'), 'é 4111111111111111')",
    "create table wide (id int, s varchar(40) character set sjis, g varchar(40) character set gbk, \
     c varchar(40) character set ucs2, t varchar(40) character set utf32)",
    "insert into wide values (8, '４１１１１１１１１１１１１１１１', '４１１１１１１１１１１１１１１１', '4111111111111111', \
     '4111111111111111')",
];

fn gateway(more: &[(&str, &str)]) -> Gateway {
    let gateway = Gateway::with_mysql_changes(&[&DUMPS, more].concat());
    let made = gateway.mysql_direct(&TABLES);
    assert_eq!(made, "");
    // What is new is hidden until the catalog has been read again.
    wait_for("the new tables' columns", || {
        let known =
            gateway.mysql_job(&["select n.id, w.id, s.id from narrow n, wide w, stored s where s.id = 2"]);
        (known == "7\t8\t2\n").then_some(())
    });
    gateway
}

fn dump(gateway: &Gateway, arguments: &[&str]) -> Output {
    let port = gateway.mysql_port().to_string();
    let mut command = Command::new("mariadb-dump");
    command.args(["--no-defaults", "--protocol=tcp", "-h", "localhost", "-P", &port, "-u", "ci-job"]);
    command.args(["--ssl-verify-server-cert", &format!("--ssl-ca={}", gateway.get("PANGATE_CA"))]);
    command.env("MYSQL_PWD", gateway.job_token()).args(arguments);
    command.output().unwrap()
}

/// Fails where a dump holds a card number, also between other characters.
fn assert_masked(dump: &Output) -> String {
    let said = String::from_utf8_lossy(&dump.stderr);
    assert!(dump.status.success() && said.is_empty(), "{said}");
    assert_no_pan("a dump", &dump.stdout);
    let digits: Vec<u8> =
        dump.stdout.iter().copied().filter(|byte| byte.is_ascii_digit() || *byte == b'\'').collect();
    for pan in PANS {
        assert!(memchr::memmem::find(&digits, pan.as_bytes()).is_none(), "{}", text(dump));
    }
    String::from_utf8_lossy(&dump.stdout).into_owned()
}

#[test]
fn a_dump_has_every_table_with_its_card_numbers_masked_and_can_be_loaded() {
    let gateway = gateway(&[]);
    for more in [&[][..], &["--hex-blob"], &["--skip-extended-insert", "--complete-insert", "--no-create-db"]]
    {
        let arguments = [
            &["--single-transaction", "--skip-lock-tables"],
            more,
            &["shop", "cards", "settlements", "stored"],
        ]
        .concat();
        let output = dump(&gateway, &arguments);
        let dumped = assert_masked(&output);
        for masked in MASKED {
            assert!(dumped.contains(&format!("'{masked}'")), "{masked}: {dumped}");
        }
        assert!(
            dumped.contains("INSERT INTO `stored`") && dumped.contains("COMMENT='of ************4444'"),
            "{dumped}"
        );
        let blob = "0x2A2A2A2A2A2A2A2A2A2A2A2A31313131";
        assert_eq!(dumped.contains(blob), more.contains(&"--hex-blob"), "{dumped}");
        // It is SQL that the server takes, into tables of the same form.
        let mut load = Command::new("mariadb");
        load.args(["--no-defaults", "-N"]).arg("-S").arg(gateway.dir().join("mariadb/socket"));
        let mut load =
            load.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut script =
            b"set foreign_key_checks = 0; create or replace database loaded; use loaded;\n".to_vec();
        script.extend_from_slice(&output.stdout);
        script.extend_from_slice(
            b"\nselect group_concat(pan order by id) from cards; select l, hex(b) from stored order by id;",
        );
        load.stdin.take().unwrap().write_all(&script).unwrap();
        let loaded = text(&load.wait_with_output().unwrap());
        let expected = format!(
            "{}\né****\u{a0}****\u{a0}****\u{a0}1111\t2A2A2A2A2A2A2A2A2A2A2A2A31313131\né\t00FF\n",
            MASKED.join(",")
        );
        assert_eq!(loaded, expected);
    }
}

#[test]
fn tables_are_locked_where_policy_lets_them_be_and_a_dump_of_bytes_is_refused() {
    let locks = (
        "admin, unknown], decide: deny}",
        "unknown], decide: deny}\n  - {name: locks, verbs: [admin], objects: [\"shop.*\"], decide: allow}",
    );
    let gateway = gateway(&[locks]);
    let dumped = assert_masked(&dump(&gateway, &["shop", "cards", "stored"]));
    assert!(dumped.contains(&format!("'{}'", MASKED[4])), "{dumped}");
    // Values as they are stored, of whose characters nothing is told.
    let arguments =
        ["--default-character-set=binary", "--single-transaction", "--skip-lock-tables", "shop", "cards"];
    let output = dump(&gateway, &arguments);
    assert_no_pan("a dump", &output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("characters are not told"), "{}", text(&output));
}

/// The cells of the one row of a statement, as bytes.
async fn cells(job: &mut Conn, prepared: bool, statement: &str) -> Result<Vec<Vec<u8>>, String> {
    let row: Result<Option<Row>, _> = match prepared {
        false => job.query_first(statement).await,
        true => job.exec_first(statement, ()).await,
    };
    let row = row.map_err(|error| said(&error))?.unwrap();
    Ok(row
        .unwrap()
        .into_iter()
        .map(|value| match value {
            Value::Bytes(bytes) => bytes,
            other => format!("{other:?}").into_bytes(),
        })
        .collect())
}

#[test]
fn answers_in_the_characters_they_are_stored_in_are_masked_or_refused() {
    let gateway = gateway(&[]);
    run(async {
        for prepared in [false, true] {
            let mut job = open(&gateway).await;
            job.query_drop("SET character_set_results = NULL").await.unwrap();
            let got = cells(&mut job, prepared, "select a, b, c, d, u from narrow").await.unwrap();
            assert_eq!(got[0], b"\xe9************1111\xe9");
            assert_eq!(got[1], b"\xe6****\x96****\x96****\x961111 \xe6");
            assert_eq!(got[2], b"****\xca****\xca****\xca1111");
            assert!(got[3].starts_with(b"\xe9 \xe9 ") && got[3].ends_with(b" ************1111"));
            assert_eq!(got[4], "é ************1111".as_bytes());
            let got = cells(
                &mut job,
                prepared,
                "select @@character_set_results is null, pan from cards where id = 1",
            )
            .await;
            assert_eq!(got.unwrap()[1], MASKED[0].as_bytes());
            // In UTF-8 again, the target converts.
            job.query_drop("set names utf8mb4").await.unwrap();
            let got = cells(&mut job, prepared, "select narrow.c, s, t from narrow, wide").await.unwrap();
            assert_eq!(String::from_utf8_lossy(&got[0]), "****\u{a0}****\u{a0}****\u{a0}1111");
            assert_eq!(String::from_utf8_lossy(&got[1]), "＊＊＊＊＊＊＊＊＊＊＊＊１１１１");
            assert_eq!(got[2], MASKED[0].as_bytes());
            for column in ["s", "g", "c", "t", "concat(s, '')", "convert('4111111111111111' using utf16)"] {
                let mut job = open(&gateway).await;
                job.query_drop("SET character_set_results = NULL").await.unwrap();
                let refused =
                    cells(&mut job, prepared, &format!("select {column} from wide")).await.unwrap_err();
                assert!(refused.contains("cannot be read unconverted"), "{column}: {refused}");
            }
            for statement in
                ["select pan from cards", "select c from wide", "select concat(s, '') from wide", "select @x"]
            {
                let mut job = open(&gateway).await;
                job.query_drop("set session character_set_results = binary").await.unwrap();
                let got = cells(&mut job, prepared, "show create table stored").await.unwrap();
                assert!(String::from_utf8_lossy(&got[1]).contains("enum('************1111'"));
                let got = cells(&mut job, prepared, "select table_comment from information_schema.tables where table_name = 'stored' and table_schema = 'shop'").await.unwrap();
                assert_eq!(got[0], b"of ************4444");
                let refused = cells(&mut job, prepared, statement).await.unwrap_err();
                assert!(refused.contains("characters are not told"), "{statement}: {refused}");
            }
        }
    });
}
