//! A hostile client of the PostgreSQL engine: any bytes, in any pieces, before and after the login.

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
    let mut rig = if kind & 1 == 0 { Rig::at_the_door() } else { Rig::open() };
    rig.feed(Side::Client, bytes, seed);
    // A target that answers whatever was forwarded as well as it can.
    rig.answer();
    rig.feed(Side::Client, bytes, seed.rotate_left(3));
    rig.end(Side::Client);
});
