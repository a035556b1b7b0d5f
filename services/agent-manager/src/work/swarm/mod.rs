//! The strategy `swarm`: readers work in parallel on parts, a writer joins their findings, and the
//! members vote on which findings to keep and on the answer.
//!
//! 1. The documents are cut into passages, which memory keeps under ids derived from content.
//! 2. Learning says which reader gets which part; each part is a sub-task, whose findings come to
//!    the writer as a message.
//! 3. Every member judges every finding; a proposal in consensus counts. What is rejected is kept
//!    in the result with its votes.
//! 4. The writer answers from the accepted passages, as a sub-task; the members vote on the answer.
//!    A rejection with its reasons leads to a revision, as often as the strategy's rounds allow.

mod ballot;
mod findings;
pub(crate) mod join;
pub(crate) mod library;
mod members;
pub(crate) mod part;
mod result;
mod votes;

use serde_json::Value;
use swarm_errors::{Error, Result};

use crate::engine::TaskContext;
use crate::work::{Worker, inputs};

/// Revisions after a rejection, unless the task says otherwise.
const ROUNDS: u32 = 1;

pub(crate) async fn run(worker: &Worker, context: &TaskContext) -> Result<Value> {
    let input = inputs::of_root(context).await?;
    if input.documents.is_empty() {
        return Err(Error::invalid(
            "input.documents",
            "a swarm needs at least one document to read",
        ));
    }
    let library = library::shelve(worker, context, &input.documents).await?;
    let members = members::gather(worker, context).await?;
    let parts = part::hand_out(context, &members, &library, &input.prompt).await?;
    let found = findings::collect(context, &members, &parts).await?;
    let chosen =
        votes::on_findings(worker, context, &members, &library, &input.prompt, &found).await?;
    let rounds = context.task().spec.strategy.rounds.unwrap_or(ROUNDS);
    let mut answer = join::write(context, &members, &input.prompt, &chosen.kept, None, 0).await?;
    let mut verdict = votes::on_answer(
        worker,
        context,
        &members,
        &input.prompt,
        &chosen.kept,
        &answer,
        0,
    )
    .await?;
    let mut drafts = Vec::new();
    for round in 1..=rounds {
        if verdict.accepted {
            break;
        }
        let reasons = verdict.reasons();
        drafts.push((answer.clone(), verdict));
        answer = join::write(
            context,
            &members,
            &input.prompt,
            &chosen.kept,
            Some((&answer, &reasons)),
            round,
        )
        .await?;
        verdict = votes::on_answer(
            worker,
            context,
            &members,
            &input.prompt,
            &chosen.kept,
            &answer,
            round,
        )
        .await?;
    }
    Ok(result::of(
        &members, &library, &parts, &chosen, &answer, &verdict, &drafts,
    ))
}
