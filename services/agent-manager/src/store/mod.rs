//! The only place that speaks SQL. Texts are in [`sql`], one file an aggregate.

pub(crate) mod activity;
pub(crate) mod agents;
pub(crate) mod changes;
pub(crate) mod compact;
pub(crate) mod elections;
pub(crate) mod events;
pub mod idempotency;
pub(crate) mod leases;
pub(crate) mod messages;
pub(crate) mod outbox;
pub mod overview;
pub(crate) mod pools;
pub(crate) mod schedules;
pub mod sql;
pub(crate) mod steps;
pub(crate) mod stops;
pub(crate) mod tasks;
mod unit;

use std::str::FromStr;

use swarm_database::Schema;
use swarm_errors::{Error, Result};

pub(crate) use unit::Unit;

/// The tables of agent-manager.
pub static SCHEMA: Schema = Schema {
    name: "agent_manager",
    postgres: sqlx::migrate!("./migrations/postgres"),
    sqlite: sqlx::migrate!("./migrations/sqlite"),
};

/// A word from the store that only we wrote: another one is a fault of ours.
pub(crate) fn word<T>(text: &str) -> Result<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| {
        Error::internal(format!("the store holds {text:?}, which {error}"))
    })
}

/// A count from the store; they are never negative.
pub(crate) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A small count from the store.
pub(crate) fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A count for the store.
pub(crate) fn stored(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
