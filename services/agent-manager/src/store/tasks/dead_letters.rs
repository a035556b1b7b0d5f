//! Dead letters in the store.

use swarm_database::{Db, Tx};
use swarm_errors::Result;
use swarm_types::{TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::row::{Row, records};
use crate::store::sql::dead_letters as sql;
use crate::tasks::TaskRecord;

/// Dead letters that one transaction deletes.
pub(crate) const LARGEST_PURGE: usize = 100;

/// Puts a root task that has just become a dead letter onto the list.
pub(crate) async fn mark_dead(
    tx: &mut Tx,
    tenant: TenantId,
    id: TaskId,
    now: Timestamp,
) -> Result<()> {
    tx.q(sql::MARK)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(now)
        .exec()
        .await
        .map(drop)
}

/// The newest task first; an empty kind lists all.
pub(crate) async fn dead(
    db: &Db,
    tenant: TenantId,
    kind: &str,
    before: Option<TaskId>,
    limit: i64,
) -> Result<Vec<TaskRecord>> {
    let rows: Vec<Row> = db
        .q(sql::LIST)
        .bind(tenant.uuid())
        .bind(kind)
        .bind(before.map_or(Uuid::max(), TaskId::uuid))
        .bind(limit)
        .all()
        .await?;
    records(rows)
}

/// The first of those that became dead letters before a moment.
pub(crate) async fn purgeable(db: &Db, tenant: TenantId, before: Timestamp) -> Result<Vec<TaskId>> {
    let ids: Vec<Uuid> = db
        .q(sql::BEFORE)
        .bind(tenant.uuid())
        .bind(before)
        .bind(LARGEST_PURGE as i64)
        .scalars()
        .await?;
    Ok(ids.into_iter().map(TaskId::from_uuid).collect())
}

/// Deletes those of these tasks that are dead letters, with all that is theirs.
pub(crate) async fn purge(tx: &mut Tx, tenant: TenantId, ids: &[TaskId]) -> Result<u64> {
    let taken: Vec<(Uuid,)> = tx
        .batch(sql::TAKE_PG, sql::TAKE_LITE)
        .column(vec![tenant.uuid(); ids.len()])
        .column(ids.iter().map(|id| id.uuid()).collect())
        .all()
        .await?;
    for (root,) in &taken {
        for text in [
            sql::DELETE_STEPS,
            sql::DELETE_EVENTS,
            sql::DELETE_MESSAGES,
            sql::DELETE_DEPENDENCIES,
            sql::DELETE_BELOW,
            sql::DELETE_ROOT,
        ] {
            tx.q(text).bind(tenant.uuid()).bind(*root).exec().await?;
        }
    }
    Ok(taken.len() as u64)
}
