//! Real clients through the whole of pangate to a real MariaDB: PyMySQL, mysql-connector-python (its own implementation
//! and MySQL's client library, token as password and by OpenID Connect), mysql2, mysql_async, sqlx, the stock `mariadb`.
//! No card number comes to any of them, and all else as from the target.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "clients/mysql.rs"]
mod clients;
mod gateway;
mod tools;

use std::process::Command;

use clients::{MASKED, PANS, assert_masked_number, assert_no_pan, open, run, said};
use gateway::{Gateway, text};
use mysql_async::TxOpts;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

/// What a job has to have been told of `drop table cards`.
fn assert_denied(number: &Value, state: &Value, message: &Value) {
    assert_eq!((number, state), (&json!(1227), &json!("42000")));
    assert!(message.as_str().unwrap().contains("denied by rule shop/no-ddl"), "{message}");
}

/// A row's first cell is the masked card, the second a masked number, the third what was computed of it: as long.
fn assert_masked_rows(what: &str, rows: &Value) {
    let number = |cell: &Value| cell.as_str().map_or_else(|| cell.to_string(), Into::into);
    for (index, pan) in PANS.iter().enumerate() {
        let cells = rows[index].as_array().unwrap();
        assert_eq!(cells[0], MASKED[index], "{what}");
        assert_masked_number(what, &number(&cells[1]), pan);
        if let Some(computed) = cells.get(2) {
            assert_eq!(number(computed).len(), pan.len(), "{what}");
        }
    }
    assert_eq!(rows.as_array().unwrap().len(), PANS.len(), "{what}");
}

/// Runs a job; what it printed as JSON.
fn job(gateway: &Gateway, what: &str, mut command: Command) -> Value {
    let done = command
        .env("PANGATE_PORT", gateway.mysql_port().to_string())
        .env("PANGATE_CA", gateway.get("PANGATE_CA"))
        .env("MYSQL_PWD", gateway.job_token())
        .output()
        .unwrap();
    assert!(done.status.success(), "{what}: {}", text(&done));
    assert_no_pan(what, &done.stdout);
    assert_no_pan(what, &done.stderr);
    serde_json::from_slice(&done.stdout).unwrap()
}

/// All masked values in their order as texts.
fn sorted() -> Value {
    let mut all = MASKED;
    all.sort_unstable();
    json!(all)
}

#[test]
fn pymysql_runs_a_job() {
    let gateway = Gateway::with_mysql();
    let got = job(&gateway, "PyMySQL", tools::python_job("PyMySQL", "pymysql", "pymysql_job.py"));
    assert_masked_rows("PyMySQL", &got["rows"]);
    assert_eq!(got["several"], json!([MASKED, [1], ["phoned in: **** **** **** 1111"]]));
    assert_eq!(got["inserted"], json!([3, "3.00"]));
    assert_eq!(got["rolled_back"], 0);
    assert_eq!(got["denied"][0], 1227);
    assert_eq!(got["error"], json!([1146, "Table 'shop.nowhere' doesn't exist"]));
    assert_eq!(got["duplicate"], json!([1062, "Duplicate entry '1' for key 'PRIMARY'"]));
    assert_eq!(got["unbuffered"], sorted());
}

#[test]
fn mysql_connector_runs_jobs_by_each_implementation_and_login() {
    let gateway = Gateway::with_mysql();
    for implementation in ["pure", "library"] {
        for login in ["password", "openid"] {
            let what = format!("mysql-connector-python, {implementation}, {login}");
            let mut command =
                tools::python_job("mysql-connector-python", "mysql.connector", "mysql_connector_job.py");
            command.args([implementation, login]);
            let got = job(&gateway, &what, command);
            assert_masked_rows(&what, &got["text"]);
            assert_masked_rows(&what, &got["prepared"]);
            assert_eq!(got["inserted"], json!([3, "4.50"]), "{what}");
            assert_denied(&got["denied"][0], &got["denied"][1], &got["denied"][2]);
            assert_eq!(got["error"], json!([1146, "42S02", "Table 'shop.nowhere' doesn't exist"]), "{what}");
            assert_eq!(got["after"], 1, "{what}");
        }
    }
}

#[test]
fn mysql2_runs_a_job() {
    let gateway = Gateway::with_mysql();
    let got = job(&gateway, "mysql2", tools::node_job("mysql2", "3", "mysql2_job.js"));
    assert_masked_rows("mysql2, text", &got["query"]);
    assert_masked_rows("mysql2, prepared", &got["execute"]);
    assert_eq!(got["several"], json!([MASKED, 1]));
    assert_eq!(got["inserted"], "2.50");
    assert_denied(&got["denied"][0], &got["denied"][1], &got["denied"][2]);
    assert_eq!(got["after"], 2);
    assert_eq!(got["error"], 1146);
    assert_eq!(got["streamed"], sorted());
}

#[test]
fn mysql_async_runs_a_job() {
    let gateway = Gateway::with_mysql();
    run(async {
        let mut client = open(&gateway).await;
        let text: Vec<String> = client.query("select pan from cards order by id").await.unwrap();
        assert_eq!(text, MASKED);
        let rows: Vec<(String, i64)> =
            client.exec("select pan, pan_number from cards where id <= ? order by id", (5,)).await.unwrap();
        for (index, (pan, number)) in rows.iter().enumerate() {
            assert_eq!(pan, MASKED[index]);
            assert_masked_number("bigint", &number.to_string(), PANS[index]);
        }
        let mut transaction = client.start_transaction(TxOpts::default()).await.unwrap();
        let insert = "insert into settlements (card_id, amount, note) values (?, ?, ?)";
        let all = (0..50).map(|number| (1, number, format!("many {number}")));
        transaction.exec_batch(insert, all).await.unwrap();
        let count: Option<u32> = transaction
            .query_first("select count(*) from settlements where note like 'many%'")
            .await
            .unwrap();
        assert_eq!(count, Some(50));
        transaction.rollback().await.unwrap();
        let count: Option<u32> = client.query_first("select count(*) from settlements").await.unwrap();
        assert_eq!(count, Some(4));
        let denied = said(&client.query_drop("drop table cards").await.unwrap_err());
        assert!(denied.starts_with("1227 42000 denied by rule shop/no-ddl"), "{denied}");
        let error = said(&client.exec_drop("select * from nowhere", ()).await.unwrap_err());
        assert_eq!(error, "1146 42S02 Table 'shop.nowhere' doesn't exist");
        let mut several = client.query_iter("select pan from cards order by id; select 1").await.unwrap();
        assert_eq!(several.collect::<String>().await.unwrap(), MASKED);
        assert_eq!(several.collect::<i32>().await.unwrap(), [1]);
        drop(several);
        client.disconnect().await.unwrap();
    });
}

#[test]
fn sqlx_runs_a_job() {
    let gateway = Gateway::with_mysql();
    run(async {
        let options = MySqlConnectOptions::new()
            .host("localhost")
            .port(gateway.mysql_port())
            .username("ci-job")
            .password(&gateway.job_token())
            .database(gateway.get("PANGATE_MYSQL_TARGET"))
            .ssl_mode(MySqlSslMode::VerifyIdentity)
            .ssl_ca(gateway.get("PANGATE_CA"))
            // SQL modes that change how a text is read are refused.
            .pipes_as_concat(false)
            .no_engine_substitution(false);
        let mut client = options.connect().await.unwrap();
        // Twice: prepared once, then executed again.
        for _ in 0..2 {
            let rows = sqlx::query("select pan, pan_number from cards where id <= ? order by id")
                .bind(5)
                .fetch_all(&mut client)
                .await
                .unwrap();
            for (index, pan) in PANS.iter().enumerate() {
                assert_eq!(rows[index].get::<String, _>(0), MASKED[index]);
                assert_masked_number("bigint", &rows[index].get::<i64, _>(1).to_string(), pan);
            }
        }
        let rows = sqlx::raw_sql("select pan from cards order by id").fetch_all(&mut client).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), MASKED);
        let mut transaction = client.begin().await.unwrap();
        let inserted = sqlx::query("insert into settlements (card_id, amount, note) values (?, ?, ?)");
        let inserted = inserted.bind(1).bind(2.5_f64).bind("by sqlx").execute(&mut *transaction).await;
        assert_eq!(inserted.unwrap().rows_affected(), 1);
        transaction.rollback().await.unwrap();
        let denied = sqlx::query("drop table cards").execute(&mut client).await.unwrap_err();
        let denied = denied.as_database_error().unwrap();
        assert_eq!(denied.code().as_deref(), Some("42000"));
        assert!(denied.message().contains("denied by rule shop/no-ddl"), "{}", denied.message());
        let error = sqlx::query("select * from nowhere").execute(&mut client).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42S02"));
        let one: i32 = sqlx::query_scalar("select 1").fetch_one(&mut client).await.unwrap();
        assert_eq!(one, 1);
        client.close().await.unwrap();
    });
}

#[test]
fn the_stock_client_runs_a_script() {
    let gateway = Gateway::with_mysql();
    let got = gateway.mysql_job(&[
        "select pan from cards order by id",
        "start transaction",
        "insert into settlements (card_id, amount, note) values (1, 2.50, 'by mariadb')",
        "select amount from settlements where note = 'by mariadb'",
        "rollback",
        "select count(*) from settlements",
        "drop table cards",
        "select * from nowhere",
        "select 'after'",
    ]);
    assert_no_pan("mariadb", got.as_bytes());
    for expected in MASKED.iter().chain(&["2.50", "after"]) {
        assert!(got.lines().any(|line| line == *expected), "{expected}: {got}");
    }
    assert!(got.contains("ERROR 1227 (42000)") && got.contains("denied by rule shop/no-ddl"), "{got}");
    assert!(got.contains("ERROR 1146 (42S02)"), "{got}");
}
