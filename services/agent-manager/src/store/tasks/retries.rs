//! Tasks that are tried again.

use swarm_database::{Db, Tx};
use swarm_errors::Result;
use swarm_types::{TaskId, TenantId, Timestamp};

use super::row::{Row, records};
use super::{Fence, fenced};
use crate::store::sql::{retries as sql, tasks};
use crate::tasks::{TaskFailure, TaskRecord};

/// Back to the queue until `at`; `None` when the fence is stale.
pub(crate) async fn try_again(
    tx: &mut Tx,
    fence: Fence,
    at: Timestamp,
    failure: &TaskFailure,
) -> Result<Option<TaskRecord>> {
    fenced(tx, sql::TRY_AGAIN, fence)
        .bind(at)
        .bind(&failure.code)
        .bind(&failure.detail)
        .opt::<Row>()
        .await?
        .map(Row::record)
        .transpose()
}

/// A task that is to leave its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revive {
    pub(crate) id: TaskId,
    /// With which it ended.
    pub(crate) epoch: i64,
    pub(crate) ready: Timestamp,
    pub(crate) deadline: Timestamp,
    /// Whether its attempts are counted from here on.
    pub(crate) fresh: bool,
}

/// Queues these tasks again, those that have not changed since.
pub(crate) async fn revive(
    tx: &mut Tx,
    tenant: TenantId,
    tasks: &[Revive],
) -> Result<Vec<TaskRecord>> {
    let rows = tx
        .batch(sql::REVIVE_PG, sql::REVIVE_LITE)
        .column(vec![tenant.uuid(); tasks.len()])
        .column(tasks.iter().map(|task| task.id.uuid()).collect())
        .column(tasks.iter().map(|task| task.epoch).collect())
        .column(tasks.iter().map(|task| task.ready).collect())
        .column(tasks.iter().map(|task| task.deadline).collect())
        .column(tasks.iter().map(|task| task.fresh).collect())
        .all()
        .await?;
    records(rows)
}

/// Takes what its sub-tasks used off a task that has ended: its next end adds it again.
pub(crate) async fn subtract_child_usage(tx: &mut Tx, task: &TaskRecord) -> Result<()> {
    let (input, output, cached, models, tools): (i64, i64, i64, i64, i64) = tx
        .q(tasks::CHILD_USAGE)
        .bind(task.tenant.uuid())
        .bind(task.root.uuid())
        .bind(task.id.uuid())
        .one()
        .await?;
    tx.q(tasks::ADD_USAGE)
        .bind(task.tenant.uuid())
        .bind(task.id.uuid())
        .bind(-input)
        .bind(-output)
        .bind(-cached)
        .bind(-models)
        .bind(-tools)
        .exec()
        .await
        .map(drop)
}

/// The next moment after `now` at which a queued task may be taken.
pub(crate) async fn next_due(db: &Db, now: Timestamp) -> Result<Option<Timestamp>> {
    db.q(sql::NEXT_DUE).bind(now).scalar_opt().await
}

/// All tasks below a root, as they were made.
pub(crate) async fn tree_in(
    tx: &mut Tx,
    tenant: TenantId,
    root: TaskId,
) -> Result<Vec<TaskRecord>> {
    let query = tx.q(tasks::TREE).bind(tenant.uuid()).bind(root.uuid());
    records(query.all().await?)
}
