//! The engine between real programs: psql and pgbench on one side, a PostgreSQL on the other.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod server;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use driver::{Asked, Verdict};
use server::{Gateway, Server};
use wire::{CommandKind, Event, Outcome, RefusalKind};

fn allow(_: &Asked) -> Verdict {
    Verdict::Allow
}

fn output(command: &mut Command, input: &str) -> (String, String) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a program");
    let mut stdin = child.stdin.take().expect("standard input");
    stdin.write_all(input.as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("output");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn every_login_that_a_target_may_ask_for() {
    let server = Server::start();
    for (user, password) in [("scram", "schlüssel"), ("md5", "geheim"), ("trust", "")] {
        let gateway = Gateway::start(&server, user, password, allow);
        let query = "select current_user, '4111111111111111', 4111111111111111, 41111111111111110/10.0";
        let (out, err) = output(server.psql(gateway.port).args(["-At", "-c", query]), "");
        let row = format!("{user}|************1111|1000000000001111|1000000000001111.0000\n");
        assert_eq!((out.as_str(), err.as_str()), (row.as_str(), ""));
    }
    for (user, password) in [("scram", "wrong"), ("md5", "wrong"), ("plain", "geheim"), ("nobody there", "")]
    {
        let gateway = Gateway::start(&server, user, password, allow);
        let (out, err) = output(server.psql(gateway.port).args(["-At", "-c", "select 1"]), "");
        assert_eq!(out, "");
        assert!(err.contains("FATAL"), "{err}");
        assert!(!err.contains(&format!("\"{user}\"")) && !err.contains("geheim"), "{err}");
        assert!(gateway.seen.recv().expect("a session").error.is_some());
    }
}

fn deny_writes(asked: &Asked) -> Verdict {
    match asked {
        Asked::Command { text, .. } if text.contains("delete") => {
            Verdict::Refuse(RefusalKind::Denied, "no (rule x)")
        }
        _ => Verdict::Allow,
    }
}

const WORK: &str = r"
create table cards (id int primary key, pan text, raw bytea, amount numeric);
insert into cards values (1, '4111 1111 1111 1111', '4111111111111111', 4111111111111111), (2, 'none', 'x', 1);
select pan, raw, amount from cards order by id;
copy cards (pan, raw) to stdout;
copy cards from stdin;
3	5555555555554444	\\x35	7
\.
select * from cards where id = 3;
begin;
delete from cards;
select 1;
rollback;
\set VERBOSITY verbose
insert into cards values (1, 'again');
do $$ begin raise notice 'card 4111111111111111'; end $$;
create unique index on cards (pan);
insert into cards values (4, '5555555555554444');
prepare s as select pan from cards where id = $1;
execute s(1);
begin; declare c cursor for select pan from cards order by id; fetch all from c; commit;
listen x; notify x, '4111-1111-1111-1111';
select 1;
copy cards from stdin;
no row
\.
select 2;
";

#[test]
fn a_psql_session_is_masked_and_refused_in_order() {
    let server = Server::start();
    let gateway = Gateway::start(&server, "owner", "", deny_writes);
    let (out, err) = output(server.psql(gateway.port).args(["-qAt"]), WORK);
    let expected = concat!(
        "**** **** **** 1111|\\x2a2a2a2a2a2a2a2a2a2a2a2a31313131|1000000000001111\n",
        "none|\\x78|1\n",
        "**** **** **** 1111\t\\\\x2a2a2a2a2a2a2a2a2a2a2a2a31313131\nnone\t\\\\x78\n",
        "3|************4444|\\x35|7\n",
        "**** **** **** 1111\n",
        "**** **** **** 1111\nnone\n************4444\n",
        "Asynchronous notification \"x\" with payload \"****-****-****-1111\" received from server process with PID ",
    );
    assert!(out.starts_with(expected), "{out}\n{err}");
    assert!(out.ends_with("1\n2\n"), "{out}");
    for part in [
        "ERROR:  no (rule x)",
        "ERROR:  current transaction is aborted",
        "23505: duplicate key value",
        "card ************1111",
        "(pan)=(************4444)",
        "22P02",
    ] {
        assert!(err.contains(part), "{part} is not in {err}");
    }
    assert!(!err.contains("5555555555554444") && !err.contains("41111111"), "{err}");
    let seen = gateway.seen.recv().expect("a session");
    assert_eq!(seen.error, None);
    check_events(&seen);
}

/// Every command asked about has ended once, in order.
fn check_events(seen: &server::Seen) {
    let numbers: Vec<u64> = seen
        .asked
        .iter()
        .filter_map(|asked| match asked {
            Asked::Command { number, .. } => Some(*number),
            _ => None,
        })
        .collect();
    let finished: Vec<u64> = seen
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Finished { number, .. } => Some(*number),
            _ => None,
        })
        .collect();
    assert_eq!(finished, numbers);
    let refused =
        seen.events.iter().filter(|event| matches!(event, Event::Finished { outcome: Outcome::Refused, .. }));
    assert_eq!(refused.count(), 1);
    assert!(seen.events.contains(&Event::Opened));
}

#[test]
fn pgbench_runs_in_every_mode() {
    let server = Server::start();
    let gateway = Gateway::start(&server, "owner", "", allow);
    let address = ["-h", "127.0.0.1", "-U", "job", "-p", &gateway.port.to_string(), "work"];
    let (_, err) = output(server.program("pgbench").args(["-q", "-i", "-s", "1"]).args(address), "");
    assert!(err.contains("done in"), "{err}");
    for mode in ["simple", "extended", "prepared"] {
        let args = ["-n", "-c", "2", "-t", "20", "-M", mode];
        let (out, err) = output(server.program("pgbench").args(args).args(address), "");
        assert!(out.contains("number of transactions actually processed: 40/40"), "{mode}: {out}{err}");
    }
    let (mut prepared, mut executed) = (0, 0);
    // A session is told of when its thread is done, which may be after its client.
    while executed < 2 * 40 * 7 {
        let seen = gateway.seen.recv_timeout(Duration::from_secs(10)).expect("more sessions");
        assert_eq!(seen.error, None);
        let count = |wanted| {
            let is_wanted = |asked: &&Asked| matches!(asked, Asked::Command { kind, .. } if *kind == wanted);
            seen.asked.iter().filter(is_wanted).count()
        };
        prepared += count(CommandKind::Prepare);
        executed += count(CommandKind::Execute);
    }
    assert!(prepared >= 40 * 7);
}
