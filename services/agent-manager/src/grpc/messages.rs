//! `MessageService`.

use std::sync::Arc;

use swarm_errors::Result;
use swarm_identity::Permission;
use swarm_proto::agents::v1 as wire;
use swarm_proto::agents::v1::message_service_server::MessageService;
use swarm_proto::convert::{page, parse, parse_optional};
use swarm_transport::authorize;
use tonic::{Request, Response, Status};

use super::{decode, encode};
use crate::engine::{Engine, Sending};
use crate::messages::NewMessage;

#[derive(Debug)]
pub(super) struct Messages(pub(super) Arc<Engine>);

#[tonic::async_trait]
impl MessageService for Messages {
    async fn send_message(
        &self,
        request: Request<wire::SendMessageRequest>,
    ) -> Result<Response<wire::SendMessageResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::MessagesWrite)?;
        let message = request.into_inner();
        let sending = Sending {
            request: decode::request_key(message.request)?,
            message: NewMessage {
                from: parse_optional("from_agent_id", &message.from_agent_id)?,
                to: parse("to_agent_id", &message.to_agent_id)?,
                subject: message.subject,
                body: message.body,
            },
            task: parse_optional("task_id", &message.task_id)?,
        };
        let message = self.0.send_message(tenant, sending).await?;
        Ok(Response::new(wire::SendMessageResponse {
            message: Some(encode::message(&message)),
        }))
    }

    async fn list_inbox(
        &self,
        request: Request<wire::ListInboxRequest>,
    ) -> Result<Response<wire::ListInboxResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::MessagesRead)?;
        let message = request.into_inner();
        let page = page(message.page);
        let agent = parse("agent_id", &message.agent_id)?;
        let after = decode::cursor(&page.cursor)?;
        let found = self
            .0
            .inbox(tenant, agent, message.all, after, page.bounded_limit())
            .await?;
        Ok(Response::new(wire::ListInboxResponse {
            messages: found.items.iter().map(encode::message).collect(),
            next_cursor: found.next_cursor.unwrap_or_default(),
        }))
    }

    async fn ack_message(
        &self,
        request: Request<wire::AckMessageRequest>,
    ) -> Result<Response<wire::AckMessageResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::MessagesWrite)?;
        let message = self
            .0
            .ack_message(tenant, parse("id", &request.get_ref().id)?)
            .await?;
        Ok(Response::new(wire::AckMessageResponse {
            message: Some(encode::message(&message)),
        }))
    }

    async fn list_task_messages(
        &self,
        request: Request<wire::ListTaskMessagesRequest>,
    ) -> Result<Response<wire::ListTaskMessagesResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::MessagesRead)?;
        let task = parse("task_id", &request.get_ref().task_id)?;
        let messages = self.0.task_messages(tenant, task).await?;
        Ok(Response::new(wire::ListTaskMessagesResponse {
            messages: messages.iter().map(encode::message).collect(),
        }))
    }
}
