//! What the engine must know.

use std::collections::HashMap;
use std::time::Duration;

use crate::scheduling::Weights;

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
    /// How often to look for what other replicas ask to stop, when nothing wakes us.
    pub stop_poll: Duration,
    /// Tasks of one tenant that may wait for a worker before submissions are refused.
    pub max_queued_per_tenant: u64,
    /// How tenants and pools share the workers.
    pub weights: Weights,
    /// Tasks of a pool that run at the same time, over all tenants and replicas, by the name of the
    /// pool; the others have no bound.
    pub max_running: HashMap<String, u32>,
    /// After so long an idempotency key is free again.
    pub key_age: Duration,
    /// So long after its end the events of a tree of tasks are kept; `None` keeps them for good.
    pub event_retention: Option<Duration>,
    /// The most steps of one task.
    pub max_steps: u32,
    /// The most bytes of a step's input, of its result and of a task's result, each as JSON.
    pub max_step_bytes: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            replica: "agent-manager".to_owned(),
            max_workers: 32,
            lease: Duration::from_secs(5),
            poll: Duration::from_secs(1),
            stop_poll: Duration::from_millis(100),
            max_queued_per_tenant: 100_000,
            weights: Weights::default(),
            max_running: HashMap::new(),
            key_age: Duration::from_secs(24 * 60 * 60),
            event_retention: None,
            max_steps: 10_000,
            max_step_bytes: 4 << 20,
        }
    }
}
