//! The end of a task.

use std::sync::Arc;

use serde_json::json;
use swarm_errors::Result;
use swarm_types::TaskId;

use super::live::Entry;
use super::persist::persist;
use super::{Engine, lines, outbox};
use crate::store::tasks::{self, Fence, Outcome};
use crate::store::{Unit, agents, steps, stops};
use crate::tasks::TaskRecord;

/// Why a task was cancelled with the one above it; a retry of that one tells it from a cancel.
pub(super) const ABOVE_HAS_ENDED: &str = "the task above it has ended";

impl Engine {
    /// Ends an open task with all that belongs to it, in one transaction: its agent's place, what
    /// is still open below it, its usage, and what other services are to be told. `None` when it
    /// had ended before, or another worker holds it.
    pub(super) async fn end_task(
        &self,
        fence: Fence,
        outcome: &Outcome,
    ) -> Result<Option<TaskRecord>> {
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        let Some(held) = tasks::end(unit.tx(), fence, outcome, now).await? else {
            unit.rollback().await?;
            return Ok(None);
        };
        let lost = self.follow_up(&mut unit, &held).await?;
        let mut task = held.record;
        let mut below = Vec::new();
        if held.child_count > 0 {
            below = self.cancel_below(&mut unit, &task, ABOVE_HAS_ENDED).await?;
            task.usage += tasks::add_child_usage(unit.tx(), &task).await?;
        }
        steps::mark_unknown(unit.tx(), task.tenant, &[task.id], now).await?;
        if let Some(agent) = task.agent {
            agents::free_slot(unit.tx(), task.tenant, agent, task.id, now).await?;
            agents::count_outcome(unit.tx(), task.tenant, agent, task.failure.is_none()).await?;
        }
        outbox::tell_of_end(&mut unit, &task).await?;
        for task in &below {
            unit.line_of(task, lines::of_ended(task)?);
        }
        // Last: with the root's end a watch ends.
        unit.line_of(&task, lines::of_ended(&task)?);
        self.commit(unit).await?;
        self.after_end(&task, &below);
        self.tell_lost(&lost);
        Ok(Some(task))
    }

    /// Cancels what is open below a task whose row this transaction has locked.
    pub(super) async fn cancel_below(
        &self,
        unit: &mut Unit,
        task: &TaskRecord,
        reason: &str,
    ) -> Result<Vec<TaskRecord>> {
        let mut ended = Vec::new();
        let mut level = vec![task.id];
        while !level.is_empty() {
            // A statement of its own, so that it sees every sub-task that was committed before
            // the rows above were locked.
            let nodes = tasks::tree_states_in(unit.tx(), task.tenant, task.root).await?;
            let next: Vec<TaskId> = nodes
                .iter()
                .filter(|node| level.contains(&node.parent) && !node.state.is_terminal())
                .map(|node| node.id)
                .collect();
            ended.extend(self.cancel_level(unit, task, &next, reason).await?);
            level = next;
        }
        Ok(ended)
    }

    /// Cancels the open ones among these tasks of one tree.
    pub(super) async fn cancel_level(
        &self,
        unit: &mut Unit,
        of: &TaskRecord,
        ids: &[TaskId],
        reason: &str,
    ) -> Result<Vec<TaskRecord>> {
        let now = unit.now();
        let ended = tasks::cancel(unit.tx(), of.tenant, ids, reason, now).await?;
        let ended: Vec<TaskRecord> = ended.into_iter().map(|held| held.record).collect();
        let ids: Vec<TaskId> = ended.iter().map(|task| task.id).collect();
        steps::mark_unknown(unit.tx(), of.tenant, &ids, now).await?;
        stops::want(unit.tx(), of.tenant, &ids, &self.leases.owner, now).await?;
        for task in &ended {
            if let Some(agent) = task.agent {
                agents::free_slot(unit.tx(), task.tenant, agent, task.id, now).await?;
            }
        }
        Ok(ended)
    }

    /// Counts, and stops what ran below.
    pub(super) fn after_end(&self, task: &TaskRecord, below: &[TaskRecord]) {
        self.metrics.ended(task);
        self.endings.tell(task);
        for task in below {
            self.metrics.ended(task);
            self.endings.tell(task);
            if let Some(entry) = self.live.get(task.tenant, task.id) {
                entry.cancel.cancel();
            }
        }
        if outbox::tells_others(task) {
            self.letters.notify_one();
        }
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// Gives a task back to the queue, because this process stops.
    pub(super) async fn hand_over(self: &Arc<Self>, entry: &Entry) -> Result<()> {
        persist(&entry.cancel, || self.release(entry.fence)).await
    }

    async fn release(&self, fence: Fence) -> Result<()> {
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        let Some(task) = tasks::release(unit.tx(), fence, now).await? else {
            return unit.rollback().await;
        };
        if let Some(agent) = task.agent {
            agents::free_slot(unit.tx(), task.tenant, agent, task.id, now).await?;
        }
        unit.event_of(
            &task,
            crate::tasks::TaskState::Queued.event(),
            json!({"why": "handed over"}),
        );
        self.commit(unit).await
    }
}
