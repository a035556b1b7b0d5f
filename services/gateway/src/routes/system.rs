//! The state of the platform.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use swarm_errors::Result;
use swarm_identity::Caller;
use swarm_proto::agents::v1::{ListAgentsRequest, ListTasksRequest};
use swarm_proto::common::v1::PageRequest;
use swarm_proto::consensus::v1::GetStatusRequest;
use swarm_types::MAX_LIMIT;

use crate::extract::NoParams;
use crate::gateway::{Gate, Gateway};
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::agents::AgentState;
use crate::shapes::system::{
    ConsensusStatus, Counted, ServiceHealth, SystemHealth, SystemState, SystemStatus,
};
use crate::shapes::tasks::TaskState;
use crate::shapes::wire::{Time, Word};

/// Show every service as the gateway sees it
#[utoipa::path(get, path = "", tag = "system",
    responses((status = 200, body = SystemHealth, description = "Each service, and whether it takes calls")))]
pub(super) async fn get_system_health(
    State(gateway): Gate,
    Who(_): Who,
    _: NoParams,
) -> Json<SystemHealth> {
    let services: Vec<ServiceHealth> = gateway
        .peers
        .health()
        .await
        .into_iter()
        .map(|found| ServiceHealth {
            name: found.name,
            ready: found.result.is_ok(),
            detail: found.result.err().map(|error| error.detail().to_owned()),
        })
        .collect();
    let status = if services.iter().all(|service| service.ready) {
        SystemStatus::Ready
    } else {
        SystemStatus::Degraded
    };
    Json(SystemHealth { status, services })
}

/// Show the consensus group
#[utoipa::path(get, path = "", tag = "system",
    responses((status = 200, body = ConsensusStatus, description = "Leader, term and log of the group")))]
pub(super) async fn get_consensus_status(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
) -> Answer<Json<ConsensusStatus>> {
    Ok(Json(consensus(&gateway, &caller).await?))
}

/// Show agents, open tasks and the consensus group
///
/// Parts that cannot be had now are absent and named in `missing`.
#[utoipa::path(get, path = "", tag = "system",
    responses((status = 200, body = SystemState, description = "The state, for the caller's tenant")))]
pub(super) async fn get_system_state(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
) -> Json<SystemState> {
    let (agents, tasks, consensus) = tokio::join!(
        agents(&gateway, &caller),
        open_tasks(&gateway, &caller),
        consensus(&gateway, &caller)
    );
    let mut missing = Vec::new();
    Json(SystemState {
        version: env!("CARGO_PKG_VERSION"),
        started_at: Time(gateway.started_at),
        agents: or_missing("agents", agents, &mut missing),
        open_tasks: or_missing("open_tasks", tasks, &mut missing),
        consensus: or_missing("consensus", consensus, &mut missing),
        missing,
    })
}

fn or_missing<T>(
    part: &'static str,
    found: Result<T>,
    missing: &mut Vec<&'static str>,
) -> Option<T> {
    found
        .inspect_err(|error| {
            tracing::debug!(
                error = error.chain(),
                part,
                "a part of the state is missing"
            );
            missing.push(part);
        })
        .ok()
}

async fn consensus(gateway: &Arc<Gateway>, caller: &Caller) -> Result<ConsensusStatus> {
    Ok(ask!(gateway, caller, consensus.get_status(GetStatusRequest {}))?.into())
}

async fn agents(gateway: &Arc<Gateway>, caller: &Caller) -> Result<Counted> {
    let message = ListAgentsRequest {
        page: largest_page(),
        pool: String::new(),
        state: 0,
    };
    let answer = ask!(gateway, caller, agents.list_agents(message))?;
    let mut counted = Counted {
        more: !answer.next_cursor.is_empty(),
        ..Counted::default()
    };
    for state in answer
        .agents
        .iter()
        .filter_map(|agent| AgentState::from_wire(agent.state))
    {
        *counted.by_state.entry(word(&state)).or_default() += 1;
    }
    Ok(counted)
}

async fn open_tasks(gateway: &Arc<Gateway>, caller: &Caller) -> Result<Counted> {
    let mut counted = Counted::default();
    for state in [
        TaskState::Queued,
        TaskState::Waiting,
        TaskState::Running,
        TaskState::AwaitingApproval,
    ] {
        let message = ListTasksRequest {
            page: largest_page(),
            state: state.to_wire(),
            parent_id: String::new(),
        };
        let answer = ask!(gateway, caller, tasks.list_tasks(message))?;
        counted.more |= !answer.next_cursor.is_empty();
        counted
            .by_state
            .insert(word(&state), answer.tasks.len() as u64);
    }
    Ok(counted)
}

fn largest_page() -> Option<PageRequest> {
    Some(PageRequest {
        limit: MAX_LIMIT,
        cursor: String::new(),
    })
}

/// The word of an enum, as JSON has it.
fn word(state: &impl serde::Serialize) -> String {
    serde_json::to_value(state)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
