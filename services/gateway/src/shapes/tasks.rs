//! Tasks, steps and events.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use swarm_proto::agents::v1 as wire;
use swarm_proto::common;
use utoipa::ToSchema;

use super::messages::Message;
use super::proposals::Proposal;
use super::retry::RetryPolicy;
use super::wire::{Time, Word, json, raw, some, text, time, words};

words! {
    /// Where a task is in its life.
    TaskState = wire::TaskState {
        /// It waits for a worker.
        Queued,
        /// It waits for what `waiting_reason` says.
        Waiting,
        /// It is worked on.
        Running,
        /// It waits for a person's approval.
        AwaitingApproval,
        /// It ended with a result.
        Completed,
        /// It ended by a permanent error.
        Failed,
        /// It was ended by a caller.
        Cancelled,
        /// It ended because its retries were exhausted.
        DeadLettered,
    }
}

impl TaskState {
    /// Whether nothing more will happen.
    pub(crate) const fn has_ended(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Cancelled | Self::DeadLettered
        )
    }
}

/// How urgent a task is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Priority {
    /// When nothing else waits.
    Low,
    /// The default.
    Normal,
    /// Before the ordinary.
    High,
    /// Before everything.
    Critical,
}

impl From<Priority> for swarm_types::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::Low,
            Priority::Normal => Self::Normal,
            Priority::High => Self::High,
            Priority::Critical => Self::Critical,
        }
    }
}

/// How a task is worked on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Strategy {
    /// `single` or `swarm`.
    #[schema(example = "swarm")]
    name: String,
    /// Agents that take part; none lets the platform choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<String>,
    /// Revisions after a rejection, for a swarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    rounds: Option<u32>,
}

impl From<wire::Strategy> for Strategy {
    fn from(strategy: wire::Strategy) -> Self {
        Self {
            name: strategy.name,
            members: strategy.members,
            rounds: strategy.rounds,
        }
    }
}

/// A task to submit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTask {
    /// A word by which tasks are grouped in learning and metrics.
    #[schema(example = "question")]
    kind: String,
    /// The prompt, and the documents that it is about. With `"recall": false` no memories are
    /// looked up first; with `"remember": false` question and answer do not become a memory.
    #[schema(
        value_type = Object,
        example = json!({"prompt": "What is a quorum?", "documents": [{"name": "guide.md", "text": "..."}]})
    )]
    input: Value,
    /// The agent that shall do it.
    agent_id: Option<String>,
    /// The pool of which any agent may do it.
    pool: Option<String>,
    strategy: Option<Strategy>,
    priority: Option<Priority>,
    /// When it must have ended; 24 hours from now unless given.
    deadline: Option<Time>,
    /// Words of the caller's own.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// Tasks that must be completed before this one starts, at most 100: ids, and in a batch also
    /// names. Their results come with the input, as documents named after them.
    #[serde(default)]
    depends_on: Vec<String>,
    /// It starts no earlier.
    not_before: Option<Time>,
    retry: Option<RetryPolicy>,
    /// In a batch alone: by which its other tasks may depend on this one.
    pub(crate) name: Option<String>,
}

/// Tasks that are accepted together, or not at all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batch {
    /// 1 to 1,000.
    pub(crate) tasks: Vec<NewTask>,
}

/// Tasks that were accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Submitted {
    /// In the order of the request.
    pub(crate) items: Vec<Task>,
}

impl From<NewTask> for wire::NewTask {
    fn from(mut task: NewTask) -> Self {
        Self {
            name: text(task.name.take()),
            spec: Some(task.into()),
        }
    }
}

impl From<NewTask> for wire::TaskSpec {
    fn from(task: NewTask) -> Self {
        Self {
            kind: task.kind,
            input_json: task.input.to_string(),
            agent_id: text(task.agent_id),
            pool: text(task.pool),
            strategy: task.strategy.map(|strategy| wire::Strategy {
                name: strategy.name,
                members: strategy.members,
                rounds: strategy.rounds,
            }),
            priority: task.priority.map_or_else(String::new, |it| {
                swarm_types::Priority::from(it).to_string()
            }),
            deadline: task.deadline.map(Time::to_wire),
            metadata: task.metadata.into_iter().collect(),
            depends_on: task.depends_on,
            not_before: task.not_before.map(Time::to_wire),
            retry: task.retry.map(Into::into),
        }
    }
}

/// A reason.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancel {
    /// Why it is cancelled.
    pub(crate) reason: Option<String>,
}

/// Why a task failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskError {
    /// A code of the error model.
    code: String,
    /// What happened.
    detail: String,
}

/// What model and tool calls used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Usage {
    /// Tokens that models read.
    input_tokens: u64,
    /// Tokens that models wrote.
    output_tokens: u64,
    /// Of those read, the ones that were not computed again because a prefix was shared.
    cached_tokens: u64,
    model_calls: u64,
    tool_calls: u64,
}

impl From<Option<common::v1::Usage>> for Usage {
    fn from(usage: Option<common::v1::Usage>) -> Self {
        let usage = usage.unwrap_or_default();
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cached_tokens: usage.cached_tokens,
            model_calls: usage.model_calls,
            tool_calls: usage.tool_calls,
        }
    }
}

/// A task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Task {
    pub(crate) id: String,
    kind: String,
    /// What was asked.
    #[schema(value_type = Object)]
    input: Option<Box<RawValue>>,
    /// The agent that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    /// The pool that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<Strategy>,
    #[schema(value_type = Priority)]
    priority: swarm_types::Priority,
    /// Words of the caller's own.
    metadata: BTreeMap<String, String>,
    /// Tasks that must be completed before this one starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<String>,
    /// Of those, how many have not completed yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_dependencies: Option<u32>,
    /// It starts no earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<RetryPolicy>,
    /// When it is tried for the first time or again, while that is to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Time>,
    /// The task of which it is a fork.
    #[serde(skip_serializing_if = "Option::is_none")]
    forked_from_id: Option<String>,
    /// The task of which it is a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    /// The task at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    root_id: Option<String>,
    /// What it is in its parent: `part`, `join`, `vote`.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[schema(required)]
    pub(crate) state: Option<TaskState>,
    /// Why it waits: `consensus`, `message`, `timer`, `provider`, `dependency`, `sub_tasks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_reason: Option<String>,
    /// The agent that works or worked on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_agent_id: Option<String>,
    attempt: u32,
    /// The result, once it has completed.
    #[schema(value_type = Option<Value>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    /// The error, once it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<TaskError>,
    usage: Usage,
    created_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Time>,
    /// When it must have ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Time>,
    /// The sequence of its newest event.
    last_seq: u64,
}

impl From<wire::Task> for Task {
    fn from(task: wire::Task) -> Self {
        let spec = task.spec.unwrap_or_default();
        Self {
            id: task.id,
            kind: spec.kind,
            input: raw(&spec.input_json),
            agent_id: some(spec.agent_id),
            pool: some(spec.pool),
            strategy: spec.strategy.map(Into::into),
            priority: spec.priority.parse().unwrap_or_default(),
            metadata: spec.metadata.into_iter().collect(),
            open_dependencies: (!spec.depends_on.is_empty()).then_some(task.open_dependencies),
            depends_on: spec.depends_on,
            not_before: time(spec.not_before),
            retry: spec.retry.map(Into::into),
            next_attempt_at: time(task.next_attempt_at),
            forked_from_id: some(task.forked_from_id),
            parent_id: some(task.parent_id),
            root_id: some(task.root_id),
            role: some(task.role),
            state: TaskState::from_wire(task.state),
            waiting_reason: some(task.waiting_reason),
            assigned_agent_id: some(task.assigned_agent_id),
            attempt: task.attempt,
            result: raw(&task.result_json),
            error: task.error.map(|error| TaskError {
                code: error.code,
                detail: error.detail,
            }),
            usage: task.usage.into(),
            created_at: time(task.created_at).unwrap_or(Time(DateTime::UNIX_EPOCH)),
            started_at: time(task.started_at),
            finished_at: time(task.finished_at),
            deadline: time(task.deadline.or(spec.deadline)),
            last_seq: task.last_seq,
        }
    }
}

/// One entry of a task's journal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Step {
    id: String,
    task_id: String,
    /// From 0, in the order in which steps were started.
    position: u32,
    /// Its name within the task, such as `model/3`: where a fork may begin.
    key: String,
    /// `model`, `tool`, `sub_task`, `message`, `ballot`, `recall`, `choice`, `passages`.
    kind: String,
    /// Such as the tool's name.
    name: String,
    /// `started`, `finished`, `failed`, `outcome_unknown`.
    state: String,
    attempt: u32,
    /// What went in.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Value>,
    /// What came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Time>,
}

impl From<wire::Step> for Step {
    fn from(step: wire::Step) -> Self {
        Self {
            id: step.id,
            task_id: step.task_id,
            position: step.position,
            key: step.key,
            kind: step.kind,
            name: step.name,
            state: step.state,
            attempt: step.attempt,
            input: json(step.input_json),
            result: json(step.result_json),
            usage: step.usage.into(),
            started_at: time(step.started_at),
            finished_at: time(step.finished_at),
        }
    }
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Event {
    pub(crate) task_id: String,
    /// The task at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    root_id: Option<String>,
    /// Per task from 1, without a gap; absent when it is ephemeral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seq: Option<u64>,
    /// Per tenant, rising; absent when it is ephemeral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_seq: Option<u64>,
    /// Such as `task.started`, `step.finished`, `message.sent`, `ballot.vote`, `token`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Time>,
    /// What belongs to it.
    #[schema(value_type = Object)]
    pub(crate) data: Value,
    /// Whether it is not stored, and so not shown again.
    pub(crate) ephemeral: bool,
}

impl From<wire::Event> for Event {
    fn from(event: wire::Event) -> Self {
        Self {
            task_id: event.task_id,
            root_id: some(event.root_id),
            seq: (event.seq > 0).then_some(event.seq),
            tenant_seq: (event.tenant_seq > 0).then_some(event.tenant_seq),
            kind: event.r#type,
            at: time(event.at),
            data: json(event.data_json).unwrap_or_default(),
            ephemeral: event.ephemeral,
        }
    }
}

/// A task with its journal and sub-tasks; at the top, with the messages and ballots of all of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskTree {
    pub(crate) task: Task,
    steps: Vec<Step>,
    #[schema(no_recursion)]
    pub(crate) children: Vec<TaskTree>,
    /// At the top alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) messages: Vec<Message>,
    /// At the top alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) proposals: Vec<Proposal>,
    /// At the top alone: parts that could not be had now, such as `proposals`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) missing: Vec<&'static str>,
}

impl From<wire::TaskTree> for TaskTree {
    fn from(tree: wire::TaskTree) -> Self {
        Self {
            task: tree.task.unwrap_or_default().into(),
            steps: tree.steps.into_iter().map(Into::into).collect(),
            children: tree.children.into_iter().map(Into::into).collect(),
            messages: Vec::new(),
            proposals: Vec::new(),
            missing: Vec::new(),
        }
    }
}
