//! Tasks in the store.

mod copies;
mod dead_letters;
mod dependencies;
mod queue;
mod read;
mod retries;
mod row;

use serde_json::Value;
use swarm_database::{Db, Json, Tx};
use swarm_errors::{Error, Result};
use swarm_types::{AgentId, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::sql::tasks as sql;
use super::{count, stored};
use crate::tasks::{TaskFailure, TaskRecord, TaskState, Usage, WaitingReason};
pub(crate) use copies::{Outline, begin_with, copy_ends, outline};
pub(crate) use dead_letters::{LARGEST_PURGE, dead, mark_dead, purge, purgeable};
pub(crate) use dependencies::{
    Dependency, FailedDependent, Predecessor, Settled, abandoned_dependencies, arrange,
    completed_results, count_down, depend, dependencies_of, fail_dependents, hold_back,
    lock_predecessors, overdue_dependents, queue_released, reopen, settle,
};
pub(crate) use queue::{Candidate, candidates, claim, lanes, queued_of, tenants_with_work};
pub(crate) use read::{
    Filter, list, overdue, place, queue_lengths, tree, tree_states, tree_states_in,
};
pub(crate) use retries::{Revive, next_due, revive, subtract_child_usage, tree_in, try_again};
use row::{Row, records};

/// A task that is about to be inserted.
#[derive(Debug, Clone)]
pub(crate) struct Insert {
    pub(crate) record: TaskRecord,
    /// The lease group of its worker; `None` queues it.
    pub(crate) lease: Option<Uuid>,
}

impl Insert {
    /// From when on a worker may take it; `None` while it is held, waits for others or has ended.
    fn ready_at(&self) -> Option<Timestamp> {
        let is_queued = self.lease.is_none() && self.record.state == TaskState::Queued;
        is_queued.then(|| self.record.ready_at.unwrap_or(self.record.created_at))
    }
}

/// A task with what only the engine needs of it.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) record: TaskRecord,
    pub(crate) child_count: i64,
    /// Tasks that wait, or waited, for it.
    pub(crate) dependent_count: i64,
}

/// Names one hold of one task: the fence of every write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fence {
    pub(crate) tenant: TenantId,
    pub(crate) task: TaskId,
    pub(crate) epoch: i64,
}

impl From<&TaskRecord> for Fence {
    fn from(task: &TaskRecord) -> Self {
        Self {
            tenant: task.tenant,
            task: task.id,
            epoch: task.epoch,
        }
    }
}

/// Inserts tasks and returns the ids of those that were not there yet.
pub(crate) async fn insert(tx: &mut Tx, tasks: &[Insert]) -> Result<Vec<TaskId>> {
    fn column<T>(tasks: &[Insert], value: impl Fn(&TaskRecord) -> T) -> Vec<T> {
        tasks.iter().map(|task| value(&task.record)).collect()
    }
    let specs = tasks
        .iter()
        .map(|task| {
            serde_json::to_value(&task.record.spec)
                .map(Json)
                .map_err(Error::internal)
        })
        .collect::<Result<Vec<_>>>()?;
    let ready = tasks.iter().map(Insert::ready_at).collect();
    let inserted: Vec<(Uuid,)> = tx
        .batch(sql::INSERT_PG, sql::INSERT_LITE)
        .column(column(tasks, |task| task.tenant.uuid()))
        .column(column(tasks, |task| task.id.uuid()))
        .column(column(tasks, |task| task.root.uuid()))
        .column(column(tasks, |task| task.parent.map(TaskId::uuid)))
        .column(column(tasks, |task| task.role.clone()))
        .column(column(tasks, |task| task.spec.kind.clone()))
        .column(column(tasks, |task| task.state.as_str().to_owned()))
        .column(column(tasks, |task| task.priority.rank()))
        .column(specs)
        .column(column(tasks, |task| task.agent.map(AgentId::uuid)))
        .column(column(tasks, |task| i64::from(task.attempt)))
        .column(column(tasks, |task| task.epoch))
        .column(tasks.iter().map(|task| task.lease).collect())
        .column(ready)
        .column(column(tasks, |task| task.deadline))
        .column(column(tasks, |task| task.last_seq))
        .column(column(tasks, |task| task.traceparent.clone()))
        .column(column(tasks, |task| task.created_at))
        .column(column(tasks, |task| task.started_at))
        .all()
        .await?;
    Ok(inserted
        .into_iter()
        .map(|(id,)| TaskId::from_uuid(id))
        .collect())
}

pub(crate) async fn find(db: &Db, tenant: TenantId, id: TaskId) -> Result<Option<TaskRecord>> {
    db.q(sql::FIND)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .opt::<Row>()
        .await?
        .map(Row::record)
        .transpose()
}

pub(crate) async fn get(db: &Db, tenant: TenantId, id: TaskId) -> Result<TaskRecord> {
    find(db, tenant, id)
        .await?
        .ok_or_else(|| Error::not_found("task", id))
}

pub(crate) async fn find_in(
    tx: &mut Tx,
    tenant: TenantId,
    id: TaskId,
) -> Result<Option<TaskRecord>> {
    tx.q(sql::FIND)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .opt::<Row>()
        .await?
        .map(Row::record)
        .transpose()
}

/// By how much a held task goes on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Advance {
    pub(crate) events: i64,
    pub(crate) steps: i64,
    pub(crate) children: i64,
    pub(crate) usage: Usage,
}

/// Locks a held task's row and returns its newest sequence and its number of steps, or `None`
/// when the fence is stale.
pub(crate) async fn advance(tx: &mut Tx, fence: Fence, by: Advance) -> Result<Option<(i64, i64)>> {
    tx.q(sql::ADVANCE)
        .bind(fence.tenant.uuid())
        .bind(fence.task.uuid())
        .bind(fence.epoch)
        .bind(by.events)
        .bind(by.steps)
        .bind(by.children)
        .bind(stored(by.usage.input_tokens))
        .bind(stored(by.usage.output_tokens))
        .bind(stored(by.usage.cached_tokens))
        .bind(stored(by.usage.model_calls))
        .bind(stored(by.usage.tool_calls))
        .opt()
        .await
}

/// Numbers events of a task from outside; `None` when the task has ended or is not there.
pub(crate) async fn annotate(
    tx: &mut Tx,
    tenant: TenantId,
    id: TaskId,
    events: i64,
) -> Result<Option<(i64, TaskId)>> {
    let row: Option<(i64, Uuid)> = tx
        .q(sql::ANNOTATE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(events)
        .opt()
        .await?;
    Ok(row.map(|(seq, root)| (seq, TaskId::from_uuid(root))))
}

pub(crate) async fn wait(
    tx: &mut Tx,
    fence: Fence,
    reason: WaitingReason,
) -> Result<Option<TaskRecord>> {
    fenced(tx, sql::WAIT, fence)
        .bind(reason.as_str())
        .opt::<Row>()
        .await?
        .map(Row::record)
        .transpose()
}

pub(crate) async fn resume(tx: &mut Tx, fence: Fence) -> Result<Option<TaskRecord>> {
    fenced(tx, sql::RESUME, fence)
        .opt::<Row>()
        .await?
        .map(Row::record)
        .transpose()
}

pub(crate) async fn assign(
    tx: &mut Tx,
    fence: Fence,
    agent: AgentId,
) -> Result<Option<TaskRecord>> {
    fenced(tx, sql::ASSIGN, fence)
        .bind(agent.uuid())
        .opt::<Row>()
        .await?
        .map(Row::record)
        .transpose()
}

pub(crate) async fn release(
    tx: &mut Tx,
    fence: Fence,
    now: Timestamp,
) -> Result<Option<TaskRecord>> {
    fenced(tx, sql::RELEASE, fence)
        .bind(now)
        .opt::<Row>()
        .await?
        .map(Row::record)
        .transpose()
}

fn fenced<'a>(tx: &'a mut Tx, text: &'static str, fence: Fence) -> swarm_database::Query<'a> {
    tx.q(text)
        .bind(fence.tenant.uuid())
        .bind(fence.task.uuid())
        .bind(fence.epoch)
}

/// Queues again what the lease group holds.
pub(crate) async fn recover(tx: &mut Tx, group: Uuid, now: Timestamp) -> Result<Vec<TaskRecord>> {
    records(tx.q(sql::RECOVER).bind(group).bind(now).all().await?)
}

/// How a task ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Completed(Value),
    Failed(TaskFailure),
    /// Its attempts are used up.
    DeadLettered(TaskFailure),
}

impl Outcome {
    pub(crate) const fn state(&self) -> TaskState {
        match self {
            Self::Completed(_) => TaskState::Completed,
            Self::Failed(_) => TaskState::Failed,
            Self::DeadLettered(_) => TaskState::DeadLettered,
        }
    }
}

/// Ends an open task; `None` when the fence is stale.
pub(crate) async fn end(
    tx: &mut Tx,
    fence: Fence,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Option<Held>> {
    let (result, failure) = match outcome {
        Outcome::Completed(result) => (Some(Json(result)), None),
        Outcome::Failed(failure) | Outcome::DeadLettered(failure) => (None, Some(failure)),
    };
    fenced(tx, sql::END, fence)
        .bind(outcome.state().as_str())
        .bind(result)
        .bind(failure.map(|failure| failure.code.as_str()))
        .bind(failure.map(|failure| failure.detail.as_str()))
        .bind(now)
        .opt::<Row>()
        .await?
        .map(Row::held)
        .transpose()
}

/// Adds what the sub-tasks used to their parent, and returns that.
pub(crate) async fn add_child_usage(tx: &mut Tx, task: &TaskRecord) -> Result<Usage> {
    let (input, output, cached, models, tools): (i64, i64, i64, i64, i64) = tx
        .q(sql::CHILD_USAGE)
        .bind(task.tenant.uuid())
        .bind(task.root.uuid())
        .bind(task.id.uuid())
        .one()
        .await?;
    tx.q(sql::ADD_USAGE)
        .bind(task.tenant.uuid())
        .bind(task.id.uuid())
        .bind(input)
        .bind(output)
        .bind(cached)
        .bind(models)
        .bind(tools)
        .exec()
        .await?;
    Ok(Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        cached_tokens: count(cached),
        model_calls: count(models),
        tool_calls: count(tools),
    })
}

/// Cancels those of the tasks that are open, and returns them.
pub(crate) async fn cancel(
    tx: &mut Tx,
    tenant: TenantId,
    ids: &[TaskId],
    reason: &str,
    now: Timestamp,
) -> Result<Vec<Held>> {
    let rows: Vec<Row> = tx
        .batch(sql::CANCEL_PG, sql::CANCEL_LITE)
        .column(vec![tenant.uuid(); ids.len()])
        .column(ids.iter().map(|id| id.uuid()).collect())
        .column(vec![reason.to_owned(); ids.len()])
        .column(vec![now; ids.len()])
        .all()
        .await?;
    rows.into_iter().map(Row::held).collect()
}
