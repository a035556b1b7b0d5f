//! The work of the moment.

use serde::{Deserialize, Serialize};
use swarm_types::{Priority, Timestamp};

/// Lengths of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many it rests on; without any, the rest is 0.
    pub count: u64,
    /// Half of them took no longer.
    pub p50_seconds: f64,
    /// One of a hundred took longer.
    pub p99_seconds: f64,
}

/// What happened to tasks that were asked for; sub-tasks are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Activity {
    /// Over the last ten seconds, as the other rates.
    pub submitted_per_second: f64,
    /// Ended with a result.
    pub completed_per_second: f64,
    /// Permanent errors, and retries that were exhausted.
    pub failed_per_second: f64,
    /// Ended by a caller.
    pub cancelled_per_second: f64,
    /// From submission to end, in the last minute.
    pub task_latency: Latency,
    /// From a cancel to the end of all that ran, in the last quarter of an hour.
    pub stop_latency: Latency,
    /// Tasks and sub-tasks that a replica holds: at work, or waiting for something else.
    pub held: u64,
}

/// The tasks of one priority that wait for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueOverview {
    /// The priority.
    pub priority: Priority,
    /// How many wait.
    pub length: u64,
    /// Tasks whose time has not come.
    pub delayed: u64,
    /// Whether counting stopped before the end, so that there are more.
    pub more: bool,
    /// Since when the first in line waits.
    pub oldest: Option<Timestamp>,
}

/// The work of a tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TenantOverview {
    /// Whose.
    pub tenant_id: String,
    /// Its name, for administrators of the platform.
    pub name: Option<String>,
    /// One for each priority, the most urgent first.
    pub queues: Vec<QueueOverview>,
    /// What happened.
    pub activity: Activity,
    /// Tasks whose attempts are used up, counted up to 10,000.
    pub dead_letters: u64,
}

/// What an agent works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentWork {
    /// The task.
    pub task_id: String,
    /// The task at the top.
    pub root_id: String,
    /// The word by which the task is grouped.
    pub kind: String,
    /// What it is in its parent.
    pub role: Option<String>,
    /// The kind of the step that runs; absent between two steps.
    pub step_kind: Option<String>,
    /// Its name, such as the model's.
    pub step_name: Option<String>,
    /// When the step began, or between steps the task.
    pub since: Option<Timestamp>,
}

/// An agent and its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentOverview {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Such as `idle` or `busy`.
    pub state: String,
    /// Its pool.
    pub pool: String,
    /// Tasks it works on.
    pub running_tasks: u32,
    /// Tasks it may work on at a time.
    pub max_concurrency: u32,
    /// A few of them.
    pub work: Vec<AgentWork>,
}

/// A replica of agent-manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaOverview {
    /// Its name.
    pub name: String,
    /// Lease groups.
    pub leases: u32,
    /// Until when they hold unless they are renewed.
    pub held_until: Option<Timestamp>,
    /// When it last said what it does; absent when it has not for a while.
    pub heard_at: Option<Timestamp>,
    /// Tasks that it holds.
    pub held: u64,
    /// Its workers, for administrators of the platform; else 0.
    pub workers: u32,
    /// Those at work.
    pub busy_workers: u32,
}

/// The work of the moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// When it was looked at.
    pub at: Timestamp,
    /// Whether it covers all tenants, as for an administrator of the platform.
    pub platform: bool,
    /// All of it together.
    pub activity: Activity,
    /// The caller's own first, then those with the longest queues.
    pub tenants: Vec<TenantOverview>,
    /// Whether there are more.
    pub more_tenants: bool,
    /// Of the caller's tenant: those at work first.
    pub agents: Vec<AgentOverview>,
    /// Whether there are more.
    pub more_agents: bool,
    /// By name.
    pub replicas: Vec<ReplicaOverview>,
}
