//! The settings of agent-manager.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use swarm_cache::CacheConfig;
use swarm_config::{Listen, Validate};
use swarm_database::DatabaseConfig;
use swarm_errors::{Error, Result};
use swarm_models::ModelsConfig;
use swarm_runtime::RuntimeConfig;
use swarm_telemetry::TelemetryConfig;
use swarm_transport::{PeersConfig, ServiceConfig};
use swarm_types::TenantId;

use crate::engine::{EngineConfig, Weights};
use crate::scheduling::HEAVIEST;
use crate::work::ToolsConfig;

/// With a file of its own a replica has no rival who would wait for its leases, and a laptop that
/// sleeps or swaps must not lose them.
const EMBEDDED_LEASE: Duration = Duration::from_secs(60);

/// A cancel on another replica is done by then, even without a cache to call through: one small
/// query each time.
const STOP_POLL: Duration = Duration::from_millis(100);

/// Ten years: what is to be kept longer is to be kept for good.
const MOST_HOURS: u32 = 87_600;

/// As many as a replica's workers may be.
const MOST_RUNNING: u32 = 10_000;

/// All sections that agent-manager reads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// The life of the process.
    pub runtime: RuntimeConfig,
    /// Where its tables are.
    pub database: DatabaseConfig,
    /// By which replicas wake each other.
    pub cache: CacheConfig,
    /// Where the other services are.
    pub peers: PeersConfig,
    /// The secret that the services share.
    pub service: ServiceConfig,
    /// What agents think with.
    pub models: ModelsConfig,
    /// Tools of the operator's own.
    pub tools: ToolsConfig,
    /// Its own.
    pub agent_manager: AgentManagerConfig,
}

/// Section `agent_manager`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentManagerConfig {
    /// The gRPC port.
    pub grpc: Listen,
    /// The admin port.
    pub admin: Listen,
    /// This replica's name: the same after a restart, another one for each replica. Empty takes
    /// `embedded` with SQLite, else the host's name and the gRPC port.
    pub replica: String,
    /// Tasks that are worked on at the same time; those that wait do not count.
    pub max_workers: usize,
    /// How long the tasks of a lost replica wait until they are taken over. With SQLite, where
    /// nobody could, leases are longer.
    pub lease_ms: u64,
    /// How often to look for work, lost replicas and deadlines when nothing wakes us.
    pub poll_ms: u64,
    /// Tasks of one tenant that may wait for a worker; a submission beyond is refused with 429.
    pub max_queued_per_tenant: u64,
    /// How tenants and pools share the workers.
    pub weights: WeightsConfig,
    /// Bounds of pools, by their names.
    pub pools: BTreeMap<String, PoolConfig>,
    /// After so many hours an idempotency key is free again.
    pub idempotency_hours: u32,
    /// So many hours after the end of a tree of tasks its events are kept; 0 keeps them for good.
    pub event_retention_hours: u32,
    /// The most steps of one task.
    pub max_steps: u32,
    /// The most bytes of a step's input, of its result and of a task's result, each as JSON.
    pub max_step_bytes: usize,
}

/// Section `agent_manager.weights`: from 1 to 1000, and 1 where nothing is said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightsConfig {
    /// By the id of a tenant.
    pub tenants: BTreeMap<String, u32>,
    /// By the name of a pool, in every tenant.
    pub pools: BTreeMap<String, u32>,
}

/// Section `agent_manager.pools.NAME`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// Its tasks that run at the same time, over all tenants and replicas, from 1 to 10000; those
    /// that wait do not count. The same for all replicas.
    pub max_running: u32,
}

impl WeightsConfig {
    fn weights(&self) -> Result<Weights> {
        let checked = |section: &str, name: &str, weight: u32| {
            if (1..=HEAVIEST).contains(&weight) {
                return Ok(weight);
            }
            let key = format!("agent_manager.weights.{section}.{name}");
            Err(Error::invalid(
                key,
                format!("must be between 1 and {HEAVIEST}"),
            ))
        };
        let mut weights = Weights::default();
        for (name, weight) in &self.tenants {
            let tenant: TenantId = name.parse().map_err(|_| {
                Error::invalid(
                    "agent_manager.weights.tenants",
                    format!("{name:?} is no id of a tenant"),
                )
            })?;
            weights
                .tenants
                .insert(tenant, checked("tenants", name, *weight)?);
        }
        for (name, weight) in &self.pools {
            weights
                .pools
                .insert(name.clone(), checked("pools", name, *weight)?);
        }
        Ok(weights)
    }
}

impl Default for AgentManagerConfig {
    fn default() -> Self {
        Self {
            grpc: Listen::loopback(50051),
            admin: Listen::loopback(9191),
            replica: String::new(),
            max_workers: 32,
            lease_ms: 5_000,
            poll_ms: 1_000,
            max_queued_per_tenant: 100_000,
            weights: WeightsConfig::default(),
            pools: BTreeMap::new(),
            idempotency_hours: 24,
            event_retention_hours: 0,
            max_steps: 10_000,
            max_step_bytes: 4 << 20,
        }
    }
}

impl Config {
    /// The engine's part, for a replica whose gRPC port is this one.
    pub(crate) fn engine(&self, port: u16) -> EngineConfig {
        let own = &self.agent_manager;
        let embedded = self.database.is_embedded();
        let lease = Duration::from_millis(own.lease_ms);
        EngineConfig {
            replica: match own.replica.as_str() {
                "" if embedded => "embedded".to_owned(),
                "" => format!("{}:{port}", host_name()),
                name => name.to_owned(),
            },
            max_workers: own.max_workers,
            lease: if embedded {
                lease.max(EMBEDDED_LEASE)
            } else {
                lease
            },
            poll: Duration::from_millis(own.poll_ms),
            // With a file of its own nobody else asks.
            stop_poll: if embedded {
                Duration::from_millis(own.poll_ms)
            } else {
                STOP_POLL
            },
            max_queued_per_tenant: own.max_queued_per_tenant,
            // Checked before.
            weights: own.weights.weights().unwrap_or_default(),
            max_running: own
                .pools
                .iter()
                .map(|(name, pool)| (name.clone(), pool.max_running))
                .collect(),
            key_age: hours(own.idempotency_hours),
            event_retention: (own.event_retention_hours > 0)
                .then(|| hours(own.event_retention_hours)),
            max_steps: own.max_steps,
            max_step_bytes: own.max_step_bytes,
        }
    }

    /// Whether there may be other replicas to wake.
    pub(crate) fn has_shared_cache(&self) -> bool {
        self.cache.url != CacheConfig::default().url
    }
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 60 * 60)
}

/// Kubernetes sets it to the pod's name; elsewhere the kernel knows.
fn host_name() -> String {
    let set = std::env::var("HOSTNAME")
        .ok()
        .filter(|name| !name.is_empty());
    let kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    set.or_else(kernel)
        .map_or_else(|| "localhost".to_owned(), |name| name.trim().to_owned())
}

impl Validate for Config {
    fn validate(&self) -> Result<()> {
        self.telemetry.validate()?;
        self.runtime.validate()?;
        self.database.validate()?;
        self.cache.validate()?;
        self.models.validate()?;
        self.tools.validate()?;
        let own = &self.agent_manager;
        if !(1..=10_000).contains(&own.max_workers) {
            return Err(Error::invalid(
                "agent_manager.max_workers",
                "must be between 1 and 10000",
            ));
        }
        if !(500..=600_000).contains(&own.lease_ms) {
            return Err(Error::invalid(
                "agent_manager.lease_ms",
                "must be between 500 and 600000",
            ));
        }
        if !(10..=60_000).contains(&own.poll_ms) {
            return Err(Error::invalid(
                "agent_manager.poll_ms",
                "must be between 10 and 60000",
            ));
        }
        if !(1..=MOST_HOURS).contains(&own.idempotency_hours) {
            return Err(Error::invalid(
                "agent_manager.idempotency_hours",
                format!("must be between 1 and {MOST_HOURS}"),
            ));
        }
        if own.event_retention_hours > MOST_HOURS {
            return Err(Error::invalid(
                "agent_manager.event_retention_hours",
                format!("must be at most {MOST_HOURS}"),
            ));
        }
        if !(1..=100_000_000).contains(&own.max_queued_per_tenant) {
            return Err(Error::invalid(
                "agent_manager.max_queued_per_tenant",
                "must be between 1 and 100000000",
            ));
        }
        if !(1..=1_000_000).contains(&own.max_steps) {
            return Err(Error::invalid(
                "agent_manager.max_steps",
                "must be between 1 and 1000000",
            ));
        }
        if !(1_024..=256 << 20).contains(&own.max_step_bytes) {
            return Err(Error::invalid(
                "agent_manager.max_step_bytes",
                "must be between 1024 and 268435456",
            ));
        }
        for (name, pool) in &own.pools {
            if name.is_empty() {
                return Err(Error::invalid("agent_manager.pools", "a pool has a name"));
            }
            if !(1..=MOST_RUNNING).contains(&pool.max_running) {
                return Err(Error::invalid(
                    format!("agent_manager.pools.{name}.max_running"),
                    format!("must be between 1 and {MOST_RUNNING}"),
                ));
            }
        }
        own.weights.weights().map(drop)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn wrong_values_name_their_key() {
        Config::default().validate().unwrap();
        type Change = fn(&mut AgentManagerConfig);
        let changes: [(&str, Change); 10] = [
            ("agent_manager.idempotency_hours", |own| {
                own.idempotency_hours = 0;
            }),
            ("agent_manager.event_retention_hours", |own| {
                own.event_retention_hours = 87_601;
            }),
            ("agent_manager.max_workers", |own| own.max_workers = 0),
            ("agent_manager.lease_ms", |own| own.lease_ms = 1),
            ("agent_manager.poll_ms", |own| own.poll_ms = 0),
            ("agent_manager.max_queued_per_tenant", |own| {
                own.max_queued_per_tenant = 0;
            }),
            ("agent_manager.weights.tenants", |own| {
                own.weights.tenants = [("me".to_owned(), 1)].into();
            }),
            ("agent_manager.pools.fast.max_running", |own| {
                own.pools = [("fast".to_owned(), PoolConfig { max_running: 0 })].into();
            }),
            ("agent_manager.pools", |own| {
                own.pools = [(String::new(), PoolConfig { max_running: 1 })].into();
            }),
            ("agent_manager.weights.pools.fast", |own| {
                own.weights.pools = [("fast".to_owned(), 0)].into();
            }),
        ];
        for (key, change) in changes {
            let mut config = Config::default();
            change(&mut config.agent_manager);
            assert_eq!(config.validate().unwrap_err().fields()[0].field, key);
        }
    }

    #[test]
    fn a_replica_keeps_its_name_over_restarts() {
        let mut config = Config::default();
        assert_eq!(config.engine(1).replica, "embedded");
        assert_eq!(config.engine(1).lease, EMBEDDED_LEASE);
        config.database = DatabaseConfig::at("postgres://u@h/d");
        assert!(config.engine(7).replica.ends_with(":7"));
        assert_eq!(config.engine(7).replica, config.engine(7).replica);
        assert_eq!(config.engine(7).lease, Duration::from_secs(5));
        config.agent_manager.replica = "one".into();
        assert_eq!(config.engine(7).replica, "one");
    }
}
