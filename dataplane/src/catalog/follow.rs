//! Follows labels through a catalog: to partitions and children, generated columns, views and views of views. Pure: what
//! was read goes in, labelled columns come out. Leaves out reading.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use policies::snapshot::LabelView;
use wire::LabelledColumn;

use crate::limits::{CATALOG_LABELLED_MAX, CATALOG_ROUNDS_MAX};

/// The label of card numbers: what a mask leaves open of these may stay open.
const CARD: &str = "pan";

/// A label of the manifests. Names are as the catalog has them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label {
    pub(super) schema: Option<String>,
    pub(super) table: String,
    /// `None`: every column.
    pub(super) column: Option<String>,
    pub(super) label: String,
}

impl Label {
    pub(super) fn of(view: &LabelView<'_>) -> Self {
        let (schema, table, column) = view.catalog_names();
        Self { schema, table, column, label: view.label.to_owned() }
    }
}

/// A column: its relation's number and its own there.
pub(super) type At = (u32, i16);

/// A column that a label of the manifests means, or has meant while the process ran.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Root {
    pub(super) label: Label,
    pub(super) at: At,
}

/// What a view is made of.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// Columns that it refers to; number 0: the relation as a whole.
    pub(super) refers: Vec<At>,
    /// It handles rows as a whole, of which relation is not known.
    pub(super) whole_rows: bool,
    /// It calls functions that are not the server's own: these may read anything.
    pub(super) functions: bool,
    /// It reads the tables of statistics, which hold values of every column.
    pub(super) statistics: bool,
    /// Where each of its columns comes from, once asked: `None` where it is computed, number 0 where it is a whole row.
    pub(super) origins: Option<Vec<Option<At>>>,
    /// How many columns it has.
    pub(super) columns: i16,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Pairs of a child (or partition) and its parent.
    pub(super) inherits: Vec<(u32, u32)>,
    /// Names of the columns of relations that inherit.
    pub(super) names: HashMap<u32, Vec<(i16, String)>>,
    /// Generated columns: the relation, a column that is read, the column that is computed of it.
    pub(super) generated: Vec<(u32, i16, i16)>,
    pub(super) views: BTreeMap<u32, View>,
}

/// What a column carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) labels: BTreeSet<String>,
    /// Not as it is: computed of it, or no card number.
    pub(super) hidden: bool,
}

/// Columns and what they carry.
pub(super) type Marks = BTreeMap<At, Mark>;

/// The marks of the manifests' labels.
pub(super) fn roots(roots: &[Root]) -> Marks {
    let mut marks = Marks::new();
    for Root { label, at } in roots {
        add(&mut marks, *at, &Mark { labels: [label.label.clone()].into(), hidden: label.label != CARD });
    }
    marks
}

/// Adds to what a column carries; whether that was news.
fn add(marks: &mut Marks, at: At, mark: &Mark) -> bool {
    match marks.get_mut(&at) {
        None => {
            marks.insert(at, mark.clone());
            true
        }
        Some(own) => {
            let before = (own.labels.len(), own.hidden);
            own.labels.extend(mark.labels.iter().cloned());
            own.hidden |= mark.hidden;
            (own.labels.len(), own.hidden) != before
        }
    }
}

/// What a relation carries in any of its columns.
fn carried(marks: &Marks, relation: u32) -> BTreeSet<String> {
    let all = marks.range((relation, i16::MIN)..=(relation, i16::MAX));
    all.flat_map(|(_, mark)| mark.labels.iter().cloned()).collect()
}

impl Graph {
    /// Goes on as far as is known; the views whose columns must be asked for before more can be said. Empty: all is
    /// followed to its end.
    ///
    /// # Errors
    /// More columns, or more views upon views, than are followed.
    pub(super) fn follow(&self, marks: &mut Marks, all: &BTreeSet<String>) -> Result<Vec<u32>, String> {
        for _ in 0..CATALOG_ROUNDS_MAX {
            let mut changed = self.inherit(marks);
            changed |= self.generate(marks);
            let mut unasked = Vec::new();
            for (relation, view) in &self.views {
                match view.marks(marks, all) {
                    Some(found) => {
                        for (number, mark) in found {
                            changed |= add(marks, (*relation, number), &mark);
                        }
                    }
                    None => unasked.push(*relation),
                }
            }
            if marks.len() > CATALOG_LABELLED_MAX {
                return Err(String::from("more labelled columns than are followed"));
            }
            if !unasked.is_empty() || !changed {
                return Ok(unasked);
            }
        }
        Err(String::from("more views upon views than are followed"))
    }

    /// A child's rows are shown by its parent, and the parent's label is on its columns of the same name.
    fn inherit(&self, marks: &mut Marks) -> bool {
        let mut changed = false;
        for (child, parent) in &self.inherits {
            for (from, to) in [(child, parent), (parent, child)] {
                let (Some(from_names), Some(to_names)) = (self.names.get(from), self.names.get(to)) else {
                    continue;
                };
                let found: Vec<(At, Mark)> = marks
                    .range((*from, i16::MIN)..=(*from, i16::MAX))
                    .filter_map(|((_, number), mark)| {
                        let name = &from_names.iter().find(|(own, _)| own == number)?.1;
                        let there = to_names.iter().find(|(_, own)| own == name)?.0;
                        Some(((*to, there), mark.clone()))
                    })
                    .collect();
                for (at, mark) in found {
                    changed |= add(marks, at, &mark);
                }
            }
        }
        changed
    }

    fn generate(&self, marks: &mut Marks) -> bool {
        let mut changed = false;
        for (relation, read, made) in &self.generated {
            if let Some(mark) = marks.get(&(*relation, *read)) {
                let mark = Mark { hidden: true, ..mark.clone() };
                changed |= add(marks, (*relation, *made), &mark);
            }
        }
        changed
    }
}

impl View {
    /// What its columns carry; `None`: they must be asked for first.
    fn marks(&self, marks: &Marks, all: &BTreeSet<String>) -> Option<Vec<(i16, Mark)>> {
        let mut reached = BTreeSet::new();
        let mut relevant = self.functions || self.statistics;
        if relevant {
            reached.extend(all.iter().cloned());
        }
        for (relation, number) in &self.refers {
            let whole = carried(marks, *relation);
            relevant |= !whole.is_empty();
            match marks.get(&(*relation, *number)) {
                Some(mark) => reached.extend(mark.labels.iter().cloned()),
                None if *number == 0 || self.whole_rows => reached.extend(whole),
                None => {}
            }
            if self.whole_rows {
                reached.extend(carried(marks, *relation));
            }
        }
        if !relevant {
            return Some(Vec::new());
        }
        let origins = self.origins.as_ref()?;
        let mut found = Vec::new();
        for number in 1..=self.columns.max(0) {
            let origin = usize::try_from(number - 1).ok().and_then(|index| origins.get(index).copied());
            let mark = match origin {
                Some(Some((relation, 0))) => Mark { labels: carried(marks, relation), hidden: true },
                Some(Some(at)) => marks.get(&at).cloned().unwrap_or_default(),
                // Computed, or what the target does not tell.
                Some(None) | None => Mark { labels: reached.clone(), hidden: true },
            };
            if !mark.labels.is_empty() {
                found.push((number, mark));
            }
        }
        Some(found)
    }
}

/// As answers' columns are looked up.
pub(super) fn columns(marks: &Marks) -> Vec<LabelledColumn> {
    marks
        .iter()
        .map(|((table, attribute), mark)| LabelledColumn {
            table: *table,
            attribute: *attribute,
            card: !mark.hidden,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(label: &str) -> Label {
        Label { schema: None, table: "cards".into(), column: None, label: label.into() }
    }

    fn marks_of(graph: &Graph, given: &[(u32, i16, &str)]) -> Vec<(u32, i16, bool)> {
        let given: Vec<Root> = given
            .iter()
            .map(|(relation, number, name)| Root { label: label(name), at: (*relation, *number) })
            .collect();
        let mut marks = roots(&given);
        let all = ["pan", "sad"].map(String::from).into();
        assert!(graph.follow(&mut marks, &all).unwrap().is_empty());
        marks.iter().map(|((relation, number), mark)| (*relation, *number, mark.hidden)).collect()
    }

    fn view(refers: &[At], origins: &[Option<At>]) -> View {
        View {
            refers: refers.to_vec(),
            origins: Some(origins.to_vec()),
            columns: origins.len() as i16,
            ..View::default()
        }
    }

    #[test]
    fn a_view_shows_what_its_columns_come_from_and_hides_what_it_computes() {
        let mut graph = Graph::default();
        graph.views.insert(20, view(&[(10, 1), (10, 2)], &[Some((10, 2)), None, Some((10, 1))]));
        graph.views.insert(21, view(&[(20, 1), (20, 3)], &[Some((20, 3)), Some((20, 1)), None]));
        graph.views.insert(22, view(&[(10, 1)], &[Some((10, 1)), None]));
        let found = marks_of(&graph, &[(10, 2, "pan")]);
        assert_eq!(
            found,
            [(10, 2, false), (20, 1, false), (20, 2, true), (21, 2, false), (21, 3, true)],
            "22 refers to no labelled column"
        );
    }

    #[test]
    fn whole_rows_functions_and_statistics_hide_what_is_computed() {
        let mut graph = Graph::default();
        graph.views.insert(20, View { whole_rows: true, ..view(&[(10, 1)], &[None]) });
        graph.views.insert(21, view(&[(10, 0)], &[None, Some((10, 0))]));
        graph.views.insert(22, View { functions: true, ..view(&[], &[None]) });
        graph.views.insert(23, View { statistics: true, ..view(&[], &[Some((2619, 1)), None]) });
        let found = marks_of(&graph, &[(10, 2, "sad")]);
        assert_eq!(
            found,
            [(10, 2, true), (20, 1, true), (21, 1, true), (21, 2, true), (22, 1, true), (23, 2, true)]
        );
    }

    #[test]
    fn parents_children_and_generated_columns_carry_a_label() {
        let name = |number, name: &str| (number, String::from(name));
        let graph = Graph {
            inherits: vec![(11, 10), (12, 11)],
            names: [
                (10, vec![name(1, "id"), name(2, "cvv")]),
                (11, vec![name(1, "cvv"), name(3, "id")]),
                (12, vec![name(7, "cvv")]),
            ]
            .into(),
            generated: vec![(11, 1, 4)],
            views: BTreeMap::new(),
        };
        let found = marks_of(&graph, &[(11, 1, "sad")]);
        assert_eq!(found, [(10, 2, true), (11, 1, true), (11, 4, true), (12, 7, true)]);
    }

    #[test]
    fn a_view_whose_columns_are_not_known_is_asked_for() {
        let mut graph = Graph::default();
        graph.views.insert(20, View { origins: None, columns: 2, ..view(&[(10, 1)], &[]) });
        let mut marks = roots(&[Root { label: label("pan"), at: (10, 1) }]);
        assert_eq!(graph.follow(&mut marks, &BTreeSet::new()).unwrap(), [20_u32]);
        // What the target does not tell is hidden.
        graph.views.entry(20).and_modify(|view| view.origins = Some(Vec::new()));
        assert!(graph.follow(&mut marks, &BTreeSet::new()).unwrap().is_empty());
        assert_eq!(columns(&marks).iter().filter(|column| !column.card).count(), 2);
    }
}
