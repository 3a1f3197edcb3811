//! The messages themselves. How they are framed and read is beside this file.
#![allow(
    missing_docs,
    reason = "rkyv's derive makes resolvers whose fields it does not describe; ours are all described"
)]

use crate::approval::{Ticket, TicketId};

/// What the dataplane tells mgmt.
#[derive(Debug, Clone, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
#[expect(clippy::large_enum_variant, reason = "messages are few, and each is taken apart where it arrives")]
pub enum ToMgmt {
    /// First message of a connection.
    Hello {
        /// The dataplane's name, from its boot configuration.
        instance: String,
        /// How many cores serve.
        shards: u16,
        /// Snapshot version in use; 0: none.
        snapshot: u64,
    },
    /// Each few seconds.
    Health(Health),
    /// A command waits. Sent again after a reconnect for every ticket that still waits.
    Ticket(Ticket),
    /// A ticket no longer waits: the client is gone, cancelled, or its time is over.
    Withdrawn {
        /// The ticket.
        ticket: TicketId,
        /// Why, in words.
        reason: String,
    },
    /// A ticket's ruling has taken effect (the command went on, or was refused).
    Settled {
        /// The ticket.
        ticket: TicketId,
        /// What came of it, in words.
        outcome: String,
    },
    /// A snapshot was taken into use, or refused and why.
    Applied {
        /// The snapshot's version.
        version: u64,
        /// Why it was refused; `None`: it is in use.
        error: Option<String>,
    },
    /// The newest signed checkpoint of one evidence log, for mgmt to witness.
    Checkpoint {
        /// The log's origin.
        origin: String,
        /// The signed note.
        note: String,
    },
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
    /// A policy snapshot to take into use.
    Snapshot {
        /// As [`crate::compile::compile`] made them; [`crate::snapshot::Snapshot::open`] reads them.
        bytes: Vec<u8>,
    },
    /// Signing keys of every issuer; replaces what was sent before.
    Keys(Vec<IssuerKeys>),
    /// What people said of a ticket.
    Ruling(TicketRuling),
    /// An event that the evidence must hold: who did what in mgmt. Sent at least once: the same `id` may come again.
    Event {
        /// The event's number.
        id: u128,
        /// When, microseconds since the Unix epoch.
        at_us: u64,
        /// Its name.
        event: String,
        /// Who did it: a subject.
        actor: String,
        /// What it says, masked.
        text: String,
    },
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
