//! The MySQL and MariaDB load, by mysql_async. Over TLS the token is the password; the certificate is always verified,
//! its name included.

use std::path::PathBuf;

use anyhow::Result;
use mysql_async::prelude::{Protocol, Queryable as _};
use mysql_async::{Conn, Error, Opts, OptsBuilder, QueryResult, Row, SslOpts, Statement, Value};

use crate::address::{Address, resolve};
use crate::load::{Driver, token};
use crate::measure::Tally;
use crate::options::{MysqlOptions, MysqlWorkload, Shape};

/// The largest packet that is taken.
const PACKET_BYTES_MAX: usize = 64 << 20;

/// What every task needs.
pub(crate) struct Mysql {
    options: OptsBuilder,
    token_file: PathBuf,
    workload: MysqlWorkload,
    statement: String,
}

/// A connection and what it has prepared.
pub(crate) struct Session {
    client: Conn,
    statement: Option<Statement>,
}

impl Mysql {
    /// Refuses an address that load may not go to.
    pub(crate) async fn new(options: &MysqlOptions) -> Result<Self> {
        let (server, shape) = (&options.server, &options.shape);
        let Address { host, at } = resolve(&server.address, server.allow_remote.as_deref()).await?;
        let tls = server
            .ca
            .clone()
            .map(|ca| SslOpts::default().with_root_certs(vec![ca.into()]).with_disable_built_in_roots(true));
        // What it would otherwise ask the server for at the start of each connection is said here.
        let options_of_all = OptsBuilder::default()
            .ip_or_hostname(host)
            .resolved_ips(Some(vec![at.ip()]))
            .tcp_port(at.port())
            .prefer_socket(false)
            .max_allowed_packet(Some(PACKET_BYTES_MAX))
            .wait_timeout(Some(3600))
            .user(Some(shape.user.clone()))
            .db_name(Some(shape.database.clone()))
            // Without TLS, a gateway asks for the token as it is: on loopback alone, as options.rs sees to.
            .enable_cleartext_plugin(server.plaintext)
            .ssl_opts(tls);
        Ok(Self {
            options: options_of_all,
            token_file: server.token_file.clone(),
            workload: options.workload,
            statement: shape.statement.clone().unwrap_or_else(|| statement(options.workload, shape)),
        })
    }
}

impl Driver for Mysql {
    type Session = Session;
    const PROTOCOL: &str = "mysql";

    fn workload(&self) -> &'static str {
        self.workload.name()
    }

    fn is_churn(&self) -> bool {
        self.workload == MysqlWorkload::Churn
    }

    async fn open(&self) -> Result<Session> {
        let options = self.options.clone().pass(Some(token(&self.token_file).await?));
        let mut client = Conn::new(Opts::from(options)).await?;
        let statement = match self.workload {
            MysqlWorkload::Select | MysqlWorkload::Rows => Some(client.prep(&self.statement).await?),
            _ => None,
        };
        Ok(Session { client, statement })
    }

    async fn fetch(&self, session: &mut Session, tally: &mut Tally) -> Result<()> {
        match &session.statement {
            Some(statement) => count(session.client.exec_iter(statement, ()).await?, tally).await,
            None => count(session.client.query_iter(&self.statement).await?, tally).await,
        }
    }

    async fn close(&self, session: Session) -> Result<()> {
        Ok(session.client.disconnect().await?)
    }

    fn is_usable(session: &Session) -> bool {
        !session.client.is_disconnected()
    }

    fn kind(error: &anyhow::Error) -> String {
        match error.downcast_ref::<Error>() {
            Some(Error::Server(error)) => error.code.to_string(),
            Some(Error::Io(_)) => "connection".to_owned(),
            Some(_) => "driver".to_owned(),
            None => "token".to_owned(),
        }
    }
}

/// Reads rows as they come, none of them kept.
async fn count<P: Protocol>(mut rows: QueryResult<'_, 'static, P>, tally: &mut Tally) -> Result<()> {
    while let Some(row) = rows.next().await? {
        tally.rows += 1;
        tally.bytes += bytes(&row);
    }
    Ok(())
}

fn bytes(row: &Row) -> u64 {
    let of = |value: Option<&Value>| match value {
        Some(Value::Bytes(bytes)) => bytes.len() as u64,
        Some(Value::NULL) | None => 0,
        Some(_) => 8,
    };
    (0..row.len()).map(|column| of(row.as_ref(column))).sum()
}

/// The workload's own statement: needs no table. A recursion is as deep as servers allow by themselves.
fn statement(workload: MysqlWorkload, shape: &Shape) -> String {
    let Shape { rows, row_bytes, .. } = shape;
    match workload {
        MysqlWorkload::Select | MysqlWorkload::SelectText | MysqlWorkload::Churn => "SELECT 1".to_owned(),
        MysqlWorkload::Rows | MysqlWorkload::RowsText => format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250) \
             SELECT repeat('x', {row_bytes}) FROM n a JOIN n b JOIN n c LIMIT {rows}"
        ),
    }
}
