//! Free ports for all services.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};

/// Every port of a platform by its setting, such as `gateway.rest`.
#[derive(Debug, Clone)]
pub(crate) struct Ports(BTreeMap<&'static str, SocketAddr>);

const SETTINGS: [&str; 13] = [
    "gateway.rest",
    "gateway.websocket",
    "gateway.admin",
    "agent_manager.grpc",
    "agent_manager.admin",
    "consensus.grpc",
    "consensus.admin",
    "memory.grpc",
    "memory.admin",
    "learning.grpc",
    "learning.admin",
    "auth.grpc",
    "auth.admin",
];

impl Ports {
    /// Ports that were free a moment ago, all different.
    pub(crate) fn free() -> Self {
        let listeners: Vec<(&'static str, TcpListener)> = SETTINGS
            .into_iter()
            .map(|setting| (setting, TcpListener::bind("127.0.0.1:0").unwrap()))
            .collect();
        Self(
            listeners
                .into_iter()
                .map(|(setting, listener)| (setting, listener.local_addr().unwrap()))
                .collect(),
        )
    }

    pub(crate) fn of(&self, setting: &str) -> SocketAddr {
        self.0[setting]
    }

    /// The environment that makes every program listen and call there.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut environment: Vec<(String, String)> = self
            .0
            .iter()
            .map(|(setting, address)| (variable(setting), address.to_string()))
            .collect();
        for (setting, address) in &self.0 {
            if let Some(service) = setting.strip_suffix(".grpc") {
                environment.push((
                    variable(&format!("peers.{service}")),
                    format!("http://{address}"),
                ));
            }
        }
        environment
    }
}

/// The environment variable of a setting.
pub(crate) fn variable(setting: &str) -> String {
    format!("QWEN_SWARM__{}", setting.replace('.', "__").to_uppercase())
}
