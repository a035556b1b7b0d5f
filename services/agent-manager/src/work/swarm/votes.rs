//! What the members vote on, and how each comes to its verdict.

use serde::{Deserialize, Serialize};
use serde_json::json;
use swarm_errors::{Error, Result};
use swarm_models::{ChatRequest, Message, ResponseFormat};

use super::ballot::{self, Outcome, Question, Verdicts};
use super::findings::Finding;
use super::join::Draft;
use super::library::{Library, passage_of};
use super::members::{Member, Members};
use crate::engine::{StepHandle, TaskContext};
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::work::judge::{self, Verdict};
use crate::work::passages::Passage;
use crate::work::thinking::think;
use crate::work::{Worker, prompts};

/// Hits of a member's own search that it looks at.
const EVIDENCE: u32 = 20;
const MAX_TOKENS: u32 = 600;

/// Which findings were kept, the strongest first.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) findings: Vec<Finding>,
    pub(crate) outcome: Outcome,
    pub(crate) kept: Vec<Passage>,
}

/// How an answer fared.
#[derive(Debug, Clone)]
pub(crate) struct AnswerVerdict {
    pub(crate) accepted: bool,
    pub(crate) outcome: Outcome,
}

impl AnswerVerdict {
    /// Why it was rejected, each reason once.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let votes = self.outcome.options.iter().flat_map(|option| &option.votes);
        let mut reasons: Vec<String> = votes
            .filter(|vote| !vote.approve)
            .map(|vote| vote.reason.clone())
            .collect();
        reasons.sort();
        reasons.dedup();
        reasons
    }
}

/// The members vote on each finding.
pub(crate) async fn on_findings(
    worker: &Worker,
    context: &TaskContext,
    members: &Members,
    library: &Library,
    prompt: &str,
    findings: &[Finding],
) -> Result<Chosen> {
    let question = Question {
        key: "findings".to_owned(),
        title: "Which findings help to answer the question?".to_owned(),
        options: findings
            .iter()
            .map(|finding| (finding.id.clone(), finding.passage.place()))
            .collect(),
    };
    let id = ballot::open(worker, context, members, &question).await?;
    for member in &members.all {
        let verdicts = if worker.models.judges_by_evidence() {
            by_evidence(worker, context, member, library, prompt, findings).await?
        } else {
            let texts = findings
                .iter()
                .map(|finding| (finding.id.clone(), finding.passage.text.clone()))
                .collect();
            by_model(worker, context, member, &question, prompt, texts).await?
        };
        ballot::cast(worker, context, &question, id, member, &verdicts).await?;
    }
    let outcome = ballot::close(worker, context, members, &question, id).await?;
    let kept = kept(findings, &outcome);
    Ok(Chosen {
        findings: findings.to_vec(),
        outcome,
        kept,
    })
}

/// The members vote on a draft of the answer.
pub(crate) async fn on_answer(
    worker: &Worker,
    context: &TaskContext,
    members: &Members,
    prompt: &str,
    kept: &[Passage],
    draft: &Draft,
    round: u32,
) -> Result<AnswerVerdict> {
    let question = Question {
        key: format!("answer/{round}"),
        title: "Is this answer carried by the accepted passages?".to_owned(),
        options: vec![("answer".to_owned(), prompts::shortened(&draft.text, 500))],
    };
    let id = ballot::open(worker, context, members, &question).await?;
    for member in &members.all {
        let verdicts = if worker.models.judges_by_evidence() {
            vec![("answer".to_owned(), judge::answer(&draft.text, kept))]
        } else {
            by_model(
                worker,
                context,
                member,
                &question,
                prompt,
                vec![("answer".to_owned(), draft.text.clone())],
            )
            .await?
        };
        ballot::cast(worker, context, &question, id, member, &verdicts).await?;
    }
    let outcome = ballot::close(worker, context, members, &question, id).await?;
    Ok(AnswerVerdict {
        accepted: outcome.decided && outcome.options.iter().all(|option| option.accepted),
        outcome,
    })
}

/// The accepted passages, those with most approvals first; where none was accepted, the one with most.
fn kept(findings: &[Finding], outcome: &Outcome) -> Vec<Passage> {
    let approvals = |id: &str| {
        let option = outcome.options.iter().find(|option| option.id == id);
        let votes = option.map_or(0, |option| {
            option.votes.iter().filter(|vote| vote.approve).count()
        });
        (option.is_some_and(|option| option.accepted), votes)
    };
    let mut ranked: Vec<(&Finding, (bool, usize))> = findings
        .iter()
        .map(|finding| (finding, approvals(&finding.id)))
        .collect();
    ranked.sort_by_key(|(_, rank)| std::cmp::Reverse(*rank));
    let accepted = ranked
        .iter()
        .filter(|(_, (accepted, _))| *accepted)
        .count()
        .max(1);
    ranked
        .into_iter()
        .take(accepted)
        .map(|(finding, _)| finding.passage.clone())
        .collect()
}

/// The member searches all passages in its own way, and stands by what it finds.
async fn by_evidence(
    worker: &Worker,
    context: &TaskContext,
    member: &Member,
    library: &Library,
    prompt: &str,
    findings: &[Finding],
) -> Result<Verdicts> {
    let key = format!("judge/findings/{}", member.id);
    let name = format!("{} judges, searching {}", member.name, member.how());
    let step = StepSpec::new(key, StepKind::Recall, name, json!({ "query": prompt }));
    context
        .step(step, async |_: StepHandle| {
            let tenant = context.task().tenant;
            let hits = worker
                .ports
                .search(tenant, &library.namespaces, prompt, member.mode(), EVIDENCE)
                .await?;
            let own: Vec<Passage> = hits
                .iter()
                .filter_map(|hit| passage_of(hit.memory.as_ref()?))
                .collect();
            let verdicts: Verdicts = findings
                .iter()
                .map(|finding| {
                    let rank = own
                        .iter()
                        .position(|passage| *passage == finding.passage)
                        .map(|index| index + 1);
                    (finding.id.clone(), judge::finding(rank, member.how()))
                })
                .collect();
            Ok(StepDone::new(verdicts))
        })
        .await
}

#[derive(Debug, Serialize, Deserialize)]
struct Judgement {
    votes: Vec<Judged>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Judged {
    option: String,
    choice: String,
    reason: String,
}

/// The member's model judges, in a structured answer. An option that it passes over counts as rejected.
async fn by_model(
    worker: &Worker,
    context: &TaskContext,
    member: &Member,
    question: &Question,
    prompt: &str,
    options: Vec<(String, String)>,
) -> Result<Verdicts> {
    let agent = context.agent(member.id).await?;
    let mut request = ChatRequest::new(vec![
        Message::system(prompts::system(&agent.profile.instructions)),
        Message::user(prompts::judge(prompt, &options)),
    ]);
    request.max_tokens = MAX_TOKENS;
    request.response = ResponseFormat::Json(schema(&options));
    let key = format!("judge/{}/{}", question.key, member.id);
    let thought = think(worker, context, &key, Some(&agent), request).await?;
    let judgement: Judgement = serde_json::from_str(&thought.text).map_err(|error| {
        Error::unavailable("a member's model gave no ballot").with_source(error)
    })?;
    Ok(options
        .into_iter()
        .map(|(id, _)| {
            let said = judgement.votes.iter().find(|judged| judged.option == id);
            let verdict = said.map_or_else(
                || Verdict {
                    approve: false,
                    reason: "passed over".to_owned(),
                },
                |judged| Verdict {
                    approve: judged.choice == "approve",
                    reason: judged.reason.clone(),
                },
            );
            (id, verdict)
        })
        .collect())
}

fn schema(options: &[(String, String)]) -> serde_json::Value {
    let ids: Vec<&String> = options.iter().map(|(id, _)| id).collect();
    json!({
        "type": "object", "required": ["votes"], "additionalProperties": false,
        "properties": { "votes": {
            "type": "array", "minItems": ids.len(), "maxItems": ids.len(),
            "items": {
                "type": "object", "required": ["option", "choice", "reason"], "additionalProperties": false,
                "properties": {
                    "option": { "type": "string", "enum": ids },
                    "choice": { "type": "string", "enum": ["approve", "reject"] },
                    "reason": { "type": "string", "maxLength": 160 }
                }
            }
        } }
    })
}

#[cfg(test)]
mod tests {
    use swarm_types::{AgentId, ProposalId};

    use super::super::ballot::{CountedVote, OptionOutcome};
    use super::*;

    fn finding(id: &str) -> Finding {
        let passage = Passage {
            document: "d".into(),
            position: 0,
            heading: String::new(),
            first_line: 1,
            last_line: 1,
            text: id.into(),
        };
        Finding {
            id: id.to_owned(),
            passage,
            found_by: AgentId::new(),
        }
    }

    fn option(id: &str, approvals: usize, of: usize) -> OptionOutcome {
        let accepted = approvals * 2 > of;
        let vote = |approve: bool| CountedVote {
            voter: AgentId::new(),
            name: String::new(),
            approve,
            reason: String::new(),
            dissent: approve != accepted,
        };
        OptionOutcome {
            id: id.to_owned(),
            accepted,
            votes: (0..of).map(|n| vote(n < approvals)).collect(),
        }
    }

    fn texts(options: Vec<OptionOutcome>) -> Vec<String> {
        let findings: Vec<Finding> = options.iter().map(|option| finding(&option.id)).collect();
        let outcome = Outcome {
            proposal: ProposalId::new(),
            decided: true,
            options,
        };
        kept(&findings, &outcome)
            .into_iter()
            .map(|passage| passage.text)
            .collect()
    }

    #[test]
    fn the_accepted_lead_by_approvals() {
        assert_eq!(
            texts(vec![
                option("f1", 2, 3),
                option("f2", 1, 3),
                option("f3", 3, 3)
            ]),
            ["f3", "f1"]
        );
    }

    #[test]
    fn where_none_is_accepted_the_best_remains() {
        assert_eq!(texts(vec![option("f1", 0, 3), option("f2", 1, 3)]), ["f2"]);
    }
}
