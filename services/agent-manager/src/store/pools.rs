//! Places of pools whose tasks have a bound.
//!
//! A place counts while its task runs at the epoch that took it. So nobody gives one back: an end, a
//! wait or a take-over moves the task on, and the next look sweeps the place away.

use swarm_database::Tx;
use swarm_errors::Result;
use swarm_types::Timestamp;

use super::small;
use super::sql::pools as sql;
use super::tasks::Fence;

/// What of a pool is taken, from now to the end of the transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// Tasks that run.
    pub(crate) held: u32,
    /// Tasks that have waited and go on next.
    pub(crate) wanted: u32,
}

/// Locks a pool and counts what is taken of it.
pub(crate) async fn lock(tx: &mut Tx, pool: &str, now: Timestamp) -> Result<Taken> {
    tx.q(sql::LOCK).bind(pool).exec().await?;
    // Statements of their own: they see what was committed while the lock was waited for.
    tx.q(sql::SWEEP).bind(pool).bind(now).exec().await?;
    let (held, wanted): (i64, i64) = tx.q(sql::COUNT).bind(pool).one().await?;
    Ok(Taken {
        held: small(held),
        wanted: small(wanted),
    })
}

/// Writes that these tasks run. Lock their pools and look for room before.
pub(crate) async fn hold(tx: &mut Tx, tasks: &[(&str, Fence)]) -> Result<()> {
    tx.batch(sql::HOLD_PG, sql::HOLD_LITE)
        .column(tasks.iter().map(|(pool, _)| (*pool).to_owned()).collect())
        .column(tasks.iter().map(|(_, of)| of.tenant.uuid()).collect())
        .column(tasks.iter().map(|(_, of)| of.task.uuid()).collect())
        .column(tasks.iter().map(|(_, of)| of.epoch).collect())
        .exec()
        .await
        .map(drop)
}

/// Writes that a waiting task goes on as soon as there is room, before anything new. It must be
/// said again before `until`.
pub(crate) async fn want(tx: &mut Tx, pool: &str, of: Fence, until: Timestamp) -> Result<()> {
    tx.q(sql::WANT)
        .bind(pool)
        .bind(of.tenant.uuid())
        .bind(of.task.uuid())
        .bind(of.epoch)
        .bind(until)
        .exec()
        .await
        .map(drop)
}
