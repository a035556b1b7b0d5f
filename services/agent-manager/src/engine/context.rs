//! What an executor may do with its task.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use swarm_errors::{Code, Error, Result};
use swarm_runtime::CancellationToken;
use swarm_types::{AgentId, StepId, TaskId};

use crate::agents::AgentRecord;
use crate::events::NewEvent;
use crate::journal::{StepDone, StepSpec};
use crate::messages::MessageRecord;
use crate::tasks::{TaskRecord, WaitingReason};

/// One live attempt of one task. Clones share it.
#[derive(Debug, Clone)]
pub struct TaskContext {
    task: TaskRecord,
    agent: Option<AgentRecord>,
    cancelled: CancellationToken,
}

/// A step whose start is committed. Clones share it.
#[derive(Debug, Clone)]
pub struct StepHandle {
    id: StepId,
    attempt: u32,
    token: String,
    cancelled: CancellationToken,
}

impl TaskContext {
    /// The task, as it was when this attempt began.
    #[must_use]
    pub const fn task(&self) -> &TaskRecord {
        &self.task
    }

    /// The agent that the task is assigned to, as it was when this attempt began.
    #[must_use]
    pub const fn assigned_agent(&self) -> Option<&AgentRecord> {
        self.agent.as_ref()
    }

    /// Cancelled when this attempt must end at once: cancel, lost lease, deadline or hard stop.
    #[must_use]
    pub const fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Takes a step. What the journal has as finished is returned from there, and `work` is not
    /// called. Otherwise the start is committed, `work` runs (and is dropped when the attempt must
    /// end), and its result, usage, events, messages and sub-tasks are committed in one transaction.
    ///
    /// A failed `work` is journaled as failed; the next call of the same key is its next attempt.
    ///
    /// # Errors
    /// Those of `work`; [`super::is_stopped`] when the attempt is over; [`super::is_outcome_unknown`].
    pub async fn step<T, F, Fut>(&self, spec: StepSpec, work: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned + Send,
        F: FnOnce(StepHandle) -> Fut + Send,
        Fut: Future<Output = Result<StepDone<T>>> + Send,
    {
        let handle = StepHandle {
            id: crate::tasks::step_id(self.task.id, &spec.key),
            attempt: 1,
            token: String::new(),
            cancelled: self.cancelled.clone(),
        };
        Ok(work(handle).await?.result)
    }

    /// Waits until all of these tasks have ended, in state `waiting` for `sub_tasks` and without
    /// taking up a worker's place. Returns them in the order asked for.
    ///
    /// # Errors
    /// [`super::is_stopped`] when the attempt is over; `not_found`.
    pub async fn await_tasks(&self, ids: &[TaskId]) -> Result<Vec<TaskRecord>> {
        let _ = ids;
        Err(not_yet())
    }

    /// Waits for a while, in state `waiting` for this reason, then goes on.
    ///
    /// # Errors
    /// [`super::is_stopped`] when the attempt is over.
    pub async fn park(&self, reason: WaitingReason, pause: Duration) -> Result<()> {
        let _ = (reason, pause);
        Err(not_yet())
    }

    /// The agent's pending messages within this task's tree, the oldest first, at most 100.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn inbox(&self, agent: AgentId) -> Result<Vec<MessageRecord>> {
        let _ = agent;
        Err(not_yet())
    }

    /// Tells something at once, outside a step: after a crash it may be told again.
    ///
    /// # Errors
    /// [`super::is_stopped`] when the attempt is over.
    pub async fn emit(&self, event: NewEvent) -> Result<()> {
        let _ = event;
        Err(not_yet())
    }

    /// An agent of this tenant, also a stopped one.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn agent(&self, id: AgentId) -> Result<AgentRecord> {
        let _ = id;
        Err(not_yet())
    }

    /// Agents that take work: of `members` when there are any (in their order), else of `pool`, or
    /// of every pool when that is empty (in the order of their making).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn eligible_agents(&self, pool: &str, members: &[AgentId]) -> Result<Vec<AgentRecord>> {
        let _ = (pool, members);
        Err(not_yet())
    }

    /// Assigns the task, which had no agent, to this one, and waits until that has room. After a
    /// crash [`Self::assigned_agent`] has it, so choose in a step and assign what was chosen.
    ///
    /// # Errors
    /// `failed_precondition` when the agent takes no work; [`super::is_stopped`].
    pub async fn assign(&self, agent: AgentId) -> Result<AgentRecord> {
        let _ = agent;
        Err(not_yet())
    }

    /// The id of the sub-task at `place` among those that the step `step_key` made.
    #[must_use]
    pub fn child_id(&self, step_key: &str, place: usize) -> TaskId {
        crate::tasks::child_task_id(self.task.id, step_key, place)
    }
}

impl StepHandle {
    /// The step's id; it follows from the task and the step's key.
    #[must_use]
    pub const fn id(&self) -> StepId {
        self.id
    }

    /// From 1; one more after each recorded failure.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// `task/step/attempt`: what an outside service may deduplicate by. A take-over repeats it.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Cancelled when the attempt must end at once.
    #[must_use]
    pub const fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Shows a piece of the text that is being written to whoever watches. It is not stored.
    pub fn emit_token(&self, text: &str) {
        let _ = text;
    }
}

fn not_yet() -> Error {
    Error::new(Code::Internal, "the engine is being built")
}
