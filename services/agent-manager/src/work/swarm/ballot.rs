//! One vote of the members, through a proposal in consensus.
//!
//! What a member votes is journaled first, then cast: the proposal's id derives from task and
//! step, a ballot's key is proposal and voter, so a repeat finds what is there. While consensus
//! is down the task waits and tries again, until its deadline.

use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use swarm_errors::{Code, Result};
use swarm_proto::consensus::v1 as wire;
use swarm_types::{AgentId, ProposalId};

use super::members::{Member, Members};
use crate::engine::{StepHandle, TaskContext};
use crate::events::NewEvent;
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::tasks::WaitingReason;
use crate::work::Worker;
use crate::work::judge::Verdict;

const OPEN_FOR: Duration = Duration::from_secs(120);
/// Between two attempts while consensus is down.
const PAUSE: Duration = Duration::from_millis(500);

/// What is put to the vote.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// `findings`, `answer/0`: part of the steps' keys.
    pub(crate) key: String,
    pub(crate) title: String,
    /// Id and text.
    pub(crate) options: Vec<(String, String)>,
}

/// A member's verdicts, one for each option.
pub(crate) type Verdicts = Vec<(String, Verdict)>;

/// How the vote went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) proposal: ProposalId,
    pub(crate) decided: bool,
    pub(crate) options: Vec<OptionOutcome>,
}

/// How one option fared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OptionOutcome {
    pub(crate) id: String,
    pub(crate) accepted: bool,
    pub(crate) votes: Vec<CountedVote>,
}

/// What a member said of an option, as consensus counted it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CountedVote {
    pub(crate) voter: AgentId,
    pub(crate) name: String,
    pub(crate) approve: bool,
    pub(crate) reason: String,
    /// Whether it is not what was decided.
    pub(crate) dissent: bool,
}

/// Opens the proposal.
pub(crate) async fn open(
    worker: &Worker,
    context: &TaskContext,
    members: &Members,
    question: &Question,
) -> Result<ProposalId> {
    let id = ProposalId::derived(&[
        &context.task().tenant.to_string(),
        &context.task().id.to_string(),
        &question.key,
    ]);
    let step = ballot_step(
        "propose",
        question,
        None,
        json!({ "title": question.title, "options": question.options.len() }),
    );
    with_consensus(context, || {
        let (step, message) = (step.clone(), proposal(context, members, question, id));
        let opened = NewEvent::new(
            "ballot.opened",
            json!({
                "proposal_id": id, "title": question.title, "options": question.options,
                "electorate": members.all.iter().map(|member| &member.name).collect::<Vec<_>>(),
            }),
        );
        Box::pin(context.step(step, move |_: StepHandle| async move {
            worker
                .ports
                .create_proposal(context.task().tenant, message)
                .await?;
            Ok(StepDone::new(id).with_event(opened))
        }))
    })
    .await
}

fn proposal(
    context: &TaskContext,
    members: &Members,
    question: &Question,
    id: ProposalId,
) -> wire::CreateProposalRequest {
    wire::CreateProposalRequest {
        request: None,
        id: id.to_string(),
        title: question.title.clone(),
        description: String::new(),
        options: question
            .options
            .iter()
            .map(|(id, label)| wire::Option {
                id: id.clone(),
                label: label.clone(),
            })
            .collect(),
        electorate: members
            .all
            .iter()
            .map(|member| member.id.to_string())
            .collect(),
        rule: wire::Rule::SimpleMajority.into(),
        open_for_ms: u32::try_from(OPEN_FOR.as_millis()).unwrap_or(u32::MAX),
        task_id: context.task().id.to_string(),
    }
}

/// Casts a member's journaled verdicts.
pub(crate) async fn cast(
    worker: &Worker,
    context: &TaskContext,
    question: &Question,
    id: ProposalId,
    member: &Member,
    verdicts: &Verdicts,
) -> Result<()> {
    let votes: Vec<wire::OptionVote> = verdicts
        .iter()
        .map(|(option, verdict)| wire::OptionVote {
            option_id: option.clone(),
            choice: if verdict.approve {
                wire::Choice::Approve
            } else {
                wire::Choice::Reject
            }
            .into(),
            reason: verdict.reason.clone(),
        })
        .collect();
    let step = ballot_step(
        "cast",
        question,
        Some(member),
        json!({ "voter": member.name }),
    );
    let said: Vec<_> = verdicts
        .iter()
        .map(|(option, verdict)| json!({ "option": option, "approve": verdict.approve, "reason": verdict.reason }))
        .collect();
    let said = json!({ "proposal_id": id, "voter": member.name, "votes": said });
    with_consensus(context, || {
        let (step, votes) = (step.clone(), votes.clone());
        let voted = NewEvent::new("ballot.vote", said.clone());
        Box::pin(context.step(step, move |_: StepHandle| async move {
            worker
                .ports
                .cast_vote(context.task().tenant, id, &member.id.to_string(), votes)
                .await?;
            Ok(StepDone::new(true).with_event(voted))
        }))
    })
    .await
    .map(|_| ())
}

/// Reads the outcome: everybody has voted, so the proposal is closed.
pub(crate) async fn close(
    worker: &Worker,
    context: &TaskContext,
    members: &Members,
    question: &Question,
    id: ProposalId,
) -> Result<Outcome> {
    let step = ballot_step("tally", question, None, json!({ "proposal_id": id }));
    with_consensus(context, || {
        Box::pin(context.step(step.clone(), move |_: StepHandle| async move {
            let outcome = outcome(
                members,
                &worker.ports.proposal(context.task().tenant, id).await?,
                id,
            );
            let options: Vec<_> = outcome
                .options
                .iter()
                .map(|option| json!({ "option": option.id, "accepted": option.accepted }))
                .collect();
            let closed =
                json!({ "proposal_id": id, "decided": outcome.decided, "options": options });
            Ok(StepDone::new(outcome).with_event(NewEvent::new("ballot.closed", closed)))
        }))
    })
    .await
}

fn outcome(members: &Members, proposal: &wire::Proposal, id: ProposalId) -> Outcome {
    let tallies = proposal
        .tally
        .as_ref()
        .map(|tally| tally.options.as_slice())
        .unwrap_or_default();
    let options = proposal.options.iter().map(|option| {
        let accepted = tallies
            .iter()
            .any(|tally| tally.option_id == option.id && tally.accepted);
        OptionOutcome {
            id: option.id.clone(),
            accepted,
            votes: counted(members, proposal, &option.id, accepted),
        }
    });
    Outcome {
        proposal: id,
        decided: proposal.state() == wire::ProposalState::Decided,
        options: options.collect(),
    }
}

fn counted(
    members: &Members,
    proposal: &wire::Proposal,
    option: &str,
    accepted: bool,
) -> Vec<CountedVote> {
    let mut votes = Vec::new();
    for ballot in &proposal.ballots {
        let Some(member) = ballot.voter.parse().ok().and_then(|id| members.named(id)) else {
            continue;
        };
        let Some(vote) = ballot.votes.iter().find(|vote| vote.option_id == option) else {
            continue;
        };
        let approve = vote.choice() == wire::Choice::Approve;
        votes.push(CountedVote {
            voter: member.id,
            name: member.name.clone(),
            approve,
            reason: vote.reason.clone(),
            dissent: approve != accepted,
        });
    }
    votes
}

fn ballot_step(
    verb: &str,
    question: &Question,
    member: Option<&Member>,
    input: serde_json::Value,
) -> StepSpec {
    let key = match member {
        Some(member) => format!("{verb}/{}/{}", question.key, member.id),
        None => format!("{verb}/{}", question.key),
    };
    StepSpec::new(
        key,
        StepKind::Ballot,
        format!("{verb} {}", question.key),
        input,
    )
}

/// Tries again while consensus cannot be reached; the task waits meanwhile, with the reason.
async fn with_consensus<'a, T>(
    context: &TaskContext,
    attempt: impl Fn() -> BoxFuture<'a, Result<T>>,
) -> Result<T> {
    loop {
        match attempt().await {
            Err(error) if matches!(error.code(), Code::Unavailable | Code::DeadlineExceeded) => {
                tracing::warn!(error = %error.chain(), "consensus cannot be reached, the task waits for it");
                context.park(WaitingReason::Consensus, PAUSE).await?;
            }
            result => return result,
        }
    }
}
