//! A task as it is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_errors::Error;
use swarm_types::{AgentId, Priority, TaskId, TenantId, Timestamp};

use super::{Strategy, TaskSpec, TaskState, Usage, WaitingReason};

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFailure {
    /// A code of the error model.
    pub code: String,
    /// Words for people.
    pub detail: String,
}

impl From<&Error> for TaskFailure {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().as_str().to_owned(),
            detail: error.detail().to_owned(),
        }
    }
}

/// One task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRecord {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id.
    pub id: TaskId,
    /// The task that was submitted; its own id for that one.
    pub root: TaskId,
    /// The task whose step made it.
    pub parent: Option<TaskId>,
    /// What it is in its parent, such as part, join, vote; empty for a root task.
    pub role: String,
    /// What is wanted.
    pub spec: Arc<TaskSpec>,
    /// Where it stands.
    pub state: TaskState,
    /// What it waits for.
    pub waiting_reason: Option<WaitingReason>,
    /// How urgent it is.
    pub priority: Priority,
    /// The agent that works or worked on it.
    pub agent: Option<AgentId>,
    /// 1, and one more after each recorded failure that is retried; a take-over keeps it.
    pub attempt: u32,
    /// Attempts that were made before the task was last retried by hand.
    pub attempt_base: u32,
    /// When it may be taken, while it is queued.
    pub ready_at: Option<Timestamp>,
    /// Tasks that it still waits for.
    pub open_dependencies: u32,
    /// Rises whenever a worker takes the task: writes of an older one are refused.
    pub epoch: i64,
    /// It ends by then.
    pub deadline: Timestamp,
    /// What came out.
    pub result: Option<Value>,
    /// Why it failed.
    pub failure: Option<TaskFailure>,
    /// What it used; sub-tasks are added when it ends.
    pub usage: Usage,
    /// The sequence of its newest event.
    pub last_seq: i64,
    /// The trace it belongs to.
    pub traceparent: Option<String>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When a worker first took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A sub-task that a step makes: see [`crate::journal::StepDone::children`].
///
/// Its id follows from the task, the step's key and its place in the list, so that a replay finds
/// the same one: [`super::child_task_id`].
#[derive(Debug, Clone, Default)]
pub struct NewTask {
    /// What it is in its parent: part, join, vote.
    pub role: String,
    /// A word by which tasks are grouped; empty takes the parent's.
    pub kind: String,
    /// What it is to work on.
    pub input: Value,
    /// Who is to do it. It waits until that agent has room.
    pub agent: Option<AgentId>,
    /// The pool that it shares the workers of, and the bound; empty takes the parent's.
    pub pool: String,
    /// How the work is organised.
    pub strategy: Strategy,
    /// `None` takes the parent's.
    pub priority: Option<Priority>,
    /// Never later than the parent's, which `None` takes.
    pub deadline: Option<Timestamp>,
    /// Words of the strategy's own.
    pub metadata: BTreeMap<String, String>,
}
