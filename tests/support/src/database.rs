//! Fresh databases on both engines, for suites that must pass on each.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use swarm_database::check::{Text, schema_differences, text_differences};
use swarm_database::{DatabaseConfig, Db, Migrate, Schema};
use tempfile::TempDir;

use crate::postgres::Server;

const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// A database that nobody has used yet. SQLite's folder goes when this is dropped.
#[derive(Debug)]
pub struct Fresh {
    /// `sqlite` or `postgres`, for messages.
    pub name: &'static str,
    /// How to open it, also several times one after the other.
    pub config: DatabaseConfig,
    _folder: Option<TempDir>,
}

impl Fresh {
    /// A folder for SQLite files.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("swarm-sqlite-")
            .tempdir()
            .unwrap();
        let config = DatabaseConfig::at(format!("sqlite:{}", folder.path().display()));
        Self {
            name: "sqlite",
            config,
            _folder: Some(folder),
        }
    }

    /// A database of the shared PostgreSQL server.
    pub async fn postgres() -> Self {
        let config = DatabaseConfig::at(Server::shared().await.database().await);
        Self {
            name: "postgres",
            config,
            _folder: None,
        }
    }

    /// One of each.
    pub async fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres().await]
    }

    /// Opens it for one service, with all its tables.
    pub async fn open(&self, schema: &Schema) -> Db {
        Db::open(&self.config, schema, Migrate::Auto)
            .await
            .unwrap_or_else(|error| panic!("{} does not open: {}", self.name, error.chain()))
    }
}

/// Runs the case on a fresh SQLite, then on a fresh PostgreSQL.
///
/// # Panics
/// When the case panics on either; the message names the database.
pub async fn for_each_database<F, Fut>(schema: &Schema, case: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    let mut failed = Vec::new();
    for fresh in Fresh::both().await {
        let db = fresh.open(schema).await;
        if AssertUnwindSafe(case(db.clone()))
            .catch_unwind()
            .await
            .is_err()
        {
            failed.push(fresh.name);
        }
        // A case that leaves work behind must not hold up the others.
        let _closed = tokio::time::timeout(CLOSE_LIMIT, db.close()).await;
    }
    assert!(
        failed.is_empty(),
        "the case failed on {}",
        failed.join(" and ")
    );
}

/// Asserts that both databases make the same of a service's migrations and texts.
///
/// # Panics
/// With the list of differences.
pub async fn assert_alike(schema: &Schema, texts: &[Text]) {
    let [sqlite, postgres] = Fresh::both().await;
    let (sqlite, postgres) = (sqlite.open(schema).await, postgres.open(schema).await);
    let mut differences = schema_differences(schema, &postgres, &sqlite)
        .await
        .unwrap();
    differences.extend(text_differences(&postgres, &sqlite, texts).await.unwrap());
    assert!(
        differences.is_empty(),
        "PostgreSQL and SQLite differ:\n{}",
        differences.join("\n")
    );
}
