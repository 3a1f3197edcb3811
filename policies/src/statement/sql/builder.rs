//! Gathers facts while statements are read. Nothing is ever taken back but what EXECUTE's own facts replace.
use super::super::{Access, Effect, Facts, TransactionVerb, Verb};
use std::collections::BTreeSet;

/// Facts in the making.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "those of the facts")]
pub(super) struct Builder {
    accesses: BTreeSet<Access>,
    objects: BTreeSet<String>,
    reads: BTreeSet<String>,
    writes: BTreeSet<String>,
    transforms: BTreeSet<String>,
    whole_rows: BTreeSet<String>,
    effects: BTreeSet<Effect>,
    functions: BTreeSet<String>,
    literals_matter: bool,
    transaction: Option<TransactionVerb>,
    prepares: BTreeSet<String>,
    executes: BTreeSet<String>,
    derived_names: BTreeSet<String>,
    temporary: bool,
    diagnoses: bool,
    not_understood: bool,
    all_transformed: bool,
}

impl Builder {
    /// A verb that has no object.
    pub(super) fn verb(&mut self, verb: Verb) {
        self.accesses.insert(Access { verb, object: None });
    }

    /// A verb on an object of the database.
    pub(super) fn touch(&mut self, verb: Verb, object: &str) {
        self.access(verb, object);
        self.objects.insert(object.to_owned());
        // Rows of this view are settings: to change one is SET, of whichever its condition picks.
        if matches!(verb, Verb::Update | Verb::Merge)
            && matches!(object, "pg_settings" | "pg_catalog.pg_settings")
        {
            self.access(Verb::Set, "all");
            self.effect(Effect::DynamicSql);
        }
    }

    /// A verb on what is not an object of the database: a setting, a channel.
    pub(super) fn access(&mut self, verb: Verb, name: &str) {
        self.accesses.insert(Access { verb, object: Some(name.to_owned()) });
    }

    /// A column that is read; `through`: by way of an expression.
    pub(super) fn read(&mut self, column: &str, through: bool) {
        self.reads.insert(column.to_owned());
        if through {
            self.transforms.insert(column.to_owned());
        }
    }

    /// A column, read elsewhere, that goes through an expression here.
    pub(super) fn transform(&mut self, column: &str) {
        self.transforms.insert(column.to_owned());
    }

    /// Any column read may go through an expression.
    pub(super) fn transform_all(&mut self) {
        self.all_transformed = true;
    }

    pub(super) fn write(&mut self, column: String) {
        self.writes.insert(column);
    }

    /// All of an object's columns are read, or may be. `column` is `object.*`.
    pub(super) fn whole_row(&mut self, object: &str, column: &str, through: bool) {
        self.whole_rows.insert(object.to_owned());
        self.read(column, through);
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.insert(effect);
    }

    pub(super) fn function(&mut self, name: String) {
        self.functions.insert(name);
    }

    pub(super) fn literals_matter(&mut self) {
        self.literals_matter = true;
    }

    pub(super) fn transaction(&mut self, verb: TransactionVerb) {
        self.verb(Verb::Transaction);
        self.transaction = Some(verb);
    }

    pub(super) fn prepares(&mut self, name: String) {
        self.prepares.insert(name);
    }

    pub(super) fn executes(&mut self, name: String) {
        self.executes.insert(name);
    }

    /// A name that the statement gives to a derived table.
    pub(super) fn derived_name(&mut self, name: &str) {
        if !name.is_empty() {
            self.derived_names.insert(name.to_owned());
        }
    }

    /// A table of the session's own is made.
    pub(super) fn temporary(&mut self) {
        self.temporary = true;
    }

    /// Errors or warnings are shown.
    pub(super) fn diagnoses(&mut self) {
        self.diagnoses = true;
    }

    /// Something is not understood, and so nothing that was found is all there is.
    pub(super) fn unknown(&mut self) {
        self.verb(Verb::Unknown);
        self.not_understood = true;
        self.literals_matter = true;
    }

    /// Adds what another statement does.
    pub(super) fn add(&mut self, facts: &Facts) {
        self.accesses.extend(facts.accesses.iter().cloned());
        self.objects.extend(facts.objects.iter().cloned());
        self.reads.extend(facts.reads.iter().cloned());
        self.writes.extend(facts.writes.iter().cloned());
        self.transforms.extend(facts.transforms.iter().cloned());
        self.whole_rows.extend(facts.whole_rows.iter().cloned());
        self.effects.extend(facts.effects.iter().copied());
        self.functions.extend(facts.functions.iter().cloned());
        self.literals_matter |= facts.literals_matter;
        self.transaction = facts.transaction.or(self.transaction);
        self.prepares.extend(facts.prepares.iter().cloned());
        self.executes.extend(facts.executes.iter().cloned());
        self.derived_names.extend(facts.derived_names.iter().cloned());
        self.temporary |= facts.temporary;
        self.diagnoses |= facts.diagnoses;
        self.not_understood |= !facts.understood;
    }

    /// The facts, sorted.
    pub(super) fn finish(mut self) -> Facts {
        if self.all_transformed {
            self.transforms.extend(self.reads.iter().cloned());
        }
        let verbs: BTreeSet<Verb> = self.accesses.iter().map(|access| access.verb).collect();
        let columns: BTreeSet<String> = self.reads.union(&self.writes).cloned().collect();
        Facts {
            understood: !self.not_understood,
            verbs: verbs.into_iter().collect(),
            accesses: self.accesses.into_iter().collect(),
            objects: self.objects.into_iter().collect(),
            columns: columns.into_iter().collect(),
            reads: self.reads.into_iter().collect(),
            writes: self.writes.into_iter().collect(),
            transforms: self.transforms.into_iter().collect(),
            whole_rows: self.whole_rows.into_iter().collect(),
            effects: self.effects.into_iter().collect(),
            functions: self.functions.into_iter().collect(),
            literals_matter: self.literals_matter,
            transaction: self.transaction,
            prepares: self.prepares.into_iter().collect(),
            executes: self.executes.into_iter().collect(),
            derived_names: self.derived_names.into_iter().collect(),
            temporary: self.temporary,
            diagnoses: self.diagnoses,
            members: Vec::new(),
        }
    }
}
