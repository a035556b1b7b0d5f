//! The built-in tools: search memory, put a memory, send a message.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};
use swarm_errors::Result;
use swarm_models::{Tool, ToolCall};
use swarm_proto::memory::v1::{Memory, MemoryKind, SearchMode};
use swarm_types::{AgentId, MemoryId};

use crate::engine::{StepHandle, TaskContext};
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::messages::NewMessage;
use crate::tasks::Usage;
use crate::work::webhook::Said;
use crate::work::{Webhooks, Worker};

/// The longest text that a tool gives back to a model.
const RESULT_BYTES: usize = 1_500;

/// Tools that an agent has unless it names its own.
pub(crate) const BUILT_IN: [&str; 3] = ["memory_search", "memory_put", "send_message"];

/// The tools that an agent may call, in the tool-calling format.
pub(crate) fn offered(webhooks: &Webhooks, names: &[String]) -> Vec<Tool> {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|own| own == name);
    BUILT_IN
        .into_iter()
        .zip(DESCRIBED.iter())
        .filter(|(name, _)| wanted(name))
        .map(|(_, tool)| tool.clone())
        .chain(webhooks.offered(names))
        .collect()
}

static DESCRIBED: LazyLock<[Tool; 3]> = LazyLock::new(|| BUILT_IN.map(described));

fn described(name: &str) -> Tool {
    let (description, parameters) = match name {
        "memory_search" => (
            "Search what is remembered for passages about a query.",
            json!({ "type": "object", "required": ["query"], "additionalProperties": false,
                "properties": { "query": { "type": "string", "minLength": 1, "maxLength": 200 } } }),
        ),
        "memory_put" => (
            "Remember a fact for later tasks.",
            json!({ "type": "object", "required": ["content"], "additionalProperties": false,
                "properties": { "content": { "type": "string", "minLength": 1, "maxLength": 600 } } }),
        ),
        _ => (
            "Send a message to another agent, by its name.",
            json!({ "type": "object", "required": ["to", "body"], "additionalProperties": false,
                "properties": {
                    "to": { "type": "string", "minLength": 1, "maxLength": 80 },
                    "body": { "type": "string", "minLength": 1, "maxLength": 600 } } }),
        ),
    };
    Tool::new(name, description, parameters)
}

#[derive(Debug, Deserialize)]
struct Search {
    query: String,
}

#[derive(Debug, Deserialize)]
struct Put {
    content: String,
}

#[derive(Debug, Deserialize)]
struct Send {
    to: String,
    body: String,
}

/// Makes the call of a model as a step, and gives back what the model is told.
///
/// A mistake of the model (an unknown tool, wrong arguments, an unknown receiver) is told to the
/// model; a failure of ours fails the step.
pub(crate) async fn run(
    worker: &Worker,
    context: &TaskContext,
    key: &str,
    namespaces: &[String],
    offered: &[Tool],
    tool_call: &ToolCall,
) -> Result<Said> {
    let is_offered = offered.iter().any(|tool| tool.name == tool_call.name);
    if is_offered && let Some(said) = worker.webhooks.run(context, key, tool_call).await {
        return said;
    }
    // Ids of memories and messages derive from the step, so a repeat doubles nothing.
    let step = StepSpec::new(
        key,
        StepKind::Tool,
        tool_call.name.clone(),
        tool_call.arguments.clone(),
    );
    let text = context
        .step(step, async |handle: StepHandle| {
            let usage = Usage {
                tool_calls: 1,
                ..Usage::default()
            };
            let done = match tool_call.name.as_str() {
                name if !is_offered => StepDone::new(format!("There is no tool {name}.")),
                "memory_search" => {
                    search(worker, context, namespaces, parse(&tool_call.arguments)).await?
                }
                "memory_put" => put(worker, context, &handle, parse(&tool_call.arguments)).await?,
                "send_message" => send(context, parse(&tool_call.arguments)).await?,
                other => StepDone::new(format!("There is no tool {other}.")),
            };
            Ok(done.with_usage(usage))
        })
        .await?;
    Ok(Said {
        text,
        is_unknown: false,
    })
}

fn parse<T: for<'de> Deserialize<'de>>(arguments: &Value) -> Result<T, String> {
    T::deserialize(arguments).map_err(|error| format!("The arguments are wrong: {error}."))
}

async fn search(
    worker: &Worker,
    context: &TaskContext,
    namespaces: &[String],
    arguments: Result<Search, String>,
) -> Result<StepDone<String>> {
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(mistake) => return Ok(StepDone::new(mistake)),
    };
    let tenant = context.task().tenant;
    let hits = worker
        .ports
        .search(tenant, namespaces, &arguments.query, SearchMode::Hybrid, 3)
        .await?;
    if hits.is_empty() {
        return Ok(StepDone::new("Nothing is remembered about it.".to_owned()));
    }
    let texts: Vec<String> = hits
        .into_iter()
        .filter_map(|hit| hit.memory)
        .map(|memory| memory.content)
        .collect();
    Ok(StepDone::new(super::prompts::shortened(
        &texts.join("\n"),
        RESULT_BYTES,
    )))
}

async fn put(
    worker: &Worker,
    context: &TaskContext,
    handle: &StepHandle,
    arguments: Result<Put, String>,
) -> Result<StepDone<String>> {
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(mistake) => return Ok(StepDone::new(mistake)),
    };
    let task = context.task();
    let memory = Memory {
        id: MemoryId::derived(&[&task.tenant.to_string(), handle.token()]).to_string(),
        namespace: "shared".to_owned(),
        kind: MemoryKind::Semantic.into(),
        content: arguments.content,
        source: format!("agent, in {}", task.id),
        task_id: task.id.to_string(),
        agent_id: task
            .agent
            .map(|agent| agent.to_string())
            .unwrap_or_default(),
        ..Memory::default()
    };
    worker.ports.put_memories(task.tenant, vec![memory]).await?;
    Ok(StepDone::new("Remembered.".to_owned()))
}

async fn send(context: &TaskContext, arguments: Result<Send, String>) -> Result<StepDone<String>> {
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(mistake) => return Ok(StepDone::new(mistake)),
    };
    let Some(from) = context.task().agent else {
        return Ok(StepDone::new("Only an agent can send messages.".to_owned()));
    };
    let Some(to) = receiver(context, &arguments.to).await? else {
        return Ok(StepDone::new(format!(
            "There is no agent {}.",
            arguments.to
        )));
    };
    let mut done = StepDone::new("Sent.".to_owned());
    done.send.push(NewMessage {
        from: Some(from),
        to,
        subject: "note".to_owned(),
        body: arguments.body,
    });
    Ok(done)
}

async fn receiver(context: &TaskContext, name: &str) -> Result<Option<AgentId>> {
    let agents = context.eligible_agents("", &[]).await?;
    Ok(agents
        .into_iter()
        .find(|agent| agent.profile.name.eq_ignore_ascii_case(name))
        .map(|agent| agent.id))
}
