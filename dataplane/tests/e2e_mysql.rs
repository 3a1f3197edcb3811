//! A CI job's stock `mariadb` and mysql_async through the whole of pangate to a real MariaDB.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "clients/mysql.rs"]
mod clients;
mod gateway;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clients::{MASKED, PANS, assert_masked_number, assert_no_pan, open, open_directly, run, said};
use gateway::{Gateway, text, wait_for};
use mysql_async::Row;
use mysql_async::prelude::Queryable as _;

#[test]
fn rows_come_back_masked_as_text() {
    let gateway = Gateway::with_mysql();
    let got = gateway.mysql_job(&[
        "select pan, pan_number, cvv from cards order by id",
        "select note from settlements where id = 2",
        "select sum(amount), count(*) from settlements",
    ]);
    assert_no_pan("a result", got.as_bytes());
    let lines: Vec<&str> = got.lines().collect();
    assert_eq!(lines.len(), 7, "{got}");
    for (index, pan) in PANS.iter().enumerate() {
        let cells: Vec<&str> = lines[index].split('\t').collect();
        assert_eq!(cells[0], MASKED[index]);
        assert_masked_number("bigint", cells[1], pan);
        assert!(cells[2].bytes().all(|byte| byte == b'*'), "a card code: {got}");
    }
    assert_eq!(lines[5], "phoned in: **** **** **** 1111");
    assert_eq!(lines[6], "428.75\t4", "what is no card number is untouched");
}

#[test]
fn prepared_rows_come_back_masked_in_their_own_type() {
    let gateway = Gateway::with_mysql();
    run(async {
        let mut job = open(&gateway).await;
        let statement = "select pan, pan_number, cvv from cards where id <= ? order by id";
        // Twice: prepared once, then executed again.
        for _ in 0..2 {
            let rows: Vec<(String, i64, String)> = job.exec(statement, (5,)).await.unwrap();
            assert_eq!(rows.len(), 5);
            for (index, (pan, number, code)) in rows.into_iter().enumerate() {
                assert_eq!(pan, MASKED[index]);
                assert_masked_number("bigint", &number.to_string(), PANS[index]);
                assert!(code.bytes().all(|byte| byte == b'*'), "a card code");
            }
        }
        // A card number that the job sends finds its row; what comes back of it is masked.
        let found: Option<(i32, String)> =
            job.exec_first("select id, ? from cards where pan = ?", (PANS[0], PANS[0])).await.unwrap();
        assert_eq!(found, Some((1, "*".repeat(PANS[0].len()))));
        let sums: Option<(String, i64)> =
            job.exec_first("select cast(sum(amount) as char), count(*) from settlements", ()).await.unwrap();
        assert_eq!(sums, Some(("428.75".to_owned(), 4)));
    });
}

#[test]
fn what_holds_no_card_is_the_same_as_from_the_target() {
    let gateway = Gateway::with_mysql();
    let statements = [
        "select id, amount, settled, note from settlements where id <> 2 order by id",
        "select null, 1.5e0, -12345678901234, '', x'00ff', 4111111111111112, cast('2029-01-31' as date), \
         cast('2029-01-31 12:30:00.25' as datetime(2)), cast('-12:30:01' as time), b'101', json_object('a', 'b')",
        "select repeat('y', 3000000)",
        "select 1 from settlements where false",
        "with recursive g(n) as (select 1 union all select n + 1 from g where n < 300) select n, repeat('x', n * 100) from g",
    ];
    run(async {
        let (mut job, mut direct) = (open(&gateway).await, open_directly(&gateway).await);
        for statement in statements {
            let ours: Vec<Row> = job.query(statement).await.unwrap();
            let theirs: Vec<Row> = direct.query(statement).await.unwrap();
            assert!(unwrapped(ours) == unwrapped(theirs), "text: {statement}");
            let ours: Vec<Row> = job.exec(statement, ()).await.unwrap();
            let theirs: Vec<Row> = direct.exec(statement, ()).await.unwrap();
            assert!(unwrapped(ours) == unwrapped(theirs), "binary: {statement}");
        }
        for wrong in [
            "select * from nowhere where card = 1",
            "select nothing from settlements",
            "select (select 1 union select 2)",
        ] {
            let ours = job.query_drop(wrong).await.unwrap_err();
            let theirs = direct.query_drop(wrong).await.unwrap_err();
            assert_eq!(said(&ours), said(&theirs), "{wrong}");
        }
    });
}

fn unwrapped(rows: Vec<Row>) -> Vec<Vec<mysql_async::Value>> {
    rows.into_iter().map(Row::unwrap).collect()
}

#[test]
fn bad_logins_are_refused_and_say_which_check_failed() {
    let gateway = Gateway::with_mysql();
    let token = gateway.job_token();
    let port = gateway.mysql_port();
    let refused = |password: &str, more: &[&str]| {
        text(&gateway.mariadb_as(password, port, &["select 1"]).args(more).output().unwrap())
    };
    let said = text(&gateway.mariadb_without_tls(&token, &["select 1"]).output().unwrap());
    assert!(said.contains("ERROR 3159") && said.contains("TLS"), "{said}");
    let said = refused("not a token", &[]);
    assert!(said.contains("ERROR 1045 (28000)"), "{said}");
    let said = refused("", &[]);
    assert!(said.contains("ERROR 1045 (28000)"), "{said}");
    let said = refused(&token, &["-D", "elsewhere"]);
    assert!(said.contains("ERROR 1045 (28000)") && said.contains("one database"), "{said}");
    let mut tampered = token.clone();
    let last = tampered.pop().unwrap();
    tampered.push(if last == 'A' { 'B' } else { 'A' });
    let said = refused(&tampered, &[]);
    assert!(said.contains("ERROR 1045 (28000)") && !said.contains(&tampered[..20]), "{said}");
    let stranger = gateway.token(&["--subject", "x", "--group", "strangers"]);
    let said = refused(&stranger, &[]);
    assert!(said.contains("no policy"), "{said}");
    assert_eq!(gateway.mysql_job(&["select 1"]).trim(), "1");
}

#[test]
fn a_denied_statement_is_an_error_and_the_session_goes_on() {
    let gateway = Gateway::with_mysql();
    run(async {
        let mut job = open(&gateway).await;
        job.query_drop("begin").await.unwrap();
        job.query_drop("update settlements set settled = true where id = 1").await.unwrap();
        let denied = said(&job.query_drop("drop table cards").await.unwrap_err());
        assert!(denied.starts_with("1227 42000 denied by rule shop/no-ddl"), "{denied}");
        let denied = said(&job.exec_drop("drop table cards", ()).await.unwrap_err());
        assert!(denied.starts_with("1227 42000 denied by rule shop/no-ddl"), "{denied}");
        // As MariaDB's own errors, it leaves the transaction as it is.
        job.query_drop("commit").await.unwrap();
        let settled: Option<bool> =
            job.query_first("select settled from settlements where id = 1").await.unwrap();
        assert_eq!(settled, Some(true));
    });
    assert_eq!(gateway.mysql_direct(&["select count(*) from cards"]).trim(), "5");
}

#[test]
fn a_held_update_waits_is_approved_and_runs() {
    let gateway = Gateway::with_mysql();
    run(async {
        for prepared in [false, true] {
            let mut job = open(&gateway).await;
            let update = "update cards set holder = concat(holder, '!') where id = 1";
            let held = tokio::spawn(async move {
                match prepared {
                    false => job.query_drop(update).await.unwrap(),
                    true => job
                        .exec_drop("update cards set holder = concat(holder, ?) where id = 1", ("!",))
                        .await
                        .unwrap(),
                }
                (job.affected_rows(), job.info().into_owned())
            });
            let ticket = gateway.pending_ticket();
            let before = gateway.mysql_direct(&["select holder from cards where id = 1"]);
            assert_eq!(before.trim(), if prepared { "Ada Example!" } else { "Ada Example" });
            gateway.approve(1, &ticket);
            let (affected, info) = held.await.unwrap();
            assert_eq!(affected, 1);
            assert!(info.contains(&ticket), "the OK packet names the ticket: {info}");
        }
    });
    let after = gateway.mysql_direct(&["select holder from cards where id = 1"]);
    assert_eq!(after.trim(), "Ada Example!!");
}

#[test]
fn a_rejected_update_is_refused_and_the_session_goes_on() {
    let gateway = Gateway::with_mysql();
    let job = gateway
        .mariadb(&["update cards set holder = 'x' where id = 1", "select 'still here'"])
        .spawn()
        .unwrap();
    let ticket = gateway.pending_ticket();
    assert!(gateway.pangate(2, &["approvals", "reject", &ticket, "--reason", "no case"]).status.success());
    let done = text(&job.wait_with_output().unwrap());
    assert!(done.contains("ERROR 1227 (42000)") && done.contains(&ticket), "{done}");
    assert!(done.contains("still here"), "{done}");
    assert_eq!(gateway.mysql_direct(&["select holder from cards where id = 1"]).trim(), "Ada Example");
}

#[test]
fn the_session_is_recorded_with_masked_answers_and_counted() {
    let gateway = Gateway::with_mysql();
    gateway.mysql_job(&[
        "select pan, note from cards join settlements on cards.id = card_id",
        "drop table cards",
    ]);
    let session = wait_for("the session in the evidence", || {
        let all = gateway.json(&["sessions", "list"]);
        let own = all.as_array()?.iter().find(|one| one["command_count"].as_u64() >= Some(2))?;
        own["closed_ms"].is_u64().then(|| own["id"].as_str().map(str::to_owned))?
    });
    let shown = gateway.json(&["sessions", "show", &session]);
    assert_eq!((&shown["protocol"], &shown["target"]), (&"mysql".into(), &"shop".into()));
    let commands = shown["commands"].as_array().unwrap();
    let read =
        commands.iter().find(|one| one["statement"].as_str().unwrap().starts_with("select pan")).unwrap();
    assert_eq!(
        (&read["decision"], &read["outcome"], &read["rows"]),
        (&"allow".into(), &"done".into(), &4.into())
    );
    let response = STANDARD.decode(read["response"].as_str().unwrap()).unwrap();
    assert_no_pan("the recorded answer", &response);
    assert!(memchr::memmem::find(&response, b"***1111").is_some(), "the answer was recorded");
    let dropped = commands.iter().find(|one| one["statement"] == "drop table cards").unwrap();
    assert_eq!((&dropped["decision"], &dropped["rule"]), (&"deny".into(), &"shop/no-ddl".into()));
    let replayed = text(&gateway.pangate(1, &["sessions", "replay", &session]));
    assert!(replayed.contains("************1111\torder 1001"), "{replayed}");
    wait_for("the counts", || {
        let status = gateway.json(&["status"]);
        let own = &status["dataplanes"][0];
        (own["commands"].as_u64() >= Some(2) && own["masked"].as_u64() >= Some(5)).then_some(())
    });
    gateway.kill("dataplane", "-TERM");
    let verified = gateway.verify();
    assert!(verified.status.success(), "{}", text(&verified));
}

#[test]
fn values_longer_than_a_packet_are_masked_where_packets_meet() {
    let gateway = Gateway::with_mysql();
    let direct = "select concat(repeat('a ', 8388600), '4111111111111111', repeat(' b', 2000000))";
    run(async {
        let mut job = open(&gateway).await;
        for prepared in [false, true] {
            let value: Option<Vec<u8>> = match prepared {
                false => job.query_first(direct).await.unwrap(),
                true => job.exec_first(direct, ()).await.unwrap(),
            };
            let value = value.unwrap();
            assert_eq!(value.len(), 16_777_200 + 16 + 4_000_000);
            assert_eq!(&value[16_777_200..16_777_216], MASKED[0].as_bytes());
            assert!(value.starts_with(b"a a ") && value.ends_with(b" b b"));
        }
    });
}

#[test]
fn after_kill_9_every_complete_record_verifies_and_work_goes_on() {
    let gateway = Gateway::with_mysql();
    gateway.mysql_job(&["select pan from cards"]);
    gateway.kill("dataplane", "-KILL");
    gateway.start_again("dataplane");
    wait_for("the gateway letting a job in", || {
        gateway.mysql_job(&["select 'back'"]).contains("back").then_some(())
    });
    gateway.kill("dataplane", "-TERM");
    let verified = gateway.verify();
    assert!(verified.status.success(), "{}", text(&verified));
}

#[test]
fn settings_pass_whose_outcome_is_known() {
    let gateway = Gateway::with_mysql_changes(&[(
        "objects: [autocommit, names,",
        "objects: [autocommit, names, sql_mode, max_statement_time,",
    )]);
    let said_of = |set: &str| assert_eq!(gateway.mysql_direct(&[set]), "", "{set}");
    said_of("set global character_set_client = utf8mb4");
    run(async {
        let mut job = open(&gateway).await;
        for statement in ["set names default", "set character set default"] {
            job.query_drop(statement).await.unwrap();
            let pan: Option<String> = job.query_first("select pan from cards where id = 1").await.unwrap();
            assert_eq!(pan.as_deref(), Some(MASKED[0]));
        }
        let set = "set statement sql_mode = 'STRICT_ALL_TABLES', max_statement_time = 5 for select";
        let pan: Option<String> =
            job.query_first(format!("{set} pan from cards where id = 1")).await.unwrap();
        assert_eq!(pan.as_deref(), Some(MASKED[0]));
        // The target's default is another now: an open session hears so when it is set, a new one before.
        said_of("set global character_set_client = latin1");
        let ended = said(&job.query_drop("set names default").await.unwrap_err());
        assert!(ended.contains("the session's settings have come to change"), "{ended}");
        let mut job = open(&gateway).await;
        for statement in ["set names default", "set character set default"] {
            let refused = said(&job.query_drop(statement).await.unwrap_err());
            assert!(refused.starts_with("1231 42000"), "{refused}");
        }
        let pan: Option<String> = job.query_first("select pan from cards where id = 1").await.unwrap();
        assert_eq!(pan.as_deref(), Some(MASKED[0]));
    });
}

#[test]
fn what_sql_has_prepared_is_held_when_it_is_run_and_shown_whole() {
    let gateway = Gateway::with_mysql_changes(&[(
        "  - {name: session, verbs: [transaction], decide: allow}",
        "  - {name: session, verbs: [transaction], decide: allow}\n  - {name: own, verbs: [set], objects: ['\"@a\"'], decide: allow}\n  - {name: calls, verbs: [call], objects: [\"shop.*\"], decide: allow}",
    )]);
    let procedure = "create procedure again() begin \
        execute immediate 'prepare p from ''update cards set holder = \"unseen\" where id = 1'''; end";
    assert_eq!(gateway.mysql_direct(&["delimiter //", &format!("{procedure}//"), "delimiter "]), "");
    let update = |what: &str| {
        format!(
            "prepare p from 'update cards set holder = concat(holder, ''{what}'') where id = 1 and pan <> ''4111111111111111x'''"
        )
    };
    let tickets = |statement: &str| {
        let all = gateway.json(&["approvals", "list"]);
        let all = all.as_array().unwrap();
        all.iter().filter(|one| one["statement"].as_str().unwrap().contains(statement)).count()
    };
    run(async {
        let mut job = open(&gateway).await;
        for what in ["!", "?"] {
            job.query_drop(update(what)).await.unwrap();
            let held = tokio::spawn(async move {
                job.query_drop("execute p;").await.unwrap();
                (job.affected_rows(), job)
            });
            let ticket = gateway.pending_ticket();
            let shown = gateway.json(&["approvals", "list"]);
            let shown =
                shown.as_array().unwrap().iter().find(|one| one["id"] == ticket.as_str()).unwrap().clone();
            let text = shown["statement"].as_str().unwrap();
            assert!(text.starts_with("execute p;\nprepare p from 'update cards set holder"), "{text}");
            assert!(text.contains(&format!("''{what}''")) && !text.contains(clients::PANS[0]), "{text}");
            gateway.approve(1, &ticket);
            let (affected, back) = held.await.unwrap();
            assert_eq!(affected, 1);
            job = back;
        }
        // What people cannot see, they are not asked about.
        job.query_drop("prepare p from 'update cards set holder = ? where id = 1'").await.unwrap();
        job.query_drop("set @a = 'x'").await.unwrap();
        for unseen in [
            "execute p using @a",
            "prepare q from 'update cards set holder = 1'; execute q",
            "/* x */ execute p",
        ] {
            let refused = said(&job.query_drop(unseen).await.unwrap_err());
            assert!(refused.contains("cannot be shown"), "{unseen}: {refused}");
        }
        // Nor about a name that something else may have given another meaning.
        job.query_drop(update("*")).await.unwrap();
        job.query_drop("call again()").await.unwrap_err();
        let refused = said(&job.query_drop("execute p").await.unwrap_err());
        assert!(refused.contains("cannot be shown"), "{refused}");
    });
    assert_eq!(tickets("execute"), 2);
    assert_eq!(gateway.mysql_direct(&["select holder from cards where id = 1"]).trim(), "Ada Example!?");
}
