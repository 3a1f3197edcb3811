//! Link messages, both directions: any bytes in any pieces are messages or an error, and what decodes encodes again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policies::link::{Decoder, LinkError, Message, ToDataplane, ToMgmt, encode};

fn run<M: Message + PartialEq + std::fmt::Debug>(bytes: &[u8], piece: usize) {
    let mut decoder = Decoder::<M>::new();
    for chunk in bytes.chunks(piece) {
        decoder.push(chunk);
        loop {
            match decoder.next() {
                Ok(Some(message)) => {
                    let mut again = Decoder::<M>::new();
                    again.push(&encode(&message).expect("what decodes encodes"));
                    assert_eq!(again.next().expect("what encodes decodes"), Some(message));
                }
                Ok(None) => break,
                Err(_) => {
                    assert_eq!(decoder.next(), Err(LinkError::Poisoned));
                    return;
                }
            }
        }
    }
}

// First byte: which direction, and the size of the pieces. Second: whether a frame is put around the rest.
fuzz_target!(|bytes: &[u8]| {
    let [first, second, rest @ ..] = bytes else { return };
    let framed: Vec<u8> = if second & 1 == 1 {
        let length = u32::try_from(rest.len() + 1).expect("short").to_be_bytes();
        [&length[..], &[policies::link::VERSION], rest].concat()
    } else {
        rest.to_vec()
    };
    let piece = usize::from(first >> 1) + 1;
    if first & 1 == 1 { run::<ToMgmt>(&framed, piece) } else { run::<ToDataplane>(&framed, piece) }
});
