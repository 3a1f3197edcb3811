//! Values of hundreds of megabytes through the whole of pangate: masked to their last byte, in bounded memory.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod gateway;

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use gateway::{Gateway, wait_for};
use memchr::memmem;

/// What all of these may add to the most memory that the gateway ever had, in KiB: 16 MiB, and the receive buffers of the
/// two shards that had not been touched before (512 of 64 KiB each, and of 32 KiB before them).
const GROWTH_KIB_MAX: u64 = 16 * 1024 + 2 * 512 * (64 + 32);

fn peak(gateway: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid("dataplane"))).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What a job is given: how many bytes, how many of `masked`, and whether any of `whole`.
fn received(client: &mut Command, masked: &[u8], whole: &[u8]) -> (usize, usize, bool) {
    read_to_end(client.stderr(Stdio::inherit()).spawn().unwrap(), masked, whole)
}

fn read_to_end(mut client: Child, masked: &[u8], whole: &[u8]) -> (usize, usize, bool) {
    let mut out = client.stdout.take().unwrap();
    let (mut bytes, mut found, mut leaked) = (0, 0, false);
    let mut kept = Vec::new();
    let mut piece = vec![0; 1 << 20];
    loop {
        let count = out.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        bytes += count;
        kept.extend_from_slice(&piece[..count]);
        leaked |= memmem::find(&kept, whole).is_some();
        found += memmem::find_iter(&kept, masked).count();
        // What may be the start of another stays.
        let keep = kept.len().min(masked.len().max(whole.len()) - 1);
        let tail = kept.split_off(kept.len() - keep);
        found -= memmem::find_iter(&tail, masked).count();
        kept = tail;
    }
    assert!(client.wait().unwrap().success());
    found += memmem::find_iter(&kept, masked).count();
    (bytes, found, leaked)
}

#[test]
fn long_values_pass_in_bounded_memory() {
    let gateway = Gateway::start();
    let pan = b"4111111111111111";
    let masked = b"************1111";
    let text = |count: usize| format!("repeat('lorem 4111111111111111 ', {count})");
    let number = 4_111_111_111_111_111_i64.to_be_bytes();
    let masked_number = 1_000_000_000_001_111_i64.to_be_bytes();
    let hex = |text: &[u8]| text.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    let numbers = "array_fill(4111111111111111, array[1000000])";
    // Every shard has served one after this, most likely.
    for _ in 0..4 {
        received(&mut gateway.psql(&[&format!("select {}", text(1_500_000))]), masked, pan);
    }
    let before = peak(&gateway);
    for (what, statement, count, masked, whole) in [
        ("text", format!("select {}", text(14_000_000)), 14_000_000, masked.to_vec(), pan.to_vec()),
        (
            "copy",
            format!("copy (select {}) to stdout", text(2_000_000)),
            2_000_000,
            masked.to_vec(),
            pan.to_vec(),
        ),
        ("bytea", format!("select {}::bytea", text(1_000_000)), 1_000_000, hex(masked), hex(pan)),
        (
            "a composite",
            format!("copy (select row(1, {}, {numbers})) to stdout (format binary)", text(1_000_000)),
            1_000_000,
            masked.to_vec(),
            pan.to_vec(),
        ),
        (
            "an array",
            format!("copy (select {numbers}) to stdout (format binary)"),
            1_000_000,
            masked_number.to_vec(),
            number.to_vec(),
        ),
        (
            "an array of composites",
            format!(
                "copy (select array_agg(row({numbers}, '4111111111111111')) from generate_series(1, 3)) to stdout (format binary)"
            ),
            3_000_000,
            masked_number.to_vec(),
            number.to_vec(),
        ),
    ] {
        let (bytes, found, leaked) = received(&mut gateway.psql(&[&statement]), &masked, &whole);
        assert!(!leaked, "{what}: a card number");
        assert_eq!(found, count, "{what}: {bytes} bytes");
        let grown = peak(&gateway) - before;
        assert!(grown <= GROWTH_KIB_MAX, "{what}: {grown} KiB more");
    }
}

/// A stock client of MariaDB's that keeps nothing of what it passes on.
fn mariadb(gateway: &Gateway, statement: &str) -> Command {
    let mut client = gateway.mariadb(&[statement]);
    client.args(["--quick", "--raw", "--max-allowed-packet=1G"]);
    client
}

/// Waits until MariaDB gets no further with what it sends the job.
fn is_blocked(gateway: &Gateway) {
    let statement = "select concat(state, ' ', examined_rows) from information_schema.processlist \
                     where user = 'shop_rw' and command = 'Query'";
    let (mut last, mut times) = (String::new(), 0);
    wait_for("MariaDB waiting to send", || {
        let now = gateway.mysql_direct(&[statement]);
        times = if now == last && now.starts_with("Writing to net") { times + 1 } else { 0 };
        last = now;
        (times >= 20).then_some(())
    });
}

#[test]
fn what_mariadb_sends_passes_in_as_much_memory() {
    let gateway = Gateway::with_mysql();
    let (pan, masked) = (b"4111111111111111", b"************1111");
    let text = |count: usize| format!("repeat('lorem 4111111111111111 ', {count})");
    let rows = |count: usize| {
        let numbers = format!(
            "with recursive g(n) as (select 1 union all select n + 1 from g where n < {count}) select {} from g a, g b",
            text(350)
        );
        (numbers, count * count * 350)
    };
    for _ in 0..4 {
        received(&mut mariadb(&gateway, &rows(60).0), masked, pan);
    }
    let before = peak(&gateway);
    let (many, count) = rows(250);
    for (what, statement, count) in [
        ("many rows, half a gigabyte of them", many, count),
        ("a value of 64 MiB", format!("select {}", text(2_900_000)), 2_900_000),
        ("a row of several such", format!("select {0}, 1, {0}", text(2_900_000)), 5_800_000),
    ] {
        let (bytes, found, leaked) = received(&mut mariadb(&gateway, &statement), masked, pan);
        assert!(!leaked, "{what}: a card number");
        assert_eq!(found, count, "{what}: {bytes} bytes");
        let grown = peak(&gateway) - before;
        assert!(grown <= GROWTH_KIB_MAX, "{what}: {grown} KiB more");
    }
    // One that does not read for a while stops the server, not the gateway's memory.
    let (many, count) = rows(150);
    let slow = mariadb(&gateway, &many).stderr(Stdio::inherit()).spawn().unwrap();
    is_blocked(&gateway);
    let grown = peak(&gateway) - before;
    assert!(grown <= GROWTH_KIB_MAX, "a slow reader: {grown} KiB more");
    let (bytes, found, leaked) = read_to_end(slow, masked, pan);
    assert!(!leaked && found == count, "a slow reader: {found} in {bytes} bytes");
    let grown = peak(&gateway) - before;
    assert!(grown <= GROWTH_KIB_MAX, "a slow reader that goes on: {grown} KiB more");
}
