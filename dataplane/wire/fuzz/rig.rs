//! A driver of an engine, as plain as a driver can be, with the bounds that every run must keep.
#![allow(dead_code, reason = "each target uses its part")]

use wire::{
    Admission, CancelKey, Engine, Now, Outbox, Question, Refusal, RefusalKind, Ruling, Secret, ServerTls, Side, Step,
};

pub const CARD: &[u8] = b"4111111111111111";

pub struct Rig<E> {
    session: E,
    inbound: [Vec<u8>; 2],
    sent: [Vec<u8>; 2],
    pub closed: bool,
    waiting: [bool; 2],
    asked: u64,
}

fn place(side: Side) -> usize {
    usize::from(side == Side::Server)
}

/// A card number between `filler` and its end: digits and separators beside it would make it another number.
pub fn cell(filler: &[u8]) -> Vec<u8> {
    let filler: Vec<u8> = filler.iter().map(|byte| if byte.is_ascii_alphabetic() { *byte } else { b'|' }).collect();
    [&filler, b"|".as_slice(), CARD, b"|", &filler].concat()
}

impl<E: Engine> Rig<E> {
    pub fn new(session: E) -> Self {
        let mut rig =
            Self { session, inbound: Default::default(), sent: Default::default(), closed: false, waiting: [false; 2], asked: 0 };
        let mut out = Outbox::default();
        rig.session.accepted(&mut out, Now(0));
        rig.flush(&mut out);
        rig
    }

    pub fn connected(&mut self) {
        let mut out = Outbox::default();
        self.session.connected(&mut out, Now(0)).unwrap();
        self.flush(&mut out);
    }

    pub fn check_no_card(&self) {
        let seen = &self.sent[place(Side::Client)];
        assert!(!seen.windows(CARD.len()).any(|bytes| bytes == CARD), "a card number has passed");
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
