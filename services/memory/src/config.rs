//! The settings.

use serde::Deserialize;
use swarm_config::{Listen, Validate};
use swarm_database::DatabaseConfig;
use swarm_errors::{Error, Result};
use swarm_models::ModelsConfig;
use swarm_runtime::RuntimeConfig;
use swarm_telemetry::TelemetryConfig;
use swarm_transport::{PeersConfig, ServiceConfig};

/// The sections that this service reads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// Start and stop.
    pub runtime: RuntimeConfig,
    /// Where the memories are.
    pub database: DatabaseConfig,
    /// Where auth is.
    pub peers: PeersConfig,
    /// Who we are to auth.
    pub service: ServiceConfig,
    /// What makes embeddings.
    pub models: ModelsConfig,
    /// Its own.
    pub memory: MemoryConfig,
}

/// The section `memory`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Where it listens for the other services.
    pub grpc: Listen,
    /// Where it listens for probes.
    pub admin: Listen,
    /// What the indexes in RAM may take together, in MiB; the least used are dropped above it.
    pub index_mib: usize,
    /// How often expired memories are removed, in seconds. They are never returned, removed or not.
    pub sweep_seconds: u64,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            grpc: Listen::loopback(50053),
            admin: Listen::loopback(9193),
            index_mib: 512,
            sweep_seconds: 60,
        }
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<()> {
        self.telemetry.validate()?;
        self.runtime.validate()?;
        self.database.validate()?;
        self.models.validate()?;
        if self.memory.index_mib == 0 {
            return Err(Error::invalid("memory.index_mib", "must be at least 1"));
        }
        if self.memory.sweep_seconds == 0 {
            return Err(Error::invalid("memory.sweep_seconds", "must be at least 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_wrong_key_is_named() {
        Config::default().validate().unwrap();
        let with = |memory| Config {
            memory,
            ..Config::default()
        };
        for (config, key) in [
            (
                with(MemoryConfig {
                    index_mib: 0,
                    ..MemoryConfig::default()
                }),
                "memory.index_mib",
            ),
            (
                with(MemoryConfig {
                    sweep_seconds: 0,
                    ..MemoryConfig::default()
                }),
                "memory.sweep_seconds",
            ),
        ] {
            assert_eq!(config.validate().unwrap_err().fields()[0].field, key);
        }
    }
}
