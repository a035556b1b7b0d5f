//! What auth keeps, on either database. This folder alone speaks SQL.

mod api_keys;
mod first_start;
mod passwords;
mod requests;
mod sessions;
mod signing_keys;
mod tenants;
mod texts;
mod users;

use swarm_database::{DatabaseConfig, Db, Migrate, Schema};
use swarm_errors::Result;

pub use api_keys::ApiKeyRecord;
pub use passwords::PasswordChanged;
pub(crate) use requests::mismatch;
pub use requests::{Created, Request};
pub use sessions::{NewSession, Refreshed};
pub use signing_keys::{PublicKeyRecord, SigningKeyRecord};
pub use tenants::TenantRecord;
pub use texts::TEXTS;
pub use users::{Credentials, UserRecord};

/// The tables of auth.
pub static SCHEMA: Schema = Schema {
    name: "auth",
    postgres: sqlx::migrate!("./migrations/postgres"),
    sqlite: sqlx::migrate!("./migrations/sqlite"),
};

/// Everything that auth keeps. Clones share the connections.
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
}
