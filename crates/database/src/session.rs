//! One connection that is kept for one kind of work.
//!
//! The pool hands its connections out in turn. What is done a thousand times a second does better
//! on one of them: the server keeps its plans and caches warm there, and the others need none.

use std::time::Instant;

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use swarm_errors::Result;

use crate::Db;
use crate::error::not_begun;
use crate::postgres::TRUSTED_IDLE;
use crate::query::{Query, Target};

/// A connection that is kept between statements.
#[derive(Debug)]
pub struct Session {
    db: Db,
    kept: Option<(PoolConnection<Postgres>, Instant)>,
}

impl Session {
    pub(crate) const fn new(db: Db) -> Self {
        Self { db, kept: None }
    }

    /// The database, for everything else.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// A statement that may write, a transaction of its own. When it fails, [`Session::forget`]
    /// the connection.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn write(&mut self, text: &'static str) -> Result<Query<'_>> {
        let Db::Postgres(db) = &self.db else {
            return Ok(self.db.write(text));
        };
        // After a pause the pool looks whether it is still alive.
        self.kept = self
            .kept
            .take()
            .filter(|(_, used)| used.elapsed() < TRUSTED_IDLE);
        let connection = match self.kept.take() {
            Some((connection, _)) => connection,
            None => Box::pin(db.pool.acquire()).await.map_err(not_begun)?,
        };
        let (connection, _) = self.kept.insert((connection, Instant::now()));
        Ok(Query::new(
            Target::Postgres(connection),
            None,
            db.about,
            text,
        ))
    }

    /// Gives the connection back to the pool, until the next statement.
    pub fn rest(&mut self) {
        self.kept = None;
    }

    /// Closes the connection: the next statement gets another one.
    pub fn forget(&mut self) {
        if let Some((mut connection, _)) = self.kept.take() {
            connection.close_on_drop();
        }
    }
}
