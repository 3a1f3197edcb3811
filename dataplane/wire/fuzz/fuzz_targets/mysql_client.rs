//! A hostile client of the MySQL engine: any bytes, in any pieces, before and after the login; as they are, and as packets
//! in sequence.

#![no_main]

#[path = "../mysql.rs"]
mod mysql;
#[path = "../rig.rs"]
mod rig;

use libfuzzer_sys::fuzz_target;
use rig::Rig;
use wire::Side;

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, seed], bytes)) = data.split_first_chunk::<2>() else { return };
    let door = kind & 1 == 0;
    let mut rig = if door { Rig::at_the_door() } else { Rig::open(kind & 2 != 0) };
    let bytes = match kind & 4 {
        0 => bytes.to_vec(),
        _ => mysql::framed(bytes, u8::from(door), !door),
    };
    if kind & 8 != 0 && !door {
        rig.command(1, kind & 2 != 0);
        rig.answer();
    }
    rig.feed(Side::Client, &bytes, seed);
    // A target that answers whatever was forwarded as well as it can.
    rig.answer();
    rig.feed(Side::Client, &bytes, seed.rotate_left(3));
    rig.end(Side::Client);
});
