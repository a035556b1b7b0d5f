//! One transaction on either database.

use std::sync::Arc;

use sqlx::{Postgres, Sqlite, Transaction};
use swarm_errors::{Error, Result};
use tracing::Instrument as _;

use crate::db::About;
use crate::error::{from_sqlx, not_begun};
use crate::file_lock::FileLock;
use crate::query::{Query, Target};
use crate::{Batch, Db};

/// A transaction that may write. Dropping it rolls it back.
///
/// Once a statement has failed, or was given up half-way, nothing of it can be committed:
/// PostgreSQL would answer such a commit with success and roll back, SQLite would keep half.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    about: About,
    failed: bool,
}

#[derive(Debug)]
enum Inner {
    Postgres(Transaction<'static, Postgres>),
    // The lock outlives the transaction even when the `Db` is dropped before.
    Sqlite(Transaction<'static, Sqlite>, Arc<FileLock>),
}

impl Tx {
    pub(crate) async fn begin(db: &Db) -> Result<Self> {
        let (inner, about) = match db {
            Db::Postgres(db) => (
                Box::pin(db.pool.begin()).await.map(Inner::Postgres),
                db.about,
            ),
            Db::Sqlite(db) => {
                // A deferred transaction that reads and then writes fails at once when another
                // one has written in between.
                let begun = Box::pin(db.writer.begin_with("BEGIN IMMEDIATE")).await;
                (
                    begun.map(|begun| Inner::Sqlite(begun, Arc::clone(&db.lock))),
                    db.about,
                )
            }
        };
        Ok(Self {
            inner: inner.map_err(not_begun)?,
            about,
            failed: false,
        })
    }

    /// A statement of this transaction.
    pub fn q(&mut self, text: &'static str) -> Query<'_> {
        let target = match &mut self.inner {
            Inner::Postgres(tx) => Target::Postgres(tx),
            Inner::Sqlite(tx, _) => Target::Sqlite(tx),
        };
        Query::new(target, Some(&mut self.failed), self.about, text)
    }

    /// A statement of this transaction that takes many rows: see [`Batch`].
    pub fn batch(&mut self, postgres: &'static str, sqlite: &'static str) -> Batch<'_> {
        let text = self.pick(postgres, sqlite);
        Batch::new(self.q(text))
    }

    /// A statement of this transaction that takes many rows, for SQLite alone: PostgreSQL does it as
    /// a part of a statement of its own.
    pub fn sqlite_batch(&mut self, text: &'static str) -> Batch<'_> {
        Batch::new(self.q(text))
    }

    /// The text for this database, where the two must differ.
    #[must_use]
    pub const fn pick(&self, postgres: &'static str, sqlite: &'static str) -> &'static str {
        match self.inner {
            Inner::Postgres(_) => postgres,
            Inner::Sqlite(..) => sqlite,
        }
    }

    /// Whether this is PostgreSQL.
    #[must_use]
    pub const fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }

    /// Makes it all durable.
    ///
    /// # Errors
    /// When a statement of it has failed before, and nothing is kept; or when the database fails
    /// now. After `unavailable` nobody knows: look, or repeat what may be repeated.
    pub async fn commit(self) -> Result<()> {
        if self.failed {
            self.rollback().await?;
            return Err(Error::internal(
                "commit refused: a statement of this transaction has failed",
            ));
        }
        let schema = self.about.schema;
        let span = crate::span::inside(|| {
            tracing::info_span!("db.commit", otel.kind = "client", db.namespace = schema)
        });
        let committed = Box::pin(async {
            match self.inner {
                Inner::Postgres(tx) => tx.commit().await,
                Inner::Sqlite(tx, _lock) => tx.commit().await,
            }
        });
        committed.instrument(span).await.map_err(from_sqlx)
    }

    /// Undoes it all, and waits until that is done.
    ///
    /// # Errors
    /// When the connection fails, which undoes it as well.
    pub async fn rollback(self) -> Result<()> {
        match self.inner {
            Inner::Postgres(tx) => tx.rollback().await,
            Inner::Sqlite(tx, _lock) => tx.rollback().await,
        }
        .map_err(from_sqlx)
    }
}
