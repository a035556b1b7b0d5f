//! What learning keeps, on either database. This folder alone speaks SQL.

mod choices;
mod observations;
mod policies;
mod ratings;
mod texts;

use swarm_database::{DatabaseConfig, Db, Migrate, Schema};
use swarm_errors::Result;
use swarm_types::Timestamp;

pub use choices::StoredChoice;
pub use policies::Statistics;
pub use ratings::Rating;
pub use texts::TEXTS;

/// The tables of learning.
pub static SCHEMA: Schema = Schema {
    name: "learning",
    postgres: sqlx::migrate!("./migrations/postgres"),
    sqlite: sqlx::migrate!("./migrations/sqlite"),
};

/// Everything that learning keeps. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
}

impl Store {
    /// Opens the database; refuses to on pending migrations of PostgreSQL.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub async fn open(config: &DatabaseConfig) -> Result<Self> {
        Ok(Self::new(Db::open(config, &SCHEMA, Migrate::Refuse).await?))
    }

    /// A store over an open database.
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self { db }
    }

    /// The database, for readiness and metrics.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    /// When the last outcome of any tenant was taken in.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn newest_update(&self) -> Result<Option<Timestamp>> {
        self.db.q(texts::NEWEST_UPDATE).scalar_opt().await
    }
}
