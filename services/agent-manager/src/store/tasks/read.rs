//! Tasks as lists, trees and numbers.

use swarm_database::{Db, Tx};
use swarm_errors::Result;
use swarm_types::{TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::row::records;
use super::sql;
use crate::store::word;
use crate::tasks::{TaskRecord, TaskState};

/// Root, state and newest sequence.
pub(crate) async fn place(
    db: &Db,
    tenant: TenantId,
    id: TaskId,
) -> Result<Option<(TaskId, TaskState, i64)>> {
    let row: Option<(Uuid, String, i64)> = db
        .q(sql::PLACE)
        .bind(tenant.uuid())
        .bind(id.uuid())
        .opt()
        .await?;
    row.map(|(root, state, seq)| Ok((TaskId::from_uuid(root), word(&state)?, seq)))
        .transpose()
}

/// Which tasks a list shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter {
    pub(crate) state: Option<TaskState>,
    /// Root and id of the task whose sub-tasks are wanted; `None` lists root tasks.
    pub(crate) parent: Option<(TaskId, TaskId)>,
    pub(crate) before: Option<TaskId>,
}

/// The newest first, up to `limit`.
pub(crate) async fn list(
    db: &Db,
    tenant: TenantId,
    filter: Filter,
    limit: i64,
) -> Result<Vec<TaskRecord>> {
    let text = if filter.parent.is_some() {
        sql::LIST_CHILDREN
    } else {
        sql::LIST_ROOTS
    };
    let query = db
        .q(text)
        .bind(tenant.uuid())
        .bind(filter.state.map_or("", TaskState::as_str))
        .bind(filter.before.map_or(Uuid::max(), TaskId::uuid))
        .bind(limit);
    let query = match filter.parent {
        Some((root, parent)) => query.bind(root.uuid()).bind(parent.uuid()),
        None => query,
    };
    records(query.all().await?)
}

/// All tasks below a root, as they were made.
pub(crate) async fn tree(db: &Db, tenant: TenantId, root: TaskId) -> Result<Vec<TaskRecord>> {
    records(
        db.q(sql::TREE)
            .bind(tenant.uuid())
            .bind(root.uuid())
            .all()
            .await?,
    )
}

/// A task below a root, without its contents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) id: TaskId,
    pub(crate) parent: TaskId,
    pub(crate) state: TaskState,
}

fn nodes(rows: Vec<(Uuid, Uuid, String)>) -> Result<Vec<Node>> {
    rows.into_iter()
        .map(|(id, parent, state)| {
            Ok(Node {
                id: TaskId::from_uuid(id),
                parent: TaskId::from_uuid(parent),
                state: word(&state)?,
            })
        })
        .collect()
}

pub(crate) async fn tree_states(db: &Db, tenant: TenantId, root: TaskId) -> Result<Vec<Node>> {
    nodes(
        db.q(sql::TREE_STATES)
            .bind(tenant.uuid())
            .bind(root.uuid())
            .all()
            .await?,
    )
}

pub(crate) async fn tree_states_in(
    tx: &mut Tx,
    tenant: TenantId,
    root: TaskId,
) -> Result<Vec<Node>> {
    nodes(
        tx.q(sql::TREE_STATES)
            .bind(tenant.uuid())
            .bind(root.uuid())
            .all()
            .await?,
    )
}

pub(crate) async fn overdue(db: &Db, now: Timestamp) -> Result<Vec<TaskRecord>> {
    records(db.q(sql::OVERDUE).bind(now).all().await?)
}

pub(crate) async fn queue_lengths(db: &Db) -> Result<Vec<(i16, i64)>> {
    db.q(sql::QUEUE_LENGTHS).all().await
}
