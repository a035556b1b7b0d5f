//! Agents.

use axum::Json;
use axum::extract::State;
use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use swarm_errors::{Error, Result};
use swarm_proto::agents::v1 as wire;
use swarm_proto::convert;

use super::{etag, expect, location, nothing};
use crate::extract::{Body, Id, NoParams, Optional, Paging, Params};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::agents::{Agent, AgentPatch, AgentState, ListAgents, NewAgent};
use crate::shapes::page::Page;
use crate::shapes::wire::{Word, text};

/// A body without a field.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Create an agent
#[utoipa::path(post, path = "", tag = "agents", request_body = NewAgent,
    responses((status = 201, body = Agent, description = "The agent was created",
        headers(("Location" = String, description = "Where the agent is"), ("ETag" = String, description = "Its version")))))]
pub(super) async fn create_agent(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewAgent>,
) -> Answer<impl IntoResponse> {
    let message = wire::CreateAgentRequest {
        request: Some(body.key),
        agent: Some(body.value.into()),
    };
    let answer = ask!(gateway, &caller, agents.create_agent(message))?;
    let agent = Agent::from(expect(answer.agent)?);
    Ok((
        StatusCode::CREATED,
        location("agents", &agent.id),
        etag(agent.version),
        Json(agent),
    ))
}

/// List agents
#[utoipa::path(get, path = "", tag = "agents", params(ListAgents),
    responses((status = 200, body = Page<Agent>, description = "A page of agents")))]
pub(super) async fn list_agents(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<ListAgents>,
) -> Answer<Json<Page<Agent>>> {
    let message = wire::ListAgentsRequest {
        page: params.page()?,
        pool: text(params.pool),
        state: AgentState::or_unspecified(params.state),
    };
    let answer = ask!(gateway, &caller, agents.list_agents(message))?;
    Ok(Json(Page::new(answer.agents, answer.next_cursor)))
}

/// Get an agent
#[utoipa::path(get, path = "", tag = "agents", params(("id" = String, Path, description = "The agent")),
    responses((status = 200, body = Agent, description = "The agent",
        headers(("ETag" = String, description = "Its version")))))]
pub(super) async fn get_agent(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<impl IntoResponse> {
    let answer = ask!(
        gateway,
        &caller,
        agents.get_agent(wire::GetAgentRequest { id })
    )?;
    Ok(shown(expect(answer.agent)?))
}

/// Change some fields of an agent
///
/// With `If-Match`, only if it still has that version.
#[utoipa::path(patch, path = "", tag = "agents", request_body = AgentPatch,
    params(
        ("id" = String, Path, description = "The agent"),
        ("If-Match" = Option<String>, Header, description = "The ETag that the change was made for")),
    responses((status = 200, body = Agent, description = "The agent, changed",
        headers(("ETag" = String, description = "Its version")))))]
pub(super) async fn update_agent(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    headers: HeaderMap,
    body: Body<AgentPatch>,
) -> Answer<impl IntoResponse> {
    let message = wire::UpdateAgentRequest {
        request: Some(body.key),
        id,
        patch_json: convert::to_json(&body.value)?,
        expected_version: expected_version(&headers)?,
    };
    let answer = ask!(gateway, &caller, agents.update_agent(message))?;
    Ok(shown(expect(answer.agent)?))
}

/// Stop an agent for good
///
/// Its history stays.
#[utoipa::path(delete, path = "", tag = "agents", params(("id" = String, Path, description = "The agent")),
    responses((status = 204, description = "The agent has stopped")))]
pub(super) async fn delete_agent(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<impl IntoResponse> {
    ask!(
        gateway,
        &caller,
        agents.delete_agent(wire::DeleteAgentRequest { id })
    )?;
    Ok(nothing())
}

/// Pause an agent
///
/// It takes no new work until it is resumed.
#[utoipa::path(post, path = "", tag = "agents", params(("id" = String, Path, description = "The agent")),
    responses((status = 200, body = Agent, description = "The agent, paused")))]
pub(super) async fn pause_agent(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    _: Optional<Nothing>,
) -> Answer<impl IntoResponse> {
    let answer = ask!(
        gateway,
        &caller,
        agents.pause_agent(wire::PauseAgentRequest { id })
    )?;
    Ok(shown(expect(answer.agent)?))
}

/// Resume an agent
#[utoipa::path(post, path = "", tag = "agents", params(("id" = String, Path, description = "The agent")),
    responses((status = 200, body = Agent, description = "The agent, resumed")))]
pub(super) async fn resume_agent(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    _: Optional<Nothing>,
) -> Answer<impl IntoResponse> {
    let answer = ask!(
        gateway,
        &caller,
        agents.resume_agent(wire::ResumeAgentRequest { id })
    )?;
    Ok(shown(expect(answer.agent)?))
}

/// Drain an agent
///
/// It finishes what it does, then stops.
#[utoipa::path(post, path = "", tag = "agents", params(("id" = String, Path, description = "The agent")),
    responses((status = 200, body = Agent, description = "The agent, draining")))]
pub(super) async fn drain_agent(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    _: Optional<Nothing>,
) -> Answer<impl IntoResponse> {
    let answer = ask!(
        gateway,
        &caller,
        agents.drain_agent(wire::DrainAgentRequest { id })
    )?;
    Ok(shown(expect(answer.agent)?))
}

fn shown(agent: wire::Agent) -> impl IntoResponse {
    let agent = Agent::from(agent);
    (etag(agent.version), Json(agent))
}

/// The version in `If-Match`; 0 where any will do.
fn expected_version(headers: &HeaderMap) -> Result<u64> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(0);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(0);
    }
    text.strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|version| version.parse().ok())
        .filter(|version| *version > 0)
        .ok_or_else(|| Error::invalid("If-Match", "must be an ETag of this agent, such as \"3\""))
}
