//! The settings.

use std::time::Duration;

use serde::Deserialize;
use swarm_config::{Listen, Validate};
use swarm_errors::{Error, Result};
use swarm_runtime::RuntimeConfig;
use swarm_telemetry::TelemetryConfig;
use swarm_transport::{PeersConfig, ServiceConfig};

/// All settings of the gateway.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// The process.
    pub runtime: RuntimeConfig,
    /// Where the other services are.
    pub peers: PeersConfig,
    /// What proves to auth that this is a service.
    pub service: ServiceConfig,
    /// The doors.
    pub gateway: GatewayConfig,
}

/// The section `gateway`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// The REST port.
    pub rest: Listen,
    /// The WebSocket port.
    pub websocket: Listen,
    /// The port of probes and metrics.
    pub admin: Listen,
    /// The largest body of a request, in bytes.
    pub max_body: usize,
    /// How long a request may take, in seconds; streams and waits for a result are not bound by it.
    pub deadline_seconds: u64,
    /// The largest WebSocket frame that a client may send, in bytes.
    pub max_frame: usize,
    /// How long a WebSocket may wait with its token, in seconds.
    pub websocket_auth_seconds: u64,
    /// How often a WebSocket gets a ping, in seconds; three without a sign of life end it.
    pub heartbeat_seconds: u64,
    /// How long an event may wait for a slow reader of a stream, in seconds.
    pub slow_reader_seconds: u64,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            rest: Listen::loopback(3000),
            websocket: Listen::loopback(3001),
            admin: Listen::loopback(9190),
            max_body: 2 * 1024 * 1024,
            deadline_seconds: 30,
            max_frame: 64 * 1024,
            websocket_auth_seconds: 5,
            heartbeat_seconds: 20,
            slow_reader_seconds: 5,
        }
    }
}

impl GatewayConfig {
    /// How long a request may take.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        Duration::from_secs(self.deadline_seconds)
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<()> {
        self.telemetry.validate()?;
        self.runtime.validate()?;
        let gateway = &self.gateway;
        at_least_one("gateway.deadline_seconds", gateway.deadline_seconds)?;
        at_least_one(
            "gateway.websocket_auth_seconds",
            gateway.websocket_auth_seconds,
        )?;
        at_least_one("gateway.heartbeat_seconds", gateway.heartbeat_seconds)?;
        at_least_one("gateway.slow_reader_seconds", gateway.slow_reader_seconds)?;
        // The services behind take messages of 4 MiB, and a body grows a little on its way.
        within("gateway.max_body", gateway.max_body, 1024, 3 * 1024 * 1024)?;
        within(
            "gateway.max_frame",
            gateway.max_frame,
            1024,
            16 * 1024 * 1024,
        )
    }
}

fn at_least_one(key: &str, seconds: u64) -> Result<()> {
    within(key, usize::try_from(seconds).unwrap_or(usize::MAX), 1, 3600)
}

fn within(key: &str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(
        key,
        format!("must be from {least} to {most}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold_and_the_wrong_key_is_named() {
        let mut config = Config::default();
        assert!(config.validate().is_ok());
        config.gateway.max_body = 0;
        assert_eq!(
            config.validate().unwrap_err().fields()[0].field,
            "gateway.max_body"
        );
        config = Config::default();
        config.gateway.heartbeat_seconds = 0;
        assert_eq!(
            config.validate().unwrap_err().fields()[0].field,
            "gateway.heartbeat_seconds"
        );
    }
}
