//! Schedules.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use swarm_errors::Error;
use swarm_proto::agents::v1 as wire;

use super::{expect, location, nothing};
use crate::extract::{Body, Id, NoParams, Optional, Paging, Params};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::page::Page;
use crate::shapes::schedules::{ListSchedules, NewSchedule, Schedule};
use crate::shapes::tasks::Task;
use crate::shapes::wire::text;

/// A body without a field.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Create a schedule
///
/// Each of its ticks makes at most one task, over crashes and over replicas.
#[utoipa::path(post, path = "", tag = "schedules", request_body = NewSchedule,
    responses((status = 201, body = Schedule, description = "The schedule was created",
        headers(("Location" = String, description = "Where the schedule is")))))]
pub(super) async fn create_schedule(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewSchedule>,
) -> Answer<impl IntoResponse> {
    if body.value.task.name.is_some() {
        return Err(Error::invalid("task.name", "is for tasks of a batch alone").into());
    }
    let message = body.value.into_wire(body.key);
    let answer = ask!(gateway, &caller, schedules.create_schedule(message))?;
    let schedule = Schedule::from(expect(answer.schedule)?);
    Ok((
        StatusCode::CREATED,
        location("schedules", &schedule.id),
        Json(schedule),
    ))
}

/// List schedules, in the order of their making
#[utoipa::path(get, path = "", tag = "schedules", params(ListSchedules),
    responses((status = 200, body = Page<Schedule>, description = "A page of schedules")))]
pub(super) async fn list_schedules(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<ListSchedules>,
) -> Answer<Json<Page<Schedule>>> {
    let message = wire::ListSchedulesRequest {
        page: params.page()?,
        name: text(params.name),
    };
    let answer = ask!(gateway, &caller, schedules.list_schedules(message))?;
    Ok(Json(Page::new(answer.schedules, answer.next_cursor)))
}

/// Get a schedule, with what became of its last ticks
#[utoipa::path(get, path = "", tag = "schedules", params(("id" = String, Path, description = "The schedule")),
    responses((status = 200, body = Schedule, description = "The schedule")))]
pub(super) async fn get_schedule(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<Json<Schedule>> {
    let message = wire::GetScheduleRequest { id };
    let answer = ask!(gateway, &caller, schedules.get_schedule(message))?;
    Ok(Json(expect(answer.schedule)?.into()))
}

/// Pause a schedule
///
/// It does not tick until it is resumed. Its tasks go on.
#[utoipa::path(post, path = "", tag = "schedules", params(("id" = String, Path, description = "The schedule")),
    responses((status = 200, body = Schedule, description = "The schedule, paused")))]
pub(super) async fn pause_schedule(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    _: Optional<Nothing>,
) -> Answer<Json<Schedule>> {
    let message = wire::PauseScheduleRequest { id };
    let answer = ask!(gateway, &caller, schedules.pause_schedule(message))?;
    Ok(Json(expect(answer.schedule)?.into()))
}

/// Resume a schedule
///
/// It ticks from now on: the ticks of the pause are not made up for.
#[utoipa::path(post, path = "", tag = "schedules", params(("id" = String, Path, description = "The schedule")),
    responses((status = 200, body = Schedule, description = "The schedule, resumed")))]
pub(super) async fn resume_schedule(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    _: Optional<Nothing>,
) -> Answer<Json<Schedule>> {
    let message = wire::ResumeScheduleRequest { id };
    let answer = ask!(gateway, &caller, schedules.resume_schedule(message))?;
    Ok(Json(expect(answer.schedule)?.into()))
}

/// Make a schedule's task now, beside its ticks
#[utoipa::path(post, path = "", tag = "schedules", params(("id" = String, Path, description = "The schedule")),
    responses((status = 202, body = Task, description = "The task was accepted",
        headers(("Location" = String, description = "Where the task is")))))]
pub(super) async fn run_schedule(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    body: Optional<Nothing>,
) -> Answer<impl IntoResponse> {
    let message = wire::RunScheduleRequest {
        request: Some(body.key),
        id,
    };
    let answer = ask!(gateway, &caller, schedules.run_schedule(message))?;
    let task = Task::from(expect(answer.task)?);
    Ok((
        StatusCode::ACCEPTED,
        location("tasks", &task.id),
        Json(task),
    ))
}

/// Delete a schedule
///
/// What it has made goes on.
#[utoipa::path(delete, path = "", tag = "schedules", params(("id" = String, Path, description = "The schedule")),
    responses((status = 204, description = "The schedule is gone")))]
pub(super) async fn delete_schedule(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<impl IntoResponse> {
    let message = wire::DeleteScheduleRequest { id };
    // A repeat would find it gone.
    ask!(once gateway, &caller, schedules.delete_schedule(message))?;
    Ok(nothing())
}
