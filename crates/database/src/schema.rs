//! The tables of one service, on both databases.

use sqlx::migrate::Migrator;
use swarm_errors::{Error, Result};

use crate::config::Place;
use crate::{DatabaseConfig, postgres, sqlite};

/// The tables of one service. A service keeps it in a static, with
/// `sqlx::migrate!("./migrations/postgres")` and `sqlx::migrate!("./migrations/sqlite")`:
/// the same numbers and names in both folders.
#[derive(Debug)]
pub struct Schema {
    /// The PostgreSQL schema and the stem of the SQLite file, such as `tasks`.
    pub name: &'static str,
    /// The migrations in PostgreSQL's dialect.
    pub postgres: Migrator,
    /// The migrations in SQLite's dialect.
    pub sqlite: Migrator,
}

impl Schema {
    /// The name becomes part of a path and of SQL, so it may hold plain letters only.
    pub(crate) fn checked_name(&self) -> Result<&'static str> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if self.name.is_empty() || !self.name.bytes().all(plain) {
            return Err(Error::internal(format!(
                "schema name {:?} must be of a-z and _",
                self.name
            )));
        }
        Ok(self.name)
    }
}

/// What to do about migrations that are pending in PostgreSQL. SQLite always migrates itself,
/// because its file has one owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// Apply them.
    Auto,
    /// Refuse to open, and name the command that applies them.
    Refuse,
}

/// Applies what is pending for one service and says how many migrations that were.
///
/// # Errors
/// When the database cannot be reached, a SQLite file is in use, or a migration fails or was
/// changed after it had been applied.
pub async fn migrate(config: &DatabaseConfig, schema: &Schema) -> Result<usize> {
    match config.place()? {
        Place::Postgres(options) => postgres::migrate(&options, schema).await,
        Place::Sqlite(folder) => sqlite::migrate(&folder, config, schema).await,
    }
}
