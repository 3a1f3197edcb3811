//! A statement's text -> policy's decision, remembered per shard. The one place where mechanism meets policy. Lives on
//! its shard's core.

use std::rc::Rc;

use hashbrown::{Equivalent, HashMap};
use policies::decision::{Decision, Exposure};
use policies::snapshot::{Class, DerivedLabel, Snapshot};
use policies::statement::{self, Dialect, Verb};
use scan::{Format, Scanner};

use crate::catalog::Place;
use crate::limits::VERDICTS_MAX;
use crate::redact;

/// What is known of a statement for an identity class under one snapshot.
pub struct Verdict {
    /// The decision.
    pub decision: Decision,
    /// The objects that it touches, as records show them: masked.
    pub names: Vec<String>,
    /// The same, comma-separated.
    pub objects: String,
    /// Its literals and parameters may be secret.
    pub secret: bool,
    /// It may leave in its session what no reset undoes.
    pub trace: bool,
    /// It puts values into tables.
    pub writes: bool,
    /// What it may show of labelled data, and change in what names stand for; `None`: the target has no labels.
    pub exposure: Option<Exposure>,
}

/// What a statement is judged by.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// The policy in use.
    pub snapshot: &'a Snapshot,
    /// The identity's class.
    pub class: &'a Class,
    /// Its number: [`Verdicts::class_number`].
    pub number: u32,
    /// The target.
    pub target: &'a str,
    /// What the target's catalog adds to its labels.
    pub derived: &'a [DerivedLabel],
    /// Finds card numbers in names.
    pub scanner: &'a Scanner,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    class: u32,
    abstracted: bool,
    text: String,
}

#[derive(Hash)]
struct KeyRef<'a> {
    class: u32,
    abstracted: bool,
    text: &'a str,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.class == key.class && self.abstracted == key.abstracted && self.text == key.text
    }
}

/// The shard's memory of verdicts. Emptied with every new snapshot, and when full.
#[derive(Default)]
pub struct Verdicts {
    known: HashMap<Key, Rc<Verdict>>,
    classes: HashMap<(Class, Place), u32>,
    normalised: String,
}

impl Verdicts {
    /// Forgets everything: the snapshot has changed.
    pub fn clear(&mut self) {
        self.known.clear();
        self.classes.clear();
    }

    /// Forgets the verdicts alone: what is known of labelled data has changed.
    pub fn forget(&mut self) {
        self.known.clear();
    }

    /// A number for the class at this place, good until the next [`Verdicts::clear`].
    pub fn class_number(&mut self, class: &Class, place: &Place) -> u32 {
        let next = self.classes.len() as u32;
        *self.classes.entry((class.clone(), place.clone())).or_insert(next)
    }

    /// The verdict on a statement. Texts that differ in literals alone share one, where literals change nothing.
    pub fn of(&mut self, judge: &Judge<'_>, text: &str) -> Rc<Verdict> {
        let Judge { snapshot, class, number, target, derived, scanner } = *judge;
        self.normalised.clear();
        let abstracted = statement::fingerprint(text, Dialect::Postgres, &mut self.normalised);
        if abstracted
            && let Some(verdict) =
                self.known.get(&KeyRef { class: number, abstracted, text: &self.normalised })
        {
            return Rc::clone(verdict);
        }
        if let Some(verdict) = self.known.get(&KeyRef { class: number, abstracted: false, text }) {
            return Rc::clone(verdict);
        }
        let facts = statement::sql::analyse(text, Dialect::Postgres);
        let decision = shown(snapshot.decide_with(class, target, &facts, derived), scanner);
        let writes = facts.verbs.iter().any(|verb| matches!(verb, Verb::Insert | Verb::Update | Verb::Merge));
        let exposure = snapshot.exposure(target, &facts, derived);
        let share = abstracted && !facts.literals_matter;
        // A name may be a card number: a job's author can quote anything.
        let names: Vec<String> = facts.objects.iter().map(|name| masked(name, scanner)).collect();
        let (objects, secret) = (names.join(", "), redact::names_secret(text));
        let trace = statement::leaves_trace(&facts, Dialect::Postgres);
        let verdict = Rc::new(Verdict { decision, objects, names, secret, trace, writes, exposure });
        if self.known.len() >= VERDICTS_MAX {
            self.known.clear();
        }
        let text = if share { self.normalised.clone() } else { text.to_owned() };
        self.known.insert(Key { class: number, abstracted: share, text }, Rc::clone(&verdict));
        verdict
    }
}

fn masked(text: &str, scanner: &Scanner) -> String {
    let mut out = String::with_capacity(text.len());
    redact::masked(text, scanner, Format::Full, &mut out);
    out
}

/// The decision with its words masked: they name what the statement names.
fn shown(decision: Decision, scanner: &Scanner) -> Decision {
    match decision {
        Decision::Deny { rule, reason } => Decision::Deny { rule, reason: masked(&reason, scanner) },
        Decision::Allow { .. } | Decision::Hold { .. } => decision,
    }
}
