//! Where labelled data lie in the targets: read from their catalogs with the gateway's own credential, by a thread of its
//! own (it waits on sockets), again after DDL and every minute. Told to the shards as one immutable table. Leaves out
//! what the facts mean for a command (`desk`) and for a column (`wire::Origins`).

mod connect;
mod follow;
mod mysql;
mod read;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use policies::snapshot::{DerivedLabel, Protocol, Snapshot, TargetView, TlsMode};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use wire::{Origins, Secret};

use crate::credentials::{CredentialError, Credentials};
use crate::limits::{
    CATALOG_AGE_S_MAX, CATALOG_EVERY_S, CATALOG_PLACES_MAX, CATALOG_QUEUE_MAX, CATALOG_READ_S_MAX,
};
use crate::upstream::TlsFiles;

/// One database of one target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The target's name.
    pub target: String,
    /// The database.
    pub database: String,
}

impl Place {
    /// A target whose databases are in one catalog.
    pub fn whole(target: &str) -> Self {
        Self { target: target.to_owned(), database: String::new() }
    }

    /// Where the catalog is that says what lies in this database.
    pub fn of(target: &TargetView<'_>, database: &str) -> Self {
        match target.protocol {
            Protocol::Mysql => Self::whole(target.name),
            _ => Self { target: target.name.to_owned(), database: database.to_owned() },
        }
    }
}

/// What the catalog of a place says.
#[derive(Debug)]
pub struct Facts {
    /// Where labelled data lie, for the columns of answers.
    pub origins: Arc<Origins>,
    /// The same by name, for statements.
    pub derived: Vec<DerivedLabel>,
    /// Differs from that of all other facts.
    pub version: u64,
    /// What the manifests' labels were found to mean: kept when a name changes.
    roots: Vec<follow::Root>,
}

/// What is known of a place.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The facts, unless there are none or they are too old.
    pub facts: Option<Arc<Facts>>,
    /// What the target calls its version, where its protocol's greeting needs that; as it was last read, however long ago.
    pub server_version: String,
    /// They were read after every request up to this one had been made.
    pub upto: u64,
    /// The same of the last attempt.
    pub tried: u64,
    /// The last attempt has failed.
    pub failed: bool,
    /// The snapshot whose labels they are for.
    pub snapshot: u64,
}

/// Every place's.
pub type Table = HashMap<Place, Entry>;

enum Word {
    Snapshot(Arc<Snapshot>),
    Read(Place),
}

/// Asks for facts.
#[derive(Clone)]
pub struct Catalog {
    words: Sender<Word>,
    /// Number of the last request.
    last: Arc<AtomicU64>,
}

impl Catalog {
    /// Starts the thread; `tell` hears of every new table.
    pub fn start(tell: impl Fn(Arc<Table>) + Send + 'static) -> std::io::Result<Self> {
        let (words, receiver) = channel(CATALOG_QUEUE_MAX);
        let last = Arc::new(AtomicU64::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let keeper = Keeper::new(Arc::clone(&last));
        std::thread::Builder::new()
            .name("catalog".into())
            .spawn(move || runtime.block_on(keeper.run(receiver, tell)))?;
        Ok(Self { words, last })
    }

    /// A new snapshot is in use.
    pub fn use_snapshot(&self, snapshot: &Arc<Snapshot>) {
        // Where the queue is full, sessions wait for facts of a snapshot that is not heard of, and are refused.
        if self.words.try_send(Word::Snapshot(Arc::clone(snapshot))).is_err() {
            tracing::error!("the catalog's queue is full: a snapshot was not heard of");
        }
    }

    /// Asks for facts that are read from now on; the request's number, which [`Entry::upto`] comes to.
    pub fn read(&self, place: &Place) -> u64 {
        let number = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        // Where the queue is full, the place's next reading answers this request too.
        let _ = self.words.try_send(Word::Read(place.clone()));
        number
    }
}

/// How a place is reached, and what is looked for there.
#[derive(Clone, PartialEq, Eq)]
struct Spec {
    protocol: Protocol,
    address: String,
    /// `None`: plaintext was asked for by name.
    tls: Option<TlsFiles>,
    /// From the first byte on.
    direct: bool,
    username: String,
    password_file: Option<PathBuf>,
    labels: Vec<follow::Label>,
}

impl Spec {
    fn of(target: &TargetView<'_>) -> Self {
        Self {
            protocol: target.protocol,
            address: target.address.to_owned(),
            tls: TlsFiles::of(&target.tls),
            direct: matches!(target.tls, TlsMode::VerifyFull { direct: true, .. }),
            username: target.credential.username.to_owned(),
            password_file: target.credential.password_file.map(PathBuf::from),
            labels: target.labels().map(|label| follow::Label::of(&label)).collect(),
        }
    }
}

/// A place, as the thread keeps it.
struct Known {
    entry: Entry,
    /// What the facts were read by.
    spec: Option<Spec>,
    due: bool,
    reading: bool,
    good_at: Instant,
}

/// What came of a reading.
struct Done {
    place: Place,
    spec: Spec,
    number: u64,
    snapshot: u64,
    facts: Result<read::Reading, String>,
}

/// The thread's state.
struct Keeper {
    last: Arc<AtomicU64>,
    snapshot: Option<Arc<Snapshot>>,
    places: HashMap<Place, Known>,
    credentials: Credentials,
    started: Instant,
    versions: u64,
    changed: bool,
}

impl Keeper {
    fn new(last: Arc<AtomicU64>) -> Self {
        Self {
            last,
            snapshot: None,
            places: HashMap::new(),
            credentials: Credentials::new(),
            started: Instant::now(),
            versions: 0,
            changed: false,
        }
    }

    async fn run(mut self, mut words: Receiver<Word>, tell: impl Fn(Arc<Table>)) {
        let mut reads = JoinSet::new();
        let mut tick = tokio::time::interval(Duration::from_secs(CATALOG_EVERY_S));
        loop {
            tokio::select! {
                word = words.recv() => match word {
                    Some(Word::Snapshot(snapshot)) => self.use_snapshot(snapshot),
                    Some(Word::Read(place)) => self.ask(place),
                    None => return,
                },
                Some(done) = reads.join_next() => match done {
                    Ok(done) => self.finish(done),
                    Err(error) => tracing::error!(%error, "a reading of a catalog has failed"),
                },
                _ = tick.tick() => self.sweep(),
            }
            self.start_due(&mut reads);
            if std::mem::take(&mut self.changed) {
                let entry = |(place, known): (&Place, &Known)| (place.clone(), known.entry.clone());
                tell(Arc::new(self.places.iter().map(entry).collect()));
            }
        }
    }

    /// Facts by the same labels of the same target hold on; the others are read again.
    fn use_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.places.retain(|place, _| snapshot.target(&place.target).is_some());
        for (place, known) in &mut self.places {
            let spec = snapshot.target(&place.target).map(|target| Spec::of(&target));
            if spec == known.spec {
                known.entry.snapshot = snapshot.version();
            } else {
                known.due = true;
            }
        }
        // A greeting tells the target's version before anything is known of the client.
        self.ask_versions(&snapshot);
        self.snapshot = Some(snapshot);
        self.changed = true;
    }

    fn ask_versions(&mut self, snapshot: &Snapshot) {
        for target in snapshot.targets().filter(|target| target.protocol == Protocol::Mysql) {
            self.ask(Place::whole(target.name));
        }
    }

    fn ask(&mut self, place: Place) {
        if let Some(known) = self.places.get_mut(&place) {
            known.due = true;
        } else if self.places.len() < CATALOG_PLACES_MAX {
            let (entry, good_at) = (Entry::default(), Instant::now());
            self.places.insert(place, Known { entry, spec: None, due: true, reading: false, good_at });
        }
    }

    /// Once a minute: everything is read again, what is too old goes, what never was anything too.
    fn sweep(&mut self) {
        let is_known = |entry: &Entry| entry.facts.is_some() || !entry.server_version.is_empty();
        self.places.retain(|_, known| is_known(&known.entry) || known.reading || known.due);
        for known in self.places.values_mut() {
            known.due = true;
            if known.good_at.elapsed() > Duration::from_secs(CATALOG_AGE_S_MAX) {
                known.entry.facts = None;
                self.changed = true;
            }
        }
        // One that could not be reached is asked again, whether any session needs its facts or not.
        if let Some(snapshot) = self.snapshot.clone() {
            self.ask_versions(&snapshot);
        }
    }

    fn start_due(&mut self, reads: &mut JoinSet<Done>) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        for (place, known) in &mut self.places {
            if !known.due || known.reading {
                continue;
            }
            known.due = false;
            let Some(target) = snapshot.target(&place.target) else { continue };
            if !matches!(target.protocol, Protocol::Postgres | Protocol::Mysql) {
                continue;
            }
            known.reading = true;
            let spec = Spec::of(&target);
            let now_ms = self.started.elapsed().as_millis() as u64;
            let password =
                read_password(&mut self.credentials, &place.target, spec.password_file.as_deref(), now_ms);
            // A label whose name has changed keeps meaning what it meant.
            let roots = known.entry.facts.as_ref().map(|facts| facts.roots.clone()).unwrap_or_default();
            let (place, number) = (place.clone(), self.last.load(Ordering::SeqCst));
            let snapshot = snapshot.version();
            reads.spawn(async move {
                let facts = match password {
                    Ok(password) => bounded(&spec, &place.database, &password, &roots).await,
                    Err(error) => Err(error.to_string()),
                };
                Done { place, spec, number, snapshot, facts }
            });
        }
    }

    fn finish(&mut self, done: Done) {
        let Some(known) = self.places.get_mut(&done.place) else { return };
        known.reading = false;
        known.entry.tried = done.number;
        known.entry.failed = done.facts.is_err();
        self.changed = true;
        let read = match done.facts {
            Ok(read) => read,
            Err(cause) => {
                let Place { target, database } = &done.place;
                tracing::error!(target, database, %cause, "where labelled data lie cannot be read");
                return;
            }
        };
        known.good_at = Instant::now();
        known.entry.upto = done.number;
        known.entry.snapshot = done.snapshot;
        known.spec = Some(done.spec);
        known.entry.server_version = read.version;
        let same = |facts: &Arc<Facts>| *facts.origins == read.origins && facts.derived == read.derived;
        if !known.entry.facts.as_ref().is_some_and(same) {
            self.versions += 1;
            known.entry.facts = Some(Arc::new(Facts {
                origins: Arc::new(read.origins),
                derived: read.derived,
                version: self.versions,
                roots: read.roots,
            }));
        }
    }
}

fn read_password(
    credentials: &mut Credentials,
    target: &str,
    file: Option<&Path>,
    now_ms: u64,
) -> Result<Secret, CredentialError> {
    file.map_or(Ok(Secret::default()), |file| credentials.password(target, file, now_ms))
}

async fn bounded(
    spec: &Spec,
    database: &str,
    password: &Secret,
    roots: &[follow::Root],
) -> Result<read::Reading, String> {
    let reading = async {
        if spec.protocol == Protocol::Mysql {
            return mysql::read(spec, password).await;
        }
        let client = connect::connect(spec, database, password).await?;
        read::read(&client, &spec.labels, roots).await
    };
    match tokio::time::timeout(Duration::from_secs(CATALOG_READ_S_MAX), reading).await {
        Ok(read) => read,
        Err(_) => Err(String::from("the target takes too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "kind: Target\nname: shop\nprotocol: mysql\nlisten: 127.0.0.1:3306\naddress: db:3306\n\
        tls: {mode: plaintext}\ncredential: {username: u, passwordFile: /none}\n";

    #[test]
    fn a_target_that_could_not_be_reached_is_asked_again_for_its_version_and_keeps_it() {
        let manifests = policies::manifest::read(&[("policy.yaml", POLICY)]).unwrap();
        let compiled = policies::compile::compile(&manifests, 1, 3600).unwrap();
        let snapshot = Arc::new(Snapshot::open(&compiled.snapshot).unwrap());
        let place = Place::whole("shop");
        let mut keeper = Keeper::new(Arc::new(AtomicU64::new(0)));
        keeper.use_snapshot(Arc::clone(&snapshot));
        let spec = Spec::of(&snapshot.target("shop").unwrap());
        let answer = |keeper: &mut Keeper, facts| {
            let known = keeper.places.get_mut(&place).unwrap();
            assert!(std::mem::take(&mut known.due), "it is to be read");
            keeper.finish(Done { place: place.clone(), spec: spec.clone(), number: 1, snapshot: 1, facts });
        };
        answer(&mut keeper, Err(String::from("the target is down")));
        keeper.sweep();
        let version = String::from("10.11.6-MariaDB");
        let reading = || read::Reading {
            origins: Origins::default(),
            derived: Vec::new(),
            roots: Vec::new(),
            version: version.clone(),
        };
        answer(&mut keeper, Ok(reading()));
        assert_eq!(keeper.places[&place].entry.server_version, version);
        // What was last heard holds while the target is gone again.
        keeper.sweep();
        answer(&mut keeper, Err(String::from("the target is down")));
        keeper.places.get_mut(&place).unwrap().entry.facts = None;
        keeper.sweep();
        assert!(keeper.places[&place].due && keeper.places[&place].entry.server_version == version);
    }
}
