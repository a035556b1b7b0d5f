//! agent-manager as a program.

use swarm_errors::Result;
use swarm_runtime::{Lifecycle, RuntimeConfig};
use swarm_telemetry::TelemetryConfig;

use crate::{Config, Sockets, build};

/// The program `swarm-agent-manager`.
#[derive(Debug)]
pub struct Program;

impl swarm_runtime::Program for Program {
    const NAME: &'static str = "swarm-agent-manager";
    const SECTIONS: &'static [&'static str] = &[
        "telemetry",
        "runtime",
        "database",
        "cache",
        "peers",
        "service",
        "models",
        "tools",
        "agent_manager",
    ];
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
