//! The settings of consensus.

use std::path::PathBuf;

use serde::Deserialize;
use swarm_config::{Listen, Validate};
use swarm_errors::{Error, Result};
use swarm_runtime::RuntimeConfig;
use swarm_telemetry::TelemetryConfig;
use swarm_transport::{PeersConfig, ServiceConfig};

use crate::raft::Settings;

/// All sections that consensus reads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// The life of the process.
    pub runtime: RuntimeConfig,
    /// Where the other services are: auth has the keys that verify callers.
    pub peers: PeersConfig,
    /// The secret that the services share.
    pub service: ServiceConfig,
    /// Its own.
    pub consensus: ConsensusConfig,
}

/// Section `consensus`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsensusConfig {
    /// The gRPC port.
    pub grpc: Listen,
    /// The admin port.
    pub admin: Listen,
    /// The folder of the log and its snapshots, for this node alone, on a disk of its own where
    /// speed matters.
    pub data: PathBuf,
    /// Entries of the log after which a snapshot is written.
    pub snapshot_every: u64,
    /// Entries that stay in the log when a snapshot holds them.
    pub keep_entries: u64,
    /// Writes that may be on their way at once; more are refused with `resource_exhausted`.
    pub max_in_flight: usize,
    /// Bytes of the writes that may be on their way at once.
    pub max_in_flight_bytes: usize,
    /// The least time that a proposal stays open after this node has come to lead, when it was
    /// opened before.
    pub min_grace_ms: u32,
}

impl Default for ConsensusConfig {
    fn default() -> Self {
        Self {
            grpc: Listen::loopback(50052),
            admin: Listen::loopback(9192),
            data: PathBuf::from(".swarm/data/consensus"),
            snapshot_every: 10_000,
            keep_entries: 1_000,
            max_in_flight: 1024,
            max_in_flight_bytes: 64 << 20,
            min_grace_ms: 5_000,
        }
    }
}

impl ConsensusConfig {
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            snapshot_every: self.snapshot_every,
            keep_entries: self.keep_entries,
            max_in_flight: self.max_in_flight,
            max_in_flight_bytes: self.max_in_flight_bytes,
        }
    }
}

impl Validate for Config {
    fn validate(&self) -> Result<()> {
        self.telemetry.validate()?;
        self.runtime.validate()?;
        self.consensus.validate()
    }
}

impl Validate for ConsensusConfig {
    fn validate(&self) -> Result<()> {
        if self.data.as_os_str().is_empty() {
            return Err(Error::invalid("consensus.data", "must be a folder"));
        }
        within(
            "consensus.snapshot_every",
            self.snapshot_every,
            10,
            10_000_000,
        )?;
        within("consensus.keep_entries", self.keep_entries, 0, 10_000_000)?;
        within("consensus.max_in_flight", self.max_in_flight, 1, 65_536)?;
        // Room for one request of the greatest size, and within what a semaphore counts.
        let (least, most) = (8 << 20, 1 << 30);
        within(
            "consensus.max_in_flight_bytes",
            self.max_in_flight_bytes,
            least,
            most,
        )?;
        within("consensus.min_grace_ms", self.min_grace_ms, 0, 3_600_000)
    }
}

fn within<T: Copy + PartialOrd + std::fmt::Display>(
    key: &str,
    value: T,
    least: T,
    most: T,
) -> Result<()> {
    if value < least || value > most {
        return Err(Error::invalid(
            key,
            format!("must be between {least} and {most}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn wrong_values_name_their_key() {
        let mut config = Config::default();
        config.validate().unwrap();
        config.consensus.snapshot_every = 1;
        let error = config.validate().unwrap_err();
        assert_eq!(error.fields()[0].field, "consensus.snapshot_every");
    }
}
