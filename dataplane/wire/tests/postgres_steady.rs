//! In the steady state no message and no row costs an allocation.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod postgres;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use postgres::*;
use wire::postgres::{Config, Session};
use wire::{
    Engine, LabelledColumn, Labels, Now, Origins, Outbox, Relation, RelationKind, Ruling, Side, Step, Watch,
};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[expect(unsafe_code, reason = "a global allocator cannot be had without")]
// SAFETY: hands every call on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Steps `side` to the end of `bytes`, allowing everything, at a target with labels if there are some.
fn run(engine: &mut Session, side: Side, bytes: &mut [u8], out: &mut Outbox, labels: Option<&Arc<Origins>>) {
    let mut at = 0;
    while at < bytes.len() {
        let rest = &mut bytes[at..];
        let mut step = engine.step(side, rest, out, Now(0)).unwrap();
        if matches!(step, Step::Ask) {
            let watch = Watch { labels: true, computed: true, ..Watch::default() };
            let ruling = match labels {
                Some(origins) => Ruling::AllowLabelled(Labels { origins, watch, generation: 1 }),
                None => Ruling::Allow,
            };
            step = engine.rule(ruling, rest, out, Now(0)).unwrap();
        }
        at += match step {
            Step::ToClient(cleared) => cleared.len(),
            Step::ToServer(permitted) => permitted.len(),
            Step::Consumed(length) => length,
            other => panic!("{other:?}"),
        };
        out.events.clear();
        out.server.clear();
    }
}

fn check(prelude: (&[u8], &[u8]), asked: &[u8], answer: &[u8]) {
    check_with(prelude, asked, answer, None);
}

fn check_with(prelude: (&[u8], &[u8]), asked: &[u8], answer: &[u8], labels: Option<&Arc<Origins>>) {
    let mut driver = open_with(Config::default(), allow);
    driver.feed(Side::Client, prelude.0);
    driver.feed(Side::Server, prelude.1);
    let mut out = Outbox::default();
    let mut transact = |times: u32| {
        for _ in 0..times {
            run(&mut driver.engine, Side::Client, &mut asked.to_vec(), &mut out, labels);
            run(&mut driver.engine, Side::Server, &mut answer.to_vec(), &mut out, labels);
        }
    };
    transact(100);
    let before = ALLOCATIONS.with(Cell::get);
    transact(100);
    // The copies of the conversation above.
    assert_eq!(ALLOCATIONS.with(Cell::get) - before, 200);
}

#[test]
fn simple_queries_allocate_nothing() {
    let answer =
        [description(&[(23, 0)]), row(&[Some(b"-12345")]), complete("SELECT 1"), ready(b'I')].concat();
    check((b"", b""), &query("SELECT abalance FROM pgbench_accounts WHERE aid = 77;"), &answer);
}

#[test]
fn prepared_statements_allocate_nothing() {
    let prelude = [parse("s", "select $1"), sync()].concat();
    let prepared = [message(b'1', b""), ready(b'I')].concat();
    let batch = [bind_with("", "s", &[b"77"], &[0]), describe(b'P', ""), execute(""), sync()].concat();
    let rows = [description(&[(23, 0)]), row(&[Some(b"-12345")]), complete("SELECT 1"), ready(b'I')];
    check((&prelude, &prepared), &batch, &[message(b'2', b""), rows.concat()].concat());
}

#[test]
fn the_unnamed_statement_allocates_nothing() {
    let batch =
        [parse("", "select $1"), bind_with("", "", &[b"7"], &[1]), describe(b'P', ""), execute(""), sync()];
    let bound = [message(b'1', b""), message(b'2', b""), description(&[(20, 1)])].concat();
    let rows = [row(&[Some(&[0; 8])]), complete("SELECT 1"), ready(b'I')].concat();
    check((b"", b""), &batch.concat(), &[bound, rows].concat());
}

#[test]
fn masked_rows_allocate_nothing() {
    let line =
        row(&[Some(b"4111111111111111"), Some(&4_111_111_111_111_111_i64.to_be_bytes()), Some(b"\\x343131")]);
    let head = description(&[(25, 0), (20, 1), (17, 0)]);
    let answer = [head, line.repeat(50), complete("SELECT 50"), ready(b'I')].concat();
    check((b"", b""), &query("select"), &answer);
}

#[test]
fn labelled_rows_allocate_nothing() {
    let relation = Relation { oid: 100, kind: RelationKind::Table, attributes: 3 };
    let column = LabelledColumn { table: 100, attribute: 2, card: true };
    let origins = Arc::new(Origins::new(vec![relation], vec![column]));
    let columns = [(100, 1, 25, 0), (100, 2, 25, 0), (0, 0, 114, 0)];
    let line = row(&[Some(b"name"), Some(b"4111111111111111"), Some(b"{}")]);
    let rows = [description_of(&columns), line.repeat(50), complete("SELECT 50"), ready(b'I')].concat();
    check_with((b"", b""), &query("select"), &rows, Some(&origins));
    let batch = [parse("", "select $1"), bind_with("", "", &[b"7"], &[0]), execute(""), sync()].concat();
    let answer = [message(b'1', b""), message(b'2', b""), rows].concat();
    check_with((b"", b""), &batch, &answer, Some(&origins));
}
