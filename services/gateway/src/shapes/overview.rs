//! The work of the moment.

use std::collections::HashMap;

use chrono::DateTime;
use serde::Serialize;
use swarm_proto::agents::v1 as wire;
use utoipa::ToSchema;

use super::agents::AgentState;
use super::wire::{Time, Word, some, time};

/// Lengths of time.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Latency {
    /// How many it rests on; without any, the rest is 0.
    count: u64,
    p50_seconds: f64,
    p99_seconds: f64,
}

impl From<Option<wire::Latency>> for Latency {
    fn from(latency: Option<wire::Latency>) -> Self {
        let latency = latency.unwrap_or_default();
        Self {
            count: latency.count,
            p50_seconds: latency.p50_seconds,
            p99_seconds: latency.p99_seconds,
        }
    }
}

/// What happened to tasks that were asked for; sub-tasks are not counted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activity {
    /// Over the last ten seconds, as the other rates.
    submitted_per_second: f64,
    completed_per_second: f64,
    /// Permanent errors, and retries that were exhausted.
    failed_per_second: f64,
    cancelled_per_second: f64,
    /// From submission to end, of those that completed or failed in the last minute.
    task_latency: Latency,
    /// From a cancel to the end of all that ran, in the last quarter of an hour.
    stop_latency: Latency,
    /// Tasks and sub-tasks that a replica holds: at work, or waiting for something else.
    held: u64,
}

impl From<Option<wire::Activity>> for Activity {
    fn from(activity: Option<wire::Activity>) -> Self {
        let activity = activity.unwrap_or_default();
        Self {
            submitted_per_second: activity.submitted_per_second,
            completed_per_second: activity.completed_per_second,
            failed_per_second: activity.failed_per_second,
            cancelled_per_second: activity.cancelled_per_second,
            task_latency: activity.task_latency.into(),
            stop_latency: activity.stop_latency.into(),
            held: activity.held,
        }
    }
}

/// The tasks of one priority that wait for a worker.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueOverview {
    #[schema(value_type = super::tasks::Priority)]
    priority: String,
    /// How many wait.
    length: u64,
    /// Tasks whose time has not come.
    delayed: u64,
    /// Whether counting the tenant's queues stopped at 10,000, so that there are more.
    more: bool,
    /// Since when the one that has waited longest does.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<Time>,
}

impl From<wire::QueueOverview> for QueueOverview {
    fn from(queue: wire::QueueOverview) -> Self {
        Self {
            priority: queue.priority,
            length: queue.length,
            delayed: queue.delayed,
            more: queue.more,
            oldest: time(queue.oldest),
        }
    }
}

/// The work of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantOverview {
    tenant_id: String,
    /// Its name, for administrators of the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// One for each priority, the most urgent first.
    queues: Vec<QueueOverview>,
    activity: Activity,
    /// Tasks whose attempts are used up, counted up to 10,000.
    dead_letters: u64,
}

/// What an agent works on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentWork {
    task_id: String,
    /// The task at the top.
    root_id: String,
    /// The word by which the task is grouped.
    kind: String,
    /// What it is in its parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// The kind of the step that runs; absent between two steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    step_kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_name: Option<String>,
    /// When the step began, or between steps the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Time>,
}

impl From<wire::AgentWork> for AgentWork {
    fn from(work: wire::AgentWork) -> Self {
        Self {
            task_id: work.task_id,
            root_id: work.root_id,
            kind: work.kind,
            role: some(work.role),
            step_kind: some(work.step_kind),
            step_name: some(work.step_name),
            since: time(work.since),
        }
    }
}

/// An agent and its work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentOverview {
    id: String,
    name: String,
    #[schema(required)]
    state: Option<AgentState>,
    pool: String,
    running_tasks: u32,
    max_concurrency: u32,
    /// A few of the tasks it works on.
    work: Vec<AgentWork>,
}

impl From<wire::AgentOverview> for AgentOverview {
    fn from(agent: wire::AgentOverview) -> Self {
        Self {
            id: agent.id,
            name: agent.name,
            state: AgentState::from_wire(agent.state),
            pool: agent.pool,
            running_tasks: agent.running_tasks,
            max_concurrency: agent.max_concurrency,
            work: agent.work.into_iter().map(Into::into).collect(),
        }
    }
}

/// A replica of agent-manager.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplicaOverview {
    name: String,
    /// Lease groups.
    leases: u32,
    /// Until when they hold unless they are renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_until: Option<Time>,
    /// When it last said what it does; absent when it has not for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard_at: Option<Time>,
    /// Tasks that it holds.
    held: u64,
    /// Its workers, for administrators of the platform; else 0.
    workers: u32,
    busy_workers: u32,
}

impl From<wire::ReplicaOverview> for ReplicaOverview {
    fn from(replica: wire::ReplicaOverview) -> Self {
        Self {
            name: replica.name,
            leases: replica.leases,
            held_until: time(replica.held_until),
            heard_at: time(replica.heard_at),
            held: replica.held,
            workers: replica.workers,
            busy_workers: replica.busy_workers,
        }
    }
}

/// The work of the moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    at: Time,
    /// Whether it covers all tenants, as for an administrator of the platform.
    platform: bool,
    /// All of it together.
    activity: Activity,
    /// The caller's own first, then those with the longest queues.
    tenants: Vec<TenantOverview>,
    more_tenants: bool,
    /// Of the caller's tenant: those at work first.
    agents: Vec<AgentOverview>,
    more_agents: bool,
    replicas: Vec<ReplicaOverview>,
}

impl Overview {
    /// From the wire, with what tenants are called.
    pub(crate) fn new(found: wire::GetOverviewResponse, names: &HashMap<String, String>) -> Self {
        let tenants = found.tenants.into_iter().map(|tenant| TenantOverview {
            name: names.get(&tenant.tenant_id).cloned(),
            tenant_id: tenant.tenant_id,
            queues: tenant.queues.into_iter().map(Into::into).collect(),
            activity: tenant.activity.into(),
            dead_letters: tenant.dead_letters,
        });
        Self {
            at: time(found.at).unwrap_or(Time(DateTime::UNIX_EPOCH)),
            platform: found.platform,
            activity: found.activity.into(),
            tenants: tenants.collect(),
            more_tenants: found.more_tenants,
            agents: found.agents.into_iter().map(Into::into).collect(),
            more_agents: found.more_agents,
            replicas: found.replicas.into_iter().map(Into::into).collect(),
        }
    }
}
