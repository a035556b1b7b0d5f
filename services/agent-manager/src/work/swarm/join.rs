//! The writer's sub-task: an answer from the accepted passages, or a better one after a rejection.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_errors::{Code, Error, Result};
use swarm_models::{ChatRequest, Message};

use super::members::Members;
use super::part::{spawn, sub_task};
use crate::engine::TaskContext;
use crate::work::passages::Passage;
use crate::work::thinking::think;
use crate::work::{Worker, prompts, read_input};

const MAX_TOKENS: u32 = 80;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct JoinInput {
    prompt: String,
    passages: Vec<Passage>,
    /// The draft that was rejected, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejected: Option<(String, Vec<String>)>,
}

/// What the writer wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) model: String,
}

/// Has the writer write.
pub(crate) async fn write(
    context: &TaskContext,
    members: &Members,
    prompt: &str,
    passages: &[Passage],
    rejected: Option<(&Draft, &[String])>,
    round: u32,
) -> Result<Draft> {
    let input = JoinInput {
        prompt: prompt.to_owned(),
        passages: passages.to_vec(),
        rejected: rejected.map(|(draft, reasons)| (draft.text.clone(), reasons.to_vec())),
    };
    let role = if rejected.is_some() {
        "revision"
    } else {
        "join"
    };
    let task = sub_task(
        context,
        role,
        members.writer.id,
        serde_json::to_value(input).map_err(Error::internal)?,
    );
    let ids = spawn(
        context,
        &format!("write/{round}"),
        "have the writer write",
        vec![task],
    )
    .await?;
    let ended = context.await_tasks(&ids).await?;
    let Some(writing) = ended.first() else {
        return Err(Error::internal("the writer's sub-task is gone"));
    };
    match (&writing.result, &writing.failure) {
        (Some(result), _) => Draft::deserialize(result).map_err(Error::internal),
        (None, Some(failure)) => {
            let code = Code::from_name(&failure.code).unwrap_or(Code::Internal);
            Err(Error::new(code, &failure.detail).context("the writer failed"))
        }
        (None, None) => Err(Error::new(
            Code::FailedPrecondition,
            "the writer was stopped",
        )),
    }
}

/// Writes.
pub(crate) async fn run(worker: &Worker, context: &TaskContext) -> Result<Value> {
    let input: JoinInput = read_input(&context.task().spec.input)?;
    let agent = context.assigned_agent();
    let instructions = agent
        .map(|agent| agent.profile.instructions.as_str())
        .unwrap_or_default();
    let asked = match &input.rejected {
        Some((draft, reasons)) => prompts::revise(&input.prompt, &input.passages, draft, reasons),
        None => prompts::join(&input.prompt, &input.passages),
    };
    let mut request = ChatRequest::new(vec![
        Message::system(prompts::system(instructions)),
        Message::user(asked),
    ]);
    request.max_tokens = MAX_TOKENS;
    let thought = think(worker, context, "model", agent, request).await?;
    serde_json::to_value(Draft {
        text: thought.text,
        model: thought.model,
    })
    .map_err(Error::internal)
}
