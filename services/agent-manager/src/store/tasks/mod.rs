//! Tasks in the store.

mod copies;
mod dead_letters;
mod dependencies;
mod queue;
mod read;
mod retries;
mod row;

use serde_json::Value;
use swarm_database::{Db, Json, JsonText, Tx};
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
    /// Entries that its journal has from the start.
    pub(crate) step_count: i64,
}

impl Insert {
    /// From when on a worker may take it; `None` while it is held, waits for others or has ended.
    pub(crate) fn ready_at(&self) -> Option<Timestamp> {
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
    let specs = tasks.iter().map(|task| JsonText::of(&task.record.spec));
    let specs = specs.collect::<Result<Vec<_>>>()?;
    let results = tasks.iter().map(|task| {
        let result = task.record.result.as_ref();
        result.map(JsonText::of).transpose()
    });
    let results = results.collect::<Result<Vec<_>>>()?;
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
        .column(tasks.iter().map(|task| task.step_count).collect())
        .column(column(tasks, |task| task.traceparent.clone()))
        .column(column(tasks, |task| task.created_at))
        .column(column(tasks, |task| task.started_at))
        .column(column(tasks, |task| task.finished_at))
        .column(results)
        .column(column(tasks, |task| stored(task.usage.input_tokens)))
        .column(column(tasks, |task| stored(task.usage.output_tokens)))
        .column(column(tasks, |task| stored(task.usage.cached_tokens)))
        .column(column(tasks, |task| stored(task.usage.model_calls)))
        .column(column(tasks, |task| stored(task.usage.tool_calls)))
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

/// By how much a held task goes on, and how it ends if it does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forward<'a> {
    pub(crate) fence: Fence,
    pub(crate) events: i64,
    pub(crate) steps: i64,
    pub(crate) usage: Usage,
    pub(crate) ending: Option<Ending<'a>>,
}

/// How and when a task ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending<'a> {
    pub(crate) outcome: &'a Outcome,
    /// The outcome's own.
    pub(crate) result: Option<&'a JsonText>,
    pub(crate) at: Timestamp,
}

/// Moves different tasks on, on SQLite, and returns the newest sequence of those whose fence let them pass.
/// An end passes only when nothing else belongs to it: no agent's place, no sub-tasks.
pub(crate) async fn forward(tx: &mut Tx, tasks: &[Forward<'_>]) -> Result<Vec<(Uuid, i64)>> {
    fn column<'a, T>(tasks: &[Forward<'a>], value: impl Fn(&Forward<'a>) -> T) -> Vec<T> {
        tasks.iter().map(value).collect()
    }
    let count = |value: fn(&Usage) -> u64| column(tasks, |task| stored(value(&task.usage)));
    let failure = |value: fn(&TaskFailure) -> &String| {
        column(tasks, |task| {
            let outcome = task.ending.map(|ending| ending.outcome);
            outcome.and_then(Outcome::failure).map(value).cloned()
        })
    };
    tx.sqlite_batch(sql::FORWARD)
        .column(column(tasks, |task| task.fence.tenant.uuid()))
        .column(column(tasks, |task| task.fence.task.uuid()))
        .column(column(tasks, |task| task.fence.epoch))
        .column(column(tasks, |task| task.events))
        .column(column(tasks, |task| task.steps))
        .column(count(|usage| usage.input_tokens))
        .column(count(|usage| usage.output_tokens))
        .column(count(|usage| usage.cached_tokens))
        .column(count(|usage| usage.model_calls))
        .column(count(|usage| usage.tool_calls))
        .column(column(tasks, |task| {
            task.ending
                .map(|ending| ending.outcome.state().as_str().to_owned())
        }))
        .column(column(tasks, |task| {
            task.ending.and_then(|ending| ending.result).cloned()
        }))
        .column(failure(|failure| &failure.code))
        .column(failure(|failure| &failure.detail))
        .column(column(tasks, |task| task.ending.map(|ending| ending.at)))
        .all()
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

    pub(crate) const fn result(&self) -> Option<&Value> {
        match self {
            Self::Completed(result) => Some(result),
            Self::Failed(_) | Self::DeadLettered(_) => None,
        }
    }

    pub(crate) const fn failure(&self) -> Option<&TaskFailure> {
        match self {
            Self::Completed(_) => None,
            Self::Failed(failure) | Self::DeadLettered(failure) => Some(failure),
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
    let failure = outcome.failure();
    fenced(tx, sql::END, fence)
        .bind(outcome.state().as_str())
        .bind(outcome.result().map(Json))
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
