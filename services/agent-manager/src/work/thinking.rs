//! One model call as a step: streamed, counted, journaled.

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use swarm_errors::{Error, Result};
use swarm_models::{ChatEvent, ChatRequest, ToolCall};

use crate::agents::AgentRecord;
use crate::engine::{StepHandle, TaskContext};
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::tasks::Usage;
use crate::work::Worker;

/// What a model said, as the journal keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Thought {
    /// Its words.
    pub(crate) text: String,
    /// The calls that it wants made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tool_calls: Vec<ToolCall>,
    /// The model's name.
    pub(crate) model: String,
    /// Why it stopped.
    pub(crate) finish: String,
}

/// Asks the agent's model. A call that a crash cut off is repeated, and charged again; a finished one never is.
pub(crate) async fn think(
    worker: &Worker,
    context: &TaskContext,
    key: &str,
    agent: Option<&AgentRecord>,
    mut request: ChatRequest,
) -> Result<Thought> {
    let provider = worker.models.of(agent)?;
    if let Some(agent) = agent {
        request.temperature = agent
            .profile
            .model
            .temperature
            .unwrap_or(request.temperature);
        request.max_tokens = agent.profile.model.max_tokens.unwrap_or(request.max_tokens);
    }
    // What the calls of one task have in common stays with the model until the task is done.
    request.prefix_key = Some(context.task().root.to_string());
    let tools: Vec<&String> = request.tools.iter().map(|tool| &tool.name).collect();
    let input = json!({ "messages": request.messages, "tools": tools });
    let step = StepSpec::new(key, StepKind::Model, provider.model(), input);
    context
        .step(step, async |handle: StepHandle| {
            let mut stream = provider.chat(request).await?;
            let mut answer = None;
            while let Some(event) = stream.next().await {
                match event? {
                    ChatEvent::Token(text) => handle.emit_token(&text),
                    ChatEvent::Finished(finished) => answer = Some(finished),
                }
            }
            let answer =
                answer.ok_or_else(|| Error::unavailable("the model's answer was cut off"))?;
            let usage = Usage {
                input_tokens: answer.usage.input_tokens.into(),
                output_tokens: answer.usage.output_tokens.into(),
                cached_tokens: answer.usage.cached_tokens.into(),
                model_calls: 1,
                tool_calls: 0,
            };
            worker
                .models
                .count_tokens(provider.as_ref(), usage.input_tokens, usage.output_tokens);
            let thought = Thought {
                text: answer.text.trim().to_owned(),
                tool_calls: answer.tool_calls,
                model: provider.model().to_owned(),
                finish: answer.finish.as_str().to_owned(),
            };
            Ok(StepDone::new(thought).with_usage(usage))
        })
        .await
}
