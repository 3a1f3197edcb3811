//! Lets jobs in: from a token to an open session, or to a refusal that says which check failed and nothing of the
//! token. The desk's first half. Lives on its shard's core.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use evidence::record::{Record, SessionId};
use policies::snapshot::{Bind, Class, Durability, Mask, Protocol, RecordResponses, Snapshot, TargetView};
use policies::statement::Dialect;
use scan::Format;
use wire::{CancelKey, Login, Method, RefusalKind, Secret, ServerTls};

use crate::catalog::Place;
use crate::desk::{Admitted, Answer, Desk, OwnedRefusal, Wait, not_recorded};
use crate::identity::Verified;
use crate::ledger::{self, Quota, SessionPermit};
use crate::limits::{RECORD_GATHER_MS, RECORD_GATHER_MS_MAX};
use crate::pool::{Key, Terms};
use crate::session::{Answers, Session, Standing, Who};
use crate::upstream::TlsFiles;

fn unauthenticated(message: impl Into<String>) -> OwnedRefusal {
    OwnedRefusal::new(RefusalKind::Unauthenticated, message)
}

impl Desk {
    /// Says how a client is to log in. What is wrong with its target is told with its token.
    pub(crate) fn method(&self, method: &Method<'_>, session: &Session) -> Answer {
        let Some(snapshot) = &self.snapshot else { return Answer::Password };
        let target = choose_target(snapshot, &session.listener, method.database).ok();
        match target.and_then(|(target, _)| target.oauth).filter(|oauth| oauth.is_for(method.user)) {
            Some(oauth) => Answer::Bearer {
                configuration: oauth.configuration.to_owned(),
                scope: oauth.scope.to_owned(),
            },
            None => Answer::Password,
        }
    }

    /// Answers a login.
    pub(crate) fn login(&mut self, login: &Login<'_>, session: &mut Session) -> Answer {
        match self.examine(login, session) {
            Ok(answer) => answer,
            Err(refusal) => self.turn_away(session, refusal),
        }
    }

    fn examine(&mut self, login: &Login<'_>, session: &mut Session) -> Result<Answer, OwnedRefusal> {
        if self.recorder.failure().is_some() {
            return Err(not_recorded());
        }
        let Some(snapshot) = self.snapshot.clone() else {
            return Err(OwnedRefusal::new(RefusalKind::Limit, "the gateway has no policy yet"));
        };
        if self.snapshot_is_stale() {
            return Err(OwnedRefusal::new(
                RefusalKind::Denied,
                "the gateway's policy is older than its maxAge",
            ));
        }
        let (target, database) = choose_target(&snapshot, &session.listener, login.database)?;
        if !login.secured && !target.waive_tls {
            return Err(unauthenticated("TLS is required"));
        }
        if login.token.is_empty() {
            return Err(unauthenticated("no token: the job's identity token is sent as the password"));
        }
        let now_s = self.wall_us / 1_000_000;
        let verified = self
            .verifier
            .verify(login.token, &self.keys, &snapshot, now_s)
            .map_err(|error| unauthenticated(error.to_string()))?;
        let class = snapshot.class(&verified.identity.groups, target.name);
        session.who = Some(Box::new(who(&verified, &target, &database, class.as_ref())));
        let Some(class) = class else {
            return Err(OwnedRefusal::new(
                RefusalKind::Denied,
                format!("no policy lets this job use target {}", target.name),
            )
            .detail(format!("its groups: {}", verified.identity.groups.join(", "))));
        };
        if class.mask() == Mask::Surrogate && !self.scanner.has_surrogates() {
            return Err(no_surrogates());
        }
        session.permit = Some(self.permit(&class, &verified, target.name)?);
        if let Some(seconds) = class.limits().duration_s {
            session.until_ms = Some(self.now_ms + seconds * 1000);
        }
        let place = Place::of(&target, &database);
        let number = self.verdicts.class_number(&class, &place);
        let labelled = is_labelled(&target);
        if labelled {
            // The first command will need them.
            self.facts.read(&place);
        }
        session.admitting = Some(Box::new(self.admitted(&target, &verified, login, &database, session)?));
        self.record_login(session, &verified, login, &class, &database, snapshot.version());
        session.standing = Some(Standing {
            snapshot: snapshot.version(),
            class: Some(class),
            number,
            labelled,
            prepared: hashbrown::HashMap::new(),
            database: String::new(),
        });
        Ok(self.claim(session, &verified))
    }

    fn claim(&mut self, session: &mut Session, verified: &Verified) -> Answer {
        let bind = match verified.binding {
            Bind::None => return self.let_in(session),
            Bind::Source => ledger::Bind::Source,
            Bind::Session => ledger::Bind::Session,
        };
        let claim = ledger::Claim {
            token_id: verified.token_id,
            source: session.source.ip(),
            expires_s: verified.expires_s,
            bind,
        };
        let reply = ledger::ReplyTo {
            tag: session.tag(),
            answers: self.ledger_answers.clone(),
            wake: Arc::clone(&self.ledger_wake),
        };
        match self.ledger.claim(claim, reply) {
            Ok(()) => Answer::Wait(Wait::Claim),
            Err(_) => self.turn_away(
                session,
                OwnedRefusal::new(RefusalKind::Limit, "too many logins wait for the ledger of used tokens"),
            ),
        }
    }

    /// The token is good: the session's record goes first where policy says so.
    pub(crate) fn let_in(&mut self, session: &mut Session) -> Answer {
        if self.recorder.failure().is_some() {
            return self.turn_away(session, not_recorded());
        }
        if session.who.as_ref().is_some_and(|who| who.before_forward) {
            let batch = self.recorder.commit();
            if !self.recorder.is_committed(batch) {
                return Answer::Wait(Wait::DurableLogin { batch });
            }
        }
        match session.admitting.take() {
            Some(admitted) => Answer::Admit(admitted),
            None => Answer::Refuse(crate::desk::unasked()),
        }
    }

    /// Refuses a login, and records it.
    pub(crate) fn turn_away(&mut self, session: &mut Session, refusal: OwnedRefusal) -> Answer {
        self.metrics.logins_refused.add(1);
        let who = session.who.as_ref();
        let (issuer, subject) = who.map(|who| (who.issuer.clone(), who.subject.clone())).unwrap_or_default();
        self.refuse_login_record(session, &issuer, &subject, &refusal.message);
        session.admitting = None;
        session.permit = None;
        Answer::Refuse(refusal)
    }

    /// Records a login that failed.
    pub(crate) fn refuse_login_record(
        &mut self,
        session: &Session,
        issuer: &str,
        subject: &str,
        reason: &str,
    ) {
        let target = session.who.as_ref().map(|who| who.target.as_str()).unwrap_or(&session.listener);
        let record = Record::LoginRefused {
            at: self.time(),
            source: &session.source_text,
            target,
            issuer,
            subject,
            reason,
        };
        self.recorder.append(&record, self.now_ms, session.gather_ms());
    }

    fn permit(
        &self,
        class: &Class,
        verified: &Verified,
        target: &str,
    ) -> Result<SessionPermit, OwnedRefusal> {
        // Sessions of one identity at one target.
        let name = format!("{}\n{}\n{target}", verified.issuer, verified.identity.subject);
        let sessions_max = class.limits().sessions.unwrap_or(u64::MAX);
        self.counts.open(&[Quota { name: &name, sessions_max }]).map_err(|full| {
            OwnedRefusal::new(
                RefusalKind::Limit,
                format!("this job has {} sessions open, as many as policy lets it", full.sessions_max),
            )
        })
    }

    fn admitted(
        &mut self,
        target: &TargetView<'_>,
        verified: &Verified,
        login: &Login<'_>,
        database: &str,
        session: &mut Session,
    ) -> Result<Admitted, OwnedRefusal> {
        let unreachable = |detail: String| {
            OwnedRefusal::new(RefusalKind::Unreachable, format!("target {} cannot be reached", target.name))
                .detail(detail)
        };
        let upstream = self
            .upstreams
            .get(target.name)
            .ok_or_else(|| unreachable("its name is being looked up".into()))?;
        // The table follows the snapshot: until it does, a new credential must not go to an old place.
        let files = TlsFiles::of(&target.tls);
        let same_tls = match &upstream.tls {
            Some(Ok(tls)) => files.as_ref() == Some(&tls.files),
            Some(Err(_)) => files.is_some(),
            None => files.is_none(),
        };
        if upstream.address != target.address || !same_tls {
            return Err(unreachable("its name is being looked up".into()));
        }
        let addresses = upstream.resolved.clone().map_err(&unreachable)?;
        // Which file it is, and why, is for the log and for health.
        let tls = upstream.server_tls().map_err(|_| unreachable("its TLS cannot be set up".into()))?;
        let credential = target.credential;
        let read = |file| self.credentials.password(target.name, Path::new(file), self.now_ms);
        let password = credential.password_file.map_or(Ok(Secret::default()), read).map_err(|error| {
            tracing::error!(%error, "a target's credential cannot be read");
            unreachable("its credential cannot be read".into())
        })?;
        session.keep = terms(target, database, login, &password, upstream.fingerprint, self.pool_epoch);
        let mut subject = String::new();
        crate::redact::masked(&verified.identity.subject, &self.scanner, Format::Full, &mut subject);
        let secret = session.cancel_secret;
        Ok(Admitted {
            addresses,
            user: credential.username.to_owned(),
            password,
            database: database.to_owned(),
            name: name(session, &subject),
            comment: format!("pangate session={:032x} subject={subject}", session.id),
            tls,
            cancel: CancelKey { process: self.number_of(session.slot), secret },
            mask: session.who.as_ref().map(|who| who.mask).unwrap_or_default(),
            scanner: self.scanner,
        })
    }

    fn record_login(
        &mut self,
        session: &Session,
        verified: &Verified,
        login: &Login<'_>,
        class: &Class,
        database: &str,
        snapshot: u64,
    ) {
        let Some(who) = &session.who else { return };
        let mask = |text: &str| {
            let mut out = String::new();
            crate::redact::masked(text, &self.scanner, who.mask, &mut out);
            out
        };
        let claims = mask(&verified.claims_json);
        let (user, application) = (mask(login.user), mask(login.application));
        let record = Record::SessionOpened {
            session: SessionId(session.id),
            at: self.time(),
            issuer: &who.issuer,
            subject: &who.subject,
            requester: &who.requester,
            groups: &who.groups.join(","),
            claims: &claims,
            source: &session.source_text,
            target: &who.target,
            protocol: who.protocol,
            user: &user,
            database,
            application: &application,
            policies: class.policy_names(),
            snapshot,
        };
        self.recorder.append(&record, self.now_ms, session.gather_ms());
    }

    /// What clients take for a connection's number: says which shard and slot.
    pub(crate) fn number_of(&self, slot: u32) -> u32 {
        u32::from(self.shard) << 24 | (slot & 0x00ff_ffff)
    }

    /// What the target calls its version; empty: not known yet.
    pub(crate) fn server_version(&self, target: &str) -> String {
        self.catalog.get(&Place::whole(target)).map(|entry| entry.server_version.clone()).unwrap_or_default()
    }

    /// How the gateway logs in at a target for itself: user, password, TLS; `None`: it cannot, or need not now.
    pub(crate) fn own_login(&mut self, target: &str) -> Option<(String, Secret, ServerTls)> {
        let snapshot = self.snapshot.clone()?;
        let view = snapshot.target(target)?;
        let tls = self.upstreams.get(target)?.server_tls().ok()?;
        let read = |file| self.credentials.password(target, Path::new(file), self.now_ms);
        let password = view.credential.password_file.map_or(Ok(Secret::default()), read).ok()?;
        Some((view.credential.username.to_owned(), password, tls))
    }

    /// Whether the snapshot is older than its maxAge: mgmt has not confirmed it for so long.
    pub(crate) fn snapshot_is_stale(&self) -> bool {
        let max_age_ms =
            self.snapshot.as_ref().map_or(0, |snapshot| snapshot.max_age_s().saturating_mul(1000));
        let age_ms = (self.now_ms as i64).saturating_sub(self.snapshot_at_ms);
        max_age_ms > 0 && u64::try_from(age_ms).is_ok_and(|age_ms| age_ms > max_age_ms)
    }
}

/// On what terms the connection is kept after the session.
fn terms(
    target: &TargetView<'_>,
    database: &str,
    login: &Login<'_>,
    password: &Secret,
    place: [u8; 32],
    epoch: u64,
) -> Option<Terms> {
    // What command-line options set is not told apart from the target's own defaults by every version.
    if target.pool.idle_max == 0 || login.options {
        return None;
    }
    let mut credential = blake3::Hasher::new();
    credential.update(target.credential.username.as_bytes()).update(&[0]).update(password.expose());
    let key = Key {
        target: target.name.to_owned(),
        database: database.to_owned(),
        settings: login.settings.to_vec(),
        credential: *credential.finalize().as_bytes(),
        place,
        epoch,
    };
    Some(Terms { key: Rc::new(key), idle_max: target.pool.idle_max, idle_ms: target.pool.idle_ms })
}

fn who(verified: &Verified, target: &TargetView<'_>, database: &str, class: Option<&Class>) -> Who {
    Who {
        issuer: verified.issuer.clone(),
        subject: verified.identity.subject.clone(),
        requester: verified.identity.requester.clone(),
        groups: verified.identity.groups.clone(),
        target: target.name.to_owned(),
        place: Place::of(target, database),
        protocol: protocol_word(target.protocol),
        dialect: Dialect::of(target.protocol).unwrap_or(Dialect::Postgres),
        mask: format(class.map_or(Mask::Full, Class::mask)),
        answers: match class.map(Class::record) {
            Some(RecordResponses::Full) => Answers::Full,
            Some(RecordResponses::Rows(rows)) => Answers::Rows(rows),
            Some(RecordResponses::Digest) | None => Answers::Digest,
        },
        before_forward: class.is_some_and(|class| class.durability() == Durability::BeforeForward),
        gather_ms: match class.map(Class::durability) {
            Some(Durability::Within(within)) => (within * 3 / 5).clamp(1, RECORD_GATHER_MS_MAX),
            Some(Durability::BeforeForward) | None => RECORD_GATHER_MS,
        },
        rows_max: class.and_then(|class| class.limits().rows).unwrap_or(u64::MAX),
    }
}

/// What policy asks for cannot be done: nothing less is done in its place.
fn no_surrogates() -> OwnedRefusal {
    OwnedRefusal::new(RefusalKind::Denied, "policy masks by surrogates, and this gateway has no key for them")
        .detail("the boot configuration of pangate-dataplane names none (surrogateKeyFile)".to_owned())
}

/// Whether an answer's columns are followed to where they come from.
pub(crate) fn is_labelled(target: &TargetView<'_>) -> bool {
    matches!(target.protocol, Protocol::Postgres | Protocol::Mysql) && target.labels().next().is_some()
}

fn format(mask: Mask) -> scan::Format {
    match mask {
        Mask::Full => scan::Format::Full,
        Mask::Last4 => scan::Format::Last4,
        Mask::Bin6Last4 => scan::Format::Bin6Last4,
        Mask::Bin8Last4 => scan::Format::Bin8Last4,
        Mask::Surrogate => scan::Format::Surrogate,
    }
}

/// The name under which the target's own log shows the session: the session's number, and of the identity as much as
/// has room (the engine cuts it).
fn name(session: &Session, subject: &str) -> String {
    format!("pangate/{:032x}/{subject}", session.id)
}

/// The target and database that a login asks for: `target` for its own database, or `target/database`. Where a database
/// may be left open (MySQL) and the listener has one target, that is meant by no name, and by a name that is none of a
/// target, which is then the database's.
fn choose_target<'a>(
    snapshot: &'a Snapshot,
    listener: &str,
    asked: &str,
) -> Result<(TargetView<'a>, String), OwnedRefusal> {
    let (name, database) = asked.split_once('/').unwrap_or((asked, ""));
    let here: Vec<_> = snapshot.targets().filter(|target| target.listen == listener).collect();
    let named = here.iter().find(|target| target.name == name).map(|target| (*target, database));
    let alone = match here.as_slice() {
        [target] if target.protocol == Protocol::Mysql => Some((*target, asked)),
        _ => None,
    };
    let (target, database) = named.or(alone).ok_or_else(|| {
        unauthenticated("the database named is no target of this listener")
            .hint("connect with the target's name as the database: dbname=TARGET or dbname=TARGET/DATABASE")
    })?;
    match target.database {
        Some(own) if database.is_empty() || database == own => Ok((target, own.to_owned())),
        Some(_) => Err(unauthenticated(format!("target {} offers one database, and not that", target.name))
            .hint("connect with the target's name as the database, and nothing behind it")),
        // As PostgreSQL has it: the database named like the user.
        None if database.is_empty() && target.protocol == Protocol::Postgres => {
            Ok((target, target.credential.username.to_owned()))
        }
        None => Ok((target, database.to_owned())),
    }
}

/// A protocol as records name it.
const fn protocol_word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Postgres => "postgres",
        Protocol::Mysql => "mysql",
        Protocol::Mongodb => "mongodb",
        Protocol::Http => "http",
    }
}
