//! The chat completions format: what we send, and what the pieces of an answer add up to. Pure.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use swarm_errors::{Error, Result};

use crate::{
    ChatAnswer, ChatRequest, Finish, Message, ResponseFormat, ToolCall, ToolChoice, Usage,
};

/// The body of a streamed call.
pub(super) fn body(model: &str, request: &ChatRequest) -> Value {
    let mut body = json!({
        "model": model,
        "messages": request.messages.iter().map(message).collect::<Vec<_>>(),
        "stream": true,
        "stream_options": {"include_usage": true},
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
    });
    if let Some(seed) = request.seed {
        body["seed"] = json!(seed);
    }
    if !request.tools.is_empty() {
        let function = |tool: &crate::Tool| {
            json!({"type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": tool.parameters,
            }})
        };
        body["tools"] = request.tools.iter().map(function).collect();
        body["tool_choice"] = json!(match request.tool_choice {
            ToolChoice::Auto => "auto",
            ToolChoice::None => "none",
            ToolChoice::Required => "required",
        });
    }
    if let ResponseFormat::Json(schema) = &request.response {
        let schema = json!({"name": "answer", "schema": schema});
        body["response_format"] = json!({"type": "json_schema", "json_schema": schema});
    }
    body
}

fn message(message: &Message) -> Value {
    let mut value = json!({"role": message.role.as_str(), "content": message.content});
    if !message.tool_calls.is_empty() {
        let call = |call: &ToolCall| {
            json!({"id": call.id, "type": "function", "function": {
                "name": call.name, "arguments": call.arguments.to_string(),
            }})
        };
        value["tool_calls"] = message.tool_calls.iter().map(call).collect();
    }
    if let Some(id) = &message.tool_call_id {
        value["tool_call_id"] = json!(id);
    }
    value
}

#[derive(Debug, Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<WireUsage>,
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    content: Option<String>,
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Debug, Deserialize)]
struct CallDelta {
    index: Option<usize>,
    id: Option<String>,
    function: Option<FunctionDelta>,
}

#[derive(Debug, Deserialize)]
struct FunctionDelta {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u32>,
}

/// What the pieces of one answer add up to.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    text: String,
    calls: Vec<PartialCall>,
    usage: Usage,
    finish: Option<String>,
}

#[derive(Debug, Default)]
struct PartialCall {
    id: String,
    name: String,
    arguments: String,
}

impl Gathered {
    /// Takes one piece; returns the text that it adds.
    pub(super) fn push(&mut self, data: &str) -> Result<Option<String>> {
        let chunk: Chunk = serde_json::from_str(data).map_err(|error| {
            Error::unavailable("the model endpoint sent what is no chat completion")
                .with_source(error)
        })?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            let words = error["message"]
                .as_str()
                .map_or_else(|| error.to_string(), str::to_owned);
            return Err(Error::unavailable(format!(
                "the model endpoint failed: {words}"
            )));
        }
        if let Some(usage) = chunk.usage {
            let cached = usage
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens);
            self.usage = Usage {
                input_tokens: usage.prompt_tokens,
                output_tokens: usage.completion_tokens,
                cached_tokens: cached.unwrap_or(0),
            };
        }
        let Some(choice) = chunk.choices.into_iter().next() else {
            return Ok(None);
        };
        if choice.finish_reason.is_some() {
            self.finish = choice.finish_reason;
        }
        for call in choice.delta.tool_calls.into_iter().flatten() {
            self.add_call(call);
        }
        let text = choice.delta.content.filter(|text| !text.is_empty());
        self.text.push_str(text.as_deref().unwrap_or(""));
        Ok(text)
    }

    fn add_call(&mut self, delta: CallDelta) {
        // Some endpoints leave the index out and send each call whole.
        let index = delta.index.unwrap_or(self.calls.len());
        if index > 127 {
            return;
        }
        while self.calls.len() <= index {
            self.calls.push(PartialCall::default());
        }
        let call = &mut self.calls[index];
        if let Some(id) = delta.id.filter(|id| !id.is_empty()) {
            call.id = id;
        }
        if let Some(function) = delta.function {
            call.name.push_str(function.name.as_deref().unwrap_or(""));
            call.arguments
                .push_str(function.arguments.as_deref().unwrap_or(""));
        }
    }

    /// Whether the model said that it is done.
    pub(super) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// The whole answer.
    pub(super) fn answer(&mut self) -> Result<ChatAnswer> {
        let calls = std::mem::take(&mut self.calls).into_iter().enumerate();
        let tool_calls: Vec<ToolCall> = calls
            .map(|(index, call)| call.whole(index))
            .collect::<Result<_>>()?;
        let finish = match self.finish.as_deref() {
            _ if !tool_calls.is_empty() => Finish::ToolCalls,
            Some("length") => Finish::Length,
            _ => Finish::Stop,
        };
        Ok(ChatAnswer {
            text: std::mem::take(&mut self.text),
            tool_calls,
            usage: self.usage,
            finish,
        })
    }
}

impl PartialCall {
    fn whole(self, index: usize) -> Result<ToolCall> {
        let arguments = if self.arguments.trim().is_empty() {
            "{}"
        } else {
            &self.arguments
        };
        let arguments: Map<String, Value> = serde_json::from_str(arguments).map_err(|error| {
            let words = format!(
                "the model called the tool {:?} with arguments that are no JSON object",
                self.name
            );
            Error::unavailable(words).with_source(error)
        })?;
        if self.name.is_empty() {
            return Err(Error::unavailable("the model called a tool without a name"));
        }
        let id = if self.id.is_empty() {
            format!("call_{index}_{:08x}", rand::random::<u32>())
        } else {
            self.id
        };
        Ok(ToolCall {
            id,
            name: self.name,
            arguments: Value::Object(arguments),
        })
    }
}
