//! Runs mgmt: HTTPS, the link, and what recurs. A stop ends HTTPS first, then the link, then the store.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::api::{https, routes};
use crate::app::{App, StartError};
use crate::clock::Clock;
use crate::config::Config;
use crate::publish::link::Socket;

/// How often it is looked whether a ticket's time is over.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

/// mgmt, running.
pub struct Server {
    /// Its parts.
    pub app: Arc<App>,
    /// Where HTTPS is served.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    https: JoinHandle<()>,
    others: JoinSet<()>,
}

impl Server {
    /// Starts; when it returns, HTTPS and the link take connections.
    pub async fn start(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let tls = https::tls(&config.tls.cert, &config.tls.key)?;
        let listener = https::bind(config.listen).await?;
        let address = listener.local_addr().unwrap_or(config.listen);
        let socket = Socket::bind(&config.link, !config.link_uids.is_empty())?;
        let app = Arc::new(App::open(config, address, clock).await?);
        app.events.add("mgmt-started", "mgmt", concat!("version ", env!("CARGO_PKG_VERSION"))).await?;

        let (stop, stopping) = watch::channel(false);
        let https = tokio::spawn(https::serve(listener, tls, routes::router(app.clone()), stopping));
        let mut others = JoinSet::new();
        others.spawn(app.link.clone().serve(socket));
        others.spawn(app.keys.clone().run(app.publisher.subscribe()));
        others.spawn(app.index.clone().run());
        others.spawn(expire(app.clone()));
        tracing::info!(%address, link = %config.link.display(), "pangate-mgmt serves");
        if let Some(issuer) = &app.development {
            tracing::warn!(
                url = issuer.url(),
                "the development issuer is on: whoever reads its key file is anybody"
            );
        }
        if app.publisher.current().is_none() {
            tracing::warn!("no policy is in force: nobody can log in until the boot file names manifests");
        }
        Ok(Self { app, address, stop, https, others })
    }

    /// Stops: what has begun is ended, what is committed is on disk.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.https).await {
            tracing::error!(%error, "HTTPS ended badly");
        }
        self.others.shutdown().await;
        if let Err(error) = self.app.events.add("mgmt-stopped", "mgmt", "").await {
            tracing::error!(%error, "the stop is not told");
        }
        self.app.store.close().await;
        tracing::info!("pangate-mgmt has stopped");
    }
}

async fn expire(app: Arc<App>) {
    let mut tick = tokio::time::interval(EXPIRE_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = app.desk.expire().await {
            tracing::error!(%error, "tickets cannot be ended");
        }
    }
}
