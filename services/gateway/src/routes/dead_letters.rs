//! Tasks whose attempts are used up.

use axum::Json;
use axum::extract::State;
use swarm_proto::agents::v1 as wire;

use crate::extract::{Key, Paging, Params};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::dead_letters::{ListDeadLetters, PurgeDeadLetters, Purged};
use crate::shapes::page::Page;
use crate::shapes::tasks::Task;
use crate::shapes::wire::{Time, text};

/// List dead letters, the newest task first
///
/// They stay until they are retried or purged.
#[utoipa::path(get, path = "", tag = "tasks", params(ListDeadLetters),
    responses((status = 200, body = Page<Task>, description = "A page of tasks")))]
pub(super) async fn list_dead_letters(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<ListDeadLetters>,
) -> Answer<Json<Page<Task>>> {
    let message = wire::ListDeadLettersRequest {
        page: params.page()?,
        kind: text(params.kind),
    };
    let answer = ask!(gateway, &caller, dead_letters.list_dead_letters(message))?;
    Ok(Json(Page::new(answer.tasks, answer.next_cursor)))
}

/// Delete dead letters for good
///
/// With their journal, events and sub-tasks.
#[utoipa::path(delete, path = "", tag = "tasks", params(PurgeDeadLetters),
    responses((status = 200, body = Purged, description = "They are gone")))]
pub(super) async fn purge_dead_letters(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<PurgeDeadLetters>,
    Key(key): Key,
) -> Answer<Json<Purged>> {
    let ids = text(params.task_ids);
    let message = wire::PurgeDeadLettersRequest {
        request: Some(key),
        task_ids: ids
            .split(',')
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect(),
        before: params.before.map(Time::to_wire),
    };
    let answer = ask!(gateway, &caller, dead_letters.purge_dead_letters(message))?;
    Ok(Json(Purged {
        purged: answer.purged,
    }))
}
