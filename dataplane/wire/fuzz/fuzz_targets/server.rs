//! A hostile target of the PostgreSQL engine: any bytes, in any pieces, before and after the session is open. What it
//! sends as a well-formed row with a card number in it reaches the client masked.

#![no_main]

#[path = "../postgres.rs"]
mod postgres;
#[path = "../rig.rs"]
mod rig;

use libfuzzer_sys::fuzz_target;
use rig::Rig;
use wire::Side;

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, seed], bytes)) = data.split_first_chunk::<2>() else { return };
    let mut rig = if kind & 1 == 0 { Rig::admitted() } else { Rig::open() };
    if kind & 1 == 1 {
        rig.commands(kind >> 1);
    }
    if kind & 2 != 0 {
        let pan_row = postgres::row(&bytes[..bytes.len().min(usize::from(seed))]);
        rig.describe();
        rig.feed(Side::Server, &pan_row, seed);
        // Of what comes behind it, any digits may be part of a longer run, which is no card's number.
        rig.check_no_card();
    }
    rig.feed(Side::Server, bytes, seed);
    rig.end(Side::Server);
});
