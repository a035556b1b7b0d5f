//! agent-manager: agents, their tasks, the durable journal, events and messages.

pub mod agents;
pub mod engine;
pub mod events;
pub mod journal;
pub mod messages;
mod metrics;
pub mod store;
pub mod tasks;

#[cfg(work_half)]
pub mod work;
