//! Tasks.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use swarm_errors::Error;
use swarm_proto::agents::v1 as wire;
use swarm_transport::{Acting, Retry, call, request};

use super::{expect, location};
use crate::extract::{Body, Id, NoParams, Optional, Paging, Params};
use crate::gateway::{Gate, Gateway};
use crate::layers::Who;
use crate::peers::{ask, name_of_absent};
use crate::problem::Answer;
use crate::shapes::page::{Page, PageParams};
use crate::shapes::task_params::{ListTasks, WaitParams};
use crate::shapes::tasks::{Cancel, NewTask, Step, Task, TaskState};
use crate::shapes::wire::{Word, text};

/// The longest that an answer waits for the end of a task.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Submit a task
///
/// Once this has answered, the task is stored, will not be lost and will end. With `wait` the
/// answer is the task at its end; the task is stored before the wait begins, so a caller who
/// hangs up loses nothing.
#[utoipa::path(post, path = "", tag = "tasks", params(WaitParams), request_body = NewTask,
    responses(
        (status = 200, body = Task, description = "The task was accepted and has ended",
            headers(("Location" = String, description = "Where the task is"))),
        (status = 202, body = Task, description = "The task was accepted",
            headers(("Location" = String, description = "Where the task is")))))]
pub(super) async fn submit_task(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<WaitParams>,
    body: Body<NewTask>,
) -> Answer<impl IntoResponse> {
    if body.value.name.is_some() {
        return Err(Error::invalid("name", "is for a task of a batch").into());
    }
    let wait = params.wait()?;
    let mut message = wire::SubmitTaskRequest {
        request: Some(body.key),
        spec: Some(body.value.into()),
        wait_ms: milliseconds(wait),
    };
    let answer = if wait.is_zero() {
        ask!(gateway, &caller, tasks.submit_task(message))?
    } else {
        let acting = Acting::from(&caller);
        tokio::select! {
            // Boxed once, in place of being moved with all that it is a part of.
            answer = Box::pin(submit_and_wait(&gateway, &acting, &message, wait)) => answer,
            // A gateway that is about to stop keeps nobody waiting. The key makes both calls one.
            () = gateway.soft.cancelled() => {
                message.wait_ms = 0;
                // Boxed, since it is rare and would double what every request moves.
                Box::pin(submit_and_wait(&gateway, &acting, &message, Duration::ZERO)).await
            }
        }?
    };
    let task = Task::from(expect(answer.task)?);
    let status = status_of(&task, !wait.is_zero());
    Ok((status, location("tasks", &task.id), Json(task)))
}

async fn submit_and_wait(
    gateway: &Gateway,
    acting: &Acting,
    message: &wire::SubmitTaskRequest,
    wait: Duration,
) -> swarm_errors::Result<wire::SubmitTaskResponse> {
    let line = gateway.peers.waiting.begin();
    let deadline = gateway.deadline().later_by(wait);
    let answer = call(Retry::Safe, deadline, || async {
        let request = request(acting, deadline, message.clone())?;
        line.client.clone().submit_task(request).await
    })
    .await;
    answer.map_err(|error| name_of_absent("tasks", error))
}

/// Whether the end that was waited for is there.
fn status_of(task: &Task, has_waited: bool) -> StatusCode {
    match has_waited && task.state.is_some_and(TaskState::has_ended) {
        true => StatusCode::OK,
        false => StatusCode::ACCEPTED,
    }
}

fn milliseconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)
}

/// List tasks, the newest first
#[utoipa::path(get, path = "", tag = "tasks", params(ListTasks),
    responses((status = 200, body = Page<Task>, description = "A page of tasks")))]
pub(super) async fn list_tasks(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<ListTasks>,
) -> Answer<Json<Page<Task>>> {
    let message = wire::ListTasksRequest {
        page: params.page()?,
        state: TaskState::or_unspecified(params.state),
        parent_id: text(params.parent_id),
    };
    let answer = ask!(gateway, &caller, tasks.list_tasks(message))?;
    Ok(Json(Page::new(answer.tasks, answer.next_cursor)))
}

/// Get a task
#[utoipa::path(get, path = "", tag = "tasks", params(("id" = String, Path, description = "The task")),
    responses((status = 200, body = Task, description = "The task")))]
pub(super) async fn get_task(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<Json<Task>> {
    let answer = ask!(
        gateway,
        &caller,
        tasks.get_task(wire::GetTaskRequest { id })
    )?;
    Ok(Json(expect(answer.task)?.into()))
}

/// List the journal of a task
#[utoipa::path(get, path = "", tag = "tasks", params(("id" = String, Path, description = "The task"), PageParams),
    responses((status = 200, body = Page<Step>, description = "A page of steps, in the order they were started")))]
pub(super) async fn list_task_steps(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    Params(params): Params<PageParams>,
) -> Answer<Json<Page<Step>>> {
    let message = wire::ListTaskStepsRequest {
        task_id: id,
        page: params.page()?,
    };
    let answer = ask!(gateway, &caller, tasks.list_task_steps(message))?;
    Ok(Json(Page::new(answer.steps, answer.next_cursor)))
}

/// Wait for the result of a task
#[utoipa::path(get, path = "", tag = "tasks", params(("id" = String, Path, description = "The task"), WaitParams),
    responses(
        (status = 200, body = Task, description = "The task has ended"),
        (status = 202, body = Task, description = "The wait is over and the task goes on")))]
pub(super) async fn get_task_result(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    Params(params): Params<WaitParams>,
) -> Answer<impl IntoResponse> {
    let wait = params.wait()?;
    let acting = Acting::from(&caller);
    let answer = tokio::select! {
        answer = wait_for(&gateway, &acting, &id, wait) => answer,
        // A gateway that is about to stop keeps nobody waiting.
        () = gateway.soft.cancelled() => wait_for(&gateway, &acting, &id, Duration::ZERO).await,
    }?;
    let task = Task::from(expect(answer.task)?);
    Ok((status_of(&task, true), Json(task)))
}

async fn wait_for(
    gateway: &Gateway,
    acting: &Acting,
    id: &str,
    wait: Duration,
) -> swarm_errors::Result<wire::GetTaskResultResponse> {
    let wait_ms = milliseconds(wait);
    let line = gateway.peers.waiting.begin();
    let deadline = gateway.deadline().later_by(wait);
    let answer = call(Retry::Safe, deadline, || async {
        let message = wire::GetTaskResultRequest {
            id: id.to_owned(),
            wait_ms,
        };
        line.client
            .clone()
            .get_task_result(request(acting, deadline, message)?)
            .await
    })
    .await;
    answer.map_err(|error| name_of_absent("tasks", error))
}

/// Cancel a task and its sub-tasks
///
/// Once this has answered, no new step of any of them starts.
#[utoipa::path(post, path = "", tag = "tasks", params(("id" = String, Path, description = "The task")),
    request_body(content = Option<Cancel>, description = "May be left away"),
    responses((status = 200, body = Task, description = "The task is cancelled")))]
pub(super) async fn cancel_task(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    body: Optional<Cancel>,
) -> Answer<Json<Task>> {
    let message = wire::CancelTaskRequest {
        id,
        reason: text(body.value.reason),
    };
    let answer = ask!(gateway, &caller, tasks.cancel_task(message))?;
    Ok(Json(expect(answer.task)?.into()))
}
