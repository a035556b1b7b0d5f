//! SQLite: one file per service, one writer, one reader, one owner.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migrate as _, MigrateError};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use swarm_errors::{Code, Error, Result};

use crate::error::from_sqlx;
use crate::file_lock::FileLock;
use crate::migration::{self, TABLE};
use crate::{DatabaseConfig, Schema};

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What an open SQLite file consists of.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) lock: Arc<FileLock>,
}

pub(crate) async fn open(folder: &Path, config: &DatabaseConfig, schema: &Schema) -> Result<Files> {
    let (lock, options) = prepare(folder, config, schema).await?;
    migrate_file(&options, schema).await?;
    let writer = pool(config)
        .connect_with(options.clone())
        .await
        .map_err(from_sqlx)?;
    // The reader comes after migration, and after the writer has made the files that WAL needs.
    let readers = pool(config)
        .connect_with(options.read_only(true).create_if_missing(false))
        .await;
    Ok(Files {
        writer,
        readers: readers.map_err(from_sqlx)?,
        lock: Arc::new(lock),
    })
}

pub(crate) async fn migrate(
    folder: &Path,
    config: &DatabaseConfig,
    schema: &Schema,
) -> Result<usize> {
    let (_lock, options) = prepare(folder, config, schema).await?;
    migrate_file(&options, schema).await
}

async fn prepare(
    folder: &Path,
    config: &DatabaseConfig,
    schema: &Schema,
) -> Result<(FileLock, SqliteConnectOptions)> {
    let file = folder.join(schema.checked_name()?).with_extension("db");
    create_private(folder).map_err(|error| {
        let words = format!(
            "data folder {} cannot be created: {error}",
            folder.display()
        );
        Error::new(Code::FailedPrecondition, words).with_source(error)
    })?;
    let lock = FileLock::acquire(&file.with_extension("lock"), config.lock_wait()).await?;
    create_private_file(&file).map_err(|error| {
        let words = format!("{} cannot be created: {error}", file.display());
        Error::new(Code::FailedPrecondition, words).with_source(error)
    })?;
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may lose the last commits when the power fails.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .statement_cache_capacity(256);
    Ok((lock, options))
}

/// One connection that never idles out: reopening a file for every burst gains nothing.
fn pool(config: &DatabaseConfig) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(config.acquire_timeout())
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

async fn migrate_file(options: &SqliteConnectOptions, schema: &Schema) -> Result<usize> {
    let mut connection = options.connect().await.map_err(from_sqlx)?;
    let applied = apply(&mut connection, schema).await;
    let closed = connection.close().await;
    let applied = applied.map_err(|error| migration::failed(schema.name, error))?;
    closed.map_err(from_sqlx)?;
    Ok(applied)
}

async fn apply(connection: &mut SqliteConnection, schema: &Schema) -> Result<usize, MigrateError> {
    connection.ensure_migrations_table(TABLE).await?;
    let rows = connection.list_applied_migrations(TABLE).await?;
    let known: Vec<_> = rows
        .into_iter()
        .map(|row| (row.version, row.checksum.into_owned()))
        .collect();
    let pending = migration::pending(&known, &schema.sqlite)?;
    if pending > 0 {
        schema.sqlite.run_direct(None, connection, false).await?;
        tracing::info!(
            db.schema = schema.name,
            migrations = pending,
            "schema migrated"
        );
    }
    Ok(pending)
}

/// The data folder holds keys and password hashes: nobody else needs to read it.
#[cfg(unix)]
fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// The folder may have been there before, readable for all. SQLite gives its other files the mode
/// of this one.
#[cfg(unix)]
fn create_private_file(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(file).map(drop)
}

#[cfg(not(unix))]
fn create_private_file(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}
