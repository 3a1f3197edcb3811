//! Keeps a session's answers in step with what is known of labelled data: which facts its commands are judged by, when
//! it must wait for newer ones, how strictly each answer is treated. Leaves out reading facts (`catalog`) and looking
//! columns up (`wire`). Lives on its shard's core.

use std::sync::Arc;

use policies::decision::Exposure;
use wire::{Command, CommandKind, Labels, RefusalKind, Transaction, Watch};

use crate::catalog::{Entry, Facts};
use crate::desk::{Answer, Desk, OwnedRefusal, Wait};
use crate::limits::{CATALOG_ASK_MS, CATALOG_WAIT_MS_MAX};
use crate::session::Session;

/// What a target's word on where a column comes from is worth for one statement. Targets that tell it by number say what
/// is; those that tell it by name may name what the statement itself has named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracing {
    /// The statement names derived tables or WITH queries.
    pub derives: bool,
    /// The target's word proves nothing: such a name is a relation's too, or relations are named that are not known, or
    /// what runs is not in the text.
    pub untraced: bool,
    /// It is told by number: a temporary table has one of its own.
    pub by_number: bool,
}

/// What a session at a target with labels has done.
#[derive(Default)]
pub struct Following {
    /// What is known of its place, as of the shard's table of this number.
    entry: Entry,
    table: u64,
    /// The facts for the command in question; `None`: its target has no labels.
    facts: Option<Arc<Facts>>,
    /// How strictly its answer is treated.
    watch: Watch,
    /// Counts changes of what names may stand for, and the facts' version that it was last counted for.
    generation: u64,
    version: u64,
    /// The request that facts must come up to before more is judged by them; 0: none.
    needs: u64,
    /// It has run what may have made relations, and facts that were read after that are not there yet.
    unsettled: bool,
    /// The last command that may have made or committed relations.
    defining: u64,
    /// It has written what touches a label.
    carried: bool,
    /// It has opened a cursor over what touches a label.
    cursors: bool,
    /// It has put something of a label into a setting or a notification.
    spilled: bool,
    /// It has touched a label: the target may tell of it again when asked for its warnings.
    touched: bool,
    /// It has made temporary tables, which stand before others of their names.
    shadows: bool,
    /// When the wait for facts is over; when facts were last asked for because of an answer.
    wait_until_ms: Option<u64>,
    asked_ms: u64,
}

impl Following {
    /// What goes with the ruling on the command in question. The facts are lent: they go back to [`Following::give_back`].
    pub fn lend(&mut self) -> Option<Arc<Facts>> {
        self.facts.take()
    }

    /// As engines take it.
    pub fn labels<'a>(&self, facts: &'a Facts) -> Labels<'a> {
        Labels { origins: &facts.origins, watch: self.watch, generation: self.generation }
    }

    /// Takes the facts back, unless the next command has its own already.
    pub fn give_back(&mut self, facts: Arc<Facts>) {
        self.facts.get_or_insert(facts);
    }

    /// The facts for the command in question.
    pub fn facts(&self) -> Option<&Arc<Facts>> {
        self.facts.as_ref()
    }

    /// Whether data of a label may lie where the facts do not say: the session has put them somewhere, or made relations
    /// that are not read yet.
    pub(crate) fn is_unsure(&self) -> bool {
        self.unsettled || self.carried || self.spilled
    }

    /// An approval lets what the command computes be seen.
    pub fn reveal(&mut self) {
        (self.watch.computed, self.watch.opaque, self.watch.untraced) = (false, false, false);
    }

    /// Counts anew where the facts have changed; whether they have.
    pub(crate) fn renew(&mut self) -> bool {
        let version = self.facts.as_ref().map_or(0, |facts| facts.version);
        let changed = std::mem::replace(&mut self.version, version) != version;
        self.generation += u64::from(changed);
        changed
    }

    /// Takes note of a command that may run: how its answer is treated, and what it leaves behind.
    pub(crate) fn note(&mut self, command: &Command<'_>, exposure: Exposure, tracing: Tracing) {
        // Which rows come was decided with DECLARE.
        let fetches = self.cursors && contains(command.text, b"fetch");
        let retells = self.touched && exposure.diagnoses;
        // A list of statements may make such a table, and read it.
        let shadows = self.shadows || exposure.temporary && !tracing.by_number;
        let shadows = shadows && (self.carried || exposure.touches && exposure.writes);
        self.watch = Watch {
            labels: true,
            computed: exposure.touches && !exposure.copies_out || fetches || retells || self.spilled,
            unsettled: self.unsettled || exposure.defines,
            carried: self.carried,
            spilled: self.spilled,
            opaque: exposure.opaque,
            derives: tracing.derives,
            untraced: tracing.untraced || shadows,
        };
        self.touched |= exposure.touches;
        if command.kind == CommandKind::Prepare {
            return;
        }
        self.shadows |= exposure.temporary && !tracing.by_number;
        let ends = exposure.ends && self.unsettled;
        self.unsettled |= exposure.defines;
        if exposure.defines || ends {
            self.defining = command.number;
        }
        self.generation += u64::from(exposure.renames || ends);
        self.carried |= exposure.touches && exposure.writes;
        self.cursors |= exposure.opaque || exposure.touches && contains(command.text, b"declare");
        self.spilled |= exposure.touches && exposure.sets;
        (self.watch.carried, self.watch.spilled) = (self.carried, self.spilled);
    }
}

/// Whether the word stands anywhere in the text, in whatever case.
fn contains(text: &str, word: &[u8]) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

impl Desk {
    /// Brings a session's facts up to date before its command is judged; what is to be answered where that must wait,
    /// or cannot be.
    pub(crate) fn follow(&mut self, command: &Command<'_>, session: &mut Session) -> Option<Answer> {
        // Where there is no standing, the command is refused for that.
        self.renew_standing(session).ok()?;
        let standing = session.standing.as_ref()?;
        let following = &mut session.following;
        if !standing.labelled {
            following.facts = None;
            return None;
        }
        let place = &session.who.as_ref()?.place;
        if following.table != self.catalog_table {
            following.table = self.catalog_table;
            following.entry = self.catalog.get(place).cloned().unwrap_or_default();
        }
        let current = following.entry.snapshot == standing.snapshot;
        let facts = following.entry.facts.as_ref().filter(|_| current);
        if following.unsettled && command.transaction == Transaction::Idle && following.needs == 0 {
            following.needs = self.facts.read(place);
        }
        let due = following.needs > following.entry.upto;
        let waits = facts.is_none() || due && command.transaction == Transaction::Idle;
        if !waits {
            if !due && command.transaction == Transaction::Idle {
                (following.unsettled, following.needs) = (false, 0);
            }
            following.wait_until_ms = None;
            // Of the same facts no other core's count is touched.
            if following.facts.as_ref().map(Arc::as_ptr) != facts.map(Arc::as_ptr) {
                following.facts = facts.cloned();
            }
            return None;
        }
        if following.needs == 0 {
            following.needs = self.facts.read(place);
        }
        if following.entry.failed && following.entry.tried >= following.needs {
            // Asked for again with the next command.
            (following.needs, following.wait_until_ms) = (0, None);
            if facts.is_some() {
                // Without newer ones, what may have changed is hidden.
                following.facts = facts.cloned();
                return None;
            }
            return Some(Answer::Refuse(unknown()));
        }
        let deadline_ms = *following.wait_until_ms.get_or_insert(self.now_ms + CATALOG_WAIT_MS_MAX);
        Some(Answer::Wait(Wait::Facts { deadline_ms }))
    }

    /// A command of the session has ended: where it may have made relations, all sessions need to know of them.
    pub(crate) fn defined(&self, session: &mut Session, number: u64) {
        if session.following.unsettled
            && session.following.defining == number
            && let Some(who) = &session.who
        {
            session.following.needs = self.facts.read(&who.place);
        }
    }

    /// An answer came of what the facts do not know.
    pub(crate) fn unknown_origin(&self, session: &mut Session) {
        if let Some(who) = &session.who
            && self.now_ms >= session.following.asked_ms
        {
            session.following.asked_ms = self.now_ms + CATALOG_ASK_MS;
            self.facts.read(&who.place);
        }
    }

    /// The wait for facts has been too long.
    pub(crate) fn facts_late(&self, session: &mut Session) -> Answer {
        (session.following.needs, session.following.wait_until_ms) = (0, None);
        Answer::Refuse(unknown())
    }
}

fn unknown() -> OwnedRefusal {
    OwnedRefusal::new(RefusalKind::Denied, "where labelled data lie in the target is not known: nothing runs")
        .hint("the gateway cannot read the target's catalog; try again later")
}
