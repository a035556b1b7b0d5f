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

#[derive(Debug, FromRow)]
struct Row {
    task_id: Uuid,
    seq: i64,
    root_id: Uuid,
    tenant_seq: i64,
    kind: String,
    data: Json<Value>,
    at: Timestamp,
}

fn records(tenant: TenantId, rows: Vec<Row>) -> Vec<EventRecord> {
    rows.into_iter()
        .map(|row| EventRecord {
            tenant,
            task: TaskId::from_uuid(row.task_id),
            root: TaskId::from_uuid(row.root_id),
            seq: row.seq,
            tenant_seq: row.tenant_seq,
            kind: row.kind,
            data: row.data.0,
            at: row.at,
        })
        .collect()
}

/// An event that is to be numbered for its tenant.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) tenant: TenantId,
    pub(crate) task: TaskId,
    pub(crate) root: TaskId,
    pub(crate) seq: i64,
    pub(crate) line: Line,
}

/// Numbers events for their tenants and inserts them. From here to the commit the tenants'
/// counters are held, so it comes last.
pub(crate) async fn append(tx: &mut Tx, events: &[New], now: Timestamp) -> Result<()> {
    let mut events: Vec<&New> = events.iter().collect();
    // All transactions take the counters in the same order. The sort is stable: within a tenant
    // events stay as they were added.
    events.sort_by_key(|event| event.tenant);
    let mut numbers = Vec::with_capacity(events.len());
    let counts: Vec<(TenantId, i64)> = events
        .chunk_by(|one, next| one.tenant == next.tenant)
        .map(|group| {
            (
                group[0].tenant,
                i64::try_from(group.len()).unwrap_or(i64::MAX),
            )
        })
        .collect();
    let last = take_numbers(tx, &counts).await?;
    for (tenant, count) in counts {
        let last = last.get(&tenant.uuid()).copied();
        let last = last.ok_or_else(|| Error::internal("a tenant has no counter"))?;
        numbers.extend(last - count + 1..=last);
    }
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
    tx.batch(sql::INSERT_PG, sql::INSERT_LITE)
        .column(column(events, |event| event.tenant.uuid()))
        .column(column(events, |event| event.task.uuid()))
        .column(column(events, |event| event.seq))
        .column(column(events, |event| event.root.uuid()))
        .column(numbers)
        .column(column(events, |event| event.line.kind.clone().into_owned()))
        .column(column(events, |event| event.line.data.clone()))
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
    Ok(records(tenant, rows))
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
    Ok(records(tenant, rows))
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
    Ok(records(tenant, rows))
}
