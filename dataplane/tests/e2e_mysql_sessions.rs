//! Sessions of a real MariaDB beside and after each other: what is kept for the next, what a job may end of its own,
//! what names prepared by SQL stand for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "clients/mysql.rs"]
mod clients;
mod gateway;

use std::time::{Duration, Instant};

use clients::{open, options, run, said};
use gateway::{Gateway, wait_for};
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

const EVERYTHING: (&str, &str) = (
    "  - {name: no-ddl, verbs: [ddl, grant, admin, unknown], decide: deny}\n",
    "  - name: everything
    verbs: [select, insert, update, delete, copy, call, ddl, grant, set, transaction, admin, unknown]
    objects: [\"*\"]
    functions: [\"*\"]
    effects: [dynamic-sql, unbounded, runs-program, reads-file, writes-file]
    decide: allow
",
);

/// Labels would hide what functions of no known effect make.
const NO_LABELS: (&str, &str) = (
    "data:
  - {column: shop.cards.pan, label: pan}
  - {column: shop.cards.pan_number, label: pan}
  - {column: shop.cards.cvv, label: sad}
",
    "",
);

/// The target's number of the connection that ran the statements, and what was printed after that.
fn session(gateway: &Gateway, statements: &[&str]) -> (String, String) {
    let mut all = vec!["select connection_id()"];
    all.extend(statements);
    let said = gateway.mysql_job(&all);
    let (number, rest) = said.split_once('\n').unwrap_or_else(|| panic!("{said}"));
    assert!(number.parse::<u32>().is_ok(), "{said}");
    (number.to_owned(), rest.to_owned())
}

#[test]
fn nothing_of_a_session_is_seen_by_the_next() {
    let gateway = Gateway::with_mysql_changes(&[EVERYTHING, NO_LABELS]);
    let leave = [
        "create temporary table left_behind select 'mine' as a",
        "set @left_variable = 'mine'",
        "set time_zone = '+05:45'",
        "set session max_statement_time = 55",
        "set autocommit = 0",
        "update settlements set note = 'not committed' where id = 1",
    ];
    let look = [
        "select database()",
        "select coalesce(@left_variable, 'none'), @@time_zone <> '+05:45', @@max_statement_time, @@autocommit",
        "select last_insert_id()",
        "select count(*) from settlements where note = 'not committed'",
        "select * from left_behind",
    ];
    let (number, said) = session(&gateway, &leave);
    assert_eq!(said, "", "what it leaves");
    // Every core has connections of its own.
    let seen = wait_for("a session on the kept connection", || {
        let (own, said) = session(&gateway, &look);
        (own == number).then_some(said)
    });
    let lines: Vec<&str> = seen.lines().filter(|line| !line.starts_with('-') && !line.is_empty()).collect();
    assert_eq!(lines[..4], ["shop", "none\t1\t0.000000\t1", "0", "0"], "{seen}");
    assert!(seen.contains("ERROR 1146") && seen.contains("left_behind"), "{seen}");
    assert!(!seen.contains("mine"), "{seen}");
}

#[test]
fn a_connection_that_no_reset_undoes_is_not_kept() {
    let gateway = Gateway::with_mysql_changes(&[EVERYTHING, NO_LABELS]);
    let (number, _) = session(&gateway, &["xa start 'x'", "xa end 'x'", "xa prepare 'x'"]);
    let gone = format!("select count(*) from information_schema.processlist where id = {number}");
    wait_for("its end", || (gateway.mysql_direct(&[&gone]).trim() == "0").then_some(()));
    gateway.mysql_direct(&["xa rollback 'x'"]);
}

#[test]
fn a_job_ends_what_another_of_its_connections_runs_and_nobody_elses() {
    let gateway = Gateway::with_mysql_changes(&[EVERYTHING, NO_LABELS]);
    run(async {
        let mut slow = open(&gateway).await;
        let number = slow.id();
        assert!(number >= 1 << 31, "the greeting's number is the gateway's own: {number}");
        let begun = Instant::now();
        let query = tokio::spawn(async move {
            let ended = slow.query_first::<i32, _>("select sleep(60)").await;
            (ended, slow.query_first::<i32, _>("select 7").await)
        });
        let running = "select count(*) from information_schema.processlist where info = 'select sleep(60)'";
        wait_for("the query", || (gateway.mysql_direct(&[running]).trim() == "1").then_some(()));
        // Another job at the same target gets the same answer, and nothing happens.
        let token = gateway.token(&["--subject", "other-job", "--group", "settlement-batch"]);
        let mut other = Conn::new(options(&gateway, &token)).await.unwrap();
        other.query_drop(format!("KILL QUERY {number}")).await.unwrap();
        other.query_drop(format!("KILL {number}")).await.unwrap();
        assert_eq!(gateway.mysql_direct(&[running]).trim(), "1");
        let mut own = open(&gateway).await;
        own.query_drop(format!("KILL QUERY {number}")).await.unwrap();
        let (ended, next) = query.await.unwrap();
        // MariaDB tells SLEEP's own end by 1, and any other by an error.
        match ended {
            Ok(value) => assert_eq!(value, Some(1)),
            Err(error) => assert!(said(&error).starts_with("1317 70100"), "{}", said(&error)),
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert_eq!(next.unwrap(), Some(7), "the session goes on");
    });
}

#[test]
fn what_a_vanished_job_runs_ends_as_it_does_at_the_server() {
    let gateway = Gateway::with_mysql_changes(&[EVERYTHING, NO_LABELS]);
    let begun = Instant::now();
    let mut job = gateway.mariadb(&["select sleep(120)"]).spawn().unwrap();
    let running = "select count(*) from information_schema.processlist where info = 'select sleep(120)'";
    wait_for("the query", || (gateway.mysql_direct(&[running]).trim() == "1").then_some(()));
    job.kill().unwrap();
    job.wait().unwrap();
    // The server looks every five seconds whether its client is there: bytes in front of the end would hide it.
    wait_for("its end", || (gateway.mysql_direct(&[running]).trim() == "0").then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(100));
}

#[test]
fn names_prepared_by_sql_stand_for_what_they_were_prepared_from() {
    let gateway = Gateway::with_mysql();
    let got = gateway.mysql_job(&[
        "prepare cards_ from 'select id, pan from cards where id = 1'",
        "execute cards_",
        "prepare drops from 'drop table cards'",
        "execute drops",
        "prepare cards_ from 'select note from settlements where id = 2'",
        "execute cards_",
    ]);
    assert!(got.contains("1\t************1111\n"), "{got}");
    assert!(got.contains("phoned in: **** **** **** 1111"), "{got}");
    assert_eq!(got.matches("ERROR 1227").count(), 2, "{got}");
}

#[test]
fn what_was_not_prepared_does_not_change_what_a_name_stands_for() {
    let gateway = Gateway::with_mysql_changes(&[(
        "  - {name: session, verbs: [transaction], decide: allow}\n",
        "  - {name: session, verbs: [transaction], decide: allow}\n  - {name: cvv, verbs: [select], labels: [sad], decide: deny}\n",
    )]);
    run(async {
        let mut job = open(&gateway).await;
        // The server refuses to prepare a PREPARE; a list ends with its first error.
        job.query_drop("prepare s from 'select id from settlements'").await.unwrap();
        assert!(job.prep("prepare s from 'select 1'").await.is_err());
        assert_eq!(job.query::<i32, _>("execute s").await.unwrap().len(), 4);
        assert!(job.query_drop("select * from nowhere; prepare s from 'select 1'").await.is_err());
        let after = said(&job.query_drop("execute s").await.unwrap_err());
        assert!(after.starts_with("1227 42000"), "{after}");
    });
}

#[test]
fn a_target_without_labels_is_greeted_as_what_it_is_too() {
    let gateway = Gateway::with_mysql_changes(&[NO_LABELS]);
    let version = gateway.mysql_direct(&["select version()"]);
    let expected = format!("5.5.5-{}", version.trim());
    wait_for("the target's version in the greeting", || {
        let mut greeting = [0; 128];
        let mut socket = std::net::TcpStream::connect(("127.0.0.1", gateway.mysql_port())).unwrap();
        std::io::Read::read_exact(&mut socket, &mut greeting[..5 + expected.len() + 1]).unwrap();
        let end = greeting[5..].iter().position(|byte| *byte == 0)?;
        (greeting[5..5 + end] == *expected.as_bytes()).then_some(())
    });
    assert_eq!(gateway.mysql_job(&["select version()"]), version);
}

#[test]
fn a_session_that_is_killed_at_the_target_hears_of_it() {
    let gateway = Gateway::with_mysql_changes(&[EVERYTHING, NO_LABELS]);
    run(async {
        for busy in [false, true] {
            let mut job = open(&gateway).await;
            let own: Option<u64> = job.query_first("select connection_id()").await.unwrap();
            let kill = format!("kill {}", own.unwrap());
            let running =
                "select count(*) from information_schema.processlist where info = 'select sleep(61)'";
            let ended = if busy {
                let slept = tokio::spawn(async move { job.query_drop("select sleep(61)").await });
                wait_for("the query", || (gateway.mysql_direct(&[running]).trim() == "1").then_some(()));
                assert_eq!(gateway.mysql_direct(&[&kill]), "");
                slept.await.unwrap()
            } else {
                assert_eq!(gateway.mysql_direct(&[&kill]), "");
                job.query_drop("select 1").await
            };
            // MariaDB says nothing of it before it closes the connection, or where it does, this.
            let heard = said(&ended.unwrap_err());
            let silent = heard == "1158 08S01 the target closed the connection";
            assert!(silent || heard == "1927 70100 Connection was killed", "busy: {busy}, {heard}");
        }
    });
}
