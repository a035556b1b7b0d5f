//! One model call as a step: streamed, counted, journaled.

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use swarm_errors::{Code, Error, Result};
use swarm_models::{ChatAnswer, ChatEvent, ChatProvider, ChatRequest, ToolCall};

use crate::agents::AgentRecord;
use crate::engine::{StepHandle, TaskContext};
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::tasks::{Usage, WaitingReason};
use crate::work::Worker;
use crate::work::quota::tokens_of;

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
    let mut step = StepSpec::new(key, StepKind::Model, provider.model(), input);
    step.is_free = provider.is_free();
    context
        .step(step, async |handle: StepHandle| {
            let answer = ask(worker, context, provider.as_ref(), request, &handle).await?;
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

/// Calls the provider when it may be called, and again when it refuses because it is too busy:
/// neither is a failure. Whoever waits takes up no worker.
async fn ask(
    worker: &Worker,
    context: &TaskContext,
    provider: &dyn ChatProvider,
    request: ChatRequest,
    handle: &StepHandle,
) -> Result<ChatAnswer> {
    let quota = &worker.models.quota;
    let (model, tokens) = (provider.model(), tokens_of(&request));
    loop {
        let replicas = context.replicas();
        let reservation = match quota.reserve_now(model, tokens, replicas).await {
            Some(reservation) => reservation,
            None => {
                let allowed = quota.reserve(model, tokens, replicas);
                Box::pin(context.park_until(WaitingReason::Provider, allowed)).await?
            }
        };
        match call(provider, request.clone(), handle).await {
            Ok(answer) => {
                let used =
                    u64::from(answer.usage.input_tokens) + u64::from(answer.usage.output_tokens);
                reservation.settle(used).await;
                return Ok(answer);
            }
            Err((error, false)) if error.code() == Code::ResourceExhausted => {
                tracing::warn!(error = %error.chain(), model, "the provider is too busy");
                quota.refused(model, error.retry_after());
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// One call. With an error comes whether a part of the answer was shown.
async fn call(
    provider: &dyn ChatProvider,
    request: ChatRequest,
    handle: &StepHandle,
) -> Result<ChatAnswer, (Error, bool)> {
    let mut shown = false;
    let mut stream = provider
        .chat(request)
        .await
        .map_err(|error| (error, shown))?;
    while let Some(event) = stream.next().await {
        match event.map_err(|error| (error, shown))? {
            ChatEvent::Token(text) => {
                shown = true;
                handle.emit_token(&text);
            }
            ChatEvent::Finished(answer) => return Ok(answer),
        }
    }
    Err((Error::unavailable("the model's answer was cut off"), shown))
}
