//! What a fork takes over from its origin.

use serde_json::json;
use swarm_database::{Json, Tx};
use swarm_errors::Result;
use swarm_types::{StepId, TaskId, TenantId};
use uuid::Uuid;

use crate::journal::StepState;
use crate::store::sql::copies as sql;
use crate::store::{stored, word};
use crate::tasks::step_id;

/// A step without its contents.
#[derive(Debug, Clone)]
pub(crate) struct Outline {
    pub(crate) key: String,
    pub(crate) id: StepId,
    pub(crate) position: i64,
    pub(crate) state: StepState,
}

/// A task's journal, in the order of first starts.
pub(crate) async fn outline(tx: &mut Tx, tenant: TenantId, task: TaskId) -> Result<Vec<Outline>> {
    let rows: Vec<(String, Uuid, i64, String)> = tx
        .q(sql::OUTLINE)
        .bind(tenant.uuid())
        .bind(task.uuid())
        .all()
        .await?;
    rows.into_iter()
        .map(|(key, id, position, state)| {
            Ok(Outline {
                key,
                id: StepId::from_uuid(id),
                position,
                state: word(&state)?,
            })
        })
        .collect()
}

/// Begins the journal of `to` with copies of these steps of `from`, in this order. They cost it nothing.
pub(crate) async fn begin_with(
    tx: &mut Tx,
    tenant: TenantId,
    (from, to): (TaskId, TaskId),
    steps: &[Outline],
    children: usize,
) -> Result<()> {
    let count = steps.len();
    tx.batch(sql::COPY_STEPS_PG, sql::COPY_STEPS_LITE)
        .column(vec![tenant.uuid(); count])
        .column(vec![from.uuid(); count])
        .column(vec![to.uuid(); count])
        .column(steps.iter().map(|step| step.key.clone()).collect())
        .column(
            steps
                .iter()
                .map(|step| step_id(to, &step.key).uuid())
                .collect(),
        )
        .column((0..count).map(|place| stored(place as u64)).collect())
        .column(vec![Json(json!({})); count])
        .exec()
        .await?;
    tx.q(sql::BEGIN_WITH)
        .bind(tenant.uuid())
        .bind(to.uuid())
        .bind(stored(count as u64))
        .bind(stored(children as u64))
        .exec()
        .await
        .map(drop)
}

/// Copies how tasks have ended: from, to.
pub(crate) async fn copy_ends(
    tx: &mut Tx,
    tenant: TenantId,
    pairs: &[(TaskId, TaskId)],
) -> Result<()> {
    tx.batch(sql::COPY_ENDS_PG, sql::COPY_ENDS_LITE)
        .column(vec![tenant.uuid(); pairs.len()])
        .column(pairs.iter().map(|(from, _)| from.uuid()).collect())
        .column(pairs.iter().map(|(_, to)| to.uuid()).collect())
        .exec()
        .await
        .map(drop)
}
