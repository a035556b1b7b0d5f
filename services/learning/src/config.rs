//! The settings of learning.

use serde::Deserialize;
use swarm_config::{Listen, Validate};
use swarm_database::DatabaseConfig;
use swarm_errors::Result;
use swarm_runtime::RuntimeConfig;
use swarm_telemetry::TelemetryConfig;
use swarm_transport::{PeersConfig, ServiceConfig};

/// All sections that learning reads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// The life of the process.
    pub runtime: RuntimeConfig,
    /// Where its tables are.
    pub database: DatabaseConfig,
    /// Where auth is.
    pub peers: PeersConfig,
    /// The secret that the services share.
    pub service: ServiceConfig,
    /// Its own.
    pub learning: LearningConfig,
}

/// Section `learning`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearningConfig {
    /// The gRPC port.
    pub grpc: Listen,
    /// The admin port.
    pub admin: Listen,
}

impl Default for LearningConfig {
    fn default() -> Self {
        Self {
            grpc: Listen::loopback(50054),
            admin: Listen::loopback(9194),
        }
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<()> {
        self.telemetry.validate()?;
        self.runtime.validate()?;
        self.database.validate()
    }
}
