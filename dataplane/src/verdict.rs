//! A statement's text -> policy's decision, remembered per shard. The one place where mechanism meets policy. Lives on
//! its shard's core.

use std::rc::Rc;

use hashbrown::{Equivalent, HashMap};
use policies::decision::{Decision, Exposure};
use policies::snapshot::{Class, DerivedLabel, Snapshot};
use policies::statement::sql::{Context, analyse_in};
use policies::statement::{self, Dialect, Effect, Facts, Verb};
use scan::{Format, Scanner};
use wire::Origins;

use crate::catalog::Place;
use crate::following::Tracing;
use crate::limits::{NAMED_BYTES_MAX, NAMED_MAX, VERDICTS_MAX};
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
    /// What the target's word on its columns' origins is worth.
    pub tracing: Tracing,
    /// It runs what was prepared by SQL: its text does not show that.
    pub executes: bool,
    /// It does nothing but run, without values, what was prepared by SQL under this name.
    pub runs: Option<String>,
    /// Statements that it prepares under a name, by SQL.
    pub prepares: Vec<(String, Rc<Facts>)>,
    /// It does nothing but prepare one, whose text it shows.
    pub only_prepares: bool,
    /// It may prepare under a name what its text does not show.
    pub prepares_unseen: bool,
}

/// The text of a PREPARE, as people may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedText {
    /// Card numbers in it are masked.
    pub text: String,
    /// How many.
    pub masked: usize,
}

/// What a name stands for.
struct Known {
    facts: Rc<Facts>,
    /// Where there was room for it, and it shows all that is run.
    text: Option<PreparedText>,
}

/// Statements that a session has prepared by SQL, by name.
#[derive(Default)]
pub struct Named {
    /// `None`: what the name stands for is not known.
    known: HashMap<String, Option<Known>>,
    /// Prepared by a command that has not ended: its number, the name.
    under_way: Vec<(u64, String, Known)>,
}

impl Named {
    /// A command is to prepare these: until it has ended well, what the names stand for is not known. `text`: the
    /// command's, where it does nothing else.
    pub fn prepare(&mut self, number: u64, prepares: &[(String, Rc<Facts>)], text: Option<PreparedText>) {
        let mut text = text;
        for (name, facts) in prepares {
            if self.known.len() >= NAMED_MAX && !self.known.contains_key(name) {
                continue;
            }
            self.known.insert(name.clone(), None);
            let room = NAMED_BYTES_MAX.saturating_sub(self.bytes());
            let known = Known { facts: Rc::clone(facts), text: text.take_if(|own| own.text.len() <= room) };
            self.under_way.push((number, name.clone(), known));
        }
    }

    /// A command has ended.
    pub fn ended(&mut self, number: u64, well: bool) {
        for (of, name, known) in std::mem::take(&mut self.under_way) {
            match of == number {
                true if well => drop(self.known.insert(name, Some(known))),
                true => {}
                false => self.under_way.push((of, name, known)),
            }
        }
    }

    /// Something may have been prepared under any name: no text shows for certain what a name stands for.
    pub fn doubt(&mut self) {
        let under_way = self.under_way.iter_mut().map(|(_, _, known)| known);
        for known in self.known.values_mut().flatten().chain(under_way) {
            known.text = None;
        }
    }

    /// How a name was prepared.
    pub fn text(&self, name: &str) -> Option<&PreparedText> {
        self.known.get(name)?.as_ref()?.text.as_ref()
    }

    fn facts(&self, name: &str) -> Option<Facts> {
        self.known.get(name)?.as_ref().map(|known| (*known.facts).clone())
    }

    fn bytes(&self) -> usize {
        let under_way = self.under_way.iter().map(|(_, _, known)| known);
        let known = self.known.values().flatten().chain(under_way);
        known.filter_map(|known| known.text.as_ref()).map(|own| own.text.len()).sum()
    }
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
    /// How its texts are read.
    pub dialect: Dialect,
    /// The database that names without one stand for; empty: none, or of no account.
    pub database: &'a str,
    /// What the session has prepared.
    pub named: &'a Named,
    /// Where labelled data lie, where that is followed.
    pub origins: Option<&'a Origins>,
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
        let Judge { number, dialect, .. } = *judge;
        self.normalised.clear();
        let abstracted = statement::fingerprint(text, dialect, &mut self.normalised);
        if abstracted
            && let Some(verdict) =
                self.known.get(&KeyRef { class: number, abstracted, text: &self.normalised })
        {
            return Rc::clone(verdict);
        }
        if let Some(verdict) = self.known.get(&KeyRef { class: number, abstracted: false, text }) {
            return Rc::clone(verdict);
        }
        let prepared = |name: &str| judge.named.facts(name);
        let facts = analyse_in(text, dialect, &Context { database: judge.database, prepared: &prepared });
        let verdict = Rc::new(verdict(judge, text, &facts));
        // What it runs is the session's own.
        if !facts.executes.is_empty() {
            return verdict;
        }
        if self.known.len() >= VERDICTS_MAX {
            self.known.clear();
        }
        let share = abstracted && !facts.literals_matter;
        let text = if share { self.normalised.clone() } else { text.to_owned() };
        self.known.insert(Key { class: number, abstracted: share, text }, Rc::clone(&verdict));
        verdict
    }
}

fn verdict(judge: &Judge<'_>, text: &str, facts: &Facts) -> Verdict {
    let Judge { snapshot, class, target, dialect, derived, scanner, .. } = *judge;
    let decision = shown(snapshot.decide_with(class, target, facts, derived), scanner);
    let exposure = snapshot.exposure(target, facts, derived);
    // A name may be a card number: a job's author can quote anything.
    let names: Vec<String> = facts.objects.iter().map(|name| masked(name, scanner)).collect();
    Verdict {
        decision,
        objects: names.join(", "),
        names,
        secret: redact::names_secret(text, dialect),
        trace: statement::leaves_trace(facts, dialect),
        writes: facts.verbs.iter().any(|verb| matches!(verb, Verb::Insert | Verb::Update | Verb::Merge)),
        exposure,
        tracing: tracing(judge, facts, exposure),
        executes: !facts.executes.is_empty(),
        runs: runs(text, dialect, facts),
        prepares: prepares(facts),
        only_prepares: dialect == Dialect::Mysql
            && facts.understood
            && facts.members.is_empty()
            && facts.prepares.len() == 1,
        prepares_unseen: !facts.understood
            || facts.verbs.iter().any(|verb| matches!(verb, Verb::Call | Verb::Unknown))
            || facts.effects.contains(&Effect::DynamicSql),
    }
}

/// The name of what a text runs that is `EXECUTE name` and nothing else. Values come from variables, which people cannot
/// see.
fn runs(text: &str, dialect: Dialect, facts: &Facts) -> Option<String> {
    let [name] = facts.executes.as_slice() else { return None };
    let text = text.trim_ascii();
    let text = text.strip_suffix(';').unwrap_or(text).trim_ascii_end();
    let (first, rest) = text.split_at_checked("execute".len())?;
    let own = rest.trim_ascii_start();
    let own = own.strip_prefix('`').and_then(|own| own.strip_suffix('`')).unwrap_or(own);
    let alone = dialect == Dialect::Mysql && facts.members.is_empty() && own.eq_ignore_ascii_case(name);
    (alone && first.eq_ignore_ascii_case("execute")).then(|| name.clone())
}

/// Of a target that tells origins by name. See [`Tracing`].
fn tracing(judge: &Judge<'_>, facts: &Facts, exposure: Option<Exposure>) -> Tracing {
    let (Dialect::Mysql, Some(origins), Some(exposure)) = (judge.dialect, judge.origins, exposure) else {
        return Tracing { by_number: judge.dialect == Dialect::Postgres, ..Tracing::default() };
    };
    let known = |object: &String| match policies::snapshot::name_parts(object).as_slice() {
        [database, name] => origins.has_relation(database, name),
        _ => false,
    };
    let mut derived = facts.derived_names.iter();
    Tracing {
        derives: exposure.derives,
        untraced: exposure.opaque
            || derived.any(|name| origins.has_relation_called(name))
            || exposure.derives && !facts.objects.iter().all(known),
        by_number: false,
    }
}

/// The statements that it prepares: what a PREPARE does, as facts have it, is what the statement will do.
fn prepares(facts: &Facts) -> Vec<(String, Rc<Facts>)> {
    let members = if facts.members.is_empty() { std::slice::from_ref(facts) } else { &facts.members };
    let mut found = Vec::new();
    for member in members.iter().filter(|member| !member.prepares.is_empty()) {
        let own = Rc::new(Facts { prepares: Vec::new(), ..member.clone() });
        found.extend(member.prepares.iter().map(|name| (name.clone(), Rc::clone(&own))));
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        let known = |_: &str| Some(Facts::unknown());
        analyse_in(text, Dialect::Mysql, &Context { database: "", prepared: &known })
    }

    #[test]
    fn only_a_bare_execute_can_be_shown() {
        for text in ["EXECUTE p", " execute `P` ; ", "Execute\tp;"] {
            assert_eq!(runs(text, Dialect::Mysql, &facts(text)).as_deref(), Some("p"), "{text}");
        }
        for text in [
            "execute p using @a",
            "execute p; execute q",
            "execute p; select 1",
            "execute immediate 'select 1'",
            "/* x */ execute p",
            "execute p -- q",
            "select 1",
        ] {
            assert_eq!(runs(text, Dialect::Mysql, &facts(text)), None, "{text}");
        }
    }

    #[test]
    fn texts_are_kept_until_their_names_stand_for_others_and_within_one_bound() {
        let mut named = Named::default();
        let one = |name: &str| [(name.to_owned(), Rc::new(Facts::unknown()))];
        let text = |length: usize| Some(PreparedText { text: "x".repeat(length), masked: 1 });
        named.prepare(1, &one("a"), text(10));
        assert_eq!(named.text("a"), None, "not before it has ended well");
        named.ended(1, true);
        assert_eq!(named.text("a"), text(10).as_ref());
        named.prepare(2, &one("a"), text(20));
        assert!(named.text("a").is_none() && named.bytes() == 20);
        named.ended(2, false);
        assert!(named.text("a").is_none() && named.facts("a").is_none() && named.bytes() == 0);
        named.prepare(3, &one("a"), text(NAMED_BYTES_MAX));
        named.prepare(4, &one("b"), text(1));
        (3..=4).for_each(|number| named.ended(number, true));
        assert!(named.text("a").is_some() && named.text("b").is_none() && named.facts("b").is_some());
        named.doubt();
        assert!(named.text("a").is_none() && named.facts("a").is_some() && named.bytes() == 0);
        named.prepare(5, &one("b"), text(NAMED_BYTES_MAX));
        named.ended(5, true);
        assert!(named.text("b").is_some());
    }
}
