//! `AgentService`.

use std::sync::Arc;

use swarm_errors::{Error, Result};
use swarm_identity::Permission;
use swarm_proto::agents::v1 as wire;
use swarm_proto::agents::v1::agent_service_server::AgentService;
use swarm_proto::convert::{page, parse};
use swarm_transport::authorize;
use swarm_types::TenantId;
use tonic::{Request, Response, Status};

use super::{decode, encode};
use crate::agents::{AgentPatch, Command};
use crate::engine::Engine;

#[derive(Debug)]
pub(super) struct Agents(pub(super) Arc<Engine>);

impl Agents {
    async fn command(&self, tenant: TenantId, id: &str, command: Command) -> Result<wire::Agent> {
        let agent = self
            .0
            .command_agent(tenant, parse("id", id)?, command)
            .await?;
        Ok(encode::agent(&agent))
    }
}

#[tonic::async_trait]
impl AgentService for Agents {
    async fn create_agent(
        &self,
        request: Request<wire::CreateAgentRequest>,
    ) -> Result<Response<wire::CreateAgentResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::AgentsWrite)?;
        let message = request.into_inner();
        let key = decode::request_key(message.request)?;
        let agent = message
            .agent
            .ok_or_else(|| Error::invalid("agent", "is missing"))?;
        let agent = self
            .0
            .create_agent(tenant, key.as_ref(), decode::profile(agent)?)
            .await?;
        Ok(Response::new(wire::CreateAgentResponse {
            agent: Some(encode::agent(&agent)),
        }))
    }

    async fn get_agent(
        &self,
        request: Request<wire::GetAgentRequest>,
    ) -> Result<Response<wire::GetAgentResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::AgentsRead)?;
        let agent = self
            .0
            .agent(tenant, parse("id", &request.get_ref().id)?)
            .await?;
        Ok(Response::new(wire::GetAgentResponse {
            agent: Some(encode::agent(&agent)),
        }))
    }

    async fn list_agents(
        &self,
        request: Request<wire::ListAgentsRequest>,
    ) -> Result<Response<wire::ListAgentsResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::AgentsRead)?;
        let message = request.into_inner();
        let page = page(message.page);
        let pool = decode::word("pool", message.pool)?;
        let state = decode::agent_state(message.state)?;
        let after = decode::cursor(&page.cursor)?;
        let found = self
            .0
            .list_agents(tenant, &pool, state, after, page.bounded_limit())
            .await?;
        Ok(Response::new(wire::ListAgentsResponse {
            agents: found.items.iter().map(encode::agent).collect(),
            next_cursor: found.next_cursor.unwrap_or_default(),
        }))
    }

    async fn update_agent(
        &self,
        request: Request<wire::UpdateAgentRequest>,
    ) -> Result<Response<wire::UpdateAgentResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::AgentsWrite)?;
        let message = request.into_inner();
        let key = decode::request_key(message.request)?;
        let id = parse("id", &message.id)?;
        let patch = AgentPatch::parse(&message.patch_json)?;
        let expected = match message.expected_version {
            0 => None,
            version => Some(decode::position("version", version)?),
        };
        let agent = self
            .0
            .update_agent(tenant, key.as_ref(), id, patch, expected)
            .await?;
        Ok(Response::new(wire::UpdateAgentResponse {
            agent: Some(encode::agent(&agent)),
        }))
    }

    async fn delete_agent(
        &self,
        request: Request<wire::DeleteAgentRequest>,
    ) -> Result<Response<wire::DeleteAgentResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::AgentsWrite)?;
        self.command(tenant, &request.get_ref().id, Command::Delete)
            .await?;
        Ok(Response::new(wire::DeleteAgentResponse {}))
    }

    async fn pause_agent(
        &self,
        request: Request<wire::PauseAgentRequest>,
    ) -> Result<Response<wire::PauseAgentResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::AgentsWrite)?;
        let agent = self
            .command(tenant, &request.get_ref().id, Command::Pause)
            .await?;
        Ok(Response::new(wire::PauseAgentResponse {
            agent: Some(agent),
        }))
    }

    async fn resume_agent(
        &self,
        request: Request<wire::ResumeAgentRequest>,
    ) -> Result<Response<wire::ResumeAgentResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::AgentsWrite)?;
        let agent = self
            .command(tenant, &request.get_ref().id, Command::Resume)
            .await?;
        Ok(Response::new(wire::ResumeAgentResponse {
            agent: Some(agent),
        }))
    }

    async fn drain_agent(
        &self,
        request: Request<wire::DrainAgentRequest>,
    ) -> Result<Response<wire::DrainAgentResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::AgentsWrite)?;
        let agent = self
            .command(tenant, &request.get_ref().id, Command::Drain)
            .await?;
        Ok(Response::new(wire::DrainAgentResponse {
            agent: Some(agent),
        }))
    }
}
