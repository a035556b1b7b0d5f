//! What is wanted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_types::{AgentId, TaskId, Timestamp};

use super::RetryPolicy;

/// The strategy in which one agent does it all.
pub const SINGLE: &str = "single";
/// The strategy in which several agents share the work and vote.
pub const SWARM: &str = "swarm";

/// How the work is organised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// [`SINGLE`] or [`SWARM`]; sub-tasks may bear a word of their strategy's own.
    pub name: String,
    /// Agents that take part; none lets the platform choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<AgentId>,
    /// Revisions after a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<u32>,
}

impl Default for Strategy {
    fn default() -> Self {
        Self {
            name: SINGLE.to_owned(),
            members: Vec::new(),
            rounds: None,
        }
    }
}

/// What is wanted of a task, as it was submitted. It does not change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// A word by which tasks are grouped in learning and metrics.
    pub kind: String,
    /// Of a root task the JSON of [`super::Input`]; of a sub-task whatever its strategy wrote.
    pub input: Value,
    /// The agent that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// The pool whose agents may work on it; empty means any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pool: String,
    /// How the work is organised.
    pub strategy: Strategy,
    /// The caller's own words; not interpreted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Tasks that must be completed before it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<TaskId>,
    /// It starts no earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// When it is tried again after a failure; sub-tasks are tried again with their root alone.
    #[serde(default, skip_serializing_if = "RetryPolicy::is_default")]
    pub retry: RetryPolicy,
    /// The task with whose steps it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<TaskId>,
}

impl TaskSpec {
    /// Whether it waits for other tasks, or for a moment.
    #[must_use]
    pub const fn is_tied(&self) -> bool {
        !self.depends_on.is_empty() || self.not_before.is_some()
    }
}

/// Whether a text holds U+0000, which no store of ours keeps.
#[must_use]
pub fn has_nul(text: &str) -> bool {
    text.as_bytes().contains(&0)
}
