//! An agent as it is stored.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use swarm_types::{AgentId, TenantId, Timestamp};

use super::AgentState;
use crate::tasks::words;

words! {
    /// What an agent is among the others.
    AgentKind {
        /// Leads a swarm.
        Queen = "queen",
        /// Does the work.
        Worker = "worker",
        /// Does one sort of work.
        Specialist = "specialist",
    }
}

/// Which model an agent thinks with. What is empty takes the platform's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSettings {
    /// The provider.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// The model.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// The longest answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
}

/// What people say of an agent; the rest the platform keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentProfile {
    /// Unique in the tenant among agents that are not stopped.
    pub name: String,
    /// What it is among the others.
    pub kind: AgentKind,
    /// What it is in a swarm: reader, writer, or a word of the user's own.
    pub role: String,
    /// What it is told before each task.
    pub instructions: String,
    /// Which model it thinks with.
    pub model: ModelSettings,
    /// What it can do, in words that tasks may ask for.
    pub capabilities: Vec<String>,
    /// Names of tools it may call.
    pub tools: Vec<String>,
    /// The pool it belongs to.
    pub pool: String,
    /// Tasks at the same time.
    pub max_concurrency: u32,
    /// The user's own words.
    pub labels: BTreeMap<String, String>,
}

/// One agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRecord {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id.
    pub id: AgentId,
    /// What people say of it.
    pub profile: AgentProfile,
    /// Where it stands; never [`AgentState::Busy`]: see [`AgentRecord::shown_state`].
    pub state: AgentState,
    /// Why it is failed; empty when healthy.
    pub health_reason: String,
    /// How many tasks it works on now.
    pub running_tasks: u32,
    /// Rises with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

impl AgentRecord {
    /// The state as people see it: busy when it works on something.
    #[must_use]
    pub const fn shown_state(&self) -> AgentState {
        self.state.shown(self.running_tasks)
    }
}
