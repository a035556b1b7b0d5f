//! The rpcs: decode, authorize, call the engine, encode.

mod agents;
mod batch;
mod dead_letters;
mod decode;
mod encode;
mod messages;
mod overview;
mod retry;
mod schedules;
mod tasks;

use std::sync::Arc;

use swarm_proto::agents::v1::agent_service_server::AgentServiceServer;
use swarm_proto::agents::v1::dead_letter_service_server::DeadLetterServiceServer;
use swarm_proto::agents::v1::message_service_server::MessageServiceServer;
use swarm_proto::agents::v1::overview_service_server::OverviewServiceServer;
use swarm_proto::agents::v1::schedule_service_server::ScheduleServiceServer;
use swarm_proto::agents::v1::task_service_server::TaskServiceServer;
use swarm_runtime::CancellationToken;
use tonic::service::Routes;

use crate::engine::Engine;

/// A megabyte of documents grows when it is written as JSON.
const LARGEST_REQUEST: usize = 16 << 20;

/// The services of agent-manager. Streams end when `soft` is cancelled.
pub(crate) fn routes(engine: &Arc<Engine>, soft: CancellationToken) -> Routes {
    let agents = AgentServiceServer::new(agents::Agents(engine.clone()));
    let tasks = TaskServiceServer::new(tasks::Tasks {
        engine: engine.clone(),
        soft,
    });
    let messages = MessageServiceServer::new(messages::Messages(engine.clone()));
    let dead_letters = DeadLetterServiceServer::new(dead_letters::DeadLetters(engine.clone()));
    let schedules = ScheduleServiceServer::new(schedules::Schedules(engine.clone()));
    Routes::new(agents)
        .add_service(dead_letters)
        .add_service(tasks.max_decoding_message_size(LARGEST_REQUEST))
        .add_service(messages)
        .add_service(OverviewServiceServer::new(overview::Overviews(
            engine.clone(),
        )))
        .add_service(schedules.max_decoding_message_size(LARGEST_REQUEST))
}
