//! Issuers' keys: fetched for every issuer of the policy in force, each few minutes and when a token names a key that is
//! not known. The last good ones stay until better ones come, across a restart too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use policies::link::IssuerKeys;
use tokio::sync::watch;

use super::discovery::Fetcher;
use super::events::Events;
use super::policy::Published;
use crate::api::types::IssuerStatus;
use crate::clock::Clock;
use crate::store::{Store, StoreError};

/// Keys are fetched anew so often.
const REFRESH_MS: u64 = 5 * 60 * 1000;
/// After a failure again after so long, twice as long each time.
const RETRY_MS: u64 = 2 * 1000;
/// On demand not more often than this.
const DEMAND_MS: u64 = 10 * 1000;
/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_secs(1);
/// Keys older than this are trouble, though still used.
const OLD_MS: u64 = 60 * 60 * 1000;

/// One issuer's keys and how fetching them goes.
#[derive(Debug, Clone, Default)]
struct Held {
    keys: Option<Arc<IssuerKeys>>,
    attempted_ms: u64,
    failures: u32,
    error: String,
}

/// Keeps the keys.
#[derive(Debug)]
pub struct KeyRing {
    store: Store,
    clock: Clock,
    events: Events,
    fetcher: Fetcher,
    held: Mutex<BTreeMap<String, Held>>,
    /// Fetches on demand go one after the other.
    demand: tokio::sync::Mutex<()>,
    published: watch::Sender<Arc<Vec<IssuerKeys>>>,
}

impl KeyRing {
    /// Takes up the keys that the store holds.
    pub async fn open(
        store: Store,
        clock: Clock,
        events: Events,
        fetcher: Fetcher,
    ) -> Result<Self, StoreError> {
        let held = store
            .issuer_keys()
            .await?
            .into_iter()
            .map(|keys| {
                let url = keys.issuer.clone();
                (url, Held { keys: Some(Arc::new(keys)), ..Held::default() })
            })
            .collect();
        let (published, _) = watch::channel(Arc::new(Vec::new()));
        let demand = tokio::sync::Mutex::new(());
        Ok(Self { store, clock, events, fetcher, held: Mutex::new(held), demand, published })
    }

    /// Follows the keys of the issuers of the policy in force.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Vec<IssuerKeys>>> {
        self.published.subscribe()
    }

    /// One issuer's keys.
    pub fn of(&self, issuer: &str) -> Option<Arc<IssuerKeys>> {
        self.lock().get(issuer).and_then(|held| held.keys.clone())
    }

    /// Fetches one issuer's keys now, unless that was tried a moment ago. Whether it was fetched.
    pub async fn demand(&self, issuer: &str) -> Result<bool, StoreError> {
        let _demand = self.demand.lock().await;
        let attempted = self.lock().get(issuer).map_or(0, |held| held.attempted_ms);
        if self.clock.now_ms() < attempted.saturating_add(DEMAND_MS) {
            return Ok(false);
        }
        self.fetch(issuer).await?;
        Ok(true)
    }

    /// Fetches what is due for the issuers of `policy`, and shows what is known of them. Returns how many were fetched.
    pub async fn refresh(&self, policy: &Published) -> Result<usize, StoreError> {
        let urls: Vec<String> = policy.snapshot.issuers().map(|issuer| issuer.url.to_owned()).collect();
        self.show(&urls);
        let mut fetched = 0;
        for url in &urls {
            let due = self.lock().get(url).is_none_or(|held| self.clock.now_ms() >= due_ms(held));
            if due {
                fetched += usize::from(self.fetch(url).await?);
            }
        }
        self.show(&urls);
        Ok(fetched)
    }

    /// Refreshes for as long as mgmt runs.
    pub async fn run(self: Arc<Self>, mut policy: watch::Receiver<Option<Arc<Published>>>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                changed = policy.changed() => if changed.is_err() { return },
            }
            let current = policy.borrow_and_update().clone();
            if let Some(current) = current
                && let Err(error) = self.refresh(&current).await
            {
                tracing::error!(%error, "issuers' keys are not kept");
            }
        }
    }

    /// How the keys of the issuers of `policy` are.
    pub fn status(&self, policy: &Published) -> Vec<IssuerStatus> {
        let held = self.lock();
        policy
            .snapshot
            .issuers()
            .map(|issuer| {
                let own = held.get(issuer.url).cloned().unwrap_or_default();
                IssuerStatus {
                    name: issuer.name.to_owned(),
                    url: issuer.url.to_owned(),
                    keys: own
                        .keys
                        .as_ref()
                        .map_or(0, |keys| u32::try_from(keys.keys.len()).unwrap_or(u32::MAX)),
                    fetched_ms: own.keys.as_ref().map_or(0, |keys| keys.fetched_s.saturating_mul(1000)),
                    error: own.error,
                }
            })
            .collect()
    }

    /// What is wrong with the keys of the issuers of `policy`.
    pub fn troubles(&self, policy: &Published) -> Vec<String> {
        let old = |status: &IssuerStatus| self.clock.now_ms() > status.fetched_ms.saturating_add(OLD_MS);
        self.status(policy)
            .into_iter()
            .filter_map(|status| match (status.keys, status.error.as_str()) {
                (0, "") => Some(format!("issuer {}: no keys yet", status.name)),
                (0, error) => Some(format!("issuer {}: no keys: {error}", status.name)),
                (_, error) if old(&status) => Some(format!("issuer {}: old keys: {error}", status.name)),
                _ => None,
            })
            .collect()
    }

    async fn fetch(&self, issuer: &str) -> Result<bool, StoreError> {
        let result = self.fetcher.keys(issuer).await;
        let now_ms = self.clock.now_ms();
        let keys = match result {
            Ok(keys) => keys,
            Err(error) => {
                tracing::warn!(issuer, %error, "issuer's keys cannot be fetched");
                let mut held = self.lock();
                let own = held.entry(issuer.to_owned()).or_default();
                own.attempted_ms = now_ms;
                own.failures = own.failures.saturating_add(1);
                own.error = error.to_string();
                return Ok(false);
            }
        };
        let fresh = IssuerKeys { issuer: issuer.to_owned(), fetched_s: now_ms / 1000, keys };
        let before = self.of(issuer);
        if before.as_ref().is_none_or(|before| before.keys != fresh.keys) {
            let names: Vec<&str> = fresh.keys.iter().map(|key| key.id.as_str()).collect();
            let text = format!("issuer {issuer}: keys {}", names.join(", "));
            self.events.add("issuer-keys-changed", "mgmt", &text).await?;
            tracing::info!(issuer, keys = fresh.keys.len(), "issuer's keys have changed");
        }
        self.store.set_issuer_keys(&fresh).await?;
        let fresh = Held { keys: Some(Arc::new(fresh)), attempted_ms: now_ms, ..Held::default() };
        self.lock().insert(issuer.to_owned(), fresh);
        let urls: Vec<String> = self.published.borrow().iter().map(|keys| keys.issuer.clone()).collect();
        if urls.iter().any(|url| url == issuer) {
            self.show(&urls);
        }
        Ok(true)
    }

    /// Shows the keys of these issuers to those who follow, if they have changed.
    fn show(&self, urls: &[String]) {
        let held = self.lock();
        let keys: Vec<IssuerKeys> = urls
            .iter()
            .filter_map(|url| held.get(url).and_then(|held| held.keys.as_deref().cloned()))
            .collect();
        drop(held);
        self.published.send_if_modified(|shown| {
            let changed = **shown != keys;
            if changed {
                *shown = Arc::new(keys);
            }
            changed
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn due_ms(held: &Held) -> u64 {
    let wait = match held.failures {
        0 if held.attempted_ms == 0 => 0,
        0 => REFRESH_MS,
        failures => REFRESH_MS.min(RETRY_MS << failures.min(16).saturating_sub(1)),
    };
    held.attempted_ms.saturating_add(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_retried_soon_and_ever_later() {
        let held = |failures| Held { attempted_ms: 1000, failures, ..Held::default() };
        assert_eq!(due_ms(&Held::default()), 0);
        assert_eq!(due_ms(&held(0)), 1000 + REFRESH_MS);
        assert_eq!(due_ms(&held(1)), 1000 + RETRY_MS);
        assert_eq!(due_ms(&held(3)), 1000 + 4 * RETRY_MS);
        assert_eq!(due_ms(&held(u32::MAX)), 1000 + REFRESH_MS);
    }
}
