//! PostgreSQL: the pool's settings, and migrations under the server's lock.

use std::time::Duration;

use sqlx::migrate::Migrate as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use swarm_errors::Result;

use crate::error::from_sqlx;
use crate::migration::{self, TABLE};
use crate::{DatabaseConfig, Migrate, Schema};

/// A connection that was idle for less is taken as alive, which saves a round trip per use.
pub(crate) const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// A stopped process holds its locks no longer than this.
const IDLE_IN_TRANSACTION: &str = "2s";

pub(crate) async fn open(
    options: &PgConnectOptions,
    config: &DatabaseConfig,
    schema: &Schema,
    migrate: Migrate,
) -> Result<PgPool> {
    let name = schema.checked_name()?;
    match migrate {
        Migrate::Auto => {
            self::migrate(options, schema).await?;
        }
        Migrate::Refuse => {
            let pending = pending(options, schema).await?;
            if pending > 0 {
                return Err(migration::refused(name, pending));
            }
        }
    }
    let statement_timeout = format!("{}ms", config.statement_timeout_ms);
    let options = in_schema(options, name)
        .statement_cache_capacity(256)
        .options([
            ("statement_timeout", statement_timeout.as_str()),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
            // Our statements are prepared once and their plans do not depend on the values.
            ("plan_cache_mode", "force_generic_plan"),
            // They go by keys. A plan that was made while a table was empty would read all of it,
            // for as long as nobody has analysed it, and so would each join.
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
        ]);
    Ok(PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(config.acquire_timeout())
        .test_before_acquire(false)
        .before_acquire(|connection, use_before| {
            Box::pin(async move {
                Ok(use_before.idle_for < TRUSTED_IDLE || connection.ping().await.is_ok())
            })
        })
        .connect_lazy_with(options))
}

pub(crate) async fn migrate(options: &PgConnectOptions, schema: &Schema) -> Result<usize> {
    let name = schema.checked_name()?;
    let mut connection = in_schema(options, name)
        .connect()
        .await
        .map_err(from_sqlx)?;
    let applied = apply(&mut connection, schema).await;
    // Closing lets go of the lock, also after a failure.
    let closed = connection.close().await;
    let applied = applied.map_err(|error| migration::failed(name, error))?;
    closed.map_err(from_sqlx)?;
    Ok(applied)
}

async fn apply(
    connection: &mut PgConnection,
    schema: &Schema,
) -> Result<usize, sqlx::migrate::MigrateError> {
    // Without the lock two first starts would both create the schema, and one would fail.
    connection.lock().await?;
    connection.create_schema_if_not_exists(schema.name).await?;
    connection.ensure_migrations_table(TABLE).await?;
    let pending = migration::pending(&applied(connection).await?, &schema.postgres)?;
    if pending > 0 {
        schema.postgres.run_direct(None, connection, false).await?;
        tracing::info!(
            db.schema = schema.name,
            migrations = pending,
            "schema migrated"
        );
    }
    connection.unlock().await?;
    Ok(pending)
}

async fn pending(options: &PgConnectOptions, schema: &Schema) -> Result<usize> {
    let mut connection = in_schema(options, schema.name)
        .connect()
        .await
        .map_err(from_sqlx)?;
    let exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL AS exists")
        .bind(TABLE)
        .fetch_one(&mut connection)
        .await
        .map_err(from_sqlx)?;
    let known = if exists {
        applied(&mut connection).await
    } else {
        Ok(Vec::new())
    };
    let pending = known.and_then(|known| migration::pending(&known, &schema.postgres));
    connection.close().await.map_err(from_sqlx)?;
    pending.map_err(|error| migration::failed(schema.name, error))
}

async fn applied(
    connection: &mut PgConnection,
) -> Result<Vec<(i64, Vec<u8>)>, sqlx::migrate::MigrateError> {
    let rows = connection.list_applied_migrations(TABLE).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.version, row.checksum.into_owned()))
        .collect())
}

fn in_schema(options: &PgConnectOptions, name: &'static str) -> PgConnectOptions {
    options
        .clone()
        .application_name(&format!("qwen-swarm-{name}"))
        .options([("search_path", name)])
}
