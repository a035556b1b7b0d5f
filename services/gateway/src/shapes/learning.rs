//! Feedback and what was learned.

use serde::{Deserialize, Serialize};
use swarm_proto::learning::v1 as wire;
use utoipa::{IntoParams, ToSchema};

use super::wire::{Time, text, time};

/// A person's rating of a task that has ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFeedback {
    task_id: String,
    #[schema(minimum = 1, maximum = 5)]
    rating: u32,
    comment: Option<String>,
}

impl From<NewFeedback> for wire::RecordFeedbackRequest {
    fn from(feedback: NewFeedback) -> Self {
        Self {
            task_id: feedback.task_id,
            rating: feedback.rating,
            comment: text(feedback.comment),
        }
    }
}

/// The counts of one arm, which is an agent, for one kind of task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ArmStatistics {
    arm: String,
    kind: String,
    successes: u64,
    failures: u64,
    mean_latency_ms: f64,
    ratings: u64,
    /// From 0 to 1.
    mean_rating: f64,
}

impl From<wire::ArmStatistics> for ArmStatistics {
    fn from(arm: wire::ArmStatistics) -> Self {
        Self {
            arm: arm.arm,
            kind: arm.kind,
            successes: arm.successes,
            failures: arm.failures,
            mean_latency_ms: arm.mean_latency_ms,
            ratings: arm.ratings,
            mean_rating: arm.mean_rating,
        }
    }
}

/// What was learned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Policies {
    items: Vec<ArmStatistics>,
    /// When the last outcome was taken in.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update: Option<Time>,
}

impl From<wire::ListPoliciesResponse> for Policies {
    fn from(policies: wire::ListPoliciesResponse) -> Self {
        Self {
            items: policies.arms.into_iter().map(Into::into).collect(),
            last_update: time(policies.last_update),
        }
    }
}

/// Which policies are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListPolicies {
    /// Only for this kind of task.
    pub(crate) kind: Option<String>,
}
