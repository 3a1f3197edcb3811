//! Messages between dataplane and mgmt over their Unix socket: versioned, bounded, checked before use. Framing:
//! u32 big-endian length of what follows, u8 version, rkyv bytes.

use crate::approval::{Ticket, TicketId};

/// Version of these messages; another is refused.
pub const VERSION: u8 = 1;
/// Bytes of one message at the most.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the dataplane tells mgmt.
#[derive(Debug, Clone, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum ToMgmt {
    /// First message of a connection.
    Hello { instance: String, shards: u16, snapshot: u64 },
    /// Each few seconds.
    Health(Health),
    /// A command waits. Sent again after a reconnect for every ticket that still waits.
    Ticket(Ticket),
    /// A ticket no longer waits: the client is gone, cancelled, or its time is over.
    Withdrawn { ticket: TicketId, reason: String },
    /// A ticket's ruling has taken effect (the command went on, or was refused).
    Settled { ticket: TicketId, outcome: String },
    /// A snapshot was taken into use, or refused and why.
    Applied { version: u64, error: Option<String> },
    /// The newest signed checkpoint of one evidence log, for mgmt to witness.
    Checkpoint { origin: String, note: String },
}

/// How the dataplane is.
#[derive(Debug, Clone, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Health {
    /// Open sessions.
    pub sessions: u64,
    /// Commands since start.
    pub commands: u64,
    /// Commands held now.
    pub held: u64,
    /// Card numbers masked since start.
    pub masked: u64,
    /// Whether evidence is being written; where not, why.
    pub recording: Result<(), String>,
    /// Snapshot version in use; 0: none.
    pub snapshot: u64,
    /// Targets whose credential or address is in trouble: name and cause.
    pub troubles: Vec<(String, String)>,
}

/// What mgmt tells the dataplane.
#[derive(Debug, Clone, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum ToDataplane {
    /// Bytes of a `Snapshot`, and whether it is merely the last one again.
    Snapshot { bytes: Vec<u8> },
    /// Signing keys of every issuer; replaces what was sent before.
    Keys(Vec<IssuerKeys>),
    /// What people said of a ticket.
    Ruling(TicketRuling),
    /// An event that the evidence must hold: who did what in mgmt. `id` comes back in [`ToMgmt::Settled`]'s place as
    /// nothing: mgmt sends it again until the checkpoint covers it is not needed; at-least-once by `id`.
    Event { id: u128, at_us: u64, event: String, actor: String, text: String },
}

/// The keys of one issuer, as mgmt fetched them.
#[derive(Debug, Clone, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct IssuerKeys {
    /// The issuer's URL, as in the `iss` claim.
    pub issuer: String,
    /// When mgmt fetched them, Unix seconds.
    pub fetched_s: u64,
    /// The keys.
    pub keys: Vec<VerificationKey>,
}

/// One public key.
#[derive(Debug, Clone, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct VerificationKey {
    /// `kid`, or empty.
    pub id: String,
    /// The one algorithm it may be used with.
    pub algorithm: Algorithm,
    /// RSA: DER of RSAPublicKey (PKCS#1). P-256: the uncompressed point (65 bytes). Ed25519: 32 bytes.
    pub material: Vec<u8>,
}

/// Signature algorithms of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits and more.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// What people said of a ticket. Names the digest: what runs is what was approved.
#[derive(Debug, Clone, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct TicketRuling {
    /// The ticket.
    pub ticket: TicketId,
    /// The digest that was approved; another than the ticket's is refused.
    pub digest: [u8; 32],
    /// Yes or no.
    pub approved: bool,
    /// Subjects of the reviewers, each once.
    pub reviewers: Vec<String>,
    /// In their words.
    pub reason: String,
}
