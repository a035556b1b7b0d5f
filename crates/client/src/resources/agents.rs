//! Agents.

use reqwest::Method;
use swarm_errors::Result;
use swarm_types::{Page, PageRequest};

use super::paged;
use crate::client::Call;
use crate::{Agent, AgentPatch, Client, NewAgent};

impl Client {
    /// Creates an agent.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn create_agent(&self, agent: &NewAgent) -> Result<Agent> {
        self.fetch(Call::post(&["agents"], agent)?).await
    }

    /// As [`Client::create_agent`], where a repeat with the same key is the same agent.
    ///
    /// # Errors
    /// As [`Client::create_agent`], and when the key was used with another agent.
    pub async fn create_agent_once(&self, key: &str, agent: &NewAgent) -> Result<Agent> {
        self.fetch(Call::post(&["agents"], agent)?.with_key(key))
            .await
    }

    /// The agents, without those that have stopped unless that state is asked for.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn list_agents(
        &self,
        pool: Option<&str>,
        state: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Agent>> {
        self.fetch(paged(
            Call::get(&["agents"])
                .query("pool", pool)
                .query("state", state),
            page,
        ))
        .await
    }

    /// The agent.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn get_agent(&self, id: &str) -> Result<Agent> {
        self.fetch(Call::get(&["agents", id])).await
    }

    /// Changes some of its fields.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn update_agent(&self, id: &str, patch: &AgentPatch) -> Result<Agent> {
        self.fetch(Call::new(Method::PATCH, &["agents", id]).with_body(patch)?)
            .await
    }

    /// Stops the agent for good.
    ///
    /// # Errors
    /// When there is none or the server cannot be reached.
    pub async fn delete_agent(&self, id: &str) -> Result<()> {
        self.run(Call::new(Method::DELETE, &["agents", id])).await
    }

    /// It takes no new work until it is resumed.
    ///
    /// # Errors
    /// When its state does not allow it or the server cannot be reached.
    pub async fn pause_agent(&self, id: &str) -> Result<Agent> {
        self.fetch(Call::new(Method::POST, &["agents", id, "pause"]))
            .await
    }

    /// It takes work again.
    ///
    /// # Errors
    /// When its state does not allow it or the server cannot be reached.
    pub async fn resume_agent(&self, id: &str) -> Result<Agent> {
        self.fetch(Call::new(Method::POST, &["agents", id, "resume"]))
            .await
    }

    /// It finishes what it does, then stops.
    ///
    /// # Errors
    /// When its state does not allow it or the server cannot be reached.
    pub async fn drain_agent(&self, id: &str) -> Result<Agent> {
        self.fetch(Call::new(Method::POST, &["agents", id, "drain"]))
            .await
    }
}
