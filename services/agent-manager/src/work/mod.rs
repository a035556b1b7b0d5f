//! What agents do: the loop of one agent, its tools, and the strategies that join several.
//!
//! Everything here goes through a [`TaskContext`]: whatever must not be
//! repeated after a crash is a step, whatever is handed over is a sub-task or a message.

mod inputs;
pub mod judge;
mod models;
pub mod passages;
mod ports;
pub mod prompts;
mod quota;
mod single;
mod swarm;
mod thinking;
mod tools;
mod webhook;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;
use swarm_errors::{Error, Result};

pub use models::Models;
pub use ports::Ports;
pub use quota::Quota;
pub use webhook::{ToolsConfig, WebhookConfig, Webhooks};

use crate::engine::{Executor, TaskContext};
use crate::tasks::{SINGLE, SWARM};

/// Does the work of tasks.
#[derive(Debug)]
pub struct Worker {
    ports: Ports,
    models: Models,
    webhooks: Webhooks,
}

impl Worker {
    /// A worker with these ways out.
    #[must_use]
    pub const fn new(ports: Ports, models: Models, webhooks: Webhooks) -> Self {
        Self {
            ports,
            models,
            webhooks,
        }
    }
}

#[async_trait]
impl Executor for Worker {
    async fn execute(&self, context: TaskContext) -> Result<Value> {
        let task = context.task();
        match (task.role.as_str(), task.spec.strategy.name.as_str()) {
            // Each in a place of its own size.
            ("part", _) => Box::pin(swarm::part::run(self, &context)).await,
            ("join" | "revision", _) => Box::pin(swarm::join::run(self, &context)).await,
            ("", SWARM) => Box::pin(swarm::run(self, &context)).await,
            ("", SINGLE) => Box::pin(single::run(self, &context)).await,
            (role, strategy) => Err(Error::internal(format!(
                "no work for role {role:?} with strategy {strategy:?}"
            ))),
        }
    }
}

/// Reads an input that was checked when the task was submitted, or written by a strategy of ours.
fn read_input<T: for<'de> Deserialize<'de>>(input: &Value) -> Result<T> {
    T::deserialize(input).map_err(|error| Error::invalid("input", error.to_string()))
}
