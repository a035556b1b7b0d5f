//! When a task that fails is tried again, and how it is run again on request.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_types::Timestamp;

/// The pauses between attempts: `initial_ms`, then times `factor` each time, never above `max_ms`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backoff {
    /// The first pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_ms: Option<u32>,
    /// How each pause relates to the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// The longest pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<u32>,
    /// Which share of a pause chance may take away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<f64>,
}

/// When a task that fails is tried again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// Attempts in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// The pauses between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// Codes of failures that are tried again; none means the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry_on: Vec<String>,
}

/// Where a new task leaves another one's path.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Fork {
    /// The first step that is not copied, by its key; without a step, all that have ended are copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_key: Option<String>,
    /// The same by its position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// Another input for the steps that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// When it must have ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

/// Which dead letters are deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purge {
    /// These tasks.
    Tasks(Vec<String>),
    /// All that became dead letters before this moment.
    Before(Timestamp),
}
