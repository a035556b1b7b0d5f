//! What a swarm's task gives back: the passages first, then the words, with all votes.

use serde_json::{Value, json};
use swarm_types::TaskId;

use super::ballot::{OptionOutcome, Outcome};
use super::findings::Finding;
use super::join::Draft;
use super::library::Library;
use super::members::Members;
use super::votes::{AnswerVerdict, Chosen};
use crate::work::passages::Passage;

pub(crate) fn of(
    members: &Members,
    library: &Library,
    parts: &[TaskId],
    chosen: &Chosen,
    answer: &Draft,
    verdict: &AnswerVerdict,
    drafts: &[(Draft, AnswerVerdict)],
) -> Value {
    let rejected: Vec<Value> = chosen
        .findings
        .iter()
        .filter(|finding| !chosen.kept.contains(&finding.passage))
        .map(|finding| passage(members, finding, &chosen.outcome))
        .collect();
    let kept: Vec<Value> = chosen
        .kept
        .iter()
        .filter_map(|kept| {
            chosen
                .findings
                .iter()
                .find(|finding| finding.passage == *kept)
        })
        .map(|finding| passage(members, finding, &chosen.outcome))
        .collect();
    let drafts: Vec<Value> = drafts
        .iter()
        .map(|(draft, verdict)| words(draft, verdict))
        .collect();
    json!({
        "passages": kept,
        "rejected": rejected,
        "answer": words(answer, verdict),
        "drafts": drafts,
        "members": members.all,
        "writer": members.writer.id,
        "choice": members.choice,
        "parts": parts,
        "library": { "passages": library.passages, "new": library.new },
    })
}

fn passage(members: &Members, finding: &Finding, outcome: &Outcome) -> Value {
    let Passage {
        document,
        heading,
        first_line,
        last_line,
        text,
        ..
    } = &finding.passage;
    let option = outcome
        .options
        .iter()
        .find(|option| option.id == finding.id);
    json!({
        "id": finding.id, "place": finding.passage.place(), "document": document, "heading": heading,
        "first_line": first_line, "last_line": last_line, "text": text,
        "found_by": members.named(finding.found_by).map(|member| &member.name),
        "accepted": option.is_some_and(|option| option.accepted),
        "votes": option.map(|option| &option.votes), "proposal_id": outcome.proposal,
    })
}

fn words(draft: &Draft, verdict: &AnswerVerdict) -> Value {
    let votes: Vec<_> = verdict
        .outcome
        .options
        .iter()
        .flat_map(|option: &OptionOutcome| &option.votes)
        .collect();
    json!({
        "text": draft.text, "model": draft.model, "accepted": verdict.accepted,
        "votes": votes, "proposal_id": verdict.outcome.proposal,
    })
}
