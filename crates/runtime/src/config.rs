//! The `[runtime]` section.

use std::time::Duration;

use serde::Deserialize;
use swarm_config::Validate;
use swarm_errors::{Error, Result};

const MOST_THREADS: usize = 1024;

/// The settings of every process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuntimeConfig {
    /// How long running work may go on after the order to stop, in seconds.
    pub grace_seconds: u64,
    /// Threads that do the work; 0 is one for each processor.
    pub threads: usize,
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
        Self {
            grace_seconds: 20,
            threads: 0,
        }
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
        if self.threads > MOST_THREADS {
            return Err(Error::invalid(
                "runtime.threads",
                format!("must be at most {MOST_THREADS}"),
            ));
        }
        Ok(())
    }
}
