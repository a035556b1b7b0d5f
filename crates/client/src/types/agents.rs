//! Agents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use swarm_types::Timestamp;

/// Which model an agent thinks with; what is absent takes the platform's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// The provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model's name at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How freely it chooses words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// The most tokens of one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
}

/// An agent to create. It can be read from a file, too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    /// Its name.
    pub name: String,
    /// `queen`, `worker` or `specialist`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is in a swarm, such as `reader` or `writer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How it shall behave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Which model it thinks with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSettings>,
    /// What it can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Tools that it may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// The pool that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Tasks at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    /// Words of the caller's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// The fields of an agent that change; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AgentPatch {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// A new role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// New instructions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Another model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSettings>,
    /// Other capabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// Other tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// Another pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Another number of tasks at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    /// Other labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `queen`, `worker` or `specialist`.
    pub kind: String,
    /// What it is in a swarm.
    #[serde(default)]
    pub role: String,
    /// How it shall behave.
    #[serde(default)]
    pub instructions: String,
    /// Which model it thinks with.
    #[serde(default)]
    pub model: ModelSettings,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Tools that it may call.
    #[serde(default)]
    pub tools: Vec<String>,
    /// The pool that it belongs to.
    #[serde(default)]
    pub pool: String,
    /// Tasks at the same time.
    #[serde(default)]
    pub max_concurrency: u32,
    /// Words of the caller's own.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// `starting`, `idle`, `busy`, `paused`, `draining`, `failed`, `stopped`.
    pub state: String,
    /// `healthy`, `degraded` or `unhealthy`.
    pub health: String,
    /// Why it is not healthy.
    pub health_reason: Option<String>,
    /// Tasks that it works on now.
    #[serde(default)]
    pub running_tasks: u32,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// Rises with every change.
    #[serde(default)]
    pub version: u64,
}
