//! A request as rules see it: its facts beside the labels of its target.

use std::borrow::Cow;

use super::{Exposure, builtin};
use crate::model::{ArchivedProtocol, ArchivedTarget, effect_bit};
use crate::name::{self, Home};
use crate::snapshot::{DerivedLabel, LabelView, labels_of};
use crate::statement::{Access, Dialect, Effect, Facts, TransactionVerb, Verb};

/// Effects that an allow rule must name.
pub(super) const DANGEROUS: [Effect; 5] =
    [Effect::ReadsFile, Effect::WritesFile, Effect::RunsProgram, Effect::DynamicSql, Effect::Unbounded];
/// Verbs that have a WHERE, or are TRUNCATE's: those to which `unbounded` can belong.
const BOUNDABLE: [Verb; 4] = [Verb::Update, Verb::Delete, Verb::Merge, Verb::Ddl];
/// Verbs that put values somewhere.
const WRITING: [Verb; 6] = [Verb::Insert, Verb::Update, Verb::Merge, Verb::Ddl, Verb::Call, Verb::Unknown];
/// The label of card numbers.
const CARDS: &str = "pan";
/// Settings that change which relation an unqualified name stands for, or who asks.
const RENAMING: [&str; 5] = ["search_path", "role", "session_authorization", "all", "discard"];
/// Verbs to which columns mean nothing: on a labelled table, they touch the label.
const WHOLE_OBJECT: [Verb; 5] = [Verb::Ddl, Verb::Grant, Verb::Admin, Verb::Call, Verb::Unknown];

/// Facts and labels together.
pub(crate) struct Request<'a> {
    pub(super) facts: &'a Facts,
    /// What is decided on: the facts' accesses, without those that only say a verb whose objects stand beside them.
    pub(super) accesses: Vec<&'a Access>,
    target: &'a ArchivedTarget,
    /// Labelled data that the statement touches.
    touches: Vec<Touch<'a>>,
    /// Some of them by what the target's catalog adds: what such a column shows may be computed.
    derives: bool,
    /// All effects, those of the labels too.
    pub(super) effects: u8,
    /// It may touch more than its facts say.
    pub(super) blind: bool,
}

/// Whether what an operator has labelled is the very column that the catalog names. A label in whatever schema is not:
/// a view of that name may compute.
fn names_the_same(own: &LabelView<'_>, known: &LabelView<'_>) -> bool {
    own.table == known.table
        && own.schema.is_some()
        && own.schema == known.schema
        && (own.column.is_none() || own.column == known.column)
}

/// An object of the statement, and a label that is touched in it.
struct Touch<'a> {
    object: &'a str,
    label: &'a str,
}

impl<'a> Request<'a> {
    /// `derived`: what the target's catalog adds to its labels.
    pub(crate) fn new(target: &'a ArchivedTarget, facts: &'a Facts, derived: &'a [DerivedLabel]) -> Self {
        let mut touches = Vec::new();
        let mut derives = false;
        let mut effects = facts.effects.iter().fold(0, |set, effect| set | effect_bit(*effect));
        let own = labels_of(target).map(|data| (data, false));
        // The catalog names the labelled columns themselves too.
        let is_own = |data: &LabelView<'_>| labels_of(target).any(|own| names_the_same(&own, data));
        let all = own.chain(derived.iter().map(DerivedLabel::view).map(|data| (data, !is_own(&data))));
        for (data, is_derived) in &all.collect::<Vec<_>>() {
            let before = touches.len();
            let columns = facts.columns.iter().filter_map(|column| labelled_column(data, column));
            let rows = facts.whole_rows.iter().map(String::as_str).filter(|object| is_table(data, object));
            let whole = facts.accesses.iter().filter(|access| WHOLE_OBJECT.contains(&access.verb));
            let whole = whole.filter_map(|access| access.object.as_deref());
            let whole = whole.filter(|object| is_table(data, object));
            let label = data.label;
            touches.extend(columns.chain(rows).chain(whole).map(|object| Touch { object, label }));
            derives |= *is_derived && touches.len() > before;
            let any =
                |columns: &[String]| columns.iter().any(|column| labelled_column(data, column).is_some());
            if any(&facts.reads) || facts.whole_rows.iter().any(|object| is_table(data, object)) {
                effects |= effect_bit(Effect::ReadsLabelled);
            }
            if any(&facts.transforms) {
                effects |= effect_bit(Effect::TransformsLabelled);
            }
        }
        let blind = !facts.understood || facts.effects.contains(&Effect::DynamicSql);
        if blind && !target.data.is_empty() {
            effects |= effect_bit(Effect::ReadsLabelled) | effect_bit(Effect::TransformsLabelled);
        }
        let has_object = |verb: Verb| facts.accesses.iter().any(|it| it.verb == verb && it.object.is_some());
        let counts = |access: &&Access| access.object.is_some() || !has_object(access.verb);
        let accesses = facts.accesses.iter().filter(counts).collect();
        Self { facts, accesses, target, touches, derives, effects, blind }
    }

    /// Nothing at all: an empty query, a comment.
    pub(super) fn does_nothing(&self) -> bool {
        let facts = self.facts;
        facts.understood
            && facts.accesses.is_empty()
            && facts.verbs.is_empty()
            && facts.objects.is_empty()
            && facts.functions.is_empty()
            && facts.effects.is_empty()
    }

    /// Whether the facts hold together: accesses are what is decided on, so nothing may stand beside them.
    pub(super) fn is_sound(&self) -> bool {
        let Facts { accesses, verbs, objects, .. } = self.facts;
        let unknown = accesses.iter().any(|access| access.verb == Verb::Unknown);
        !accesses.is_empty()
            && unknown != self.facts.understood
            && verbs.iter().all(|verb| accesses.iter().any(|access| access.verb == *verb))
            && objects
                .iter()
                .all(|object| accesses.iter().any(|access| access.object.as_ref() == Some(object)))
    }

    /// Whose SQL its facts are of. Requests that are no SQL call no functions.
    const fn dialect(&self) -> Dialect {
        match self.target.protocol {
            ArchivedProtocol::Mysql => Dialect::Mysql,
            _ => Dialect::Postgres,
        }
    }

    /// Where its target looks for what a name without schema means.
    pub(super) fn home(&self) -> Home<'a> {
        match self.target.protocol {
            ArchivedProtocol::Mysql => Home::Mysql(self.target.database.as_ref().map(|it| it.as_str())),
            _ => Home::Postgres,
        }
    }

    /// All effects, in order.
    pub(crate) fn effects(&self) -> impl Iterator<Item = Effect> {
        Effect::ALL.into_iter().filter(|effect| self.effects & effect_bit(*effect) != 0)
    }

    /// All labels that are, or may be, touched.
    pub(crate) fn labels(&self) -> Vec<&'a str> {
        let mut labels: Vec<&str> = if self.blind {
            self.target.data.iter().map(|data| data.label.as_str()).collect()
        } else {
            self.touches.iter().map(|touch| touch.label).collect()
        };
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// Labels touched in one object.
    pub(super) fn labels_in(&self, object: &str) -> impl Iterator<Item = &'a str> {
        self.touches.iter().filter(move |touch| touch.object == object).map(|touch| touch.label)
    }

    /// What becomes of its answer at a target that has labels.
    pub(crate) fn exposure(&self) -> Exposure {
        let facts = self.facts;
        let does = |verb: Verb| facts.verbs.contains(&verb);
        let labelled = effect_bit(Effect::ReadsLabelled) | effect_bit(Effect::TransformsLabelled);
        let opaque = self.blind || self.foreign_functions().next().is_some();
        let sets = |access: &&&Access| {
            access.verb == Verb::Set
                && access.object.as_deref().is_some_and(|object| RENAMING.contains(&object))
        };
        let defines = opaque || does(Verb::Ddl) || does(Verb::Call) || does(Verb::Unknown);
        Exposure {
            touches: opaque || self.effects & labelled != 0,
            beyond_cards: opaque
                || self.derives
                || self.effects & effect_bit(Effect::TransformsLabelled) != 0
                || self.labels().iter().any(|label| *label != CARDS),
            opaque,
            sets: opaque || does(Verb::Set) || does(Verb::Call),
            writes: opaque || WRITING.into_iter().any(does),
            defines,
            renames: defines || self.accesses.iter().any(|access| sets(&access)),
            ends: facts.transaction.is_some_and(|verb| verb != TransactionVerb::Begin),
            copies_out: does(Verb::Copy) && !does(Verb::Insert),
            derives: !facts.derived_names.is_empty(),
            temporary: opaque || does(Verb::Call) || facts.temporary,
            diagnoses: opaque || facts.diagnoses,
        }
    }

    /// The statement's columns of one object.
    pub(super) fn columns_of(&self, object: &str) -> impl Iterator<Item = &'a str> {
        self.facts.columns.iter().filter_map(move |column| match name::split(column) {
            (Some(of), column) if of == object => Some(column),
            _ => None,
        })
    }

    /// Effects that an allow rule must name to permit this access.
    pub(super) fn dangers(&self, access: &Access) -> u8 {
        let mut dangers = DANGEROUS.iter().fold(0, |set, effect| set | effect_bit(*effect)) & self.effects;
        let boundable = |access: &Access| BOUNDABLE.contains(&access.verb);
        if !boundable(access) && self.facts.accesses.iter().any(boundable) {
            dangers &= !effect_bit(Effect::Unbounded);
        }
        dangers
    }

    /// Functions called, by their full names where those are certain.
    pub(super) fn functions(&self) -> impl Iterator<Item = Cow<'a, str>> {
        self.facts.functions.iter().map(|function| match name::split(function) {
            (None, own) if builtin::is_harmless(function, self.dialect()) => match self.dialect() {
                Dialect::Postgres => Cow::Owned(format!("pg_catalog.{own}")),
                // In no database.
                Dialect::Mysql => Cow::Owned(format!("\"*\".{own}")),
            },
            _ => Cow::Borrowed(function.as_str()),
        })
    }

    /// Functions that an allow rule must name.
    pub(super) fn foreign_functions(&self) -> impl Iterator<Item = &'a str> {
        self.facts
            .functions
            .iter()
            .map(String::as_str)
            .filter(|function| !builtin::is_harmless(function, self.dialect()))
    }
}

/// The object of a column, where that column may be a labelled one.
fn labelled_column<'a>(data: &LabelView<'_>, column: &'a str) -> Option<&'a str> {
    let (object, column) = name::split(column);
    let object = object?;
    let same = data.column.is_none_or(|own| own == column || column == "*");
    (same && is_table(data, object)).then_some(object)
}

fn is_table(data: &LabelView<'_>, object: &str) -> bool {
    name::may_be(data.schema, data.table, object)
}
