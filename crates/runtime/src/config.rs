//! The `[runtime]` section.

use std::time::Duration;

use serde::Deserialize;
use swarm_config::Validate;
use swarm_errors::{Error, Result};

/// The settings of every process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuntimeConfig {
    /// How long running work may go on after the order to stop, in seconds.
    pub grace_seconds: u64,
}

impl RuntimeConfig {
    /// How long running work may go on after the order to stop.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        // Kubernetes kills after 30 s.
        Self { grace_seconds: 20 }
    }
}

impl Validate for RuntimeConfig {
    fn validate(&self) -> Result<()> {
        if self.grace_seconds > 3600 {
            return Err(Error::invalid(
                "runtime.grace_seconds",
                "must be at most 3600",
            ));
        }
        Ok(())
    }
}
