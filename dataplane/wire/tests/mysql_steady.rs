//! In the steady state no command and no row costs an allocation.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod driver;
mod handshake;
mod raw;
mod talk;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use talk::*;
use wire::mysql::Session;
use wire::{Engine, Labels, Now, Origins, Outbox, Ruling, Side, Step, Watch};

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
            assert!(engine.question(rest).is_some());
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

fn check(
    terms: Terms,
    prelude: &[(&[u8], &[u8])],
    asked: &[u8],
    answer: &[u8],
    labels: Option<&Arc<Origins>>,
) {
    let mut driver = open(terms, allow);
    for (asked, answered) in prelude {
        driver.feed(Side::Client, asked);
        driver.feed(Side::Server, answered);
        assert_eq!(driver.error, None);
    }
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
fn queries_allocate_nothing() {
    for terms in [MODERN, OLD, ATTRIBUTES, MARIADB] {
        let mut column = computed(LONG);
        if terms.version.contains("MariaDB") {
            column.insert(column.len() - 13, 0);
        }
        let asked = match terms.version {
            "8.4.3" => command(3, b"\0\x01SELECT c FROM sbtest1 WHERE id = 77"),
            _ => query("SELECT c FROM sbtest1 WHERE id = 77"),
        };
        let rows = answer(&result(terms, &[column], &[row(&[Some(b"-12345")])], AUTOCOMMIT));
        check(terms, &[], &asked, &rows, None);
    }
}

#[test]
fn prepared_statements_allocate_nothing() {
    for terms in [MODERN, OLD] {
        let prelude = prepare("SELECT c FROM sbtest1 WHERE id = ?");
        let prepared = answer(&prepared(terms, 1, &[computed(LONG)]));
        let asked = command(0x17, &raw::execution(7, 0, &[(LONG, Some(vec![7, 0, 0, 0]))], true));
        let line = binary_row(&[Some(&[7, 0, 0, 0])]);
        let rows = answer(&result(terms, &[computed(LONG)], &[line], AUTOCOMMIT));
        check(terms, &[(&prelude, &prepared)], &asked, &rows, None);
        check(terms, &[(&prelude, &prepared)], &asked, &answer(&[ok(1, AUTOCOMMIT)]), None);
    }
}

#[test]
fn rows_of_a_cursor_allocate_nothing() {
    let opened = [vec![1], computed(LONGLONG), end(MODERN, AUTOCOMMIT | CURSOR)];
    let prelude: [(&[u8], &[u8]); 2] = [
        (&prepare("SELECT c FROM sbtest1"), &answer(&prepared(MODERN, 0, &[]))),
        (&command(0x17, &raw::execution(7, 1, &[], true)), &answer(&opened)),
    ];
    let rows = answer(&[binary_row(&[Some(&[7; 8])]), end(MODERN, AUTOCOMMIT | CURSOR)]);
    check(MODERN, &prelude, &command(0x1c, &[7, 0, 0, 0, 1, 0, 0, 0]), &rows, None);
}

#[test]
fn masked_rows_allocate_nothing() {
    let line = row(&[Some(b"4111111111111111"), Some(b"4111111111111111"), Some(b"4.111111111111111e15")]);
    let columns = [computed(TEXT), computed(LONGLONG), computed(DOUBLE)];
    let rows = answer(&result(MODERN, &columns, &vec![line; 50], AUTOCOMMIT));
    check(MODERN, &[], &query("select"), &rows, None);
}

#[test]
fn labelled_rows_allocate_nothing() {
    let origins = origins();
    let columns = [("id", LONG), ("pan", TEXT), ("cvv", TEXT)];
    let columns = columns.map(|(name, kind)| column(["work", "cards"], name, kind, 45, 0));
    let line = row(&[Some(b"17"), Some(b"4111111111111111"), Some(b"123")]);
    let rows = answer(&result(MODERN, &columns, &vec![line; 50], AUTOCOMMIT));
    check(MODERN, &[], &query("select"), &rows, Some(&origins));
}
