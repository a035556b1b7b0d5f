//! `ScheduleService`.

mod decode;
mod encode;

use std::sync::Arc;

use swarm_errors::{Error, Result};
use swarm_identity::Permission;
use swarm_proto::agents::v1 as wire;
use swarm_proto::agents::v1::schedule_service_server::ScheduleService;
use swarm_proto::convert::{page, parse};
use swarm_transport::authorize;
use tonic::{Request, Response, Status};

use super::decode::{cursor, request_key, word};
use super::encode::list;
use crate::engine::Engine;

#[derive(Debug)]
pub(super) struct Schedules(pub(super) Arc<Engine>);

#[tonic::async_trait]
impl ScheduleService for Schedules {
    async fn create_schedule(
        &self,
        request: Request<wire::CreateScheduleRequest>,
    ) -> Result<Response<wire::CreateScheduleResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let message = request.into_inner();
        let key = request_key(message.request)?;
        let schedule = message
            .schedule
            .ok_or_else(|| Error::invalid("schedule", "is missing"))?;
        let definition = decode::definition(tenant, schedule)?;
        let schedule = self
            .0
            .create_schedule(tenant, key.as_ref(), definition, message.paused)
            .await?;
        Ok(Response::new(wire::CreateScheduleResponse {
            schedule: Some(encode::schedule(&schedule)?),
        }))
    }

    async fn get_schedule(
        &self,
        request: Request<wire::GetScheduleRequest>,
    ) -> Result<Response<wire::GetScheduleResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let id = parse("id", &request.get_ref().id)?;
        let (schedule, ticks) = self.0.schedule_with_ticks(tenant, id).await?;
        Ok(Response::new(wire::GetScheduleResponse {
            schedule: Some(wire::Schedule {
                last_ticks: ticks.iter().map(encode::tick).collect(),
                ..encode::schedule(&schedule)?
            }),
        }))
    }

    async fn list_schedules(
        &self,
        request: Request<wire::ListSchedulesRequest>,
    ) -> Result<Response<wire::ListSchedulesResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let message = request.into_inner();
        let page = page(message.page);
        let name = word("name", message.name)?;
        let after = cursor(&page.cursor)?;
        let found = self
            .0
            .list_schedules(tenant, &name, after, page.bounded_limit())
            .await?;
        let (schedules, next_cursor) = list(found, encode::schedule_in_list)?;
        Ok(Response::new(wire::ListSchedulesResponse {
            schedules,
            next_cursor,
        }))
    }

    async fn pause_schedule(
        &self,
        request: Request<wire::PauseScheduleRequest>,
    ) -> Result<Response<wire::PauseScheduleResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let id = parse("id", &request.get_ref().id)?;
        let schedule = self.0.pause_schedule(tenant, id).await?;
        Ok(Response::new(wire::PauseScheduleResponse {
            schedule: Some(encode::schedule(&schedule)?),
        }))
    }

    async fn resume_schedule(
        &self,
        request: Request<wire::ResumeScheduleRequest>,
    ) -> Result<Response<wire::ResumeScheduleResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let id = parse("id", &request.get_ref().id)?;
        let schedule = self.0.resume_schedule(tenant, id).await?;
        Ok(Response::new(wire::ResumeScheduleResponse {
            schedule: Some(encode::schedule(&schedule)?),
        }))
    }

    async fn run_schedule(
        &self,
        request: Request<wire::RunScheduleRequest>,
    ) -> Result<Response<wire::RunScheduleResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let message = request.into_inner();
        let key = request_key(message.request)?;
        let id = parse("id", &message.id)?;
        let task = self.0.run_schedule(tenant, key.as_ref(), id).await?;
        Ok(Response::new(wire::RunScheduleResponse {
            task: Some(super::encode::task(&task)?),
        }))
    }

    async fn delete_schedule(
        &self,
        request: Request<wire::DeleteScheduleRequest>,
    ) -> Result<Response<wire::DeleteScheduleResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let id = parse("id", &request.get_ref().id)?;
        self.0.delete_schedule(tenant, id).await?;
        Ok(Response::new(wire::DeleteScheduleResponse {}))
    }
}
