//! A task with all that belongs to it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use futures::future::join_all;
use swarm_errors::{Code, Error, Result};
use swarm_identity::Caller;
use swarm_proto::agents::v1 as wire;
use swarm_proto::common::v1::PageRequest;
use swarm_proto::consensus::v1::ListProposalsRequest;
use swarm_types::MAX_LIMIT;

use super::expect;
use crate::extract::{Id, NoParams};
use crate::gateway::{Gate, Gateway};
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::messages::Message;
use crate::shapes::proposals::Proposal;
use crate::shapes::tasks::TaskTree;

/// Tasks of a tree whose proposals are asked for.
const MOST_DECIDERS: usize = 32;

/// Get a task with its sub-tasks, steps, messages and ballots
///
/// Where consensus or messages cannot be reached, the rest is answered and `missing` says what is not.
#[utoipa::path(get, path = "", tag = "tasks", params(("id" = String, Path, description = "The task")),
    responses((status = 200, body = TaskTree, description = "The tree")))]
pub(super) async fn get_task_tree(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<Json<TaskTree>> {
    let asked = wire::GetTaskTreeRequest { id: id.clone() };
    let answer = ask!(gateway, &caller, tasks.get_task_tree(asked))?;
    let mut tree = TaskTree::from(expect(answer.tree)?);
    let mut deciders = Vec::new();
    collect_deciders(&tree, &mut deciders);
    let (messages, proposals) = tokio::join!(
        messages_of(&gateway, &caller, id),
        proposals_of(&gateway, &caller, deciders)
    );
    tree.messages = or_missing("messages", messages, &mut tree.missing)?;
    tree.proposals = or_missing("proposals", proposals, &mut tree.missing)?;
    Ok(Json(tree))
}

/// The task at the top, and each that has parts to decide on.
fn collect_deciders(tree: &TaskTree, found: &mut Vec<String>) {
    if (found.is_empty() || !tree.children.is_empty()) && found.len() < MOST_DECIDERS {
        found.push(tree.task.id.clone());
    }
    for child in &tree.children {
        collect_deciders(child, found);
    }
}

async fn messages_of(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    task_id: String,
) -> Result<Vec<Message>> {
    let answer = ask!(
        gateway,
        caller,
        messages.list_task_messages(wire::ListTaskMessagesRequest { task_id })
    )?;
    Ok(answer.messages.into_iter().map(Into::into).collect())
}

async fn proposals_of(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    tasks: Vec<String>,
) -> Result<Vec<Proposal>> {
    let of_task = |task_id: String| async move {
        let page = Some(PageRequest {
            limit: MAX_LIMIT,
            cursor: String::new(),
        });
        let message = ListProposalsRequest {
            page,
            task_id,
            state: 0,
        };
        let answer = ask!(gateway, caller, proposals.list_proposals(message))?;
        // Listed newest first; a tree is read from its beginning.
        Ok(answer
            .proposals
            .into_iter()
            .rev()
            .map(Into::into)
            .collect::<Vec<Proposal>>())
    };
    let found: Vec<Vec<Proposal>> = join_all(tasks.into_iter().map(of_task))
        .await
        .into_iter()
        .collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// What was found; a part whose owner is away is named instead.
fn or_missing<T>(
    part: &'static str,
    found: Result<Vec<T>>,
    missing: &mut Vec<&'static str>,
) -> Result<Vec<T>, Error> {
    match found {
        Err(error) if matches!(error.code(), Code::Unavailable | Code::DeadlineExceeded) => {
            tracing::debug!(error = error.chain(), part, "a part of a tree is missing");
            missing.push(part);
            Ok(Vec::new())
        }
        found => found,
    }
}
