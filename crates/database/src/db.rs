//! An open database.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{PgPool, SqlitePool};
use swarm_errors::Result;

use crate::config::Place;
use crate::error::from_sqlx;
use crate::file_lock::FileLock;
use crate::query::Target;
use crate::{Batch, DatabaseConfig, Migrate, Query, Schema, Session, Tx, postgres, retry, sqlite};

/// An open database of one service: a pool of PostgreSQL, or SQLite's writer and reader.
#[derive(Debug, Clone)]
pub enum Db {
    /// PostgreSQL.
    Postgres(Postgres),
    /// SQLite.
    Sqlite(Sqlite),
}

/// PostgreSQL behind a [`Db`].
#[derive(Debug, Clone)]
pub struct Postgres {
    pub(crate) pool: PgPool,
    pub(crate) about: About,
}

/// SQLite behind a [`Db`].
#[derive(Debug, Clone)]
pub struct Sqlite {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) lock: Arc<FileLock>,
    pub(crate) about: About,
}

/// What every statement needs to know of its database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) schema: &'static str,
    pub(crate) statement_timeout: Duration,
}

/// Connections of a pool, for the metric `qwen_swarm_db_pool_connections{state}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStats {
    /// Connections that are open, idle ones among them.
    pub open: u32,
    /// Connections that nobody uses.
    pub idle: u32,
}

impl Db {
    /// Opens the database of one service.
    ///
    /// SQLite migrates itself; on PostgreSQL `migrate` says what happens to pending migrations.
    ///
    /// # Errors
    /// When the settings are wrong, the server cannot be reached, migrations are pending and may
    /// not be applied, or another process has the SQLite file.
    pub async fn open(config: &DatabaseConfig, schema: &Schema, migrate: Migrate) -> Result<Self> {
        swarm_config::Validate::validate(config)?;
        let about = About {
            schema: schema.checked_name()?,
            statement_timeout: config.statement_timeout(),
        };
        match config.place()? {
            Place::Postgres(options) => {
                let pool = postgres::open(&options, config, schema, migrate).await?;
                Ok(Self::Postgres(Postgres { pool, about }))
            }
            Place::Sqlite(folder) => {
                let sqlite::Files {
                    writer,
                    readers,
                    lock,
                } = sqlite::open(&folder, config, schema).await?;
                Ok(Self::Sqlite(Sqlite {
                    writer,
                    readers,
                    lock,
                    about,
                }))
            }
        }
    }

    /// Begins a transaction that may write.
    ///
    /// SQLite has one writer, so a second transaction waits for the first: never begin one while
    /// the same work holds another.
    ///
    /// # Errors
    /// `unavailable` when no connection becomes free in time.
    pub async fn begin(&self) -> Result<Tx> {
        Tx::begin(self).await
    }

    /// A statement that reads, outside a transaction. On SQLite it cannot write.
    pub fn q(&self, text: &'static str) -> Query<'_> {
        match self {
            Self::Postgres(db) => Query::new(Target::PostgresPool(&db.pool), None, db.about, text),
            Self::Sqlite(db) => Query::new(Target::SqlitePool(&db.readers), None, db.about, text),
        }
    }

    /// A single statement that writes, as a transaction of its own.
    pub fn write(&self, text: &'static str) -> Query<'_> {
        match self {
            Self::Postgres(db) => Query::new(Target::PostgresPool(&db.pool), None, db.about, text),
            Self::Sqlite(db) => Query::new(Target::SqlitePool(&db.writer), None, db.about, text),
        }
    }

    /// A connection to be kept.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(self.clone())
    }

    /// A single statement that writes many rows, as a transaction of its own: see [`Batch`].
    pub fn write_batch(&self, postgres: &'static str, sqlite: &'static str) -> Batch<'_> {
        Batch::new(self.write(self.pick(postgres, sqlite)))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `unavailable` when it does not.
    pub async fn ping(&self) -> Result<()> {
        self.q("SELECT 1 AS one").exec().await.map(drop)
    }

    /// Runs `work` again, after a short random pause, while it fails because of another
    /// transaction: see [`crate::is_retryable`].
    ///
    /// # Errors
    /// The last failure.
    pub async fn retry<T, F, Fut>(&self, work: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        retry::retry(work).await
    }

    /// Whether this is PostgreSQL.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// The text for this database, where the two must differ.
    #[must_use]
    pub const fn pick(&self, postgres: &'static str, sqlite: &'static str) -> &'static str {
        match self {
            Self::Postgres(_) => postgres,
            Self::Sqlite(_) => sqlite,
        }
    }

    /// The pool's connections now.
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        let of = |size: u32, idle: usize| PoolStats {
            open: size,
            idle: u32::try_from(idle).unwrap_or(size).min(size),
        };
        match self {
            Self::Postgres(db) => of(db.pool.size(), db.pool.num_idle()),
            Self::Sqlite(db) => of(
                db.writer.size() + db.readers.size(),
                db.writer.num_idle() + db.readers.num_idle(),
            ),
        }
    }

    /// Waits until running statements have ended, then closes all connections. A SQLite file can
    /// be opened again once every clone is gone.
    pub async fn close(self) {
        match self {
            Self::Postgres(db) => db.pool.close().await,
            Self::Sqlite(db) => {
                db.readers.close().await;
                db.writer.close().await;
            }
        }
    }

    /// The names and types of a statement's columns, and how many values it takes.
    pub(crate) async fn describe(&self, text: &'static str) -> Result<crate::check::Description> {
        match self {
            Self::Postgres(db) => {
                let mut connection = db.pool.acquire().await.map_err(from_sqlx)?;
                crate::check::describe(&mut *connection, text).await
            }
            Self::Sqlite(db) => {
                let mut connection = db.writer.acquire().await.map_err(from_sqlx)?;
                crate::check::describe(&mut *connection, text).await
            }
        }
    }
}
