//! Messages between agents.

use serde::{Deserialize, Serialize};
use swarm_types::Timestamp;

/// A message to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewMessage {
    /// The agent in whose name it is sent; absent when a person sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_agent_id: Option<String>,
    /// The agent that shall get it.
    pub to_agent_id: String,
    /// The task within which it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The words.
    pub body: String,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The agent that sent it.
    pub from_agent_id: Option<String>,
    /// The agent that gets it.
    pub to_agent_id: String,
    /// The task within which it was sent.
    pub task_id: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub subject: String,
    /// The words.
    #[serde(default)]
    pub body: String,
    /// `pending` or `consumed`.
    pub state: String,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// When it was consumed.
    pub consumed_at: Option<Timestamp>,
    /// The step that consumed it; absent when it was acknowledged from outside.
    pub consumed_by_step: Option<String>,
}
