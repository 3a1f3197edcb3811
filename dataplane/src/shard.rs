//! One core: the loop (reap, step, submit), the table of connections, listeners, timers, mail from other threads, drain.
//! Leaves protocol to the engines and judgement to the desk. Everything here lives on one thread.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crossbeam::channel::{Receiver, Sender};
use policies::link::{Health, ToMgmt};
use policies::snapshot::Protocol as TargetProtocol;
use wire::mysql;
use wire::postgres::{CancelErrand, Config, ScramCache, Session as PostgresSession};
use wire::{CancelKey, Now, Outbox, RefusalKind};

use crate::catalog::{Entry, Table};
use crate::connection::{Connection, Context, Half};
use crate::desk::{Desk, OwnedRefusal, Wait, not_recorded};
use crate::executor::FromExecutor;
use crate::kill::Kill;
use crate::limits::{ACCEPT_BACKLOG, ACCEPT_PAUSE_MS, CONNECTIONS_MAX, HEALTH_EVERY_MS};
use crate::metrics::{Metrics, sum};
use crate::pool::{Left, Pool, Terms};
use crate::protocol::{Backend, Protocol};
use crate::ring::{Completion, Ring, listen, peer_address};
use crate::routes::Routes;
use crate::session::Session;
use crate::sys::wake::Wake;
use crate::upstream::{Resolver, Upstreams};

/// What other threads tell a shard.
pub enum Mail {
    /// Someone asks to cancel a command of one of this shard's sessions.
    Cancel(CancelKey),
    /// The same by its job's word.
    Kill(Kill),
    /// Where the targets are.
    Upstreams(Arc<Upstreams>),
    /// Where labelled data lie in them.
    Catalog(Arc<Table>),
    /// Finish what is under way and end.
    Drain,
}

/// Where a shard's mail goes.
#[derive(Clone)]
pub struct Mailbox {
    sender: Sender<Mail>,
    wake: Wake,
}

impl Mailbox {
    /// A mailbox and its other end.
    pub fn new() -> io::Result<(Self, Receiver<Mail>)> {
        let (sender, receiver) = crossbeam::channel::unbounded();
        Ok((Self { sender, wake: Wake::new()? }, receiver))
    }

    /// Wakes the shard without mail: something else waits for it.
    pub fn waker(&self) -> Arc<dyn Fn() + Send + Sync> {
        let wake = self.wake.clone();
        Arc::new(move || wake.wake())
    }

    /// Posts. A shard that is gone reads no more, and needs none.
    pub fn post(&self, mail: Mail) {
        if self.sender.send(mail).is_ok() {
            self.wake.wake();
        }
    }
}

/// What a shard is started with.
pub struct Parts {
    /// Its judgement.
    pub desk: Desk,
    /// Every shard's mailbox; its own is at its number.
    pub mailboxes: Vec<Mailbox>,
    /// Its own mail.
    pub mail: Receiver<Mail>,
    /// The ledger's answers to it.
    pub claims: Receiver<crate::ledger::Answer>,
    /// Resolves targets.
    pub resolver: Resolver,
    /// Every shard's counts, for the health report.
    pub metrics: Metrics,
    /// Milliseconds that sessions have to finish when the process is to end.
    pub drain_ms: u64,
}

const MAIL: u64 = 1 << 63;
const EXECUTOR: u64 = (1 << 63) + 1;
const LISTENER: u64 = 1 << 62;

struct Listener {
    socket: OwnedFd,
    name: Rc<str>,
}

struct Place {
    connection: Box<Connection<Protocol>>,
    /// The deadline that the timers hold for it.
    timer_ms: Option<u64>,
    /// It stands for a session, or asks for one.
    counted: bool,
}

fn no_randomness() -> io::Error {
    io::Error::other("the kernel gives no randomness")
}

/// One core's loop.
pub struct Shard {
    ring: Ring,
    desk: Desk,
    out: Outbox,
    places: Vec<Option<Place>>,
    routes: Routes,
    pool: Pool,
    free: Vec<u32>,
    /// The listener of what came by none.
    nobody: Rc<str>,
    listeners: Vec<Option<Listener>>,
    /// Listeners whose accept has failed, and when they are armed again.
    arm_later: Vec<(u64, usize)>,
    timers: BTreeSet<(u64, u32)>,
    /// Connections that wait for a batch on disk, or for room in the recorder.
    awaiting: Vec<u32>,
    /// Connections that wait for newer facts of labelled data.
    awaiting_facts: Vec<u32>,
    parts: Remaining,
    /// Keys derived from the targets' passwords, so that a login costs no key stretching.
    scram: ScramCache,
    started: Instant,
    draining_until_ms: Option<u64>,
    health_at_ms: u64,
}

struct Remaining {
    mailboxes: Vec<Mailbox>,
    mail: Receiver<Mail>,
    claims: Receiver<crate::ledger::Answer>,
    resolver: Resolver,
    metrics: Metrics,
    drain_ms: u64,
}

impl Shard {
    /// Opens the ring on the calling thread.
    pub fn open(parts: Parts) -> io::Result<Self> {
        let mut ring = Ring::open()?;
        let number = usize::from(parts.desk.shard);
        let wake = parts.mailboxes.get(number).map(|mailbox| mailbox.wake.descriptor());
        ring.poll(wake.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?, MAIL)?;
        ring.poll(parts.desk.recorder.handle().event_fd(), EXECUTOR)?;
        Ok(Self {
            ring,
            desk: parts.desk,
            out: Outbox::default(),
            places: Vec::new(),
            routes: Routes::default(),
            pool: Pool::default(),
            free: Vec::new(),
            nobody: "".into(),
            listeners: Vec::new(),
            arm_later: Vec::new(),
            timers: BTreeSet::new(),
            awaiting: Vec::new(),
            awaiting_facts: Vec::new(),
            parts: Remaining {
                mailboxes: parts.mailboxes,
                mail: parts.mail,
                claims: parts.claims,
                resolver: parts.resolver,
                metrics: parts.metrics,
                drain_ms: parts.drain_ms,
            },
            scram: ScramCache::default(),
            started: Instant::now(),
            draining_until_ms: None,
            health_at_ms: 0,
        })
    }

    /// Runs until drained.
    pub fn run(mut self) -> io::Result<()> {
        self.read_clock();
        self.read_executor();
        loop {
            self.ring.turn(self.desk.now_ms, self.due_ms())?;
            self.read_clock();
            while let Some(completion) = self.ring.completion() {
                self.complete(completion);
            }
            self.expire();
            self.arm_paused();
            self.feed_starved();
            self.forward_cancels();
            self.desk.recorder.flush(self.desk.now_ms);
            self.report_health();
            if self.drained() {
                self.desk.recorder.hand_over();
                return Ok(());
            }
        }
    }

    fn read_clock(&mut self) {
        self.desk.now_ms = self.started.elapsed().as_millis() as u64;
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.desk.wall_us = wall.as_micros() as u64;
    }

    /// Until when the next turn may wait.
    fn due_ms(&self) -> Option<u64> {
        let timer = self.timers.first().map(|(at, _)| *at);
        let due = [timer, self.desk.recorder.due_ms(), Some(self.health_at_ms), self.draining_until_ms];
        let paused = self.arm_later.iter().map(|(at, _)| *at).min();
        due.into_iter().chain([paused]).flatten().min()
    }

    fn complete(&mut self, completion: Completion) {
        match completion {
            Completion::Accepted { owner, socket, armed } => self.accepted(owner, socket, armed),
            Completion::Received { owner, bytes, armed } => {
                let (slot, side) = self.routes.find(owner);
                self.with(slot, |connection, cx| connection.received(side, bytes, armed, cx));
            }
            Completion::Sent { owner, sent, chunk } => {
                let (slot, side) = self.routes.find(owner);
                self.with(slot, |connection, cx| connection.sent(side, sent, chunk, cx));
            }
            Completion::Connected { owner, result } => {
                self.with(self.routes.find(owner).0, |connection, cx| connection.connected(result, cx));
            }
            Completion::Woken { owner, armed } => self.woken(owner, armed),
        }
    }

    /// Lets one connection go on, then sees to its timer, its waits and its end.
    fn with(&mut self, slot: u32, go_on: impl FnOnce(&mut Connection<Protocol>, &mut Context<'_>)) {
        self.run_one(slot, go_on);
        while self.place(slot).is_some_and(|place| place.connection.wishes()) {
            self.grant(slot);
        }
        self.note_ready(slot);
        let Some(Some(place)) = self.places.get_mut(slot as usize) else { return };
        let deadline = place.connection.deadline_ms();
        if deadline != place.timer_ms {
            if let Some(at) = place.timer_ms {
                self.timers.remove(&(at, slot));
            }
            if let Some(at) = deadline {
                self.timers.insert((at, slot));
            }
            place.timer_ms = deadline;
        }
        let waits =
            matches!(place.connection.waits_for(), Some(Wait::Durable { .. } | Wait::DurableLogin { .. }));
        if waits || place.connection.session.stalled {
            self.awaiting.push(slot);
        }
        if matches!(place.connection.waits_for(), Some(Wait::Facts { .. }))
            && !self.awaiting_facts.contains(&slot)
        {
            self.awaiting_facts.push(slot);
        }
        if place.connection.is_over() {
            self.vacate(slot);
        }
    }

    fn vacate(&mut self, slot: u32) {
        let Some(place) = self.places.get_mut(slot as usize).and_then(Option::take) else { return };
        if let Some(at) = place.timer_ms {
            self.timers.remove(&(at, slot));
        }
        if let Some(owner) = place.connection.server_owner() {
            self.routes.close(owner);
        }
        if place.counted {
            self.desk.metrics.sessions.sub(1);
        }
        self.free.push(slot);
    }

    fn place(&self, slot: u32) -> Option<&Place> {
        self.places.get(slot as usize).and_then(Option::as_ref)
    }

    fn run_one<R>(
        &mut self,
        slot: u32,
        go_on: impl FnOnce(&mut Connection<Protocol>, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let place = self.places.get_mut(slot as usize)?.as_mut()?;
        let mut cx = Context {
            ring: &mut self.ring,
            routes: &mut self.routes,
            out: &mut self.out,
            now: Now(self.desk.now_ms),
            desk: &mut self.desk,
        };
        Some(go_on(&mut place.connection, &mut cx))
    }

    /// Does what a connection asks of its shard.
    fn grant(&mut self, slot: u32) {
        if let Some(shed) = self.run_one(slot, |connection, _| connection.take_shed()).flatten() {
            self.keep(Protocol::useless(), shed, None);
        }
        if let Some((left, backend)) = self.run_one(slot, |connection, _| connection.take_left()).flatten() {
            let Left { half, terms } = *left;
            let now = self.desk.now_ms;
            let until = backend.as_ref().and_then(|backend| terms.until_ms(backend.born().0, now));
            match (backend, until) {
                (Some(backend), Some(until)) => {
                    self.keep(backend.keep(Now(until)), half, Some(terms));
                }
                _ => self.keep(Protocol::useless(), half, None),
            }
        }
        let kept = self.run_one(slot, |connection, _| {
            let wants = connection.wants_kept();
            connection.session.keep.as_ref().filter(|_| wants).cloned()
        });
        match kept.flatten().and_then(|terms| self.take_kept(&terms)) {
            Some((half, backend)) => {
                self.run_one(slot, |connection, cx| connection.adopt(half, backend, cx));
            }
            None => {
                self.run_one(slot, |connection, cx| connection.connect_fresh(cx));
            }
        }
    }

    /// What a connection that is not seated yet works with.
    fn context(&mut self) -> Context<'_> {
        Context {
            ring: &mut self.ring,
            routes: &mut self.routes,
            out: &mut self.out,
            now: Now(self.desk.now_ms),
            desk: &mut self.desk,
        }
    }

    /// Seats a leg to a target that no session has.
    fn keep(&mut self, engine: Protocol, half: Half, terms: Option<Terms>) {
        let slot = self.free_slot();
        let source = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut session = Session::new(0, slot, Rc::clone(&self.nobody), source, 0);
        session.kept_for(terms);
        let connection = Connection::kept(engine, half, session, &mut self.context());
        self.seat(slot, connection, false);
    }

    /// A kept leg that is ready, fit for these terms.
    fn take_kept(&mut self, terms: &Terms) -> Option<(Half, Backend)> {
        let credential = terms.key.credential;
        let target = &terms.key.target;
        // The target's password has changed: what the old one opened goes at once.
        self.drop_kept(|other, _| other.key.target != *target || other.key.credential == credential);
        let slot = self.pool.take(&terms.key)?;
        let given = self.run_one(slot, |connection, cx| connection.give(cx)).flatten();
        self.with(slot, |_, _| {});
        given
    }

    /// Closes kept legs that do not meet a condition.
    fn drop_kept(&mut self, good: impl FnMut(&Terms, Option<SocketAddr>) -> bool) {
        for slot in self.pool.drop_unless(good) {
            self.dismiss(slot);
        }
    }

    fn dismiss(&mut self, slot: u32) {
        let refusal = OwnedRefusal::new(RefusalKind::ShuttingDown, "");
        self.with(slot, |connection, cx| connection.refuse(&refusal.as_refusal(), "not kept", cx));
    }

    /// Offers a kept leg to other sessions once it is ready, and no more once it is not.
    fn note_ready(&mut self, slot: u32) {
        let Some(place) = self.place(slot).filter(|place| !place.counted) else { return };
        let (ready, known) = (place.connection.is_ready(), self.pool.has(slot));
        let (terms, address) = (place.connection.session.keep.clone(), place.connection.server_address());
        match (ready, known, terms) {
            (true, false, Some(terms)) if self.desk.keeps(&terms, address) => {
                if let Some(oldest) = self.pool.put(terms, slot, address) {
                    self.dismiss(oldest);
                }
            }
            (true, false, _) => {
                let refusal = OwnedRefusal::new(RefusalKind::ShuttingDown, "");
                self.run_one(slot, |connection, cx| {
                    connection.refuse(&refusal.as_refusal(), "not kept", cx);
                });
            }
            (false, true, _) => self.pool.remove(slot),
            _ => {}
        }
    }

    fn accepted(&mut self, owner: u64, socket: Result<OwnedFd, i32>, armed: bool) {
        let index = (owner - LISTENER) as usize;
        let Some(Some(listener)) = self.listeners.get(index) else { return };
        let name = Rc::clone(&listener.name);
        if !armed && self.draining_until_ms.is_none() {
            // Out of descriptors or memory: trying again at once would only spin.
            match socket {
                Ok(_) => self.arm(index),
                Err(_) => self.arm_later.push((self.desk.now_ms + ACCEPT_PAUSE_MS, index)),
            }
        }
        let Ok(socket) = socket else { return };
        if self.places.len() - self.free.len() >= CONNECTIONS_MAX {
            tracing::warn!(listener = %name, "too many connections: one was closed");
            return;
        }
        if let Err(error) = self.welcome(socket, name) {
            tracing::warn!(%error, "a connection could not be taken");
        }
    }

    fn arm(&mut self, index: usize) {
        let Some(Some(listener)) = self.listeners.get(index) else { return };
        if let Err(error) = self.ring.accept(listener.socket.as_raw_fd(), LISTENER + index as u64) {
            tracing::error!(%error, listener = %listener.name, "the listener cannot be armed");
            self.arm_later.push((self.desk.now_ms + ACCEPT_PAUSE_MS, index));
        }
    }

    fn arm_paused(&mut self) {
        let now = self.desk.now_ms;
        let due: Vec<usize> =
            self.arm_later.iter().filter(|(at, _)| *at <= now).map(|(_, index)| *index).collect();
        self.arm_later.retain(|(at, _)| *at > now);
        for index in due {
            self.arm(index);
        }
    }

    fn welcome(&mut self, socket: OwnedFd, listener: Rc<str>) -> io::Result<()> {
        let source = peer_address(&socket)?;
        let (slot, session) = self.new_session(Rc::clone(&listener), source)?;
        let engine = self.engine(&listener, slot)?;
        let connection = Connection::accepted(engine, socket, slot, session, &mut self.context())?;
        self.seat(slot, connection, true);
        Ok(())
    }

    fn engine(&self, listener: &str, slot: u32) -> io::Result<Protocol> {
        let targets = self.desk.snapshot.iter().flat_map(|snapshot| snapshot.targets());
        let here: Vec<_> = targets.filter(|target| target.listen == listener).collect();
        let tls_offered = self.desk.tls.is_some();
        let tls_required = !here.iter().any(|target| target.waive_tls);
        if let Some(target) = here.first().filter(|target| target.protocol == TargetProtocol::Mysql) {
            return Ok(Protocol::Mysql(Box::new(mysql::Session::new(mysql::Config {
                tls_offered,
                tls_required,
                version: self.desk.server_version(target.name),
                process: crate::kill::greeted(self.desk.number_of(slot)),
                nonce: crate::random::nonce().ok_or_else(no_randomness)?,
                ..mysql::Config::default()
            }))));
        }
        Ok(Protocol::Postgres(Box::new(PostgresSession::new(Config {
            tls_offered,
            tls_required,
            oauth_offered: here.iter().any(|target| target.oauth.is_some()),
            scram: self.scram.clone(),
            ..Config::default()
        }))))
    }

    fn new_session(&mut self, listener: Rc<str>, source: SocketAddr) -> io::Result<(u32, Session)> {
        let (id, secret) = crate::random::session().ok_or_else(no_randomness)?;
        let slot = self.free_slot();
        Ok((slot, Session::new(id, slot, listener, source, secret)))
    }

    fn free_slot(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            (self.places.len() - 1) as u32
        })
    }

    fn seat(&mut self, slot: u32, connection: Connection<Protocol>, counted: bool) {
        if let Some(place) = self.places.get_mut(slot as usize) {
            *place = Some(Place { connection: Box::new(connection), timer_ms: None, counted });
            self.desk.metrics.sessions.add(u64::from(counted));
        }
        // Its first timer.
        self.with(slot, |_, _| {});
    }

    fn woken(&mut self, owner: u64, armed: bool) {
        let number = usize::from(self.desk.shard);
        let descriptor = if owner == MAIL {
            let Some(mailbox) = self.parts.mailboxes.get(number) else { return };
            mailbox.wake.take();
            let descriptor = mailbox.wake.descriptor();
            while let Ok(mail) = self.parts.mail.try_recv() {
                self.read_mail(mail);
            }
            while let Ok(answer) = self.parts.claims.try_recv() {
                self.claimed(answer);
            }
            descriptor
        } else {
            let descriptor = self.desk.recorder.handle().event_fd();
            self.read_executor();
            descriptor
        };
        if !armed && let Err(error) = self.ring.poll(descriptor, owner) {
            tracing::error!(%error, "wake-ups cannot be polled");
        }
    }

    fn read_mail(&mut self, mail: Mail) {
        match mail {
            Mail::Cancel(key) => self.cancel(key),
            Mail::Kill(kill) => self.kill(&kill),
            Mail::Upstreams(upstreams) => {
                self.desk.upstreams = upstreams;
                self.drop_unfit();
            }
            Mail::Catalog(table) => self.use_catalog(table),
            Mail::Drain => self.drain(),
        }
    }

    fn claimed(&mut self, answer: crate::ledger::Answer) {
        self.with(answer.tag as u32, |connection, cx| {
            if connection.session.tag() == answer.tag && matches!(connection.waits_for(), Some(Wait::Claim)) {
                let next = cx.desk.claimed(&mut connection.session, answer.verdict);
                connection.resume(next, cx);
            }
        });
    }

    fn read_executor(&mut self) {
        self.desk.recorder.handle().clear_event();
        while let Ok(message) = self.desk.recorder.handle().inbox().try_recv() {
            match message {
                FromExecutor::Committed { upto } => {
                    self.desk.recorder.committed(upto);
                    self.wake_awaiting();
                }
                FromExecutor::Recycled(buffer) => {
                    self.desk.recorder.recycled(buffer);
                    self.wake_awaiting();
                }
                FromExecutor::RecordingFailed(cause) => self.stop_recording(cause),
                FromExecutor::RecordingResumed => {
                    tracing::warn!("recording works again");
                    self.desk.recorder.set_failure(None);
                }
                FromExecutor::Snapshot(snapshot) => self.use_snapshot(snapshot, 0),
                FromExecutor::SnapshotKept { snapshot, age_ms } => self.use_snapshot(snapshot, age_ms),
                FromExecutor::Keys(keys) => self.desk.keys = keys,
                FromExecutor::Ruling(ruling) => {
                    if let Some(slot) = self.desk.holds.slot(ruling.ticket) {
                        self.with(slot, |connection, cx| {
                            if let Some(answer) = cx.desk.ruled(&mut connection.session, &ruling) {
                                connection.resume(answer, cx);
                            }
                        });
                    }
                }
                FromExecutor::Linked => self.tell_tickets(),
            }
        }
    }

    /// The link to mgmt is up (again): it hears of every ticket that waits.
    fn tell_tickets(&mut self) {
        for ticket in self.desk.holds.tickets() {
            self.desk.tell_mgmt(ToMgmt::Ticket(ticket.clone()));
        }
        self.health_at_ms = self.desk.now_ms;
    }

    fn wake_awaiting(&mut self) {
        let mut slots = std::mem::take(&mut self.awaiting);
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            self.with(slot, |connection, cx| {
                let (batch, login) = match connection.waits_for() {
                    Some(Wait::Durable { batch }) => (Some(*batch), false),
                    Some(Wait::DurableLogin { batch }) => (Some(*batch), true),
                    _ => (None, false),
                };
                let ready = batch.and_then(|batch| cx.desk.durable(&mut connection.session, batch, login));
                match ready {
                    Some(answer) => connection.resume(answer, cx),
                    None if connection.session.stalled => connection.unstall(cx),
                    None => {}
                }
            });
        }
    }

    /// Evidence cannot be written: what runs is cut, what waits for the disk is refused, new commands are refused.
    fn stop_recording(&mut self, cause: String) {
        tracing::error!(%cause, "recording has failed: nothing is forwarded");
        let refusal = not_recorded();
        self.desk.recorder.set_failure(Some(cause));
        self.wake_awaiting();
        for slot in 0..self.places.len() as u32 {
            self.with(slot, |connection, cx| {
                if connection.is_busy() {
                    connection.refuse(&refusal.as_refusal(), "recording has failed", cx);
                }
            });
        }
    }

    fn use_snapshot(&mut self, snapshot: Arc<policies::snapshot::Snapshot>, age_ms: u64) {
        let new = self.desk.snapshot.as_ref().map(|known| known.digest()) != Some(snapshot.digest());
        self.desk.snapshot_at_ms = self.desk.now_ms as i64 - i64::try_from(age_ms).unwrap_or(i64::MAX);
        if !new {
            return;
        }
        self.desk.verdicts.clear();
        self.listen(&snapshot);
        if self.desk.shard == 0 {
            self.parts.resolver.use_snapshot(&snapshot);
            self.desk.facts.use_snapshot(&snapshot);
        }
        self.desk.snapshot = Some(snapshot);
        self.desk.pool_epoch += 1;
        self.drop_unfit();
    }

    /// Closes kept legs that would not be opened today.
    fn drop_unfit(&mut self) {
        let (epoch, upstreams) = (self.desk.pool_epoch, Arc::clone(&self.desk.upstreams));
        self.drop_kept(|terms, address| terms.hold(epoch, upstreams.get(&terms.key.target), address));
    }

    /// Where labelled data lie has been read (again): who waits for that asks again.
    fn use_catalog(&mut self, table: Arc<Table>) {
        let version =
            |entry: Option<&Entry>| entry.and_then(|entry| entry.facts.as_ref()).map(|facts| facts.version);
        let old = &self.desk.catalog;
        if table.iter().any(|(place, entry)| version(Some(entry)) != version(old.get(place))) {
            self.desk.verdicts.forget();
        }
        self.desk.catalog = table;
        self.desk.catalog_table += 1;
        for slot in std::mem::take(&mut self.awaiting_facts) {
            self.with(slot, |connection, cx| connection.ask_again(cx));
        }
    }

    /// Opens listeners that the snapshot has and closes those that it has no more. Open sessions stay.
    fn listen(&mut self, snapshot: &policies::snapshot::Snapshot) {
        if self.draining_until_ms.is_some() {
            return;
        }
        for place in &mut self.listeners {
            if let Some(listener) = place
                && !snapshot.targets().any(|target| target.listen == &*listener.name)
            {
                crate::ring::shut_down(&listener.socket);
                *place = None;
            }
        }
        for target in snapshot.targets() {
            let known = self.listeners.iter().flatten().any(|listener| &*listener.name == target.listen);
            if known {
                continue;
            }
            if let Err(error) = self.listen_on(target.listen) {
                tracing::error!(%error, listen = target.listen, target = target.name, "cannot listen");
            }
        }
    }

    fn listen_on(&mut self, name: &str) -> io::Result<()> {
        let address: SocketAddr = name.parse().map_err(|_| io::Error::other("not an address and port"))?;
        let socket = listen(address, ACCEPT_BACKLOG)?;
        self.listeners.push(Some(Listener { socket, name: name.into() }));
        self.arm(self.listeners.len() - 1);
        Ok(())
    }

    /// Each connection whose time has come, once a turn: what sets its time again waits for the next.
    fn expire(&mut self) {
        let due: Vec<(u64, u32)> = self.timers.range(..=(self.desk.now_ms, u32::MAX)).copied().collect();
        for (at, slot) in due {
            if !self.timers.remove(&(at, slot)) {
                continue;
            }
            if let Some(Some(place)) = self.places.get_mut(slot as usize) {
                place.timer_ms = None;
            }
            self.with(slot, |connection, cx| connection.expire(cx));
        }
    }

    fn feed_starved(&mut self) {
        let mut owners = std::mem::take(&mut self.desk.starved);
        owners.sort_unstable();
        owners.dedup();
        for owner in owners {
            let (slot, side) = self.routes.find(owner);
            if self.ring.buffers_free() == 0 {
                self.desk.starved.push(owner);
            } else if let Some(Some(place)) = self.places.get_mut(slot as usize)
                && let Err(error) = place.connection.rearm(side, &mut self.ring)
            {
                tracing::error!(%error, "a receive cannot be armed");
            }
        }
    }

    fn forward_cancels(&mut self) {
        for key in std::mem::take(&mut self.desk.cancels) {
            let shard = (key.process >> 24) as usize;
            if shard == usize::from(self.desk.shard) {
                self.cancel(key);
            } else if let Some(mailbox) = self.parts.mailboxes.get(shard) {
                mailbox.post(Mail::Cancel(key));
            }
        }
        for kill in std::mem::take(&mut self.desk.kills) {
            let shard = kill.shard();
            if shard == usize::from(self.desk.shard) {
                self.kill(&kill);
            } else if let Some(mailbox) = self.parts.mailboxes.get(shard) {
                mailbox.post(Mail::Kill(kill));
            }
        }
    }

    /// Interrupts a session for its own job.
    fn kill(&mut self, kill: &Kill) {
        let slot = kill.number & 0x00ff_ffff;
        let Some(place) = self.place(slot) else { return };
        let session = &place.connection.session;
        if !place.counted || session.closed || !session.is_open() || !kill.is_for(session) {
            tracing::warn!("a KILL of a session that is not the job's");
            return;
        }
        if !kill.query {
            let refusal =
                OwnedRefusal::new(RefusalKind::ShuttingDown, "the session was killed by its own job");
            return self.with(slot, |connection, cx| {
                connection.refuse(&refusal.as_refusal(), "killed by its own job", cx);
            });
        }
        self.interrupt(slot);
    }

    /// Cancels the command of the session that the key names, if its secret is right: a held one is withdrawn, one
    /// that runs is cancelled at the target.
    fn cancel(&mut self, key: CancelKey) {
        let slot = key.process & 0x00ff_ffff;
        let Some(place) = self.place(slot) else { return };
        let session = &place.connection.session;
        if !place.counted || session.closed || session.cancel_secret != key.secret || !session.is_open() {
            tracing::warn!("a cancel request with a wrong key");
            return;
        }
        self.interrupt(slot);
    }

    /// Ends what a session's command does, or waits for.
    fn interrupt(&mut self, slot: u32) {
        let Some(Some(place)) = self.places.get_mut(slot as usize) else { return };
        let connection = &mut place.connection;
        if let Some(Wait::Hold { ticket, number, .. }) = connection.waits_for() {
            let (ticket, number) = (*ticket, *number);
            return self.with(slot, |connection, cx| {
                let answer = cx.desk.cancelled(&mut connection.session, ticket, number);
                connection.resume(answer, cx);
            });
        }
        let Some(who) = &connection.session.who else { return };
        let target = who.target.clone();
        // It may arrive there late: no other session must be there then.
        connection.session.trace = true;
        let source = connection.session.source;
        let Some(upstream) = self.desk.upstreams.get(&target) else { return };
        // To the very server that it runs at: a name may have several.
        let Some(address) = connection.server_address() else { return };
        let Ok(tls) = upstream.server_tls() else { return };
        let errand = match connection.engine() {
            Protocol::Postgres(engine) => {
                let Some(server_key) = engine.server_cancel() else { return };
                Protocol::PostgresCancel(CancelErrand::new(server_key, tls))
            }
            Protocol::Mysql(engine) => {
                let Some(process) = engine.server_process() else { return };
                let Some((user, password, tls)) = self.desk.own_login(&target) else { return };
                Protocol::MysqlCancel(Box::new(mysql::CancelErrand::new(process, &user, &password, tls)))
            }
            _ => return,
        };
        if let Err(error) = self.send_errand(errand, vec![address], source, target) {
            tracing::warn!(%error, "a cancel request could not be sent on");
        }
    }

    fn send_errand(
        &mut self,
        engine: Protocol,
        addresses: Vec<SocketAddr>,
        source: SocketAddr,
        target: String,
    ) -> io::Result<()> {
        let (slot, mut session) = self.new_session("".into(), source)?;
        session.errand_to(target);
        let connection = Connection::errand(engine, addresses, session, &mut self.context())?;
        self.seat(slot, connection, true);
        Ok(())
    }

    fn report_health(&mut self) {
        if self.desk.now_ms < self.health_at_ms {
            return;
        }
        self.health_at_ms = self.desk.now_ms + HEALTH_EVERY_MS;
        self.ring.narrow_buffers();
        if self.desk.shard != 0 {
            return;
        }
        let troubles = self
            .desk
            .upstreams
            .iter()
            .filter_map(|(name, upstream)| {
                let tls = upstream.tls.as_ref().and_then(|tls| tls.as_ref().err());
                upstream.resolved.as_ref().err().or(tls).map(|cause| (name.clone(), cause.clone()))
            })
            .collect();
        let metrics = &self.parts.metrics;
        self.desk.tell_mgmt(ToMgmt::Health(Health {
            sessions: sum(metrics, |shard| &shard.sessions),
            commands: sum(metrics, |shard| &shard.commands),
            held: sum(metrics, |shard| &shard.held),
            masked: sum(metrics, |shard| &shard.masked),
            recording: self.desk.recorder.failure().map_or(Ok(()), |cause| Err(cause.to_owned())),
            snapshot: self.desk.snapshot.as_ref().map_or(0, |snapshot| snapshot.version()),
            troubles,
        }));
    }

    /// No new connections; sessions between commands end now, the others when their command does, all after a while.
    fn drain(&mut self) {
        self.draining_until_ms = Some(self.desk.now_ms + self.parts.drain_ms);
        self.desk.pool_epoch += 1;
        for listener in self.listeners.drain(..).flatten() {
            crate::ring::shut_down(&listener.socket);
        }
    }

    fn drained(&mut self) -> bool {
        let Some(until) = self.draining_until_ms else { return false };
        let over = self.desk.now_ms >= until;
        let refusal = OwnedRefusal::new(RefusalKind::ShuttingDown, "the gateway is shutting down");
        for slot in 0..self.places.len() as u32 {
            self.with(slot, |connection, cx| {
                let busy = connection.is_busy();
                if over || !busy {
                    connection.refuse(&refusal.as_refusal(), "the gateway is shutting down", cx);
                }
            });
        }
        over || self.places.iter().all(Option::is_none)
    }
}
