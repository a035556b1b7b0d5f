//! The six services' settings, ports and Apps, side by side.

use std::net::SocketAddr;
use std::time::Duration;

use swarm_config::Loader;
use swarm_errors::{Error, Result};
use swarm_runtime::{Lifecycle, Program};
use swarm_transport::PeersConfig;
use tokio::net::TcpListener;

use super::reachable;

/// Every key that names a port.
pub(super) const PORTS: [&str; 13] = [
    "gateway.rest",
    "gateway.websocket",
    "gateway.admin",
    "agent_manager.grpc",
    "agent_manager.admin",
    "consensus.grpc",
    "consensus.admin",
    "memory.grpc",
    "memory.admin",
    "learning.grpc",
    "learning.admin",
    "auth.grpc",
    "auth.admin",
];

/// The settings of all six.
#[derive(Debug)]
pub(super) struct Configs {
    gateway: swarm_gateway::Config,
    agent_manager: swarm_agent_manager::Config,
    consensus: swarm_consensus::Config,
    memory: swarm_memory::Config,
    learning: swarm_learning::Config,
    auth: swarm_auth::Config,
}

impl Configs {
    /// Loads each from its own sections.
    pub(super) fn load(loader: &Loader) -> Result<Self> {
        Ok(Self {
            gateway: load::<swarm_gateway::Program>(loader)?,
            agent_manager: load::<swarm_agent_manager::Program>(loader)?,
            consensus: load::<swarm_consensus::Program>(loader)?,
            memory: load::<swarm_memory::Program>(loader)?,
            learning: load::<swarm_learning::Program>(loader)?,
            auth: load::<swarm_auth::Program>(loader)?,
        })
    }

    /// How long running work may go on after the order to stop.
    pub(super) fn grace(&self) -> Duration {
        self.gateway.runtime.grace()
    }

    /// The same settings, with each service where it really listens.
    pub(super) fn meeting_at(mut self, addresses: &Addresses) -> Self {
        let peers = addresses.peers();
        self.gateway.peers = peers.clone();
        self.agent_manager.peers = peers.clone();
        self.consensus.peers = peers.clone();
        self.memory.peers = peers.clone();
        self.learning.peers = peers;
        self
    }
}

fn load<P: Program>(loader: &Loader) -> Result<P::Config> {
    loader.load(P::SECTIONS)
}

/// The bound ports of all six.
#[derive(Debug)]
pub(super) struct Sockets {
    gateway: swarm_gateway::Sockets,
    agent_manager: swarm_agent_manager::Sockets,
    consensus: swarm_consensus::Sockets,
    memory: swarm_memory::Sockets,
    learning: swarm_learning::Sockets,
    auth: swarm_auth::Sockets,
}

impl Sockets {
    pub(super) async fn bind(configs: &Configs) -> Result<Self> {
        Ok(Self {
            gateway: swarm_gateway::Sockets::bind(&configs.gateway).await?,
            agent_manager: swarm_agent_manager::Sockets::bind(&configs.agent_manager).await?,
            consensus: swarm_consensus::Sockets::bind(&configs.consensus).await?,
            memory: swarm_memory::Sockets::bind(&configs.memory).await?,
            learning: swarm_learning::Sockets::bind(&configs.learning).await?,
            auth: swarm_auth::Sockets::bind(&configs.auth).await?,
        })
    }

    pub(super) fn addresses(&self) -> Result<Addresses> {
        let of = |listener: &TcpListener| listener.local_addr().map_err(Error::internal);
        Ok(Addresses {
            rest: of(&self.gateway.rest)?,
            websocket: of(&self.gateway.websocket)?,
            admin: [
                ("gateway", of(&self.gateway.admin)?),
                ("agent-manager", of(&self.agent_manager.admin)?),
                ("consensus", of(&self.consensus.admin)?),
                ("memory", of(&self.memory.admin)?),
                ("learning", of(&self.learning.admin)?),
                ("auth", of(&self.auth.admin)?),
            ],
            agent_manager: of(&self.agent_manager.grpc)?,
            consensus: of(&self.consensus.grpc)?,
            memory: of(&self.memory.grpc)?,
            learning: of(&self.learning.grpc)?,
            auth: of(&self.auth.grpc)?,
        })
    }
}

/// Where everything listens.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) rest: SocketAddr,
    pub(super) websocket: SocketAddr,
    pub(super) admin: [(&'static str, SocketAddr); 6],
    agent_manager: SocketAddr,
    consensus: SocketAddr,
    memory: SocketAddr,
    learning: SocketAddr,
    auth: SocketAddr,
}

impl Addresses {
    fn peers(&self) -> PeersConfig {
        let url = |address: SocketAddr| format!("http://{}", reachable(address));
        PeersConfig {
            agent_manager: url(self.agent_manager),
            consensus: url(self.consensus),
            memory: url(self.memory),
            learning: url(self.learning),
            auth: url(self.auth),
        }
    }
}

/// All six, built and not yet running.
#[derive(Debug)]
pub(super) struct Apps {
    gateway: swarm_gateway::App,
    agent_manager: swarm_agent_manager::App,
    consensus: swarm_consensus::App,
    memory: swarm_memory::App,
    learning: swarm_learning::App,
    auth: swarm_auth::App,
}

/// Builds all six at once: most of the time each waits for its disk.
pub(super) async fn build(configs: Configs, sockets: Sockets) -> Result<Apps> {
    let (auth, consensus, memory, learning, agent_manager, gateway) = tokio::try_join!(
        Box::pin(swarm_auth::build(configs.auth, sockets.auth)),
        Box::pin(swarm_consensus::build(configs.consensus, sockets.consensus)),
        Box::pin(swarm_memory::build(configs.memory, sockets.memory)),
        Box::pin(swarm_learning::build(configs.learning, sockets.learning)),
        Box::pin(swarm_agent_manager::build(
            configs.agent_manager,
            sockets.agent_manager
        )),
        Box::pin(swarm_gateway::build(configs.gateway, sockets.gateway)),
    )?;
    Ok(Apps {
        gateway,
        agent_manager,
        consensus,
        memory,
        learning,
        auth,
    })
}

impl Apps {
    /// Starts each in the life that `life` gives it; the gateway's doors open last.
    pub(super) fn spawn(self, gateway: &Lifecycle, agent_manager: &Lifecycle, rest: &Lifecycle) {
        self.auth.spawn(rest);
        self.consensus.spawn(rest);
        self.memory.spawn(rest);
        self.learning.spawn(rest);
        self.agent_manager.spawn(agent_manager);
        self.gateway.spawn(gateway);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;

    /// The list of all sections stands where every service can see it.
    #[test]
    fn every_section_is_read_by_some_service() {
        let read: BTreeSet<&str> = [
            swarm_gateway::Program::SECTIONS,
            swarm_agent_manager::Program::SECTIONS,
            swarm_consensus::Program::SECTIONS,
            swarm_memory::Program::SECTIONS,
            swarm_learning::Program::SECTIONS,
            swarm_auth::Program::SECTIONS,
        ]
        .concat()
        .into_iter()
        .collect();
        assert_eq!(read, swarm_config::SECTIONS.iter().copied().collect());
    }

    #[test]
    fn every_port_key_is_known_to_its_service() {
        let loader = Loader::from_environment(HashMap::new()).set("service.secret", "s");
        let loader = PORTS
            .iter()
            .fold(loader, |loader, key| loader.set(key, "127.0.0.1:0"));
        let configs = Configs::load(&loader).unwrap();
        let ports = [
            configs.gateway.gateway.rest,
            configs.gateway.gateway.websocket,
            configs.gateway.gateway.admin,
            configs.agent_manager.agent_manager.grpc,
            configs.agent_manager.agent_manager.admin,
            configs.consensus.consensus.grpc,
            configs.consensus.consensus.admin,
            configs.memory.memory.grpc,
            configs.memory.memory.admin,
            configs.learning.learning.grpc,
            configs.learning.learning.admin,
            configs.auth.auth.grpc,
            configs.auth.auth.admin,
        ];
        assert!(ports.iter().all(|port| port.0.port() == 0), "{ports:?}");
    }
}
