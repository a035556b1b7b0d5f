//! The state of the platform.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use swarm_types::Timestamp;

/// One service as the gateway sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceHealth {
    /// Such as `agent-manager`.
    pub name: String,
    /// Whether it takes calls.
    pub ready: bool,
    /// Why not.
    pub detail: Option<String>,
}

/// All services as the gateway sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemHealth {
    /// `ready`, or `degraded` when one of them is not.
    pub status: String,
    /// Each service.
    pub services: Vec<ServiceHealth>,
}

impl SystemHealth {
    /// Whether all services are ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.services.iter().all(|service| service.ready)
    }
}

/// The consensus group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsensusStatus {
    /// The node that answered.
    pub node_id: u64,
    /// The leader, where there is one.
    pub leader_id: Option<u64>,
    /// The term.
    pub term: u64,
    /// The last log entry that took effect.
    pub last_applied: u64,
    /// The last log entry.
    pub last_log: u64,
    /// Who votes.
    pub voters: Vec<u64>,
}

/// How many there are by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// By state.
    pub by_state: BTreeMap<String, u64>,
    /// Whether counting stopped before the end, so that there are more.
    pub more: bool,
}

/// The state of the platform, for the caller's tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemState {
    /// The gateway's version.
    pub version: String,
    /// When the gateway started.
    pub started_at: Timestamp,
    /// Agents.
    pub agents: Option<Counted>,
    /// Tasks that have not ended.
    pub open_tasks: Option<Counted>,
    /// The consensus group.
    pub consensus: Option<ConsensusStatus>,
    /// Parts that could not be had now.
    #[serde(default)]
    pub missing: Vec<String>,
}
