//! A CI job's own psql, pgbench and tokio-postgres through the whole of pangate to a real PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod gateway;

use std::process::Command;

use gateway::{Gateway, text, wait_for};

const PANS: [&str; 5] =
    ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "2223003122003222"];

fn assert_no_pan(what: &str, text: &str) {
    for pan in PANS {
        assert!(!text.contains(pan), "{what} holds a card number");
    }
}

#[test]
fn rows_come_back_masked() {
    let gateway = Gateway::start();
    let said = gateway
        .job(&["select pan, pan_number from cards order by id", "select note from settlements where id = 2"]);
    assert_no_pan("a result", &said);
    assert!(said.contains("************1111|"), "{said}");
    assert!(said.contains("**** **** **** 1111"), "{said}");
    assert_eq!(said.lines().count(), 6, "{said}");
    // What is no card number is untouched.
    assert_eq!(gateway.job(&["select sum(amount), count(*) from settlements"]).trim(), "428.75|4");
}

#[test]
fn pgbench_runs_in_every_mode() {
    let gateway = Gateway::start();
    for mode in ["simple", "extended", "prepared"] {
        let done = Command::new("pgbench")
            .args(["-n", "-S", "-M", mode, "-c", "4", "-t", "200"])
            .envs([("PGHOST", "localhost"), ("PGUSER", "ci-job"), ("PGSSLMODE", "verify-full")])
            .env("PGDATABASE", gateway.get("PANGATE_POSTGRES_TARGET"))
            .env("PGPORT", gateway.port().to_string())
            .env("PGSSLROOTCERT", gateway.get("PANGATE_CA"))
            .env("PGPASSWORD", gateway.job_token())
            .output()
            .unwrap();
        assert!(text(&done).contains("actually processed: 800/800"), "{mode}: {}", text(&done));
    }
}

#[test]
fn a_held_update_waits_is_approved_and_runs() {
    let gateway = Gateway::start();
    let job = gateway
        .psql(&["update cards set holder = 'Renamed' where id = 1", "select holder from cards where id = 1"])
        .spawn()
        .unwrap();
    let ticket = gateway.pending_ticket();
    assert_eq!(gateway.direct(&["select holder from cards where id = 1"]).trim(), "Ada Example");
    let approved = gateway.pangate(1, &["approvals", "approve", &ticket, "--reason", "case 42"]);
    assert!(approved.status.success(), "{}", text(&approved));
    let done = text(&job.wait_with_output().unwrap());
    assert!(done.contains("Renamed"), "{done}");
    assert!(done.contains(&ticket), "the notice names the ticket: {done}");
}

#[test]
fn a_rejected_update_is_refused_and_the_session_goes_on() {
    let gateway = Gateway::start();
    let job =
        gateway.psql(&["update cards set holder = 'x' where id = 1", "select 'still here'"]).spawn().unwrap();
    let ticket = gateway.pending_ticket();
    assert!(gateway.pangate(2, &["approvals", "reject", &ticket, "--reason", "no case"]).status.success());
    let done = text(&job.wait_with_output().unwrap());
    assert!(done.contains("rejected: ticket"), "{done}");
    assert!(done.contains("still here"), "{done}");
    assert_eq!(gateway.direct(&["select holder from cards where id = 1"]).trim(), "Ada Example");
}

#[test]
fn a_denied_statement_fails_its_transaction_like_any_other_error() {
    let gateway = Gateway::start();
    let said = gateway.job(&[
        "begin",
        "update settlements set settled = true where id = 1",
        "drop table cards",
        "commit",
        "select settled from settlements where id = 1",
    ]);
    assert!(said.contains("denied by rule settlement/no-ddl"), "{said}");
    assert!(said.lines().any(|line| line == "f"), "the transaction was rolled back: {said}");
}

#[test]
fn bad_logins_are_refused_and_say_which_check_failed() {
    let gateway = Gateway::start();
    let refused = |password: &str, conninfo: &str| {
        text(&gateway.psql_as(password, conninfo, &["select 1"]).output().unwrap())
    };
    let conninfo = gateway.conninfo();
    let token = gateway.job_token();
    let said = refused(&token, &conninfo.replace("verify-full", "disable"));
    assert!(said.contains("TLS"), "{said}");
    let said = refused("not a token", &conninfo);
    assert!(said.contains("FATAL"), "{said}");
    let said = refused(&token, &conninfo.replace("dbname=payments", "dbname=elsewhere"));
    assert!(said.contains("no target"), "{said}");
    let mut tampered = token.clone();
    let last = tampered.pop().unwrap();
    tampered.push(if last == 'A' { 'B' } else { 'A' });
    let said = refused(&tampered, &conninfo);
    assert!(said.contains("FATAL") && !said.contains(&tampered[..20]), "{said}");
    let stranger = gateway.token(&["--subject", "x", "--group", "strangers"]);
    let said = refused(&stranger, &conninfo);
    assert!(said.contains("no policy"), "{said}");
    assert_eq!(gateway.job(&["select 1"]).trim(), "1");
}

#[test]
fn the_evidence_verifies_and_a_flipped_bit_is_found() {
    let gateway = Gateway::start();
    gateway.job(&["select pan from cards"]);
    gateway.kill("dataplane", "-TERM");
    let verified = gateway.verify();
    assert!(verified.status.success(), "{}", text(&verified));
    let folder = std::path::Path::new(gateway.get("PANGATE_EVIDENCE_DIR"));
    let segment = std::fs::read_dir(folder)
        .unwrap()
        .flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).into_iter().flatten())
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "seg") && path.metadata().unwrap().len() > 0)
        .unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert_eq!(gateway.verify().status.code(), Some(1));
}

#[test]
fn after_kill_9_every_complete_record_verifies_and_work_goes_on() {
    let gateway = Gateway::start();
    gateway.job(&["select pan from cards"]);
    gateway.kill("dataplane", "-KILL");
    gateway.start_again("dataplane");
    let said = wait_for("the gateway letting a job in", || {
        let said = gateway.job(&["select 'back'"]);
        said.contains("back").then_some(said)
    });
    assert!(said.contains("back"));
    gateway.kill("dataplane", "-TERM");
    let verified = gateway.verify();
    assert!(verified.status.success(), "{}", text(&verified));
}

#[test]
fn surrogates_take_the_place_of_numbers_where_the_gateway_has_a_key_for_them() {
    let gateway = Gateway::start();
    let policy = gateway.policy();
    assert!(policy.contains("mask: {pan: last4}"), "{policy}");
    let policy = policy.replace("mask: {pan: last4}", "mask: {pan: surrogate}");
    assert!(gateway.apply(&policy).status.success());
    let read = "select pan, pan_number from cards order by id";
    wait_for("a refusal for want of a key", || {
        text(&gateway.psql(&[read]).output().unwrap()).contains("no key for them").then_some(())
    });

    let key = gateway.dir().join("keys/surrogates.key");
    std::fs::write(&key, "5c".repeat(32)).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let boot = gateway.dir().join("dataplane.yaml");
    let config = std::fs::read_to_string(&boot).unwrap();
    std::fs::write(&boot, format!("{config}surrogateKeyFile: {}\n", key.display())).unwrap();
    gateway.kill("dataplane", "-TERM");
    gateway.start_again("dataplane");

    let rows = wait_for("a session with surrogates", || {
        let output = gateway.psql(&[read]).output().unwrap();
        output.status.success().then(|| text(&output))
    });
    assert_no_pan("rows with surrogates", &rows);
    let numbers: Vec<_> = rows.lines().filter_map(|line| line.split_once('|')).collect();
    assert_eq!(numbers.len(), 5, "{rows}");
    for (as_text, as_number) in &numbers {
        // The same number has the same surrogate, whatever its type.
        assert_eq!(as_text, as_number);
        assert!(as_text.len() >= 15 && as_text.starts_with('1'), "{rows}");
    }
    let note = gateway.job(&["select note from settlements where id = 2"]);
    let digits: String = note.chars().filter(char::is_ascii_digit).collect();
    assert!(digits.contains(numbers[0].0), "{note} has another surrogate than {}", numbers[0].0);
    assert_eq!(gateway.job(&[read]), rows, "another session has the same surrogates");
}
