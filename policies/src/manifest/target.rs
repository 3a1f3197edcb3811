//! `kind: Target`: where jobs connect, where the gateway connects for them, and where card data is known to live.

use schemars::JsonSchema;

use super::reader::{Fields, duration, name, number, text, word};
use super::schema;
use super::tree::{Kind, Node};
use crate::diagnostic::{At, Diagnostics};
use crate::model::Protocol;

/// Where jobs connect, where the gateway connects for them, and where card data is known to live.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Target {
    /// Its name in these manifests, and for jobs.
    #[schemars(with = "schema::Name")]
    pub(crate) name: At<String>,
    /// What it speaks.
    #[schemars(with = "schema::ProtocolName")]
    pub(crate) protocol: At<Protocol>,
    /// Where jobs connect: an IP address and a port.
    pub(crate) listen: At<String>,
    /// TLS of jobs. `off` is for loopback addresses alone.
    #[schemars(with = "Option<ListenTls>")]
    pub(crate) listen_tls: Option<At<ListenTls>>,
    /// Where the target is: a host name or an IP address, and a port.
    pub(crate) address: At<String>,
    /// TLS towards the target; verify-full with the system's authorities where nothing is said.
    pub(crate) tls: Option<Tls>,
    /// How the gateway logs in at the target.
    pub(crate) credential: Credential,
    /// Connections that are kept for the next session where one has ended and could be reset.
    #[schemars(with = "Option<schema::PoolOrOff>")]
    pub(crate) pool: Option<Pool>,
    /// Which jobs log in by SASL OAUTHBEARER (PostgreSQL 18 and later); the others send their token as the password.
    pub(crate) oauth: Option<Oauth>,
    /// The one database that jobs may open; MySQL: the default one. Needed where targets share a listener.
    pub(crate) database: Option<At<String>>,
    /// Columns known to hold card data.
    #[schemars(default)]
    pub(crate) data: Vec<Data>,
}

/// TLS of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(crate) enum ListenTls {
    /// Needed: a token without TLS is refused.
    On,
    /// Not needed.
    Off,
}

/// TLS towards a target.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tls {
    /// verify-full where nothing is said.
    #[schemars(with = "Option<TlsMode>")]
    pub(crate) mode: Option<At<TlsMode>>,
    /// PEM file of the authority that signs the target's certificate; the system's own where nothing is said.
    pub(crate) ca: Option<At<String>>,
    /// PEM file of the certificate chain that the gateway shows the target. Read by the dataplane alone.
    pub(crate) client_certificate: Option<At<String>>,
    /// PEM file of its key. Read by the dataplane alone.
    pub(crate) client_key: Option<At<String>>,
    /// How TLS begins: `request` where nothing is said.
    #[schemars(with = "Option<Negotiation>")]
    pub(crate) negotiation: Option<At<Negotiation>>,
}

/// How TLS towards a target begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(crate) enum Negotiation {
    /// Asked for in the protocol.
    Request,
    /// From the first byte, the protocol named by ALPN: PostgreSQL 17 and later.
    Direct,
}

/// How TLS towards a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(crate) enum TlsMode {
    /// The certificate's chain and name are checked.
    VerifyFull,
    /// No TLS.
    Plaintext,
}

/// How the gateway logs in at a target.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Credential {
    /// The target's own user name.
    pub(crate) username: At<String>,
    /// Where the dataplane, and nobody else, reads the password. May be left out where `tls` has a certificate.
    pub(crate) password_file: Option<At<String>>,
}

/// SASL OAUTHBEARER for jobs.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Oauth {
    /// The issuer, by its name here, whose discovery document clients are sent to.
    #[schemars(with = "schema::Name")]
    pub(crate) issuer: At<String>,
    /// What clients ask the issuer for, apart by spaces; `openid` where nothing is said.
    pub(crate) scope: Option<At<String>>,
    /// User names that log in so; left out: all of them.
    #[schemars(default)]
    pub(crate) users: Vec<At<String>>,
}

/// Connections kept for the next session.
#[derive(Debug)]
pub(crate) struct Pool {
    /// How many of the target at once, on each core; 0: none.
    pub(crate) idle: Option<At<u64>>,
    /// How long one is kept where nobody takes it.
    pub(crate) idle_timeout: Option<At<u64>>,
}

/// A column known to hold card data.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Data {
    /// `schema.table.column` or `table.column`; `*` as the column: all of them. MySQL: `database.table.column`.
    pub(crate) column: At<String>,
    /// `pan`, `sad`, or a word of your own that rules name.
    #[schemars(with = "schema::Name")]
    pub(crate) label: At<String>,
}

const PROTOCOLS: [(&str, Protocol); 4] = [
    ("postgres", Protocol::Postgres),
    ("mysql", Protocol::Mysql),
    ("mongodb", Protocol::Mongodb),
    ("http", Protocol::Http),
];
const LISTEN_TLS: [(&str, ListenTls); 4] = [
    ("on", ListenTls::On),
    ("off", ListenTls::Off),
    // What YAML 1.1 editors make of on and off.
    ("true", ListenTls::On),
    ("false", ListenTls::Off),
];
const TLS_MODES: [(&str, TlsMode); 2] =
    [("verify-full", TlsMode::VerifyFull), ("plaintext", TlsMode::Plaintext)];

const NEGOTIATIONS: [(&str, Negotiation); 2] =
    [("request", Negotiation::Request), ("direct", Negotiation::Direct)];

pub(super) fn read(name: At<String>, mut fields: Fields<'_>, out: &mut Diagnostics<'_>) -> Option<Target> {
    let protocol = fields.required("protocol", |node, out| word(node, &PROTOCOLS, out), out);
    let listen = fields.required("listen", text, out);
    let listen_tls = fields.optional("listenTls", |node, out| word(node, &LISTEN_TLS, out), out);
    let address = fields.required("address", text, out);
    let tls = fields.optional("tls", tls, out);
    let credential = fields.required("credential", credential, out);
    let pool = fields.optional("pool", pool, out);
    let oauth = fields.optional("oauth", oauth, out);
    let database = fields.optional("database", text, out);
    let data = fields.list("data", data, out);
    fields.close(out);
    Some(Target {
        name,
        protocol: protocol?,
        listen: listen?,
        listen_tls,
        address: address?,
        tls,
        credential: credential?,
        pool,
        oauth,
        database,
        data,
    })
}

fn tls(node: &Node, out: &mut Diagnostics<'_>) -> Option<Tls> {
    let mut fields = Fields::open(node, "`tls`", out)?;
    let mode = fields.optional("mode", |node, out| word(node, &TLS_MODES, out), out);
    let ca = fields.optional("ca", text, out);
    let client_certificate = fields.optional("clientCertificate", text, out);
    let client_key = fields.optional("clientKey", text, out);
    let negotiation = fields.optional("negotiation", |node, out| word(node, &NEGOTIATIONS, out), out);
    fields.close(out);
    Some(Tls { mode, ca, client_certificate, client_key, negotiation })
}

fn credential(node: &Node, out: &mut Diagnostics<'_>) -> Option<Credential> {
    let mut fields = Fields::open(node, "`credential`", out)?;
    let username = fields.required("username", text, out);
    let password_file = fields.optional("passwordFile", text, out);
    fields.close(out);
    Some(Credential { username: username?, password_file })
}

fn oauth(node: &Node, out: &mut Diagnostics<'_>) -> Option<Oauth> {
    let mut fields = Fields::open(node, "`oauth`", out)?;
    let issuer = fields.required("issuer", name, out);
    let scope = fields.optional("scope", text, out);
    let users = fields.list("users", text, out);
    fields.close(out);
    Some(Oauth { issuer: issuer?, scope, users })
}

fn pool(node: &Node, out: &mut Diagnostics<'_>) -> Option<Pool> {
    // What YAML 1.1 editors make of off, too.
    if matches!(&node.kind, Kind::Scalar(word) if word == "off" || word == "false") {
        return Some(Pool { idle: Some(At { value: 0, place: node.place }), idle_timeout: None });
    }
    let mut fields = Fields::open(node, "`pool`", out)?;
    let idle = fields.optional("idle", number, out);
    let idle_timeout = fields.optional("idleTimeout", duration, out);
    fields.close(out);
    Some(Pool { idle, idle_timeout })
}

fn data(node: &Node, out: &mut Diagnostics<'_>) -> Option<Data> {
    let mut fields = Fields::open(node, "an entry of `data`", out)?;
    let column = fields.required("column", text, out);
    let label = fields.required("label", name, out);
    fields.close(out);
    Some(Data { column: column?, label: label? })
}
