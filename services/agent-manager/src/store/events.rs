//! Events in the store.

use std::collections::HashMap;

use serde_json::Value;
use swarm_database::{Db, FromRow, Json, Tx};
use swarm_errors::{Error, Result};
use swarm_types::{TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::changes::Line;
use super::sql::events as sql;
use crate::events::EventRecord;

/// What one commit told of a task. The numbers are those of its last event.
#[derive(Debug, FromRow)]
struct Row {
    task_id: Uuid,
    seq: i64,
    root_id: Uuid,
    tenant_seq: i64,
    lines: Json<Vec<(String, Value)>>,
    at: Timestamp,
}

impl Row {
    fn records(self, tenant: TenantId) -> impl Iterator<Item = EventRecord> {
        let lines = self.lines.0;
        let later = (0..i64::try_from(lines.len()).unwrap_or(i64::MAX)).rev();
        lines
            .into_iter()
            .zip(later)
            .map(move |((kind, data), later)| EventRecord {
                tenant,
                task: TaskId::from_uuid(self.task_id),
                root: TaskId::from_uuid(self.root_id),
                seq: self.seq - later,
                tenant_seq: self.tenant_seq - later,
                kind,
                data,
                at: self.at,
            })
    }
}

/// A page behind a cursor: its first row may hold events that are before it, its last one more
/// than there is room for.
fn page(
    tenant: TenantId,
    rows: Vec<Row>,
    is_behind: impl Fn(&EventRecord) -> bool,
    limit: i64,
) -> Vec<EventRecord> {
    rows.into_iter()
        .flat_map(|row| row.records(tenant))
        .filter(is_behind)
        .take(usize::try_from(limit).unwrap_or(0))
        .collect()
}

/// What a commit tells of a task, to be numbered for its tenant.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) tenant: TenantId,
    pub(crate) task: TaskId,
    pub(crate) root: TaskId,
    /// The number of the last line within the task.
    pub(crate) seq: i64,
    pub(crate) lines: Vec<Line>,
}

impl New {
    fn count(&self) -> i64 {
        i64::try_from(self.lines.len()).unwrap_or(i64::MAX)
    }
}

/// Numbers events for their tenants and inserts them. From here to the commit the tenants'
/// counters are held, so it comes last.
pub(crate) async fn append(tx: &mut Tx, events: &[New], now: Timestamp) -> Result<()> {
    let mut events: Vec<&New> = events.iter().collect();
    // All transactions take the counters in the same order. The sort is stable: within a tenant
    // events stay as they were added.
    events.sort_by_key(|event| event.tenant);
    let of_tenants = events.chunk_by(|one, next| one.tenant == next.tenant);
    let counts: Vec<(TenantId, i64)> = of_tenants
        .map(|group| (group[0].tenant, group.iter().map(|new| new.count()).sum()))
        .collect();
    let mut newest = take_numbers(tx, &counts).await?;
    for (tenant, count) in counts {
        let newest = newest.get_mut(&tenant.uuid());
        *newest.ok_or_else(|| Error::internal("a tenant has no counter"))? -= count;
    }
    let number = |event: &&New| {
        let newest = newest.entry(event.tenant.uuid()).or_default();
        *newest += event.count();
        *newest
    };
    let numbers = events.iter().map(number).collect();
    insert(tx, &events, numbers, now).await
}

/// Takes so many numbers of each tenant, and returns the last ones.
async fn take_numbers(tx: &mut Tx, counts: &[(TenantId, i64)]) -> Result<HashMap<Uuid, i64>> {
    let last: Vec<(Uuid, i64)> = tx
        .batch(sql::NEXT_PG, sql::NEXT_LITE)
        .column(counts.iter().map(|(tenant, _)| tenant.uuid()).collect())
        .column(counts.iter().map(|(_, count)| *count).collect())
        .all()
        .await?;
    Ok(last.into_iter().collect())
}

async fn insert(tx: &mut Tx, events: &[&New], numbers: Vec<i64>, now: Timestamp) -> Result<()> {
    fn column<T>(events: &[&New], value: impl Fn(&New) -> T) -> Vec<T> {
        events.iter().map(|event| value(event)).collect()
    }
    let lines = events.iter().map(|event| Line::list(&event.lines));
    let lines = lines.collect::<Result<Vec<_>>>()?;
    tx.batch(sql::INSERT_PG, sql::INSERT_LITE)
        .column(column(events, |event| event.tenant.uuid()))
        .column(column(events, |event| event.task.uuid()))
        .column(column(events, |event| event.seq))
        .column(column(events, |event| event.root.uuid()))
        .column(numbers)
        .column(lines)
        .column(vec![now; events.len()])
        .exec()
        .await
        .map(drop)
}

/// The tenant's newest number; every smaller one is committed.
pub(crate) async fn newest(db: &Db, tenant: TenantId) -> Result<i64> {
    Ok(db
        .q(sql::NEWEST)
        .bind(tenant.uuid())
        .scalar_opt()
        .await?
        .unwrap_or(0))
}

pub(crate) async fn of_task(
    db: &Db,
    tenant: TenantId,
    task: TaskId,
    after: i64,
    limit: i64,
) -> Result<Vec<EventRecord>> {
    let rows = db
        .q(sql::OF_TASK)
        .bind(tenant.uuid())
        .bind(task.uuid())
        .bind(after)
        .bind(limit)
        .all()
        .await?;
    Ok(page(tenant, rows, |event| event.seq > after, limit))
}

pub(crate) async fn of_tree(
    db: &Db,
    tenant: TenantId,
    root: TaskId,
    after: i64,
    limit: i64,
) -> Result<Vec<EventRecord>> {
    let rows = db
        .q(sql::OF_TREE)
        .bind(tenant.uuid())
        .bind(root.uuid())
        .bind(after)
        .bind(limit)
        .all()
        .await?;
    Ok(page(tenant, rows, |event| event.tenant_seq > after, limit))
}

pub(crate) async fn of_tenant(
    db: &Db,
    tenant: TenantId,
    after: i64,
    limit: i64,
) -> Result<Vec<EventRecord>> {
    let rows = db
        .q(sql::OF_TENANT)
        .bind(tenant.uuid())
        .bind(after)
        .bind(limit)
        .all()
        .await?;
    Ok(page(tenant, rows, |event| event.tenant_seq > after, limit))
}
