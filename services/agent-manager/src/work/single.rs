//! One agent alone: recall unless the input does without, then model and tools in turn until it answers.

use serde_json::{Value, json};
use swarm_errors::{Code, Error, Result};
use swarm_models::{ChatRequest, Message, ToolChoice};
use swarm_proto::memory::v1::SearchMode;

use crate::engine::{StepHandle, TaskContext};
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::tasks::{Document, Input};
use crate::work::swarm::library;
use crate::work::thinking::think;
use crate::work::{Worker, inputs, prompts, read_input, tools};

/// Model calls of one task; a loop that needs more has lost its way.
const MAX_TURNS: usize = 8;
const RECALLED: u32 = 3;
/// Characters of a predecessor's result in the question.
const LONGEST_BEFORE: usize = 2_000;
const MAX_TOKENS: u32 = 256;

pub(crate) async fn run(worker: &Worker, context: &TaskContext) -> Result<Value> {
    let mut input: Input = read_input(&context.task().spec.input)?;
    let before = inputs::of_predecessors(context).await?;
    input.documents.extend(before.iter().cloned());
    // What few tasks do takes up its place only then.
    let shelved = Box::pin(library::shelve(worker, context, &input.documents));
    let mut namespaces = shelved.await?.namespaces;
    namespaces.push("shared".to_owned());
    let recalled = match input.recall {
        true => Box::pin(recall(worker, context, &namespaces, &input.prompt)).await?,
        false => Vec::new(),
    };
    let agent = context.assigned_agent();
    let instructions = agent
        .map(|agent| agent.profile.instructions.as_str())
        .unwrap_or_default();
    let offered = tools::offered(
        &worker.webhooks,
        agent
            .map(|agent| agent.profile.tools.as_slice())
            .unwrap_or_default(),
    );
    let mut messages = vec![
        Message::system(prompts::system(instructions)),
        Message::user(question(&input, &before, &recalled)),
    ];
    let mut unknown: Vec<String> = Vec::new();
    for turn in 0..MAX_TURNS {
        let mut request = ChatRequest::new(messages.clone());
        request.max_tokens = MAX_TOKENS;
        request.tools.clone_from(&offered);
        // A small model likes its tools too much: it may look things up twice, then it must answer.
        request.tool_choice = if turn < 2 {
            ToolChoice::Auto
        } else {
            ToolChoice::None
        };
        let thought = think(worker, context, &format!("model/{turn}"), agent, request).await?;
        if thought.tool_calls.is_empty() {
            let mut result = json!({ "answer": { "text": thought.text, "model": thought.model, "finish": thought.finish },
                "recalled": recalled });
            if !unknown.is_empty() {
                // Whatever the model makes of it, whoever reads the result is told.
                result["unknown_outcomes"] = json!(unknown);
            }
            return Ok(result);
        }
        messages.push(Message::assistant_calls(
            thought.text.clone(),
            thought.tool_calls.clone(),
        ));
        for (index, call) in thought.tool_calls.iter().enumerate() {
            let key = format!("tool/{turn}/{index}");
            let run = tools::run(worker, context, &key, &namespaces, &offered, call);
            let said = Box::pin(run).await?;
            if said.is_unknown {
                unknown.push(call.name.clone());
            }
            messages.push(Message::tool(call.id.clone(), said.text));
        }
    }
    Err(Error::new(
        Code::FailedPrecondition,
        format!("no answer after {MAX_TURNS} model calls"),
    ))
}

async fn recall(
    worker: &Worker,
    context: &TaskContext,
    namespaces: &[String],
    query: &str,
) -> Result<Vec<Value>> {
    let input = json!({ "namespaces": namespaces, "query": query });
    let step = StepSpec::new("recall", StepKind::Recall, "memory search", input);
    context
        .step(step, async |_: StepHandle| {
            let tenant = context.task().tenant;
            let hits = worker.ports.search(tenant, namespaces, query, SearchMode::Hybrid, RECALLED).await?;
            let recalled: Vec<Value> = hits
                .into_iter()
                .filter_map(|hit| Some((hit.memory?, hit.score)))
                .map(|(memory, score)| json!({ "memory_id": memory.id, "source": memory.source, "text": memory.content, "score": score }))
                .collect();
            Ok(StepDone::new(recalled))
        })
        .await
}

/// What went before is told as it is, for a search might not find it; the end of a long result is
/// left to the search.
fn question(input: &Input, before: &[Document], recalled: &[Value]) -> String {
    let mut text = String::new();
    for document in before {
        let words = prompts::shortened(&document.text, LONGEST_BEFORE);
        text.push_str(&format!("From {}: {words}\n", document.name));
    }
    for memory in recalled {
        let words = memory["text"].as_str().unwrap_or_default();
        text.push_str(&format!(
            "Known: {}\n",
            prompts::shortened(&words.replace('\n', " "), 400)
        ));
    }
    text.push_str(&input.prompt);
    text
}
