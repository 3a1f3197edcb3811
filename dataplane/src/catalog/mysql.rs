//! Reads the catalog of a MySQL or MariaDB target: which columns the manifests' labels mean, and the views and generated
//! columns that show them. A view's definition is prepared, never run: the target's own description says where each of
//! its columns comes from. Answers name their columns' origins, so relations are known by name; the numbers here are this
//! reading's own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mysql_async::prelude::Queryable;
use mysql_async::{ClientIdentity, Conn, Error, OptsBuilder, Row, SslOpts};
use policies::snapshot::{DerivedLabel, fact_name};
use policies::statement::sql::{Context, analyse_in};
use policies::statement::{Dialect, Facts, calls_unknown};
use wire::{NamedRelation, Origins, RelationKind, Secret};

use super::Spec;
use super::follow::{self, At, Graph, Label, Marks, Root, View};
use super::read::Reading;
use crate::limits::{CATALOG_RELATIONS_MAX, CATALOG_VIEWS_MAX};
use crate::upstream::host;

/// Engines whose tables hold no rows of their own: what they show cannot be said, so they are left unknown.
const FOREIGN: [&str; 5] = ["MRG_MyISAM", "FEDERATED", "CONNECT", "SPIDER", "S3"];

const RELATIONS: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, COALESCE(ENGINE, '') \
    FROM information_schema.TABLES \
    WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') LIMIT ?";

const COLUMNS: &str = "SELECT COLUMN_NAME, COALESCE(GENERATION_EXPRESSION, '') \
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION";

const VIEWS: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(VIEW_DEFINITION, '') FROM information_schema.VIEWS \
    WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') LIMIT ?";

/// Columns of the server's own that hold values of others, by relation: statistics, histograms, and what is kept of
/// statements, their errors and their variables.
const REPEATING: [(&str, &str, &[&str]); 11] = [
    ("mysql", "column_stats", &["min_value", "max_value", "histogram"]),
    ("mysql", "general_log", &["argument"]),
    ("mysql", "slow_log", &["sql_text"]),
    ("information_schema", "COLUMN_STATISTICS", &["HISTOGRAM"]),
    ("information_schema", "OPTIMIZER_TRACE", &["QUERY", "TRACE"]),
    ("information_schema", "USER_VARIABLES", &["VARIABLE_VALUE"]),
    ("performance_schema", "events_statements_current", STATEMENTS),
    ("performance_schema", "events_statements_history", STATEMENTS),
    ("performance_schema", "events_statements_history_long", STATEMENTS),
    ("performance_schema", "user_variables_by_thread", &["VARIABLE_VALUE"]),
    ("performance_schema", "threads", &["PROCESSLIST_INFO"]),
];
const STATEMENTS: &[&str] = &["SQL_TEXT", "MESSAGE_TEXT", "DIGEST_TEXT"];

/// A database and a relation in it.
type Name = (String, String);

/// A relation of the target.
struct Known {
    /// Stands for it in this reading.
    number: u32,
    kind: RelationKind,
    /// Of labelled tables, and of views that may show them; of others nothing.
    columns: Vec<String>,
}

/// Every relation.
type Relations = BTreeMap<Name, Known>;

/// A view that may show labelled data.
struct Definition {
    name: Name,
    text: String,
    facts: Facts,
    /// Where each of its columns comes from, as the target says.
    origins: Vec<Option<(Name, String)>>,
}

/// Opens a session: names mean what they say, nothing is written, nobody is waited for long.
async fn connect(spec: &Spec, password: &Secret) -> Result<Conn, String> {
    let password =
        std::str::from_utf8(password.expose()).map_err(|_| String::from("the password is not text"))?;
    let port = spec.address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let port: u16 = port.ok_or_else(|| String::from("the address has no port"))?;
    let tls = spec.tls.as_ref().map(|files| {
        let path = |path: &Path| path.to_owned().into();
        let roots: Vec<_> = files.ca.iter().map(|ca| path(ca)).collect();
        let own = files.own.as_ref().map(|(chain, key)| ClientIdentity::new(path(chain), path(key)));
        // Without an authority of its own a target's certificate is checked against the public ones.
        SslOpts::default()
            .with_disable_built_in_roots(!roots.is_empty())
            .with_root_certs(roots)
            .with_client_identity(own)
    });
    let options = OptsBuilder::default()
        .ip_or_hostname(host(&spec.address))
        .tcp_port(port)
        .user(Some(&spec.username))
        .pass(Some(password))
        .ssl_opts(tls)
        .prefer_socket(false)
        .stmt_cache_size(0)
        .connect_attribute("program_name", "pangate catalog")
        .setup(vec!["SET SESSION TRANSACTION READ ONLY", "SET SESSION lock_wait_timeout = 2"]);
    Conn::new(options).await.map_err(cause)
}

/// What went wrong, without what the server says: that may name the credential, or hold a value.
fn cause(error: Error) -> String {
    match error {
        Error::Server(error) => format!("error {}", error.code),
        Error::Io(error) => error.to_string(),
        Error::Driver(_) | Error::Other(_) | Error::Url(_) => String::from("the session cannot be opened"),
    }
}

/// Reads all of it.
pub(super) async fn read(spec: &Spec, password: &Secret) -> Result<Reading, String> {
    let mut connection = connect(spec, password).await?;
    let version: Option<String> = connection.query_first("SELECT VERSION()").await.map_err(cause)?;
    let reading = labelled(&mut connection, &spec.labels).await;
    let _ = connection.disconnect().await;
    reading.map(|(origins, derived)| Reading {
        origins,
        derived,
        roots: Vec::new(),
        version: version.unwrap_or_default(),
    })
}

async fn labelled(connection: &mut Conn, labels: &[Label]) -> Result<(Origins, Vec<DerivedLabel>), String> {
    if labels.is_empty() {
        return Ok((Origins::default(), Vec::new()));
    }
    let mut relations = relations(connection).await?;
    let mut graph = Graph::default();
    let roots = meant(connection, labels, &mut relations, &mut graph).await?;
    let definitions = views(connection, &mut relations).await?;
    for definition in &definitions {
        if let Some(known) = relations.get(&definition.name) {
            graph.views.insert(known.number, view(definition, known, &relations));
        }
    }
    let all: BTreeSet<String> = labels.iter().map(|label| label.label.clone()).collect();
    let mut marks = follow::roots(&roots);
    graph.follow(&mut marks, &all)?;
    Ok(named(&relations, &marks, &all))
}

async fn relations(connection: &mut Conn) -> Result<Relations, String> {
    let most = CATALOG_RELATIONS_MAX as u64 + 1;
    let rows: Vec<Row> = connection.exec(RELATIONS, (most,)).await.map_err(cause)?;
    if rows.len() > CATALOG_RELATIONS_MAX {
        return Err(String::from("the target has more relations than are kept"));
    }
    let mut relations = Relations::new();
    for row in rows {
        let [database, name, kind, engine] = texts(&row);
        if FOREIGN.iter().any(|foreign| engine.eq_ignore_ascii_case(foreign)) {
            continue;
        }
        let kind = if kind.ends_with("VIEW") { RelationKind::View } else { RelationKind::Table };
        relations.insert((database, name), Known { number: 0, kind, columns: Vec::new() });
    }
    for (known, number) in relations.values_mut().zip(1..) {
        known.number = number;
    }
    Ok(relations)
}

/// The columns that the labels mean; their tables' columns and what is generated of them go into the other two.
async fn meant(
    connection: &mut Conn,
    labels: &[Label],
    relations: &mut Relations,
    graph: &mut Graph,
) -> Result<Vec<Root>, String> {
    let mut roots = Vec::new();
    for label in labels {
        let Label { schema, table, column, .. } = label;
        let before = roots.len();
        let is_meant = |(database, name): &Name| {
            same(name, table) && schema.as_ref().is_none_or(|schema| same(database, schema))
        };
        for (name, known) in relations.iter_mut().filter(|(name, _)| is_meant(name)) {
            if known.columns.is_empty() {
                let generated = load_columns(connection, name, known).await?;
                graph.generated.extend(generated);
            }
            for (own, attribute) in known.columns.iter().zip(1..) {
                if column.as_ref().is_none_or(|column| same(own, column)) {
                    roots.push(Root { label: label.clone(), at: (known.number, attribute) });
                }
            }
        }
        if roots.len() == before {
            tracing::warn!(table, column, label = label.label, "a label names no column of the target");
        }
    }
    Ok(roots)
}

/// Fills in a table's columns; returns its generated columns, each with a column that it is computed of.
async fn load_columns(
    connection: &mut Conn,
    name: &Name,
    known: &mut Known,
) -> Result<Vec<(u32, i16, i16)>, String> {
    let rows: Vec<Row> = connection.exec(COLUMNS, (&name.0, &name.1)).await.map_err(cause)?;
    let mut expressions = Vec::new();
    for row in rows {
        let [column, expression] = texts(&row);
        known.columns.push(column);
        expressions.push(expression);
    }
    let mut generated = Vec::new();
    for (expression, made) in expressions.iter().zip(1..).filter(|(expression, _)| !expression.is_empty()) {
        let (database, table) = (quoted(&name.0), quoted(&name.1));
        let facts = analyse(&format!("SELECT {expression} FROM {database}.{table}"), &name.0);
        for (column, read) in known.columns.iter().zip(1..) {
            if read != made && (!facts.understood || reads(&facts, name, column)) {
                generated.push((known.number, read, made));
            }
        }
    }
    Ok(generated)
}

/// The views that may show labelled data, described. Their columns go into `relations`.
async fn views(connection: &mut Conn, relations: &mut Relations) -> Result<Vec<Definition>, String> {
    let most = CATALOG_RELATIONS_MAX as u64;
    let rows: Vec<Row> = connection.exec(VIEWS, (most,)).await.map_err(cause)?;
    let mut others: Vec<Definition> = Vec::new();
    for row in rows {
        let [database, name, text] = texts(&row);
        let facts = analyse(&text, &database);
        others.push(Definition { name: (database, name), text, facts, origins: Vec::new() });
    }
    let labelled = relations.iter().filter(|(_, known)| !known.columns.is_empty());
    let mut reached: BTreeSet<String> = labelled.map(|(name, _)| object(name)).collect();
    let mut found = Vec::new();
    loop {
        let shows = |view: &Definition| {
            !is_plain(&view.facts) || view.facts.objects.iter().any(|object| reached.contains(object))
        };
        let (more, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(shows);
        others = rest;
        if more.is_empty() {
            break;
        }
        reached.extend(more.iter().map(|view| object(&view.name)));
        found.extend(more);
        if found.len() > CATALOG_VIEWS_MAX {
            return Err(String::from("more views show labelled data than are followed"));
        }
    }
    for view in &mut found {
        describe(connection, view, relations).await?;
    }
    Ok(found)
}

/// Asks the target where the view's columns come from. Where it does not tell, or what it tells may be a derived table's
/// name, all of them count as computed.
async fn describe(
    connection: &mut Conn,
    view: &mut Definition,
    relations: &mut Relations,
) -> Result<(), String> {
    let prepared = match connection.prep(view.text.as_str()).await {
        Ok(prepared) => prepared,
        Err(Error::Server(error)) => {
            let code = error.code;
            tracing::warn!(code, "a view cannot be described: its columns are hidden");
            return load_view(connection, view, relations).await;
        }
        Err(error) => return Err(cause(error)),
    };
    let Some(known) = relations.get_mut(&view.name) else { return Ok(()) };
    known.columns.clear();
    for column in prepared.columns().iter() {
        known.columns.push(column.name_str().into_owned());
        let origin = (column.schema_str().into_owned(), column.org_table_str().into_owned());
        let told = view.facts.understood && view.facts.derived_names.is_empty() && !origin.0.is_empty();
        view.origins.push(told.then(|| (origin, column.org_name_str().into_owned())));
    }
    connection.close(prepared).await.map_err(cause)
}

async fn load_view(
    connection: &mut Conn,
    view: &Definition,
    relations: &mut Relations,
) -> Result<(), String> {
    if let Some(known) = relations.get_mut(&view.name) {
        load_columns(connection, &view.name, known).await?;
    }
    Ok(())
}

/// The view as labels are followed through it.
fn view(definition: &Definition, known: &Known, relations: &Relations) -> View {
    let facts = &definition.facts;
    let at = |name: &Name, column: &str| -> Option<At> {
        let known = relations.get(name)?;
        let index = known.columns.iter().position(|own| same(own, column))?;
        Some((known.number, i16::try_from(index + 1).ok()?))
    };
    let mut refers = Vec::new();
    for (name, known) in relations.iter().filter(|(_, known)| !known.columns.is_empty()) {
        for (column, attribute) in known.columns.iter().zip(1..) {
            if reads(facts, name, column) {
                refers.push((known.number, attribute));
            }
        }
    }
    // A column of a relation without labels carries none: it is as good as any other of those.
    let origin = |(name, column): &(Name, String)| match relations.get(name) {
        Some(known) if known.columns.is_empty() => Some((known.number, i16::MAX)),
        _ => at(name, column),
    };
    View {
        refers,
        whole_rows: false,
        functions: !is_plain(facts),
        statistics: facts.objects.iter().any(|object| repeats(object)),
        origins: Some(definition.origins.iter().map(|told| told.as_ref().and_then(origin)).collect()),
        columns: i16::try_from(known.columns.len()).unwrap_or(i16::MAX),
    }
}

/// What was followed, for the columns of answers and for statements.
fn named(relations: &Relations, marks: &Marks, all: &BTreeSet<String>) -> (Origins, Vec<DerivedLabel>) {
    let mut found = Vec::with_capacity(relations.len() + REPEATING.len());
    let mut derived = Vec::new();
    for ((database, name), known) in relations {
        let mut columns = Vec::new();
        for (column, attribute) in known.columns.iter().zip(1_i16..) {
            let Some(mark) = marks.get(&(known.number, attribute)) else { continue };
            columns.push((column.as_bytes().into(), !mark.hidden));
            let label =
                |label: &String| DerivedLabel::new(&lower(database), &lower(name), &lower(column), label);
            derived.extend(mark.labels.iter().map(label));
        }
        found.push(NamedRelation {
            database: database.as_bytes().into(),
            name: name.as_bytes().into(),
            kind: known.kind,
            columns,
        });
    }
    for (database, name, columns) in REPEATING {
        found.push(NamedRelation {
            database: database.as_bytes().into(),
            name: name.as_bytes().into(),
            kind: RelationKind::Table,
            columns: columns.iter().map(|column| (column.as_bytes().into(), false)).collect(),
        });
        let label =
            |column: &str, label: &str| DerivedLabel::new(database, &lower(name), &lower(column), label);
        derived.extend(columns.iter().flat_map(|column| all.iter().map(move |own| label(column, own))));
    }
    (Origins::by_name(found), derived)
}

fn analyse(text: &str, database: &str) -> Facts {
    analyse_in(text, Dialect::Mysql, &Context { database, prepared: &|_| None })
}

/// Whether the text shows all that it reads.
fn is_plain(facts: &Facts) -> bool {
    facts.understood && !calls_unknown(facts, Dialect::Mysql)
}

fn repeats(object: &str) -> bool {
    REPEATING.iter().any(|(database, name, _)| object.eq_ignore_ascii_case(&format!("{database}.{name}")))
}

/// Whether the column, or any of its relation's, is read.
fn reads(facts: &Facts, name: &Name, column: &str) -> bool {
    let [database, table, column] = [&name.0, &name.1, column].map(lower);
    let own = fact_name(&[&database, &table, &column]);
    let any = format!("{}.*", fact_name(&[&database, &table]));
    facts.reads.iter().any(|read| *read == own || *read == any) || facts.whole_rows.contains(&object(name))
}

/// The relation as facts name it.
fn object(name: &Name) -> String {
    fact_name(&[&lower(&name.0), &lower(&name.1)])
}

fn lower(name: &str) -> String {
    name.to_lowercase()
}

/// Whether two names are one, as policy has it.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || lower(one) == lower(other)
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The first columns of a row as text; what is none is empty.
fn texts<const N: usize>(row: &Row) -> [String; N] {
    std::array::from_fn(|index| row.get_opt::<String, _>(index).and_then(Result::ok).unwrap_or_default())
}
