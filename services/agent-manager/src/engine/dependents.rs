//! What the end of a task means for those that wait for it.

use std::sync::Arc;

use serde_json::json;
use swarm_errors::{Code, Result};

use super::Engine;
use super::lines;
use super::step::short_text;
use crate::store::Unit;
use crate::store::tasks::{self, FailedDependent, Fence, Held, Outcome, Settled};
use crate::tasks::{DependencyState, TaskFailure, TaskRecord, TaskState};

impl Engine {
    /// Follows up the end of a task, within its transaction: a dead letter is put onto the list,
    /// those that wait for the task are queued when it was the last one they waited for, and fail
    /// when it did not complete. Returns those that failed.
    ///
    /// A transaction of its own may do the same later; the sweep does it when nobody else has.
    pub(super) async fn follow_up(&self, unit: &mut Unit, ended: &Held) -> Result<Vec<TaskRecord>> {
        let task = &ended.record;
        if task.state == TaskState::DeadLettered {
            let now = unit.now();
            tasks::mark_dead(unit.tx(), task.tenant, task.id, now).await?;
        }
        if ended.dependent_count == 0 {
            return Ok(Vec::new());
        }
        settle(unit, task).await
    }

    /// As [`Self::follow_up`], for those who do not know whether anyone waits.
    pub(super) async fn settle_dependents(
        &self,
        unit: &mut Unit,
        ended: &TaskRecord,
    ) -> Result<Vec<TaskRecord>> {
        settle(unit, ended).await
    }

    /// The safety net of [`Self::follow_up`]: ends whose followers were not told.
    pub(super) async fn settle_abandoned(&self) -> Result<()> {
        for (tenant, id) in tasks::abandoned_dependencies(&self.db).await? {
            let failed = self
                .db
                .retry(|| async {
                    let mut unit = self.begin_unit().await?;
                    let failed = match tasks::find_in(unit.tx(), tenant, id).await? {
                        Some(task) if task.state.is_terminal() => settle(&mut unit, &task).await?,
                        _ => Vec::new(),
                    };
                    self.commit(unit).await?;
                    Ok(failed)
                })
                .await?;
            self.tell_lost(&failed);
            self.work.notify_one();
        }
        Ok(())
    }

    /// Counts those that failed with another task, once that is committed, and tells who waits for them.
    pub(super) fn tell_lost(&self, failed: &[TaskRecord]) {
        for task in failed {
            self.metrics.ended(task);
            self.endings.tell(task);
        }
    }

    /// Fails those that still wait for others at their deadline.
    pub(super) async fn end_overdue_dependents(self: &Arc<Self>) -> Result<()> {
        let outcome = Outcome::Failed(TaskFailure {
            code: Code::DeadlineExceeded.as_str().to_owned(),
            detail: "the task's deadline has passed while it waited for others".to_owned(),
        });
        for task in tasks::overdue_dependents(&self.db, self.now()).await? {
            let fence = Fence::from(&task);
            self.db.retry(|| self.end_task(fence, &outcome)).await?;
        }
        Ok(())
    }
}

async fn settle(unit: &mut Unit, ended: &TaskRecord) -> Result<Vec<TaskRecord>> {
    let state = DependencyState::from(ended.state);
    let settled = tasks::settle(unit.tx(), ended.tenant, &[ended.id], state).await?;
    if settled.is_empty() {
        return Ok(Vec::new());
    }
    if state == DependencyState::Completed {
        release(unit, ended, &settled).await?;
        return Ok(Vec::new());
    }
    fail_all(unit, ended, settled).await
}

async fn release(unit: &mut Unit, ended: &TaskRecord, settled: &[Settled]) -> Result<()> {
    let (tenant, now) = (ended.tenant, unit.now());
    let waiting: Vec<_> = settled.iter().map(|one| one.dependent).collect();
    let counted = tasks::count_down(unit.tx(), tenant, &waiting).await?;
    let free: Vec<_> = counted
        .iter()
        .filter(|task| task.open_dependencies == 0)
        .map(|task| (task.id, task.spec.not_before.unwrap_or(now).max(now)))
        .collect();
    for task in tasks::queue_released(unit.tx(), tenant, &free).await? {
        let why = "all that it depends on has completed";
        unit.event_of(
            &task,
            TaskState::Queued.event(),
            json!({"why": why, "at": task.ready_at}),
        );
    }
    Ok(())
}

/// Those that wait, those that wait for them, and so on.
async fn fail_all(
    unit: &mut Unit,
    ended: &TaskRecord,
    settled: Vec<Settled>,
) -> Result<Vec<TaskRecord>> {
    let (tenant, now) = (ended.tenant, unit.now());
    let mut all: Vec<TaskRecord> = Vec::new();
    let mut level = vec![ended.clone()];
    let mut settled = settled;
    while !settled.is_empty() {
        let mut doomed: Vec<FailedDependent> = settled
            .iter()
            .map(|one| FailedDependent {
                id: one.dependent,
                detail: words(one, &level),
            })
            .collect();
        // A task may wait for two that end together; one of them is reason enough.
        doomed.sort_by_key(|task| task.id);
        doomed.dedup_by_key(|task| task.id);
        level = tasks::fail_dependents(unit.tx(), tenant, &doomed, now).await?;
        for task in &level {
            unit.line_of(task, lines::of_ended(task)?);
        }
        let ids: Vec<_> = level.iter().map(|task| task.id).collect();
        settled = tasks::settle(unit.tx(), tenant, &ids, DependencyState::Lost).await?;
        all.extend(level.iter().cloned());
    }
    Ok(all)
}

/// Names the predecessor, and says why it did not complete.
fn words(one: &Settled, level: &[TaskRecord]) -> String {
    let name = match one.name.as_str() {
        "" => one.predecessor.to_string(),
        name => format!("{name} ({})", one.predecessor),
    };
    let task = level.iter().find(|task| task.id == one.predecessor);
    let state = task.map_or("ended", |task| task.state.as_str());
    let why = task.and_then(|task| task.failure.as_ref());
    let why = why.map_or_else(String::new, |failure| {
        format!(": {}", short_text(&failure.detail))
    });
    format!("it depends on {name}, which is {state}{why}")
}
