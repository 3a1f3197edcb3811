//! A hostile target of the MySQL engine: any bytes, in any pieces, before and after the session is open; as they are, and
//! as packets in sequence. What it sends as a well-formed row with a card number in it reaches the client masked.

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
    let (login, old) = (kind & 1 == 0, kind & 2 != 0);
    let mut rig = if login { Rig::admitted(old) } else { Rig::open(old) };
    if !login {
        rig.command(kind >> 4, old);
    }
    if kind & 8 != 0 {
        rig.show_card(&bytes[..bytes.len().min(30_000)], old, seed);
    }
    let bytes = match kind & 4 {
        0 => bytes.to_vec(),
        _ => mysql::framed(bytes, u8::from(!login), false),
    };
    rig.feed(Side::Server, &bytes, seed);
    rig.end(Side::Server);
});
