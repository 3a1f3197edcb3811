//! mgmt's parts, brought together from the boot file. Leaves out running them (server.rs).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::evidence::note::VerifierKey;
use ::evidence::sealing::SealingKey;

use crate::api::https::{self, HttpsError};
use crate::approvals::Desk;
use crate::auth::Gate;
use crate::auth::development::{DevelopmentError, DevelopmentIssuer};
use crate::clock::Clock;
use crate::config::{Config, Evidence};
use crate::evidence::index::Index;
use crate::evidence::witness::Witness;
use crate::publish::discovery::Fetcher;
use crate::publish::events::Events;
use crate::publish::keys::KeyRing;
use crate::publish::link::{Link, LinkError, Parts};
use crate::publish::policy::{PolicyError, Publisher};
use crate::secret_file;
use crate::store::{Store, StoreError};

/// Why mgmt does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// HTTPS: certificate, key or address.
    #[error(transparent)]
    Https(#[from] HttpsError),
    /// The link's socket.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifests, where no earlier version can be used instead.
    #[error("{}", policy_text(.0))]
    Policy(#[from] PolicyError),
    /// The development issuer.
    #[error("development issuer: {0}")]
    Development(#[from] DevelopmentError),
    /// A key of the evidence.
    #[error("{path}: {cause}", path = path.display())]
    EvidenceKey {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// What fetches issuers' keys.
    #[error("HTTPS client: {0}")]
    Fetcher(#[from] reqwest::Error),
}

/// The parts.
#[derive(Debug)]
pub struct App {
    /// What time it is.
    pub clock: Clock,
    /// The store.
    pub store: Store,
    /// Events for the evidence.
    pub events: Events,
    /// The policy in force.
    pub publisher: Arc<Publisher>,
    /// Issuers' keys.
    pub keys: Arc<KeyRing>,
    /// Callers.
    pub gate: Gate,
    /// Tickets.
    pub desk: Arc<Desk>,
    /// Checkpoints.
    pub witness: Arc<Witness>,
    /// Sessions.
    pub index: Arc<Index>,
    /// Dataplanes.
    pub link: Arc<Link>,
    /// The development issuer, where it is on.
    pub development: Option<DevelopmentIssuer>,
    /// When mgmt started.
    pub started_ms: u64,
    folder_trouble: Mutex<Option<String>>,
}

impl App {
    /// Opens everything that the boot file names. `address`: where HTTPS is served, as bound.
    pub async fn open(
        config: &Config,
        address: std::net::SocketAddr,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let authorities = config.issuer_ca.as_deref().map(https::certificates).transpose()?;
        let fetcher = Fetcher::new(&authorities.unwrap_or_default())?;
        let (public, sealing) = evidence_keys(&config.evidence)?;
        let development = development(config, address)?;

        let store = Store::open(&config.store).await?;
        let events = Events::new(store.clone(), clock.clone());
        let max_age_s = config.max_age.0;
        let publisher = Publisher::open(store.clone(), clock.clone(), events.clone(), max_age_s).await?;
        let publisher = Arc::new(publisher);
        let folder_trouble = match &config.manifests {
            Some(folder) => apply_folder(&publisher, folder).await?,
            None => None,
        };
        let keys = KeyRing::open(store.clone(), clock.clone(), events.clone(), fetcher).await?;
        let keys = Arc::new(keys);
        let desk = Desk::new(store.clone(), clock.clone(), events.clone(), config.request_ttl.0);
        let desk = Arc::new(desk);
        let witness = Witness::new(store.clone(), clock.clone(), events.clone(), public.clone());
        let witness = Arc::new(witness);
        let index = Index::new(store.clone(), config.evidence.dir.clone(), public, sealing);
        let index = Arc::new(index);
        let link = Arc::new(Link::new(Parts {
            store: store.clone(),
            clock: clock.clone(),
            events: events.clone(),
            desk: desk.clone(),
            witness: witness.clone(),
            index: index.clone(),
            policy: publisher.subscribe(),
            keys: keys.subscribe(),
            max_age_s,
            uids: config.link_uids.clone(),
        }));
        let roles = config.roles.clone();
        let gate = Gate::new(clock.clone(), events.clone(), publisher.clone(), keys.clone(), roles);
        let started_ms = clock.now_ms();
        let folder_trouble = Mutex::new(folder_trouble);
        Ok(Self {
            clock,
            store,
            events,
            publisher,
            keys,
            gate,
            desk,
            witness,
            index,
            link,
            development,
            started_ms,
            folder_trouble,
        })
    }

    /// Why the folder's manifests are not in force; `None`: they are, or newer ones.
    pub fn folder_trouble(&self) -> Option<String> {
        self.folder_trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The development issuer, where the boot file asks for it.
pub fn development(
    config: &Config,
    address: std::net::SocketAddr,
) -> Result<Option<DevelopmentIssuer>, DevelopmentError> {
    let Some(asked) = config.development() else { return Ok(None) };
    let url = asked.url.clone().unwrap_or_else(|| format!("https://{address}/dev"));
    DevelopmentIssuer::open(&asked.key_file, &url).map(Some)
}

/// The keys that evidence is read with.
pub fn evidence_keys(config: &Evidence) -> Result<(VerifierKey, SealingKey), StartError> {
    let failed = |path: &Path, cause: String| StartError::EvidenceKey { path: path.to_owned(), cause };
    let read = |path: &Path| secret_file::read(path).map_err(|error| failed(path, error.to_string()));
    let public = read(&config.public_key)?;
    let public = public.trim().parse::<VerifierKey>();
    let public = public.map_err(|error| failed(&config.public_key, error.to_string()))?;
    let sealing = read(&config.sealing_key)?;
    let sealing = sealing.trim().parse::<SealingKey>();
    let sealing = sealing.map_err(|error| failed(&config.sealing_key, error.to_string()))?;
    Ok((public, sealing))
}

/// Applies the folder's manifests. Where they are refused, the version in force stays; without one there is no start.
async fn apply_folder(publisher: &Publisher, folder: &Path) -> Result<Option<String>, PolicyError> {
    let error = match publisher.apply_folder(folder).await {
        Ok(_) => return Ok(None),
        Err(error) => error,
    };
    if publisher.current().is_none() || matches!(error, PolicyError::Store(_)) {
        return Err(error);
    }
    let text = policy_text(&error);
    tracing::error!("the manifests are not applied, the last good ones stay in force: {text}");
    Ok(Some(format!("{}: {error}", folder.display())))
}

/// An error with every mistake on its own line.
fn policy_text(error: &PolicyError) -> String {
    let PolicyError::Refused(mistakes) = error else { return error.to_string() };
    let mut text = error.to_string();
    for mistake in mistakes {
        text.push_str(&format!(
            "\n{}:{}:{}: {}",
            mistake.file, mistake.line, mistake.column, mistake.message
        ));
        if !mistake.help.is_empty() {
            text.push_str(&format!(" ({})", mistake.help));
        }
    }
    text
}
