//! Submissions.

use std::sync::Arc;

use serde_json::json;
use swarm_errors::{Code, Error, Result};
use swarm_telemetry::propagate;
use swarm_types::{AgentId, Priority, TaskId, TenantId, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Engine;
use super::attempt::Hold;
use super::batch::just_being_made;
use super::lease::Ticket;
use super::telling::Unborn;
use crate::agents::AgentRecord;
use crate::events::NewEvent;
use crate::store::changes::{Birth, Line, Told};
use crate::store::idempotency::{self, RequestKey};
use crate::store::tasks::{self, Insert};
use crate::store::{Unit, agents, leases};
use crate::tasks::{TaskRecord, TaskSpec, TaskState, Usage, deadline};

const OPERATION: &str = "submit_task";

/// A root task to be.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Whose it is.
    pub tenant: TenantId,
    /// Names the write, so that its repeat finds the first one's task.
    pub request: Option<RequestKey>,
    /// What is wanted.
    pub spec: TaskSpec,
    /// How urgent it is.
    pub priority: Priority,
    /// It ends by then; `None` means 24 hours from now.
    pub deadline: Option<Timestamp>,
}

impl Engine {
    /// Accepts a task: once this has answered, the task ends, whatever happens. With room in this
    /// process it is inserted as already taken, and no claim runs.
    ///
    /// # Errors
    /// `invalid_argument` that names the field, `idempotency_mismatch`, `unavailable`.
    pub async fn submit(self: &Arc<Self>, submission: Submission) -> Result<TaskRecord> {
        self.submit_as(TaskId::new(), submission).await
    }

    /// As [`Self::submit`], under an id that whoever waits for the end knows beforehand.
    pub(super) async fn submit_as(
        self: &Arc<Self>,
        id: TaskId,
        submission: Submission,
    ) -> Result<TaskRecord> {
        // A key that is taken and then not found was forgotten in between, and is free again.
        for _ in 0..2 {
            match self.accept_root(id, &submission).await {
                Ok(Some(task)) => return Ok(task),
                Ok(None) => {
                    if let Some(task) = self.submitted(&submission).await? {
                        return Ok(task);
                    }
                }
                // What was accepted once is answered again, even if it would be refused by now.
                Err(error) => return self.submitted(&submission).await?.ok_or(error),
            }
        }
        Err(just_being_made())
    }

    /// Accepts a task as it is. `None` when the key is taken.
    async fn accept_root(
        self: &Arc<Self>,
        id: TaskId,
        submission: &Submission,
    ) -> Result<Option<TaskRecord>> {
        self.check_agents(submission.tenant, &submission.spec)
            .await?;
        if !submission.spec.is_tied() {
            return self.submit_free(id, submission).await;
        }
        // It cannot start now: it goes another way.
        match self.submitted(submission).await? {
            None => Box::pin(self.submit_tied(id, submission, OPERATION)).await,
            known => Ok(known),
        }
    }

    /// Accepts a task that may start at once. `None` when the key is taken.
    async fn submit_free(
        self: &Arc<Self>,
        id: TaskId,
        submission: &Submission,
    ) -> Result<Option<TaskRecord>> {
        let record = self.new_root(id, submission)?;
        // Places of a pool with a bound are given away in the order of its queue.
        let place = if self.is_bounded(&record.spec.pool) {
            None
        } else {
            self.place()
        };
        let task = match place {
            // Whether an agent has room is decided under a lock on its row.
            Some(place) if record.agent.is_none() => self.bear(submission, &record, place).await?,
            place => {
                self.admit(submission.tenant, 1).await?;
                Box::pin(self.insert(submission, &record, place)).await?
            }
        };
        if let Some(task) = &task {
            self.metrics.submitted(task);
        }
        Ok(task)
    }

    /// Begins the work at once: the task is committed together with the start of its first step,
    /// before anything of that is done. `None` when the key is taken.
    async fn bear(
        self: &Arc<Self>,
        submission: &Submission,
        record: &TaskRecord,
        (ticket, permit): (Ticket, OwnedSemaphorePermit),
    ) -> Result<Option<TaskRecord>> {
        let task = taken(record, record.created_at);
        let (told, born) = oneshot::channel();
        let birth = Birth {
            insert: Insert {
                record: task.clone(),
                lease: Some(ticket.group),
                step_count: 0,
            },
            request: submission.request.clone(),
            operation: OPERATION,
            events: vec![
                Line::of(submitted_event(&task))?,
                Line::of(started_event(&task))?,
            ],
        };
        self.launch(Hold {
            task: task.clone(),
            agent: None,
            ticket: Arc::new(ticket),
            permit,
            unborn: Some(Unborn {
                birth: Arc::new(birth),
                told,
            }),
        });
        match born.await {
            Ok(Ok(Told::Committed { .. })) => Ok(Some(task)),
            Ok(Ok(Told::KeyTaken)) => Ok(None),
            Ok(Ok(Told::LeaseLost | Told::Refused)) => {
                Box::pin(self.insert(submission, record, None)).await
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::unavailable("the engine is stopping")),
        }
    }

    /// Inserts a task in a transaction of its own. `None` when the key is taken.
    async fn insert(
        self: &Arc<Self>,
        submission: &Submission,
        record: &TaskRecord,
        place: Option<(Ticket, OwnedSemaphorePermit)>,
    ) -> Result<Option<TaskRecord>> {
        let place = place.map(|(ticket, permit)| (Arc::new(ticket), permit));
        let ticket = place.as_ref().map(|(ticket, _)| ticket.clone());
        let stored = self
            .db
            .retry(|| self.insert_root(submission, record, ticket.as_deref()))
            .await;
        let stored = match (stored, ticket) {
            (Err(error), Some(ticket)) if !error.had_no_effect() => {
                self.launch_if_taken(taken(record, record.created_at), ticket);
                return Err(error);
            }
            (stored, _) => stored?,
        };
        let Some((task, agent)) = stored else {
            return Ok(None);
        };
        match place {
            Some((ticket, permit)) if task.state == TaskState::Running => {
                self.launch(Hold {
                    task: task.clone(),
                    agent,
                    ticket,
                    permit,
                    unborn: None,
                });
            }
            _ => self.work.notify_one(),
        }
        Ok(Some(task))
    }

    async fn submitted(&self, submission: &Submission) -> Result<Option<TaskRecord>> {
        let request = submission.request.as_ref();
        match idempotency::find(&self.db, submission.tenant, request, OPERATION).await? {
            // A key is remembered for longer than a dead letter that was purged.
            Some(id) => tasks::get(&self.db, submission.tenant, TaskId::from_uuid(id))
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// The agents that a submission names exist and will take work.
    pub(super) async fn check_agents(&self, tenant: TenantId, spec: &TaskSpec) -> Result<()> {
        let members = spec.strategy.members.iter().enumerate();
        let named = spec.agent_id.iter().map(|id| ("agent_id".to_owned(), *id));
        for (field, id) in
            named.chain(members.map(|(place, id)| (format!("strategy.members[{place}]"), *id)))
        {
            match agents::get(&self.db, tenant, id).await {
                Ok(agent) if agent.state.is_ending() => {
                    return Err(Error::invalid(
                        field,
                        format!("the agent is {}", agent.state),
                    ));
                }
                Ok(_) => {}
                Err(error) if error.code() == Code::NotFound => {
                    return Err(Error::invalid(field, format!("there is no agent {id}")));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(super) fn new_root(&self, id: TaskId, submission: &Submission) -> Result<TaskRecord> {
        let now = self.now();
        let deadline = deadline(submission.deadline, now)?;
        if submission.spec.not_before.is_some_and(|at| at >= deadline) {
            return Err(Error::invalid("not_before", "must be before the deadline"));
        }
        Ok(TaskRecord {
            tenant: submission.tenant,
            id,
            root: id,
            parent: None,
            role: String::new(),
            spec: submission.spec.clone().into(),
            state: TaskState::Queued,
            waiting_reason: None,
            priority: submission.priority,
            agent: submission.spec.agent_id,
            attempt: 1,
            attempt_base: 0,
            ready_at: None,
            open_dependencies: 0,
            epoch: 0,
            deadline,
            result: None,
            failure: None,
            usage: Usage::default(),
            last_seq: 1,
            traceparent: propagate::current_traceparent(),
            created_at: now,
            started_at: None,
            finished_at: None,
        })
    }

    /// A worker's place and a lease, if there are any.
    pub(super) fn place(&self) -> Option<(Ticket, OwnedSemaphorePermit)> {
        if !self.takes_work() {
            return None;
        }
        let permit = self.workers.clone().try_acquire_owned().ok()?;
        Some((self.leases.ticket(self.now())?, permit))
    }

    /// One transaction: key, task, first events. `None` when the key is taken.
    async fn insert_root(
        &self,
        submission: &Submission,
        record: &TaskRecord,
        ticket: Option<&Ticket>,
    ) -> Result<Option<(TaskRecord, Option<AgentRecord>)>> {
        let mut unit = self.begin_unit().await?;
        let leased = match ticket {
            Some(ticket) if self.may_run(&mut unit, record, ticket).await? => Some(ticket.group),
            _ => None,
        };
        let (tenant, now) = (record.tenant, unit.now());
        let request = submission.request.as_ref();
        if !idempotency::insert(unit.tx(), tenant, request, OPERATION, record.id.uuid(), now)
            .await?
        {
            unit.rollback().await?;
            return Ok(None);
        }
        let mut task = record.clone();
        if leased.is_some() {
            task = taken(record, now);
        }
        tasks::insert(
            unit.tx(),
            &[Insert {
                record: task.clone(),
                lease: leased,
                step_count: 0,
            }],
        )
        .await?;
        let agent = match (leased, task.agent) {
            (Some(_), Some(agent)) => Some(self.occupy(&mut unit, &task, agent).await?),
            _ => None,
        };
        unit.event(tenant, task.id, task.root, 1, submitted_event(&task));
        if leased.is_some() {
            unit.event(tenant, task.id, task.root, 2, started_event(&task));
        }
        self.commit(unit).await?;
        Ok(Some((task, agent)))
    }

    /// Whether the lease still holds and the task's agent, if it has one, has room.
    async fn may_run(&self, unit: &mut Unit, task: &TaskRecord, ticket: &Ticket) -> Result<bool> {
        let now = unit.now();
        if !leases::hold(unit.tx(), ticket.group, &self.leases.owner, now).await? {
            return Ok(false);
        }
        match task.agent {
            Some(agent) => Ok(agents::lock(unit.tx(), task.tenant, agent)
                .await?
                .takes_one_more()),
            None => Ok(true),
        }
    }

    /// Writes that the agent works on the task.
    pub(super) async fn occupy(
        &self,
        unit: &mut Unit,
        task: &TaskRecord,
        agent: AgentId,
    ) -> Result<AgentRecord> {
        agents::take_slot(unit.tx(), task.tenant, agent, task.id).await?;
        agents::get_in(unit.tx(), task.tenant, agent).await
    }
}

/// The task as its first worker takes it.
fn taken(record: &TaskRecord, now: Timestamp) -> TaskRecord {
    TaskRecord {
        state: TaskState::Running,
        epoch: 1,
        started_at: Some(now),
        last_seq: 2,
        ..record.clone()
    }
}

pub(super) fn submitted_event(task: &TaskRecord) -> NewEvent {
    let data = json!({
        "kind": task.spec.kind,
        "role": task.role,
        "parent_id": task.parent,
        "agent_id": task.agent,
        "strategy": task.spec.strategy.name,
        "priority": task.priority.as_str(),
        "deadline": task.deadline,
    });
    NewEvent::new("task.submitted", data)
}

pub(super) fn started_event(task: &TaskRecord) -> NewEvent {
    let data = json!({"attempt": task.attempt, "epoch": task.epoch, "agent_id": task.agent});
    NewEvent::new(TaskState::Running.event(), data)
}
