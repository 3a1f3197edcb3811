//! Everything that the processes wrote is read: logs, evidence (sealed segments opened), mgmt's store, state, replies.
//! No card number, token or password of the session may stand in any of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod gateway;

use std::path::Path;
use std::process::Command;

use gateway::{Gateway, text};

const PAN: &str = "4111111111111111";
const OTHER: &str = "5555555555554444";

/// Statements of a job that does all it can to have card numbers written somewhere.
fn statements() -> Vec<String> {
    vec![
        "select * from cards".into(),
        format!("select * from cards where pan = '{PAN}'"),
        format!("select {PAN}, '{OTHER}'::text"),
        format!("insert into settlements (card_id, amount, note) values (1, 1, '{PAN}')"),
        format!("select '{PAN}'::date"),
        format!("select cast('{PAN}x' as int)"),
        format!("select \"{PAN}\""),
        format!("selekt {PAN}"),
        format!("drop table \"t{PAN}\""),
        format!("set application_name = '{PAN}'"),
        format!("select 1 -- {PAN}"),
        format!("do $$ begin raise notice '{PAN}'; end $$"),
        "alter role settlement_rw password 'hunter2hunter2'".into(),
        "copy cards to stdout".into(),
        "show all".into(),
    ]
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // The target's own files hold its cards; the credential and keys are where they belong.
        if ["postgres", "target", "keys", "pki"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    memchr::memmem::find(bytes, secret.as_bytes()).is_some()
}

#[test]
fn nothing_unmasked_is_written_anywhere() {
    let gateway = Gateway::start();
    let token = gateway.job_token();
    let conninfo = gateway.conninfo();
    let all = statements();
    let lines: Vec<&str> = all.iter().map(String::as_str).collect();
    // Terse: psql otherwise quotes the job's own statement beside an error.
    let said = gateway.psql_as(&token, &conninfo, &lines).args(["-v", "VERBOSITY=terse"]).output().unwrap();
    let said = text(&said);
    assert!(said.contains("1111"), "the job got answers: {said}");
    let held = gateway
        .psql_as(&token, &conninfo, &[&format!("update cards set pan = '{OTHER}' where pan = '{PAN}'")])
        .spawn()
        .unwrap();
    let ticket = gateway.pending_ticket();
    let shown = text(&gateway.pangate(1, &["approvals", "show", &ticket]));
    assert!(
        gateway
            .pangate(1, &["approvals", "reject", &ticket, "--reason", &format!("not {PAN}")])
            .status
            .success()
    );
    let refused = text(&held.wait_with_output().unwrap());
    // A wrong token too: its text must not be echoed.
    let wrong = format!("{token}x");
    let turned_away = text(&gateway.psql_as(&wrong, &conninfo, &["select 1"]).output().unwrap());
    gateway.kill("dataplane", "-TERM");

    let mut secrets = vec![(PAN.to_owned(), "a card number"), (OTHER.to_owned(), "a card number")];
    secrets.push((token.rsplit('.').next().unwrap().to_owned(), "the token's signature"));
    secrets.push((gateway.get("DIRECT_POSTGRES_PASSWORD").to_owned(), "the target's password"));
    secrets.push(("hunter2hunter2".to_owned(), "a password literal"));
    let export = Command::new(gateway.program("pangate"))
        .args(["audit", "export", "--key", gateway.get("PANGATE_EVIDENCE_KEY"), "--sealing-key"])
        .arg(gateway.dir().join("keys/sealing.key"))
        .arg(gateway.get("PANGATE_EVIDENCE_DIR"))
        .output()
        .unwrap();
    assert!(export.status.success(), "{}", text(&export));
    assert!(holds(&export.stdout, "select * from cards"), "the export is the opened evidence");

    let mut paths = Vec::new();
    files(gateway.dir(), &mut paths);
    assert!(paths.iter().any(|path| path.extension().is_some_and(|end| end == "seg")), "{paths:?}");
    let mut texts: Vec<(String, Vec<u8>)> =
        paths.iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect();
    texts.push(("the opened evidence".into(), export.stdout));
    texts.push(("what the job was shown".into(), said.into_bytes()));
    texts.push(("the ticket".into(), shown.into_bytes()));
    texts.push(("the refusal".into(), refused.into_bytes()));
    texts.push(("the refused login".into(), turned_away.into_bytes()));
    for (name, bytes) in &texts {
        // demo.env is where the demo's user reads the target's password.
        for (secret, what) in secrets
            .iter()
            .filter(|(_, what)| !(name.ends_with("demo.env") && *what == "the target's password"))
        {
            let at = memchr::memmem::find(bytes, secret.as_bytes());
            let around = at.map(|at| {
                let from = bytes.get(at.saturating_sub(160)..at).unwrap_or_default();
                String::from_utf8_lossy(from).into_owned()
            });
            assert!(at.is_none(), "{name} holds {what}, behind: {around:?}");
        }
    }
}
