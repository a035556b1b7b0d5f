//! The service as a program of its own.

use swarm_errors::Result;
use swarm_runtime::{Lifecycle, RuntimeConfig};
use swarm_telemetry::TelemetryConfig;

use crate::{Config, Sockets, build};

/// `swarm-consensus`.
#[derive(Debug, Clone, Copy)]
pub struct Program;

impl swarm_runtime::Program for Program {
    const NAME: &'static str = "swarm-consensus";
    const SECTIONS: &'static [&'static str] =
        &["telemetry", "runtime", "peers", "service", "consensus"];
    type Config = Config;

    fn telemetry(config: &Config) -> &TelemetryConfig {
        &config.telemetry
    }

    fn runtime(config: &Config) -> &RuntimeConfig {
        &config.runtime
    }

    async fn start(config: Config, lifecycle: &Lifecycle) -> Result<()> {
        let sockets = Sockets::bind(&config).await?;
        build(config, sockets).await?.spawn(lifecycle);
        Ok(())
    }
}
