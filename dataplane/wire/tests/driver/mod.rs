//! Drives one engine without sockets: bytes in, rulings by a closure, bytes out. What a connection does, as plainly as
//! it can be done.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::VecDeque;

use wire::{
    Admission, CancelKey, CommandKind, Discovery, Engine, Error, Event, Handshake, Now, Outbox, Question,
    Refusal, RefusalKind, Ruling, Secret, ServerTls, Side, Step,
};

/// An owned ruling.
#[derive(Clone)]
pub(crate) enum Verdict {
    Allow,
    /// Allowed at a target with labels: the facts, and the generation of names.
    Labelled(std::sync::Arc<wire::Origins>, wire::Watch, u64),
    Refuse(RefusalKind, &'static str),
    /// Held; [`Driver::answer`] gives the final ruling.
    Hold(&'static str),
    Admit(Account),
    Password,
    /// OAUTHBEARER, with the issuer `https://i`.
    Bearer,
    Done,
}

/// What a login is let in with.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
    pub(crate) tls: ServerTls,
    pub(crate) mask: scan::Format,
}

/// A question as it was asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    Method {
        user: String,
        database: String,
    },
    Login {
        token: Vec<u8>,
        user: String,
        database: String,
        application: String,
        secured: bool,
    },
    Command {
        number: u64,
        kind: CommandKind,
        text: String,
        database: String,
        parameters: Vec<Option<Vec<u8>>>,
        transaction: wire::Transaction,
    },
    Cancel(u32, u32),
}

pub(crate) type Judge = Box<dyn FnMut(&Asked) -> Verdict>;

/// One engine and what surrounds it.
pub(crate) struct Driver<E> {
    pub(crate) engine: E,
    judge: Judge,
    inbound: [Vec<u8>; 2],
    /// What has gone out to each side, and has not been taken.
    pub(crate) sent: [Vec<u8>; 2],
    pub(crate) events: Vec<Event>,
    pub(crate) asked: Vec<Asked>,
    pub(crate) error: Option<Error>,
    pub(crate) closed: bool,
    /// The server is to be connected to.
    pub(crate) connecting: bool,
    pub(crate) now: Now,
    asking: Option<Side>,
    waiting: [bool; 2],
    queue: VecDeque<Verdict>,
    /// The most bytes that were kept unconsumed.
    pub(crate) kept_max: usize,
    /// Whether each step gets only as many bytes as it needs.
    pub(crate) stingy: bool,
    granted: [usize; 2],
    /// How much of what has gone out to each side, and has not been taken, goes out before TLS begins there.
    pub(crate) plain: [Option<usize>; 2],
    /// What had come of each side's handshake when it began.
    pub(crate) early: [Vec<u8>; 2],
    /// What handshakes agree on by ALPN.
    pub(crate) alpn: &'static [u8],
    /// What the server's certificate is for channel binding.
    pub(crate) end_point: &'static [u8],
}

pub(crate) const fn index(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

fn owned(question: &Question<'_>) -> Asked {
    match question {
        Question::Method(method) => {
            Asked::Method { user: method.user.into(), database: method.database.into() }
        }
        Question::Login(login) => Asked::Login {
            token: login.token.to_vec(),
            user: login.user.into(),
            database: login.database.into(),
            application: login.application.into(),
            secured: login.secured,
        },
        Question::Command(command) => Asked::Command {
            number: command.number,
            kind: command.kind,
            text: command.text.into(),
            database: command.database.into(),
            parameters: command
                .parameters
                .iter()
                .map(|parameter| parameter.value.map(<[u8]>::to_vec))
                .collect(),
            transaction: command.transaction,
        },
        Question::Cancel(key) => Asked::Cancel(key.process, key.secret),
    }
}

impl<E: Engine> Driver<E> {
    pub(crate) fn new(engine: E, judge: Judge) -> Self {
        let mut driver = Self {
            engine,
            judge,
            inbound: [Vec::new(), Vec::new()],
            sent: [Vec::new(), Vec::new()],
            events: Vec::new(),
            asked: Vec::new(),
            error: None,
            closed: false,
            connecting: false,
            now: Now(0),
            asking: None,
            waiting: [false; 2],
            queue: VecDeque::new(),
            kept_max: 0,
            stingy: false,
            granted: [0; 2],
            plain: [None; 2],
            early: [Vec::new(), Vec::new()],
            alpn: b"",
            end_point: b"",
        };
        let mut out = Outbox::default();
        driver.engine.accepted(&mut out, driver.now);
        driver.flush(out);
        driver
    }

    /// Bytes have come from `side`.
    pub(crate) fn feed(&mut self, side: Side, bytes: &[u8]) {
        self.inbound[index(side)].extend_from_slice(bytes);
        self.drive(side);
    }

    pub(crate) fn connected(&mut self) {
        self.connecting = false;
        let mut out = Outbox::default();
        let step = self.engine.connected(&mut out, self.now);
        self.flush(out);
        self.apply(Side::Server, step);
    }

    pub(crate) fn ended(&mut self, side: Side) {
        if self.closed {
            return;
        }
        let mut out = Outbox::default();
        let step = self.engine.ended(side, &mut out, self.now);
        self.flush(out);
        self.apply(side, step);
    }

    pub(crate) fn expire(&mut self, now: Now) {
        self.now = now;
        let mut out = Outbox::default();
        let step = self.engine.expire(now, &mut out);
        self.flush(out);
        self.apply(Side::Client, step);
    }

    pub(crate) fn refuse(&mut self, kind: RefusalKind, message: &str) {
        let mut out = Outbox::default();
        self.engine.refuse(&Refusal { kind, message, detail: "", hint: "" }, &mut out);
        self.flush(out);
        self.closed = true;
    }

    /// The final ruling on what is held.
    pub(crate) fn answer(&mut self, verdict: Verdict) {
        let side = self.asking.expect("nothing is held");
        self.rule(side, &verdict);
        self.drive(side);
    }

    pub(crate) fn is_held(&self) -> bool {
        self.asking.is_some()
    }

    pub(crate) fn take(&mut self, side: Side) -> Vec<u8> {
        std::mem::take(&mut self.sent[index(side)])
    }

    pub(crate) fn unconsumed(&self, side: Side) -> usize {
        self.inbound[index(side)].len()
    }

    fn flush(&mut self, mut out: Outbox) {
        for side in [Side::Client, Side::Server] {
            self.sent[index(side)].append(out.to(side));
        }
        self.events.append(&mut out.events);
    }

    fn drive(&mut self, side: Side) {
        let mut strides = 0;
        while !self.closed && self.asking != Some(side) && !self.inbound[index(side)].is_empty() {
            let have = self.inbound[index(side)].len();
            let granted = if self.stingy { self.granted[index(side)].clamp(1, have) } else { have };
            let mut out = Outbox::default();
            let bytes = &mut self.inbound[index(side)][..granted];
            let step = self.engine.step(side, bytes, &mut out, self.now);
            self.flush(out);
            if let (Ok(Step::Need(more)), true) = (&step, self.stingy && granted < have) {
                self.granted[index(side)] = granted + more.get();
                continue;
            }
            if !matches!(step, Ok(Step::Wait | Step::Need(_))) {
                self.granted[index(side)] = 0;
            }
            let idle = matches!(step, Ok(Step::Consumed(0)));
            if !self.apply(side, step) {
                break;
            }
            strides = if idle { strides + 1 } else { 0 };
            assert!(strides < 100, "the engine makes no progress");
        }
        self.kept_max = self.kept_max.max(self.inbound[index(side)].len());
        let other = if side == Side::Client { Side::Server } else { Side::Client };
        if std::mem::take(&mut self.waiting[index(other)]) {
            self.drive(other);
        }
    }

    /// Does what a step says; whether the side goes on.
    fn apply(&mut self, side: Side, step: Result<Step, Error>) -> bool {
        let step = match step {
            Ok(step) => step,
            Err(error) => {
                self.error = Some(error);
                self.closed = true;
                return false;
            }
        };
        match step {
            Step::Need(_) => return false,
            Step::Reconnect => panic!("nothing was kept"),
            Step::Wait => {
                self.waiting[index(side)] = true;
                return false;
            }
            Step::ToClient(cleared) => self.release(Side::Server, Side::Client, cleared.len()),
            Step::ToServer(permitted) => self.release(Side::Client, Side::Server, permitted.len()),
            Step::Consumed(length) => {
                self.inbound[index(side)].drain(..length);
            }
            Step::Ask => {
                if self.asking.is_none() {
                    self.asking = Some(side);
                    return self.ask(side);
                }
                return false;
            }
            Step::Secure { side: secured, consumed } => {
                self.inbound[index(side)].drain(..consumed);
                // What is left belongs to the handshake, of which a scripted peer gives the beginning at most.
                self.early[index(secured)] = std::mem::take(&mut self.inbound[index(secured)]);
                self.plain[index(secured)] = Some(self.sent[index(secured)].len());
                let handshake = Handshake { protocol: self.alpn, end_point: self.end_point };
                let mut out = Outbox::default();
                let done = self.engine.secured(secured, &handshake, &mut out, self.now);
                self.flush(out);
                if let Err(error) = done {
                    self.error = Some(error);
                    self.closed = true;
                    return false;
                }
            }
            Step::Close | Step::Part => {
                self.closed = true;
                return false;
            }
        }
        true
    }

    fn release(&mut self, from: Side, to: Side, length: usize) {
        let bytes: Vec<u8> = self.inbound[index(from)].drain(..length).collect();
        self.sent[index(to)].extend(bytes);
    }

    fn ask(&mut self, side: Side) -> bool {
        let question = self.engine.question(&self.inbound[index(side)]).expect("a question");
        let asked = owned(&question);
        let verdict = self.queue.pop_front().unwrap_or_else(|| (self.judge)(&asked));
        self.asked.push(asked);
        self.rule(side, &verdict)
    }

    fn rule(&mut self, side: Side, verdict: &Verdict) -> bool {
        let mut out = Outbox::default();
        let secret;
        let ruling = match verdict {
            Verdict::Allow => Ruling::Allow,
            Verdict::Labelled(origins, watch, generation) => {
                Ruling::AllowLabelled(wire::Labels { origins, watch: *watch, generation: *generation })
            }
            Verdict::Done => Ruling::Done,
            Verdict::Password => Ruling::Password,
            Verdict::Bearer => Ruling::Bearer(Discovery {
                configuration: "https://i/.well-known/openid-configuration",
                scope: "openid",
            }),
            Verdict::Hold(notice) => Ruling::Hold { notice },
            Verdict::Refuse(kind, message) => {
                Ruling::Refuse(Refusal { kind: *kind, message, detail: "", hint: "" })
            }
            Verdict::Admit(account) => {
                secret = Secret::new(account.password.clone().into_bytes());
                self.connecting = true;
                Ruling::Admit(Admission {
                    user: &account.user,
                    password: &secret,
                    database: &account.database,
                    application: "pangate test",
                    naming: None,
                    tls: account.tls,
                    cancel: CancelKey { process: 77, secret: 0x0102_0304 },
                    mask: account.mask,
                    scanner: scan::Scanner::new(),
                })
            }
        };
        let held = matches!(ruling, Ruling::Hold { .. });
        let step = self.engine.rule(ruling, &mut self.inbound[index(side)], &mut out, self.now);
        self.flush(out);
        if held {
            assert!(matches!(step, Ok(Step::Ask)));
            return false;
        }
        self.asking = None;
        self.apply(side, step)
    }
}
