//! The queue: what waits for a worker, and who takes it.

use swarm_database::{Db, FromRow, Tx};
use swarm_errors::Result;
use swarm_types::{TenantId, Timestamp};
use uuid::Uuid;

use super::row::records;
use super::sql;
use crate::scheduling::{Lane, Turn};
use crate::store::count;
use crate::tasks::TaskRecord;

/// A queue with tasks, and where its first one stands in the order of claims.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) lane: Lane,
    pub(crate) claim_order: i64,
}

/// Queues behind this one, in order, up to 64.
pub(crate) async fn lanes(db: &Db, after: &Lane) -> Result<Vec<Head>> {
    let rows: Vec<(Uuid, String, i64)> = db
        .q(db.pick(sql::LANES_PG, sql::LANES_LITE))
        .bind(after.tenant.uuid())
        .bind(&after.pool)
        .all()
        .await?;
    let head = |(tenant, pool, claim_order)| Head {
        lane: Lane {
            tenant: TenantId::from_uuid(tenant),
            pool,
        },
        claim_order,
    };
    Ok(rows.into_iter().map(head).collect())
}

/// Tenants behind this one that have queued tasks.
pub(crate) async fn tenants_with_work(db: &Db, after: TenantId) -> Result<Vec<TenantId>> {
    let ids: Vec<Uuid> = db
        .q(sql::TENANTS_WITH_WORK)
        .bind(after.uuid())
        .scalars()
        .await?;
    Ok(ids.into_iter().map(TenantId::from_uuid).collect())
}

/// How many tasks of a tenant wait for a worker, counted up to `most`.
pub(crate) async fn queued_of(db: &Db, tenant: TenantId, most: u64) -> Result<u64> {
    let length: i64 = db
        .q(sql::QUEUED_OF)
        .bind(tenant.uuid())
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .scalar()
        .await?;
    Ok(count(length))
}

/// A queued task that could run now.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Candidate {
    tenant_id: Uuid,
    pub(crate) pool: String,
    pub(crate) id: Uuid,
    pub(crate) agent_id: Option<Uuid>,
}

impl Candidate {
    pub(crate) fn tenant(&self) -> TenantId {
        TenantId::from_uuid(self.tenant_id)
    }

    pub(crate) fn is_of(&self, lane: &Lane) -> bool {
        self.tenant_id == lane.tenant.uuid() && self.pool == lane.pool
    }
}

/// Locks the queued tasks whose turn it is, those of the first turn first.
pub(crate) async fn candidates(
    tx: &mut Tx,
    turns: &[Turn],
    now: Timestamp,
) -> Result<Vec<Candidate>> {
    let at_once = if tx.is_postgres() { turns.len() } else { 1 };
    let mut found = Vec::new();
    for turns in turns.chunks(at_once.max(1)) {
        let tasks = |turn: &Turn| i64::try_from(turn.tasks).unwrap_or(i64::MAX);
        let rows: Vec<Candidate> = tx
            .batch(sql::CANDIDATES_PG, sql::CANDIDATES_LITE)
            .column(turns.iter().map(|turn| turn.lane.tenant.uuid()).collect())
            .column(turns.iter().map(|turn| turn.lane.pool.clone()).collect())
            .column(turns.iter().map(tasks).collect())
            .column(vec![now; turns.len()])
            .all()
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// Takes these queued tasks, of any tenants, for the lease group.
pub(crate) async fn claim(
    tx: &mut Tx,
    tasks: &[(TenantId, Uuid)],
    group: Uuid,
    now: Timestamp,
) -> Result<Vec<TaskRecord>> {
    let rows = tx
        .batch(sql::CLAIM_PG, sql::CLAIM_LITE)
        .column(tasks.iter().map(|(tenant, _)| tenant.uuid()).collect())
        .column(tasks.iter().map(|(_, id)| *id).collect())
        .column(vec![group; tasks.len()])
        .column(vec![now; tasks.len()])
        .all()
        .await?;
    records(rows)
}

#[cfg(test)]
#[path = "queue_test.rs"]
mod tests;
