//! Recovery: what a lost worker held goes back to the queue.

use serde_json::json;
use swarm_errors::Result;
use uuid::Uuid;

use super::Engine;
use crate::store::{agents, leases, tasks};
use crate::tasks::TaskState;

impl Engine {
    /// Takes over the tasks of expired lease groups, and at once those of this replica's own
    /// former lives. Says how many tasks that were. Their epoch rises, so that the former worker
    /// is fenced out; what their journal has as finished is not repeated.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn recover(&self) -> Result<usize> {
        let mut recovered = 0;
        for group in leases::abandoned(&self.db, &self.leases.owner, self.now()).await? {
            recovered += self.db.retry(|| self.take_over(group)).await?;
        }
        if recovered > 0 {
            tracing::info!(tasks = recovered, "tasks of a lost worker taken over");
            self.work.notify_one();
        }
        Ok(recovered)
    }

    async fn take_over(&self, group: Uuid) -> Result<usize> {
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        if !leases::seize(unit.tx(), group, &self.leases.owner, now).await? {
            unit.rollback().await?;
            return Ok(0);
        }
        let tasks = tasks::recover(unit.tx(), group, now).await?;
        for task in &tasks {
            if let Some(agent) = task.agent {
                agents::free_slot(unit.tx(), task.tenant, agent, task.id, now).await?;
            }
            unit.event_of(
                task,
                TaskState::Queued.event(),
                json!({"why": "its worker was lost"}),
            );
        }
        leases::delete(unit.tx(), group).await?;
        self.commit(unit).await?;
        // It may have been our own: then those attempts are fenced out.
        self.live.cancel_groups(&[group]);
        Ok(tasks.len())
    }
}
