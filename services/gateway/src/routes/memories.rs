//! Memories.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use swarm_proto::memory::v1 as wire;

use super::public_words::in_public_words;
use super::{expect, location, nothing};
use crate::extract::{Body, Id, NoParams, Paging, Params};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::memories::{ListMemories, Memory, NewMemory, Search, SearchResults};
use crate::shapes::page::Page;

/// Put a memory
///
/// With an id that exists already, it is replaced where its content differs, else left alone.
#[utoipa::path(post, path = "", tag = "memories", request_body = NewMemory,
    responses(
        (status = 200, body = Memory, description = "It was there already, just so"),
        (status = 201, body = Memory, description = "It is new or changed",
            headers(("Location" = String, description = "Where the memory is")))))]
pub(super) async fn put_memory(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewMemory>,
) -> Answer<impl IntoResponse> {
    let message = wire::PutMemoriesRequest {
        request: Some(body.key),
        memories: vec![body.value.into()],
    };
    let answer = ask!(gateway, &caller, memories.put_memories(message))
        .map_err(|error| in_public_words(error, "memories[0].", ""))?;
    let status = if answer.written == 0 {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let memory = Memory::from(expect(answer.memories.into_iter().next())?);
    Ok((status, location("memories", &memory.id), Json(memory)))
}

/// List the memories of a namespace
#[utoipa::path(get, path = "", tag = "memories", params(ListMemories),
    responses((status = 200, body = Page<Memory>, description = "A page of memories")))]
pub(super) async fn list_memories(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<ListMemories>,
) -> Answer<Json<Page<Memory>>> {
    let message = wire::ListMemoriesRequest {
        page: params.page()?,
        namespace: params.namespace,
    };
    let answer = ask!(gateway, &caller, memories.list_memories(message))?;
    Ok(Json(Page::new(answer.memories, answer.next_cursor)))
}

/// Get a memory
#[utoipa::path(get, path = "", tag = "memories", params(("id" = String, Path, description = "The memory")),
    responses((status = 200, body = Memory, description = "The memory")))]
pub(super) async fn get_memory(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<Json<Memory>> {
    let answer = ask!(
        gateway,
        &caller,
        memories.get_memory(wire::GetMemoryRequest { id })
    )?;
    Ok(Json(expect(answer.memory)?.into()))
}

/// Forget a memory
#[utoipa::path(delete, path = "", tag = "memories", params(("id" = String, Path, description = "The memory")),
    responses((status = 204, description = "The memory is gone")))]
pub(super) async fn delete_memory(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<impl IntoResponse> {
    ask!(
        gateway,
        &caller,
        memories.delete_memory(wire::DeleteMemoryRequest { id })
    )?;
    Ok(nothing())
}

/// Search memories by words, by meaning or both
#[utoipa::path(post, path = "", tag = "memories", request_body = Search,
    responses((status = 200, body = SearchResults, description = "What was found, the best first, and why")))]
pub(super) async fn search_memories(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<Search>,
) -> Answer<Json<SearchResults>> {
    let search = body.value.into_wire()?;
    let answer = ask!(gateway, &caller, memories.search_memories(search))
        .map_err(|error| in_public_words(error, "namespaces[0]", "namespace"))?;
    Ok(Json(SearchResults {
        results: answer.hits.into_iter().map(Into::into).collect(),
    }))
}
