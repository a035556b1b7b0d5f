//! Tasks by the batch, and tasks that are run again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use swarm_proto::agents::v1 as wire;

use super::{expect, location};
use crate::extract::{Body, Id, NoParams, Optional};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::retry::{Fork, Retry};
use crate::shapes::tasks::{Batch, Submitted, Task};
use crate::shapes::wire::Time;

/// Submit up to 1,000 tasks, all or none
///
/// A task may depend on others of the batch by their names. Errors name the task, such as
/// `tasks[3].depends_on[0]`.
#[utoipa::path(post, path = "", tag = "tasks", request_body = Batch,
    responses((status = 202, body = Submitted, description = "All were accepted, in the order of the request")))]
pub(super) async fn submit_tasks(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<Batch>,
) -> Answer<impl IntoResponse> {
    let message = wire::SubmitTasksRequest {
        request: Some(body.key),
        tasks: body.value.tasks.into_iter().map(Into::into).collect(),
    };
    let answer = ask!(gateway, &caller, tasks.submit_tasks(message))?;
    let items = answer.tasks.into_iter().map(Into::into).collect();
    Ok((StatusCode::ACCEPTED, Json(Submitted { items })))
}

/// Run a failed or dead-lettered task again
///
/// From its journal and with fresh attempts: what is finished is not repeated. Tasks that failed because
/// they depended on it stay failed; retried after it, they wait for it again.
#[utoipa::path(post, path = "", tag = "tasks", params(("id" = String, Path, description = "The task")),
    request_body(content = Option<Retry>, description = "May be left away"),
    responses((status = 202, body = Task, description = "It runs again")))]
pub(super) async fn retry_task(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    body: Optional<Retry>,
) -> Answer<impl IntoResponse> {
    let message = wire::RetryTaskRequest {
        request: Some(body.key),
        id,
        deadline: body.value.deadline.map(Time::to_wire),
    };
    let answer = ask!(gateway, &caller, tasks.retry_task(message))?;
    let task = Task::from(expect(answer.task)?);
    Ok((StatusCode::ACCEPTED, Json(task)))
}

/// Make a new task out of another one's first steps
///
/// It begins with copies of the steps and their results, and goes on from there.
#[utoipa::path(post, path = "", tag = "tasks", params(("id" = String, Path, description = "The task")),
    request_body(content = Option<Fork>, description = "May be left away"),
    responses((status = 202, body = Task, description = "The new task was accepted",
        headers(("Location" = String, description = "Where the new task is")))))]
pub(super) async fn fork_task(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    body: Optional<Fork>,
) -> Answer<impl IntoResponse> {
    let message = body.value.of_task(id, body.key)?;
    let answer = ask!(gateway, &caller, tasks.fork_task(message))?;
    let task = Task::from(expect(answer.task)?);
    Ok((
        StatusCode::ACCEPTED,
        location("tasks", &task.id),
        Json(task),
    ))
}
