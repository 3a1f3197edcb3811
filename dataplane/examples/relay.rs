//! The floor that the gateway is measured against: the shard's ring and legs with no engine, policy or record.
//! `relay LISTEN TARGET [SHARDS]` passes bytes both ways until it is ended.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measuring instrument, not a part of the gateway"
)]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::AsRawFd;

use dataplane::leg::Leg;
use dataplane::limits::ACCEPT_BACKLOG;
use dataplane::ring::{Completion, Ring, listen, open_socket, set_no_delay};

struct Pair {
    legs: [Leg; 2],
    connected: bool,
}

const LISTENER: u64 = u64::MAX;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let from: SocketAddr = arguments[1].parse().unwrap();
    let to: SocketAddr = arguments[2].parse().unwrap();
    let shards: usize = arguments.get(3).map_or(2, |text| text.parse().unwrap());
    let threads: Vec<_> =
        (0..shards).map(|_| std::thread::spawn(move || Shard::open(from, to).run())).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

struct Shard {
    ring: Ring,
    listener: std::os::fd::OwnedFd,
    to: SocketAddr,
    pairs: Vec<Option<Pair>>,
    starved: VecDeque<u64>,
}

impl Shard {
    fn open(from: SocketAddr, to: SocketAddr) -> Self {
        let mut ring = Ring::open().unwrap();
        let listener = listen(from, ACCEPT_BACKLOG).unwrap();
        ring.accept(listener.as_raw_fd(), LISTENER).unwrap();
        Self { ring, listener, to, pairs: Vec::new(), starved: VecDeque::new() }
    }

    fn run(mut self) {
        loop {
            self.ring.turn(0, None).unwrap();
            while let Some(completion) = self.ring.completion() {
                match completion {
                    Completion::Accepted { socket, armed, .. } => self.accept(socket, armed),
                    Completion::Connected { owner, result } => self.connect(owner, result),
                    Completion::Received { owner, bytes, armed } => self.receive(owner, bytes, armed),
                    Completion::Sent { owner, sent, chunk } => self.sent(owner, sent, chunk),
                    Completion::Woken { .. } => {}
                }
            }
            while self.ring.buffers_free() > 0
                && let Some(owner) = self.starved.pop_front()
            {
                if let Some(pair) = self.pairs[(owner / 2) as usize].as_mut() {
                    pair.legs[(owner % 2) as usize].receive(&mut self.ring).unwrap();
                }
            }
        }
    }

    fn accept(&mut self, socket: Result<std::os::fd::OwnedFd, i32>, armed: bool) {
        if !armed {
            self.ring.accept(self.listener.as_raw_fd(), LISTENER).unwrap();
        }
        let Ok(client) = socket else { return };
        set_no_delay(&client).unwrap();
        let server = open_socket(self.to).unwrap();
        set_no_delay(&server).unwrap();
        let index = self.pairs.iter().position(Option::is_none).unwrap_or_else(|| {
            self.pairs.push(None);
            self.pairs.len() - 1
        });
        let owner = (index as u64) * 2;
        let mut legs = [Leg::new(client, owner), Leg::new(server, owner + 1)];
        legs[1].connect(&mut self.ring, self.to).unwrap();
        self.pairs[index] = Some(Pair { legs, connected: false });
    }

    fn connect(&mut self, owner: u64, result: Result<(), i32>) {
        let pair = self.pairs[(owner / 2) as usize].as_mut().unwrap();
        pair.connected = true;
        pair.legs[1].connected();
        for leg in &mut pair.legs {
            match result {
                Ok(()) => leg.receive(&mut self.ring).unwrap(),
                Err(_) => leg.abandon(&mut self.ring).unwrap(),
            }
        }
        self.reap(owner);
    }

    fn receive(&mut self, owner: u64, bytes: Result<Option<(u16, Range<usize>)>, i32>, armed: bool) {
        let Some(pair) = self.pairs[(owner / 2) as usize].as_mut() else { return };
        let side = (owner % 2) as usize;
        let [client, server] = &mut pair.legs;
        let (leg, other) = if side == 0 { (client, server) } else { (server, client) };
        let over = matches!(bytes, Ok(None))
            || matches!(bytes, Err(errno) if errno != libc::ENOBUFS && errno != libc::ECANCELED);
        if leg.received(armed, over) {
            if self.ring.buffers_free() > 0 {
                leg.receive(&mut self.ring).unwrap();
            } else {
                self.starved.push_back(owner);
            }
        }
        match bytes {
            Ok(Some((buffer, range))) => {
                let chunk = self.ring.share(buffer, range);
                other.queue(&mut self.ring, chunk);
                self.ring.release(buffer);
                other.flush(&mut self.ring).unwrap();
                if other.is_full() {
                    leg.pause(&mut self.ring).unwrap();
                }
            }
            Ok(None) => other.finish(&mut self.ring).unwrap(),
            Err(_) if over => other.abandon(&mut self.ring).unwrap(),
            Err(_) => {}
        }
        self.reap(owner);
    }

    fn sent(&mut self, owner: u64, sent: Result<usize, i32>, chunk: dataplane::ring::Chunk) {
        let pair = self.pairs[(owner / 2) as usize].as_mut().unwrap();
        let [client, server] = &mut pair.legs;
        let (leg, other) = if owner.is_multiple_of(2) { (client, server) } else { (server, client) };
        if leg.sent(&mut self.ring, sent, chunk).is_err() {
            leg.abandon(&mut self.ring).unwrap();
            other.abandon(&mut self.ring).unwrap();
        } else if leg.has_room() && !other.ended {
            other.receive(&mut self.ring).unwrap();
        }
        self.reap(owner);
    }

    fn reap(&mut self, owner: u64) {
        let place = &mut self.pairs[(owner / 2) as usize];
        if let Some(pair) = place
            && pair.connected
            && pair.legs.iter().all(|leg| leg.ended && leg.is_quiet() && leg.is_drained())
        {
            *place = None;
        }
    }
}
