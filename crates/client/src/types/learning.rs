//! Feedback and what was learned.

use serde::{Deserialize, Serialize};
use swarm_types::Timestamp;

/// A person's rating of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewFeedback {
    /// The task.
    pub task_id: String,
    /// From 1 to 5.
    pub rating: u32,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// The counts of one arm, which is an agent, for one kind of task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmStatistics {
    /// The agent.
    pub arm: String,
    /// The kind of task.
    pub kind: String,
    /// Tasks that completed.
    pub successes: u64,
    /// Tasks that failed.
    pub failures: u64,
    /// How long they took.
    pub mean_latency_ms: f64,
    /// How many were rated.
    pub ratings: u64,
    /// From 0 to 1.
    pub mean_rating: f64,
}

/// What was learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policies {
    /// By agent and kind of task.
    pub items: Vec<ArmStatistics>,
    /// When the last outcome was taken in.
    pub last_update: Option<Timestamp>,
}
