//! The journal in the store.

use serde_json::Value;
use swarm_database::{Db, FromRow, Json, JsonText, Tx};
use swarm_errors::Result;
use swarm_types::{StepId, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::sql::steps as sql;
use super::tasks::Fence;
use super::{small, word};
use crate::journal::{StepKind, StepRecord, StepState};
use crate::tasks::Usage;

#[derive(Debug, FromRow)]
struct Row {
    task_id: Uuid,
    step_key: String,
    id: Uuid,
    position: i64,
    kind: String,
    name: String,
    state: String,
    attempt: i64,
    epoch: i64,
    input: Json<Value>,
    result: Option<Json<Value>>,
    usage: Json<Usage>,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
}

impl Row {
    fn record(self) -> Result<StepRecord> {
        Ok(StepRecord {
            id: StepId::from_uuid(self.id),
            task: TaskId::from_uuid(self.task_id),
            key: self.step_key,
            position: small(self.position),
            kind: word(&self.kind)?,
            name: self.name,
            state: word(&self.state)?,
            attempt: small(self.attempt),
            epoch: self.epoch,
            input: self.input.0,
            result: self.result.map(|result| result.0),
            usage: self.usage.0,
            started_at: self.started_at,
            finished_at: self.finished_at,
        })
    }
}

pub(crate) async fn find(
    db: &Db,
    tenant: TenantId,
    task: TaskId,
    key: &str,
) -> Result<Option<StepRecord>> {
    let row: Option<Row> = db
        .q(sql::FIND)
        .bind(tenant.uuid())
        .bind(task.uuid())
        .bind(key)
        .opt()
        .await?;
    row.map(Row::record).transpose()
}

/// Up to `limit` steps after a position, in the order of their first start.
pub(crate) async fn list(
    db: &Db,
    tenant: TenantId,
    task: TaskId,
    after: i64,
    limit: i64,
) -> Result<Vec<StepRecord>> {
    let rows: Vec<Row> = db
        .q(sql::LIST)
        .bind(tenant.uuid())
        .bind(task.uuid())
        .bind(after)
        .bind(limit)
        .all()
        .await?;
    rows.into_iter().map(Row::record).collect()
}

/// The steps of all tasks of a tree, task by task.
pub(crate) async fn tree(db: &Db, tenant: TenantId, root: TaskId) -> Result<Vec<StepRecord>> {
    let rows: Vec<Row> = db
        .q(sql::TREE)
        .bind(tenant.uuid())
        .bind(root.uuid())
        .all()
        .await?;
    rows.into_iter().map(Row::record).collect()
}

/// A step as it is written first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    pub(crate) fence: Fence,
    pub(crate) key: &'a str,
    pub(crate) id: StepId,
    pub(crate) kind: StepKind,
    pub(crate) name: &'a str,
    pub(crate) input: &'a JsonText,
    pub(crate) position: i64,
    pub(crate) attempt: u32,
    /// [`StepState::Started`], unless it has ended already.
    pub(crate) state: StepState,
    pub(crate) result: Option<&'a JsonText>,
    pub(crate) usage: Usage,
}

impl Start<'_> {
    fn finished_at(&self, now: Timestamp) -> Option<Timestamp> {
        (self.state != StepState::Started).then_some(now)
    }
}

/// Writes many starts, on SQLite.
pub(crate) async fn start_all(tx: &mut Tx, steps: &[Start<'_>], now: Timestamp) -> Result<()> {
    fn column<'a, T>(steps: &[Start<'a>], value: impl Fn(&Start<'a>) -> T) -> Vec<T> {
        steps.iter().map(value).collect()
    }
    tx.sqlite_batch(sql::START)
        .column(column(steps, |step| step.fence.tenant.uuid()))
        .column(column(steps, |step| step.fence.task.uuid()))
        .column(column(steps, |step| step.key.to_owned()))
        .column(column(steps, |step| step.id.uuid()))
        .column(column(steps, |step| step.position))
        .column(column(steps, |step| step.kind.as_str().to_owned()))
        .column(column(steps, |step| step.name.to_owned()))
        .column(column(steps, |step| step.state.as_str().to_owned()))
        .column(column(steps, |step| i64::from(step.attempt)))
        .column(column(steps, |step| step.fence.epoch))
        .column(column(steps, |step| step.input.clone()))
        .column(column(steps, |step| step.result.cloned()))
        .column(usages(steps.iter().map(|step| step.usage))?)
        .column(vec![now; steps.len()])
        .column(column(steps, |step| step.finished_at(now)))
        .exec()
        .await
        .map(drop)
}

fn usages(all: impl Iterator<Item = Usage>) -> Result<Vec<JsonText>> {
    all.map(|usage| JsonText::of(&usage)).collect()
}

/// How an attempt of a step ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) fence: Fence,
    pub(crate) key: &'a str,
    pub(crate) attempt: u32,
    pub(crate) state: StepState,
    pub(crate) result: Option<&'a JsonText>,
    pub(crate) usage: Usage,
}

/// Writes an end, and says whether there was a start to it.
pub(crate) async fn end(tx: &mut Tx, end: End<'_>, now: Timestamp) -> Result<bool> {
    let rows = tx
        .q(sql::END)
        .bind(end.fence.tenant.uuid())
        .bind(end.fence.task.uuid())
        .bind(end.key)
        .bind(end.state.as_str())
        .bind(end.result)
        .bind(Json(end.usage))
        .bind(now)
        .bind(i64::from(end.attempt))
        .exec()
        .await?;
    Ok(rows == 1)
}

/// Writes many ends, on SQLite, and says how many of them had a start.
pub(crate) async fn end_all(tx: &mut Tx, ends: &[End<'_>], now: Timestamp) -> Result<usize> {
    fn column<'a, T>(ends: &[End<'a>], value: impl Fn(&End<'a>) -> T) -> Vec<T> {
        ends.iter().map(value).collect()
    }
    let rows = tx
        .sqlite_batch(sql::END_ALL)
        .column(column(ends, |end| end.fence.tenant.uuid()))
        .column(column(ends, |end| end.fence.task.uuid()))
        .column(column(ends, |end| end.key.to_owned()))
        .column(column(ends, |end| i64::from(end.attempt)))
        .column(column(ends, |end| end.state.as_str().to_owned()))
        .column(column(ends, |end| end.result.cloned()))
        .column(usages(ends.iter().map(|end| end.usage))?)
        .column(vec![now; ends.len()])
        .exec()
        .await?;
    Ok(usize::try_from(rows).unwrap_or(usize::MAX))
}

/// Marks what was still running when these tasks ended.
pub(crate) async fn mark_unknown(
    tx: &mut Tx,
    tenant: TenantId,
    tasks: &[TaskId],
    now: Timestamp,
) -> Result<()> {
    tx.batch(sql::MARK_UNKNOWN_PG, sql::MARK_UNKNOWN_LITE)
        .column(vec![tenant.uuid(); tasks.len()])
        .column(tasks.iter().map(|task| task.uuid()).collect())
        .column(vec![now; tasks.len()])
        .exec()
        .await
        .map(drop)
}

/// The model that a task spoke to last.
pub(crate) async fn last_model(
    tx: &mut Tx,
    tenant: TenantId,
    task: TaskId,
) -> Result<Option<String>> {
    tx.q(sql::LAST_MODEL)
        .bind(tenant.uuid())
        .bind(task.uuid())
        .scalar_opt()
        .await
}
