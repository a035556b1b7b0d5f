//! What a failure of either database means to callers.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use swarm_errors::{Code, Error};

/// A hint for clients while the database is away.
const AWAY_RETRY_AFTER: Duration = Duration::from_secs(1);
/// A hint for clients while an operator is needed.
const FULL_RETRY_AFTER: Duration = Duration::from_secs(5);
/// A hint for clients after a clash of transactions that our own retries did not settle.
const CLASH_RETRY_AFTER: Duration = Duration::from_millis(100);

/// What a failed statement means, independent of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unique,
    ForeignKey,
    Clash,
    Timeout,
    Away,
    Full,
    ReadOnly,
    BadText,
    Fault,
}

pub(crate) fn from_sqlx(error: sqlx::Error) -> Error {
    let kind = match &error {
        sqlx::Error::Database(database) => kind_of(database.as_ref()),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => Kind::Away,
        _ => Kind::Fault,
    };
    let (code, words) = match kind {
        Kind::Unique => (Code::Conflict, "it exists already"),
        Kind::ForeignKey => (
            Code::FailedPrecondition,
            "it refers to something that does not exist, or is referred to",
        ),
        Kind::Clash => (Code::Unavailable, "another transaction was in the way"),
        Kind::Timeout => (Code::DeadlineExceeded, "the database took too long"),
        Kind::Away => (Code::Unavailable, "the database cannot be reached"),
        Kind::Full => (Code::Unavailable, "the database is full"),
        Kind::ReadOnly => (Code::Unavailable, "the database takes no writes"),
        Kind::BadText => (
            Code::InvalidArgument,
            "a text holds characters that cannot be stored",
        ),
        Kind::Fault => return Error::internal(error),
    };
    let mapped = Error::new(code, words).with_source(error);
    match kind {
        Kind::Clash => mapped.with_retry_after(CLASH_RETRY_AFTER),
        Kind::Away => mapped.with_retry_after(AWAY_RETRY_AFTER),
        Kind::Full | Kind::ReadOnly => mapped.with_retry_after(FULL_RETRY_AFTER),
        _ => mapped,
    }
}

/// What it means that there is no connection: nothing was sent.
pub(crate) fn not_begun(error: sqlx::Error) -> Error {
    from_sqlx(error).without_effect()
}

fn kind_of(error: &dyn DatabaseError) -> Kind {
    if error.is_unique_violation() {
        return Kind::Unique;
    }
    if error.is_foreign_key_violation() {
        return Kind::ForeignKey;
    }
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        of_postgres(&code)
    } else {
        of_sqlite(&code)
    }
}

fn of_postgres(code: &str) -> Kind {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => Kind::Clash,
        // query_canceled
        "57014" => Kind::Timeout,
        // character_not_in_repertoire, untranslatable_character
        "22021" | "22P05" => Kind::BadText,
        // disk_full
        "53100" => Kind::Full,
        // read_only_sql_transaction: a standby, or a server that was set so
        "25006" => Kind::ReadOnly,
        // idle_in_transaction_session_timeout, idle_session_timeout
        "25P03" | "57P05" => Kind::Away,
        // connection_exception, insufficient_resources, operator_intervention
        _ if ["08", "53", "57"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Kind::Away
        }
        _ => Kind::Fault,
    }
}

fn of_sqlite(code: &str) -> Kind {
    // The low byte is the result code, the rest says more.
    match code.parse::<i32>().unwrap_or_default() & 0xff {
        // SQLITE_BUSY, SQLITE_LOCKED
        5 | 6 => Kind::Clash,
        // SQLITE_INTERRUPT
        9 => Kind::Timeout,
        // SQLITE_READONLY
        8 => Kind::ReadOnly,
        // SQLITE_FULL
        13 => Kind::Full,
        // SQLITE_IOERR, SQLITE_CANTOPEN
        10 | 14 => Kind::Away,
        _ => Kind::Fault,
    }
}

/// Whether the same transaction may succeed when it is done again at once: it was rolled back
/// for the sake of another one (40001, 40P01, 55P03; SQLite's codes 5 and 6).
#[must_use]
pub fn is_retryable(error: &Error) -> bool {
    database_error(error).is_some_and(|database| kind_of(database) == Kind::Clash)
}

/// Which uniqueness a `conflict` is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueViolation {
    /// The table.
    pub table: String,
    /// The columns, in the index's order; empty when the index is over an expression.
    pub columns: Vec<String>,
}

/// Which uniqueness was violated, if that is what `error` is.
///
/// Prefer `ON CONFLICT`: after this error the transaction can only be rolled back.
#[must_use]
pub fn unique_violation(error: &Error) -> Option<UniqueViolation> {
    let database = database_error(error).filter(|database| database.is_unique_violation())?;
    Some(match database.try_downcast_ref::<PgDatabaseError>() {
        Some(error) => UniqueViolation {
            table: error.table().unwrap_or_default().to_owned(),
            columns: columns_of_detail(error.detail().unwrap_or_default()),
        },
        None => of_sqlite_message(database.message()),
    })
}

fn database_error(error: &Error) -> Option<&(dyn DatabaseError + 'static)> {
    let source = std::error::Error::source(error)?.downcast_ref::<sqlx::Error>()?;
    source.as_database_error()
}

/// `Key (tenant_id, name)=(..., ...) already exists.`
fn columns_of_detail(detail: &str) -> Vec<String> {
    let names = detail
        .strip_prefix("Key (")
        .and_then(|rest| rest.split_once(")=("))
        .map_or("", |(names, _)| names);
    if names.contains('(') {
        return Vec::new();
    }
    names
        .split(", ")
        .filter(|name| !name.is_empty())
        .map(|name| name.trim_matches('"').to_owned())
        .collect()
}

/// `UNIQUE constraint failed: agents.tenant_id, agents.name`
fn of_sqlite_message(message: &str) -> UniqueViolation {
    let names = message
        .rsplit_once("constraint failed: ")
        .map_or("", |(_, names)| names);
    let pairs: Vec<(&str, &str)> = names
        .split(", ")
        .filter_map(|name| name.split_once('.'))
        .collect();
    UniqueViolation {
        table: pairs
            .first()
            .map(|(table, _)| (*table).to_owned())
            .unwrap_or_default(),
        columns: pairs
            .iter()
            .map(|(_, column)| (*column).to_owned())
            .collect(),
    }
}
