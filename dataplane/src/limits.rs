//! Every bound of the dataplane, in one place, with the relations between them checked at compile time.

/// Submission entries of a shard's ring.
pub const RING_ENTRIES: u32 = 1024;
/// Completion entries: several per connection may arrive in one turn.
pub const RING_COMPLETIONS: u32 = 8192;
/// Receive buffers that a shard provides to the kernel.
pub const BUFFERS: u16 = 512;
/// Bytes of one receive buffer.
pub const BUFFER_BYTES: usize = 64 * 1024;
/// Distance between two buffers: not a power of two, so that their first lines fall into different cache sets.
pub const BUFFER_STRIDE_BYTES: usize = BUFFER_BYTES + 192;
/// Buffers queued towards a slow peer before its opposite is no longer read.
pub const QUEUED_CHUNKS_HIGH: usize = 8;
/// Queue length at which reading goes on again.
pub const QUEUED_CHUNKS_LOW: usize = 2;
/// Connections waiting to be accepted.
pub const ACCEPT_BACKLOG: i32 = 4096;

const _: () = assert!(BUFFERS.is_power_of_two());
const _: () = assert!(QUEUED_CHUNKS_LOW < QUEUED_CHUNKS_HIGH);
const _: () = assert!(RING_COMPLETIONS >= RING_ENTRIES);
