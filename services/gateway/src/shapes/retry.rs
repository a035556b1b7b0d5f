//! When a task that fails is tried again, and how it is run again on request.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_errors::{Error, Result};
use swarm_proto::agents::v1 as wire;
use utoipa::ToSchema;

use super::wire::Time;

/// The pauses between attempts: `initial_ms`, then times `factor` each time, never above `max_ms`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backoff {
    /// 1 to 3,600,000; 1,000 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_ms: Option<u32>,
    /// 1 to 10; 2 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<f64>,
    /// At most 86,400,000; 60,000 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_ms: Option<u32>,
    /// Which share of a pause chance may take away, 0 to 1; 0.2 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<f64>,
}

/// When a task that fails is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryPolicy {
    /// Attempts in all, 1 to 100; 3 unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 5)]
    max_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backoff: Option<Backoff>,
    /// Codes of failures that are tried again: `unavailable`, `resource_exhausted`,
    /// `deadline_exceeded`, `conflict` or `internal`. None means the first three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    retry_on: Vec<String>,
}

impl From<RetryPolicy> for wire::RetryPolicy {
    fn from(policy: RetryPolicy) -> Self {
        Self {
            max_attempts: policy.max_attempts,
            backoff: policy.backoff.map(|it| wire::Backoff {
                initial_ms: it.initial_ms,
                factor: it.factor,
                max_ms: it.max_ms,
                jitter: it.jitter,
            }),
            retry_on: policy.retry_on,
        }
    }
}

impl From<wire::RetryPolicy> for RetryPolicy {
    fn from(policy: wire::RetryPolicy) -> Self {
        Self {
            max_attempts: policy.max_attempts,
            backoff: policy.backoff.map(|it| Backoff {
                initial_ms: it.initial_ms,
                factor: it.factor,
                max_ms: it.max_ms,
                jitter: it.jitter,
            }),
            retry_on: policy.retry_on,
        }
    }
}

/// How a task is run again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retry {
    /// When it must have ended; in 24 hours unless given.
    pub(crate) deadline: Option<Time>,
}

/// Where a new task leaves another one's path.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fork {
    /// The first step that is not copied, by its key; without a step, all that have ended are copied.
    #[schema(example = "model/3")]
    step_key: Option<String>,
    /// The same by its position.
    position: Option<u32>,
    /// Another input for the steps that follow; the task's unless given.
    #[schema(value_type = Option<Object>)]
    input: Option<Value>,
    /// When it must have ended; in 24 hours unless given.
    deadline: Option<Time>,
}

impl Fork {
    /// For the wire.
    pub(crate) fn of_task(
        self,
        id: String,
        request: swarm_proto::common::v1::RequestKey,
    ) -> Result<wire::ForkTaskRequest> {
        use wire::fork_task_request::At;
        let at = match (self.step_key, self.position) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid("position", "is for a fork without step_key"));
            }
            (Some(key), None) => Some(At::StepKey(key)),
            (None, position) => position.map(At::Position),
        };
        Ok(wire::ForkTaskRequest {
            request: Some(request),
            id,
            at,
            input_json: self.input.map(|it| it.to_string()).unwrap_or_default(),
            deadline: self.deadline.map(Time::to_wire),
        })
    }
}
