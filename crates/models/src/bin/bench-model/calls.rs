//! Tool calls of the small model under all kinds of limits: none may be malformed.

use std::time::Instant;

use futures::StreamExt;
use futures::stream;
use serde_json::json;
use swarm_errors::Result;
use swarm_models::grammar::validate;
use swarm_models::local::LocalChat;
use swarm_models::{ChatProvider, ChatRequest, Message, Tool, ToolChoice};

use crate::Setting;
use crate::report::Report;

fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "memory_search",
            "Finds what is known.",
            json!({
            "type": "object", "required": ["query"], "additionalProperties": false,
            "properties": {"query": {"type": "string", "minLength": 1}, "limit": {"type": "integer", "minimum": 1, "maximum": 20}}}),
        ),
        Tool::new(
            "memory_put",
            "Keeps a fact.",
            json!({
            "type": "object", "required": ["text", "importance"], "additionalProperties": false,
            "properties": {"text": {"type": "string"}, "importance": {"type": "number", "minimum": 0, "maximum": 1},
                "tags": {"type": "array", "maxItems": 4, "items": {"type": "string", "maxLength": 20}}}}),
        ),
        Tool::new(
            "send_message",
            "Tells another agent something.",
            json!({
            "type": "object", "required": ["to", "text"], "additionalProperties": false,
            "properties": {"to": {"enum": ["reader", "writer", "critic"]}, "text": {"type": "string", "maxLength": 200}}}),
        ),
    ]
}

fn request(number: usize, tools: &[Tool]) -> ChatRequest {
    ChatRequest {
        tools: tools.to_vec(),
        tool_choice: ToolChoice::Required,
        temperature: [0.0, 0.7, 1.0, 1.5][number % 4],
        seed: Some(number as u64),
        // From what the shortest call takes to what no call needs.
        max_tokens: 22 + (number % 43) as u32,
        prefix_key: Some("calls".into()),
        ..ChatRequest::new(vec![Message::user(format!(
            "Machine {number} is {} today. Do what helps.",
            ["slow", "new", "down"][number % 3]
        ))])
    }
}

pub(crate) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let chat = LocalChat::new(&setting.config);
    chat.probe().await?;
    let (chat, tools) = (&chat, &tools());
    let begun = Instant::now();
    let outcomes = stream::iter(0..setting.calls).map(|number| async move {
        let request = request(number, tools);
        let limit = request.max_tokens;
        let answer = chat.chat(request).await?.answer().await?;
        let call = answer.tool_calls.first();
        let tool = call.and_then(|call| tools.iter().find(|tool| tool.name == call.name));
        let fits = call
            .zip(tool)
            .is_some_and(|(call, tool)| validate(&tool.parameters, &call.arguments).is_ok());
        Ok::<_, swarm_errors::Error>(fits && answer.usage.output_tokens <= limit)
    });
    let outcomes: Vec<Result<bool>> = outcomes.buffer_unordered(4).collect().await;
    for error in outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .take(3)
    {
        report.note(format!("a call failed: {error}"));
    }
    let malformed = outcomes
        .iter()
        .filter(|outcome| !matches!(outcome, Ok(true)))
        .count();
    report.calls(setting.calls, malformed, begun.elapsed().as_secs_f64());
    Ok(())
}
