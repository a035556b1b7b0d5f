//! Deletes what is old, a slice of a table at a time.

use swarm_database::Db;
use swarm_errors::Result;
use swarm_types::Timestamp;
use uuid::Uuid;

use super::sql::compact as sql;

/// Rows that are looked at in one slice.
const SLICE: i64 = 1_000;
/// Events that are deleted in one transaction.
const EVENTS: i64 = 1_000;

/// How far a walk through a table has come; at its end it begins anew.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cursor<K>(Option<(Uuid, K)>);

/// Deletes the idempotency keys of the next slice that were stored before `before`, and says how
/// many those were.
pub(crate) async fn keys(db: &Db, cursor: &mut Cursor<String>, before: Timestamp) -> Result<usize> {
    let (tenant, key) = cursor.0.clone().unwrap_or_default();
    let slice: Vec<(Uuid, String, Timestamp)> = db
        .q(sql::KEYS)
        .bind(tenant)
        .bind(&key)
        .bind(SLICE)
        .all()
        .await?;
    let is_full = i64::try_from(slice.len()) == Ok(SLICE);
    let last = slice.last().map(|(tenant, key, _)| (*tenant, key.clone()));
    let old: Vec<(Uuid, String)> = slice
        .into_iter()
        .filter(|(_, _, stored)| *stored < before)
        .map(|(tenant, key, _)| (tenant, key))
        .collect();
    let count = old.len();
    let (tenants, keys) = old.into_iter().unzip();
    db.write_batch(sql::DELETE_KEYS_PG, sql::DELETE_KEYS_LITE)
        .column(tenants)
        .column::<String>(keys)
        .exec()
        .await?;
    cursor.0 = last.filter(|_| is_full);
    Ok(count)
}

/// Deletes the events of the next slice's tasks whose trees ended before `before`, and says of how
/// many tasks.
pub(crate) async fn events(db: &Db, cursor: &mut Cursor<Uuid>, before: Timestamp) -> Result<usize> {
    let (tenant, id) = cursor.0.unwrap_or_default();
    let last: Option<(Uuid, Uuid)> = db
        .q(sql::LAST_TASK)
        .bind(tenant)
        .bind(id)
        .bind(SLICE - 1)
        .opt()
        .await?;
    let end = last.unwrap_or((Uuid::max(), Uuid::max()));
    let old: Vec<(Uuid, Uuid)> = db
        .q(sql::TASKS_WITH_OLD_EVENTS)
        .bind(tenant)
        .bind(id)
        .bind(end.0)
        .bind(end.1)
        .bind(before)
        .all()
        .await?;
    for (tenant, task) in &old {
        while db
            .write(sql::DELETE_EVENTS)
            .bind(*tenant)
            .bind(*task)
            .bind(EVENTS)
            .exec()
            .await?
            == EVENTS.unsigned_abs()
        {}
    }
    cursor.0 = last;
    Ok(old.len())
}
