//! From messages to the tokens of a prompt.

use llama_cpp_2::model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel};
use llama_cpp_2::token::LlamaToken;
use swarm_errors::{Code, Error, Result};

use super::vocabulary::Vocabulary;
use crate::{ChatRequest, Message, Role, Tool, ToolChoice};

/// Opens a call, in the form that Qwen and many others were trained on.
pub(super) const CALL_START: &str = "<tool_call>";
const CALL_END: &str = "</tool_call>";

/// Stand for the contents while the template is applied, so that special tokens inside a content stay text.
const OPEN: char = '\u{F8F0}';
const CLOSE: char = '\u{F8F1}';

/// The tokens of the conversation, up to where the model's answer begins.
pub(super) fn tokens(
    model: &LlamaModel,
    vocabulary: &Vocabulary<'_>,
    request: &ChatRequest,
) -> Result<Vec<LlamaToken>> {
    let turns = turns(request);
    let mut text = render(model, &turns)?;
    if request.tool_choice == ToolChoice::Required {
        text.push_str(CALL_START);
        text.push('\n');
    }
    let mut tokens = Vec::new();
    for (index, part) in text.split(OPEN).enumerate() {
        let (content, frame) = part
            .split_once(CLOSE)
            .filter(|_| index > 0)
            .unwrap_or(("", part));
        if let Some((_, content)) = content
            .parse::<usize>()
            .ok()
            .and_then(|number| turns.get(number))
        {
            tokens.extend(vocabulary.of_content(content));
        }
        tokens.extend(vocabulary.of_template(frame, index == 0));
    }
    Ok(tokens)
}

fn render(model: &LlamaModel, turns: &[(Role, String)]) -> Result<String> {
    let messages: std::result::Result<Vec<_>, _> = turns
        .iter()
        .enumerate()
        .map(|(number, (role, _))| {
            LlamaChatMessage::new(role.as_str().to_owned(), format!("{OPEN}{number}{CLOSE}"))
        })
        .collect();
    let messages = messages.map_err(Error::internal)?;
    let usual = LlamaChatTemplate::new("chatml").map_err(Error::internal)?;
    let own = model.chat_template(None).unwrap_or_else(|_| usual.clone());
    // A template that llama.cpp does not know by sight is replaced by the most common one.
    model
        .apply_chat_template(&own, &messages, true)
        .or_else(|_| model.apply_chat_template(&usual, &messages, true))
        .map_err(|error| {
            Error::new(
                Code::FailedPrecondition,
                "the model's chat template cannot be applied",
            )
            .with_source(error)
        })
}

/// The messages as templates know them: calls and their results are text, the tools stand in the first system message.
fn turns(request: &ChatRequest) -> Vec<(Role, String)> {
    let mut turns: Vec<(Role, String)> = request.messages.iter().map(turn).collect();
    let tools = request.callable_tools();
    if tools.is_empty() {
        return turns;
    }
    match turns.first_mut() {
        Some((Role::System, content)) => *content = format!("{content}\n\n{}", describe(tools)),
        _ => turns.insert(0, (Role::System, describe(tools))),
    }
    turns
}

fn turn(message: &Message) -> (Role, String) {
    match message.role {
        Role::Tool => (
            Role::User,
            format!("<tool_response>\n{}\n</tool_response>", message.content),
        ),
        role => {
            let mut content = message.content.clone();
            for call in &message.tool_calls {
                let call = serde_json::json!({"name": call.name, "arguments": call.arguments});
                content.push_str(&format!("\n{CALL_START}\n{call}\n{CALL_END}"));
            }
            (role, content.trim_start_matches('\n').to_owned())
        }
    }
}

fn describe(tools: &[Tool]) -> String {
    let mut text = "You can call these tools:\n".to_owned();
    for tool in tools {
        let line = serde_json::json!({
            "name": tool.name, "description": tool.description, "parameters": tool.parameters,
        });
        text.push_str(&format!("{line}\n"));
    }
    text.push_str(&format!(
        "To call one, answer with\n{CALL_START}\n{{\"name\": \"<tool>\", \"arguments\": {{...}}}}\n{CALL_END}"
    ));
    text
}
