//! Feedback and what was learned.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use swarm_proto::learning::v1 as wire;

use super::nothing;
use crate::extract::{Body, NoParams, Params};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::learning::{ListPolicies, NewFeedback, Policies};
use crate::shapes::wire::text;

/// Rate a task that has ended
#[utoipa::path(post, path = "", tag = "learning", request_body = NewFeedback,
    responses((status = 204, description = "The rating was taken in")))]
pub(super) async fn give_feedback(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewFeedback>,
) -> Answer<impl IntoResponse> {
    // It has no key, so a repeat of ours could count twice.
    let message = wire::RecordFeedbackRequest::from(body.value);
    ask!(once gateway, &caller, learning.record_feedback(message))?;
    Ok(nothing())
}

/// Show what was learned about agents
#[utoipa::path(get, path = "", tag = "learning", params(ListPolicies),
    responses((status = 200, body = Policies, description = "Counts by agent and kind of task")))]
pub(super) async fn list_policies(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<ListPolicies>,
) -> Answer<Json<Policies>> {
    let message = wire::ListPoliciesRequest {
        kind: text(params.kind),
    };
    Ok(Json(
        ask!(gateway, &caller, learning.list_policies(message))?.into(),
    ))
}
