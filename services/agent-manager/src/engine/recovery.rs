//! Recovery: what a lost worker held goes back to the queue.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use swarm_errors::{Code, Result};
use uuid::Uuid;

use super::Engine;
use crate::store::leases::{self, Foreign};
use crate::store::{agents, tasks};
use crate::tasks::TaskState;

/// What a look at the leases of others has found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Recovered {
    /// Tasks that were taken over.
    pub(super) tasks: usize,
    /// When the next lease expires, unless its replica lives.
    pub(super) look_again: Option<Duration>,
}

impl Engine {
    /// Takes over the tasks of expired lease groups, and at once those of this replica's own
    /// former lives. Their epoch rises, so that the former worker is fenced out; what their journal
    /// has as finished is not repeated.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(super) async fn recover(&self) -> Result<Recovered> {
        let (owner, now) = (&self.leases.owner, self.now());
        let soon = now + TimeDelta::from_std(self.config.poll).unwrap_or_default();
        let mut recovered = Recovered::default();
        for group in leases::foreign(&self.db, owner, soon).await? {
            if group.replica != owner.replica && (group.expires > now || !self.leases.judges()) {
                let wait = (group.expires - now).to_std().unwrap_or(self.config.poll);
                let next = recovered.look_again.map_or(wait, |least| least.min(wait));
                recovered.look_again = Some(next);
                continue;
            }
            recovered.tasks += self.take_over_one(&group).await?;
        }
        if recovered.tasks > 0 {
            self.work.notify_one();
        }
        Ok(recovered)
    }

    /// A group that cannot be taken over must not hold up the others.
    async fn take_over_one(&self, group: &Foreign) -> Result<usize> {
        match self.db.retry(|| self.take_over(group.group)).await {
            Ok(0) => Ok(0),
            Ok(tasks) => {
                tracing::info!(tasks, replica = %group.replica, "tasks of a lost worker taken over");
                Ok(tasks)
            }
            Err(error) if error.code() == Code::Unavailable => Err(error),
            Err(error) => {
                tracing::error!(error = %error.chain(), group = %group.group, "a lost worker's tasks could not be taken over");
                Ok(0)
            }
        }
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
        Ok(tasks.len())
    }
}
