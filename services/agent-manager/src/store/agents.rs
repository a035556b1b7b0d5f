//! Agents in the store.

use std::collections::BTreeMap;

use swarm_database::{Db, FromRow, Json, Tx};
use swarm_errors::{Error, Result};
use swarm_types::{AgentId, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::sql::agents as sql;
use super::{small, word};
use crate::agents::{AgentProfile, AgentRecord, AgentState, ModelSettings};

#[derive(Debug, FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    kind: String,
    role: String,
    instructions: String,
    model: Json<ModelSettings>,
    capabilities: Json<Vec<String>>,
    tools: Json<Vec<String>>,
    pool: String,
    max_concurrency: i64,
    labels: Json<BTreeMap<String, String>>,
    state: String,
    health_reason: String,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    running_tasks: i64,
}

impl Row {
    fn record(self) -> Result<AgentRecord> {
        Ok(AgentRecord {
            tenant: TenantId::from_uuid(self.tenant_id),
            id: AgentId::from_uuid(self.id),
            profile: AgentProfile {
                name: self.name,
                kind: word(&self.kind)?,
                role: self.role,
                instructions: self.instructions,
                model: self.model.0,
                capabilities: self.capabilities.0,
                tools: self.tools.0,
                pool: self.pool,
                max_concurrency: small(self.max_concurrency),
                labels: self.labels.0,
            },
            state: word(&self.state)?,
            health_reason: self.health_reason,
            running_tasks: small(self.running_tasks),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Inserts an agent; `false` when its name is taken.
pub(crate) async fn insert(tx: &mut Tx, agent: &AgentRecord) -> Result<bool> {
    let profile = &agent.profile;
    let rows = tx
        .q(sql::INSERT)
        .bind(agent.tenant.uuid())
        .bind(agent.id.uuid())
        .bind(&profile.name)
        .bind(profile.kind.as_str())
        .bind(&profile.role)
        .bind(&profile.instructions)
        .bind(Json(&profile.model))
        .bind(Json(&profile.capabilities))
        .bind(Json(&profile.tools))
        .bind(&profile.pool)
        .bind(i64::from(profile.max_concurrency))
        .bind(Json(&profile.labels))
        .bind(agent.state.as_str())
        .bind(agent.created_at)
        .exec()
        .await?;
    Ok(rows == 1)
}

pub(crate) async fn get(db: &Db, tenant: TenantId, id: AgentId) -> Result<AgentRecord> {
    let row: Option<Row> = db
        .q(sql::FIND)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .opt()
        .await?;
    row.ok_or_else(|| Error::not_found("agent", id))?.record()
}

pub(crate) async fn get_in(tx: &mut Tx, tenant: TenantId, id: AgentId) -> Result<AgentRecord> {
    let row: Option<Row> = tx
        .q(sql::FIND)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .opt()
        .await?;
    row.ok_or_else(|| Error::not_found("agent", id))?.record()
}

/// Which agents a list shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter<'a> {
    /// Empty for all.
    pub(crate) pool: &'a str,
    /// `None` for all but the stopped ones.
    pub(crate) state: Option<AgentState>,
    pub(crate) after: Option<AgentId>,
}

/// In the order of their making, up to `limit`.
pub(crate) async fn list(
    db: &Db,
    tenant: TenantId,
    filter: Filter<'_>,
    limit: i64,
) -> Result<Vec<AgentRecord>> {
    let (state, busy) = match filter.state {
        None => ("", -1),
        Some(AgentState::Idle) => (AgentState::Idle.as_str(), 0),
        Some(AgentState::Busy) => (AgentState::Idle.as_str(), 1),
        Some(state) => (state.as_str(), -1),
    };
    let rows: Vec<Row> = db
        .q(sql::LIST)
        .bind(tenant.uuid())
        .bind(filter.pool)
        .bind(state)
        .bind(i64::from(busy))
        .bind(filter.after.map_or(Uuid::nil(), AgentId::uuid))
        .bind(limit)
        .all()
        .await?;
    rows.into_iter().map(Row::record).collect()
}

/// The id of the living agent of this name.
pub(crate) async fn named(tx: &mut Tx, tenant: TenantId, name: &str) -> Result<Option<AgentId>> {
    let id: Option<Uuid> = tx
        .q(sql::NAMED)
        .bind(tenant.uuid())
        .bind(name)
        .scalar_opt()
        .await?;
    Ok(id.map(AgentId::from_uuid))
}

pub(crate) async fn update(
    tx: &mut Tx,
    tenant: TenantId,
    id: AgentId,
    profile: &AgentProfile,
    now: Timestamp,
) -> Result<()> {
    tx.q(sql::UPDATE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(&profile.name)
        .bind(profile.kind.as_str())
        .bind(&profile.role)
        .bind(&profile.instructions)
        .bind(Json(&profile.model))
        .bind(Json(&profile.capabilities))
        .bind(Json(&profile.tools))
        .bind(&profile.pool)
        .bind(i64::from(profile.max_concurrency))
        .bind(Json(&profile.labels))
        .bind(now)
        .exec()
        .await
        .map(drop)
}

pub(crate) async fn set_state(
    tx: &mut Tx,
    tenant: TenantId,
    id: AgentId,
    state: AgentState,
    now: Timestamp,
) -> Result<()> {
    tx.q(sql::SET_STATE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .bind(state.as_str())
        .bind(now)
        .exec()
        .await
        .map(drop)
}

/// How much an agent can take on, from now to the end of the transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) state: AgentState,
    pub(crate) running: u32,
    /// Places that nobody has, whatever the state.
    pub(crate) free: u32,
}

impl Room {
    /// Whether it takes one more task now.
    pub(crate) const fn takes_one_more(self) -> bool {
        self.state.takes_work() && self.free > 0
    }
}

/// Locks an agent's row and counts what it works on.
pub(crate) async fn lock(tx: &mut Tx, tenant: TenantId, id: AgentId) -> Result<Room> {
    let text = tx.pick(sql::LOCK_PG, sql::LOCK_LITE);
    let row: Option<(String, i64)> = tx.q(text).bind(tenant.uuid()).bind(id.uuid()).opt().await?;
    let (state, most) = row.ok_or_else(|| Error::not_found("agent", id))?;
    let running: i64 = tx
        .q(sql::COUNT_SLOTS)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .scalar()
        .await?;
    Ok(Room {
        state: word(&state)?,
        running: small(running),
        free: small((most - running).max(0)),
    })
}

/// Writes that the agent works on the task. Lock the agent and look for room before.
pub(crate) async fn take_slot(
    tx: &mut Tx,
    tenant: TenantId,
    agent: AgentId,
    task: TaskId,
) -> Result<()> {
    tx.q(sql::TAKE_SLOT)
        .bind(tenant.uuid())
        .bind(agent.uuid())
        .bind(task.uuid())
        .exec()
        .await
        .map(drop)
}

/// Writes that the agent no longer works on the task. A draining agent stops with its last one.
pub(crate) async fn free_slot(
    tx: &mut Tx,
    tenant: TenantId,
    agent: AgentId,
    task: TaskId,
    now: Timestamp,
) -> Result<()> {
    let freed = tx
        .q(sql::FREE_SLOT)
        .bind(tenant.uuid())
        .bind(agent.uuid())
        .bind(task.uuid())
        .exec()
        .await?;
    if freed > 0 {
        tx.q(sql::STOP_DRAINED)
            .bind(tenant.uuid())
            .bind(agent.uuid())
            .bind(now)
            .exec()
            .await?;
    }
    Ok(())
}

pub(crate) async fn count_outcome(
    tx: &mut Tx,
    tenant: TenantId,
    agent: AgentId,
    success: bool,
) -> Result<()> {
    tx.q(sql::COUNT_OUTCOME)
        .bind(tenant.uuid())
        .bind(agent.uuid())
        .bind(i64::from(success))
        .bind(i64::from(!success))
        .exec()
        .await
        .map(drop)
}

/// How many agents of each pool can take work, over all tenants.
pub(crate) async fn active(db: &Db) -> Result<Vec<(String, i64)>> {
    db.q(sql::ACTIVE).all().await
}
