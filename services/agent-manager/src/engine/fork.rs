//! Forks: a new task that begins with another one's steps.

use std::sync::Arc;

use serde_json::Value;
use swarm_errors::{Error, Result};
use swarm_types::{TaskId, TenantId, Timestamp};

use super::Engine;
use crate::store::idempotency::RequestKey;
use crate::tasks::TaskRecord;

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
    /// `None` gives as much time as the task had at first.
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

impl Engine {
    /// Makes a task whose journal begins with copies of another one's steps.
    ///
    /// # Errors
    /// `not_found`; `invalid_argument` that names the field; `failed_precondition`.
    pub async fn fork(self: &Arc<Self>, _: Fork) -> Result<TaskRecord> {
        Err(Error::unavailable("forks are being built"))
    }
}
