//! The tables. Nothing else speaks SQL.

mod embeddings;
mod list;
mod memories;
mod namespaces;
mod put;
mod requests;
mod row;
mod sql;

pub use sql::TEXTS;

pub(crate) use memories::Indexed;
pub(crate) use namespaces::NamespaceState;

use swarm_database::{Db, Schema};
use swarm_errors::Result;

/// The tables of this service.
pub static SCHEMA: Schema = Schema {
    name: "memory",
    postgres: sqlx::migrate!("./migrations/postgres"),
    sqlite: sqlx::migrate!("./migrations/sqlite"),
};

/// Memories, their embeddings, and the answers to keyed writes.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    db: Db,
}

impl Store {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<()> {
        self.db.ping().await
    }
}
