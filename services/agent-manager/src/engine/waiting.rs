//! Waiting without taking up a worker's or an agent's place.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use swarm_errors::{Code, Error, Result};
use swarm_types::{AgentId, TaskId};
use tokio::sync::OwnedSemaphorePermit;

use super::TaskContext;
use super::failure::stopped;
use super::persist::persist;
use crate::agents::AgentRecord;
use crate::events::{Signal, Topic};
use crate::store::{agents, tasks};
use crate::tasks::{TaskRecord, TaskState, WaitingReason};

/// A safety net: room may come by ways that do not wake us.
const LOOK_FOR_ROOM: Duration = Duration::from_millis(200);

/// Where an attempt stands between running and waiting.
#[derive(Debug)]
pub(super) struct Waiting {
    state: Mutex<State>,
    /// One change between the two at a time.
    change: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// Waits that are open.
    depth: u32,
    /// Whether the task's row says that it waits.
    waits: bool,
    agent: Option<AgentId>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Waiting {
    pub(super) fn new(agent: Option<AgentId>, permit: OwnedSemaphorePermit) -> Self {
        let state = State {
            depth: 0,
            waits: false,
            agent,
            permit: Some(permit),
        };
        Self {
            state: Mutex::new(state),
            change: tokio::sync::Mutex::default(),
        }
    }

    /// Whether the task is an agent's.
    pub(super) fn has_agent(&self) -> bool {
        self.lock().agent.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open wait. When the executor gives it up, the next step finds the task waiting for nothing
/// and resumes it.
struct OpenWait<'a>(&'a Waiting);

impl Drop for OpenWait<'_> {
    fn drop(&mut self) {
        self.0.lock().depth -= 1;
    }
}

impl TaskContext {
    /// Waits for something in state `waiting`.
    pub(super) async fn wait<T>(
        &self,
        reason: WaitingReason,
        what: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let open = self.enter(reason).await?;
        let found = tokio::select! {
            biased;
            () = self.cancelled().cancelled() => Err(stopped("the attempt was stopped")),
            found = what => found,
            () = self.inner.engine.drained() => Err(self.hand_over()),
        };
        drop(open);
        let found = found?;
        self.resume_if_waiting().await?;
        Ok(found)
    }

    async fn enter(&self, reason: WaitingReason) -> Result<OpenWait<'_>> {
        let waiting = &self.inner.waiting;
        let _change = waiting.change.lock().await;
        waiting.lock().depth += 1;
        let open = OpenWait(waiting);
        if !waiting.lock().waits {
            persist(self.cancelled(), || self.write_wait(reason)).await?;
            let mut state = waiting.lock();
            state.waits = true;
            state.permit = None;
            self.inner.engine.work.notify_one();
            self.inner.engine.room.notify_waiters();
        }
        Ok(open)
    }

    async fn write_wait(&self, reason: WaitingReason) -> Result<()> {
        let engine = &self.inner.engine;
        let mut unit = engine.begin_unit().await?;
        let now = unit.now();
        let Some(task) = tasks::wait(unit.tx(), self.fence(), reason).await? else {
            return self.expect(unit, TaskState::Waiting).await;
        };
        if let Some(agent) = task.agent {
            agents::free_slot(unit.tx(), task.tenant, agent, task.id, now).await?;
        }
        unit.event_of(
            &task,
            TaskState::Waiting.event(),
            json!({"reason": reason.as_str()}),
        );
        engine.commit(unit).await
    }

    /// A change that found nothing to change is fine when it was made before and only its answer
    /// was lost.
    async fn expect(&self, mut unit: crate::store::Unit, state: TaskState) -> Result<()> {
        let fence = self.fence();
        let found = tasks::find_in(unit.tx(), fence.tenant, fence.task).await?;
        if found.is_some_and(|task| task.epoch == fence.epoch && task.state == state) {
            return unit.rollback().await;
        }
        self.inner.engine.refuse(unit, self).await
    }

    /// Makes a task that no longer waits run again, once there is room for it.
    pub(super) async fn resume_if_waiting(&self) -> Result<()> {
        let waiting = &self.inner.waiting;
        let _change = waiting.change.lock().await;
        let agent = {
            let state = waiting.lock();
            if state.depth > 0 || !state.waits {
                return Ok(());
            }
            state.agent
        };
        loop {
            let permit = self.take_worker().await?;
            if persist(self.cancelled(), || self.write_resume(agent)).await? {
                let mut state = waiting.lock();
                state.waits = false;
                state.permit = Some(permit);
                return Ok(());
            }
            // Others have room: the worker is theirs meanwhile.
            drop(permit);
            self.inner.engine.work.notify_one();
            self.wait_for_room().await?;
        }
    }

    async fn take_worker(&self) -> Result<OwnedSemaphorePermit> {
        let engine = &self.inner.engine;
        tokio::select! {
            biased;
            () = self.cancelled().cancelled() => Err(stopped("the attempt was stopped")),
            permit = engine.workers.clone().acquire_owned() => permit.map_err(Error::internal),
            () = engine.drained() => Err(self.hand_over()),
        }
    }

    /// Says whether pool and agent had room. What is under way goes on also while the agent is paused.
    async fn write_resume(&self, agent: Option<AgentId>) -> Result<bool> {
        let engine = &self.inner.engine;
        let mut unit = engine.begin_unit().await?;
        let (pool, fence) = (&self.task().spec.pool, self.fence());
        if !engine.may_go_on(&mut unit, pool, fence).await? {
            engine.commit(unit).await?;
            return Ok(false);
        }
        let Some(task) = tasks::resume(unit.tx(), fence).await? else {
            return self.expect(unit, TaskState::Running).await.map(|()| true);
        };
        engine
            .hold_places(&mut unit, std::slice::from_ref(&task))
            .await?;
        if let Some(agent) = agent {
            if agents::lock(unit.tx(), task.tenant, agent).await?.free == 0 {
                unit.rollback().await?;
                return Ok(false);
            }
            agents::take_slot(unit.tx(), task.tenant, agent, task.id).await?;
        }
        unit.event_of(
            &task,
            "task.resumed",
            json!({"attempt": task.attempt, "epoch": task.epoch}),
        );
        engine.commit(unit).await?;
        Ok(true)
    }

    async fn wait_for_room(&self) -> Result<()> {
        let engine = &self.inner.engine;
        tokio::select! {
            biased;
            () = self.cancelled().cancelled() => Err(stopped("the attempt was stopped")),
            () = engine.notified(&engine.room, LOOK_FOR_ROOM) => Ok(()),
            () = engine.drained() => Err(self.hand_over()),
        }
    }

    pub(super) async fn take_agent(&self, agent: AgentId) -> Result<AgentRecord> {
        loop {
            if let Some(agent) = persist(self.cancelled(), || self.write_agent(agent)).await? {
                self.inner.waiting.lock().agent = Some(agent.id);
                return Ok(agent);
            }
            self.wait_for_room().await?;
        }
    }

    /// `None` while the agent has no room.
    async fn write_agent(&self, id: AgentId) -> Result<Option<AgentRecord>> {
        let engine = &self.inner.engine;
        let mut unit = engine.begin_unit().await?;
        let tenant = self.task().tenant;
        let Some(task) = tasks::assign(unit.tx(), self.fence(), id).await? else {
            let found = tasks::find_in(unit.tx(), tenant, self.task().id).await?;
            if found.is_some_and(|task| task.epoch == self.fence().epoch && task.agent == Some(id))
            {
                unit.rollback().await?;
                return agents::get(&engine.db, tenant, id).await.map(Some);
            }
            return engine.refuse(unit, self).await;
        };
        let room = agents::lock(unit.tx(), tenant, id).await?;
        if room.state.is_ending() {
            unit.rollback().await?;
            return Err(Error::new(
                Code::FailedPrecondition,
                format!("agent {id} is {}", room.state),
            ));
        }
        if !room.takes_one_more() {
            unit.rollback().await?;
            return Ok(None);
        }
        let agent = engine.occupy(&mut unit, &task, id).await?;
        unit.event_of(&task, "task.assigned", json!({"agent_id": id}));
        engine.commit(unit).await?;
        Ok(Some(agent))
    }

    pub(super) async fn wait_for_tasks(&self, ids: &[TaskId]) -> Result<Vec<TaskRecord>> {
        let engine = &self.inner.engine;
        let task = self.task();
        // Before the first look, so that no end falls in between.
        let mut signals = engine.hub.subscribe(Topic::Tree(task.tenant, task.root));
        if !self.have_ended(ids).await? {
            let ended = async {
                loop {
                    match tokio::time::timeout(engine.config.poll, signals.next()).await {
                        Ok(Some(Signal::Committed { task, ended }))
                            if !(ended && ids.contains(&task)) => {}
                        Ok(Some(Signal::Ephemeral(_))) => {}
                        // One of them has ended, signals were missed, or it is time to look anyway.
                        Ok(_) | Err(_)
                            if persist(self.cancelled(), || self.have_ended(ids)).await? =>
                        {
                            return Ok(());
                        }
                        Ok(_) | Err(_) => {}
                    }
                }
            };
            self.wait(WaitingReason::SubTasks, ended).await?;
        }
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.push(
                persist(self.cancelled(), || {
                    tasks::get(&engine.db, task.tenant, *id)
                })
                .await?,
            );
        }
        Ok(found)
    }

    async fn have_ended(&self, ids: &[TaskId]) -> Result<bool> {
        let task = self.task();
        let nodes = tasks::tree_states(&self.inner.engine.db, task.tenant, task.root).await?;
        for id in ids {
            let node = nodes
                .iter()
                .find(|node| node.id == *id)
                .ok_or_else(|| Error::not_found("sub-task", id))?;
            if !node.state.is_terminal() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
