//! The io_uring of one shard: sockets, provided buffers, submissions and completions. The only file that
//! knows the kernel's completions. It leaves out what the bytes mean and who they belong to: an owner is an
//! opaque number that comes back with each completion.
//!
//! Memory that the kernel reads or writes is owned by the ring for as long as an operation is under way:
//! receive buffers live in one mapping that outlives the ring's file descriptor, a chunk being sent is moved
//! into the operation's slot and handed back by its completion.
#![expect(
    unsafe_code,
    reason = "submission entries and provided buffers are raw pointers by nature; every block says why it is sound"
)]

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, Fd, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::limits::{
    BUFFER_BYTES, BUFFER_STRIDE_BYTES, BUFFERS, BUFFERS_AT_HAND_MIN, HEADROOM_BYTES, KEEPALIVE_IDLE_S,
    KEEPALIVE_INTERVAL_S, KEEPALIVE_PROBES, RING_COMPLETIONS, RING_ENTRIES,
};

const BUFFER_GROUP: u16 = 0;

/// Opaque to the ring: whatever the shard wants back with a completion.
pub type Owner = u64;

/// Bytes on their way out: a part of a provided buffer, or bytes of our own.
pub enum Chunk {
    /// A range of the provided buffer `buffer`; holds one reference to it.
    Pooled {
        /// The buffer's number.
        buffer: u16,
        /// The range within the buffer.
        range: Range<usize>,
    },
    /// Bytes built by the gateway (injected messages, ciphertext, bytes carried over buffers).
    Owned {
        /// The bytes.
        bytes: Vec<u8>,
        /// What of them is still to be sent.
        range: Range<usize>,
    },
}

impl Chunk {
    /// How many bytes are still to be sent.
    pub fn len(&self) -> usize {
        match self {
            Self::Pooled { range, .. } | Self::Owned { range, .. } => range.len(),
        }
    }

    /// Whether nothing is left to be sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the kernel has done.
pub enum Completion {
    /// A connection was accepted on a listener; `None` says that the listener must be armed again.
    Accepted {
        /// Who armed the listener.
        owner: Owner,
        /// The connection, or the errno.
        socket: Result<OwnedFd, i32>,
        /// Whether the listener stays armed.
        armed: bool,
    },
    /// Bytes were received (`Ok` of a buffer), the peer's stream ended (`Ok` without buffer), or errno.
    Received {
        /// Who armed the receive.
        owner: Owner,
        /// Buffer number and range within it, `None` at end of stream, or the errno.
        bytes: Result<Option<(u16, Range<usize>)>, i32>,
        /// Whether the receive stays armed.
        armed: bool,
    },
    /// A send is done: the count, or the errno. The chunk comes back.
    Sent {
        /// Who sent.
        owner: Owner,
        /// How many bytes went out, or the errno.
        sent: Result<usize, i32>,
        /// The chunk handed to [`Ring::send`].
        chunk: Chunk,
    },
    /// A connect is done.
    Connected {
        /// Who asked.
        owner: Owner,
        /// Success or errno.
        result: Result<(), i32>,
    },
    /// The polled descriptor (an eventfd) is readable.
    Woken {
        /// Who armed the poll.
        owner: Owner,
        /// Whether the poll stays armed.
        armed: bool,
    },
}

enum Operation {
    Vacant { next: u32 },
    Accept { owner: Owner },
    Receive { owner: Owner },
    Send { owner: Owner, chunk: Chunk },
    Connect { owner: Owner, _address: Box<RawAddress> },
    Poll { owner: Owner },
    Cancel,
    Alarm,
}

/// Names an armed multishot operation, to cancel it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Armed(u32);

struct RawAddress {
    storage: libc::sockaddr_storage,
    length: libc::socklen_t,
}

/// One shard's ring. Lives and dies on that shard's thread.
pub struct Ring {
    io: IoUring,
    buffers: Buffers,
    operations: Vec<Operation>,
    vacant: u32,
    reaped: Vec<(u64, i32, u32)>,
    next_reaped: usize,
    /// The timeout under way, and when it goes off.
    alarm: Option<(Armed, u64)>,
    /// What the kernel reads of it when it is submitted.
    alarm_after: Box<Timespec>,
    /// Calls of io_uring_enter, for the records of what a transaction costs.
    pub enters: u64,
}

const NO_SLOT: u32 = u32::MAX;

impl Ring {
    /// Opens a ring on the calling thread, which is then the only one that may use it.
    pub fn open() -> io::Result<Self> {
        let io = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_submit_all()
            .setup_cqsize(RING_COMPLETIONS)
            .build(RING_ENTRIES)?;
        let mut buffers = Buffers::map()?;
        // SAFETY: the entries are page-aligned, sized for BUFFERS and stay mapped until after the ring's file
        // descriptor is closed (Ring drops `io` first, then `buffers`; see Drop).
        unsafe {
            io.submitter().register_buf_ring_with_flags(
                buffers.entries.as_ptr() as u64,
                BUFFERS,
                BUFFER_GROUP,
                0,
            )?
        };
        buffers.spare.extend((0..BUFFERS).rev());
        buffers.fill();
        Ok(Self {
            io,
            buffers,
            operations: Vec::with_capacity(1024),
            vacant: NO_SLOT,
            reaped: Vec::with_capacity(RING_COMPLETIONS as usize),
            next_reaped: 0,
            alarm: None,
            alarm_after: Box::default(),
            enters: 0,
        })
    }

    /// Submits what is queued and waits for at least one completion, or until `due_ms` by the clock that is at `now_ms`;
    /// it may end earlier without either. One io_uring_enter per turn.
    pub fn turn(&mut self, now_ms: u64, due_ms: Option<u64>) -> io::Result<()> {
        if let Some(due_ms) = due_ms {
            self.set_alarm(now_ms, due_ms)?;
        }
        self.enters += 1;
        match self.io.submitter().submit_and_wait(1) {
            Ok(_) => {}
            Err(error) => match error.raw_os_error() {
                Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => {}
                _ => return Err(error),
            },
        }
        self.reaped.clear();
        self.next_reaped = 0;
        let mut completions = self.io.completion();
        completions.sync();
        self.reaped.extend(completions.map(|c| (c.user_data(), c.result(), c.flags())));
        Ok(())
    }

    /// Has a turn end at `due_ms`. A timeout of the turn's own would set the processor's timer each time; this one stays
    /// set over many turns, and is moved only where something is due earlier.
    fn set_alarm(&mut self, now_ms: u64, due_ms: u64) -> io::Result<()> {
        if self.alarm.is_some_and(|(_, set_ms)| set_ms <= due_ms) {
            return Ok(());
        }
        *self.alarm_after = Timespec::from(Duration::from_millis(due_ms.saturating_sub(now_ms)));
        let after: *const Timespec = &raw const *self.alarm_after;
        let armed = match self.alarm {
            Some((armed, _)) => {
                // Where it has gone off meanwhile this fails, and the turn ends by that.
                let entry = opcode::TimeoutUpdate::new(u64::from(armed.0), after).build();
                self.push(entry, Operation::Cancel)?;
                armed
            }
            None => self.push(opcode::Timeout::new(after).build(), Operation::Alarm)?,
        };
        self.alarm = Some((armed, due_ms));
        Ok(())
    }

    /// The next completion of this turn.
    pub fn completion(&mut self) -> Option<Completion> {
        loop {
            let (user_data, result, flags) = *self.reaped.get(self.next_reaped)?;
            self.next_reaped += 1;
            if let Some(completion) = self.complete(user_data as u32, result, flags) {
                return Some(completion);
            }
        }
    }

    fn complete(&mut self, slot: u32, result: i32, flags: u32) -> Option<Completion> {
        let armed = cqueue::more(flags);
        let outcome = if result < 0 { Err(-result) } else { Ok(result as usize) };
        let operation = self.operations.get_mut(slot as usize)?;
        match operation {
            Operation::Accept { owner } => {
                let owner = *owner;
                if !armed {
                    self.vacate(slot);
                }
                // SAFETY: a non-negative result of accept is a new descriptor that nobody else owns.
                let socket = outcome.map(|fd| unsafe { OwnedFd::from_raw_fd(fd as RawFd) });
                Some(Completion::Accepted { owner, socket, armed })
            }
            Operation::Receive { owner } => {
                let owner = *owner;
                if !armed {
                    self.vacate(slot);
                }
                let bytes = match (outcome, cqueue::buffer_select(flags)) {
                    (Ok(0), Some(buffer)) => {
                        self.buffers.take(buffer);
                        self.release(buffer);
                        Ok(None)
                    }
                    (Ok(0), None) => Ok(None),
                    (Ok(length), Some(buffer)) => {
                        self.buffers.take(buffer);
                        Ok(Some((buffer, HEADROOM_BYTES..HEADROOM_BYTES + length)))
                    }
                    (Ok(_), None) => Err(libc::EIO),
                    (Err(libc::ENOBUFS), _) => {
                        self.buffers.widen();
                        Err(libc::ENOBUFS)
                    }
                    (Err(errno), _) => Err(errno),
                };
                Some(Completion::Received { owner, bytes, armed })
            }
            Operation::Poll { owner } => {
                let owner = *owner;
                if !armed {
                    self.vacate(slot);
                }
                Some(Completion::Woken { owner, armed })
            }
            Operation::Send { .. }
            | Operation::Connect { .. }
            | Operation::Cancel
            | Operation::Alarm
            | Operation::Vacant { .. } => match self.vacate(slot) {
                Operation::Send { owner, chunk } => Some(Completion::Sent { owner, sent: outcome, chunk }),
                Operation::Connect { owner, .. } => {
                    Some(Completion::Connected { owner, result: outcome.map(|_| ()) })
                }
                Operation::Alarm => {
                    self.alarm = None;
                    None
                }
                _ => None,
            },
        }
    }

    /// Accepts connections on `listener` until cancelled.
    pub fn accept(&mut self, listener: RawFd, owner: Owner) -> io::Result<Armed> {
        let entry = opcode::AcceptMulti::new(Fd(listener)).flags(libc::SOCK_CLOEXEC).build();
        self.push(entry, Operation::Accept { owner })
    }

    /// Receives from `socket` into provided buffers until the end of the stream, an error, or [`Ring::cancel`].
    pub fn receive(&mut self, socket: RawFd, owner: Owner) -> io::Result<Armed> {
        let entry = opcode::RecvMulti::new(Fd(socket), BUFFER_GROUP).build();
        self.push(entry, Operation::Receive { owner })
    }

    /// Sends the chunk whole; the kernel goes on after short writes by itself.
    pub fn send(&mut self, socket: RawFd, chunk: Chunk, owner: Owner) -> io::Result<()> {
        let bytes = self.bytes(&chunk);
        let (pointer, length) = (bytes.as_ptr(), bytes.len() as u32);
        // The bytes stay put while the operation is under way: a pooled chunk holds a reference that keeps its
        // buffer from the kernel's receive ring, an owned one's heap block moves into the slot untouched.
        let entry = opcode::Send::new(Fd(socket), pointer, length)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build();
        self.push(entry, Operation::Send { owner, chunk })?;
        Ok(())
    }

    /// Connects `socket` to `address`.
    pub fn connect(&mut self, socket: RawFd, address: SocketAddr, owner: Owner) -> io::Result<Armed> {
        let raw = Box::new(RawAddress::new(address));
        let entry = opcode::Connect::new(Fd(socket), (&raw const raw.storage).cast(), raw.length).build();
        self.push(entry, Operation::Connect { owner, _address: raw })
    }

    /// Reports each time that `descriptor` (an eventfd) becomes readable.
    pub fn poll(&mut self, descriptor: RawFd, owner: Owner) -> io::Result<Armed> {
        let entry = opcode::PollAdd::new(Fd(descriptor), libc::POLLIN as u32).multi(true).build();
        self.push(entry, Operation::Poll { owner })
    }

    /// Ends an armed operation; its last completion says so (ECANCELED).
    pub fn cancel(&mut self, armed: Armed) -> io::Result<()> {
        let entry = opcode::AsyncCancel::new(u64::from(armed.0)).build();
        self.push(entry, Operation::Cancel)?;
        Ok(())
    }

    /// The bytes of a received buffer or of its headroom, to be masked in place or laid there. Never a range that was
    /// released before: the kernel may still be sending it.
    pub fn buffer_mut(&mut self, buffer: u16, range: Range<usize>) -> &mut [u8] {
        self.buffers.bytes_mut(buffer, range)
    }

    /// A chunk that refers to a part of a received buffer and keeps it from being received into.
    pub fn share(&mut self, buffer: u16, range: Range<usize>) -> Chunk {
        self.buffers.retain(buffer);
        Chunk::Pooled { buffer, range }
    }

    /// Gives up one reference to a buffer; the last one puts it back at the kernel's disposal.
    pub fn release(&mut self, buffer: u16) {
        self.buffers.release(buffer);
    }

    /// Buffers that nobody holds: the kernel has them at hand, or gets them as it uses those up.
    pub fn buffers_free(&self) -> u16 {
        self.buffers.free
    }

    /// Gives the kernel fewer buffers at hand where it has not needed them all lately. To be called now and then.
    pub fn narrow_buffers(&mut self) {
        self.buffers.narrow();
    }

    /// The bytes that a chunk still has to send.
    pub fn bytes<'a>(&'a self, chunk: &'a Chunk) -> &'a [u8] {
        match chunk {
            Chunk::Pooled { buffer, range } => self.buffers.bytes(*buffer, range.clone()),
            Chunk::Owned { bytes, range } => bytes.get(range.clone()).unwrap_or_default(),
        }
    }

    fn push(&mut self, entry: squeue::Entry, operation: Operation) -> io::Result<Armed> {
        let slot = self.occupy(operation);
        let entry = entry.user_data(u64::from(slot));
        loop {
            // SAFETY: everything that the entry points to is owned by `self` until the completion is reaped:
            // chunks and addresses sit in the operation's slot, receive buffers in `self.buffers`; the alarm's time in
            // `self.alarm_after`, which the kernel reads when it takes the entry, at this turn's end at the latest.
            let pushed = unsafe { self.io.submission().push(&entry) };
            if pushed.is_ok() {
                return Ok(Armed(slot));
            }
            self.enters += 1;
            if let Err(error) = self.io.submit()
                && !matches!(error.raw_os_error(), Some(libc::EINTR | libc::EAGAIN | libc::EBUSY))
            {
                self.vacate(slot);
                return Err(error);
            }
        }
    }

    fn occupy(&mut self, operation: Operation) -> u32 {
        if let Some(place) = self.operations.get_mut(self.vacant as usize)
            && let Operation::Vacant { next } = *place
        {
            let slot = self.vacant;
            self.vacant = next;
            *place = operation;
            return slot;
        }
        self.operations.push(operation);
        (self.operations.len() - 1) as u32
    }

    fn vacate(&mut self, slot: u32) -> Operation {
        match self.operations.get_mut(slot as usize) {
            Some(place) => {
                let operation = std::mem::replace(place, Operation::Vacant { next: self.vacant });
                self.vacant = slot;
                operation
            }
            None => Operation::Cancel,
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // Operations may still be under way in the kernel: what they point to must outlive this value, so it
        // is given up for good. A ring is dropped only when its process ends or its shard has failed.
        std::mem::forget(std::mem::take(&mut self.operations));
    }
}

/// The provided buffers: one mapping, `BUFFERS` of `BUFFER_BYTES`, their reference counts, and the ring of
/// entries that tells the kernel which it may use. Never unmapped: the kernel may still write into it.
///
/// Before each lie `HEADROOM_BYTES` that the kernel never writes to: what belongs before received bytes is laid there.
/// Ranges count from the headroom's start.
///
/// The kernel takes them in the order in which they were provided. So it has only a few at hand, and is given the one
/// freed last first: what is received and sent on then stays in the core's cache.
struct Buffers {
    entries: NonNull<BufRingEntry>,
    base: NonNull<u8>,
    references: Vec<u16>,
    tail: u16,
    /// Buffers that nobody holds: those at hand and the spare ones.
    free: u16,
    /// Buffers that nobody holds and the kernel does not have, the one freed last at the end.
    spare: Vec<u16>,
    /// Buffers that the kernel has.
    at_hand: u16,
    /// How many it should have.
    wanted: u16,
    /// The fewest that it has had since [`Buffers::narrow`].
    fewest: u16,
}

impl Buffers {
    fn map() -> io::Result<Self> {
        let entries = map_anonymous(usize::from(BUFFERS) * size_of::<BufRingEntry>())?;
        let base = map_anonymous(usize::from(BUFFERS) * BUFFER_STRIDE_BYTES)?;
        Ok(Self {
            entries: entries.cast(),
            base,
            references: vec![0; usize::from(BUFFERS)],
            tail: 0,
            free: BUFFERS,
            spare: Vec::with_capacity(usize::from(BUFFERS)),
            at_hand: 0,
            wanted: BUFFERS_AT_HAND_MIN,
            fewest: BUFFERS_AT_HAND_MIN,
        })
    }

    /// Provides spare buffers until the kernel has as many as wanted.
    fn fill(&mut self) {
        while self.at_hand < self.wanted
            && let Some(buffer) = self.spare.pop()
        {
            self.provide(buffer);
        }
    }

    /// The kernel has run out of those at hand in the midst of a turn.
    fn widen(&mut self) {
        self.wanted = self.wanted.saturating_mul(2).min(BUFFERS);
        self.fewest = 0;
        self.fill();
    }

    fn narrow(&mut self) {
        if self.fewest > self.wanted / 2 {
            self.wanted = (self.wanted / 2).max(BUFFERS_AT_HAND_MIN);
        }
        self.fewest = self.at_hand;
    }

    fn provide(&mut self, buffer: u16) {
        let index = usize::from(self.tail & (BUFFERS - 1));
        // SAFETY: index < BUFFERS, so the entry lies inside the mapping; only this thread writes entries, and
        // the kernel does not read this one before the tail below says so. buffer < BUFFERS (callers check).
        unsafe {
            let entry = &mut *self.entries.as_ptr().add(index);
            let start = usize::from(buffer) * BUFFER_STRIDE_BYTES + HEADROOM_BYTES;
            entry.set_addr(self.base.as_ptr().add(start) as u64);
            entry.set_len(BUFFER_BYTES as u32);
            entry.set_bid(buffer);
            self.tail = self.tail.wrapping_add(1);
            let tail = BufRingEntry::tail(self.entries.as_ptr()) as *const AtomicU16;
            (*tail).store(self.tail, Ordering::Release);
        }
        self.at_hand += 1;
    }

    /// The kernel has filled `buffer`: we hold the one reference to it.
    fn take(&mut self, buffer: u16) {
        if let Some(count) = self.references.get_mut(usize::from(buffer)) {
            *count = 1;
            self.free -= 1;
            self.at_hand -= 1;
            self.fewest = self.fewest.min(self.at_hand);
            self.fill();
        }
    }

    fn retain(&mut self, buffer: u16) {
        if let Some(count) = self.references.get_mut(usize::from(buffer)) {
            *count += 1;
        }
    }

    fn release(&mut self, buffer: u16) {
        let Some(count) = self.references.get_mut(usize::from(buffer)) else { return };
        if *count == 0 {
            return;
        }
        *count -= 1;
        if *count == 0 {
            self.free += 1;
            self.spare.push(buffer);
            self.fill();
        }
    }

    /// Start and length of `range` inside `buffer`, cut to the buffer and to buffers that we hold.
    fn locate(&self, buffer: u16, range: Range<usize>) -> (*mut u8, usize) {
        let held = self.references.get(usize::from(buffer)).is_some_and(|count| *count > 0);
        let end = if held { range.end.min(HEADROOM_BYTES + BUFFER_BYTES) } else { 0 };
        let start = range.start.min(end);
        let number = if held { usize::from(buffer) } else { 0 };
        // SAFETY: number < BUFFERS and start <= HEADROOM_BYTES + BUFFER_BYTES <= BUFFER_STRIDE_BYTES: inside the mapping.
        let pointer = unsafe { self.base.as_ptr().add(number * BUFFER_STRIDE_BYTES + start) };
        (pointer, end - start)
    }

    fn bytes(&self, buffer: u16, range: Range<usize>) -> &[u8] {
        let (pointer, length) = self.locate(buffer, range);
        // SAFETY: inside the mapping (locate); the kernel writes only into buffers that are provided, this one
        // is held; mutable access needs `&mut self`.
        unsafe { std::slice::from_raw_parts(pointer, length) }
    }

    fn bytes_mut(&mut self, buffer: u16, range: Range<usize>) -> &mut [u8] {
        let (pointer, length) = self.locate(buffer, range);
        // SAFETY: as in `bytes`; `&mut self` makes this the only view. A send that reads a part of this buffer
        // may be under way in the kernel: that is a data race of bytes only if its range is written again,
        // which relay.rs rules out (released ranges are never handed out again).
        unsafe { std::slice::from_raw_parts_mut(pointer, length) }
    }
}

fn map_anonymous(length: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: an anonymous private mapping at an address of the kernel's choice touches nothing that exists.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            length,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(address.cast()).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))
}

impl RawAddress {
    fn new(address: SocketAddr) -> Self {
        // SAFETY: all-zero bytes are a valid sockaddr_storage.
        let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
        let length = match address {
            SocketAddr::V4(v4) => {
                let raw = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: v4.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                    sin_zero: [0; 8],
                };
                // SAFETY: sockaddr_storage is larger than and aligned for every sockaddr.
                unsafe { (&raw mut storage).cast::<libc::sockaddr_in>().write(raw) };
                size_of::<libc::sockaddr_in>()
            }
            SocketAddr::V6(v6) => {
                let raw = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: v6.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                    sin6_scope_id: v6.scope_id(),
                };
                // SAFETY: as above.
                unsafe { (&raw mut storage).cast::<libc::sockaddr_in6>().write(raw) };
                size_of::<libc::sockaddr_in6>()
            }
        };
        Self { storage, length: length as libc::socklen_t }
    }
}

/// A listening TCP socket that shares its port with the other shards' (SO_REUSEPORT).
pub fn listen(address: SocketAddr, backlog: i32) -> io::Result<OwnedFd> {
    let socket = open_socket(address)?;
    set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR)?;
    set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEPORT)?;
    let raw = RawAddress::new(address);
    // SAFETY: the address is valid for `length` bytes for the duration of the call.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const raw.storage).cast(), raw.length) };
    if bound != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: no memory is passed.
    if unsafe { libc::listen(socket.as_raw_fd(), backlog) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

/// A TCP socket for a connection to `address`, not yet connected.
pub fn open_socket(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: no memory is passed; a non-negative result is a descriptor that nobody else owns.
    unsafe {
        let fd = libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

/// Sends small segments at once: a gateway must not wait to fill packets.
pub fn set_no_delay(socket: &OwnedFd) -> io::Result<()> {
    set_option(socket, libc::IPPROTO_TCP, libc::TCP_NODELAY)
}

/// Has the kernel find out within about a minute that a peer is gone without a word: its session, locks and held command
/// must not outlive it.
pub fn keep_alive(socket: &OwnedFd) -> io::Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE)?;
    set_value(socket, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, KEEPALIVE_IDLE_S)?;
    set_value(socket, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)?;
    set_value(socket, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, KEEPALIVE_PROBES)
}

fn set_option(socket: &OwnedFd, level: i32, name: i32) -> io::Result<()> {
    set_value(socket, level, name, 1)
}

fn set_value(socket: &OwnedFd, level: i32, name: i32, value: libc::c_int) -> io::Result<()> {
    // SAFETY: `value` is valid for its size for the duration of the call.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if set != 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Ends one direction of a connection: the peer reads the end of the stream.
pub fn shut_down_write(socket: &OwnedFd) {
    // SAFETY: no memory is passed. A failure means that the connection is gone, which its receive reports.
    unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_WR) };
}

/// Ends both directions: whatever is under way on the socket completes.
pub fn shut_down(socket: &OwnedFd) {
    // SAFETY: no memory is passed. A failure means that the connection is gone already.
    unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_RDWR) };
}

/// The address of the other end.
pub fn peer_address(socket: &OwnedFd) -> io::Result<SocketAddr> {
    // SAFETY: a clone of the descriptor is owned by the stream and closed with it.
    let stream = std::net::TcpStream::from(socket.try_clone()?);
    stream.peer_addr()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn turns_end_when_something_is_due() {
        let mut ring = Ring::open().unwrap();
        let start = Instant::now();
        let now_ms = || start.elapsed().as_millis() as u64;
        // Set, moved, set again where it has gone off.
        ring.set_alarm(now_ms(), 60_000).unwrap();
        for after_ms in [40, 20, 0, 50] {
            let due_ms = now_ms() + after_ms;
            while now_ms() < due_ms {
                ring.turn(now_ms(), Some(due_ms)).unwrap();
                while ring.completion().is_some() {}
            }
        }
        assert!(now_ms() < 30_000, "the one of a minute was waited for");
    }

    fn buffers() -> Buffers {
        let mut buffers = Buffers::map().unwrap();
        buffers.spare.extend((0..BUFFERS).rev());
        buffers.fill();
        buffers
    }

    #[test]
    fn the_buffer_freed_last_is_received_into_next() {
        let mut buffers = buffers();
        let mut used = std::collections::BTreeSet::new();
        for turn in 0..1000 {
            // SAFETY: inside the mapping; no kernel reads this one.
            let next = unsafe { (*buffers.entries.as_ptr().add(turn % usize::from(BUFFERS))).bid() };
            buffers.take(next);
            buffers.release(next);
            used.insert(next);
        }
        assert!(used.len() <= usize::from(BUFFERS_AT_HAND_MIN) + 1, "{} are in use", used.len());
        assert_eq!((buffers.at_hand, buffers.free), (BUFFERS_AT_HAND_MIN, BUFFERS));
    }

    #[test]
    fn the_kernel_gets_more_where_it_runs_out_and_fewer_where_it_does_not_use_them() {
        let mut buffers = buffers();
        for wanted in [32, 64, 128, 256, 512, 512] {
            buffers.widen();
            assert_eq!((buffers.wanted, buffers.at_hand), (wanted, wanted));
        }
        for buffer in 0..BUFFERS {
            buffers.take(buffer);
        }
        assert_eq!((buffers.at_hand, buffers.free), (0, 0));
        for buffer in 0..BUFFERS {
            buffers.release(buffer);
        }
        buffers.narrow();
        assert_eq!(buffers.wanted, BUFFERS, "all were needed");
        buffers.narrow();
        assert_eq!(buffers.wanted, BUFFERS / 2);
    }
}
