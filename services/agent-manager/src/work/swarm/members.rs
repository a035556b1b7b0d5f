//! Who takes part, and who does what.

use serde::{Deserialize, Serialize};
use serde_json::json;
use swarm_errors::{Code, Error, Result};
use swarm_proto::learning::v1::ChooseRequest;
use swarm_proto::memory::v1::SearchMode;
use swarm_types::AgentId;

use crate::agents::AgentRecord;
use crate::engine::{StepHandle, TaskContext};
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::work::Worker;

/// Members of a swarm that was given none.
const AT_MOST: usize = 5;

/// A member, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: AgentId,
    pub(crate) name: String,
    pub(crate) role: String,
    /// How it searches: words, meaning or both; its label `search` says so.
    pub(crate) search: String,
}

impl Member {
    pub(crate) fn mode(&self) -> SearchMode {
        match self.search.as_str() {
            "words" => SearchMode::Lexical,
            "meaning" => SearchMode::Semantic,
            _ => SearchMode::Hybrid,
        }
    }

    /// How it searches, for people.
    pub(crate) fn how(&self) -> &'static str {
        match self.search.as_str() {
            "words" => "by words",
            "meaning" => "by meaning",
            _ => "by words and meaning",
        }
    }
}

/// Everybody, the readers in the order in which they get parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Members {
    pub(crate) all: Vec<Member>,
    pub(crate) readers: Vec<Member>,
    pub(crate) writer: Member,
    /// How the readers were put in order: by which policy, and with what probability each.
    pub(crate) choice: serde_json::Value,
}

impl Members {
    /// The member with this id.
    pub(crate) fn named(&self, id: AgentId) -> Option<&Member> {
        self.all.iter().find(|member| member.id == id)
    }
}

/// Decides who takes part, once.
pub(crate) async fn gather(worker: &Worker, context: &TaskContext) -> Result<Members> {
    let spec = &context.task().spec;
    let wanted = &spec.strategy.members;
    let input = json!({ "members": wanted, "pool": spec.pool });
    let step = StepSpec::new("members", StepKind::Choice, "choose members", input);
    context
        .step(step, async |handle: StepHandle| {
            let mut agents = context.eligible_agents(&spec.pool, wanted).await?;
            if wanted.is_empty() {
                agents.truncate(AT_MOST);
            }
            let all: Vec<Member> = agents.iter().map(to_member).collect();
            let Some(writer) = all
                .iter()
                .find(|member| member.role == "writer")
                .or(all.last())
                .cloned()
            else {
                return Err(Error::new(
                    Code::FailedPrecondition,
                    "there is no agent that could take part: create some first",
                ));
            };
            let mut readers: Vec<Member> = all
                .iter()
                .filter(|member| member.id != writer.id)
                .cloned()
                .collect();
            if readers.is_empty() {
                readers.push(writer.clone());
            }
            let choice = order(worker, context, &handle, &mut readers).await;
            Ok(StepDone::new(Members {
                all,
                readers,
                writer,
                choice,
            }))
        })
        .await
}

/// Puts the readers in the order that learning draws. Without learning they keep their own.
async fn order(
    worker: &Worker,
    context: &TaskContext,
    handle: &StepHandle,
    readers: &mut [Member],
) -> serde_json::Value {
    let task = context.task();
    let ask = ChooseRequest {
        choice_id: handle.token().to_owned(),
        kind: task.spec.kind.clone(),
        arms: readers.iter().map(|reader| reader.id.to_string()).collect(),
        count: u32::try_from(readers.len()).unwrap_or(u32::MAX),
    };
    match worker.ports.choose(task.tenant, ask).await {
        Ok(answer) => {
            let place = |member: &Member| {
                answer
                    .chosen
                    .iter()
                    .position(|chosen| chosen.arm == member.id.to_string())
                    .unwrap_or(usize::MAX)
            };
            readers.sort_by_key(place);
            let propensities: Vec<_> = answer
                .chosen
                .iter()
                .map(|chosen| json!({ "agent": chosen.arm, "propensity": chosen.propensity }))
                .collect();
            json!({ "policy": answer.policy, "chosen": propensities })
        }
        Err(error) => {
            tracing::info!(error = %error.chain(), "learning gave no choice, readers keep their order");
            json!({ "policy": "fixed", "because": error.detail() })
        }
    }
}

fn to_member(agent: &AgentRecord) -> Member {
    Member {
        id: agent.id,
        name: agent.profile.name.clone(),
        role: agent.profile.role.clone(),
        search: agent
            .profile
            .labels
            .get("search")
            .cloned()
            .unwrap_or_default(),
    }
}
