//! What is asked of a chat model, and what it answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_errors::{Error, Result};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Standing instructions.
    System,
    /// The one who asks.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

impl Role {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// The text.
    pub content: String,
    /// The calls that the assistant asked for with this message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// The call that a tool message answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

impl Message {
    fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }

    /// Standing instructions.
    #[must_use]
    pub fn system(content: impl Into<String>) -> Self {
        Self::new(Role::System, content)
    }

    /// What the user says.
    #[must_use]
    pub fn user(content: impl Into<String>) -> Self {
        Self::new(Role::User, content)
    }

    /// What the model said.
    #[must_use]
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// The calls that the model asked for, with the text before them.
    #[must_use]
    pub fn assistant_calls(content: impl Into<String>, tool_calls: Vec<ToolCall>) -> Self {
        Self {
            tool_calls,
            ..Self::new(Role::Assistant, content)
        }
    }

    /// The result of the call with this id.
    #[must_use]
    pub fn tool(call_id: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            tool_call_id: Some(call_id.into()),
            ..Self::new(Role::Tool, content)
        }
    }
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// Letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// The JSON schema of its arguments: an object. Requests share it.
    pub parameters: Arc<Value>,
}

impl Tool {
    /// A tool.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        parameters: impl Into<Arc<Value>>,
    ) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            parameters: parameters.into(),
        }
    }
}

/// A call that the model asks for. Its arguments are an object that holds what the tool requires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Pairs the call with its result.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments, as a JSON object.
    pub arguments: Value,
}

/// Whether the model may, must or must not call a tool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// Text only.
    None,
    /// A call of one of the tools.
    Required,
}

/// The form of the answer's text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Free text.
    #[default]
    Text,
    /// A JSON value of this schema.
    Json(Value),
}

/// A question to a chat model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// What the model may call.
    #[serde(default)]
    pub tools: Vec<Tool>,
    /// Whether it may, must or must not call.
    #[serde(default)]
    pub tool_choice: ToolChoice,
    /// The form of the text.
    #[serde(default)]
    pub response: ResponseFormat,
    /// 0 takes the most likely token each time.
    #[serde(default)]
    pub temperature: f32,
    /// The most tokens to answer with.
    pub max_tokens: u32,
    /// Makes sampling repeatable where the provider can.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Requests with one key begin alike: their computed beginning is worth keeping.
    #[serde(default)]
    pub prefix_key: Option<String>,
}

impl ChatRequest {
    /// A question with greedy sampling and at most 512 tokens of answer.
    #[must_use]
    pub fn new(messages: Vec<Message>) -> Self {
        Self {
            messages,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            response: ResponseFormat::Text,
            temperature: 0.0,
            max_tokens: 512,
            seed: None,
            prefix_key: None,
        }
    }

    /// The tools that the model may call, none where the choice forbids it.
    #[must_use]
    pub fn callable_tools(&self) -> &[Tool] {
        if self.tool_choice == ToolChoice::None {
            &[]
        } else {
            &self.tools
        }
    }

    /// Checks what holds for every provider.
    ///
    /// # Errors
    /// `InvalidArgument` that names the field.
    pub fn validate(&self) -> Result<()> {
        if self.messages.is_empty() {
            return Err(Error::invalid("messages", "must hold at least one message"));
        }
        if self.max_tokens == 0 {
            return Err(Error::invalid("max_tokens", "must be at least 1"));
        }
        if !(0.0..=2.0).contains(&self.temperature) {
            return Err(Error::invalid("temperature", "must be between 0 and 2"));
        }
        if self.tool_choice == ToolChoice::Required && self.tools.is_empty() {
            return Err(Error::invalid(
                "tools",
                "must not be empty where a call is required",
            ));
        }
        for (index, tool) in self.tools.iter().enumerate() {
            validate_tool(index, tool)?;
        }
        Ok(())
    }
}

fn validate_tool(index: usize, tool: &Tool) -> Result<()> {
    let named = (1..=64).contains(&tool.name.len())
        && tool
            .name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !named {
        return Err(Error::invalid(
            format!("tools[{index}].name"),
            "must be 1 to 64 letters, digits, _ or -",
        ));
    }
    if !tool.parameters.is_object() {
        return Err(Error::invalid(
            format!("tools[{index}].parameters"),
            "must be a JSON schema of an object",
        ));
    }
    Ok(())
}

/// What a call cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// Tokens of the prompt that were computed before and reused.
    pub cached_tokens: u32,
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It was done.
    Stop,
    /// The token limit.
    Length,
    /// It asks for tool calls.
    ToolCalls,
}

impl Finish {
    /// The name in traces and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
        }
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatAnswer {
    /// The text; JSON where the request asked for it.
    pub text: String,
    /// The calls that the model asks for.
    pub tool_calls: Vec<ToolCall>,
    /// What it cost.
    pub usage: Usage,
    /// Why it stopped.
    pub finish: Finish,
}
