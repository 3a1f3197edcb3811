//! Drives one engine with I/O: reads, steps, asks the desk, writes. Knows sockets, TLS and order; leaves the protocol
//! to the engine and every judgement to the desk. Lives on its shard's core.

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::OwnedFd;

use wire::{Discovery, Engine, Event, Handshake, Now, Outbox, Refusal, RefusalKind, Ruling, Side, Step};

use crate::desk::{Answer, Desk, Wait};
use crate::leg::Leg;
use crate::limits::{BUFFERS_SCARCE, CLOSING_MS_MAX, CONNECT_MS_MAX, LOGIN_MS_MAX, UNPARSED_BYTES_HIGH};
use crate::pool::Left;
use crate::protocol::{Backend, Protocol};
use crate::relay::{Inbound, owned};
use crate::ring::{Chunk, Owner, Ring, keep_alive, open_socket, set_no_delay};
use crate::routes::Routes;
use crate::session::Session;
use crate::tls::{Progress, Tls, TlsError};

/// What a connection works with during one turn of its shard.
pub struct Context<'a> {
    /// The shard's ring.
    pub ring: &'a mut Ring,
    /// Which connection each leg to a target belongs to.
    pub routes: &'a mut Routes,
    /// The shard's judgement: identity, policy, holds, records.
    pub desk: &'a mut Desk,
    /// The engine's outbox, empty between calls.
    pub out: &'a mut Outbox,
    /// The turn's time.
    pub now: Now,
}

/// Why a connection ends before its engine says so.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The engine's verdict on its peers' bytes.
    #[error(transparent)]
    Wire(#[from] wire::Error),
    /// TLS of the client's or the server's leg.
    #[error("TLS with the {0:?}: {1}")]
    Tls(Side, TlsError),
    /// The kernel refused an operation.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A peer reset its connection, or sending failed.
    #[error("the {0:?} is gone (errno {1})")]
    Gone(Side, i32),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// What is queued goes out, what comes in is dropped, until the time named.
    Closing {
        until_ms: u64,
    },
    Abandoned,
}

/// One client's connection and the one to its target.
pub struct Connection<E> {
    engine: E,
    client: Half,
    server: Half,
    phase: Phase,
    /// The side whose question is open.
    asking: Option<Side>,
    /// What the open question waits for.
    wait: Option<Wait>,
    /// The side that the engine steps again only after the other has got on.
    waiting: Option<Side>,
    /// The record of what happens; filled by the desk.
    pub session: Session,
    opened_ms: u64,
    connect_until_ms: Option<u64>,
    /// The target's addresses that have not been tried, the next one last.
    untried: Vec<SocketAddr>,
    /// What the shard has to do for it between two calls.
    wish: Wish,
    /// It ends while a command runs at the target: bytes behind that would hide the end from a server that looks, as
    /// MariaDB does for locks and SLEEP, whether its client is there.
    cuts_command: bool,
}

/// What a connection asks of its shard.
#[derive(Default)]
struct Wish {
    /// A leg to the target, for a session that is let in: a kept one, or, where not, a fresh one.
    server: Option<Server>,
    /// To keep the leg that its session has left.
    left: Option<Box<Left>>,
    /// To see a leg that is of no use to its end.
    shed: Option<Half>,
}

/// Which leg to a target is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Any,
    Fresh,
}

/// What belongs to one side.
#[derive(Default)]
pub struct Half {
    leg: Option<Leg>,
    /// Where it leads.
    address: Option<SocketAddr>,
    tls: Option<Tls>,
    inbound: Inbound,
    /// Bytes that the engine wants in hand before it can go on; 0: it has not asked for more.
    wanted: usize,
    /// The end of the peer's stream has been told to the engine.
    end_told: bool,
}

const fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}

impl<E: Engine> Connection<E> {
    /// A connection that a client has opened.
    pub fn accepted(
        engine: E,
        socket: OwnedFd,
        slot: u32,
        session: Session,
        cx: &mut Context<'_>,
    ) -> io::Result<Self> {
        set_no_delay(&socket)?;
        keep_alive(&socket)?;
        let mut connection = Self::new(engine, session, cx.now);
        let mut leg = Leg::new(socket, crate::routes::client(slot));
        leg.receive(cx.ring)?;
        connection.client.leg = Some(leg);
        connection.engine.accepted(cx.out, cx.now);
        let greeted = connection.flush_outbox(cx);
        connection.finish_call(greeted, cx);
        Ok(connection)
    }

    /// A connection of the gateway's own to a target (a cancel request), without a client.
    pub fn errand(
        engine: E,
        addresses: Vec<SocketAddr>,
        session: Session,
        cx: &mut Context<'_>,
    ) -> io::Result<Self> {
        let mut connection = Self::new(engine, session, cx.now);
        connection.untried = addresses;
        connection.untried.reverse();
        connection.connect(cx)?;
        Ok(connection)
    }

    fn new(engine: E, session: Session, now: Now) -> Self {
        Self {
            engine,
            client: Half::default(),
            server: Half::default(),
            phase: Phase::Open,
            asking: None,
            wait: None,
            waiting: None,
            session,
            opened_ms: now.0,
            connect_until_ms: None,
            untried: Vec::new(),
            wish: Wish::default(),
            cuts_command: false,
        }
    }

    /// The engine, for what only its own kind can tell.
    pub fn engine(&self) -> &E {
        &self.engine
    }

    /// Whether a command runs or waits.
    pub fn is_busy(&self) -> bool {
        self.session.answering.is_some() || self.wait.is_some() || self.engine.is_busy()
    }

    /// What the open question waits for.
    pub fn waits_for(&self) -> Option<&Wait> {
        self.wait.as_ref()
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Opens the leg to the target, whose name may have several addresses.
    fn connect(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.connect_until_ms = Some(cx.now.0 + CONNECT_MS_MAX);
        self.connect_next(cx)
    }

    fn connect_next(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(address) = self.untried.pop() else {
            return Err(io::Error::from_raw_os_error(libc::ENOENT));
        };
        let socket = open_socket(address)?;
        set_no_delay(&socket)?;
        keep_alive(&socket)?;
        // A leg whose connect has failed gives its number to the next.
        let owner = match &self.server.leg {
            Some(leg) => leg.owner(),
            None => cx.routes.open(self.session.slot),
        };
        let mut leg = Leg::new(socket, owner);
        self.server.address = Some(address);
        let connecting = leg.connect(cx.ring, address);
        self.server.leg = Some(leg);
        connecting?;
        Ok(())
    }

    /// The connect to the target is over.
    pub fn connected(&mut self, result: Result<(), i32>, cx: &mut Context<'_>) {
        if let Some(leg) = &mut self.server.leg {
            leg.connected();
        }
        if self.phase != Phase::Open {
            return self.settle(cx);
        }
        let gone = match result {
            Ok(()) => {
                self.connect_until_ms = None;
                self.open_server(cx)
            }
            // The failed leg has nothing under way any more: the next address takes its place.
            Err(_) if !self.untried.is_empty() => self.connect_next(cx).map_err(Failure::from),
            Err(errno) => Err(Failure::Gone(Side::Server, errno)),
        };
        self.finish_call(gone, cx);
    }

    fn open_server(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if let Some(leg) = &mut self.server.leg {
            leg.receive(cx.ring)?;
        }
        let step = self.engine.connected(cx.out, cx.now)?;
        self.apply(Side::Server, step, cx).map(|_| ())
    }

    /// Bytes, the end of a stream, or an error have come from `side`.
    pub fn received(
        &mut self,
        side: Side,
        bytes: Result<Option<(u16, Range<usize>)>, i32>,
        armed: bool,
        cx: &mut Context<'_>,
    ) {
        let over = match &bytes {
            Ok(Some(_)) => false,
            Ok(None) => true,
            Err(errno) => *errno != libc::ENOBUFS && *errno != libc::ECANCELED,
        };
        if let Some(leg) = &mut self.half(side).leg
            && leg.received(armed, over)
        {
            cx.desk.rearm(leg.owner());
        }
        let taken = match bytes {
            Ok(Some((buffer, range))) => self.take_in(side, buffer, range, cx),
            Ok(None) => Ok(()),
            Err(errno) if over => Err(Failure::Gone(side, errno)),
            Err(_) => Ok(()),
        };
        let done = taken.and_then(|()| self.drive(side, cx));
        self.finish_call(done, cx);
    }

    /// Arms the receive of `side` again, now that buffers are free.
    pub fn rearm(&mut self, side: Side, ring: &mut Ring) -> io::Result<()> {
        match &mut self.half(side).leg {
            Some(leg) => leg.receive(ring),
            None => Ok(()),
        }
    }

    fn take_in(
        &mut self,
        side: Side,
        buffer: u16,
        range: Range<usize>,
        cx: &mut Context<'_>,
    ) -> Result<(), Failure> {
        if self.phase != Phase::Open {
            cx.ring.release(buffer);
            return Ok(());
        }
        let half = self.half(side);
        let Some(tls) = &mut half.tls else {
            half.inbound.push(buffer, range);
            return Ok(());
        };
        let shaken = tls.is_established();
        let mut reply = Vec::new();
        let got = tls.receive(cx.ring.buffer_mut(buffer, range), half.inbound.carry_mut(), &mut reply);
        cx.ring.release(buffer);
        self.decrypted(side, shaken, got, reply, cx)
    }

    /// Goes on after TLS has taken bytes of `side`; `shaken`: its handshake had been done before.
    fn decrypted(
        &mut self,
        side: Side,
        shaken: bool,
        got: Result<Progress, TlsError>,
        reply: Vec<u8>,
        cx: &mut Context<'_>,
    ) -> Result<(), Failure> {
        let half = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        if let (Some(leg), false) = (&mut half.leg, reply.is_empty()) {
            leg.queue(cx.ring, owned(reply));
        }
        let progress = got.map_err(|error| Failure::Tls(side, error))?;
        if let (Some(leg), true) = (&mut half.leg, progress.closed) {
            leg.ended = true;
        }
        if let (Some(tls), true) = (&half.tls, progress.established && !shaken) {
            let end_point = tls.end_point();
            let handshake = Handshake { protocol: tls.protocol(), end_point: &end_point };
            self.engine.secured(side, &handshake, cx.out, cx.now)?;
            self.flush_outbox(cx)?;
        }
        Ok(())
    }

    /// A send to `side` is done.
    pub fn sent(&mut self, side: Side, sent: Result<usize, i32>, chunk: Chunk, cx: &mut Context<'_>) {
        let Some(leg) = &mut self.half(side).leg else { return };
        let done = match leg.sent(cx.ring, sent, chunk) {
            Err(errno) => Err(Failure::Gone(side, errno)),
            Ok(_) if leg.has_room() => self.drive(other(side), cx),
            Ok(_) => Ok(()),
        };
        self.finish_call(done, cx);
    }

    /// Steps the bytes of `side` as far as they, the open question and the other leg's queue allow; then the other
    /// side's, if the engine had it wait for this one.
    fn drive(&mut self, side: Side, cx: &mut Context<'_>) -> Result<(), Failure> {
        let got_on = self.drive_one(side, cx)?;
        if got_on && self.waiting == Some(other(side)) {
            self.waiting = None;
            self.drive_one(other(side), cx)?;
        }
        Ok(())
    }

    /// Whether a step was taken that was not `Need` or `Wait`.
    fn drive_one(&mut self, side: Side, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let mut got_on = false;
        while self.may_step(side) && cx.desk.may_go_on(&mut self.session) {
            let half = match side {
                Side::Client => &mut self.client,
                Side::Server => &mut self.server,
            };
            let step = self.engine.step(side, half.inbound.head(cx.ring), cx.out, cx.now)?;
            got_on |= !matches!(step, Step::Need(_) | Step::Wait);
            if !self.apply(side, step, cx)? {
                break;
            }
            if side == Side::Server && self.session.is_over_rows(self.engine.rows_under_way()) {
                self.engine.refuse(&crate::desk::rows_over(), cx.out);
                self.flush_outbox(cx)?;
                self.close("row limit", cx)?;
            }
        }
        self.tell_end(side, cx)?;
        self.regulate(side, cx)?;
        Ok(got_on)
    }

    fn may_step(&mut self, side: Side) -> bool {
        self.phase == Phase::Open
            && self.asking != Some(side)
            && self.waiting != Some(side)
            && !self.half(side).inbound.is_empty()
            && !self.opposite_is_full(side)
    }

    fn opposite_is_full(&mut self, side: Side) -> bool {
        self.half(other(side)).leg.as_ref().is_some_and(Leg::is_full)
    }

    /// Does what a step says; `false`: no further step of this side now.
    fn apply(&mut self, side: Side, step: Step, cx: &mut Context<'_>) -> Result<bool, Failure> {
        self.note_answers(cx);
        let kept = matches!(step, Step::Part) && self.may_be_kept(cx);
        if kept {
            // The farewell.
            cx.out.server.clear();
        }
        self.send_outbox(cx)?;
        self.half(side).wanted = 0;
        let going = match step {
            Step::Need(more) => {
                let half = self.half(side);
                half.wanted = half.inbound.len() + more.get();
                half.inbound.gather(cx.ring, more.get())
            }
            Step::ToClient(cleared) => {
                self.release(Side::Client, cleared.len(), cx)?;
                true
            }
            Step::ToServer(permitted) => {
                self.release(Side::Server, permitted.len(), cx)?;
                true
            }
            Step::Consumed(length) => {
                self.half(side).inbound.consume(cx.ring, length);
                true
            }
            Step::Wait => {
                self.waiting = Some(side);
                false
            }
            Step::Ask => {
                self.asking = Some(side);
                self.note_events(cx);
                return self.ask(side, cx);
            }
            Step::Secure { side: secured, consumed } => {
                self.half(side).inbound.consume(cx.ring, consumed);
                self.secure(secured, cx)?;
                true
            }
            Step::Close | Step::Part => {
                self.note_events(cx);
                self.leave(kept);
                self.close("closed", cx)?;
                false
            }
            Step::Reconnect => {
                self.shed(cx);
                false
            }
        };
        self.note_events(cx);
        Ok(going)
    }

    /// Whether another session may have the target's connection after this one, which has left it in order.
    fn may_be_kept(&self, cx: &Context<'_>) -> bool {
        let Some(terms) = &self.session.keep else { return false };
        let sound = self.server.leg.as_ref().is_some_and(|leg| leg.is_connected() && !leg.ended);
        sound
            && self.phase == Phase::Open
            && !self.session.trace
            && self.server.inbound.is_empty()
            && cx.desk.keeps(terms, self.server.address)
    }

    /// Lets go of the target's connection, for the shard to keep where it may be kept.
    fn leave(&mut self, kept: bool) {
        let Some(terms) = self.session.keep.take().filter(|_| kept) else { return };
        self.wish.left = Some(Box::new(Left { half: std::mem::take(&mut self.server), terms }));
    }

    /// Gives up the leg to the target, on which nothing depends, and asks for a fresh one.
    fn shed(&mut self, cx: &mut Context<'_>) {
        let mut half = std::mem::take(&mut self.server);
        half.inbound.discard(cx.ring);
        self.wish.shed = Some(half);
        self.wish.server = Some(Server::Fresh);
        if self.waiting == Some(Side::Server) {
            self.waiting = None;
        }
    }

    /// Sends the first `length` bytes of the opposite side's head to `to`.
    fn release(&mut self, to: Side, length: usize, cx: &mut Context<'_>) -> Result<(), Failure> {
        let (from, half) = match to {
            Side::Client => (&mut self.server, &mut self.client),
            Side::Server => (&mut self.client, &mut self.server),
        };
        if to == Side::Client {
            let head = from.inbound.head(cx.ring);
            cx.desk.released(&mut self.session, head.get(..length).unwrap_or_default());
        }
        let Some(leg) = &mut half.leg else {
            from.inbound.consume(cx.ring, length);
            return Ok(());
        };
        let chunk = match &mut half.tls {
            None => from.inbound.take(cx.ring, length),
            Some(tls) => {
                let head = from.inbound.head(cx.ring);
                let mut cipher = Vec::new();
                tls.send(head.get(..length).unwrap_or_default(), &mut cipher)
                    .map_err(|error| Failure::Tls(to, error))?;
                from.inbound.consume(cx.ring, length);
                owned(cipher)
            }
        };
        leg.queue(cx.ring, chunk);
        Ok(())
    }

    fn secure(&mut self, side: Side, cx: &mut Context<'_>) -> Result<(), Failure> {
        let mut flight = Vec::new();
        let tls = match side {
            Side::Client => cx.desk.client_tls(),
            Side::Server => cx.desk.server_tls(&self.session, &mut flight),
        };
        let mut tls = tls.map_err(|error| Failure::Tls(side, error))?;
        let half = self.half(side);
        // What has come already is the handshake's: nothing said before it may pass for said inside it.
        let mut early = half.inbound.take_all(cx.ring);
        let got = tls.receive(&mut early, half.inbound.carry_mut(), &mut flight);
        half.tls = Some(tls);
        self.decrypted(side, false, got, flight, cx)
    }

    fn ask(&mut self, side: Side, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let half = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        let answer = match self.engine.question(half.inbound.head(cx.ring)) {
            Some(question) => cx.desk.answer(&question, &mut self.session, cx.now),
            None => Answer::Refuse(crate::desk::unasked()),
        };
        self.take_answer(answer, cx)
    }

    /// Goes on with the answer to the open question; `false`: it still waits.
    pub fn take_answer(&mut self, answer: Answer, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let Some(side) = self.asking else { return Ok(false) };
        self.wait = None;
        match answer {
            Answer::Allow => self.allow(side, cx),
            Answer::Done => self.rule(side, Ruling::Done, cx),
            Answer::Password => self.rule(side, Ruling::Password, cx),
            Answer::Bearer { configuration, scope } => {
                let discovery = Discovery { configuration: &configuration, scope: &scope };
                self.rule(side, Ruling::Bearer(discovery), cx)
            }
            Answer::Refuse(refusal) => self.rule(side, Ruling::Refuse(refusal.as_refusal()), cx),
            Answer::Admit(admitted) => {
                let going = self.rule(side, Ruling::Admit(admitted.as_admission()), cx)?;
                self.untried = admitted.addresses;
                self.untried.reverse();
                self.wish.server = Some(Server::Any);
                Ok(going)
            }
            Answer::Wait(wait) => {
                self.half(side).inbound.evacuate(cx.ring);
                if let Wait::Hold { notice, .. } = &wait {
                    let notice = notice.clone();
                    self.wait = Some(wait);
                    self.rule(side, Ruling::Hold { notice: &notice }, cx)?;
                } else {
                    self.wait = Some(wait);
                }
                Ok(false)
            }
        }
    }

    /// Lets the command run; what is known of labelled data goes with it.
    fn allow(&mut self, side: Side, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let Some(facts) = self.session.following.lend() else { return self.rule(side, Ruling::Allow, cx) };
        let ruling = Ruling::AllowLabelled(self.session.following.labels(&facts));
        let going = self.rule(side, ruling, cx);
        self.session.following.give_back(facts);
        going
    }

    fn rule(&mut self, side: Side, ruling: Ruling<'_>, cx: &mut Context<'_>) -> Result<bool, Failure> {
        let half = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        let held = matches!(ruling, Ruling::Hold { .. });
        let step = self.engine.rule(ruling, half.inbound.head(cx.ring), cx.out, cx.now)?;
        if held {
            self.send_outbox(cx)?;
            self.note_events(cx);
            return Ok(false);
        }
        self.asking = None;
        self.apply(side, step, cx)
    }

    /// What the connection waited for has come: the desk's answer, then whatever it sets going.
    pub fn resume(&mut self, answer: Answer, cx: &mut Context<'_>) {
        let Some(side) = self.asking else { return };
        let done = self.take_answer(answer, cx).and_then(|_| self.drive(side, cx));
        self.finish_call(done, cx);
    }

    /// Newer facts are there: the open question is asked again.
    pub fn ask_again(&mut self, cx: &mut Context<'_>) {
        let (Some(side), Some(Wait::Facts { .. })) = (self.asking, &self.wait) else { return };
        let done = self.ask(side, cx).and_then(|_| self.drive(side, cx));
        self.finish_call(done, cx);
    }

    /// Goes on after the recorder had no room.
    pub fn unstall(&mut self, cx: &mut Context<'_>) {
        let done = self.drive(Side::Client, cx).and_then(|()| self.drive(Side::Server, cx));
        self.finish_call(done, cx);
    }

    /// Tells the engine the end of a stream once all its bytes are stepped.
    fn tell_end(&mut self, side: Side, cx: &mut Context<'_>) -> Result<(), Failure> {
        let open = self.phase == Phase::Open;
        let asking = self.asking == Some(side);
        let half = self.half(side);
        let ended = half.leg.as_ref().is_some_and(|leg| leg.ended);
        if !open || !ended || half.end_told {
            return Ok(());
        }
        if asking {
            // The client is gone while its command waits: nobody is left to run it for.
            half.end_told = true;
            return self.close("client gone", cx);
        }
        // What is left is less than a message, or waits for room, for the other side, or for the recorder.
        if self.opposite_is_full(side) || self.waiting == Some(side) || self.session.stalled {
            return Ok(());
        }
        self.half(side).end_told = true;
        self.cuts_command = side == Side::Client && self.engine.is_busy();
        let mut step = self.engine.ended(side, cx.out, cx.now)?;
        if matches!(step, Step::Part) && !self.half(side).inbound.is_empty() {
            // It has left amid a message.
            step = Step::Close;
        }
        self.apply(side, step, cx).map(|_| ())
    }

    /// Reads from `side` or not, by what is unconsumed of it.
    fn regulate(&mut self, side: Side, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.phase != Phase::Open {
            return Ok(());
        }
        let full = self.opposite_is_full(side);
        let idle = self.asking == Some(side) || self.waiting == Some(side) || self.session.stalled;
        let half = self.half(side);
        let waiting = half.inbound.len();
        let stop = waiting > 0 && (full || waiting > UNPARSED_BYTES_HIGH.max(half.wanted));
        if idle || (stop && cx.ring.buffers_free() <= BUFFERS_SCARCE) {
            // Buffers belong to those who go on. Where there are plenty, a slow peer's bytes are not copied for it.
            half.inbound.evacuate(cx.ring);
        }
        let Some(leg) = &mut half.leg else { return Ok(()) };
        if stop {
            leg.pause(cx.ring)?;
        } else if leg.is_connected() {
            if cx.ring.buffers_free() > 0 { leg.receive(cx.ring)? } else { cx.desk.rearm(leg.owner()) }
        }
        Ok(())
    }

    fn note_answers(&mut self, cx: &mut Context<'_>) {
        for event in &cx.out.events {
            if let Event::Answering { .. } = event {
                cx.desk.event(&mut self.session, *event);
            }
        }
    }

    fn note_events(&mut self, cx: &mut Context<'_>) {
        for event in cx.out.events.drain(..) {
            if !matches!(event, Event::Answering { .. }) {
                cx.desk.event(&mut self.session, event);
            }
        }
    }

    fn flush_outbox(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.note_answers(cx);
        self.send_outbox(cx)?;
        self.note_events(cx);
        Ok(())
    }

    fn send_outbox(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        for side in [Side::Client, Side::Server] {
            let bytes = cx.out.to(side);
            if bytes.is_empty() {
                continue;
            }
            let plain = std::mem::take(bytes);
            let half = self.half(side);
            let Some(leg) = &mut half.leg else { continue };
            match &mut half.tls {
                None => leg.queue(cx.ring, owned(plain)),
                Some(tls) => {
                    let mut cipher = Vec::new();
                    tls.send(&plain, &mut cipher).map_err(|error| Failure::Tls(side, error))?;
                    leg.queue(cx.ring, owned(cipher));
                }
            }
        }
        Ok(())
    }

    /// Ends the session for a reason of the gateway's own, in the protocol's words.
    pub fn refuse(&mut self, refusal: &Refusal<'_>, how: &str, cx: &mut Context<'_>) {
        if self.phase == Phase::Open {
            self.cuts_command = self.engine.is_busy();
            self.engine.refuse(refusal, cx.out);
            let done = self.flush_outbox(cx).and_then(|()| self.close(how, cx));
            self.finish_call(done, cx);
        }
    }

    /// What every entry ends with: a failure closes, queued bytes go to the kernel.
    fn finish_call(&mut self, done: Result<(), Failure>, cx: &mut Context<'_>) {
        if let Err(failure) = done {
            self.fail(&failure, cx);
        }
        cx.out.client.clear();
        cx.out.server.clear();
        cx.out.events.clear();
        for half in [&mut self.client, &mut self.server] {
            if let Some(leg) = &mut half.leg
                && leg.flush(cx.ring).is_err()
            {
                let _ = leg.abandon(cx.ring);
            }
        }
        self.settle(cx);
    }

    fn fail(&mut self, failure: &Failure, cx: &mut Context<'_>) {
        if self.phase != Phase::Open {
            return self.abandon(cx);
        }
        let by_server = matches!(failure, Failure::Gone(Side::Server, _) | Failure::Tls(Side::Server, _));
        if by_server && self.engine.start_over() {
            cx.desk.failed(&self.session, failure);
            return self.shed(cx);
        }
        cx.desk.failed(&self.session, failure);
        if by_server || matches!(failure, Failure::Io(_)) {
            cx.out.client.clear();
            let refusal = Refusal {
                kind: RefusalKind::Unreachable,
                message: "the target cannot be reached through the gateway",
                detail: if matches!(failure, Failure::Tls(..)) {
                    "its TLS certificate or handshake is not acceptable"
                } else {
                    ""
                },
                hint: "",
            };
            self.engine.refuse(&refusal, cx.out);
        }
        let how = failure.to_string();
        if self.flush_outbox(cx).and_then(|()| self.close(&how, cx)).is_err() {
            self.abandon(cx);
        }
    }

    fn close(&mut self, how: &str, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.phase != Phase::Open {
            return Ok(());
        }
        self.phase = Phase::Closing { until_ms: cx.now.0 + CLOSING_MS_MAX };
        cx.desk.closed(&mut self.session, self.wait.take(), how);
        self.asking = None;
        for side in [Side::Client, Side::Server] {
            let silent = side == Side::Server && self.cuts_command;
            let half = self.half(side);
            half.inbound.discard(cx.ring);
            let Some(leg) = &mut half.leg else { continue };
            if let (Some(tls), false) = (&mut half.tls, silent) {
                let mut goodbye = Vec::new();
                tls.close(&mut goodbye).map_err(|error| Failure::Tls(side, error))?;
                if !goodbye.is_empty() {
                    leg.queue(cx.ring, owned(goodbye));
                }
            }
            leg.finish(cx.ring)?;
            // Read on, and drop it: closing with unread bytes would reset the connection before the peer has read.
            if leg.is_connected() {
                leg.receive(cx.ring)?;
            }
        }
        Ok(())
    }

    fn abandon(&mut self, cx: &mut Context<'_>) {
        if self.phase == Phase::Open {
            cx.desk.closed(&mut self.session, self.wait.take(), "cut");
        }
        self.phase = Phase::Abandoned;
        self.asking = None;
        for half in [&mut self.client, &mut self.server] {
            half.inbound.discard(cx.ring);
            if let Some(leg) = &mut half.leg {
                // A failure to cancel leaves the operation to end with its socket.
                let _ = leg.abandon(cx.ring);
            }
        }
    }

    /// Gives up what has nothing more to say.
    fn settle(&mut self, cx: &mut Context<'_>) {
        let Phase::Closing { .. } = self.phase else { return };
        if let Some(leg) = &mut self.server.leg
            && leg.is_drained()
            && !leg.ended
        {
            let _ = leg.abandon(cx.ring);
        }
        let client_done = self.client.leg.as_ref().is_none_or(|leg| leg.is_drained() && leg.ended);
        let server_done = self.server.leg.as_ref().is_none_or(|leg| leg.is_drained() || leg.ended);
        if client_done && server_done {
            self.abandon(cx);
        }
    }

    /// The kernel refers to nothing of this connection any more: it may be dropped.
    pub fn is_over(&self) -> bool {
        let quiet = |half: &Half| half.leg.as_ref().is_none_or(Leg::is_quiet);
        self.phase == Phase::Abandoned && quiet(&self.client) && quiet(&self.server)
    }

    /// The next time that [`Connection::expire`] wants to be called.
    pub fn deadline_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Abandoned => None,
            Phase::Closing { until_ms } => Some(until_ms),
            Phase::Open => {
                // A client that reads nothing is told nothing more while its command is held.
                let deaf = matches!(self.wait, Some(Wait::Hold { .. }))
                    && self.client.leg.as_ref().is_some_and(Leg::is_full);
                let engine = self.engine.deadline().filter(|_| !deaf).map(|now| now.0);
                let wait = self.wait.as_ref().and_then(Wait::deadline_ms);
                let login = (!self.session.is_open()).then_some(self.opened_ms + LOGIN_MS_MAX);
                [engine, wait, self.connect_until_ms, login, self.session.until_ms()]
                    .into_iter()
                    .flatten()
                    .min()
            }
        }
    }

    /// Time has come for something.
    pub fn expire(&mut self, cx: &mut Context<'_>) {
        let now = cx.now.0;
        match self.phase {
            Phase::Abandoned => return,
            Phase::Closing { until_ms } if until_ms <= now => return self.abandon(cx),
            Phase::Closing { .. } => return,
            Phase::Open => {}
        }
        if self.connect_until_ms.is_some_and(|until| until <= now) {
            return self.finish_call(Err(Failure::Gone(Side::Server, libc::ETIMEDOUT)), cx);
        }
        if self.session.until_ms().is_some_and(|until| until <= now) {
            return self.refuse(&crate::desk::duration_over(), "duration limit", cx);
        }
        if self.wait.as_ref().and_then(Wait::deadline_ms).is_some_and(|until| until <= now)
            && let Some(wait) = self.wait.take()
        {
            let answer = cx.desk.wait_over(&mut self.session, wait);
            return self.resume(answer, cx);
        }
        if !self.session.is_open() && self.opened_ms + LOGIN_MS_MAX <= now {
            return self.refuse(&crate::desk::login_too_slow(), "login timeout", cx);
        }
        let done = match self.engine.deadline().is_some_and(|at| at <= cx.now) {
            true => self
                .engine
                .expire(cx.now, cx.out)
                .map_err(Failure::from)
                .and_then(|step| self.apply(Side::Client, step, cx).map(|_| ())),
            false => Ok(()),
        };
        self.finish_call(done, cx);
    }
}

/// How legs to targets pass from one session to another. The shard moves them: it knows every connection.
impl Connection<Protocol> {
    /// A target's connection between two sessions, which is reset first; or one that is only to be seen to its end.
    pub fn kept(engine: Protocol, half: Half, session: Session, cx: &mut Context<'_>) -> Self {
        let mut connection = Self::new(engine, session, cx.now);
        if let Some(leg) = &half.leg {
            cx.routes.lead(leg.owner(), connection.session.slot);
        }
        connection.server = half;
        if connection.session.keep.is_none() {
            connection.session.closed = true;
            connection.abandon(cx);
            return connection;
        }
        let begun = connection.engine.connected(cx.out, cx.now).map_err(Failure::from);
        let done = begun.and_then(|_| connection.flush_outbox(cx));
        connection.finish_call(done, cx);
        connection
    }

    /// Whether the shard has something to do for it.
    pub fn wishes(&self) -> bool {
        self.wish.server.is_some() || self.wish.left.is_some() || self.wish.shed.is_some()
    }

    /// The leg that is of no use any more.
    pub fn take_shed(&mut self) -> Option<Half> {
        self.wish.shed.take()
    }

    /// The leg that its session has left in order, and the engine's part of it.
    pub fn take_left(&mut self) -> Option<(Box<Left>, Option<Backend>)> {
        let left = self.wish.left.take()?;
        Some((left, self.engine.take_left()))
    }

    /// The ring's number for the leg to the target.
    pub fn server_owner(&self) -> Option<Owner> {
        self.server.leg.as_ref().map(Leg::owner)
    }

    /// Where the leg to the target leads.
    pub fn server_address(&self) -> Option<SocketAddr> {
        self.server.address
    }

    /// Whether it is a kept connection that another session may have.
    pub fn is_ready(&self) -> bool {
        // Bytes that nobody has looked at yet, or the stream's end, are not the next session's to find.
        let quiet = self.server.inbound.is_empty()
            && self.server.leg.as_ref().is_some_and(|leg| leg.is_connected() && !leg.ended);
        self.phase == Phase::Open && quiet && self.engine.is_ready()
    }

    /// Whether a kept leg would do for it.
    pub fn wants_kept(&self) -> bool {
        self.phase == Phase::Open && self.wish.server == Some(Server::Any)
    }

    /// Gives a kept leg away. What is left is over.
    pub fn give(&mut self, cx: &mut Context<'_>) -> Option<(Half, Backend)> {
        let backend = self.engine.take_kept()?;
        let half = std::mem::take(&mut self.server);
        self.session.closed = true;
        self.abandon(cx);
        Some((half, backend))
    }

    /// Goes on with a leg that another session has had.
    pub fn adopt(&mut self, half: Half, backend: Backend, cx: &mut Context<'_>) {
        self.wish.server = None;
        if let Some(leg) = &half.leg {
            cx.routes.lead(leg.owner(), self.session.slot);
        }
        self.server = half;
        self.engine.adopt(backend, cx.out, cx.now);
        let done = self.flush_outbox(cx).and_then(|()| self.drive(Side::Client, cx));
        self.finish_call(done, cx);
    }

    /// Opens the leg that is wanted.
    pub fn connect_fresh(&mut self, cx: &mut Context<'_>) {
        let Some(wish) = self.wish.server.take() else { return };
        if wish == Server::Fresh {
            // Every address once more: the list was used up, or not begun.
            self.untried = cx.desk.addresses(&self.session);
            self.untried.reverse();
        }
        // The login is of its admission: not for where the target has moved, or how it is reached, since.
        let holds = |terms| cx.desk.keeps(terms, self.untried.last().copied());
        let holds = wish != Server::Fresh || self.session.keep.as_ref().is_some_and(holds);
        if self.phase == Phase::Open {
            let done = match holds {
                true => self.connect(cx).map_err(Failure::from),
                false => Err(Failure::Gone(Side::Server, libc::ECONNREFUSED)),
            };
            self.finish_call(done, cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::limits::QUEUED_CHUNKS_HIGH;
    use crate::ring::{Chunk, Ring};

    #[test]
    fn a_client_that_reads_nothing_is_told_nothing_more_while_its_command_is_held() {
        let mut ring = Ring::open().unwrap();
        let mut engine = wire::mysql::Session::new(wire::mysql::Config::default());
        engine.accepted(&mut Outbox::default(), Now(0));
        // What the engine has to say has its time.
        let due = engine.deadline().unwrap().0;
        let source = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut session = Session::new(1, 0, "listener".into(), source, 0);
        session.open = true;
        let mut connection = Connection::new(engine, session, Now(0));
        let (own, _peer) = UnixStream::pair().unwrap();
        connection.client.leg = Some(Leg::new(own.into(), crate::routes::client(0)));
        let until = due + 60_000;
        connection.wait =
            Some(Wait::Hold { ticket: 1, deadline_ms: until, notice: String::new(), number: 1 });
        for _ in 0..QUEUED_CHUNKS_HIGH {
            assert_eq!(connection.deadline_ms(), Some(due));
            let report = Chunk::Owned { bytes: vec![0; 200], range: 0..200 };
            connection.client.leg.as_mut().unwrap().queue(&mut ring, report);
        }
        // Nobody wakes it for more; the hold still ends in time.
        assert_eq!(connection.deadline_ms(), Some(until));
        // Whatever else it has to do does not wait for the client.
        connection.wait = None;
        assert_eq!(connection.deadline_ms(), Some(due));
    }
}
