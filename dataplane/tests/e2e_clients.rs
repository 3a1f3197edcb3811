//! Real clients through the whole of pangate to a real PostgreSQL: tokio-postgres with TLS and binary formats, psycopg,
//! asyncpg, pg8000, node-postgres and sqlx, psql by `pangate connect`. No card number comes to any of them, and all else as from the target.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod clients;
mod gateway;
mod tools;

use std::io::{BufRead as _, BufReader};
use std::pin::pin;
use std::process::{Command, Stdio};

use clients::{Connector, open, open_directly, run, said};
use futures_lite::StreamExt as _;
use futures_util::SinkExt as _;
use gateway::{Gateway, text, wait_for};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, SimpleQueryMessage};

const PANS: [&str; 5] =
    ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "2223003122003222"];
const MASKED: [&str; 5] =
    ["************1111", "************4444", "***********0005", "************1117", "************3222"];
/// The demo's policy has no word for these functions and channels.
const WAITS: (&str, &str) = (
    "  - {name: session, verbs: [transaction], decide: allow}",
    "  - {name: session, verbs: [transaction], decide: allow}\n  \
       - {name: waits, verbs: [select], functions: [pg_sleep], decide: allow}\n  \
       - {name: speaks, verbs: [call], objects: [settled], decide: allow}",
);

fn assert_no_pan(what: &str, bytes: &[u8]) {
    for pan in PANS {
        assert!(memchr::memmem::find(bytes, pan.as_bytes()).is_none(), "{what} holds a card number");
        let number: i64 = pan.parse().unwrap();
        for coded in [number.to_be_bytes(), (number as f64).to_be_bytes()] {
            assert!(memchr::memmem::find(bytes, &coded).is_none(), "{what} holds a card number in binary");
        }
    }
}

/// A value as it came, whatever its type.
#[derive(Debug, PartialEq)]
struct Raw(Type, Option<Vec<u8>>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(of.clone(), Some(raw.to_vec())))
    }
    fn from_sql_null(of: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(of.clone(), None))
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A non-negative whole `numeric` of the binary format.
fn whole_numeric(raw: &[u8]) -> i128 {
    let word = |at: usize| i16::from_be_bytes([raw[at], raw[at + 1]]);
    let (digits, weight, sign, scale) = (word(0), word(2), word(4), word(6));
    assert_eq!((sign, scale), (0, 0));
    let mut value = 0;
    for index in 0..=weight {
        value = value * 10_000
            + if index < digits { i128::from(word(8 + 2 * usize::try_from(index).unwrap())) } else { 0 };
    }
    value
}

/// A masked number: as long as the card's, its last four digits, and no card's number.
fn assert_masked_number(what: &str, value: i128, pan: &str) {
    assert_eq!(value.to_string().len(), pan.len(), "{what}: {value}");
    assert_eq!(value.to_string()[pan.len() - 4..], pan[pan.len() - 4..], "{what}");
    assert_ne!(value.to_string(), pan, "{what}");
    let sum: u32 = value
        .to_string()
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0') * if place % 2 == 1 { 2 } else { 1 };
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    assert_ne!(sum % 10, 0, "{what} would pass for a card number: {value}");
}

async fn rows(client: &Client, statement: &str) -> Vec<Vec<Raw>> {
    let rows = client.query(statement, &[]).await.unwrap();
    rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
}

#[test]
fn binary_values_are_masked_in_their_own_type() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    run(async {
        let client = open(&gateway).await.client;
        let prepared = client
            .prepare(
                "select pan, pan_number, pan_number::numeric, pan::bytea, pan_number::float8, \
                 array[pan_number, 7], array[pan, 'other'], to_jsonb(pan) from cards where id = $1",
            )
            .await
            .unwrap();
        for (index, pan) in PANS.iter().enumerate() {
            let row = client.query_one(&prepared, &[&(index as i32 + 1)]).await.unwrap();
            for column in 0..row.len() {
                assert_no_pan("a value", row.get::<_, Raw>(column).1.as_deref().unwrap());
            }
            assert_eq!(row.get::<_, &str>(0), MASKED[index]);
            assert_masked_number("int8", row.get::<_, i64>(1).into(), pan);
            assert_masked_number("numeric", whole_numeric(&row.get::<_, Raw>(2).1.unwrap()), pan);
            assert_eq!(row.get::<_, &[u8]>(3), MASKED[index].as_bytes());
            assert_masked_number("float8", row.get::<_, f64>(4) as i128, pan);
            let numbers: Vec<i64> = row.get(5);
            assert_masked_number("int8[]", numbers[0].into(), pan);
            assert_eq!(numbers[1], 7);
            assert_eq!(row.get::<_, Vec<String>>(6), [MASKED[index], "other"]);
            assert_eq!(row.get::<_, Raw>(7).1.unwrap()[1..], *format!("\"{}\"", MASKED[index]).as_bytes());
        }
    });
}

#[test]
fn what_holds_no_card_is_the_same_as_from_the_target() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    let statements = [
        "select * from pgbench_accounts where aid <= 300 order by aid",
        "select id, amount, settled from settlements order by id",
        "select null::int8, 1.5::float8, 'NaN'::numeric, -12345678901234::int8, ''::text, '\\x00ff'::bytea, \
         '{}'::int8[], '{1,null,3}'::int8[], '{\"a b\",null}'::text[], '[1,{\"a\":\"b\"}]'::jsonb, '2029-01-01'::date, \
         true, 'a'::\"char\", '1 day'::interval, point(1,2), 4111111111111112::int8, row(1, 'x'), int4range(1, 5)",
        "select g, repeat('x', g * 1000) from generate_series(1, 300) g",
        "select repeat('y', 3000000)",
        "select where false",
    ];
    run(async {
        let client = open(&gateway).await.client;
        let direct = open_directly(&gateway).await;
        for statement in statements {
            assert!(rows(&client, statement).await == rows(&direct, statement).await, "binary: {statement}");
            let ours = client.simple_query(statement).await.unwrap();
            let theirs = direct.simple_query(statement).await.unwrap();
            assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "text: {statement}");
        }
        for wrong in
            ["select 1/0", "select * from nowhere where card = 1", "select 'x'::int8", "select $1::int8"]
        {
            let (ours, theirs) = (client.simple_query(wrong).await, direct.simple_query(wrong).await);
            let (ours, theirs) = (ours.unwrap_err(), theirs.unwrap_err());
            assert_eq!(format!("{:?}", ours.as_db_error()), format!("{:?}", theirs.as_db_error()), "{wrong}");
        }
    });
}

#[test]
fn binary_parameters_and_nulls_arrive_as_they_were_sent() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    run(async {
        let client = open(&gateway).await.client;
        let insert = client
            .prepare("insert into settlements (card_id, amount, note, settled) values ($1, $2::float8::numeric, $3, $4)")
            .await
            .unwrap();
        let none: Option<&str> = None;
        let all: [[&(dyn ToSql + Sync); 4]; 2] =
            [[&1_i32, &1.25_f64, &"binary", &true], [&2_i32, &2.5_f64, &none, &false]];
        for parameters in all {
            assert_eq!(client.execute(&insert, &parameters).await.unwrap(), 1);
        }
        let said = gateway
            .direct(&["select card_id, amount, note, settled from settlements where id > 4 order by id"]);
        assert_eq!(said.trim(), "1|1.25|binary|t\n2|2.50||f");
        let row = client
            .query_one(
                "select $1::int8, $2::text, $3::bytea, $4::int8[], $5::float8",
                &[&i64::MIN, &none, &&[0_u8, 255][..], &vec![Some(1_i64), None], &f64::MAX],
            )
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), i64::MIN);
        assert_eq!(row.get::<_, Option<&str>>(1), None);
        assert_eq!(row.get::<_, &[u8]>(2), [0, 255]);
        assert_eq!(row.get::<_, Vec<Option<i64>>>(3), [Some(1), None]);
        assert_eq!(row.get::<_, f64>(4), f64::MAX);
        // A card number that the job sends in binary finds its row; what comes back of it is masked.
        let number: i64 = PANS[0].parse().unwrap();
        let row = client
            .query_one("select id, $1::int8 from cards where pan_number = $1", &[&number])
            .await
            .unwrap();
        assert_eq!(row.get::<_, i32>(0), 1);
        assert_masked_number("a parameter's echo", row.get::<_, i64>(1).into(), PANS[0]);
    });
}

#[test]
fn copies_portals_and_pipelines_work_and_are_masked() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    run(async {
        let client = open(&gateway).await.client;
        let mut copied = Vec::new();
        let mut out = pin!(client.copy_out("copy cards to stdout").await.unwrap());
        while let Some(part) = out.try_next().await.unwrap() {
            copied.extend_from_slice(&part);
        }
        assert_no_pan("a copy", &copied);
        for masked in MASKED.iter().chain(&["Cyd Example"]) {
            assert!(memchr::memmem::find(&copied, masked.as_bytes()).is_some(), "{masked}");
        }
        copy_in(&gateway, &client).await;
        stream(&client).await;
        pipeline(&client).await;
    });
}

async fn copy_in(gateway: &Gateway, client: &Client) {
    let into = client
        .copy_in::<_, std::io::Cursor<Vec<u8>>>("copy settlements (card_id, amount, note) from stdin")
        .await;
    let mut into = pin!(into.unwrap());
    for index in 0..20_000 {
        into.send(std::io::Cursor::new(format!("1\t{index}\tcopied {index}\n").into_bytes())).await.unwrap();
    }
    assert_eq!(into.finish().await.unwrap(), 20_000);
    let said = gateway.direct(&["select count(*), sum(amount) from settlements where note like 'copied%'"]);
    assert_eq!(said.trim(), "20000|199990000.00");
    // A copy that the client gives up leaves nothing, and the session goes on.
    let given_up =
        client.copy_in::<_, &[u8]>("copy settlements (card_id, amount, note) from stdin").await.unwrap();
    let mut given_up = Box::pin(given_up);
    given_up.send(b"1\t1\tgiven up\n").await.unwrap();
    drop(given_up);
    let row =
        client.query_one("select count(*) from settlements where note = 'given up'", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

async fn stream(client: &Client) {
    let parameters: [i32; 0] = [];
    let all = client
        .query_raw(
            "select g, c.pan from generate_series(1, 20000) g join cards c on c.id = g % 5 + 1",
            parameters,
        )
        .await
        .unwrap();
    let mut all = pin!(all);
    let mut count = 0;
    while let Some(row) = all.try_next().await.unwrap() {
        count += 1;
        assert!(MASKED.contains(&row.get::<_, &str>(1)));
    }
    assert_eq!(count, 20_000);
}

async fn pipeline(client: &Client) {
    let prepared = client.prepare("select pan, $1::int4 from cards where id = 1").await.unwrap();
    let all: Vec<Vec<Box<dyn ToSql + Sync + Send>>> = (0..500_i32).map(|n| vec![Box::new(n) as _]).collect();
    let mut running = Vec::new();
    for parameters in &all {
        // Polled once, each is on its way before the first is answered.
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|one| &**one as _).collect();
        let prepared = &prepared;
        running.push(Box::pin(async move { client.query_one(prepared, &parameters).await }));
    }
    let rows = futures_util::future::try_join_all(running).await.unwrap();
    for (index, row) in rows.iter().enumerate() {
        assert_eq!((row.get::<_, &str>(0), row.get::<_, i32>(1)), (MASKED[0], index as i32));
    }
    let (bad, denied, good) = futures_util::future::join3(
        client.query("select 1/(id - 1) from cards", &[]),
        client.execute("drop table cards", &[]),
        client.query_one("select 'after'", &[]),
    )
    .await;
    assert!(said(&bad.unwrap_err()).starts_with("22012 "));
    assert!(said(&denied.unwrap_err()).starts_with("42501 denied by rule settlement/no-ddl"));
    assert_eq!(good.unwrap().get::<_, &str>(0), "after");
}

#[test]
fn a_copy_in_binary_comes_back_masked() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    run(async {
        let client = open(&gateway).await.client;
        let mut out = pin!(client.copy_out("copy cards (pan) to stdout (format binary)").await.unwrap());
        let mut whole = Vec::new();
        while let Some(part) = out.try_next().await.unwrap() {
            whole.extend_from_slice(&part);
        }
        assert_no_pan("a copy", &whole);
        assert!(whole.starts_with(b"PGCOPY\n\xff\r\n\0"));
        assert!(whole.windows(7).any(|part| part == b"***1111"), "the rows came");
    });
}

#[test]
fn cancel_reaches_a_running_and_a_held_statement() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE, WAITS]);
    run(async {
        let job = open(&gateway).await;
        let cancel = job.client.cancel_token();
        let mut sleeping = Box::pin(job.client.simple_query("select pg_sleep(100)"));
        assert!(futures_lite::future::poll_once(&mut sleeping).await.is_none());
        wait_for("the statement running", || {
            let said = gateway
                .direct(&["select count(*) from pg_stat_activity where query like 'select pg_sleep%'"]);
            (said.trim() == "1").then_some(())
        });
        cancel.cancel_query(Connector::new(&gateway)).await.unwrap();
        assert_eq!(said(&sleeping.await.unwrap_err()), "57014 canceling statement due to user request");

        let mut held = Box::pin(job.client.simple_query("update cards set holder = 'x' where id = 1"));
        assert!(futures_lite::future::poll_once(&mut held).await.is_none());
        let ticket = gateway.pending_ticket();
        cancel.cancel_query(Connector::new(&gateway)).await.unwrap();
        assert_eq!(said(&held.await.unwrap_err()), "57014 canceling statement due to user request");
        wait_for("the ticket's withdrawal", || {
            (gateway.json(&["approvals", "show", &ticket])["state"] == "withdrawn").then_some(())
        });
        let row = job.client.query_one("select holder from cards where id = 1", &[]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), "Ada Example");
    });
}

#[test]
fn transactions_and_notifications_follow_policy() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE, WAITS]);
    run(async {
        let mut job = open(&gateway).await;
        let transaction = job.client.transaction().await.unwrap();
        transaction.execute("update settlements set settled = true where id = 1", &[]).await.unwrap();
        transaction.rollback().await.unwrap();
        let mut transaction = job.client.transaction().await.unwrap();
        transaction.execute("update settlements set settled = true where id = 2", &[]).await.unwrap();
        let inner = transaction.savepoint("part").await.unwrap();
        let denied = inner.execute("drop table cards", &[]).await.unwrap_err();
        assert!(said(&denied).starts_with("42501 "), "{}", said(&denied));
        let skipped = inner.execute("select 1", &[]).await.unwrap_err();
        assert!(said(&skipped).starts_with("25P02 "), "{}", said(&skipped));
        inner.rollback().await.unwrap();
        transaction.commit().await.unwrap();
        let settled = gateway.direct(&["select id, settled from settlements where settled order by id"]);
        assert_eq!(settled.trim(), "2|t");

        let refused = job.client.batch_execute("listen other").await.unwrap_err();
        assert!(said(&refused).starts_with("42501 "), "{}", said(&refused));
        let refused = job.client.batch_execute("notify other, 'x'").await.unwrap_err();
        assert!(said(&refused).starts_with("42501 "), "{}", said(&refused));
    });
    let said =
        gateway.job(&["listen settled", "notify settled, 'card 4111111111111111 of case 7'", "select 1"]);
    assert_no_pan("a notification", said.as_bytes());
    assert!(said.contains("************1111 of case 7"), "{said}");
}

#[test]
fn a_held_statement_of_a_driver_is_told_of_and_runs() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    run(async {
        let mut job = open(&gateway).await;
        let update = job.client.prepare("update cards set holder = $1 where id = $2").await.unwrap();
        let mut held = Box::pin(job.client.execute(&update, &[&"Renamed", &1_i32]));
        assert!(futures_lite::future::poll_once(&mut held).await.is_none());
        let ticket = gateway.pending_ticket();
        let notice = job.notices.recv().await.unwrap();
        assert!(notice.contains(&ticket), "{notice}");
        let shown = gateway.json(&["approvals", "show", &ticket]);
        assert_eq!(shown["parameters"].as_array().unwrap().len(), 2, "{shown}");
        assert!(
            gateway.pangate(1, &["approvals", "approve", &ticket, "--reason", "case 1"]).status.success()
        );
        assert_eq!(held.await.unwrap(), 1);
        let messages = job.client.simple_query("select holder from cards where id = 1").await.unwrap();
        let SimpleQueryMessage::Row(row) = &messages[1] else { panic!("{messages:?}") };
        assert_eq!(row.get(0), Some("Renamed"));
    });
}

/// Runs a job of a Python driver; what it printed as JSON.
fn python_job(gateway: &Gateway, driver: &str, script: &str) -> serde_json::Value {
    let module = driver.split('[').next().unwrap();
    let done = tools::python_job(driver, module, script)
        .env("PANGATE_PORT", gateway.port().to_string())
        .env("PANGATE_CA", gateway.get("PANGATE_CA"))
        .env("PGPASSWORD", gateway.job_token())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", text(&done));
    assert_no_pan(driver, &done.stdout);
    assert_no_pan(driver, &done.stderr);
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn psycopg_runs_a_job() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    let got = python_job(&gateway, "psycopg[binary]", "psycopg_job.py");
    for format in ["text", "binary"] {
        for (index, pan) in PANS.iter().enumerate() {
            let row = &got[format]["rows"][index];
            assert_eq!(row[0], MASKED[index], "{format}");
            assert_masked_number("int8", row[1].as_i64().unwrap().into(), pan);
            assert_masked_number("numeric", row[2].as_str().unwrap().parse().unwrap(), pan);
            assert_eq!(row[3], MASKED[index], "{format}");
        }
        assert_eq!(got[format]["null"], serde_json::Value::Null);
        assert_eq!(got[format]["echo"], serde_json::json!([1, "x", "2.50", [1, 2], "2029-01-31"]));
    }
    assert_eq!(got["server_side"], serde_json::json!(MASKED));
    assert_eq!(got["copied_in"], 1000);
    assert_eq!(got["executemany"], serde_json::json!([3, "3.00"]));
    assert_eq!(got["copied_out"], 5);
    assert_eq!(got["pipeline"], serde_json::json!([0, 1, 2, 3, 4]));
    assert_eq!(got["denied"], "42501");
    assert_eq!(got["after"], 1);
}

#[test]
fn asyncpg_runs_a_job() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    let got = python_job(&gateway, "asyncpg", "asyncpg_job.py");
    assert_eq!(got["masked"], serde_json::json!(MASKED));
    for (index, pan) in PANS.iter().enumerate() {
        assert_masked_number("int8", got["numbers"][index].as_i64().unwrap().into(), pan);
    }
    assert_eq!(got["cursor"], serde_json::json!(MASKED));
    assert_eq!(got["denied"], "42501");
    assert_eq!(got["executemany"], 100);
}

#[test]
fn pg8000_runs_a_job() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    let got = python_job(&gateway, "pg8000", "pg8000_job.py");
    assert_eq!(got["masked"], serde_json::json!(MASKED));
    assert_eq!(got["denied"], "42501");
    assert_eq!(got["inserted"], 2);
}

#[test]
fn node_postgres_runs_a_job() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    let done = tools::node_job("pg", "8.16.3", "node_postgres_job.js")
        .env("PANGATE_PORT", gateway.port().to_string())
        .env("PANGATE_CA", gateway.get("PANGATE_CA"))
        .env("PGPASSWORD", gateway.job_token())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", text(&done));
    assert_no_pan("node-postgres", &done.stdout);
    assert_no_pan("node-postgres", &done.stderr);
    let got: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(got["simple"], serde_json::json!([MASKED, 1]));
    for (index, pan) in PANS.iter().enumerate() {
        assert_eq!(got["text"][index][0], MASKED[index]);
        assert_masked_number("int8", got["text"][index][1].as_str().unwrap().parse().unwrap(), pan);
        assert_eq!(got["binary"][index], serde_json::json!([MASKED[index], (index + 1).to_string()]));
    }
    assert_eq!(got["inserted"], "2.50");
    assert_eq!(got["denied"], "42501");
    assert_eq!(got["after"], 2);
    assert!(got["error"].as_str().unwrap().contains(MASKED[0]), "{got}");
    assert_eq!(got["notices"], serde_json::json!([]));
}

#[test]
fn sqlx_runs_a_job() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    run(async {
        let options = PgConnectOptions::new_without_pgpass()
            .host("localhost")
            .port(gateway.port())
            .username("ci-job")
            .password(&gateway.job_token())
            .database(gateway.get("PANGATE_POSTGRES_TARGET"))
            .ssl_mode(PgSslMode::VerifyFull)
            .ssl_root_cert(gateway.get("PANGATE_CA"));
        let mut connection = options.connect().await.unwrap();
        // Twice: prepared once, its values always in binary.
        for _ in 0..2 {
            let rows = sqlx::query("select pan, pan_number from cards where id <= $1 order by id")
                .bind(5)
                .fetch_all(&mut connection)
                .await
                .unwrap();
            for (index, pan) in PANS.iter().enumerate() {
                assert_eq!(rows[index].get::<&str, _>(0), MASKED[index]);
                assert_masked_number("int8", rows[index].get::<i64, _>(1).into(), pan);
            }
        }
        let rows =
            sqlx::raw_sql("select pan from cards order by id").fetch_all(&mut connection).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.get::<&str, _>(0)).collect::<Vec<_>>(), MASKED);
        let mut transaction = connection.begin().await.unwrap();
        let inserted = sqlx::query("insert into settlements (card_id, amount, note) values ($1, $2, $3)");
        let inserted = inserted.bind(1).bind(2.5_f64).bind("by sqlx").execute(&mut *transaction).await;
        assert_eq!(inserted.unwrap().rows_affected(), 1);
        transaction.rollback().await.unwrap();
        let denied = sqlx::query("drop table cards").execute(&mut connection).await.unwrap_err();
        assert_eq!(denied.as_database_error().unwrap().code().as_deref(), Some("42501"));
        let error = sqlx::query("select pan::date from cards where id = 1").execute(&mut connection).await;
        let error = error.unwrap_err().to_string();
        assert_no_pan("an error", error.as_bytes());
        assert!(error.contains(MASKED[0]), "{error}");
        let one: i32 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await.unwrap();
        assert_eq!(one, 1);
        connection.close().await.unwrap();
    });
}

#[test]
fn pangate_connect_serves_a_psql_that_knows_no_token() {
    let gateway = Gateway::with_changes(&[gateway::BY_VALUE]);
    let mut listener = Command::new(gateway.program("pangate"))
        .args(["connect", gateway.get("PANGATE_POSTGRES_TARGET"), "--json", "--gateway"])
        .arg(format!("localhost:{}", gateway.port()))
        .env("PANGATE_CA", gateway.get("PANGATE_CA"))
        .env("PANGATE_MGMT_URL", gateway.get("PANGATE_MGMT_URL"))
        .env("PANGATE_TOKEN", gateway.job_token())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(listener.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let port = told["listen"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let conninfo =
        format!("host=127.0.0.1 port={port} user=whoever dbname=payments sslmode=disable connect_timeout=20");
    let done =
        gateway.psql_as("", &conninfo, &["select pan from cards order by id", "drop table cards"]).output();
    let interrupted = Command::new("kill").arg(listener.id().to_string()).status().unwrap();
    let ended = listener.wait().unwrap();
    let said = text(&done.unwrap());
    assert!(interrupted.success() && ended.success());
    assert_no_pan("psql", said.as_bytes());
    assert!(said.starts_with(&MASKED.join("\n")), "{said}");
    assert!(said.contains("denied by rule settlement/no-ddl"), "{said}");
}
