//! Which names a place in a statement sees, and which columns of which objects a name may stand for. Without a catalog
//! a name may stand for several: all of them are taken.
use super::names;
use std::collections::BTreeSet;

/// How the value of an expression is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It is given out, or stored, as it is.
    Output,
    /// It decides which rows: compared, sorted, grouped by.
    Filter,
    /// Something is computed from it.
    Through,
}

/// May MySQL's collation take this name for another one?
pub(super) fn is_ambiguous(name: &str) -> bool {
    !name.is_ascii() || name.ends_with(' ')
}

/// A set of columns, as facts write them.
pub(super) type Columns = BTreeSet<String>;

/// What a derived table gives out: names and the columns that each comes from.
#[derive(Debug, Clone, Default)]
pub(super) struct Outputs {
    /// In order; a name is None where it may be any.
    pub(super) columns: Vec<(Option<String>, Columns)>,
    /// Objects of which `*` is among them: under the name of each of their columns.
    pub(super) stars: BTreeSet<String>,
    /// Not known (yet): a reference forward or to itself under WITH RECURSIVE.
    pub(super) opaque: bool,
}

impl Outputs {
    /// One nameless output of these columns.
    pub(super) fn of(columns: Columns) -> Self {
        Self { columns: vec![(None, columns)], ..Self::default() }
    }

    /// Everything that it comes from.
    pub(super) fn all(&self) -> Columns {
        let mut all: Columns = self.columns.iter().flat_map(|(_, from)| from.iter().cloned()).collect();
        all.extend(self.stars.iter().map(|object| names::any_column(object)));
        all
    }

    /// How much of it there is to copy.
    pub(super) fn size(&self) -> usize {
        self.columns.iter().map(|(_, columns)| 1 + columns.len()).sum::<usize>() + self.stars.len()
    }

    /// Has it an output of surely this name?
    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(own, _)| own.as_deref() == Some(name))
    }

    /// The same, its names forgotten: another list of names applies.
    pub(super) fn nameless(&self) -> Self {
        Self { columns: vec![(None, self.all())], stars: BTreeSet::new(), opaque: self.opaque }
    }

    /// The same, names that are ambiguous to MySQL forgotten.
    pub(super) fn certain(mut self) -> Self {
        for (name, _) in &mut self.columns {
            if name.as_deref().is_some_and(is_ambiguous) {
                *name = None;
            }
        }
        self
    }

    /// Adds the outputs of the other side of UNION and the like, which go under this side's names.
    pub(super) fn union(&mut self, other: &Self) {
        let same =
            self.stars.is_empty() && other.stars.is_empty() && self.columns.len() == other.columns.len();
        if same {
            for ((_, columns), (_, more)) in self.columns.iter_mut().zip(&other.columns) {
                columns.extend(more.iter().cloned());
            }
        } else {
            let all = other.all();
            self.columns.push((None, all));
        }
        self.opaque |= other.opaque;
    }

    /// Adds what `*` makes of `other`.
    pub(super) fn extend(&mut self, other: &Self) {
        self.columns.extend(other.columns.iter().cloned());
        self.stars.extend(other.stars.iter().cloned());
        self.opaque |= other.opaque;
    }

    /// The columns that the output `name` comes from, and whether another name could not be meant.
    fn named(&self, name: &str) -> (Columns, bool) {
        let mut found = Columns::new();
        let mut sure = false;
        for (own, columns) in &self.columns {
            if own.as_deref().is_none_or(|own| own == name) {
                sure |= own.is_some();
                found.extend(columns.iter().cloned());
            }
        }
        found.extend(self.stars.iter().map(|object| names::column(object, name)));
        (found, sure && self.stars.is_empty() && !self.opaque)
    }
}

/// What stands behind a name in FROM.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// An object of the database.
    Object(String),
    /// A subquery, a WITH query, a function.
    Derived(Outputs),
}

/// One element of FROM.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Its alias, or its table's name; empty: none.
    pub(super) name: String,
    /// The schema under which it may be named; only without alias.
    pub(super) schema: Option<String>,
    /// What it is.
    pub(super) origin: Origin,
    /// The names that its alias gives to its first columns.
    pub(super) renamed: Vec<String>,
}

impl Source {
    /// The columns behind its column `name`, and whether it surely has one.
    fn column(&self, name: &str) -> (Columns, bool) {
        match &self.origin {
            Origin::Object(object) if self.renamed.iter().any(|it| it == name) => {
                (Columns::from([names::any_column(object)]), false)
            }
            Origin::Object(object) => (Columns::from([names::column(object, name)]), false),
            Origin::Derived(outputs) if self.renamed.iter().any(|it| it == name) => (outputs.all(), true),
            Origin::Derived(outputs) => outputs.named(name),
        }
    }

    /// All columns behind it.
    fn columns(&self) -> Columns {
        match &self.origin {
            Origin::Object(object) => Columns::from([names::any_column(object)]),
            Origin::Derived(outputs) => outputs.all(),
        }
    }

    fn is_opaque(&self) -> bool {
        matches!(&self.origin, Origin::Derived(outputs) if outputs.opaque)
    }

    pub(super) fn answers_to(&self, schema: Option<&str>, name: &str) -> bool {
        self.name == name
            && schema.is_none_or(|schema| self.schema.as_deref().is_none_or(|own| own == schema))
    }
}

/// The FROM of one query level.
#[derive(Debug, Clone, Default)]
pub(super) struct Frame {
    /// In order.
    pub(super) sources: Vec<Source>,
    /// Columns merged by USING, which no single source then owns.
    pub(super) merged: Vec<String>,
    /// NATURAL JOIN: any column may be merged.
    pub(super) natural: bool,
}

/// What a reference may stand for.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Columns that come from objects in reach, or from what derived tables read.
    pub(super) columns: Columns,
    /// Objects of which it may be a whole row.
    pub(super) rows: Vec<String>,
    /// The reference may be a whole row of a derived table, which is made of these.
    pub(super) derived_row: Columns,
    /// It may come from a query whose outputs are not known.
    pub(super) opaque: bool,
}

impl Found {
    fn row(&mut self, source: &Source) {
        match &source.origin {
            Origin::Object(object) => self.rows.push(object.clone()),
            Origin::Derived(outputs) => {
                self.derived_row.extend(outputs.all());
                self.opaque |= outputs.opaque;
            }
        }
    }
}

/// What `name` without qualifier may stand for, innermost frame last.
pub(super) fn resolve(frames: &[Frame], name: &str) -> Found {
    let mut found = Found::default();
    for frame in frames.iter().rev() {
        let merged = frame.natural || frame.merged.iter().any(|it| it == name);
        let mut sure = false;
        for source in &frame.sources {
            let (columns, its) = source.column(name);
            sure |= its && !merged;
            found.columns.extend(columns);
            found.opaque |= source.is_opaque();
            if source.name == name {
                found.row(source);
            }
        }
        if sure {
            break;
        }
    }
    found
}

/// What `qualifier.name` may stand for.
pub(super) fn resolve_qualified(
    frames: &[Frame],
    schema: Option<&str>,
    qualifier: &str,
    name: &str,
) -> Option<Found> {
    let mut found = Found::default();
    let source = frames
        .iter()
        .rev()
        .find_map(|frame| frame.sources.iter().rev().find(|source| source.answers_to(schema, qualifier)))?;
    found.columns = source.column(name).0;
    found.opaque = source.is_opaque();
    Some(found)
}

/// What `name` without qualifier may stand for where no reference is a whole row (MySQL).
pub(super) fn resolve_column(frames: &[Frame], name: &str) -> Found {
    if is_ambiguous(name) {
        return any_of(frames.iter().flat_map(|frame| &frame.sources)).unwrap_or_default();
    }
    let found = resolve(frames, name);
    Found { rows: vec![], derived_row: Columns::new(), ..found }
}

/// Any column of these. None: there are none.
fn any_of<'a>(sources: impl Iterator<Item = &'a Source>) -> Option<Found> {
    let mut found = None::<Found>;
    for source in sources {
        let found = found.get_or_insert_default();
        found.columns.extend(source.columns());
        found.opaque |= source.is_opaque();
    }
    found
}

/// The sources that `qualifier.` may name, of every frame: MySQL's aliases may differ in case alone.
pub(super) fn sources<'a>(
    frames: &'a [Frame],
    schema: Option<&'a str>,
    qualifier: &'a str,
) -> impl Iterator<Item = &'a Source> {
    let all = frames.iter().flat_map(|frame| &frame.sources);
    all.filter(move |source| source.answers_to(schema, qualifier))
}

/// What `qualifier.name` may stand for in any of them. None: nothing in reach is called so.
pub(super) fn resolve_in_all(
    frames: &[Frame],
    schema: Option<&str>,
    qualifier: &str,
    name: &str,
) -> Option<Found> {
    if is_ambiguous(name) {
        return any_of(sources(frames, schema, qualifier));
    }
    let mut found = None::<Found>;
    for source in sources(frames, schema, qualifier) {
        let found = found.get_or_insert_default();
        found.columns.extend(source.column(name).0);
        found.opaque |= source.is_opaque();
    }
    found
}

/// The source that a whole-row reference or `qualifier.*` names.
pub(super) fn source<'a>(frames: &'a [Frame], schema: Option<&str>, qualifier: &str) -> Option<&'a Source> {
    frames
        .iter()
        .rev()
        .find_map(|frame| frame.sources.iter().rev().find(|source| source.answers_to(schema, qualifier)))
}
