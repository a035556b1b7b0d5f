//! Forks: a new task that begins with another one's steps.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};
use swarm_errors::{Code, Error, Result};
use swarm_types::{MessageId, StepId, TaskId, TenantId, Timestamp};

use super::accept::Entrant;
use super::batch::just_being_made;
use super::{Engine, Submission};
use crate::journal::StepState;
use crate::messages::{MessageRecord, MessageState};
use crate::store::idempotency::{self, RequestKey};
use crate::store::tasks::{self, Insert, Outline};
use crate::store::{Unit, messages};
use crate::tasks::{TaskRecord, TaskSpec, Usage, child_task_id};

const OPERATION: &str = "fork_task";

/// A fork to be.
#[derive(Debug, Clone)]
pub struct Fork {
    /// Whose task it is.
    pub tenant: TenantId,
    /// Names the write, so that its repeat finds the first one's task.
    pub request: Option<RequestKey>,
    /// The task whose steps are copied.
    pub id: TaskId,
    /// The first step that is not copied.
    pub at: ForkPoint,
    /// Another input; `None` takes the task's.
    pub input: Option<Value>,
    /// `None` means 24 hours from now.
    pub deadline: Option<Timestamp>,
}

/// Where a fork leaves the path of its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForkPoint {
    /// At the step with this key.
    Key(String),
    /// At the step with this place in the journal.
    Position(u32),
    /// After the last step.
    End,
}

/// What is copied beside the task itself.
#[derive(Debug)]
struct Copies {
    steps: Vec<Outline>,
    children: Vec<(TaskRecord, TaskId)>,
}

impl Engine {
    /// Makes a task whose journal begins with copies of another one's steps: those before the fork
    /// point that are finished, or must not be repeated because nobody knows their end. Their
    /// results are copied, with their sub-tasks and with the messages of these that nobody had taken
    /// up; nothing is called. The origin goes on as it was.
    ///
    /// # Errors
    /// `not_found`; `invalid_argument` that names the field; `failed_precondition` while a copied
    /// step has open sub-tasks.
    pub async fn fork(self: &Arc<Self>, fork: Fork) -> Result<TaskRecord> {
        if let Some(known) = self.forked(&fork).await? {
            return Ok(known);
        }
        self.admit(fork.tenant, 1).await?;
        let id = TaskId::new();
        let task = self.db.retry(|| self.fork_once(&fork, id)).await?;
        self.work.notify_one();
        match task {
            Some(task) => {
                self.due.expect(task.ready_at);
                Ok(task)
            }
            None => self.forked(&fork).await?.ok_or_else(just_being_made),
        }
    }

    async fn forked(&self, fork: &Fork) -> Result<Option<TaskRecord>> {
        let request = fork.request.as_ref();
        match idempotency::find(&self.db, fork.tenant, request, OPERATION).await? {
            Some(id) => tasks::get(&self.db, fork.tenant, TaskId::from_uuid(id))
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    async fn fork_once(&self, fork: &Fork, id: TaskId) -> Result<Option<TaskRecord>> {
        let mut unit = self.begin_unit().await?;
        let (tenant, now) = (fork.tenant, unit.now());
        let request = fork.request.as_ref();
        if !idempotency::insert(unit.tx(), tenant, request, OPERATION, id.uuid(), now).await? {
            unit.rollback().await?;
            return Ok(None);
        }
        let origin = tasks::find_in(unit.tx(), tenant, fork.id)
            .await?
            .ok_or_else(|| Error::not_found("task", fork.id))?;
        if origin.parent.is_some() {
            return Err(Error::invalid("id", "is a sub-task: fork its root"));
        }
        let copies = copies(&mut unit, &origin, &fork.at, id).await?;
        let entrant = self.entrant(&mut unit, fork, &origin, id).await?;
        let accepted = self.accept(&mut unit, tenant, vec![entrant]).await?;
        let Some(mut task) = accepted.into_iter().next() else {
            return Err(Error::internal("a fork made no task"));
        };
        write(&mut unit, &origin, &task, &copies).await?;
        task.last_seq = 2;
        let keys: Vec<&str> = copies.steps.iter().map(|step| step.key.as_str()).collect();
        unit.event_of(
            &task,
            "task.forked",
            json!({"from": origin.id, "steps": keys}),
        );
        self.commit(unit).await?;
        self.metrics.submitted(&task);
        Ok(Some(task))
    }

    async fn entrant(
        &self,
        unit: &mut Unit,
        fork: &Fork,
        origin: &TaskRecord,
        id: TaskId,
    ) -> Result<Entrant> {
        let mut spec = TaskSpec::clone(&origin.spec);
        spec.forked_from = Some(origin.id);
        spec.not_before = None;
        if let Some(input) = &fork.input {
            spec.input = input.clone();
        }
        let submission = Submission {
            tenant: fork.tenant,
            request: None,
            spec,
            priority: origin.priority,
            deadline: fork.deadline,
        };
        let mut record = self.new_root(id, &submission)?;
        record.last_seq = 2;
        let before = tasks::dependencies_of(unit.tx(), fork.tenant, origin.id).await?;
        Ok(Entrant {
            record,
            names: before.into_iter().map(|one| one.name).collect(),
            path: String::new(),
        })
    }
}

/// What a fork at this point takes over.
async fn copies(
    unit: &mut Unit,
    origin: &TaskRecord,
    at: &ForkPoint,
    to: TaskId,
) -> Result<Copies> {
    let journal = tasks::outline(unit.tx(), origin.tenant, origin.id).await?;
    let end = end_of(&journal, at)?;
    let steps: Vec<Outline> = journal
        .into_iter()
        .filter(|step| step.position < end)
        .filter(|step| matches!(step.state, StepState::Finished | StepState::OutcomeUnknown))
        .collect();
    let below = tasks::tree_in(unit.tx(), origin.tenant, origin.id).await?;
    let mut children = Vec::new();
    for step in &steps {
        for place in 0.. {
            let id = child_task_id(origin.id, &step.key, place);
            let Some(child) = below.iter().find(|child| child.id == id) else {
                break;
            };
            if !child.state.is_terminal() {
                let words = format!("the sub-tasks of step {} have not all ended", step.key);
                let words = format!("{words}: fork at it, or when they have");
                return Err(Error::new(Code::FailedPrecondition, words));
            }
            children.push((child.clone(), child_task_id(to, &step.key, place)));
        }
    }
    Ok(Copies { steps, children })
}

/// The position from which on nothing is copied.
fn end_of(journal: &[Outline], at: &ForkPoint) -> Result<i64> {
    match at {
        ForkPoint::End => Ok(i64::MAX),
        ForkPoint::Position(position) => {
            if usize::try_from(*position).unwrap_or(usize::MAX) > journal.len() {
                let message = format!("the task has {} steps", journal.len());
                return Err(Error::invalid("position", message));
            }
            Ok(i64::from(*position))
        }
        ForkPoint::Key(key) => {
            let step = journal.iter().find(|step| step.key == *key);
            let missing = || Error::invalid("step_key", format!("the task has no step {key}"));
            Ok(step.ok_or_else(missing)?.position)
        }
    }
}

async fn write(
    unit: &mut Unit,
    origin: &TaskRecord,
    fork: &TaskRecord,
    copies: &Copies,
) -> Result<()> {
    let (tenant, pair) = (fork.tenant, (origin.id, fork.id));
    tasks::begin_with(
        unit.tx(),
        tenant,
        pair,
        &copies.steps,
        copies.children.len(),
    )
    .await?;
    let inserts: Vec<Insert> = copies
        .children
        .iter()
        .map(|(child, id)| Insert {
            record: child_copy(child, *id, fork),
            lease: None,
            step_count: 0,
        })
        .collect();
    if inserts.is_empty() {
        return Ok(());
    }
    tasks::insert(unit.tx(), &inserts).await?;
    let pairs: Vec<_> = copies
        .children
        .iter()
        .map(|(child, id)| (child.id, *id))
        .collect();
    tasks::copy_ends(unit.tx(), tenant, &pairs).await?;
    for insert in &inserts {
        let child = &insert.record;
        unit.event_of(
            child,
            "task.forked",
            json!({"from": origin.id, "state": child.state}),
        );
    }
    copy_messages(unit, origin, fork, copies).await
}

/// A sub-task that has ended. What it used was paid by the origin.
fn child_copy(child: &TaskRecord, id: TaskId, fork: &TaskRecord) -> TaskRecord {
    TaskRecord {
        id,
        root: fork.id,
        parent: Some(fork.id),
        epoch: 0,
        attempt_base: 0,
        ready_at: None,
        usage: Usage::default(),
        last_seq: 1,
        created_at: fork.created_at,
        deadline: fork.deadline,
        ..child.clone()
    }
}

/// What the sub-tasks have sent and no copied step has taken up waits in the fork, too.
async fn copy_messages(
    unit: &mut Unit,
    origin: &TaskRecord,
    fork: &TaskRecord,
    copies: &Copies,
) -> Result<()> {
    let taken_up: HashSet<StepId> = copies.steps.iter().map(|step| step.id).collect();
    let sent = messages::of_tree_in(unit.tx(), origin.tenant, origin.id).await?;
    let mut waiting = Vec::new();
    for message in sent {
        let from = copies
            .children
            .iter()
            .find(|(child, _)| message.task == Some(child.id));
        let Some((_, child)) = from else { continue };
        if message
            .consumed_by
            .is_some_and(|step| taken_up.contains(&step))
        {
            continue;
        }
        waiting.push(MessageRecord {
            id: MessageId::new(),
            task: Some(*child),
            root: Some(fork.id),
            state: MessageState::Pending,
            consumed_at: None,
            consumed_by: None,
            ..message
        });
    }
    messages::insert(unit.tx(), &waiting).await
}
