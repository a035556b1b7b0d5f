//! Cancel: a fact once it has answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use swarm_errors::{Code, Error, Result};
use swarm_types::{TaskId, TenantId};

use super::Engine;
use super::end::end_data;
use crate::store::tasks;
use crate::tasks::{TaskRecord, TaskState};

/// A call that does not end when it is dropped must not hold up the answer for ever.
const STOP_LIMIT: Duration = Duration::from_secs(10);

impl Engine {
    /// Cancels a task and all below it, and answers when that is committed and nothing of them
    /// runs in this process any more. Steps and sub-tasks lock the same rows when they start, so
    /// none can start after. A task that was cancelled before is left as it is.
    ///
    /// # Errors
    /// `not_found`; `failed_precondition` when it has ended otherwise.
    pub async fn cancel(
        self: &Arc<Self>,
        tenant: TenantId,
        id: TaskId,
        reason: &str,
    ) -> Result<TaskRecord> {
        let begun = Instant::now();
        let reason = if reason.is_empty() {
            "cancelled on request"
        } else {
            reason
        };
        let ended = self
            .db
            .retry(|| self.cancel_tree(tenant, id, reason))
            .await?;
        if self.stop_all(&ended).await {
            self.metrics.stopped(tenant, self.now(), begun.elapsed());
        }
        self.work.notify_one();
        self.room.notify_waiters();
        let task = tasks::get(&self.db, tenant, id).await?;
        if task.state != TaskState::Cancelled {
            return Err(Error::new(
                Code::FailedPrecondition,
                format!("the task is {} already", task.state),
            ));
        }
        Ok(task)
    }

    async fn cancel_tree(
        &self,
        tenant: TenantId,
        id: TaskId,
        reason: &str,
    ) -> Result<Vec<TaskRecord>> {
        let mut unit = self.begin_unit().await?;
        let task = tasks::find_in(unit.tx(), tenant, id)
            .await?
            .ok_or_else(|| Error::not_found("task", id))?;
        // From the top down: what is locked can no longer make sub-tasks.
        let top = self.cancel_level(&mut unit, &task, &[id], reason).await?;
        if top.is_empty() {
            unit.rollback().await?;
            return Ok(Vec::new());
        }
        let mut ended = self.cancel_below(&mut unit, &task, reason).await?;
        // The root's event comes last: with it a watch ends.
        ended.extend(top);
        for task in &ended {
            unit.event_of(task, task.state.event(), end_data(task));
        }
        self.commit(unit).await?;
        for task in &ended {
            self.metrics.ended(task);
            self.endings.tell(task);
        }
        Ok(ended)
    }

    /// Ends the attempts of these tasks here and waits until they have. Says whether there were any.
    async fn stop_all(&self, tasks: &[TaskRecord]) -> bool {
        let running: Vec<_> = tasks
            .iter()
            .filter_map(|task| self.live.get(task.tenant, task.id))
            .collect();
        running.iter().for_each(|entry| entry.cancel.cancel());
        let all = futures::future::join_all(running.iter().map(|entry| entry.stopped.cancelled()));
        if tokio::time::timeout(STOP_LIMIT, all).await.is_err() {
            tracing::error!(
                limit.seconds = STOP_LIMIT.as_secs(),
                "a cancelled task still runs"
            );
        }
        !running.is_empty()
    }
}
