//! Agents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use swarm_proto::agents::v1 as wire;
use utoipa::{IntoParams, ToSchema};

use super::page::paged;
use super::wire::{Time, Word, some, text, time, words};

words! {
    /// Where an agent is in its life.
    AgentState = wire::AgentState {
        /// It is being made.
        Starting,
        /// It has nothing to do.
        Idle,
        /// It works.
        Busy,
        /// It takes no new work until it is resumed.
        Paused,
        /// It finishes what it does, then stops.
        Draining,
        /// It cannot work.
        Failed,
        /// It has stopped for good.
        Stopped,
    }

    /// What an agent is among agents.
    AgentKind = wire::AgentKind {
        /// It leads.
        Queen,
        /// It does what comes.
        Worker,
        /// It does what it is made for.
        Specialist,
    }
}

/// How an agent is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Health {
    /// All is well.
    Healthy,
    /// It works, with the trouble that `health_reason` says.
    Degraded,
    /// It cannot work.
    Unhealthy,
}

/// Which model an agent thinks with; what is absent takes the platform's default.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// The model's name at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// From 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    /// The most tokens of one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
}

impl From<ModelSettings> for wire::ModelSettings {
    fn from(model: ModelSettings) -> Self {
        Self {
            provider: text(model.provider),
            name: text(model.name),
            temperature: model.temperature,
            max_tokens: model.max_tokens,
        }
    }
}

/// An agent to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAgent {
    #[schema(example = "reader-1")]
    name: String,
    /// `worker` unless given.
    kind: Option<AgentKind>,
    /// What it is in a swarm: `reader`, `writer`, or a word of the caller's own.
    #[schema(example = "reader")]
    role: Option<String>,
    /// How it shall behave.
    instructions: Option<String>,
    model: Option<ModelSettings>,
    #[serde(default)]
    capabilities: Vec<String>,
    /// Names of tools that it may call.
    #[serde(default)]
    tools: Vec<String>,
    pool: Option<String>,
    /// Tasks at the same time; 1 unless given.
    max_concurrency: Option<u32>,
    /// Words of the caller's own.
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl From<NewAgent> for wire::Agent {
    fn from(agent: NewAgent) -> Self {
        Self {
            name: agent.name,
            kind: agent.kind.unwrap_or(AgentKind::Worker).to_wire(),
            role: text(agent.role),
            instructions: text(agent.instructions),
            model: agent.model.map(Into::into),
            capabilities: agent.capabilities,
            tools: agent.tools,
            pool: text(agent.pool),
            max_concurrency: agent.max_concurrency.unwrap_or(1),
            labels: agent.labels.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// The fields of an agent that change; what is absent or null stays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<AgentKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<ModelSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_concurrency: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<BTreeMap<String, String>>,
}

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Agent {
    pub(crate) id: String,
    name: String,
    #[schema(required)]
    kind: Option<AgentKind>,
    role: String,
    instructions: String,
    model: ModelSettings,
    capabilities: Vec<String>,
    tools: Vec<String>,
    pool: String,
    max_concurrency: u32,
    labels: BTreeMap<String, String>,
    #[schema(required)]
    state: Option<AgentState>,
    health: Health,
    /// Why it is not healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    health_reason: Option<String>,
    running_tasks: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Time>,
    /// Rises with every change; it is the `ETag`, too.
    pub(crate) version: u64,
}

impl From<wire::Agent> for Agent {
    fn from(agent: wire::Agent) -> Self {
        let state = AgentState::from_wire(agent.state);
        let health = match state {
            Some(AgentState::Failed) => Health::Unhealthy,
            _ if agent.health_reason.is_empty() => Health::Healthy,
            _ => Health::Degraded,
        };
        let model = agent.model.unwrap_or_default();
        Self {
            id: agent.id,
            name: agent.name,
            kind: AgentKind::from_wire(agent.kind),
            role: agent.role,
            instructions: agent.instructions,
            model: ModelSettings {
                provider: some(model.provider),
                name: some(model.name),
                temperature: model.temperature,
                max_tokens: model.max_tokens,
            },
            capabilities: agent.capabilities,
            tools: agent.tools,
            pool: agent.pool,
            max_concurrency: agent.max_concurrency,
            labels: agent.labels.into_iter().collect(),
            state,
            health,
            health_reason: some(agent.health_reason),
            running_tasks: agent.running_tasks,
            created_at: time(agent.created_at),
            updated_at: time(agent.updated_at),
            version: agent.version,
        }
    }
}

/// Which agents are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAgents {
    /// Only those of this pool.
    pub(crate) pool: Option<String>,
    /// Only those in this state; without it, all but the stopped ones.
    #[param(inline)]
    pub(crate) state: Option<AgentState>,
    /// How many items, 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

paged!(ListAgents);
