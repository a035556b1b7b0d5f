//! What the engine must know.

use std::time::Duration;

/// Settings of the engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// This replica's name: the same after a restart, another one for each replica.
    pub replica: String,
    /// Tasks that are worked on at the same time; those that wait do not count.
    pub max_workers: usize,
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// How often to look for work, expired leases and deadlines when nothing wakes us.
    pub poll: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            replica: "agent-manager".to_owned(),
            max_workers: 32,
            lease: Duration::from_secs(5),
            poll: Duration::from_secs(1),
        }
    }
}
