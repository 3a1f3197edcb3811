//! The PostgreSQL load, by tokio-postgres.

use std::path::PathBuf;
use std::pin::pin;

use anyhow::Result;
use futures_util::TryStreamExt as _;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, NoTls, Statement};

use crate::address::{Address, resolve};
use crate::load::{Driver, token};
use crate::measure::Tally;
use crate::options::{PostgresOptions, Shape, Workload};
use crate::tls::Tls;

/// What every task needs.
pub(crate) struct Postgres {
    address: Address,
    tls: Option<Tls>,
    token_file: PathBuf,
    user: String,
    database: String,
    workload: Workload,
    statement: String,
}

/// A connection and what it has prepared.
pub(crate) struct Session {
    client: Client,
    statement: Option<Statement>,
}

impl Postgres {
    /// Refuses an address that load may not go to.
    pub(crate) async fn new(options: &PostgresOptions) -> Result<Self> {
        let server = &options.server;
        Ok(Self {
            address: resolve(&server.address, server.allow_remote.as_deref()).await?,
            tls: server.ca.as_deref().map(Tls::new).transpose()?,
            token_file: server.token_file.clone(),
            user: options.shape.user.clone(),
            database: options.shape.database.clone(),
            workload: options.workload,
            statement: options.shape.statement.clone().unwrap_or_else(|| statement(options)),
        })
    }
}

impl Driver for Postgres {
    type Session = Session;
    const PROTOCOL: &str = "postgres";

    fn workload(&self) -> &'static str {
        self.workload.name()
    }

    fn is_churn(&self) -> bool {
        self.workload == Workload::Churn
    }

    async fn fetch(&self, session: &mut Session, tally: &mut Tally) -> Result<()> {
        match &session.statement {
            Some(statement) => {
                let none: [&(dyn tokio_postgres::types::ToSql + Sync); 0] = [];
                let mut rows = pin!(session.client.query_raw(statement, none).await?);
                while let Some(row) = rows.try_next().await? {
                    tally.rows += 1;
                    tally.bytes += row.raw_size_bytes() as u64;
                }
            }
            None => {
                let mut rows = pin!(session.client.copy_out(&self.statement).await?);
                while let Some(bytes) = rows.try_next().await? {
                    tally.rows += 1;
                    tally.bytes += bytes.len() as u64;
                }
            }
        }
        Ok(())
    }

    async fn open(&self) -> Result<Session> {
        let mut config = tokio_postgres::Config::new();
        config
            .host(&self.address.host)
            .hostaddr(self.address.at.ip())
            .port(self.address.at.port())
            .user(&self.user)
            .dbname(&self.database)
            .application_name("pangate-loadtest")
            .password(token(&self.token_file).await?);
        let client = match &self.tls {
            Some(tls) => {
                let (client, connection) = config.ssl_mode(SslMode::Require).connect(tls.clone()).await?;
                tokio::spawn(connection);
                client
            }
            None => {
                let (client, connection) = config.ssl_mode(SslMode::Disable).connect(NoTls).await?;
                tokio::spawn(connection);
                client
            }
        };
        let statement = match self.workload {
            Workload::Copy => None,
            _ => Some(client.prepare(&self.statement).await?),
        };
        Ok(Session { client, statement })
    }

    async fn close(&self, _: Session) -> Result<()> {
        Ok(())
    }

    fn is_usable(session: &Session) -> bool {
        !session.client.is_closed()
    }

    fn kind(error: &anyhow::Error) -> String {
        match error.downcast_ref::<tokio_postgres::Error>() {
            Some(error) => match error.code() {
                Some(code) => code.code().to_owned(),
                None if error.is_closed() => "closed".to_owned(),
                None => "connection".to_owned(),
            },
            None => "token".to_owned(),
        }
    }
}

/// The workload's own statement: needs no table.
fn statement(options: &PostgresOptions) -> String {
    let Shape { rows, row_bytes, .. } = &options.shape;
    let many = format!("SELECT repeat('x', {row_bytes}) FROM generate_series(1, {rows})");
    match options.workload {
        Workload::Select | Workload::Churn => "SELECT 1".to_owned(),
        Workload::Rows => many,
        Workload::Copy => format!("COPY ({many}) TO STDOUT"),
    }
}
