//! The work of the moment.

use swarm_database::{Db, FromRow};
use swarm_errors::Result;
use swarm_types::{AgentId, Priority, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::sql::overview as sql;
use super::{count, small};

/// The tasks of one priority that wait for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// The priority.
    pub priority: Priority,
    /// How many wait.
    pub length: u64,
    /// Whose time has not come.
    pub delayed: u64,
    /// Since when the one that has waited longest does.
    pub oldest: Option<Timestamp>,
}

/// The queues of a tenant, the most urgent first; together they are counted up to `most`.
pub(crate) async fn queues(
    db: &Db,
    tenant: TenantId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Queue>> {
    let rows: Vec<(i16, i64, i64, Option<Timestamp>)> = db
        .q(sql::QUEUES)
        .bind(tenant.uuid())
        .bind(now)
        .bind(most)
        .all()
        .await?;
    let found = |priority: Priority| rows.iter().find(|row| row.0 == priority.rank());
    let queues = Priority::ALL.into_iter().rev().map(|priority| {
        let (_, length, delayed, oldest) = found(priority).copied().unwrap_or_default();
        Queue {
            priority,
            length: count(length),
            delayed: count(delayed),
            oldest,
        }
    });
    Ok(queues.collect())
}

/// The dead letters of a tenant, counted up to `most`.
pub(crate) async fn dead_letters(db: &Db, tenant: TenantId, most: i64) -> Result<u64> {
    let found: i64 = db
        .q(sql::DEAD_LETTERS)
        .bind(tenant.uuid())
        .bind(most)
        .scalar()
        .await?;
    Ok(count(found))
}

/// Something that an agent works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The agent.
    pub agent: AgentId,
    /// The task.
    pub task: TaskId,
    /// The task at the top.
    pub root: TaskId,
    /// The word by which it is grouped.
    pub kind: String,
    /// What it is in its parent.
    pub role: String,
    /// Kind and name of the step that runs.
    pub step: Option<(String, String)>,
    /// Since when the step runs, or between steps the task.
    pub since: Option<Timestamp>,
}

#[derive(Debug, FromRow)]
struct WorkRow {
    agent_id: Uuid,
    task_id: Uuid,
    root_id: Uuid,
    kind: String,
    role: String,
    started_at: Option<Timestamp>,
    step_kind: Option<String>,
    step_name: Option<String>,
    step_started_at: Option<Timestamp>,
}

/// What the agents of a tenant work on.
pub(crate) async fn work(db: &Db, tenant: TenantId, limit: i64) -> Result<Vec<Work>> {
    let rows: Vec<WorkRow> = db
        .q(sql::WORK)
        .bind(tenant.uuid())
        .bind(limit)
        .all()
        .await?;
    let work = rows.into_iter().map(|row| Work {
        agent: AgentId::from_uuid(row.agent_id),
        task: TaskId::from_uuid(row.task_id),
        root: TaskId::from_uuid(row.root_id),
        kind: row.kind,
        role: row.role,
        step: row.step_kind.zip(row.step_name),
        since: row.step_started_at.or(row.started_at),
    });
    Ok(work.collect())
}

/// The leases of a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leases {
    pub(crate) owner: String,
    pub(crate) groups: u32,
    pub(crate) held_until: Timestamp,
}

/// The leases of all replicas.
pub(crate) async fn leases(db: &Db) -> Result<Vec<Leases>> {
    let rows: Vec<(String, i64, Timestamp)> = db.q(sql::LEASES).all().await?;
    let leases = rows.into_iter().map(|(owner, groups, held_until)| Leases {
        owner,
        groups: small(groups),
        held_until,
    });
    Ok(leases.collect())
}
