//! Rules on commands: the verdict on the statement, its record, and what follows. The desk's second half. Lives on its
//! shard's core.

use std::borrow::Cow;
use std::rc::Rc;

use evidence::record::{Record, SessionId};
use policies::decision::Decision;
use wire::{Command, CommandKind, Now, RefusalKind};

use crate::admit::is_labelled;
use crate::catalog::Place;
use crate::desk::{Answer, Desk, OwnedRefusal, Wait, not_recorded};
use crate::hold::Shown;
use crate::limits::{RECORDED_TEXT_BYTES_MAX, SESSION_VERDICTS_MAX};
use crate::redact;
use crate::session::{Prepared, Session, Standing, Who};
use crate::verdict::{Judge, PreparedText, Verdict};

/// What is known of a command before its parameters are looked at.
enum Judged {
    /// Text that came by itself.
    Once(Rc<Verdict>),
    /// A prepared statement's.
    Prepared(Rc<Prepared>),
}

impl Desk {
    /// Answers a command.
    pub(crate) fn command(&mut self, command: &Command<'_>, session: &mut Session, _now: Now) -> Answer {
        if self.recorder.failure().is_some() {
            return Answer::Refuse(not_recorded());
        }
        if let Some(answer) = self.kill(command, session) {
            return answer;
        }
        if let Some(answer) = self.follow(command, session) {
            return self.unfollowed(command, session, answer);
        }
        session.commands += 1;
        self.metrics.commands.add(1);
        let judged = match self.judge(command, session) {
            Ok(judged) => judged,
            Err(refusal) => {
                self.record_refused(command, session);
                self.metrics.refused.add(1);
                return Answer::Refuse(refusal);
            }
        };
        session.trace |= match &judged {
            Judged::Once(verdict) => verdict.trace,
            Judged::Prepared(known) => known.verdict.trace,
        };
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let answer = self.record_and_rule(command, session, &judged, &mut text);
        self.text = text;
        if matches!(answer, Answer::Refuse(_)) {
            self.metrics.refused.add(1);
        }
        answer
    }

    /// A command whose facts are awaited, or cannot be had: then it is refused, and recorded.
    fn unfollowed(&mut self, command: &Command<'_>, session: &mut Session, answer: Answer) -> Answer {
        if matches!(answer, Answer::Refuse(_)) {
            session.commands += 1;
            self.metrics.commands.add(1);
            self.record_refused(command, session);
            self.metrics.refused.add(1);
        }
        answer
    }

    /// Records a command that no policy could judge: a snapshot too old, or none for this job any more.
    fn record_refused(&mut self, command: &Command<'_>, session: &Session) {
        let format = session.who.as_ref().map(|who| who.mask).unwrap_or_default();
        let mut text = String::new();
        let secret = redact::names_secret(command.text, session.dialect());
        let masked =
            redact::statement(command.text, secret, session.dialect(), (&self.scanner, format), &mut text);
        let record = Record::Command {
            session: SessionId(session.id),
            number: command.number,
            at: self.time(),
            kind: kind_word(command.kind),
            text: &cut(&text),
            parameters: "",
            objects: "",
            decision: "deny",
            rule: "",
            snapshot: session.standing.as_ref().map_or(0, |standing| standing.snapshot),
            masked: masked as u64,
        };
        self.recorder.append(&record, self.now_ms, session.gather_ms());
    }

    fn judge(&mut self, command: &Command<'_>, session: &mut Session) -> Result<Judged, OwnedRefusal> {
        self.renew_standing(session)?;
        let (Some(snapshot), Some(who), Some(standing)) =
            (&self.snapshot, &session.who, &mut session.standing)
        else {
            return Err(crate::desk::unasked());
        };
        let Some(class) = &standing.class else {
            return Err(OwnedRefusal::new(
                RefusalKind::Denied,
                "no policy lets this job use this target any more",
            ));
        };
        if session.following.renew() {
            standing.prepared.clear();
        }
        if command.database != standing.database {
            // Names stand for other objects.
            command.database.clone_into(&mut standing.database);
            standing.number = self.verdicts.class_number(class, &place(who, command.database));
            standing.prepared.clear();
        }
        if let Some(known) = command.statement.and_then(|id| standing.prepared.get(&id)) {
            return Ok(Judged::Prepared(Rc::clone(known)));
        }
        let derived = session.following.facts().map(|facts| facts.derived.as_slice()).unwrap_or_default();
        let judge = Judge {
            snapshot,
            class,
            number: standing.number,
            target: &who.target,
            dialect: who.dialect,
            database: command.database,
            named: &session.named,
            origins: session.following.facts().map(|facts| &*facts.origins),
            derived,
            scanner: &self.scanner,
        };
        let verdict = self.verdicts.of(&judge, command.text);
        let Some(id) = command.statement else { return Ok(Judged::Once(verdict)) };
        if standing.prepared.len() >= SESSION_VERDICTS_MAX {
            standing.prepared.clear();
        }
        // Verdicts are shared by texts that differ in literals: what is secret in this one is seen in itself.
        let secret = verdict.secret || redact::names_secret(command.text, who.dialect);
        let mut text = String::new();
        let masked =
            redact::statement(command.text, secret, who.dialect, (&self.scanner, who.mask), &mut text);
        let known = Rc::new(Prepared { verdict, text, masked, secret });
        standing.prepared.insert(id, Rc::clone(&known));
        Ok(Judged::Prepared(known))
    }

    /// Puts the session under the snapshot in use, if there is a newer one than it was judged by.
    pub(crate) fn renew_standing(&mut self, session: &mut Session) -> Result<(), OwnedRefusal> {
        if self.snapshot_is_stale() {
            return Err(OwnedRefusal::new(
                RefusalKind::Denied,
                "the gateway's policy is older than its maxAge",
            ));
        }
        let Some(snapshot) = &self.snapshot else { return Err(crate::desk::unasked()) };
        let Some(who) = &session.who else { return Err(crate::desk::unasked()) };
        if session.standing.as_ref().is_some_and(|standing| standing.snapshot == snapshot.version()) {
            return Ok(());
        }
        let class = snapshot.class(&who.groups, &who.target);
        let database = session.standing.as_mut().map(|standing| std::mem::take(&mut standing.database));
        let database = database.unwrap_or_default();
        let number =
            class.as_ref().map_or(0, |class| self.verdicts.class_number(class, &place(who, &database)));
        let labelled = snapshot.target(&who.target).is_some_and(|target| is_labelled(&target));
        session.standing = Some(Standing {
            snapshot: snapshot.version(),
            class,
            number,
            labelled,
            prepared: hashbrown::HashMap::new(),
            database,
        });
        Ok(())
    }

    fn record_and_rule(
        &mut self,
        command: &Command<'_>,
        session: &mut Session,
        judged: &Judged,
        text: &mut String,
    ) -> Answer {
        let format = session.who.as_ref().map(|who| who.mask).unwrap_or_default();
        let (verdict, secret, mut masked) = match judged {
            Judged::Prepared(known) => {
                text.push_str(&known.text);
                (&known.verdict, known.secret, known.masked)
            }
            Judged::Once(verdict) => {
                let dialect = session.dialect();
                let secret = verdict.secret || redact::names_secret(command.text, dialect);
                let means = (&self.scanner, format);
                (verdict, secret, redact::statement(command.text, secret, dialect, means, text))
            }
        };
        let end = text.len();
        masked += self.write_parameters(command, secret, format, text);
        let unsure = session.following.is_unsure();
        let unfit = unfit(command, verdict, &self.scanner, (format, unsure));
        let (word, rule) = words(&verdict.decision, unfit.as_ref().map(|(rule, _)| *rule));
        let (statement, parameters) = text.split_at_checked(end).unwrap_or((text, ""));
        let record = Record::Command {
            session: SessionId(session.id),
            number: command.number,
            at: self.time(),
            kind: kind_word(command.kind),
            text: &cut(statement),
            parameters: &cut(parameters),
            objects: &verdict.objects,
            decision: word,
            rule,
            snapshot: session.standing.as_ref().map_or(0, |standing| standing.snapshot),
            masked: masked as u64,
        };
        self.recorder.append(&record, self.now_ms, session.gather_ms());
        let ran = verdict.runs.as_ref().and_then(|name| session.named.text(name)).cloned();
        if word != "deny" {
            let shows = verdict.only_prepares && !secret && redact::is_readable(statement);
            let own = shows.then(|| PreparedText { text: statement.to_owned(), masked });
            take_note(command, session, verdict, own);
        }
        if let (Some((_, refusal)), Decision::Allow { .. } | Decision::Hold { .. }) =
            (unfit, &verdict.decision)
        {
            return Answer::Refuse(refusal);
        }
        match &verdict.decision {
            Decision::Allow { .. } => self.forward(session),
            Decision::Deny { rule, reason } => Answer::Refuse(
                OwnedRefusal::new(RefusalKind::Denied, format!("denied by rule {rule}"))
                    .detail(reason.clone()),
            ),
            // Nothing runs yet; each execution asks again, with its parameters.
            Decision::Hold { .. } if command.kind == CommandKind::Prepare || verdict.only_prepares => {
                self.forward(session)
            }
            Decision::Hold { rule, .. } if !redact::is_readable(statement) => unreadable(rule),
            Decision::Hold { rule, .. } if verdict.executes && ran.is_none() => unseen(rule),
            Decision::Hold { rule, approval } => {
                let (parameters, whole) = self.shown_parameters(command, secret, format);
                let (statement, prepared) = with_prepared(statement, ran.as_ref());
                let shown = Shown {
                    statement: statement.as_ref(),
                    parameters,
                    masked: ((masked + prepared) as u32).max(u32::from(!whole || secret)),
                    objects: &verdict.names,
                    rule,
                    transaction: command.transaction,
                    number: command.number,
                };
                self.hold(session, shown, approval)
            }
        }
    }

    /// What an allowed command does: it goes on, its record first where policy says so.
    pub(crate) fn forward(&mut self, session: &Session) -> Answer {
        if self.recorder.failure().is_some() {
            return Answer::Refuse(not_recorded());
        }
        if !session.who.as_ref().is_some_and(|who| who.before_forward) {
            return Answer::Allow;
        }
        let batch = self.recorder.commit();
        if self.recorder.is_committed(batch) { Answer::Allow } else { Answer::Wait(Wait::Durable { batch }) }
    }

    fn write_parameters(
        &self,
        command: &Command<'_>,
        secret: bool,
        format: scan::Format,
        out: &mut String,
    ) -> usize {
        let mut masked = 0;
        for (index, parameter) in command.parameters.iter().enumerate() {
            if index > 0 {
                out.push('\n');
            }
            let (text, whole) =
                redact::parameter(parameter.value, parameter.binary, secret, &self.scanner, format);
            out.push_str(text.as_deref().unwrap_or("NULL"));
            masked += usize::from(!whole && !secret);
        }
        masked
    }

    fn shown_parameters(
        &self,
        command: &Command<'_>,
        secret: bool,
        format: scan::Format,
    ) -> (Vec<Option<String>>, bool) {
        let mut all = true;
        let shown = command
            .parameters
            .iter()
            .map(|parameter| {
                let (text, whole) =
                    redact::parameter(parameter.value, parameter.binary, secret, &self.scanner, format);
                all &= whole;
                text.map(std::borrow::Cow::into_owned)
            })
            .collect();
        (shown, all)
    }
}

/// What verdicts on a session's commands are remembered for: the catalog's place, and where names change their meaning
/// with it, the database.
fn place(who: &Who, database: &str) -> Place {
    if database.is_empty() {
        return who.place.clone();
    }
    Place { target: who.target.clone(), database: database.to_owned() }
}

/// The decision and its rule as records have them, with what is refused whatever the rules allow.
fn words<'a>(decision: &'a Decision, unfit: Option<&'static str>) -> (&'static str, &'a str) {
    match (decision, unfit) {
        (Decision::Allow { .. } | Decision::Hold { .. }, Some(rule)) => ("deny", rule),
        (Decision::Allow { rule }, None) => ("allow", rule),
        (Decision::Hold { rule, .. }, None) => ("hold", rule),
        (Decision::Deny { rule, .. }, _) => ("deny", rule),
    }
}

/// It would be held, but people could not tell what they approve.
fn unreadable(rule: &str) -> Answer {
    let words = format!("rule {rule} holds it, but it cannot be shown");
    let hint = "write it without comments, escapes and dollar quotes, or pass the secret as a parameter";
    Answer::Refuse(
        OwnedRefusal::new(RefusalKind::Denied, words)
            .detail("it names a secret, and where its literals begin and end is not sure")
            .hint(hint),
    )
}

/// It would be held, but its text does not show what it runs, nor with which values.
fn unseen(rule: &str) -> Answer {
    let words = format!("rule {rule} holds what EXECUTE runs, and that cannot be shown");
    let hint = "send the statement itself, or prepare it by the protocol, or, without values, by a PREPARE of its own";
    Answer::Refuse(OwnedRefusal::new(RefusalKind::Denied, words).hint(hint))
}

/// Keeps the session's books of a command that is not denied. `own`: its text, where it shows what it prepares.
fn take_note(command: &Command<'_>, session: &mut Session, verdict: &Verdict, own: Option<PreparedText>) {
    if let Some(exposure) = verdict.exposure {
        session.following.note(command, exposure, verdict.tracing);
    }
    if command.kind == CommandKind::Prepare {
        return;
    }
    if verdict.prepares_unseen {
        session.named.doubt();
    }
    session.named.prepare(command.number, &verdict.prepares, own);
}

/// The text of EXECUTE with that of what it runs; how many card numbers were masked in that.
fn with_prepared<'a>(statement: &'a str, ran: Option<&PreparedText>) -> (Cow<'a, str>, usize) {
    match ran {
        Some(PreparedText { text, masked }) => (Cow::Owned(format!("{statement}\n{text}")), *masked),
        None => (Cow::Borrowed(statement), 0),
    }
}

/// What is refused whatever the rules allow: the word that stands for a rule in records, and the refusal.
fn unfit(
    command: &Command<'_>,
    verdict: &Verdict,
    scanner: &scan::Scanner,
    (format, unsure): (scan::Format, bool),
) -> Option<(&'static str, OwnedRefusal)> {
    if uncovered_copy(verdict, unsure) {
        return Some(("labels", copy_refused()));
    }
    if verdict.writes && redact::writes_back(command, scanner, format) {
        let refusal = OwnedRefusal::new(RefusalKind::Masked, "a masked card number cannot be written back");
        let hint = "leave the column out, or write the value from its source";
        return Some(("write-back", refusal.hint(hint)));
    }
    None
}

/// Whether it is a COPY of labelled data that finding card numbers does not cover, and no approval can reveal it.
/// `unsure`: the session has made or written what may hold such data under any name.
fn uncovered_copy(verdict: &Verdict, unsure: bool) -> bool {
    let reveals = matches!(&verdict.decision, Decision::Hold { approval, .. } if approval.reveals_computed);
    let covers = |exposure: policies::decision::Exposure| !exposure.beyond_cards && !unsure;
    !reveals && verdict.exposure.is_some_and(|exposure| exposure.copies_out && !covers(exposure))
}

fn copy_refused() -> OwnedRefusal {
    OwnedRefusal::new(
        RefusalKind::Denied,
        "COPY of labelled columns is refused: its data do not say where they come from",
    )
    .hint("copy columns without labels, or use SELECT, whose labelled columns come back masked")
}

fn kind_word(kind: CommandKind) -> &'static str {
    match kind {
        CommandKind::Query => "query",
        CommandKind::Prepare => "prepare",
        CommandKind::Execute => "execute",
    }
}

/// The text as far as it is recorded: a long one is cut at a character, which it then says, with its whole length and
/// digest.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= RECORDED_TEXT_BYTES_MAX {
        return Cow::Borrowed(text);
    }
    let mut end = RECORDED_TEXT_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = text.get(..end).unwrap_or_default();
    Cow::Owned(format!("{kept} [cut: {} bytes in all, blake3 {}]", text.len(), blake3::hash(text.as_bytes())))
}
