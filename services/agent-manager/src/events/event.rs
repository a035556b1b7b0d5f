//! One event.

use serde_json::Value;
use swarm_types::{TaskId, TenantId, Timestamp};

/// An event that is about to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Such as `ballot.vote`: the thing, a dot, what happened to it.
    pub kind: String,
    /// What there is to say.
    pub data: Value,
}

impl NewEvent {
    /// An event.
    #[must_use]
    pub fn new(kind: impl Into<String>, data: Value) -> Self {
        Self {
            kind: kind.into(),
            data,
        }
    }
}

/// An event as readers see it.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which task.
    pub task: TaskId,
    /// That task's root.
    pub root: TaskId,
    /// Per task from 1, without a gap; 0 for an ephemeral event.
    pub seq: i64,
    /// Per tenant, rising in the order of commits; 0 for an ephemeral event.
    pub tenant_seq: i64,
    /// Such as `step.finished`.
    pub kind: String,
    /// What there is to say.
    pub data: Value,
    /// When.
    pub at: Timestamp,
}

impl EventRecord {
    /// Whether it was never stored, such as a token.
    #[must_use]
    pub const fn is_ephemeral(&self) -> bool {
        self.seq == 0
    }
}
