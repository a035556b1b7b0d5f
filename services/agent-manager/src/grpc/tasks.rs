//! `TaskService`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use swarm_errors::{Error, Result};
use swarm_identity::Permission;
use swarm_proto::agents::v1 as wire;
use swarm_proto::agents::v1::task_service_server::TaskService;
use swarm_proto::agents::v1::watch_events_request::Scope as WireScope;
use swarm_proto::convert::{page, parse, parse_optional};
use swarm_runtime::CancellationToken;
use swarm_transport::authorize;
use swarm_types::PageRequest;
use tonic::{Request, Response, Status};

use super::{batch, decode, encode};
use crate::engine::Engine;
use crate::events::{Scope, Watched};

const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Tasks {
    pub(super) engine: Arc<Engine>,
    pub(super) soft: CancellationToken,
}

type Watching = Pin<Box<dyn Stream<Item = Result<wire::WatchEventsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl TaskService for Tasks {
    type WatchEventsStream = Watching;

    async fn submit_task(
        &self,
        request: Request<wire::SubmitTaskRequest>,
    ) -> Result<Response<wire::SubmitTaskResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let message = request.into_inner();
        let wait = wait_of(message.wait_ms)?;
        let submission = decode::submission(tenant, message)?;
        let task = match wait.is_zero() {
            true => self.engine.submit(submission).await?,
            false => {
                let enough = self.soft.cancelled();
                self.engine
                    .submit_and_wait(submission, wait, enough)
                    .await?
            }
        };
        Ok(Response::new(wire::SubmitTaskResponse {
            task: Some(encode::task(&task)?),
        }))
    }

    async fn submit_tasks(
        &self,
        request: Request<wire::SubmitTasksRequest>,
    ) -> Result<Response<wire::SubmitTasksResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let batch = batch::decode(tenant, request.into_inner())?;
        let tasks = self.engine.submit_batch(batch).await?;
        Ok(Response::new(wire::SubmitTasksResponse {
            tasks: tasks
                .iter()
                .map(encode::task_in_list)
                .collect::<Result<_>>()?,
        }))
    }

    async fn retry_task(
        &self,
        request: Request<wire::RetryTaskRequest>,
    ) -> Result<Response<wire::RetryTaskResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let again = decode::again(tenant, request.into_inner())?;
        let task = self.engine.retry(again).await?;
        Ok(Response::new(wire::RetryTaskResponse {
            task: Some(encode::task(&task)?),
        }))
    }

    async fn fork_task(
        &self,
        request: Request<wire::ForkTaskRequest>,
    ) -> Result<Response<wire::ForkTaskResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksWrite)?;
        let fork = decode::fork(tenant, request.into_inner())?;
        let task = self.engine.fork(fork).await?;
        Ok(Response::new(wire::ForkTaskResponse {
            task: Some(encode::task(&task)?),
        }))
    }

    async fn get_task(
        &self,
        request: Request<wire::GetTaskRequest>,
    ) -> Result<Response<wire::GetTaskResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let task = self
            .engine
            .task(tenant, parse("id", &request.get_ref().id)?)
            .await?;
        Ok(Response::new(wire::GetTaskResponse {
            task: Some(encode::task(&task)?),
        }))
    }

    async fn list_tasks(
        &self,
        request: Request<wire::ListTasksRequest>,
    ) -> Result<Response<wire::ListTasksResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let message = request.into_inner();
        let page = page(message.page);
        let state = decode::task_state(message.state)?;
        let parent = parse_optional("parent_id", &message.parent_id)?;
        let before = decode::cursor(&page.cursor)?;
        let found = self
            .engine
            .list_tasks(tenant, state, parent, before, page.bounded_limit())
            .await?;
        let (tasks, next_cursor) = encode::list(found, encode::task_in_list)?;
        Ok(Response::new(wire::ListTasksResponse {
            tasks,
            next_cursor,
        }))
    }

    async fn cancel_task(
        &self,
        request: Request<wire::CancelTaskRequest>,
    ) -> Result<Response<wire::CancelTaskResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksCancel)?;
        let message = request.into_inner();
        let reason = decode::word("reason", message.reason)?;
        let task = self
            .engine
            .cancel(tenant, parse("id", &message.id)?, &reason)
            .await?;
        Ok(Response::new(wire::CancelTaskResponse {
            task: Some(encode::task(&task)?),
        }))
    }

    async fn get_task_result(
        &self,
        request: Request<wire::GetTaskResultRequest>,
    ) -> Result<Response<wire::GetTaskResultResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let message = request.get_ref();
        let wait = wait_of(message.wait_ms)?;
        let ended = self
            .engine
            .await_end(tenant, parse("id", &message.id)?, wait);
        let task = tokio::select! {
            task = ended => task?,
            () = self.soft.cancelled() => return Err(Error::unavailable("the service is stopping").into()),
        };
        Ok(Response::new(wire::GetTaskResultResponse {
            task: Some(encode::task(&task)?),
        }))
    }

    async fn list_task_steps(
        &self,
        request: Request<wire::ListTaskStepsRequest>,
    ) -> Result<Response<wire::ListTaskStepsResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let message = request.into_inner();
        let page = page(message.page);
        let task = parse("task_id", &message.task_id)?;
        let found = self
            .engine
            .steps(
                tenant,
                task,
                decode::cursor(&page.cursor)?,
                page.bounded_limit(),
            )
            .await?;
        let (steps, next_cursor) = encode::list(found, encode::step)?;
        Ok(Response::new(wire::ListTaskStepsResponse {
            steps,
            next_cursor,
        }))
    }

    async fn get_task_tree(
        &self,
        request: Request<wire::GetTaskTreeRequest>,
    ) -> Result<Response<wire::GetTaskTreeResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let tree = self
            .engine
            .tree(tenant, parse("id", &request.get_ref().id)?)
            .await?;
        Ok(Response::new(wire::GetTaskTreeResponse {
            tree: Some(encode::tree(&tree)?),
        }))
    }

    async fn list_task_events(
        &self,
        request: Request<wire::ListTaskEventsRequest>,
    ) -> Result<Response<wire::ListTaskEventsResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let message = request.get_ref();
        let task = parse("task_id", &message.task_id)?;
        let after = decode::position("after_seq", message.after_seq)?;
        let limit = PageRequest {
            limit: message.limit,
            cursor: String::new(),
        }
        .bounded_limit();
        let events = self.engine.events(tenant, task, after, limit).await?;
        let events = events.iter().map(encode::event).collect::<Result<_>>()?;
        Ok(Response::new(wire::ListTaskEventsResponse { events }))
    }

    async fn watch_events(
        &self,
        request: Request<wire::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let (_, tenant) = authorize(&request, Permission::TasksRead)?;
        let message = request.into_inner();
        let scope = match message.scope {
            Some(WireScope::TaskId(id)) => Scope::Task(parse("task_id", &id)?),
            Some(WireScope::TreeRootId(id)) => Scope::Tree(parse("tree_root_id", &id)?),
            Some(WireScope::Tenant(true)) => Scope::Tenant,
            Some(WireScope::Tenant(false)) | None => {
                return Err(Error::invalid("scope", "is missing").into());
            }
        };
        let after = match message.from_now {
            true => None,
            false => Some(decode::position("after", message.after)?),
        };
        let watched = self.engine.watch(tenant, scope, after, message.ephemeral);
        let answers = watched.map(|watched| encode_watched(&watched?).map_err(Status::from));
        Ok(Response::new(Box::pin(
            answers.take_until(self.soft.clone().cancelled_owned()),
        )))
    }
}

fn wait_of(wait_ms: u32) -> Result<Duration> {
    let wait = Duration::from_millis(u64::from(wait_ms));
    if wait > LONGEST_WAIT {
        return Err(Error::invalid("wait", "must be at most 60 s"));
    }
    Ok(wait)
}

fn encode_watched(watched: &Watched) -> Result<wire::WatchEventsResponse> {
    Ok(wire::WatchEventsResponse {
        event: watched.event.as_ref().map(encode::event).transpose()?,
        cursor: encode::unsigned(watched.cursor),
    })
}
