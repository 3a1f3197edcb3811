//! One socket of a connection: whether it is being received from, and the queue of what is to be sent to it.
//! Knows order and back-pressure; leaves out protocol, TLS and policy. Lives on its shard's core.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use crate::limits::{QUEUED_CHUNKS_HIGH, QUEUED_CHUNKS_LOW};
use crate::ring::{Armed, Chunk, Owner, Ring};

/// One side of a connection.
pub struct Leg {
    socket: OwnedFd,
    owner: Owner,
    receiving: Receiving,
    /// The connect under way, if any.
    connecting: Option<Armed>,
    /// Chunks not yet handed to the kernel, in order.
    queue: VecDeque<Chunk>,
    /// A send is under way: the next one waits, so that bytes keep their order.
    sending: bool,
    /// The peer has ended its stream or the connection has failed: nothing more will be received.
    pub ended: bool,
    /// Our stream towards the peer is to end once the queue is empty.
    finishing: bool,
    finished: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Receiving {
    Off,
    On(Armed),
    /// Cancelled by us; the kernel has not confirmed. `resume`: arm again when it has.
    Stopping {
        resume: bool,
    },
}

impl Leg {
    /// A leg over a connected socket.
    pub fn new(socket: OwnedFd, owner: Owner) -> Self {
        Self {
            socket,
            owner,
            receiving: Receiving::Off,
            connecting: None,
            queue: VecDeque::with_capacity(QUEUED_CHUNKS_HIGH),
            sending: false,
            ended: false,
            finishing: false,
            finished: false,
        }
    }

    /// Connects the leg's socket; [`crate::ring::Completion::Connected`] says how it went.
    pub fn connect(&mut self, ring: &mut Ring, address: SocketAddr) -> io::Result<()> {
        self.connecting = Some(ring.connect(self.socket.as_raw_fd(), address, self.owner)?);
        Ok(())
    }

    /// Takes note that the connect is over, either way.
    pub fn connected(&mut self) {
        self.connecting = None;
    }

    /// The ring's number for this leg.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Whether it is connected, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.connecting.is_none()
    }

    /// The socket itself, for its addresses and options.
    pub fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// Reads from the peer until told to stop. Does nothing where that is already so.
    pub fn receive(&mut self, ring: &mut Ring) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        match &mut self.receiving {
            Receiving::Off => {
                self.receiving = Receiving::On(ring.receive(self.socket.as_raw_fd(), self.owner)?)
            }
            Receiving::On(_) => {}
            Receiving::Stopping { resume } => *resume = true,
        }
        Ok(())
    }

    /// Stops reading: the kernel's own window then slows the peer down.
    pub fn pause(&mut self, ring: &mut Ring) -> io::Result<()> {
        match &mut self.receiving {
            Receiving::On(armed) => {
                ring.cancel(*armed)?;
                self.receiving = Receiving::Stopping { resume: false };
            }
            Receiving::Stopping { resume } => *resume = false,
            Receiving::Off => {}
        }
        Ok(())
    }

    /// Takes note of what a receive completion says; `true` when the receive should be armed again at once.
    pub fn received(&mut self, armed: bool, over: bool) -> bool {
        self.ended |= over;
        if armed {
            return false;
        }
        let resume = !matches!(self.receiving, Receiving::Stopping { resume: false });
        self.receiving = Receiving::Off;
        resume && !self.ended
    }

    /// Queues bytes for the peer; adjacent parts of one buffer become one send.
    pub fn queue(&mut self, ring: &mut Ring, chunk: Chunk) {
        if self.finishing {
            discard(ring, chunk);
            return;
        }
        if let (Some(Chunk::Pooled { buffer, range }), Chunk::Pooled { buffer: next, range: more }) =
            (self.queue.back_mut(), &chunk)
            && *buffer == *next
            && range.end == more.start
        {
            range.end = more.end;
            let buffer = *buffer;
            ring.release(buffer);
            return;
        }
        self.queue.push_back(chunk);
    }

    /// Hands the next chunk to the kernel, if none is under way.
    pub fn flush(&mut self, ring: &mut Ring) -> io::Result<()> {
        if self.sending {
            return Ok(());
        }
        if let Some(chunk) = self.queue.pop_front() {
            self.sending = true;
            return ring.send(self.socket.as_raw_fd(), chunk, self.owner);
        }
        if self.finishing && !self.finished {
            self.finished = true;
            crate::ring::shut_down_write(&self.socket);
        }
        Ok(())
    }

    /// Takes note of a finished send and goes on with what it left or what is queued. The chunk's memory
    /// comes back where it was our own.
    pub fn sent(
        &mut self,
        ring: &mut Ring,
        sent: Result<usize, i32>,
        chunk: Chunk,
    ) -> Result<Option<Vec<u8>>, i32> {
        self.sending = false;
        let sent = match sent {
            Ok(sent) => sent,
            Err(errno) => {
                discard(ring, chunk);
                return Err(errno);
            }
        };
        let reusable = if sent < chunk.len() {
            self.queue.push_front(shorten(chunk, sent));
            None
        } else {
            discard(ring, chunk)
        };
        self.flush(ring).map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))?;
        Ok(reusable)
    }

    /// Ends our stream towards the peer once everything queued has gone out.
    pub fn finish(&mut self, ring: &mut Ring) -> io::Result<()> {
        self.finishing = true;
        self.flush(ring)
    }

    /// Everything queued, and the end of the stream where it was asked for, has gone out.
    pub fn is_drained(&self) -> bool {
        !self.sending && self.queue.is_empty()
    }

    /// So much is queued that the opposite side must not be read.
    pub fn is_full(&self) -> bool {
        self.queue.len() >= QUEUED_CHUNKS_HIGH
    }

    /// Little enough is queued that the opposite side may be read again.
    pub fn has_room(&self) -> bool {
        self.queue.len() <= QUEUED_CHUNKS_LOW
    }

    /// No operation of the kernel refers to this leg any more.
    pub fn is_quiet(&self) -> bool {
        !self.sending && self.connecting.is_none() && self.receiving == Receiving::Off
    }

    /// Gives the connection up: what is queued is dropped, what is under way completes.
    pub fn abandon(&mut self, ring: &mut Ring) -> io::Result<()> {
        self.ended = true;
        self.finishing = true;
        self.finished = true;
        while let Some(chunk) = self.queue.pop_front() {
            discard(ring, chunk);
        }
        crate::ring::shut_down(&self.socket);
        if let Some(armed) = self.connecting {
            ring.cancel(armed)?;
        }
        self.pause(ring)
    }
}

fn shorten(chunk: Chunk, sent: usize) -> Chunk {
    match chunk {
        Chunk::Pooled { buffer, range } => Chunk::Pooled { buffer, range: range.start + sent..range.end },
        Chunk::Owned { bytes, range } => Chunk::Owned { bytes, range: range.start + sent..range.end },
    }
}

fn discard(ring: &mut Ring, chunk: Chunk) -> Option<Vec<u8>> {
    match chunk {
        Chunk::Pooled { buffer, .. } => {
            ring.release(buffer);
            None
        }
        Chunk::Owned { bytes, .. } => Some(bytes),
    }
}
