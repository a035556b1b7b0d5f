//! What an executor may do with its task.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use swarm_errors::{Error, Result};
use swarm_runtime::CancellationToken;
use swarm_types::{AgentId, MessageId, TaskId};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;

use super::failure::stopped;
use super::persist::persist;
use super::step::{Attempt, Begun, Finish};
use super::telling::{Telling, Unborn};
use super::waiting::Waiting;
use super::{Engine, StepHandle, is_outcome_unknown, is_stopped};
use crate::agents::AgentRecord;
use crate::events::NewEvent;
use crate::journal::{StepDone, StepSpec};
use crate::messages::MessageRecord;
use crate::store::tasks::{Advance, Fence};
use crate::store::{agents, messages, tasks};
use crate::tasks::{TaskRecord, WaitingReason, child_task_id, step_id};

/// One live attempt of one task. Clones share it.
#[derive(Clone)]
pub struct TaskContext {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) engine: Arc<Engine>,
    task: TaskRecord,
    agent: Option<AgentRecord>,
    fence: Fence,
    cancelled: CancellationToken,
    pub(super) waiting: Waiting,
    pub(super) telling: Telling,
    handed_over: AtomicBool,
    /// Keys of steps that run now.
    open_steps: Mutex<HashSet<String>>,
}

impl fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext")
            .field("task", &self.inner.task.id)
            .finish_non_exhaustive()
    }
}

impl TaskContext {
    pub(super) fn new(
        engine: Arc<Engine>,
        task: TaskRecord,
        agent: Option<AgentRecord>,
        cancelled: CancellationToken,
        permit: OwnedSemaphorePermit,
        unborn: Option<Unborn>,
    ) -> Self {
        let inner = Inner {
            engine,
            fence: Fence::from(&task),
            waiting: Waiting::new(task.agent, permit),
            telling: Telling::new(&task, unborn),
            task,
            agent,
            cancelled,
            handed_over: AtomicBool::new(false),
            open_steps: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(super) fn fence(&self) -> Fence {
        self.inner.fence
    }

    pub(super) fn is_handed_over(&self) -> bool {
        self.inner.handed_over.load(Ordering::Acquire)
    }

    /// The error of whoever must stop because this process does.
    pub(super) fn hand_over(&self) -> Error {
        self.inner.handed_over.store(true, Ordering::Release);
        stopped("the task is handed over")
    }

    /// The task, as it was when this attempt began.
    #[must_use]
    pub fn task(&self) -> &TaskRecord {
        &self.inner.task
    }

    /// The agent that the task is assigned to, as it was when this attempt began.
    #[must_use]
    pub fn assigned_agent(&self) -> Option<&AgentRecord> {
        self.inner.agent.as_ref()
    }

    /// Cancelled when this attempt must end at once: cancel, lost lease, deadline or hard stop.
    #[must_use]
    pub fn cancelled(&self) -> &CancellationToken {
        &self.inner.cancelled
    }

    /// The id of the sub-task at `place` among those that the step `step_key` made.
    #[must_use]
    pub fn child_id(&self, step_key: &str, place: usize) -> TaskId {
        child_task_id(self.inner.task.id, step_key, place)
    }

    /// Takes a step. What the journal has as finished is returned from there, and `work` is not
    /// called. Otherwise the start is committed, `work` runs (and is dropped when the attempt must
    /// end), and its result, usage, events, messages and sub-tasks are committed in one transaction.
    /// A free step of a task that is not stored yet does not wait for the commit of its start.
    ///
    /// A failed `work` is journaled as failed; the next call of the same key is its next attempt.
    /// A `work` that fails by [`super::outcome_unknown`] has no next attempt.
    /// While the database is away the step waits for it.
    ///
    /// # Errors
    /// Those of `work`; [`is_stopped`] when the attempt is over: pass it on;
    /// [`super::is_outcome_unknown`].
    pub async fn step<T, F, Fut>(&self, spec: StepSpec, work: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned + Send,
        F: FnOnce(StepHandle) -> Fut + Send,
        Fut: Future<Output = Result<StepDone<T>>> + Send,
    {
        let span = tracing::info_span!(
            "step",
            otel.name = %format_args!("step {}", spec.key),
            step.kind = spec.kind.as_str(),
            step.name = %spec.name,
        );
        self.journaled(spec, work).instrument(span).await
    }

    async fn journaled<T, F, Fut>(&self, spec: StepSpec, work: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned + Send,
        F: FnOnce(StepHandle) -> Fut + Send,
        Fut: Future<Output = Result<StepDone<T>>> + Send,
    {
        let _open = self.open(&spec.key)?;
        let id = step_id(self.task().id, &spec.key);
        self.go_on().await?;
        let number = match self.begin_step(&spec).await? {
            Begun::Stored(result) => {
                return serde_json::from_value(result).map_err(Error::internal);
            }
            Begun::Started(number) => number,
        };
        let step = Attempt {
            spec: &spec,
            id,
            number,
        };
        let done = tokio::select! {
            biased;
            () = self.cancelled().cancelled() => return Err(stopped("the attempt was stopped")),
            done = work(StepHandle::new(self.clone(), step)) => done,
        };
        let taken = match done {
            Ok(done) => self.finish(step, done).await,
            Err(error) => Err(error),
        };
        match &taken {
            Err(error) if is_outcome_unknown(error) => self.mark_unknown(step)?,
            Err(error) if !is_stopped(error) => self.fail_step(step, error)?,
            _ => {}
        }
        taken
    }

    async fn finish<T: Serialize>(&self, step: Attempt<'_>, done: StepDone<T>) -> Result<T> {
        let StepDone {
            result,
            usage,
            events,
            send,
            consume,
            children,
        } = done;
        let engine = &self.inner.engine;
        let what = format!("the result of step {}", step.spec.key);
        let finish = Finish {
            result: engine.within_bounds(&what, &result)?,
            message_ids: send.iter().map(|_| MessageId::new()).collect(),
            rest: StepDone {
                result: (),
                usage,
                events,
                send,
                consume,
                children,
            },
        };
        self.finish_step(step, finish).await?;
        Ok(result)
    }

    /// Before something new begins: a process that stops hands the task over, and a task that has
    /// waited is running again.
    async fn go_on(&self) -> Result<()> {
        if self.cancelled().is_cancelled() {
            return Err(stopped("the attempt was stopped"));
        }
        if self.inner.engine.is_draining() {
            return Err(self.hand_over());
        }
        self.resume_if_waiting().await
    }

    /// Two calls of one key at the same time would be one step with two results.
    fn open(&self, key: &str) -> Result<OpenStep> {
        let mut open = self
            .inner
            .open_steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !open.insert(key.to_owned()) {
            return Err(Error::internal(format!("step {key} is running already")));
        }
        Ok(OpenStep {
            context: self.clone(),
            key: key.to_owned(),
        })
    }

    /// Waits until all of these tasks have ended, in state `waiting` for `sub_tasks` and without
    /// taking up a worker's place. Returns them in the order asked for.
    ///
    /// # Errors
    /// [`is_stopped`] when the attempt is over; `not_found`.
    pub async fn await_tasks(&self, ids: &[TaskId]) -> Result<Vec<TaskRecord>> {
        self.go_on().await?;
        self.settle_up().await?;
        self.wait_for_tasks(ids).await
    }

    /// Waits for a while, in state `waiting` for this reason, then goes on.
    ///
    /// # Errors
    /// [`is_stopped`] when the attempt is over.
    pub async fn park(&self, reason: WaitingReason, pause: Duration) -> Result<()> {
        self.go_on().await?;
        self.settle_up().await?;
        let pause = async {
            tokio::time::sleep(pause).await;
            Ok(())
        };
        self.wait(reason, pause).await
    }

    /// The agent's pending messages within this task's tree, the oldest first, at most 100.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn inbox(&self, agent: AgentId) -> Result<Vec<MessageRecord>> {
        let task = self.task();
        messages::inbox_of_tree(&self.inner.engine.db, task.tenant, task.root, agent).await
    }

    /// Tells something at once, outside a step: after a crash it may be told again.
    ///
    /// # Errors
    /// [`is_stopped`] when the attempt is over.
    pub async fn emit(&self, event: NewEvent) -> Result<()> {
        self.settle_up().await?;
        let engine = &self.inner.engine;
        persist(self.cancelled(), || async {
            let mut unit = engine.begin_unit().await?;
            let by = Advance {
                events: 1,
                ..Advance::default()
            };
            let Some((seq, _)) = tasks::advance(unit.tx(), self.fence(), by).await? else {
                return engine.refuse(unit, self).await;
            };
            unit.event(
                self.task().tenant,
                self.task().id,
                self.task().root,
                seq,
                event.clone(),
            );
            engine.commit(unit).await
        })
        .await
    }

    /// An agent of this tenant, also a stopped one.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn agent(&self, id: AgentId) -> Result<AgentRecord> {
        agents::get(&self.inner.engine.db, self.task().tenant, id).await
    }

    /// Agents that take work: of `members` when there are any (in their order), else of `pool`, or
    /// of every pool when that is empty (in the order of their making), at most 100.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn eligible_agents(
        &self,
        pool: &str,
        members: &[AgentId],
    ) -> Result<Vec<AgentRecord>> {
        self.inner
            .engine
            .eligible_agents(self.task().tenant, pool, members)
            .await
    }

    /// Assigns the task, which had no agent, to this one, and waits until that has room. After a
    /// crash [`Self::assigned_agent`] has it, so choose in a step and assign what was chosen.
    ///
    /// # Errors
    /// `failed_precondition` when the agent takes no work; [`is_stopped`].
    pub async fn assign(&self, agent: AgentId) -> Result<AgentRecord> {
        self.go_on().await?;
        self.settle_up().await?;
        self.take_agent(agent).await
    }
}

/// Keeps a step's key taken while it runs.
struct OpenStep {
    context: TaskContext,
    key: String,
}

impl Drop for OpenStep {
    fn drop(&mut self) {
        self.context
            .inner
            .open_steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
