//! Messages between agents.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use swarm_proto::agents::v1 as wire;

use super::agents::Nothing;
use super::expect;
use crate::extract::{Body, Id, NoParams, Optional, Paging, Params};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::messages::{ListInbox, Message, NewMessage};
use crate::shapes::page::Page;

/// Send a message to an agent
#[utoipa::path(post, path = "", tag = "messages", request_body = NewMessage,
    responses((status = 201, body = Message, description = "The message was stored for its receiver")))]
pub(super) async fn send_message(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewMessage>,
) -> Answer<impl IntoResponse> {
    let answer = ask!(
        gateway,
        &caller,
        messages.send_message(body.value.into_wire(body.key))
    )?;
    Ok((
        StatusCode::CREATED,
        Json(Message::from(expect(answer.message)?)),
    ))
}

/// List what waits for an agent, the oldest first
#[utoipa::path(get, path = "", tag = "messages", params(("id" = String, Path, description = "The agent"), ListInbox),
    responses((status = 200, body = Page<Message>, description = "A page of messages")))]
pub(super) async fn list_inbox(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    Params(params): Params<ListInbox>,
) -> Answer<Json<Page<Message>>> {
    let message = wire::ListInboxRequest {
        agent_id: id,
        page: params.page()?,
        all: params.all.unwrap_or_default(),
    };
    let answer = ask!(gateway, &caller, messages.list_inbox(message))?;
    Ok(Json(Page::new(answer.messages, answer.next_cursor)))
}

/// Acknowledge a message
///
/// It is consumed then, and no step gets it any more.
#[utoipa::path(post, path = "", tag = "messages", params(("id" = String, Path, description = "The message")),
    responses((status = 200, body = Message, description = "The message, consumed")))]
pub(super) async fn ack_message(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
    _: Optional<Nothing>,
) -> Answer<Json<Message>> {
    let answer = ask!(
        gateway,
        &caller,
        messages.ack_message(wire::AckMessageRequest { id })
    )?;
    Ok(Json(expect(answer.message)?.into()))
}
