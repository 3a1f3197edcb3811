//! Peers that flood: clients that never read or never finish, guessed cancel keys, a target that talks without end or
//! out of turn. The gateway's memory stays bounded and a session beside them goes on.

use std::io::{ErrorKind, Read as _, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use tokio_postgres::Client;

use crate::clients::{open, run};
use crate::gateway::{Gateway, text, wait_for};
use crate::messages::{message, ready, rest, tcp};
use crate::targets::with_other;

/// What a flood may add to the most memory that the gateway ever had: records, queues, buffers, all of them bounded.
const GROWTH_KIB_MAX: u64 = 96 * 1024;

/// The most memory that the gateway has had, in KiB.
fn peak(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid("dataplane"))).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The session beside the flood runs statements while `flood` does.
async fn beside(what: &str, client: &Client, flood: impl FnOnce() + Send + 'static) {
    let mut flooding = tokio::task::spawn_blocking(flood);
    let mut runs = 0;
    loop {
        client.simple_query("select 1").await.unwrap();
        runs += 1;
        if tokio::time::timeout(Duration::from_millis(1), &mut flooding).await.is_ok_and(|done| {
            done.unwrap();
            true
        }) {
            break;
        }
    }
    assert!(runs > 0, "{what}");
}

/// Writes until the peer takes no more, or closes; how many bytes it took.
fn pour(stream: &mut impl Write, bytes: &[u8], most: usize) -> usize {
    let mut poured = 0;
    while poured < most {
        match stream.write(&bytes[poured % bytes.len()..]) {
            Ok(0) => break,
            Ok(count) => poured += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    poured
}

#[test]
fn clients_that_flood_leave_memory_and_others_alone() {
    let gateway = Gateway::start();
    run(async {
        let undisturbed = open(&gateway).await.client;
        let before = peak(&gateway);
        // A hundred thousand statements prepared and never synced, whose answers nobody reads.
        let mut raw = ready(&gateway);
        raw.sock.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
        beside("unsynced statements", &undisturbed, move || {
            let parse = message(b'P', b"\0select 1\0\0\0");
            pour(&mut raw, &parse.repeat(1000), parse.len() * 100_000);
        })
        .await;
        // Queries whose answers nobody reads.
        let mut raw = ready(&gateway);
        raw.sock.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
        beside("unread answers", &undisturbed, move || {
            let query = message(b'Q', b"select repeat('x', 100000)\0");
            pour(&mut raw, &query.repeat(100), query.len() * 20_000);
        })
        .await;
        // Messages that are begun and never ended, and one that says it has a gigabyte.
        let mut halves: Vec<_> = (0..20).map(|_| ready(&gateway)).collect();
        for half in &mut halves {
            half.write_all(&message(b'Q', &vec![b' '; 100_000])[..90_000]).unwrap();
        }
        let mut raw = ready(&gateway);
        beside("a gigabyte", &undisturbed, move || {
            raw.write_all(&[b'Q', 0x40, 0, 0, 0]).unwrap();
            assert!(String::from_utf8_lossy(&rest(&mut raw)).contains("C54000\0"));
        })
        .await;
        drop(halves);
        // Cancel requests with guessed keys.
        let port = gateway.port();
        beside("guessed cancel keys", &undisturbed, move || {
            for guess in 0..2_000_u32 {
                let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
                let key = [16, 80_877_102, guess % 16, guess.wrapping_mul(0x9e37_79b9)].map(u32::to_be_bytes);
                stream.write_all(&key.concat()).unwrap();
                assert!(rest(&mut stream).is_empty(), "a cancel request has no answer");
            }
        })
        .await;
        undisturbed.simple_query("select count(*) from generate_series(1, 1000000)").await.unwrap();
        let grown = peak(&gateway) - before;
        assert!(grown <= GROWTH_KIB_MAX, "{grown} KiB more");
    });
    drop(tcp(&gateway));
}

/// How a target opens a session, asking for no password.
fn greeting() -> Vec<u8> {
    [
        message(b'R', &[0; 4]),
        message(b'S', b"client_encoding\0UTF8\0"),
        message(b'S', b"standard_conforming_strings\0on\0"),
        message(b'K', &[0, 0, 0, 9, 1, 1, 1, 1]),
        message(b'Z', b"I"),
    ]
    .concat()
}

/// The answer to the statement that names the session.
fn named() -> Vec<u8> {
    [message(b'C', b"SET\0"), message(b'Z', b"I")].concat()
}

/// A target that greets, waits for a statement and then says `words` over and over, at most so many bytes.
fn hostile_target(words: &'static [(&'static str, Vec<u8>, usize)]) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                stream.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let mut got = [0; 4096];
                if stream.read(&mut got).unwrap_or(0) == 0 || stream.write_all(&greeting()).is_err() {
                    return;
                }
                let (mut asked, mut is_named) = (String::new(), false);
                while !asked.contains("select") {
                    let count = stream.read(&mut got).unwrap_or(0);
                    if count == 0 {
                        return;
                    }
                    asked.push_str(&String::from_utf8_lossy(&got[..count]));
                    // The gateway names its session first.
                    if !is_named && asked.contains("SET application_name") {
                        is_named = stream.write_all(&named()).is_ok();
                    }
                }
                if let Some((_, words, most)) = words.iter().find(|(name, ..)| asked.contains(name)) {
                    pour(&mut stream, words, *most);
                }
                let _ = stream.read(&mut got);
            });
        }
    });
    port
}

#[test]
fn targets_that_flood_or_talk_out_of_turn_leave_memory_and_others_alone() {
    const FLOOD: usize = 64 << 20;
    let notice = message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mx\0\0");
    let column = [b"c\0".as_slice(), &[0; 6], &[0, 0, 0, 25], &[0xff; 6], &[0, 0]].concat();
    let described = message(b'T', &[&[0, 1], column.as_slice()].concat());
    let row = message(b'D', &[&[0, 1, 0, 0, 0, 16], b"4111111111111111".as_slice()].concat());
    let (complete, done) = (message(b'C', b"SELECT 1\0"), message(b'Z', b"I"));
    let words: Vec<(&'static str, Vec<u8>, usize)> = vec![
        ("101", notice.repeat(1000), FLOOD),
        ("102", message(b'S', b"TimeZone\0UTC\0").repeat(1000), FLOOD),
        ("103", message(b'A', &[0, 0, 0, 9, b'c', 0, b'x', 0]).repeat(1000), FLOOD),
        ("104", [described.clone(), row.repeat(1000)].concat(), FLOOD),
        ("105", [b"T\x7f\xff\xff\xff".as_slice(), &[0; 100_000]].concat(), FLOOD),
        ("106", [b"D\x7f\xff\xff\xff".as_slice(), &[0; 100_000]].concat(), FLOOD),
        ("107", row.clone(), row.len()),
        ("108", [described, row.clone(), complete, row].concat(), 4096),
        ("109", done.repeat(2), done.len() * 2),
        ("110", message(b'R', &[0, 0, 0, 3]), 9),
        ("111", b"D\0\0\0\x03".to_vec(), 5),
        ("112", message(b'W', &[0, 0, 0]), 8),
    ];
    let names: Vec<&'static str> = words.iter().map(|(name, ..)| *name).collect();
    let port = hostile_target(words.leak());
    let gateway = Gateway::start();
    let password = gateway.dir().join("target/payments.password").display().to_string();
    let policy = with_other(&gateway, &format!("127.0.0.1:{port}"), "{mode: plaintext}", &password);
    let applied = gateway.apply(&policy);
    assert!(applied.status.success(), "{}", text(&applied));
    let conninfo = gateway.conninfo().replace("dbname=payments", "dbname=other");
    let other = |name: &str| {
        let mut psql = gateway.psql_as(&gateway.job_token(), &conninfo, &[&format!("select {name}")]);
        psql.env("PGOPTIONS", "");
        psql
    };
    wait_for("the new target", || {
        text(&other("109").output().unwrap()).contains("ready before").then_some(())
    });
    run(async {
        let undisturbed = open(&gateway).await.client;
        let before = peak(&gateway);
        for name in names {
            let mut psql = other(name);
            psql.stdout(std::process::Stdio::null());
            beside(name, &undisturbed, move || {
                let told = text(&psql.output().unwrap());
                assert!(!told.contains("4111111111111111"), "{name}: {told}");
            })
            .await;
        }
        let grown = peak(&gateway) - before;
        assert!(grown <= GROWTH_KIB_MAX, "{grown} KiB more");
    });
}
