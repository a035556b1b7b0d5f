//! Where the other services are, and who we are to them.

use serde::Deserialize;
use swarm_config::Secret;

/// Section `peers`: the address of each service. Several replicas are a list with commas, or one
/// name that stands for several addresses, such as a headless service of Kubernetes.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeersConfig {
    /// Address of agent-manager.
    pub agent_manager: String,
    /// Address of consensus.
    pub consensus: String,
    /// Address of memory.
    pub memory: String,
    /// Address of learning.
    pub learning: String,
    /// Address of auth.
    pub auth: String,
}

impl Default for PeersConfig {
    fn default() -> Self {
        let loopback = |port: u16| format!("http://127.0.0.1:{port}");
        Self {
            agent_manager: loopback(50051),
            consensus: loopback(50052),
            memory: loopback(50053),
            learning: loopback(50054),
            auth: loopback(50055),
        }
    }
}

/// Section `service`: what proves to auth that a caller is one of the six services.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceConfig {
    /// The secret that the six services share. It is exchanged at auth for a short token.
    pub secret: Secret,
}
