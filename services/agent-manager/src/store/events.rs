//! Events in the store.

use std::collections::HashMap;

use serde_json::Value;
use swarm_database::{Db, FromRow, Json, Tx};
use swarm_errors::Result;
use swarm_types::{TaskId, TenantId, Timestamp};
use uuid::Uuid;

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

/// Takes so many numbers of each tenant, and returns the last ones.
pub(crate) async fn take_numbers(
    tx: &mut Tx,
    counts: &[(TenantId, i64)],
) -> Result<HashMap<Uuid, i64>> {
    let last: Vec<(Uuid, i64)> = tx
        .batch(sql::NEXT_PG, sql::NEXT_LITE)
        .column(counts.iter().map(|(tenant, _)| tenant.uuid()).collect())
        .column(counts.iter().map(|(_, count)| *count).collect())
        .all()
        .await?;
    Ok(last.into_iter().collect())
}

pub(crate) async fn insert(tx: &mut Tx, events: &[EventRecord]) -> Result<()> {
    fn column<T>(events: &[EventRecord], value: impl Fn(&EventRecord) -> T) -> Vec<T> {
        events.iter().map(value).collect()
    }
    tx.batch(sql::INSERT_PG, sql::INSERT_LITE)
        .column(column(events, |event| event.tenant.uuid()))
        .column(column(events, |event| event.task.uuid()))
        .column(column(events, |event| event.seq))
        .column(column(events, |event| event.root.uuid()))
        .column(column(events, |event| event.tenant_seq))
        .column(column(events, |event| event.kind.clone()))
        .column(column(events, |event| Json(event.data.clone())))
        .column(column(events, |event| event.at))
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
