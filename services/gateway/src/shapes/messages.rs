//! Messages between agents.

use serde::{Deserialize, Serialize};
use swarm_proto::agents::v1 as wire;
use swarm_proto::common::v1::RequestKey;
use utoipa::{IntoParams, ToSchema};

use super::page::paged;
use super::wire::{Time, some, text, time};

/// A message to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMessage {
    /// The agent in whose name it is sent; absent when a person sends it.
    from_agent_id: Option<String>,
    /// The agent that shall get it.
    to_agent_id: String,
    /// The task within which it is sent.
    task_id: Option<String>,
    subject: Option<String>,
    body: String,
}

impl NewMessage {
    /// For the wire.
    pub(crate) fn into_wire(self, key: RequestKey) -> wire::SendMessageRequest {
        wire::SendMessageRequest {
            request: Some(key),
            from_agent_id: text(self.from_agent_id),
            to_agent_id: self.to_agent_id,
            task_id: text(self.task_id),
            subject: text(self.subject),
            body: self.body,
        }
    }
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    id: String,
    /// The agent that sent it; absent when a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_agent_id: Option<String>,
    to_agent_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    subject: String,
    body: String,
    /// `pending` or `consumed`.
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_at: Option<Time>,
    /// The step that consumed it; absent when it was acknowledged from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_by_step: Option<String>,
}

impl From<wire::AgentMessage> for Message {
    fn from(message: wire::AgentMessage) -> Self {
        Self {
            id: message.id,
            from_agent_id: some(message.from_agent_id),
            to_agent_id: message.to_agent_id,
            task_id: some(message.task_id),
            subject: message.subject,
            body: message.body,
            state: message.state,
            sent_at: time(message.sent_at),
            consumed_at: time(message.consumed_at),
            consumed_by_step: some(message.consumed_by_step),
        }
    }
}

/// Which messages are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListInbox {
    /// Whether consumed ones are wanted, too.
    pub(crate) all: Option<bool>,
    /// How many items, 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

paged!(ListInbox);
