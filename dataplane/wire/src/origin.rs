//! Where labelled data lie in a target, and how the columns of an answer are treated for it: looked up by what a row's
//! description says of a column's origin, never by value. Leaves out how the facts are read and what labels mean.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// How the cells of a column are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Card numbers in them are masked.
    Scan,
    /// Masked whatever they hold, as a card number is.
    Label,
    /// Masked whatever they hold, to the last digit.
    Hide,
}

/// What a relation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// Holds rows of its own.
    Table,
    /// Shows rows of others: a definition says which, and may be replaced.
    View,
    /// Holds rows of one session.
    Temporary,
}

/// Databases of MySQL and MariaDB whose relations are the server's own.
const SYSTEM: [&[u8]; 4] = [b"information_schema", b"performance_schema", b"mysql", b"sys"];

/// A relation that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Its number in the target's catalog.
    pub oid: u32,
    /// What it is.
    pub kind: RelationKind,
    /// How many columns it has had, dropped ones too.
    pub attributes: i16,
}

/// A column that is labelled, or shows one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelledColumn {
    /// Its relation.
    pub table: u32,
    /// Its number there, from 1.
    pub attribute: i16,
    /// It holds card numbers as they are: a mask may leave open what the format does. Otherwise nothing stays.
    pub card: bool,
}

/// The same facts of a target that tells where a column comes from by name (MySQL). Spelt as the target spells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRelation {
    /// The database that it is in.
    pub database: Box<[u8]>,
    /// Its own name there.
    pub name: Box<[u8]>,
    /// What it is.
    pub kind: RelationKind,
    /// Its columns that are labelled, or show one that is. `true`: as [`LabelledColumn::card`].
    pub columns: Vec<(Box<[u8]>, bool)>,
}

/// The facts of one target. Immutable; shared by all sessions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Origins {
    relations: Box<[Relation]>,
    columns: Box<[LabelledColumn]>,
    named: Box<[NamedRelation]>,
}

impl Origins {
    /// From relations and columns in any order. Of a column that is named twice the stricter holds.
    pub fn new(mut relations: Vec<Relation>, mut columns: Vec<LabelledColumn>) -> Self {
        relations.sort_unstable_by_key(|relation| relation.oid);
        relations.dedup_by_key(|relation| relation.oid);
        // `false` comes first.
        columns.sort_unstable();
        columns.dedup_by_key(|column| (column.table, column.attribute));
        Self { relations: relations.into(), columns: columns.into(), named: Box::default() }
    }

    /// Of a target that tells origins by name; in any order, each relation once.
    pub fn by_name(mut named: Vec<NamedRelation>) -> Self {
        named.sort_unstable_by(|one, other| (&one.database, &one.name).cmp(&(&other.database, &other.name)));
        Self { named: named.into(), ..Self::default() }
    }

    fn relation_named(&self, database: &[u8], name: &[u8]) -> Option<&NamedRelation> {
        let key = |relation: &NamedRelation| (&*relation.database, &*relation.name).cmp(&(database, name));
        self.named.get(self.named.binary_search_by(key).ok()?)
    }

    /// Whether a relation of this name is known in the database; in whatever case, as policy has names. The server's own
    /// are.
    pub fn has_relation(&self, database: &str, name: &str) -> bool {
        SYSTEM.contains(&database.as_bytes())
            || self.named.iter().any(|own| same(&own.database, database) && same(&own.name, name))
    }

    /// The same of any database.
    pub fn has_relation_called(&self, name: &str) -> bool {
        self.named.iter().any(|own| same(&own.name, name))
    }

    /// Whether the relation is known, or stands for none.
    pub(crate) fn knows_named(&self, watch: Watch, database: &[u8], table: &[u8]) -> bool {
        let none = database.is_empty() || table.is_empty() || watch.derives;
        none || SYSTEM.contains(&database) || self.relation_named(database, table).is_some()
    }

    /// How a column is treated that comes of this relation, by the names that the target gives. MySQL and MariaDB give a
    /// derived table's, a view's or a WITH query's own name as a relation's: it proves nothing where a statement has such
    /// names (`derives`, and `untraced` where one of them is a relation's too).
    pub(crate) fn treatment_named(
        &self,
        watch: Watch,
        database: &[u8],
        table: &[u8],
        column: &[u8],
    ) -> Treatment {
        let hide = |hidden: bool| if hidden { Treatment::Hide } else { Treatment::Scan };
        if watch.untraced {
            return Treatment::Hide;
        }
        if database.is_empty() || table.is_empty() || column.is_empty() {
            return hide(watch.computed);
        }
        let Some(relation) = self.relation_named(database, table) else {
            return hide(if watch.derives || SYSTEM.contains(&database) { watch.computed } else { true });
        };
        if relation.kind == RelationKind::View && watch.unsettled
            || relation.kind == RelationKind::Temporary && watch.carried
        {
            return Treatment::Hide;
        }
        match relation.columns.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)) {
            Some((_, true)) => Treatment::Label,
            Some((_, false)) => Treatment::Hide,
            None => Treatment::Scan,
        }
    }

    /// The labelled columns, by relation and number.
    pub fn columns(&self) -> &[LabelledColumn] {
        &self.columns
    }

    fn relation(&self, oid: u32) -> Option<&Relation> {
        let place = self.relations.binary_search_by_key(&oid, |relation| relation.oid).ok()?;
        self.relations.get(place)
    }

    fn column(&self, table: u32, attribute: i16) -> Option<&LabelledColumn> {
        let key = |column: &LabelledColumn| (column.table, column.attribute);
        let place = self.columns.binary_search_by_key(&(table, attribute), key).ok()?;
        self.columns.get(place)
    }

    fn has_label(&self, table: u32) -> bool {
        let place = self.columns.partition_point(|column| column.table < table);
        self.columns.get(place).is_some_and(|column| column.table == table)
    }

    /// Whether the relation and its column are known.
    pub(crate) fn knows(&self, table: u32, attribute: i16) -> bool {
        table == 0 || self.relation(table).is_some_and(|relation| attribute <= relation.attributes)
    }

    /// How a column of this origin is treated. Both 0: it is computed; `attribute` 0: whole rows of the table.
    pub(crate) fn treatment(&self, watch: Watch, table: u32, attribute: i16) -> Treatment {
        let hide = |hidden: bool| if hidden { Treatment::Hide } else { Treatment::Scan };
        if table == 0 {
            return hide(watch.computed);
        }
        let Some(relation) = self.relation(table) else { return Treatment::Hide };
        let unsure = match relation.kind {
            RelationKind::Table => false,
            RelationKind::View => watch.unsettled,
            RelationKind::Temporary => watch.carried,
        };
        if unsure || attribute > relation.attributes {
            return Treatment::Hide;
        }
        if attribute == 0 {
            return hide(watch.computed || self.has_label(table));
        }
        match self.column(table, attribute) {
            Some(column) if column.card => Treatment::Label,
            Some(_) => Treatment::Hide,
            None => Treatment::Scan,
        }
    }
}

fn same(own: &[u8], name: &str) -> bool {
    let lower = || core::str::from_utf8(own).is_ok_and(|own| own.to_lowercase() == name.to_lowercase());
    own.eq_ignore_ascii_case(name.as_bytes()) || !own.is_ascii() && lower()
}

/// What goes with the answer of one command at a target that has labels.
#[derive(Clone, Copy)]
pub struct Labels<'a> {
    /// The facts.
    pub origins: &'a Arc<Origins>,
    /// What holds for this command.
    pub watch: Watch,
    /// Changes whenever names may have come to stand for other relations: descriptions of an earlier one are asked
    /// for again.
    pub generation: u64,
}

/// How strictly the answer of one command is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// The target has labels at all. Without it nothing else counts.
    pub labels: bool,
    /// The command touches a label: what it computes is masked whole.
    pub computed: bool,
    /// Definitions may have changed since the facts were read: so is every column of a view.
    pub unsettled: bool,
    /// The session has written what touches a label: so is every column of its temporary tables.
    pub carried: bool,
    /// The session has put something of a label where it is told without being asked for (settings, notifications).
    pub spilled: bool,
    /// The command runs what its text does not show: what it says in words is masked whole too.
    pub opaque: bool,
    /// The statement names derived tables or WITH queries: a relation of such a name may be none (targets that tell
    /// origins by name).
    pub derives: bool,
    /// Whatever the target says of a column's origin proves nothing: every column is masked whole.
    pub untraced: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        let relation = |oid, kind, attributes| Relation { oid, kind, attributes };
        let column = |table, attribute, card| LabelledColumn { table, attribute, card };
        Origins::new(
            alloc::vec![
                relation(30, RelationKind::View, 2),
                relation(10, RelationKind::Table, 3),
                relation(20, RelationKind::Table, 2),
                relation(40, RelationKind::Temporary, 1),
            ],
            alloc::vec![column(10, 3, true), column(10, 2, true), column(10, 3, false), column(30, 1, true),],
        )
    }

    #[test]
    fn a_column_is_treated_by_its_origin_alone() {
        use Treatment::*;
        let origins = origins();
        let plain = Watch { labels: true, ..Watch::default() };
        let cases = [
            ((0, 0), Scan),
            ((10, 1), Scan),
            ((10, 2), Label),
            ((10, 3), Hide),
            ((10, -1), Scan),
            ((10, 0), Hide),
            ((20, 0), Scan),
            ((20, 2), Scan),
            ((20, 3), Hide),
            ((30, 1), Label),
            ((30, 2), Scan),
            ((40, 1), Scan),
            ((50, 1), Hide),
        ];
        for ((table, attribute), treatment) in cases {
            assert_eq!(origins.treatment(plain, table, attribute), treatment, "{table} {attribute}");
        }
        assert!(origins.knows(0, 0) && origins.knows(10, 3) && !origins.knows(10, 4) && !origins.knows(5, 1));
    }

    #[test]
    fn doubt_about_the_command_hides_what_it_reaches() {
        let origins = origins();
        let watch = |computed, unsettled, carried| Watch {
            labels: true,
            computed,
            unsettled,
            carried,
            ..Watch::default()
        };
        assert_eq!(origins.treatment(watch(true, false, false), 0, 0), Treatment::Hide);
        assert_eq!(origins.treatment(watch(true, false, false), 20, 0), Treatment::Hide);
        assert_eq!(origins.treatment(watch(true, false, false), 20, 1), Treatment::Scan);
        assert_eq!(origins.treatment(watch(false, true, false), 30, 2), Treatment::Hide);
        assert_eq!(origins.treatment(watch(false, true, false), 20, 1), Treatment::Scan);
        assert_eq!(origins.treatment(watch(false, false, true), 40, 1), Treatment::Hide);
    }
}
