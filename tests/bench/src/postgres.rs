//! A PostgreSQL that keeps what it was told to keep, and what it has counted.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use swarm_test_support::postgres::Server;

/// As an operator would set it for this machine; the rest is PostgreSQL's own default.
const SETTINGS: [&str; 3] = ["max_connections=300", "max_wal_size=2GB", "jit=off"];

/// A server with fsync, full pages and synchronous commits.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    databases: AtomicU32,
}

/// What a database has counted since it was made.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counted {
    /// Transactions.
    pub commits: i64,
    /// Rows inserted and updated.
    pub rows: i64,
    /// Times that the log was forced to disk, of the whole server.
    pub log_syncs: i64,
    /// Bytes of the log, of the whole server.
    pub log_bytes: i64,
}

impl Postgres {
    /// Starts one with an empty cluster.
    pub async fn start() -> Self {
        Self {
            server: Server::durable(&SETTINGS).await,
            databases: AtomicU32::new(0),
        }
    }

    /// The process that the others belong to.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// The name of a new, empty database.
    pub async fn database(&self) -> String {
        let name = format!("bench_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres")).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .unwrap();
        name
    }

    /// The URL of a database, over the server's socket.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    /// The same for programs that use libpq.
    #[must_use]
    pub fn url_of_libpq(&self, database: &str) -> String {
        let folder = self.server.folder().display();
        format!("postgresql://postgres@/{database}?host={folder}")
    }

    /// What a database has counted. The server writes it down with a delay of up to a second.
    pub async fn counted(&self, database: &str) -> Counted {
        let mut connection = PgConnection::connect(&self.url(database)).await.unwrap();
        let (commits, rows): (i64, i64) = sqlx::query_as(
            "SELECT xact_commit, tup_inserted + tup_updated FROM pg_stat_database WHERE datname = current_database()",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        let (log_syncs, log_bytes): (i64, i64) =
            sqlx::query_as("SELECT wal_sync, wal_bytes::bigint FROM pg_stat_wal")
                .fetch_one(&mut connection)
                .await
                .unwrap_or_default();
        Counted {
            commits,
            rows,
            log_syncs,
            log_bytes,
        }
    }
}
