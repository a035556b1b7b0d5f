//! Which task waits for which.

use serde_json::Value;
use swarm_database::{Db, FromRow, Json, Tx};
use swarm_errors::Result;
use swarm_types::{TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::row::{Row, records};
use crate::store::sql::dependencies as sql;
use crate::store::{stored, word};
use crate::tasks::{DependencyState, TaskRecord, TaskState};

/// One task that waits for another.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) predecessor: TaskId,
    pub(crate) dependent: TaskId,
    /// From 0, in the order in which the dependent names its predecessors.
    pub(crate) place: usize,
    /// What the dependent calls it; empty for its id.
    pub(crate) name: String,
    pub(crate) state: DependencyState,
}

/// A predecessor whose row is locked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Predecessor {
    pub(crate) id: TaskId,
    pub(crate) is_root: bool,
    pub(crate) state: TaskState,
}

/// Counts the new dependents of these tasks and locks their rows, so that each ends either before
/// or after. What is not there is missing from the answer.
pub(crate) async fn lock_predecessors(
    tx: &mut Tx,
    tenant: TenantId,
    counts: &[(TaskId, usize)],
) -> Result<Vec<Predecessor>> {
    let rows: Vec<(Uuid, Option<Uuid>, String)> = tx
        .batch(sql::LOCK_PG, sql::LOCK_LITE)
        .column(vec![tenant.uuid(); counts.len()])
        .column(counts.iter().map(|(id, _)| id.uuid()).collect())
        .column(
            counts
                .iter()
                .map(|(_, count)| stored(*count as u64))
                .collect(),
        )
        .all()
        .await?;
    rows.into_iter()
        .map(|(id, parent, state)| {
            Ok(Predecessor {
                id: TaskId::from_uuid(id),
                is_root: parent.is_none(),
                state: word(&state)?,
            })
        })
        .collect()
}

pub(crate) async fn depend(
    tx: &mut Tx,
    tenant: TenantId,
    dependencies: &[Dependency],
) -> Result<()> {
    fn column<T>(all: &[Dependency], value: impl Fn(&Dependency) -> T) -> Vec<T> {
        all.iter().map(value).collect()
    }
    tx.batch(sql::DEPEND_PG, sql::DEPEND_LITE)
        .column(vec![tenant.uuid(); dependencies.len()])
        .column(column(dependencies, |one| one.predecessor.uuid()))
        .column(column(dependencies, |one| one.dependent.uuid()))
        .column(column(dependencies, |one| stored(one.place as u64)))
        .column(column(dependencies, |one| one.name.clone()))
        .column(column(dependencies, |one| one.state.as_str().to_owned()))
        .exec()
        .await
        .map(drop)
}

/// Writes for how many tasks each of these waits, and how many wait for it.
pub(crate) async fn arrange(
    tx: &mut Tx,
    tenant: TenantId,
    tied: &[(TaskId, usize, usize)],
) -> Result<()> {
    tx.batch(sql::ARRANGE_PG, sql::ARRANGE_LITE)
        .column(vec![tenant.uuid(); tied.len()])
        .column(tied.iter().map(|(id, _, _)| id.uuid()).collect())
        .column(
            tied.iter()
                .map(|(_, open, _)| stored(*open as u64))
                .collect(),
        )
        .column(
            tied.iter()
                .map(|(_, _, after)| stored(*after as u64))
                .collect(),
        )
        .exec()
        .await
        .map(drop)
}

/// A dependency whose predecessor has ended.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    pub(crate) predecessor: TaskId,
    pub(crate) dependent: TaskId,
    pub(crate) name: String,
}

/// Writes once how these predecessors have ended, and returns who waited.
pub(crate) async fn settle(
    tx: &mut Tx,
    tenant: TenantId,
    predecessors: &[TaskId],
    state: DependencyState,
) -> Result<Vec<Settled>> {
    let rows: Vec<(Uuid, Uuid, String)> = tx
        .batch(sql::SETTLE_PG, sql::SETTLE_LITE)
        .column(vec![tenant.uuid(); predecessors.len()])
        .column(predecessors.iter().map(|id| id.uuid()).collect())
        .column(vec![state.as_str().to_owned(); predecessors.len()])
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|(task, dependent, name)| Settled {
            predecessor: TaskId::from_uuid(task),
            dependent: TaskId::from_uuid(dependent),
            name,
        })
        .collect())
}

/// One predecessor less for each of these, those that still wait.
pub(crate) async fn count_down(
    tx: &mut Tx,
    tenant: TenantId,
    dependents: &[TaskId],
) -> Result<Vec<TaskRecord>> {
    let rows = tx
        .batch(sql::COUNT_DOWN_PG, sql::COUNT_DOWN_LITE)
        .column(vec![tenant.uuid(); dependents.len()])
        .column(dependents.iter().map(|id| id.uuid()).collect())
        .all()
        .await?;
    records(rows)
}

/// Queues those of these tasks that wait for nothing any more, each from its moment on.
pub(crate) async fn queue_released(
    tx: &mut Tx,
    tenant: TenantId,
    released: &[(TaskId, Timestamp)],
) -> Result<Vec<TaskRecord>> {
    let rows = tx
        .batch(sql::QUEUE_PG, sql::QUEUE_LITE)
        .column(vec![tenant.uuid(); released.len()])
        .column(released.iter().map(|(id, _)| id.uuid()).collect())
        .column(released.iter().map(|(_, ready)| *ready).collect())
        .all()
        .await?;
    records(rows)
}

/// A task that fails because another one did not complete.
#[derive(Debug, Clone)]
pub(crate) struct FailedDependent {
    pub(crate) id: TaskId,
    pub(crate) detail: String,
}

/// Fails those of these tasks that still wait for others.
pub(crate) async fn fail_dependents(
    tx: &mut Tx,
    tenant: TenantId,
    failed: &[FailedDependent],
    now: Timestamp,
) -> Result<Vec<TaskRecord>> {
    let rows = tx
        .batch(sql::FAIL_PG, sql::FAIL_LITE)
        .column(vec![tenant.uuid(); failed.len()])
        .column(failed.iter().map(|task| task.id.uuid()).collect())
        .column(failed.iter().map(|task| task.detail.clone()).collect())
        .column(vec![now; failed.len()])
        .all()
        .await?;
    records(rows)
}

/// What goes before a task, in the order it was named.
pub(crate) async fn dependencies_of(
    tx: &mut Tx,
    tenant: TenantId,
    dependent: TaskId,
) -> Result<Vec<Dependency>> {
    let rows: Vec<(Uuid, String, i64, String)> = tx
        .q(sql::OF)
        .bind(tenant.uuid())
        .bind(dependent.uuid())
        .all()
        .await?;
    rows.into_iter()
        .map(|(task, name, place, state)| {
            Ok(Dependency {
                predecessor: TaskId::from_uuid(task),
                dependent,
                place: usize::try_from(place).unwrap_or(0),
                name,
                state: word(&state)?,
            })
        })
        .collect()
}

#[derive(Debug, FromRow)]
struct ResultRow {
    task_id: Uuid,
    name: String,
    result: Option<Json<Value>>,
}

/// The results of what went before a task, under the names that it gave them.
pub(crate) async fn completed_results(
    db: &Db,
    tenant: TenantId,
    dependent: TaskId,
) -> Result<Vec<(String, Value)>> {
    let rows: Vec<ResultRow> = db
        .q(sql::RESULTS)
        .bind(tenant.uuid())
        .bind(dependent.uuid())
        .all()
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let name = match row.name.as_str() {
                "" => TaskId::from_uuid(row.task_id).to_string(),
                name => name.to_owned(),
            };
            (name, row.result.map_or(Value::Null, |result| result.0))
        })
        .collect())
}

/// Writes how a dependency of a task that is retried stands now.
pub(crate) async fn reopen(tx: &mut Tx, tenant: TenantId, dependency: &Dependency) -> Result<()> {
    tx.q(sql::REOPEN)
        .bind(tenant.uuid())
        .bind(dependency.dependent.uuid())
        .bind(dependency.predecessor.uuid())
        .bind(dependency.state.as_str())
        .exec()
        .await
        .map(drop)
}

/// Tasks that have ended while others still wait for them, up to 100.
pub(crate) async fn abandoned_dependencies(db: &Db) -> Result<Vec<(TenantId, TaskId)>> {
    let rows: Vec<(Uuid, Uuid)> = db.q(sql::ABANDONED).all().await?;
    Ok(rows
        .into_iter()
        .map(|(tenant, task)| (TenantId::from_uuid(tenant), TaskId::from_uuid(task)))
        .collect())
}

/// Those that wait for others and whose deadline has passed.
pub(crate) async fn overdue_dependents(db: &Db, now: Timestamp) -> Result<Vec<TaskRecord>> {
    let rows: Vec<Row> = db.q(sql::OVERDUE).bind(now).all().await?;
    records(rows)
}

/// Makes a task that was just queued wait for so many others.
pub(crate) async fn hold_back(tx: &mut Tx, task: &TaskRecord, open: usize) -> Result<()> {
    tx.q(sql::HOLD_BACK)
        .bind(task.tenant.uuid())
        .bind(task.id.uuid())
        .bind(stored(open as u64))
        .exec()
        .await
        .map(drop)
}
