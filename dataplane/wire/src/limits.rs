//! Every bound of the engines, with the relations between them.

/// A message of a row or of COPY data longer than this is passed on in parts; any other is held until complete.
pub const LARGE_BYTES: usize = 32 * 1024;

/// The longest message of the target's that must be in hand as a whole (row descriptions, errors).
pub const SERVER_MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// The longest start-up packet (PostgreSQL's own bound).
pub const STARTUP_BYTES_MAX: usize = 10_000;

/// The longest identity token.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// What SASL adds to a token: the mechanism, the header, other pairs.
pub const SASL_BYTES_MAX: usize = 1024;

/// Bytes of a MySQL client's connection attributes: drivers send a few hundred.
pub const ATTRIBUTES_BYTES_MAX: usize = 8 * 1024;

/// The longest HandshakeResponse: a token, attributes, and names.
pub const RESPONSE_BYTES_MAX: usize = TOKEN_BYTES_MAX + ATTRIBUTES_BYTES_MAX + 2 * 1024;

/// The longest scramble of a MySQL server.
pub const SCRAMBLE_BYTES_MAX: usize = 255;

/// Packets that a MySQL target may send between the gateway's HandshakeResponse and its verdict.
pub const AUTH_ROUNDS_MAX: u32 = 16;

/// PARSEC's work, as MariaDB's clients bound it: 1,024 iterations, doubled so many times.
pub const PARSEC_FACTOR_MAX: u8 = 3;

/// The longest message during a login to the target.
pub const LOGIN_MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// How many messages a target may send before the session is open (settings, notices).
pub const LOGIN_MESSAGES_MAX: u32 = 1_000;

/// SCRAM iterations: more is a way to keep this core busy, fewer makes the password guessable.
pub const SCRAM_ITERATIONS_MAX: u32 = 100_000;
/// As [`SCRAM_ITERATIONS_MAX`].
pub const SCRAM_ITERATIONS_MIN: u32 = 4_096;

/// The longest secret of a cancel key (protocol 3.2).
pub const CANCEL_SECRET_BYTES_MAX: usize = 256;

/// How long a login may take, each leg's.
pub const LOGIN_MS_MAX: u64 = 30_000;

/// How long a target may take to reset a connection for the next session.
pub const RESET_MS_MAX: u64 = 5_000;

/// How long a kept connection may take to show that it is alive before the session tries a fresh one.
pub const PROOF_MS_MAX: u64 = 3_000;

/// Bytes of a target's settings that are kept for the next session.
pub const SETTINGS_BYTES_MAX: usize = 16 * 1024;

/// How long a cancel request may take.
pub const ERRAND_MS_MAX: u64 = 10_000;

/// How often a MySQL client that takes progress reports is told that its command is still held (MariaDB's own
/// `progress_report_time`).
pub const HELD_REPORT_MS: u64 = 5_000;

/// Commands forwarded and not yet answered; more wait in the client's buffer.
pub const PENDING_MAX: usize = 4_096;

/// Columns of one result (PostgreSQL's own bound is 1,664).
pub const COLUMNS_MAX: usize = 1_664;

/// Columns of one result of MySQL's (its own bound).
pub const MYSQL_COLUMNS_MAX: usize = 4_096;

/// Arrays and composites inside one another in a binary value; what is deeper is hidden.
pub const NESTING_MAX: u32 = 32;

/// Messages of COPY data over which what must be seen at once may be spread: the end of a row that may hold a number
/// which goes on in the next, a field of the binary format. PostgreSQL sends a row in one message.
pub const COPY_PIECES_MAX: usize = 512;

/// The longest name of a statement or portal: of longer ones PostgreSQL compares the start alone.
pub const NAME_BYTES_MAX: usize = 63;

/// Bounds that a listener may set for its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest message that carries a statement or its parameters.
    pub statement_bytes_max: usize,
    /// Prepared statements kept at a time.
    pub statements_max: usize,
    /// Bytes of their texts; of MySQL's also what else is kept of them (types, values sent ahead, cursors).
    pub statements_bytes_max: usize,
    /// Named portals open at a time.
    pub portals_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            statement_bytes_max: 16 * 1024 * 1024,
            statements_max: 4_096,
            statements_bytes_max: 16 * 1024 * 1024,
            portals_max: 256,
        }
    }
}

const _: () = assert!(LARGE_BYTES > TOKEN_BYTES_MAX + SASL_BYTES_MAX);
const _: () = assert!(LARGE_BYTES > RESPONSE_BYTES_MAX);
const _: () = assert!(LOGIN_MESSAGE_BYTES_MAX > SCRAMBLE_BYTES_MAX);
const _: () = assert!(1_024 << PARSEC_FACTOR_MAX < SCRAM_ITERATIONS_MAX);
const _: () = assert!(SERVER_MESSAGE_BYTES_MAX > LARGE_BYTES);
const _: () = assert!(SCRAM_ITERATIONS_MIN < SCRAM_ITERATIONS_MAX);
