//! Tasks, their steps and events.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_types::{Priority, Timestamp};

use super::messages::Message;
use super::proposals::Proposal;
use super::retry::RetryPolicy;

/// Where a task is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Waits for a worker.
    Queued,
    /// Waits for something else; the task's `waiting_reason` says what.
    Waiting,
    /// Is worked on.
    Running,
    /// Waits for a person's approval.
    AwaitingApproval,
    /// Ended with a result.
    Completed,
    /// Ended by a permanent error.
    Failed,
    /// Ended by a caller.
    Cancelled,
    /// Ended because its retries were exhausted.
    DeadLettered,
    /// A state that this version of the client does not know.
    #[serde(other)]
    Unknown,
}

impl TaskState {
    /// Whether nothing more will happen.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::Cancelled | Self::DeadLettered
        )
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::DeadLettered => "dead_lettered",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a task is worked on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// `single` or `swarm`.
    pub name: String,
    /// Agents that take part; empty lets the platform choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Revisions after a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u32>,
}

/// A task to submit. It can be read from a file, too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// A word by which tasks are grouped, such as `question`.
    pub kind: String,
    /// `{"prompt": "...", "documents": [{"name": "...", "text": "..."}]}`. With `"recall": false`
    /// no memories are looked up first; with `"remember": false` the answer becomes none.
    pub input: Value,
    /// The agent that shall do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The pool of which any agent may do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// How it is worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// When it must have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Words of the caller's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Tasks that must be completed before this one starts: ids, and in a batch also names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// It starts no earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When it is tried again after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// In a batch alone: by which its other tasks may depend on this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl NewTask {
    /// A question with no more than its words.
    #[must_use]
    pub fn question(prompt: impl Into<String>) -> Self {
        let input = serde_json::json!({"prompt": prompt.into()});
        Self {
            kind: "question".to_owned(),
            input,
            ..Self::default()
        }
    }
}

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// The code, such as `unavailable`.
    pub code: String,
    /// What happened.
    pub detail: String,
}

/// What model and tool calls used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens that models read.
    pub input_tokens: u64,
    /// Tokens that models wrote.
    pub output_tokens: u64,
    /// Of those read, the ones that were not computed again.
    pub cached_tokens: u64,
    /// Calls of models.
    pub model_calls: u64,
    /// Calls of tools.
    pub tool_calls: u64,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The word by which it is grouped.
    pub kind: String,
    /// What was asked.
    pub input: Value,
    /// The agent that was asked for.
    pub agent_id: Option<String>,
    /// The pool that was asked for.
    pub pool: Option<String>,
    /// How it is worked on.
    pub strategy: Option<Strategy>,
    /// How urgent it is.
    pub priority: Priority,
    /// Words of the caller's own.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// Tasks that must be completed before this one starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// Of those, how many have not completed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_dependencies: Option<u32>,
    /// It starts no earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When it is tried again after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// When it is tried for the first time or again, while that is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// The task of which it is a fork.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from_id: Option<String>,
    /// The task of which it is a part.
    pub parent_id: Option<String>,
    /// The task at the top.
    pub root_id: Option<String>,
    /// What it is in its parent: `part`, `join`, `vote`.
    pub role: Option<String>,
    /// Where it is in its life.
    pub state: TaskState,
    /// Why it waits.
    pub waiting_reason: Option<String>,
    /// The agent that works or worked on it.
    pub assigned_agent_id: Option<String>,
    /// The attempt, from 1.
    #[serde(default)]
    pub attempt: u32,
    /// The result, once it has completed.
    pub result: Option<Value>,
    /// The error, once it has failed.
    pub error: Option<TaskError>,
    /// What it used, without its sub-tasks.
    #[serde(default)]
    pub usage: Usage,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When work began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When it must have ended.
    pub deadline: Option<Timestamp>,
    /// The sequence of its newest event.
    #[serde(default)]
    pub last_seq: u64,
}

/// One entry of a task's journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// The task.
    pub task_id: String,
    /// From 0, in the order in which steps were started.
    pub position: u32,
    /// Its name within the task, such as `model/3`: where a fork may begin.
    #[serde(default)]
    pub key: String,
    /// `model`, `tool`, `sub_task`, `message`, `ballot`, `recall`, `choice`, `passages`.
    pub kind: String,
    /// Such as the tool's name.
    #[serde(default)]
    pub name: String,
    /// `started`, `finished`, `failed`, `outcome_unknown`.
    pub state: String,
    /// The attempt of the task in which it ran.
    #[serde(default)]
    pub attempt: u32,
    /// What went in.
    pub input: Option<Value>,
    /// What came out.
    pub result: Option<Value>,
    /// What it used.
    #[serde(default)]
    pub usage: Usage,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The task.
    pub task_id: String,
    /// The task at the top.
    pub root_id: Option<String>,
    /// Per task from 1; absent when it is ephemeral.
    pub seq: Option<u64>,
    /// Per tenant, rising; absent when it is ephemeral.
    pub tenant_seq: Option<u64>,
    /// Such as `task.started`, `step.finished`, `token`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub at: Option<Timestamp>,
    /// What belongs to it.
    #[serde(default)]
    pub data: Value,
    /// Whether it is not stored and so not shown again.
    #[serde(default)]
    pub ephemeral: bool,
}

/// A task with its journal, sub-tasks, messages and ballots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskTree {
    /// The task.
    pub task: Task,
    /// Its journal.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Its sub-tasks.
    #[serde(default)]
    pub children: Vec<TaskTree>,
    /// At the top alone: the messages of the task and its sub-tasks.
    #[serde(default)]
    pub messages: Vec<Message>,
    /// At the top alone: what was put to a vote.
    #[serde(default)]
    pub proposals: Vec<Proposal>,
    /// At the top alone: parts that could not be had now, such as `proposals`.
    #[serde(default)]
    pub missing: Vec<String>,
}
