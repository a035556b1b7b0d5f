//! What a database has of a list of migrations, and the rest of it.

use std::collections::HashMap;

use sqlx::migrate::{MigrateError, Migrator};
use swarm_errors::{Code, Error, Result};

/// Where sqlx keeps what was applied; SQLite and PostgreSQL's search path make it the service's own.
pub(crate) const TABLE: &str = "_sqlx_migrations";

/// Counts the migrations of `migrator` that are not applied yet.
///
/// Applied ones that we do not know are fine: a newer version has expanded the schema, and the
/// older one goes on during a rollout.
pub(crate) fn pending(
    applied: &[(i64, Vec<u8>)],
    migrator: &Migrator,
) -> Result<usize, MigrateError> {
    let applied: HashMap<i64, &[u8]> = applied
        .iter()
        .map(|(version, sum)| (*version, sum.as_slice()))
        .collect();
    let mut pending = 0;
    for migration in migrator
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
    {
        match applied.get(&migration.version) {
            None => pending += 1,
            Some(sum) if *sum != migration.checksum.as_ref() => {
                return Err(MigrateError::VersionMismatch(migration.version));
            }
            Some(_) => {}
        }
    }
    Ok(pending)
}

/// A failure to migrate, in words for the operator.
pub(crate) fn failed(schema: &str, error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) => {
            crate::error::from_sqlx(error).context(format_args!("migrating schema {schema}"))
        }
        error => Error::new(
            Code::FailedPrecondition,
            format!("schema {schema} cannot be migrated: {error}"),
        )
        .with_source(error),
    }
}

/// Why a service does not start on PostgreSQL.
pub(crate) fn refused(schema: &str, pending: usize) -> Error {
    let words = format!("schema {schema} has {pending} pending migrations: run `swarm migrate`");
    Error::new(Code::FailedPrecondition, words)
}
