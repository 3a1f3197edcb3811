//! What a request does, as rules see it: verbs, objects, columns, effects, functions. Facts come from the text alone;
//! what only the target's catalog knows (search_path, a view's base tables, a function's body) is not here.
mod fingerprint;
pub(crate) mod functions;
mod secret;
pub mod sql;
mod trace;

use crate::model::Protocol;
pub use fingerprint::fingerprint;
use schemars::JsonSchema;
pub use secret::names_secret;
use serde::{Deserialize, Serialize};
pub use trace::leaves_trace;

/// What a statement does to an object, or by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Verb {
    /// Reads rows. SHOW too, without an object.
    Select,
    /// Adds rows.
    Insert,
    /// Changes rows, or a sequence.
    Update,
    /// Removes rows. TRUNCATE is `delete` and `ddl`.
    Delete,
    /// MERGE; the verbs of its actions stand beside it.
    Merge,
    /// COPY; `select` (TO) or `insert` (FROM) stands beside it.
    Copy,
    /// CALL of a procedure; LISTEN, NOTIFY and UNLISTEN, whose object is the channel.
    Call,
    /// Makes, alters or drops an object.
    Ddl,
    /// Changes who may do what: GRANT, REVOKE, roles, policies, owners.
    Grant,
    /// Changes a setting of the session; the access's object is the setting's name.
    Set,
    /// Begins, ends or marks a transaction.
    Transaction,
    /// Maintenance and the server itself.
    Admin,
    /// Not understood.
    Unknown,
}

impl Verb {
    /// Every verb, in order.
    pub const ALL: [Self; 13] = [
        Self::Select,
        Self::Insert,
        Self::Update,
        Self::Delete,
        Self::Merge,
        Self::Copy,
        Self::Call,
        Self::Ddl,
        Self::Grant,
        Self::Set,
        Self::Transaction,
        Self::Admin,
        Self::Unknown,
    ];
}

/// What a statement does beside its verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Effect {
    /// Reads a labelled column. Never from `analyse`: `decide` derives it from [`Facts::reads`] and the target's labels.
    ReadsLabelled,
    /// Computes something of a labelled column. As above, from [`Facts::transforms`].
    TransformsLabelled,
    /// Reads a file of the server.
    ReadsFile,
    /// Writes a file of the server.
    WritesFile,
    /// Runs a program on the server.
    RunsProgram,
    /// Runs, stores or reads something that the text does not show.
    DynamicSql,
    /// UPDATE or DELETE without WHERE, TRUNCATE.
    Unbounded,
}

impl Effect {
    /// Every effect, in order.
    pub const ALL: [Self; 7] = [
        Self::ReadsLabelled,
        Self::TransformsLabelled,
        Self::ReadsFile,
        Self::WritesFile,
        Self::RunsProgram,
        Self::DynamicSql,
        Self::Unbounded,
    ];
}

/// What a statement does to the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionVerb {
    /// BEGIN, START TRANSACTION.
    Begin,
    /// COMMIT, END.
    Commit,
    /// ROLLBACK, ABORT.
    Rollback,
    /// SAVEPOINT.
    Savepoint,
    /// RELEASE SAVEPOINT.
    Release,
    /// ROLLBACK TO SAVEPOINT.
    RollbackTo,
    /// PREPARE TRANSACTION.
    Prepare,
    /// COMMIT PREPARED.
    CommitPrepared,
    /// ROLLBACK PREPARED.
    RollbackPrepared,
}

/// One verb on one object. Each must be allowed for the request to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Access {
    /// What is done.
    pub verb: Verb,
    /// To what: an object as in [`Facts::objects`]; a setting for `set`; a channel or procedure for `call`. None where
    /// the statement touches nothing that has a name (`SELECT 1`, `BEGIN`), or it is not understood.
    pub object: Option<String>,
}

/// What a request does. All lists are sorted and hold nothing twice.
///
/// Names are as the target reads them: folded to lower case unless quoted, cut at 63 bytes, `schema.name` where the text
/// says the schema and `name` where search_path decides. A part that holds a dot, a star or a double quote stands in
/// double quotes, so that `"a.b"` cannot pass for `a.b`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one statement")]
pub struct Facts {
    /// False: something in the request was not understood; `verbs` then holds `unknown`.
    pub understood: bool,
    /// Every verb of every statement, those inside WITH, EXPLAIN, PREPARE and the like too.
    pub verbs: Vec<Verb>,
    /// Verb by verb, object by object. Every verb has at least one.
    pub accesses: Vec<Access>,
    /// Tables, views, sequences and whatever else has a name in the database. Names of WITH queries are not objects.
    pub objects: Vec<String>,
    /// Columns read or written: `object.column`; `object.*` where it may be any of them (`*`, a whole row, an INSERT
    /// without a list). A column without qualifier stands once for each object that it may belong to.
    pub columns: Vec<String>,
    /// Those of `columns` that are read.
    pub reads: Vec<String>,
    /// Those of `columns` that are written.
    pub writes: Vec<String>,
    /// Those of `reads` that go through an expression: a function, a cast, an operator other than equality in a filter.
    /// `object.*`: it may be any of them.
    pub transforms: Vec<String>,
    /// Objects of which all columns may be read.
    pub whole_rows: Vec<String>,
    /// What else it does.
    pub effects: Vec<Effect>,
    /// Functions and procedures called, `name` or `schema.name`; an operator named with its schema too.
    pub functions: Vec<String>,
    /// A literal of the text had a say in these facts: another literal may make others.
    pub literals_matter: bool,
    /// What it does to the transaction; the last one where there are several.
    pub transaction: Option<TransactionVerb>,
    /// Prepared statements that it makes by PREPARE, by their names as the session knows them: nothing is quoted.
    pub prepares: Vec<String>,
    /// Where the request is a list of several statements: the facts of each, in their order, and each decided on by
    /// itself. Empty where it is one statement. What stands above is of all of them together.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub members: Vec<Self>,
    /// Prepared statements that it runs by EXECUTE. Where `analyse` was not told what they are, the facts are unknown.
    pub executes: Vec<String>,
    /// Names, in lower case, that the statement gives to tables of its own making: queries in FROM and WITH, JSON_TABLE.
    /// MySQL tells such a name as a column's table. Empty for PostgreSQL, which tells none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub derived_names: Vec<String>,
    /// It makes a table of the session's own, which from then on stands before another of its name. Of MySQL.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub temporary: bool,
    /// It shows errors and warnings of statements before it, which may quote their data. Of MySQL.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub diagnoses: bool,
}

impl Facts {
    /// The facts of a request of which nothing is understood.
    #[must_use]
    pub fn unknown() -> Self {
        Self {
            understood: false,
            verbs: vec![Verb::Unknown],
            accesses: vec![Access { verb: Verb::Unknown, object: None }],
            literals_matter: true,
            ..Self::default()
        }
    }
}

/// Whether the statement calls what is not among the dialect's own functions that compute a value and do nothing else.
#[must_use]
pub fn calls_unknown(facts: &Facts, dialect: Dialect) -> bool {
    facts.functions.iter().any(|function| !crate::decide::is_harmless(function, dialect))
}

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// PostgreSQL, 13 to 18.
    Postgres,
    /// MySQL 5.7 to 9 and MariaDB 10.2 to 12.
    Mysql,
}

impl Dialect {
    /// The dialect of targets of this protocol, where they speak SQL.
    #[must_use]
    pub const fn of(protocol: Protocol) -> Option<Self> {
        match protocol {
            Protocol::Postgres => Some(Self::Postgres),
            Protocol::Mysql => Some(Self::Mysql),
            Protocol::Mongodb | Protocol::Http => None,
        }
    }
}
