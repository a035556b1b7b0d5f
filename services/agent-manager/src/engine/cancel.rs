//! Cancel: a fact once it has answered.

use std::sync::Arc;
use std::time::Instant;

use swarm_errors::{Code, Error, Result};
use swarm_types::{TaskId, TenantId};

use super::Engine;
use super::lines;
use crate::store::tasks;
use crate::tasks::{TaskRecord, TaskState};

impl Engine {
    /// Cancels a task and all below it, and answers when that is committed and nothing of them
    /// runs any more, here or on another replica, or whoever runs it is fenced out because its
    /// lease is over. Steps and sub-tasks lock the same rows when they start, so none can start
    /// after. A task that was cancelled before is left as it is, and its end is waited for.
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
        let task = tasks::get(&self.db, tenant, id).await?;
        let ids = match ended {
            Some(ids) => ids,
            None => self.below(tenant, task.root, id).await?,
        };
        let ran_here = self.stop_here(tenant, &ids).await;
        if self.stopped_elsewhere(tenant, task.root).await? || ran_here {
            self.metrics.stopped(tenant, self.now(), begun.elapsed());
        }
        self.work.notify_one();
        self.room.notify_waiters();
        if task.state != TaskState::Cancelled {
            return Err(Error::new(
                Code::FailedPrecondition,
                format!("the task is {} already", task.state),
            ));
        }
        Ok(task)
    }

    /// The tasks that were cancelled now, or `None` when the first one had ended before.
    async fn cancel_tree(
        &self,
        tenant: TenantId,
        id: TaskId,
        reason: &str,
    ) -> Result<Option<Vec<TaskId>>> {
        let mut unit = self.begin_unit().await?;
        let task = tasks::find_in(unit.tx(), tenant, id)
            .await?
            .ok_or_else(|| Error::not_found("task", id))?;
        // From the top down: what is locked can no longer make sub-tasks.
        let top = self.cancel_level(&mut unit, &task, &[id], reason).await?;
        if top.is_empty() {
            unit.rollback().await?;
            return Ok(None);
        }
        let mut ended = self.cancel_below(&mut unit, &task, reason).await?;
        let mut failed = Vec::new();
        for top in top.iter().filter(|top| top.parent.is_none()) {
            failed.extend(self.settle_dependents(&mut unit, top).await?);
        }
        // The root's event comes last: with it a watch ends.
        ended.extend(top);
        for task in &ended {
            unit.line_of(task, lines::of_ended(task)?);
        }
        let ids: Vec<TaskId> = ended.iter().map(|task| task.id).collect();
        self.commit(unit).await?;
        for task in ended.iter().chain(&failed) {
            self.metrics.ended(task);
            self.endings.tell(task);
        }
        Ok(Some(ids))
    }
}
