//! Requests between replicas to stop what they run of a cancelled task.

use swarm_database::{Db, Tx};
use swarm_errors::Result;
use swarm_types::{TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::leases::Owner;
use super::sql::stops as sql;

/// Asks the replicas that hold these ended tasks, other than this one, to stop them.
pub(crate) async fn want(
    tx: &mut Tx,
    tenant: TenantId,
    ids: &[TaskId],
    owner: &Owner,
    now: Timestamp,
) -> Result<()> {
    tx.batch(sql::WANT_PG, sql::WANT_LITE)
        .column(vec![tenant.uuid(); ids.len()])
        .column(ids.iter().map(|id| id.uuid()).collect())
        .column(vec![owner.incarnation; ids.len()])
        .column(vec![now; ids.len()])
        .exec()
        .await
        .map(drop)
}

/// What this replica is asked to stop.
pub(crate) async fn wanted(db: &Db, owner: &Owner) -> Result<Vec<(TenantId, TaskId)>> {
    let rows: Vec<(Uuid, Uuid)> = db.q(sql::WANTED).bind(owner.incarnation).all().await?;
    Ok(rows
        .into_iter()
        .map(|(tenant, task)| (TenantId::from_uuid(tenant), TaskId::from_uuid(task)))
        .collect())
}

/// Answers that nothing of these tasks runs here any more.
pub(crate) async fn done(db: &Db, tasks: &[(TenantId, TaskId)]) -> Result<()> {
    db.write_batch(sql::DONE_PG, sql::DONE_LITE)
        .column(tasks.iter().map(|(tenant, _)| tenant.uuid()).collect())
        .column(tasks.iter().map(|(_, task)| task.uuid()).collect())
        .exec()
        .await
        .map(drop)
}

/// Whether a replica whose lease goes on may still run something of this tree that was cancelled.
pub(crate) async fn are_open(
    db: &Db,
    tenant: TenantId,
    root: TaskId,
    now: Timestamp,
) -> Result<bool> {
    let open: i64 = db
        .q(sql::OPEN)
        .bind(tenant.uuid())
        .bind(root.uuid())
        .bind(now)
        .scalar()
        .await?;
    Ok(open > 0)
}

/// Clears requests away whose replica is gone.
pub(crate) async fn forget(db: &Db) -> Result<()> {
    db.write(sql::FORGET).exec().await.map(drop)
}
