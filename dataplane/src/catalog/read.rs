//! Reads a place's catalog: which columns the manifests' labels mean, and all that shows them. Views are prepared, never
//! run: the target's own description says where each of their columns comes from. Every name is the catalog's own.

use std::collections::{BTreeSet, HashMap};

use policies::snapshot::DerivedLabel;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};
use wire::{Origins, Relation, RelationKind};

use super::connect::cause;
use super::follow::{self, Graph, Label, Marks, Root, View};
use crate::limits::{CATALOG_RELATIONS_MAX, CATALOG_VIEWS_MAX};

/// What was read.
pub(super) struct Reading {
    pub(super) origins: Origins,
    pub(super) derived: Vec<DerivedLabel>,
    pub(super) roots: Vec<Root>,
    /// The server's version, as the protocol tells it; empty: it needs not be known.
    pub(super) version: String,
}

const RELATIONS: &str = "SELECT c.oid, c.relkind::pg_catalog.text, c.relpersistence::pg_catalog.text, c.relnatts \
    FROM pg_catalog.pg_class c WHERE c.relkind NOT IN ('i', 'I', 'c') LIMIT $1";

const MEANT: &str = "SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute a \
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped \
    AND ($1::pg_catalog.text IS NULL OR n.nspname::pg_catalog.text = $1) AND c.relname::pg_catalog.text = $2 \
    AND ($3::pg_catalog.text IS NULL OR a.attname::pg_catalog.text = $3)";

const IS_THERE: &str = "SELECT true FROM pg_catalog.pg_attribute a \
    WHERE a.attrelid = $1 AND a.attnum = $2 AND NOT a.attisdropped";

const INHERITS: &str = "SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i \
    JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relkind NOT IN ('i', 'I')";

const INHERITED_NAMES: &str = "SELECT a.attrelid, a.attnum, a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a \
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN \
    (SELECT i.inhrelid FROM pg_catalog.pg_inherits i UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i)";

const GENERATED: &str = "SELECT f.adrelid, d.refobjsubid, f.adnum FROM pg_catalog.pg_attrdef f \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum AND a.attgenerated <> '' \
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass \
    AND d.refobjid = f.adrelid AND d.refobjsubid > 0 AND d.refobjsubid <> f.adnum AND \
    ((d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid) OR \
    (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = f.adrelid AND d.objsubid = f.adnum))";

/// Of each view: whether its query handles whole rows, and whether it reads the tables of statistics, on which no
/// dependency is noted.
const VIEWS: &str = "SELECT r.ev_class, c.relnatts, \
    pg_catalog.strpos(r.ev_action::pg_catalog.text, ':varattno 0 ') > 0, \
    pg_catalog.strpos(r.ev_action::pg_catalog.text, ':relid 2619 ') > 0 \
    OR pg_catalog.strpos(r.ev_action::pg_catalog.text, ':relid 3429 ') > 0 \
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class \
    WHERE r.ev_type = '1' AND c.relkind IN ('v', 'm')";

const REFERS: &str = "SELECT r.ev_class, d.refobjid, d.refobjsubid, \
    d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass FROM pg_catalog.pg_rewrite r \
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid \
    WHERE r.ev_type = '1' AND d.refobjid <> r.ev_class AND \
    (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass OR \
    (d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid >= 16384))";

const DEFINITION: &str = "SELECT pg_catalog.pg_get_viewdef($1::pg_catalog.oid)";

const NAMES: &str = "SELECT a.attrelid, a.attnum, n.nspname::pg_catalog.text, c.relname::pg_catalog.text, \
    a.attname::pg_catalog.text FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE a.attrelid = ANY($1::pg_catalog.oid[])";

/// Columns of the server's own that hold values of others.
const STATISTICS: [(&str, &[&str]); 2] = [
    ("pg_statistic", &["stavalues1", "stavalues2", "stavalues3", "stavalues4", "stavalues5"]),
    ("pg_statistic_ext_data", &["stxdmcv", "stxdexpr"]),
];

/// Reads all of it. `kept`: what labels meant at the last reading.
pub(super) async fn read(client: &Client, labels: &[Label], kept: &[Root]) -> Result<Reading, String> {
    let roots = meant(client, labels, kept).await?;
    let mut marks = follow::roots(&roots);
    let all: BTreeSet<String> = labels.iter().map(|label| label.label.clone()).collect();
    mark_statistics(client, &mut marks, &all).await?;
    let mut graph = graph(client).await?;
    let mut prepared = 0;
    loop {
        let unasked = graph.follow(&mut marks, &all)?;
        if unasked.is_empty() {
            break;
        }
        for relation in unasked {
            prepared += 1;
            if prepared > CATALOG_VIEWS_MAX {
                return Err(String::from("more views show labelled data than are followed"));
            }
            let origins = describe(client, relation).await?;
            graph.views.entry(relation).and_modify(|view| view.origins = Some(origins));
        }
    }
    let derived = names(client, &marks).await?;
    let origins = Origins::new(relations(client).await?, follow::columns(&marks));
    Ok(Reading { origins, derived, roots, version: String::new() })
}

async fn meant(client: &Client, labels: &[Label], kept: &[Root]) -> Result<Vec<Root>, String> {
    let mut roots = BTreeSet::new();
    for label in labels {
        let Label { schema, table, column, .. } = label;
        let rows = client.query(MEANT, &[schema, table, column]).await.map_err(cause)?;
        if rows.is_empty() {
            tracing::warn!(table, column, label = label.label, "a label names no column of the target");
        }
        for row in rows {
            let at = (get(&row, 0)?, get(&row, 1)?);
            roots.insert(Root { label: label.clone(), at });
        }
    }
    for root in kept.iter().filter(|root| labels.contains(&root.label)) {
        let (relation, number) = root.at;
        if !client.query(IS_THERE, &[&relation, &number]).await.map_err(cause)?.is_empty() {
            roots.insert(root.clone());
        }
    }
    Ok(roots.into_iter().collect())
}

async fn mark_statistics(client: &Client, marks: &mut Marks, all: &BTreeSet<String>) -> Result<(), String> {
    for (table, columns) in STATISTICS {
        for column in columns {
            let rows = client.query(MEANT, &[&Some("pg_catalog"), &table, &Some(*column)]).await;
            for row in rows.map_err(cause)? {
                let at = (get(&row, 0)?, get(&row, 1)?);
                marks.insert(at, follow::Mark { labels: all.clone(), hidden: true });
            }
        }
    }
    Ok(())
}

async fn graph(client: &Client) -> Result<Graph, String> {
    let mut graph = Graph::default();
    for row in client.query(INHERITS, &[]).await.map_err(cause)? {
        graph.inherits.push((get(&row, 0)?, get(&row, 1)?));
    }
    for row in client.query(INHERITED_NAMES, &[]).await.map_err(cause)? {
        graph.names.entry(get(&row, 0)?).or_default().push((get(&row, 1)?, get(&row, 2)?));
    }
    for row in client.query(GENERATED, &[]).await.map_err(cause)? {
        graph.generated.push((get(&row, 0)?, number(get(&row, 1)?), get(&row, 2)?));
    }
    for row in client.query(VIEWS, &[]).await.map_err(cause)? {
        let (columns, whole_rows, statistics) = (get(&row, 1)?, get(&row, 2)?, get(&row, 3)?);
        graph.views.insert(get(&row, 0)?, View { columns, whole_rows, statistics, ..View::default() });
    }
    for row in client.query(REFERS, &[]).await.map_err(cause)? {
        let Some(view) = graph.views.get_mut(&get(&row, 0)?) else { continue };
        if get(&row, 3)? {
            view.functions = true;
        } else {
            view.refers.push((get(&row, 1)?, number(get(&row, 2)?)));
        }
    }
    Ok(graph)
}

/// Where a view's columns come from; nothing where the target does not tell, so that all are hidden.
async fn describe(client: &Client, relation: u32) -> Result<Vec<Option<follow::At>>, String> {
    let row = client.query_one(DEFINITION, &[&relation]).await;
    let text: Option<String> = match row {
        Ok(row) => get(&row, 0)?,
        Err(error) => return undescribed(relation, error),
    };
    match client.prepare(&text.unwrap_or_default()).await {
        Ok(prepared) => Ok(prepared
            .columns()
            .iter()
            .map(|column| column.table_oid().map(|table| (table, column.column_id().unwrap_or(0))))
            .collect()),
        Err(error) => undescribed(relation, error),
    }
}

/// Somebody changes it just now, or the connection is gone: then the reading has failed. Else it stays unknown.
fn undescribed(relation: u32, error: Error) -> Result<Vec<Option<follow::At>>, String> {
    let waits = [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED];
    match error.code() {
        Some(code) if !waits.contains(code) => {
            tracing::warn!(
                relation,
                code = code.code(),
                "a view cannot be described: its columns are hidden"
            );
            Ok(Vec::new())
        }
        _ => Err(cause(error)),
    }
}

async fn names(client: &Client, marks: &Marks) -> Result<Vec<DerivedLabel>, String> {
    let mut tables: Vec<u32> = marks.keys().map(|(relation, _)| *relation).collect();
    tables.dedup();
    let mut names: HashMap<follow::At, [String; 3]> = HashMap::new();
    for row in client.query(NAMES, &[&tables]).await.map_err(cause)? {
        names.insert((get(&row, 0)?, get(&row, 1)?), [get(&row, 2)?, get(&row, 3)?, get(&row, 4)?]);
    }
    let mut derived = Vec::new();
    for (at, mark) in marks {
        let Some([schema, table, column]) = names.get(at) else { continue };
        derived.extend(mark.labels.iter().map(|label| DerivedLabel::new(schema, table, column, label)));
    }
    Ok(derived)
}

async fn relations(client: &Client) -> Result<Vec<Relation>, String> {
    let rows = client.query(RELATIONS, &[&(CATALOG_RELATIONS_MAX as i64 + 1)]).await.map_err(cause)?;
    if rows.len() > CATALOG_RELATIONS_MAX {
        return Err(String::from("the target has more relations than are kept"));
    }
    let mut relations = Vec::with_capacity(rows.len());
    for row in rows {
        let (kind, persistence): (String, String) = (get(&row, 1)?, get(&row, 2)?);
        let kind = match (kind.as_str(), persistence.as_str()) {
            ("v", _) => RelationKind::View,
            (_, "t") => RelationKind::Temporary,
            _ => RelationKind::Table,
        };
        relations.push(Relation { oid: get(&row, 0)?, kind, attributes: get(&row, 3)? });
    }
    Ok(relations)
}

fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a tokio_postgres::Row,
    index: usize,
) -> Result<T, String> {
    row.try_get(index).map_err(cause)
}

fn number(subject: i32) -> i16 {
    i16::try_from(subject).unwrap_or(0)
}
