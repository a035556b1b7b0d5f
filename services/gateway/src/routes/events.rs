//! The events of a task: pages of JSON, or a stream.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::sse::{Event as Frame, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use serde_json::json;
use swarm_errors::{Error, Result};
use swarm_identity::{Caller, Permission};
use swarm_proto::agents::v1 as wire;
use swarm_proto::convert;
use swarm_transport::Acting;
use swarm_types::{DEFAULT_LIMIT, TaskId};

use crate::doorkeeper::Visitor;
use crate::extract::{Id, Paging, Params};
use crate::follow::{Scope, Start, Update, Watch, follow, paced};
use crate::gateway::{Gate, Gateway};
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::page::Page;
use crate::shapes::task_params::ListEvents;
use crate::shapes::tasks::Event;

const LAST_EVENT_ID: &str = "last-event-id";
const EVENT_STREAM: &str = "text/event-stream";
/// Keeps proxies from ending a stream that is only quiet.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// List or follow the events of a task
///
/// With `Accept: text/event-stream`, a stream that begins behind `Last-Event-ID` or `cursor`, or at
/// the start, and goes on live. Tokens come without an id. An event `gap` says that what was before its
/// `cursor` is no longer kept. The last event is `end`, whose `reason` is `task_ended`,
/// `server_stopping`, `token_expired`, `too_slow` or `failed`.
#[utoipa::path(get, path = "", tag = "tasks",
    params(
        ("id" = String, Path, description = "The task"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
        ListEvents),
    responses((status = 200, description = "A page of events, or a stream of them", content(
        (Page<Event> = "application/json"),
        (String = "text/event-stream")))))]
pub(super) async fn list_task_events(
    State(gateway): Gate,
    axum::Extension(visitor): axum::Extension<Visitor>,
    Id(id): Id,
    Params(params): Params<ListEvents>,
    headers: HeaderMap,
) -> Answer<Response> {
    let after = after(&headers, &params)?;
    let accepted = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !accepted.contains(EVENT_STREAM) {
        let page = page(&gateway, &visitor.caller, id, after, &params);
        return Ok(Json(gateway.deadline().bound(page).await??).into_response());
    }
    let task: TaskId = convert::parse("id", &id)?;
    // What can be refused is refused before the stream begins, as a problem document.
    let known = async {
        ask!(
            gateway,
            &visitor.caller,
            tasks.get_task(wire::GetTaskRequest { id })
        )
    };
    gateway.deadline().bound(known).await??;
    let tenant = visitor.caller.authorize(Permission::TasksRead)?;
    let ephemeral = params.ephemeral.unwrap_or(true);
    let watch = Watch {
        scope: Scope::Task(task),
        start: Start::After(after),
        ephemeral,
    };
    let remaining = gateway.doorkeeper.remaining(&visitor);
    let limit = Duration::from_secs(gateway.config.slow_reader_seconds);
    let stream = frames(gateway, Acting::Tenant(tenant), watch, remaining);
    let stream = paced(stream, limit, Ok(end(&json!({"reason": "too_slow"}))));
    Ok(Sse::new(stream)
        .keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE))
        .into_response())
}

fn after(headers: &HeaderMap, params: &ListEvents) -> Result<u64> {
    let (field, text) = match headers.get(LAST_EVENT_ID) {
        Some(value) => ("Last-Event-ID", value.to_str().unwrap_or("?")),
        None => ("cursor", params.cursor().unwrap_or_default()),
    };
    if text.is_empty() {
        return Ok(0);
    }
    text.parse()
        .map_err(|_| Error::invalid(field, "must be the id of an event, a whole number"))
}

async fn page(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    task_id: String,
    after_seq: u64,
    params: &ListEvents,
) -> Result<Page<Event>> {
    params.page()?;
    let limit = params.limit().unwrap_or(DEFAULT_LIMIT);
    let answer = ask!(
        gateway,
        caller,
        tasks.list_task_events(wire::ListTaskEventsRequest {
            task_id,
            after_seq,
            limit
        })
    )?;
    // A full page may have more behind it.
    let is_full = answer.events.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = answer
        .events
        .last()
        .filter(|_| is_full)
        .map_or_else(String::new, |event| event.seq.to_string());
    Ok(Page::new(answer.events, next))
}

/// The frames of a stream, the last of which says why it ends.
fn frames(
    gateway: Arc<Gateway>,
    acting: Acting,
    watch: Watch,
    remaining: Duration,
) -> impl Stream<Item = Result<Frame, Infallible>> + Send {
    async_stream::stream! {
        let soft = gateway.soft.clone();
        let mut expiry = std::pin::pin!(tokio::time::sleep(remaining));
        let mut updates = std::pin::pin!(follow(gateway, acting, watch));
        loop {
            let update = tokio::select! {
                () = soft.cancelled() => Err(json!({"reason": "server_stopping"})),
                () = &mut expiry => Err(json!({"reason": "token_expired"})),
                update = updates.next() => Ok(update),
            };
            match update {
                Ok(Some(Update::Event { cursor, event })) => yield Ok(frame(cursor, &event)),
                Ok(Some(Update::Gap(cursor))) => yield Ok(Frame::default().event("gap").data(json!({"cursor": cursor.to_string()}).to_string())),
                Ok(Some(Update::Failed(error))) => {
                    let why = json!({"reason": "failed", "code": error.code().as_str(), "detail": error.detail()});
                    yield Ok(end(&why));
                    return;
                }
                Ok(Some(Update::Ended) | None) => {
                    yield Ok(end(&json!({"reason": "task_ended"})));
                    return;
                }
                Err(why) => {
                    yield Ok(end(&why));
                    return;
                }
            }
        }
    }
}

fn frame(cursor: Option<u64>, event: &Event) -> Frame {
    let data = serde_json::to_string(event).unwrap_or_default();
    // The name of an event stands on one line; a service makes it, so it is only made sure of.
    let frame = Frame::default()
        .event(event.kind.replace(['\n', '\r'], " "))
        .data(data);
    match cursor {
        Some(cursor) => frame.id(cursor.to_string()),
        None => frame,
    }
}

fn end(why: &serde_json::Value) -> Frame {
    Frame::default().event("end").data(why.to_string())
}
