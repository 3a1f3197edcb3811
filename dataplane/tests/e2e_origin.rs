//! Labelled columns on a real PostgreSQL: whatever name, view, cursor or format they come under, they come back masked,
//! and so does what is computed of them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod clients;
mod gateway;

use std::pin::pin;

use clients::{open, run, said};
use futures_util::SinkExt as _;
use gateway::{Gateway, text, wait_for};
use tokio_postgres::SimpleQueryMessage;

/// Card codes: three digits that no finder could tell from others.
const CODES: [&str; 3] = ["731", "842", "953"];

/// The demo's policy, with a label for card codes and more that a job may do.
fn gateway() -> Gateway {
    Gateway::with_changes(&[
        (
            "  - {column: public.cards.pan_number, label: pan}\n",
            "  - {column: public.cards.pan_number, label: pan}\n  - {column: public.codes.cvv, label: sad}\n  \
             - {column: public.codes.number, label: sad}\n  - {column: public.parts.secret, label: sad}\n",
        ),
        (
            "  - {name: session, verbs: [transaction], decide: allow}\n",
            "  - {name: session, verbs: [transaction, ddl, call], decide: allow}\n  \
             - {name: anything, verbs: [select, insert, update, delete, merge, copy, ddl], objects: ['*'], functions: ['*'], decide: allow}\n  \
             - {name: path, verbs: [set], objects: [search_path], decide: allow}\n",
        ),
        ("verbs: [ddl, grant, admin, unknown]", "verbs: [grant, admin, unknown]"),
    ])
}

const TABLES: &[&str] = &[
    "create table codes (id int primary key, cvv text, number int, note text)",
    "insert into codes values (1, '731', 731, 'one'), (2, '842', 842, 'two'), (3, '953', 953, 'three')",
    "create view shown as select id, cvv as x, number as n, reverse(cvv) as r, note from codes",
    "create view shown_again as select x as y, n + 1 as m, r, id, note from shown",
    "create view counted as select count(*) as c, 5 as five from settlements",
    "create view rows_whole as select id, c::text as t from codes c",
    "create materialized view kept as select id, cvv as z, number * 2 as twice from codes",
    "create table parts (id int, secret text, plain text) partition by list (id)",
    "create table parts_1 (plain text, id int, secret text)",
    "alter table parts attach partition parts_1 for values in (1)",
    "insert into parts values (1, '731', 'open')",
    "create function code() returns text language sql stable as 'select cvv from public.codes where id = 1'",
    "analyze codes",
];

fn prepared(gateway: &Gateway) {
    let said = gateway.direct(TABLES);
    assert!(!said.contains("ERROR"), "{said}");
    // Made beside the gateway: hidden until its facts are read again, which the first look at it brings about.
    wait_for("facts of the tables", || {
        (gateway.job(&["select note from codes where id = 1"]).trim() == "one").then_some(())
    });
}

fn assert_no_code(what: &str, said: &str) {
    for code in CODES {
        let reversed: String = code.chars().rev().collect();
        assert!(!said.contains(code) && !said.contains(&reversed), "{what} shows a code: {said}");
    }
    assert!(!said.contains("ERROR"), "{what}: {said}");
}

#[test]
fn a_label_follows_its_column_wherever_it_is_shown() {
    let gateway = gateway();
    prepared(&gateway);
    for statement in [
        "select cvv as harmless, number as n from codes order by id",
        "select * from codes",
        "table codes",
        "select c from codes c",
        "select c.* from codes c",
        "select (c).cvv from codes c",
        "select row_to_json(c) from codes c",
        "select to_jsonb(c) - 'id' from codes c",
        "select x, n, r from shown",
        "select y, m, r from shown_again",
        "select reverse(y) from shown_again",
        "select t from rows_whole",
        "select z, twice from kept",
        "select secret from parts",
        "select secret from parts_1",
        "select q.a from (select cvv as a from codes) q",
        "with c as (select cvv as a from codes) select a from c",
        "with recursive c as (select cvv as a from codes union select cvv from codes) select a from c",
        "select cvv from codes union all select cvv from codes",
        "select case when id = 1 then cvv else cvv end from codes",
        "select array_agg(cvv), string_agg(cvv, ','), max(number), min(cvv) from codes",
        "select substr(cvv, 1, 2), substr(cvv, 3), cvv || 'x', encode(cvv::bytea, 'base64') from codes",
        "select ascii(substr(cvv, 1, 1)) - 48, ascii(substr(cvv, 2, 1)) - 48 from codes",
        "select code()",
        "select * from code() as f(a)",
        "select lateral_.v from codes c, lateral (select c.cvv as v) lateral_",
        "update codes set note = note where id = 1 returning cvv, number, reverse(cvv)",
        "explain (verbose) select * from codes where cvv = '731'",
        "select most_common_vals, histogram_bounds from pg_stats where tablename = 'codes'",
        "select s from pg_stats s where tablename = 'codes'",
        "copy codes (id, note) to stdout",
    ] {
        assert_no_code(statement, &gateway.job(&[statement]));
    }
    // What is not labelled is as it was.
    assert_eq!(gateway.job(&["select note from shown where id = 2"]).trim(), "two");
    assert_eq!(gateway.job(&["select note from shown_again where id = 3"]).trim(), "three");
    assert_eq!(gateway.job(&["select plain from parts"]).trim(), "open");
    assert_eq!(gateway.job(&["select count(*), 7 from codes"]).trim(), "3|7");
    assert_eq!(gateway.job(&["select c, five from counted"]).trim(), "4|5");
    assert_eq!(gateway.job(&["select sum(amount) from settlements"]).trim(), "428.75");
    assert_eq!(gateway.job(&["select pan from cards where id = 1"]).trim(), "************1111");
}

#[test]
fn errors_show_nothing_of_a_label() {
    let gateway = gateway();
    prepared(&gateway);
    for statement in [
        "select cvv::date from codes",
        "select (cvv || 'x')::int from codes",
        "insert into codes select number, cvv from codes where id = 1; insert into codes select number, cvv from codes where id = 1",
        "select set_config('a.b', cvv, false)::json from codes",
    ] {
        let said = gateway.job(&[statement]);
        assert!(said.contains("ERROR"), "{statement}: {said}");
        assert!(CODES.iter().all(|code| !said.contains(code)), "{statement}: {said}");
    }
}

#[test]
fn copy_of_what_is_more_than_card_numbers_is_refused() {
    let gateway = gateway();
    prepared(&gateway);
    for statement in [
        "copy codes to stdout",
        "copy (select reverse(pan) from cards) to stdout",
        "copy (select x from shown) to stdout",
    ] {
        let said = gateway.job(&[statement, "select 'goes on'"]);
        assert!(said.contains("COPY of labelled columns is refused"), "{said}");
        assert!(said.contains("goes on"), "{said}");
    }
    let said = gateway.job(&["copy cards (pan) to stdout"]);
    assert!(said.contains("************1111"), "{said}");
}

#[test]
fn what_a_session_makes_itself_is_followed() {
    let gateway = gateway();
    prepared(&gateway);
    let said = gateway.job(&[
        "create view own as select cvv as o, note from codes",
        "select o from own",
        "select note from own where o is not null",
    ]);
    assert_no_code("a view made by the session", &said);
    let said = gateway.job(&["select note from own order by 1 limit 1"]);
    assert_eq!(said.trim(), "one");
    let said = gateway.job(&["create view harmless as select note from codes; create or replace view harmless as select cvv as note from codes; select note from harmless"]);
    assert_no_code("a view made and read by one query", &said);
    let said = gateway.job(&[
        "begin",
        "create or replace view own as select reverse(note) as o, cvv as note from codes",
        "select note from own",
        "commit",
        "select note from own",
    ]);
    assert_no_code("a view replaced in a transaction", &said);
    let said = gateway.job(&[
        "create temp table t as select cvv as c, number from codes",
        "select c from t",
        "select * from t",
    ]);
    assert_no_code("a temporary table", &said);
    let said = gateway
        .job(&["create temp table sums as select sum(amount) as s from settlements", "select s from sums"]);
    assert_eq!(said.trim(), "428.75", "a temporary table without labelled data");
    let said = gateway.job(&[
        "alter table codes rename column cvv to other",
        "select other from codes",
        "select other as o from codes",
    ]);
    assert_no_code("a renamed column", &said);
    assert_no_code("a renamed column", &gateway.job(&["select reverse(other) from codes"]));
    let said = gateway.job(&[
        "alter table codes add column more text generated always as (other || '!') stored",
        "select more from codes",
    ]);
    assert_no_code("a generated column", &said);
}

#[test]
fn settings_and_notifications_do_not_carry_a_label_out() {
    let gateway = gateway();
    prepared(&gateway);
    let said = gateway.job(&[
        "select set_config('application_name', cvv, false) from codes where id = 1",
        "show application_name",
        "select current_setting('application_name')",
    ]);
    assert_no_code("a setting", &said);
    let said = gateway.job(&["listen c", "select pg_notify('c', cvv) from codes where id = 1", "select 1"]);
    // psql tells the sender's process too, whose number may look like anything.
    let told = said.lines().map(|line| line.split(" received from").next().unwrap_or_default());
    assert_no_code("a notification", &told.collect::<Vec<_>>().join("\n"));
    assert!(said.contains("***"), "the notification came: {said}");
}

#[test]
fn cursors_are_followed() {
    let gateway = gateway();
    prepared(&gateway);
    let said = gateway.job(&[
        "begin",
        "declare c cursor for select cvv, reverse(cvv) from codes",
        "fetch 1 from c",
        "fetch all from c",
        "declare b binary cursor for select cvv, number from codes",
        "fetch all from b",
        "commit",
    ]);
    assert_no_code("a cursor", &said);
}

#[test]
fn prepared_statements_are_followed_in_text_and_binary() {
    let gateway = gateway();
    prepared(&gateway);
    run(async {
        let job = open(&gateway).await;
        let client = &job.client;
        let statement = client.prepare("select cvv, number, note from codes where id = $1").await.unwrap();
        for _ in 0..3 {
            let row = client.query_one(&statement, &[&2]).await.unwrap();
            assert_eq!(row.get::<_, &str>(0), "***");
            assert_eq!(row.get::<_, i32>(1), 100);
            assert_eq!(row.get::<_, &str>(2), "two");
        }
        let row =
            client.query_one("select to_jsonb(c), array_agg(c.number) from codes c group by c.*", &[]).await;
        assert!(row.is_err() || row.unwrap().try_get::<_, Vec<i32>>(1).unwrap().iter().all(|n| *n == 100));
        // Names that come to stand for others: what was described before is asked for again.
        client
            .batch_execute(
                "create schema other; create table other.plain as select id, note as cvv from codes",
            )
            .await
            .unwrap();
        client.batch_execute("create view public.plain as select id, cvv from codes").await.unwrap();
        client.batch_execute("set search_path = other").await.unwrap();
        let plain = client.prepare("select cvv from plain where id = 1").await.unwrap();
        assert_eq!(client.query_one(&plain, &[]).await.unwrap().get::<_, &str>(0), "one");
        client.batch_execute("set search_path = public").await.unwrap();
        assert_eq!(client.query_one(&plain, &[]).await.unwrap().get::<_, &str>(0), "***");
        let rows = client.simple_query("select cvv from codes").await.unwrap();
        for row in rows {
            if let SimpleQueryMessage::Row(row) = row {
                assert_eq!(row.get(0), Some("***"));
            }
        }
        let error = client.query("select cvv::date from codes", &[]).await.unwrap_err();
        assert!(CODES.iter().all(|code| !said(&error).contains(code)), "{}", said(&error));
    });
}

/// Runs statements at the target as its superuser.
fn as_superuser(gateway: &Gateway, statement: &str) {
    let done = std::process::Command::new("psql")
        .args(["-X", "-q", "-d", "payments", "-U", "postgres", "-c", statement])
        .arg("-h")
        .arg(gateway.dir().join("postgres"))
        .arg("-p")
        .arg(gateway.target_port().to_string())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", text(&done));
}

#[test]
fn without_the_catalog_nothing_runs() {
    let gateway = Gateway::start();
    as_superuser(&gateway, "revoke select on pg_catalog.pg_rewrite from public");
    // What was read before holds on.
    assert_eq!(gateway.job(&["select 1"]).trim(), "1");
    gateway.kill("dataplane", "-TERM");
    gateway.start_again("dataplane");
    let said = wait_for("the gateway letting a job in", || {
        let said = gateway.job(&["select 1"]);
        said.contains("ERROR").then_some(said)
    });
    assert!(said.contains("where labelled data lie in the target is not known"), "{said}");
    assert!(!said.contains("settlement_rw"), "{said}");
    as_superuser(&gateway, "grant select on pg_catalog.pg_rewrite to public");
    wait_for("the catalog being read again", || (gateway.job(&["select 1"]).trim() == "1").then_some(()));
}

#[test]
fn an_approval_that_says_so_reveals_what_is_computed() {
    let gateway = Gateway::with_changes(&[(
        "  - {name: no-ddl,",
        "  - {name: counts, verbs: [select], columns: [public.cards.holder], labels: [pan], decide: hold, \
         approval: {reviewers: [pci-reviewers], timeout: 1m, reveals: computed}}\n  - {name: no-ddl,",
    )]);
    let job = gateway
        .psql(&["select length(pan) as l, pan, holder || pan as h from cards where holder like 'Ada%'"])
        .spawn()
        .unwrap();
    let ticket = gateway.pending_ticket();
    gateway.approve(1, &ticket);
    let said = text(&job.wait_with_output().unwrap());
    assert!(said.contains("16|************1111|Ada Example************1111"), "{said}");
    // Without an approval it is hidden.
    assert_eq!(gateway.job(&["select length(pan) from cards where id = 1"]).trim(), "10");
}

#[test]
fn a_masked_value_is_not_written_back() {
    let gateway = Gateway::with_changes(&[(
        "verbs: [update, insert], objects: [public.settlements]",
        "verbs: [update, insert, copy], objects: [public.settlements]",
    )]);
    let refused = "a masked card number cannot be written back";
    let masked = gateway.job(&["select pan from cards where id = 1"]).trim().to_owned();
    let number = gateway.job(&["select pan_number from cards where id = 1"]).trim().to_owned();
    for statement in [
        format!("update settlements set note = '{masked}' where id = 1"),
        format!("insert into settlements (amount, note) values (1, 'card {masked} again')"),
        format!("insert into settlements (amount, note) values ({number}, 'x')"),
        "insert into settlements (amount, note) values (1, '411111******1111')".into(),
        "insert into settlements (amount, note) select 1, '**** **** **** 1111'".into(),
    ] {
        let said = gateway.job(&[&statement, "select 'goes on'"]);
        assert!(said.contains(refused) && said.contains("goes on"), "{statement}: {said}");
    }
    let found = gateway.job(&[&format!("select count(*) from settlements where note = '{masked}'")]);
    assert_eq!(found.trim(), "0", "reading with it is no writing");
    run(async {
        let job = open(&gateway).await;
        let client = &job.client;
        let insert = client.prepare("insert into settlements (amount, note) values (1, $1)").await.unwrap();
        let error = client.execute(&insert, &[&masked]).await.unwrap_err();
        assert_eq!(said(&error), format!("22023 {refused}"));
        let number: i64 = number.parse().unwrap();
        let insert = client
            .prepare("update settlements set card_id = ($1::int8 % 7)::int where id = 1")
            .await
            .unwrap();
        let error = client.execute(&insert, &[&number]).await.unwrap_err();
        assert_eq!(said(&error), format!("22023 {refused}"));
        for cut in [1, 7, 20] {
            let sink = client
                .copy_in::<_, std::io::Cursor<Vec<u8>>>("copy settlements (amount, note) from stdin")
                .await
                .unwrap();
            let mut sink = pin!(sink);
            let data = format!("1.00\tfine\n2.00\t{masked}\n3.00\tfine\n").into_bytes();
            for part in data.chunks(cut) {
                // What is sent after the refusal goes nowhere; the client may hear of it at any point.
                if sink.send(std::io::Cursor::new(part.to_vec())).await.is_err() {
                    break;
                }
            }
            let error = sink.finish().await.unwrap_err();
            assert_eq!(said(&error), format!("22023 {refused}"), "in parts of {cut}");
        }
        let row = client.query_one("select count(*) from settlements", &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 4, "nothing was written");
        let sink = client
            .copy_in::<_, std::io::Cursor<Vec<u8>>>("copy settlements (amount, note) from stdin")
            .await
            .unwrap();
        let mut sink = pin!(sink);
        sink.send(std::io::Cursor::new(b"1.00\tfine\n".to_vec())).await.unwrap();
        assert_eq!(sink.finish().await.unwrap(), 1);
    });
    let record = gateway.export();
    assert!(record.contains("write-back"), "it is recorded");
}
