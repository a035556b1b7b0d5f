//! The state of the platform.

use std::collections::BTreeMap;

use serde::Serialize;
use swarm_proto::consensus::v1 as wire;
use utoipa::ToSchema;

use super::wire::Time;

/// One service as the gateway sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceHealth {
    #[schema(example = "agent-manager")]
    pub(crate) name: &'static str,
    /// Whether it takes calls.
    pub(crate) ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

/// Whether the platform works.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SystemStatus {
    /// Every service is ready.
    Ready,
    /// One of them is not.
    Degraded,
}

/// All services as the gateway sees them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SystemHealth {
    pub(crate) status: SystemStatus,
    pub(crate) services: Vec<ServiceHealth>,
}

/// The consensus group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsensusStatus {
    /// The node that answered.
    node_id: u64,
    /// Absent while there is no leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader_id: Option<u64>,
    term: u64,
    last_applied: u64,
    last_log: u64,
    voters: Vec<u64>,
}

impl From<wire::GetStatusResponse> for ConsensusStatus {
    fn from(status: wire::GetStatusResponse) -> Self {
        Self {
            node_id: status.node_id,
            leader_id: (status.leader_id > 0).then_some(status.leader_id),
            term: status.term,
            last_applied: status.last_applied,
            last_log: status.last_log,
            voters: status.voters,
        }
    }
}

/// How many there are by state.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Counted {
    pub(crate) by_state: BTreeMap<String, u64>,
    /// Whether counting stopped before the end, so that there are more.
    pub(crate) more: bool,
}

/// The state of the platform, for the caller's tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SystemState {
    /// The gateway's version.
    pub(crate) version: &'static str,
    /// When the gateway started.
    pub(crate) started_at: Time,
    /// Agents, without those that have stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agents: Option<Counted>,
    /// Tasks at the top that have not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open_tasks: Option<Counted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consensus: Option<ConsensusStatus>,
    /// Parts that could not be had now.
    pub(crate) missing: Vec<&'static str>,
}

/// A sign of life.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alive {
    #[schema(example = "alive")]
    pub(crate) status: &'static str,
}

/// Whether the gateway takes requests.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    pub(crate) ready: bool,
    /// Whether it is about to stop.
    pub(crate) draining: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

/// Something the gateway works with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dependency {
    pub(crate) name: &'static str,
    pub(crate) ready: bool,
    /// Whether the gateway cannot work without it.
    pub(crate) required: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
}

impl From<swarm_runtime::Snapshot> for Ready {
    fn from(snapshot: swarm_runtime::Snapshot) -> Self {
        let dependencies = snapshot.dependencies.into_iter().map(|it| Dependency {
            name: it.name,
            ready: it.ready,
            required: it.required,
            detail: it.detail,
        });
        Self {
            ready: snapshot.ready,
            draining: snapshot.draining,
            dependencies: dependencies.collect(),
        }
    }
}
