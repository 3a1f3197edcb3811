//! Connections to a real PostgreSQL that one session after the other has: nothing of a session is seen by the next, and
//! those that cannot be reset are not kept. Both logs, the target's and ours, name the same session.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod gateway;

use std::process::Command;

use gateway::{Gateway, text, wait_for};

/// The demo's policy, with everything allowed that these tests do.
fn start(target: &str) -> Gateway {
    let everything = "
  - name: everything
    verbs: [select, insert, update, delete, copy, call, ddl, grant, set, transaction, admin, unknown]
    objects: [\"*\", role, session_authorization, search_path, all]
    functions: [\"*\"]
    effects: [dynamic-sql, unbounded, runs-program, reads-file, writes-file]
    decide: allow
";
    Gateway::with_changes(&[
        ("  - {name: no-ddl, verbs: [ddl, grant, admin, unknown], decide: deny}\n", everything),
        ("database: payments\n", target),
        gateway::BY_VALUE,
    ])
}

const POOLED: &str = "database: payments\npool: {idle: 20, idleTimeout: 60s}\n";

/// Runs statements in a session; the target's process that ran them, and what was printed after that.
fn session(gateway: &Gateway, statements: &[&str]) -> (String, String) {
    let mut all = vec!["select pg_backend_pid()"];
    all.extend(statements);
    let said = gateway.job(&all);
    let (pid, rest) = said.split_once('\n').unwrap_or_else(|| panic!("{said}"));
    assert!(pid.parse::<u32>().is_ok(), "{said}");
    (pid.to_owned(), rest.to_owned())
}

/// Runs statements in a session on the connection that process `pid` serves: every core has connections of its own, so
/// it may take some sessions until one has it.
fn session_on(gateway: &Gateway, pid: &str, statements: &[&str]) -> String {
    wait_for("a session on the kept connection", || {
        let (own, said) = session(gateway, statements);
        (own == pid).then_some(said)
    })
}

/// Whether process `pid` still serves the target.
fn serves(gateway: &Gateway, pid: &str) -> bool {
    gateway.direct(&[&format!("select count(*) from pg_stat_activity where pid = {pid}")]).trim() == "1"
}

#[test]
fn nothing_of_a_session_is_seen_by_the_next() {
    let gateway = start(POOLED);
    let leave = [
        "create temp table left_behind as select 'mine' as a",
        "prepare left_statement as select 'mine'",
        "set timezone = 'Asia/Kathmandu'",
        "set client_min_messages = error",
        "set application_name = 'impostor'",
        "set statement_timeout = '55min'",
        "set session characteristics as transaction read only",
        "set default_transaction_read_only = off",
        "set role pg_database_owner",
        "reset role",
        "select pg_advisory_lock(4242)",
        "listen left_channel",
        "begin; declare left_cursor cursor with hold for select 'mine'; commit",
        "create temp sequence left_sequence",
        "select nextval('left_sequence')",
        "set role pg_database_owner",
    ];
    let look = [
        "select to_regclass('pg_temp.left_behind') is null, to_regclass('left_sequence') is null",
        "select count(*) from pg_prepared_statements",
        "select count(*) from pg_cursors",
        "select current_setting('timezone') <> 'Asia/Kathmandu'",
        "select current_setting('client_min_messages')",
        "select current_setting('application_name') like 'pangate/%'",
        "select current_setting('statement_timeout'), current_setting('search_path')",
        "select current_setting('transaction_read_only'), current_setting('default_transaction_read_only')",
        "select session_user = 'settlement_rw' and current_user = 'settlement_rw', current_setting('role')",
        "select count(*) from pg_locks where locktype = 'advisory'",
        "select count(*) from pg_listening_channels()",
        "reset application_name",
        "select current_setting('application_name')",
        "select lastval()",
    ];
    let (pid, said) = session(&gateway, &leave);
    assert!(!said.contains("ERROR"), "{said}");
    let said = session_on(&gateway, &pid, &look);
    let expected = "t|t\n0\n0\nt\nnotice\nt\n0|\"$user\", public\noff|off\nt|none\n0\n0\npangate\n";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains("lastval is not yet defined"), "{said}");
}

#[test]
fn what_no_reset_undoes_is_not_kept() {
    let gateway = start(POOLED);
    for statement in [
        "do $$ begin perform 1; end $$",
        "load 'plpgsql'",
        "select setseed(0.5)",
        "set my.secret = 'x'",
        "set search_path = pg_catalog",
        "create function pg_temp.f() returns int language sql as 'select 1'",
        "select pg_stat_clear_snapshot()",
        "what is this",
    ] {
        let (pid, _) = session(&gateway, &[statement]);
        wait_for("the connection's end", || (!serves(&gateway, &pid)).then_some(()));
    }
    // In a transaction, or with command-line options.
    let (pid, _) = session(&gateway, &["begin", "select 1"]);
    wait_for("the connection's end", || (!serves(&gateway, &pid)).then_some(()));
    let options = format!("{} options='-c statement_timeout=1min'", gateway.conninfo());
    let pid = gateway.psql_as(&gateway.job_token(), &options, &["select pg_backend_pid()"]).output().unwrap();
    let pid = text(&pid).trim().to_owned();
    wait_for("the connection's end", || (!serves(&gateway, &pid)).then_some(()));
    // And of those that are fit, a setting at the start makes another key.
    let (pid, _) = session(&gateway, &["select 1"]);
    let zone = |gateway: &Gateway, zone: &str| {
        let mut job = gateway.psql(&["select pg_backend_pid(), current_setting('timezone')"]);
        text(&job.env("PGTZ", zone).output().unwrap()).trim().to_owned()
    };
    for _ in 0..8 {
        let said = zone(&gateway, "Europe/Paris");
        let (own, zone) = said.split_once('|').unwrap();
        assert_eq!(zone, "Europe/Paris");
        assert_ne!(own, pid);
    }
    session_on(&gateway, &pid, &["select 1"]);
}

#[test]
fn a_target_may_have_none_kept() {
    let gateway = start("database: payments\npool: off\n");
    for _ in 0..3 {
        let (pid, _) = session(&gateway, &["select 1"]);
        wait_for("the connection's end", || (!serves(&gateway, &pid)).then_some(()));
    }
}

#[test]
fn a_kept_connection_that_dies_is_not_noticed() {
    let gateway = start(POOLED);
    // Of every core some are kept.
    let pids: Vec<String> = (0..12).map(|_| session(&gateway, &["select 1"]).0).collect();
    assert!(pids.iter().any(|pid| serves(&gateway, pid)));
    gateway.direct(&["select count(*) from pg_stat_activity where usename = 'settlement_rw'"]);
    let killed = gateway.direct(&[
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'settlement_rw' \
         and pid <> pg_backend_pid()",
    ]);
    assert_ne!(killed.trim(), "0");
    for _ in 0..12 {
        let (pid, said) = session(&gateway, &["select 'all is well'"]);
        assert_eq!(said.trim(), "all is well");
        assert!(!pids.contains(&pid));
    }
    // The same where the whole target has gone away and come back, with connections kept.
    gateway.target("stop");
    gateway.target("start");
    assert_eq!(session(&gateway, &["select 'all is well'"]).1.trim(), "all is well");
}

#[test]
fn new_policy_and_new_passwords_end_what_is_kept() {
    let gateway = start(POOLED);
    let (pid, _) = session(&gateway, &["select 1"]);
    session_on(&gateway, &pid, &[]);
    let policy = gateway.policy().replace("sessions: 200", "sessions: 199");
    assert!(gateway.apply(&policy).status.success());
    wait_for("the connection's end", || (!serves(&gateway, &pid)).then_some(()));
    let (pid, _) = session(&gateway, &["select 1"]);
    session_on(&gateway, &pid, &[]);
    let password = gateway.dir().join("target/payments.password");
    gateway.direct(&["alter role settlement_rw password 'another'"]);
    std::fs::write(&password, "another\n").unwrap();
    wait_for("the connection's end", || {
        let said = gateway.job(&["select 1"]);
        (!gateway_serves(&gateway, &pid) && said.trim() == "1").then_some(())
    });
}

/// As [`serves`], by the superuser's socket: the password that `direct` knows is not good any more.
fn gateway_serves(gateway: &Gateway, pid: &str) -> bool {
    let socket = gateway.dir().join("postgres").canonicalize().unwrap();
    let look = format!("select count(*) from pg_stat_activity where pid = {pid}");
    let done = Command::new("psql")
        .args(["-X", "-A", "-t", "-U", "postgres", "-d", "postgres", "-h"])
        .arg(socket)
        .args(["-p", &gateway.target_port().to_string(), "-c", &look])
        .output()
        .unwrap();
    text(&done).trim() == "1"
}

#[test]
fn both_logs_name_the_session_and_its_process() {
    let gateway = start(POOLED);
    gateway.direct(&["select 1"]);
    let conf = gateway.dir().join("postgres/data/postgresql.conf").canonicalize().unwrap();
    let mut settings = std::fs::read_to_string(&conf).unwrap();
    settings.push_str("log_line_prefix = '%p|%a|'\nlog_statement = all\n");
    std::fs::write(&conf, settings).unwrap();
    gateway.target("stop");
    gateway.target("start");
    let (pid, _) = session(&gateway, &["select 'statement one'"]);
    session_on(&gateway, &pid, &["select 'statement two'"]);
    let sessions: Vec<serde_json::Value> = wait_for("both sessions' records", || {
        let all = gateway.json(&["sessions", "list"]);
        let ids = all.as_array()?.iter().filter_map(|session| session["id"].as_str());
        let details = ids.map(|id| gateway.json(&["sessions", "show", id]));
        let own: Vec<_> = details.filter(|detail| detail["process"].as_u64() == pid.parse().ok()).collect();
        (own.len() >= 2).then_some(own)
    });
    let log = std::fs::read_to_string(gateway.dir().join("postgres/log")).unwrap();
    let connections: Vec<&str> = sessions.iter().map(|own| own["connection"].as_str().unwrap()).collect();
    assert!(connections.contains(&"fresh") && connections.contains(&"reused"), "{connections:?}");
    for own in &sessions {
        let id = own["id"].as_str().unwrap();
        let named = format!("{pid}|pangate/{id}/ci-job|");
        assert!(log.contains(&named), "{named}");
        let comment = format!("/* pangate session={id} subject=ci-job */ SET application_name");
        assert!(log.contains(&comment), "{comment}");
    }
    assert!(log.contains("DISCARD ALL"));
}
