//! A hostile peer at the MySQL engine's login: a client before and inside TLS, a target at each stage of its greeting.
//! Whatever they say, nothing panics or is kept without bound, and the target's password never goes out in the clear.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::mysql::{Config, Session};
use wire::{Admission, CancelKey, Engine, Handshake, Now, Outbox, Ruling, Secret, ServerTls, Side, Step};

const PASSWORD: &[u8] = b"correct horse battery staple";
const NAMES: [&str; 6] = [
    "caching_sha2_password",
    "mysql_native_password",
    "sha256_password",
    "mysql_clear_password",
    "client_ed25519",
    "parsec",
];

struct Rig {
    session: Session,
    inbound: [Vec<u8>; 2],
    sent: [Vec<u8>; 2],
    closed: bool,
    admitted: bool,
}

fn place(side: Side) -> usize {
    usize::from(side == Side::Server)
}

fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_le_bytes();
    [&length[..3], &[sequence], payload].concat()
}

/// The flags of a client and a target as they mostly are: with plugins, databases, attributes, lengths, new EOFs.
const FLAGS: u32 = 0x01bf_a20f;

fn response(flags: u32) -> Vec<u8> {
    let rest = b"job\0\x06token\0db\0mysql_clear_password\0\0";
    [&flags.to_le_bytes()[..], &[0, 0, 0, 1, 45], &[0; 23], rest].concat()
}

fn greeting(plugin: &str) -> Vec<u8> {
    let flags = FLAGS.to_le_bytes();
    let fixed =
        [b"\x0a8\0\x01\0\0\0abcdefgh\0", &flags[..2], b"\x2d\x02\0", &flags[2..], b"\x15", &[0; 10]].concat();
    [&fixed, b"ijklmnopqrst\0".as_slice(), plugin.as_bytes(), b"\0"].concat()
}

impl Rig {
    fn new(tls: bool) -> Self {
        let config = Config { tls_offered: tls, tls_required: tls, nonce: [7; 20], ..Config::default() };
        let mut rig = Self {
            session: Session::new(config),
            inbound: Default::default(),
            sent: Default::default(),
            closed: false,
            admitted: false,
        };
        let mut out = Outbox::default();
        rig.session.accepted(&mut out, Now(0));
        rig.flush(&mut out);
        rig
    }

    fn flush(&mut self, out: &mut Outbox) {
        for side in [Side::Client, Side::Server] {
            self.sent[place(side)].append(out.to(side));
        }
        out.events.clear();
    }

    /// Bytes in pieces whose lengths come from `seed`.
    fn feed(&mut self, side: Side, mut bytes: &[u8], seed: u8) {
        let mut size = usize::from(seed) + 1;
        while !bytes.is_empty() && !self.closed {
            let (piece, rest) = bytes.split_at(size.min(bytes.len()));
            bytes = rest;
            size = if seed == 255 { size } else { size * 7 % 61 + 1 };
            self.inbound[place(side)].extend_from_slice(piece);
            self.drive(side);
            let kept = self.inbound[place(side)].len();
            assert!(kept <= 64 * 1024, "{kept} bytes are kept");
        }
    }

    fn drive(&mut self, side: Side) {
        let mut idle = 0;
        while !self.closed && !self.inbound[place(side)].is_empty() {
            let mut out = Outbox::default();
            let step = self.session.step(side, &mut self.inbound[place(side)], &mut out, Now(0));
            self.flush(&mut out);
            idle = if matches!(step, Ok(Step::Consumed(0))) { idle + 1 } else { 0 };
            assert!(idle < 100, "no progress");
            match step {
                Ok(Step::Consumed(length)) => drop(self.inbound[place(side)].drain(..length)),
                Ok(Step::Secure { side: secured, consumed }) => {
                    self.inbound[place(side)].drain(..consumed);
                    self.inbound[place(secured)].clear();
                    let mut out = Outbox::default();
                    self.closed =
                        self.session.secured(secured, &Handshake::default(), &mut out, Now(0)).is_err();
                    self.flush(&mut out);
                }
                Ok(Step::Ask) if side == Side::Client && !self.admitted => self.admit(),
                Ok(Step::Need(_)) => return,
                // The login is over.
                _ => self.closed = true,
            }
        }
    }

    fn admit(&mut self) {
        self.admitted = true;
        let bytes = &mut self.inbound[0];
        assert!(self.session.question(bytes).is_some(), "no question");
        let password = Secret::new(PASSWORD.to_vec());
        let admission = Admission {
            user: "u",
            password: &password,
            database: "d",
            application: "a",
            naming: None,
            tls: ServerTls::Off,
            cancel: CancelKey { process: 1, secret: 2 },
            mask: scan::Format::Last4,
            scanner: scan::Scanner::new(),
        };
        let mut out = Outbox::default();
        match self.session.rule(Ruling::Admit(admission), bytes, &mut out, Now(0)) {
            Ok(Step::Consumed(length)) => drop(bytes.drain(..length)),
            _ => self.closed = true,
        }
        self.closed |= self.session.connected(&mut out, Now(0)).is_err();
        self.flush(&mut out);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, seed], bytes)) = data.split_first_chunk::<2>() else { return };
    let (side, stage) = (if kind & 1 == 0 { Side::Client } else { Side::Server }, kind >> 1);
    let mut rig = Rig::new(side == Side::Client && stage & 1 != 0);
    match side {
        Side::Client if stage & 1 != 0 => {
            rig.feed(Side::Client, &packet(1, &response(FLAGS | 1 << 11)[..32]), 255);
            assert!(!rig.closed);
            if stage & 2 != 0 {
                let other = [&response(FLAGS)[..36], b"\x01xdb\0caching_sha2_password\0\0"].concat();
                rig.feed(Side::Client, &packet(2, &other), 255);
            }
        }
        Side::Client => {}
        Side::Server => {
            rig.feed(Side::Client, &packet(1, &response(FLAGS)), 255);
            assert!(!rig.closed);
            if stage & 7 != 0 {
                rig.feed(Side::Server, &packet(0, &greeting(NAMES[usize::from(stage & 7) % 3])), 255);
                assert!(!rig.closed);
            }
            if stage & 7 == 6 {
                rig.feed(
                    Side::Server,
                    &packet(
                        2,
                        &[b"\xfe", NAMES[4 + usize::from(stage >> 3 & 1)].as_bytes(), b"\0", &[9; 32]]
                            .concat(),
                    ),
                    255,
                );
                assert!(!rig.closed);
            }
            if stage & 7 == 7 {
                rig.feed(Side::Server, &packet(2, &[0; 7]), 255);
                assert!(!rig.closed);
            }
        }
    }
    rig.feed(side, bytes, seed);
    if !rig.closed {
        let mut out = Outbox::default();
        let _ = rig.session.ended(side, &mut out, Now(0));
        rig.flush(&mut out);
    }
    let sent = &rig.sent[place(Side::Server)];
    assert!(
        !sent.windows(PASSWORD.len()).any(|bytes| bytes == PASSWORD),
        "the password went out in the clear"
    );
});
