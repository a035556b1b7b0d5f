//! Schedules and their ticks in the store.

use swarm_database::{Db, FromRow, Json, Tx};
use swarm_errors::{Error, Result};
use swarm_types::{ScheduleId, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::sql::schedules as sql;
use super::{small, word};
use crate::schedules::{Definition, Outcome, ScheduleRecord, Skipped, TickRecord};

/// The ticks of which is known what became of them.
const KEPT_TICKS: i64 = 100;

#[derive(Debug, FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    state: String,
    definition: Json<Definition>,
    next_tick: Option<Timestamp>,
    last_tick: Option<Timestamp>,
    waiting: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Row {
    fn record(self) -> Result<ScheduleRecord> {
        Ok(ScheduleRecord {
            tenant: TenantId::from_uuid(self.tenant_id),
            id: ScheduleId::from_uuid(self.id),
            definition: self.definition.0,
            state: word(&self.state)?,
            next_tick: self.next_tick,
            last_tick: self.last_tick,
            waiting: small(self.waiting),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

#[derive(Debug, FromRow)]
struct TickRow {
    id: Uuid,
    tick: Timestamp,
    outcome: String,
    reason: Option<String>,
    count: i64,
    at: Timestamp,
}

impl TickRow {
    fn record(self) -> Result<TickRecord> {
        Ok(TickRecord {
            id: TaskId::from_uuid(self.id),
            tick: self.tick,
            outcome: word(&self.outcome)?,
            reason: self.reason.as_deref().map(word).transpose()?,
            count: small(self.count),
            at: self.at,
        })
    }
}

/// Inserts a schedule; `false` when its name is taken.
pub(crate) async fn insert(tx: &mut Tx, schedule: &ScheduleRecord) -> Result<bool> {
    let rows = tx
        .q(sql::INSERT)
        .bind(schedule.tenant.uuid())
        .bind(schedule.id.uuid())
        .bind(&schedule.definition.name)
        .bind(schedule.state.as_str())
        .bind(Json(&schedule.definition))
        .bind(schedule.next_tick)
        .bind(schedule.next_at())
        .bind(schedule.created_at)
        .exec()
        .await?;
    Ok(rows == 1)
}

/// How many schedules the tenant has.
pub(crate) async fn count(tx: &mut Tx, tenant: TenantId) -> Result<i64> {
    tx.q(sql::COUNT).bind(tenant.uuid()).scalar().await
}

pub(crate) async fn get(db: &Db, tenant: TenantId, id: ScheduleId) -> Result<ScheduleRecord> {
    let row: Option<Row> = db
        .q(sql::FIND)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .opt()
        .await?;
    row.ok_or_else(|| Error::not_found("schedule", id))?
        .record()
}

/// Locks a schedule for a person's change.
pub(crate) async fn lock(tx: &mut Tx, tenant: TenantId, id: ScheduleId) -> Result<ScheduleRecord> {
    let text = tx.pick(sql::LOCK_PG, sql::FIND);
    let row: Option<Row> = tx.q(text).bind(tenant.uuid()).bind(id.uuid()).opt().await?;
    row.ok_or_else(|| Error::not_found("schedule", id))?
        .record()
}

/// Locks an active schedule for its ticks; `None` when another one is at it.
pub(crate) async fn take(
    tx: &mut Tx,
    tenant: TenantId,
    id: ScheduleId,
) -> Result<Option<ScheduleRecord>> {
    let text = tx.pick(sql::TAKE_PG, sql::TAKE_LITE);
    let row: Option<Row> = tx.q(text).bind(tenant.uuid()).bind(id.uuid()).opt().await?;
    row.map(Row::record).transpose()
}

/// In the order of their making, up to `limit`; an empty name stands for all.
pub(crate) async fn list(
    db: &Db,
    tenant: TenantId,
    name: &str,
    after: Option<ScheduleId>,
    limit: i64,
) -> Result<Vec<ScheduleRecord>> {
    let rows: Vec<Row> = db
        .q(sql::LIST)
        .bind(tenant.uuid())
        .bind(name)
        .bind(after.map_or(Uuid::nil(), ScheduleId::uuid))
        .bind(limit)
        .all()
        .await?;
    rows.into_iter().map(Row::record).collect()
}

/// Writes where a schedule has come to.
pub(crate) async fn store(tx: &mut Tx, schedule: &ScheduleRecord) -> Result<()> {
    tx.q(sql::MOVE)
        .bind(schedule.tenant.uuid())
        .bind(schedule.id.uuid())
        .bind(schedule.state.as_str())
        .bind(schedule.next_tick)
        .bind(schedule.next_at())
        .bind(schedule.last_tick)
        .bind(i64::from(schedule.waiting))
        .bind(schedule.updated_at)
        .exec()
        .await
        .map(drop)
}

/// Deletes a schedule with what is known of its ticks; the tasks stay.
pub(crate) async fn delete(tx: &mut Tx, tenant: TenantId, id: ScheduleId) -> Result<()> {
    for text in [sql::DELETE_TICKS, sql::DELETE] {
        tx.q(text)
            .bind(tenant.uuid())
            .bind(id.uuid())
            .exec()
            .await?;
    }
    Ok(())
}

/// Names one schedule.
pub(crate) type Key = (TenantId, ScheduleId);

fn keys(rows: Vec<(Uuid, Uuid)>) -> Vec<Key> {
    rows.into_iter()
        .map(|(tenant, id)| (TenantId::from_uuid(tenant), ScheduleId::from_uuid(id)))
        .collect()
}

/// The schedules whose tick has come, of all tenants, the longest due first.
pub(crate) async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<Key>> {
    Ok(keys(db.q(sql::DUE).bind(now).bind(limit).all().await?))
}

/// The schedules behind this one whose ticks wait for their turn, of all tenants.
pub(crate) async fn waiting(db: &Db, after: Key, limit: i64) -> Result<Vec<Key>> {
    let (tenant, id) = after;
    let query = db.q(sql::WAITING).bind(tenant.uuid()).bind(id.uuid());
    Ok(keys(query.bind(limit).all().await?))
}

/// When the next tick of all tenants is due.
pub(crate) async fn next(db: &Db) -> Result<Option<Timestamp>> {
    db.q(sql::NEXT).scalar_opt().await
}

/// Writes what became of ticks, and forgets the oldest.
pub(crate) async fn note(
    tx: &mut Tx,
    tenant: TenantId,
    id: ScheduleId,
    ticks: &[TickRecord],
) -> Result<()> {
    fn column<T>(ticks: &[TickRecord], value: impl Fn(&TickRecord) -> T) -> Vec<T> {
        ticks.iter().map(value).collect()
    }
    if ticks.is_empty() {
        return Ok(());
    }
    tx.batch(sql::INSERT_TICKS_PG, sql::INSERT_TICKS_LITE)
        .column(vec![tenant.uuid(); ticks.len()])
        .column(vec![id.uuid(); ticks.len()])
        .column(column(ticks, |tick| tick.id.uuid()))
        .column(column(ticks, |tick| tick.tick))
        .column(column(ticks, |tick| tick.outcome.as_str().to_owned()))
        .column(column(ticks, |tick| {
            tick.reason
                .map(|reason: Skipped| reason.as_str().to_owned())
        }))
        .column(column(ticks, |tick| i64::from(tick.count)))
        .column(column(ticks, |tick| tick.at))
        .exec()
        .await?;
    tx.q(sql::PRUNE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(KEPT_TICKS)
        .exec()
        .await
        .map(drop)
}

/// Takes the tick whose turn it is out of those that wait.
pub(crate) async fn fire_waiting(
    tx: &mut Tx,
    tenant: TenantId,
    id: ScheduleId,
    now: Timestamp,
) -> Result<Option<TickRecord>> {
    let row: Option<TickRow> = tx
        .q(sql::FIRST_WAITING)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .opt()
        .await?;
    let Some(tick) = row.map(TickRow::record).transpose()? else {
        return Ok(None);
    };
    tx.q(sql::FIRE_WAITING)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(tick.id.uuid())
        .bind(now)
        .exec()
        .await?;
    Ok(Some(TickRecord {
        outcome: Outcome::Fired,
        at: now,
        ..tick
    }))
}

/// What became of the last ticks, the newest first.
pub(crate) async fn ticks(
    db: &Db,
    tenant: TenantId,
    id: ScheduleId,
    limit: i64,
) -> Result<Vec<TickRecord>> {
    let rows: Vec<TickRow> = db
        .q(sql::TICKS)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(limit)
        .all()
        .await?;
    rows.into_iter().map(TickRow::record).collect()
}

/// Tasks of a schedule that have not ended.
pub(crate) async fn open_tasks(
    tx: &mut Tx,
    tenant: TenantId,
    id: ScheduleId,
) -> Result<Vec<TaskId>> {
    let ids: Vec<Uuid> = tx
        .q(sql::OPEN_TASKS)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .scalars()
        .await?;
    Ok(ids.into_iter().map(TaskId::from_uuid).collect())
}
