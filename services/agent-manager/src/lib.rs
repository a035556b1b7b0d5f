//! agent-manager: agents, their tasks, the durable journal, events and messages.

pub mod agents;
pub mod engine;
pub mod events;
pub mod journal;
pub mod messages;
pub mod tasks;
