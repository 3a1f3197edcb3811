//! Every bound of the dataplane, in one place, with the relations between them checked at compile time.

/// Submission entries of a shard's ring.
pub const RING_ENTRIES: u32 = 1024;
/// Completion entries: several per connection may arrive in one turn.
pub const RING_COMPLETIONS: u32 = 8192;
/// Receive buffers that a shard provides to the kernel.
pub const BUFFERS: u16 = 512;
/// Bytes of one receive buffer.
pub const BUFFER_BYTES: usize = 64 * 1024;
/// Room before each buffer for the start of a message of which the buffer has the rest: longer ones are passed on in parts.
pub const HEADROOM_BYTES: usize = wire::limits::LARGE_BYTES;
/// Distance between two buffers: not a power of two, so that their first lines fall into different cache sets.
pub const BUFFER_STRIDE_BYTES: usize = HEADROOM_BYTES + BUFFER_BYTES + 192;
/// Buffers queued towards a slow peer before its opposite is no longer read.
pub const QUEUED_CHUNKS_HIGH: usize = 8;
/// Queue length at which reading goes on again.
pub const QUEUED_CHUNKS_LOW: usize = 2;
/// Connections waiting to be accepted.
pub const ACCEPT_BACKLOG: i32 = 4096;

/// Buffers that the kernel has at hand at first: it takes them in turn, so that few stay in the core's cache.
pub const BUFFERS_AT_HAND_MIN: u16 = 16;

const _: () = assert!(BUFFERS_AT_HAND_MIN > 0 && BUFFERS_AT_HAND_MIN <= BUFFERS);
const _: () = assert!(BUFFERS.is_power_of_two());
const _: () = assert!(QUEUED_CHUNKS_LOW < QUEUED_CHUNKS_HIGH);
const _: () = assert!(RING_COMPLETIONS >= RING_ENTRIES);

/// Bytes of one TLS record with its header: 2^14 of plaintext, 2048 of expansion (RFC 8446, 5.2).
pub const TLS_RECORD_BYTES_MAX: usize = 5 + 16 * 1024 + 2048;
/// Bytes of a file of certificates or of a key.
pub const PEM_BYTES_MAX: usize = 1024 * 1024;
/// At so few free receive buffers what is sent is copied out of them: slow peers must not keep them from the others.
pub const BUFFERS_SCARCE: u16 = BUFFERS / 4;
/// Plaintext of one side that may wait for its engine before its peer is no longer read.
pub const UNPARSED_BYTES_HIGH: usize = 1024 * 1024;
/// Milliseconds a target has to accept a connection.
pub const CONNECT_MS_MAX: u64 = 10_000;
/// Milliseconds that peers have to take what is left when a session closes.
pub const CLOSING_MS_MAX: u64 = 5_000;
/// Milliseconds a client has to finish TLS and login.
pub const LOGIN_MS_MAX: u64 = 30_000;
/// Milliseconds that a target's connection serves one session after the other: then a fresh one is opened, by a login
/// that the target can refuse.
pub const POOL_LIFETIME_MS: u64 = 10 * 60 * 1000;
/// Open connections of one shard.
pub const CONNECTIONS_MAX: usize = 1 << 20;

const _: () = assert!(BUFFERS_SCARCE > 0 && BUFFERS_SCARCE < BUFFERS);

/// Milliseconds that records of no admitted session gather before they are handed to the executor. A session's gather
/// for three fifths of its policy's `within`: the rest is for the write itself.
pub const RECORD_GATHER_MS: u64 = 20;
/// Milliseconds that records gather at most, however long policy lets them.
pub const RECORD_GATHER_MS_MAX: u64 = 1000;
/// Bytes of records that are handed over at once, whatever the time.
pub const RECORD_BATCH_BYTES: usize = 256 * 1024;
/// Bytes of records not yet on disk behind which nothing more is forwarded.
pub const RECORD_BACKLOG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Verdicts that a shard remembers.
pub const VERDICTS_MAX: usize = 8192;
/// Prepared statements of one session whose verdict is remembered.
pub const SESSION_VERDICTS_MAX: usize = 1024;
/// Bytes of a statement or parameter list as recorded; the rest is cut, and said to be.
pub const RECORDED_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one response record.
pub const RECORDED_RESPONSE_BYTES_MAX: usize = 64 * 1024;
/// Bytes that an answer's digest is fed at a time: sixteen of BLAKE3's chunks, as many as it takes at once.
pub const DIGEST_PIECE_BYTES: usize = 16 * 1024;
/// Commands held at one time by one shard.
pub const HELD_MAX: usize = 4096;

const _: () = assert!(RECORD_BATCH_BYTES * 4 <= RECORD_BACKLOG_BYTES_MAX);
/// Milliseconds between two health reports.
pub const HEALTH_EVERY_MS: u64 = 5_000;

/// Bytes of an identity token.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Levels of arrays and objects in a token's JSON.
pub const TOKEN_DEPTH_MAX: usize = 16;
/// Keys that are tried on a token whose header names none, or one that several keys have.
pub const TOKEN_KEYS_TRIED_MAX: usize = 8;
/// Seconds by which an issuer's clock may be ahead of ours.
pub const TOKEN_LEEWAY_S: u64 = 60;
/// Seconds that a token may still live when it comes: its use must be remembered for so long.
pub const TOKEN_LIFETIME_S_MAX: u64 = 7 * 24 * 3600;
/// Verified tokens that a shard remembers.
pub const TOKENS_CACHED_MAX: usize = 1024;
/// Seconds that a used token is remembered beyond its expiry, should the clock be set back.
pub const TOKEN_MEMORY_S: u64 = 15 * 60;
/// Used tokens that the ledger remembers.
pub const LEDGER_TOKENS_MAX: usize = 1 << 20;
/// Claims that wait for the ledger.
pub const LEDGER_QUEUE_MAX: usize = 4096;
/// Claims that share one sync.
pub const LEDGER_BATCH_MAX: usize = 256;
/// Seconds between two searches of the ledger for what has expired.
pub const LEDGER_SWEEP_S: u64 = 60;
/// Entries in the ledger's journal beyond twice the remembered ones before it is rewritten.
pub const LEDGER_SLACK_ENTRIES: usize = 16 * 1024;
/// Entries in the ledger's journal.
pub const LEDGER_JOURNAL_ENTRIES_MAX: usize = 2 * LEDGER_TOKENS_MAX + LEDGER_SLACK_ENTRIES + LEDGER_BATCH_MAX;
/// Bytes of a target's password.
pub const PASSWORD_BYTES_MAX: usize = 4096;
/// Milliseconds between two looks at a target's password file.
pub const PASSWORD_LOOK_MS: u64 = 1000;
/// Bytes of the boot configuration.
pub const CONFIG_BYTES_MAX: usize = 64 * 1024;
/// Shards of one process.
pub const SHARDS_MAX: u16 = 256;

const _: () = assert!(TOKEN_MEMORY_S > TOKEN_LEEWAY_S);
const _: () = assert!(LEDGER_BATCH_MAX <= LEDGER_QUEUE_MAX);
/// Milliseconds until a listener whose accept has failed is armed again.
pub const ACCEPT_PAUSE_MS: u64 = 100;
/// Seconds of silence after which a peer is probed.
pub const KEEPALIVE_IDLE_S: i32 = 30;
/// Seconds between two probes.
pub const KEEPALIVE_INTERVAL_S: i32 = 10;
/// Probes without an answer after which a peer is gone.
pub const KEEPALIVE_PROBES: i32 = 3;
/// Statements that a session may have prepared by SQL, as far as they are known to EXECUTE.
pub const NAMED_MAX: usize = 256;
/// Bytes of their texts that a session's holds may show of them; what is prepared beyond cannot be held when it is run.
pub const NAMED_BYTES_MAX: usize = 1024 * 1024;
/// Seconds between two readings of the catalog of a place whose columns are labelled.
pub const CATALOG_EVERY_S: u64 = 60;
/// Seconds that one reading may take.
pub const CATALOG_READ_S_MAX: u64 = 20;
/// Seconds without a good reading after which its facts are no longer used.
pub const CATALOG_AGE_S_MAX: u64 = 600;
/// Milliseconds that a command waits for facts.
pub const CATALOG_WAIT_MS_MAX: u64 = 30_000;
/// Milliseconds between two requests of one session because of answers that the facts do not explain.
pub const CATALOG_ASK_MS: u64 = 1_000;
/// Databases whose catalogs are kept.
pub const CATALOG_PLACES_MAX: usize = 256;
/// Words that wait for the catalog's thread.
pub const CATALOG_QUEUE_MAX: usize = 1024;
/// Relations of one database.
pub const CATALOG_RELATIONS_MAX: usize = 1 << 20;
/// Columns of one database that carry a label.
pub const CATALOG_LABELLED_MAX: usize = 100_000;
/// Views of one database whose columns are asked for at one reading.
pub const CATALOG_VIEWS_MAX: usize = 5_000;
/// Views upon views.
pub const CATALOG_ROUNDS_MAX: usize = 64;

const _: () = assert!(CATALOG_EVERY_S * 3 <= CATALOG_AGE_S_MAX);
const _: () = assert!(CATALOG_READ_S_MAX * 1000 < CATALOG_WAIT_MS_MAX);
const _: () = assert!(CATALOG_READ_S_MAX < CATALOG_EVERY_S);
