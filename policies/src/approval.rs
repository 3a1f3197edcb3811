//! Tickets: a held command as reviewers see it, and the digest that binds their ruling to exactly it.

/// A ticket's number: random, 128 bits; shown as 32 hex digits.
pub type TicketId = u128;

/// A held command. Statement and parameters are masked; the bytes themselves stay in the dataplane.
#[derive(Debug, Clone, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Ticket {
    /// The number.
    pub id: TicketId,
    /// The session that asks.
    pub session: u128,
    /// The job's issuer.
    pub issuer: String,
    /// The job's subject.
    pub subject: String,
    /// The person behind the job, who may not approve; or empty.
    pub requester: String,
    /// The job's groups.
    pub groups: Vec<String>,
    /// Where it connects from.
    pub source: String,
    /// The target's name.
    pub target: String,
    /// The statement, masked.
    pub statement: String,
    /// The parameters, masked, as text; `None`: NULL.
    pub parameters: Vec<Option<String>>,
    /// Card numbers that were masked in statement and parameters. Where there are any, the approval holds for this
    /// one command only: no session, window or ask-ahead grant, since masked texts do not tell commands apart.
    pub masked: u32,
    /// `schema.name` or `name`.
    pub objects: Vec<String>,
    /// The rule that holds it, as `policy/rule`.
    pub rule: String,
    /// Snapshot version under which it is held.
    pub snapshot: u64,
    /// Digest of all the above that the approval covers: see [`digest`].
    pub digest: [u8; 32],
    /// Groups of which reviewers must be.
    pub reviewers: Vec<String>,
    /// How many distinct people must approve.
    pub count: u16,
    /// What an approval is good for.
    pub grant: Grant,
    /// When it was opened and when it ends, Unix milliseconds.
    pub opened_ms: u64,
    /// When it ends by itself.
    pub deadline_ms: u64,
}

/// What an approval is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// The one command that waits.
    Once,
    /// The same digest again in the same session.
    Session,
    /// The same digest again, from the same identity, for so many seconds.
    Window(u64),
}
