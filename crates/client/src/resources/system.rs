//! The state of the platform.

use swarm_errors::Result;

use crate::client::Call;
use crate::{Client, ConsensusStatus, Overview, SystemHealth, SystemState};

impl Client {
    /// Every service as the gateway sees it.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn system_health(&self) -> Result<SystemHealth> {
        self.fetch(Call::get(&["system", "health"])).await
    }

    /// Agents, open tasks and the consensus group.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn system_state(&self) -> Result<SystemState> {
        self.fetch(Call::get(&["system", "state"])).await
    }

    /// Queues, rates, agents at work and replicas.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn overview(&self) -> Result<Overview> {
        self.fetch(Call::get(&["system", "overview"])).await
    }

    /// The consensus group.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn consensus_status(&self) -> Result<ConsensusStatus> {
        self.fetch(Call::get(&["consensus", "status"])).await
    }
}
