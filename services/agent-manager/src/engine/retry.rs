//! Failed tasks are tried again: by their policy, or by hand.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use swarm_errors::{Code, Error, Result};
use swarm_types::{TaskId, TenantId, Timestamp};

use super::Engine;
use super::batch::just_being_made;
use super::end::ABOVE_HAS_ENDED;
use crate::store::idempotency::{self, RequestKey};
use crate::store::tasks::{self, Fence, Outcome, Revive};
use crate::store::{Unit, agents};
use crate::tasks::{AfterFailure, DependencyState, TaskFailure, TaskRecord, TaskState, deadline};

const OPERATION: &str = "retry_task";

/// A retry by hand.
#[derive(Debug, Clone)]
pub struct Again {
    /// Whose task it is.
    pub tenant: TenantId,
    /// Names the write.
    pub request: Option<RequestKey>,
    /// The task.
    pub id: TaskId,
    /// `None` means 24 hours from now.
    pub deadline: Option<Timestamp>,
}

/// What becomes of a task whose attempt has failed.
#[derive(Debug)]
pub(super) enum Failed {
    End(Outcome),
    Again(Timestamp, TaskFailure),
}

impl Engine {
    /// Decides by the task's policy. Sub-tasks are tried again with their root.
    pub(super) fn after_failure(&self, task: &TaskRecord, error: &Error) -> Failed {
        let mut failure = TaskFailure::from(error);
        if task.parent.is_some() {
            return Failed::End(Outcome::Failed(failure));
        }
        let made = task.attempt.saturating_sub(task.attempt_base);
        let policy = &task.spec.retry;
        let chance = rand::random();
        match policy.after(made, &failure.code, error.retry_after(), chance) {
            AfterFailure::Permanent => Failed::End(Outcome::Failed(failure)),
            AfterFailure::Exhausted => Failed::End(Outcome::DeadLettered(failure)),
            AfterFailure::Again(pause) => {
                let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
                let at = self.now().checked_add_signed(pause);
                match at.filter(|at| *at < task.deadline) {
                    Some(at) => Failed::Again(at, failure),
                    None => {
                        let why = "no other attempt fits in before the deadline";
                        failure.detail = format!("{}; {why}", failure.detail);
                        Failed::End(Outcome::DeadLettered(failure))
                    }
                }
            }
        }
    }

    /// Puts a task back into the queue until `at`. What its journal has as finished stays, and so
    /// do the sub-tasks that run or have completed; those that failed are tried again with it.
    pub(super) async fn try_again(
        &self,
        fence: Fence,
        at: Timestamp,
        failure: &TaskFailure,
    ) -> Result<()> {
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        let Some(task) = tasks::try_again(unit.tx(), fence, at, failure).await? else {
            // Another worker has it, or it is written already and only the answer was lost.
            return unit.rollback().await;
        };
        if let Some(agent) = task.agent {
            agents::free_slot(unit.tx(), task.tenant, agent, task.id, now).await?;
        }
        let policy = &task.spec.retry;
        revive_below(&mut unit, &task, at, |failure| {
            policy.retries(&failure.code)
        })
        .await?;
        unit.event_of(
            &task,
            "task.retried",
            retried(&task, "policy", Some(failure)),
        );
        self.commit(unit).await?;
        self.due.expect(Some(at));
        self.work.notify_one();
        Ok(())
    }

    /// Runs a failed or dead-lettered root task again, from its journal and with fresh attempts. A
    /// step that must not be repeated and whose end is unknown still refuses to be.
    ///
    /// # Errors
    /// `not_found`; `failed_precondition` when it has not failed, or what it depends on has;
    /// `invalid_argument` for a sub-task, or a deadline that makes no sense.
    pub async fn retry(self: &Arc<Self>, again: Again) -> Result<TaskRecord> {
        if let Some(known) = self.retried(&again).await? {
            return Ok(known);
        }
        let task = self.db.retry(|| self.retry_once(&again)).await?;
        self.work.notify_one();
        match task {
            Some(task) => tasks::get(&self.db, task.tenant, task.id).await,
            None => self.retried(&again).await?.ok_or_else(just_being_made),
        }
    }

    async fn retried(&self, again: &Again) -> Result<Option<TaskRecord>> {
        let request = again.request.as_ref();
        match idempotency::find(&self.db, again.tenant, request, OPERATION).await? {
            Some(id) => tasks::get(&self.db, again.tenant, TaskId::from_uuid(id))
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    async fn retry_once(&self, again: &Again) -> Result<Option<TaskRecord>> {
        let mut unit = self.begin_unit().await?;
        let (tenant, now) = (again.tenant, unit.now());
        let request = again.request.as_ref();
        let answer = again.id.uuid();
        if !idempotency::insert(unit.tx(), tenant, request, OPERATION, answer, now).await? {
            unit.rollback().await?;
            return Ok(None);
        }
        let task = tasks::find_in(unit.tx(), tenant, again.id)
            .await?
            .ok_or_else(|| Error::not_found("task", again.id))?;
        if task.parent.is_some() {
            return Err(Error::invalid("id", "is a sub-task: retry its root"));
        }
        if !matches!(task.state, TaskState::Failed | TaskState::DeadLettered) {
            return Err(refused(format!("the task is {}", task.state)));
        }
        let open = reopen_dependencies(&mut unit, &task).await?;
        let revive = Revive {
            id: task.id,
            epoch: task.epoch,
            ready: now,
            deadline: deadline(again.deadline, now)?,
            fresh: true,
        };
        let revived = tasks::revive(unit.tx(), tenant, &[revive]).await?;
        let Some(task) = revived.into_iter().next() else {
            return Err(refused(
                "somebody else has just retried the task".to_owned(),
            ));
        };
        tasks::subtract_child_usage(unit.tx(), &task).await?;
        revive_below(&mut unit, &task, now, |_| true).await?;
        if open > 0 {
            tasks::hold_back(unit.tx(), &task, open).await?;
        }
        unit.event_of(&task, "task.retried", retried(&task, "hand", None));
        self.commit(unit).await?;
        Ok(Some(task))
    }
}

/// Looks again at what goes before a task, and says how much of it has not ended.
async fn reopen_dependencies(unit: &mut Unit, task: &TaskRecord) -> Result<usize> {
    let mut dependencies = tasks::dependencies_of(unit.tx(), task.tenant, task.id).await?;
    dependencies.sort_by_key(|one| one.predecessor);
    let locks: Vec<_> = dependencies
        .iter()
        .map(|one| (one.predecessor, 0))
        .collect();
    let found = tasks::lock_predecessors(unit.tx(), task.tenant, &locks).await?;
    let mut open = 0;
    for mut dependency in dependencies {
        let id = dependency.predecessor;
        let Some(before) = found.iter().find(|one| one.id == id) else {
            return Err(refused(format!("it depends on {id}, which was purged")));
        };
        dependency.state = before.state.into();
        match dependency.state {
            DependencyState::Completed => {}
            DependencyState::Open => open += 1,
            DependencyState::Lost => {
                let words = format!("it depends on {id}, which is {}", before.state);
                return Err(refused(format!("{words}: retry that one first")));
            }
        }
        tasks::reopen(unit.tx(), task.tenant, &dependency).await?;
    }
    Ok(open)
}

/// Queues sub-tasks again: those that failed in a way that `may` allows, those that were cancelled
/// with the end of the one above them, and so on downwards.
async fn revive_below(
    unit: &mut Unit,
    top: &TaskRecord,
    ready: Timestamp,
    may: impl Fn(&TaskFailure) -> bool,
) -> Result<()> {
    let mut revived: HashSet<TaskId> = [top.id].into();
    let mut chosen = Vec::new();
    // As they were made: what is above comes first.
    for task in tasks::tree_in(unit.tx(), top.tenant, top.root).await? {
        let Some(failure) = &task.failure else {
            continue;
        };
        let is_below = task.parent.is_some_and(|parent| revived.contains(&parent));
        let may = match task.state {
            TaskState::Failed | TaskState::DeadLettered => may(failure),
            TaskState::Cancelled => failure.detail == ABOVE_HAS_ENDED,
            _ => false,
        };
        if is_below && may {
            revived.insert(task.id);
            chosen.push(task);
        }
    }
    for task in &chosen {
        tasks::subtract_child_usage(unit.tx(), task).await?;
    }
    let revives: Vec<Revive> = chosen
        .iter()
        .map(|task| Revive {
            id: task.id,
            epoch: task.epoch,
            ready,
            deadline: top.deadline,
            fresh: false,
        })
        .collect();
    for task in tasks::revive(unit.tx(), top.tenant, &revives).await? {
        unit.event_of(&task, "task.retried", retried(&task, "root", None));
    }
    Ok(())
}

fn retried(task: &TaskRecord, by: &str, failure: Option<&TaskFailure>) -> serde_json::Value {
    json!({"attempt": task.attempt, "by": by, "at": task.ready_at, "error": failure})
}

fn refused(words: String) -> Error {
    Error::new(Code::FailedPrecondition, words)
}
