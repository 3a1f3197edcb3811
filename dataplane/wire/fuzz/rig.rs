//! An engine and a driver for it, as plain as a driver can be, with the bounds that every run must keep.
#![allow(dead_code, reason = "each target uses its part")]

use wire::postgres::{Config, Session};
use wire::{
    Admission, CancelKey, Engine, Now, Outbox, Question, Refusal, RefusalKind, Ruling, Secret, ServerTls, Side, Step,
};

const CARD: &[u8] = b"4111111111111111";

pub struct Rig {
    session: Session,
    inbound: [Vec<u8>; 2],
    sent: [Vec<u8>; 2],
    closed: bool,
    waiting: [bool; 2],
    asked: u64,
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 4).to_be_bytes();
    [&[tag], length.as_slice(), body].concat()
}

/// A DataRow of one text cell: a card number between `filler` and its end.
pub fn row(filler: &[u8]) -> Vec<u8> {
    // Digits and separators beside it would make it another number.
    let filler: Vec<u8> = filler.iter().map(|byte| if byte.is_ascii_alphabetic() { *byte } else { b'|' }).collect();
    let cell = [&filler, b"|".as_slice(), CARD, b"|", &filler].concat();
    let length = (cell.len() as u32).to_be_bytes();
    message(b'D', &[&[0, 1], length.as_slice(), &cell].concat())
}

fn place(side: Side) -> usize {
    usize::from(side == Side::Server)
}

impl Rig {
    pub fn at_the_door() -> Self {
        let session = Session::new(Config::default());
        Self { session, inbound: Default::default(), sent: Default::default(), closed: false, waiting: [false; 2], asked: 0 }
    }

    pub fn admitted() -> Self {
        let mut rig = Self::at_the_door();
        rig.feed(Side::Client, b"\0\0\0\x12\0\x03\0\0user\0job\0\0", 255);
        rig.feed(Side::Client, &message(b'p', b"token\0"), 255);
        let mut out = Outbox::default();
        rig.session.connected(&mut out, Now(0)).unwrap();
        rig.flush(&mut out);
        rig
    }

    pub fn open() -> Self {
        let mut rig = Self::admitted();
        let greeting = [
            message(b'R', &[0; 4]),
            message(b'S', b"client_encoding\0UTF8\0"),
            message(b'S', b"standard_conforming_strings\0on\0"),
            message(b'K', &[0; 8]),
            message(b'Z', b"I"),
        ];
        rig.feed(Side::Server, &greeting.concat(), 255);
        assert!(!rig.closed);
        rig
    }

    /// Commands of several kinds, so that answers have something to belong to.
    pub fn commands(&mut self, kind: u8) {
        let batch = [
            message(b'P', b"s\0select\0\0\0"),
            message(b'D', b"Ss\0"),
            message(b'B', b"\0s\0\0\0\0\0\0\x01\0\x01"),
            message(b'E', b"\0\0\0\0\0"),
            message(b'S', b""),
        ];
        if kind & 2 != 0 {
            self.feed(Side::Client, &batch.concat(), 255);
        }
        if kind & 4 != 0 {
            self.feed(Side::Client, &message(b'Q', b"bad\0"), 255);
        }
        for _ in 0..3 {
            self.feed(Side::Client, &message(b'Q', b"select\0"), 255);
        }
        self.feed(Side::Client, &batch.concat(), 255);
    }

    /// Brings the session to where a row of one text column is due.
    pub fn describe(&mut self) {
        *self = Self::open();
        self.feed(Side::Client, &message(b'Q', b"select\0"), 255);
        let column = [b"\0\x01c\0".as_slice(), &[0; 6], &25_u32.to_be_bytes(), &[0xff; 6], &[0, 0]].concat();
        self.feed(Side::Server, &message(b'T', &column), 255);
    }

    pub fn check_no_card(&self) {
        let seen = &self.sent[place(Side::Client)];
        assert!(!seen.windows(CARD.len()).any(|bytes| bytes == CARD), "a card number has passed");
    }

    /// Ready, as often as it may be due.
    pub fn answer(&mut self) {
        for _ in 0..4 {
            self.feed(Side::Server, &message(b'E', b"SERROR\0C42601\0Mno\0\0"), 255);
            self.feed(Side::Server, &message(b'Z', b"I"), 255);
        }
    }

    /// Bytes in pieces whose lengths come from `seed`.
    pub fn feed(&mut self, side: Side, mut bytes: &[u8], seed: u8) {
        let mut size = usize::from(seed) + 1;
        while !bytes.is_empty() && !self.closed {
            let (piece, rest) = bytes.split_at(size.min(bytes.len()));
            bytes = rest;
            if seed != 255 {
                size = size * 7 % 61 + 1;
            }
            self.inbound[place(side)].extend_from_slice(piece);
            self.drive(side);
            let kept = self.inbound[place(side)].len();
            assert!(kept <= wire::Limits::default().statement_bytes_max, "{kept} bytes are kept");
        }
    }

    pub fn end(&mut self, side: Side) {
        if !self.closed {
            let mut out = Outbox::default();
            let _ = self.session.ended(side, &mut out, Now(0));
            self.flush(&mut out);
        }
    }

    fn flush(&mut self, out: &mut Outbox) {
        for side in [Side::Client, Side::Server] {
            self.sent[place(side)].append(out.to(side));
        }
        out.events.clear();
    }

    fn drive(&mut self, side: Side) {
        let mut idle = 0;
        while !self.closed && !self.inbound[place(side)].is_empty() {
            let mut out = Outbox::default();
            let step = self.session.step(side, &mut self.inbound[place(side)], &mut out, Now(0));
            self.flush(&mut out);
            idle = if matches!(step, Ok(Step::Consumed(0))) { idle + 1 } else { 0 };
            assert!(idle < 100, "no progress");
            if !self.apply(side, step) {
                break;
            }
        }
        let other = if side == Side::Client { Side::Server } else { Side::Client };
        if std::mem::take(&mut self.waiting[place(other)]) {
            self.drive(other);
        }
    }

    fn apply(&mut self, side: Side, step: Result<Step, wire::Error>) -> bool {
        match step {
            Err(_) | Ok(Step::Close | Step::Part | Step::Reconnect) => self.closed = true,
            Ok(Step::Need(_)) => return false,
            Ok(Step::Wait) => {
                self.waiting[place(side)] = true;
                return false;
            }
            Ok(Step::ToClient(cleared)) => self.release(Side::Server, Side::Client, cleared.len()),
            Ok(Step::ToServer(permitted)) => self.release(Side::Client, Side::Server, permitted.len()),
            Ok(Step::Consumed(length)) => {
                self.inbound[place(side)].drain(..length);
            }
            Ok(Step::Secure { side: secured, consumed }) => {
                self.inbound[place(side)].drain(..consumed);
                let mut out = Outbox::default();
                let done = self.session.secured(secured, &wire::Handshake::default(), &mut out, Now(0));
                self.flush(&mut out);
                self.closed |= done.is_err();
            }
            Ok(Step::Ask) => return self.rule(side),
        }
        !self.closed
    }

    fn release(&mut self, from: Side, to: Side, length: usize) {
        let bytes: Vec<u8> = self.inbound[place(from)].drain(..length).collect();
        self.sent[place(to)].extend(bytes);
    }

    /// Refuses every third command and those with `bad` in them; holds every fifth first.
    fn rule(&mut self, side: Side) -> bool {
        self.asked += 1;
        let bytes = &mut self.inbound[place(side)];
        let password = Secret::new(b"secret".to_vec());
        let (mut refuse, mut ruling) = (self.asked % 3 == 0, Ruling::Allow);
        match self.session.question(bytes) {
            Some(Question::Method(_)) => {
                refuse = false;
                ruling = match self.asked % 2 {
                    0 => Ruling::Password,
                    _ => Ruling::Bearer(wire::Discovery { configuration: "https://i", scope: "openid" }),
                };
            }
            Some(Question::Login(_)) => {
                refuse = false;
                ruling = Ruling::Admit(Admission {
                    user: "u",
                    password: &password,
                    database: "d",
                    application: "a",
                    naming: None,
                    tls: ServerTls::Off,
                    cancel: CancelKey { process: 1, secret: 2 },
                    mask: scan::Format::Last4,
                    scanner: scan::Scanner::new(),
                });
            }
            Some(Question::Cancel(_)) => ruling = Ruling::Done,
            Some(Question::Command(command)) => {
                refuse |= command.text.contains("bad");
                let _ = command.parameters.iter().count();
            }
            None => panic!("no question"),
        }
        let mut out = Outbox::default();
        if self.asked % 5 == 0 && matches!(ruling, Ruling::Allow) {
            let _ = self.session.rule(Ruling::Hold { notice: "wait" }, bytes, &mut out, Now(0));
        }
        if refuse {
            ruling = Ruling::Refuse(Refusal { kind: RefusalKind::Denied, message: "no", detail: "", hint: "" });
        }
        let step = self.session.rule(ruling, bytes, &mut out, Now(0));
        self.flush(&mut out);
        self.apply(side, step)
    }
}
