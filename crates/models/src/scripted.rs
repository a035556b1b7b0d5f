//! A provider that answers from a file of turns: for tests and benchmarks, never by default.
//!
//! ```json
//! {"turns": [
//!   {"when": "weather", "tool_calls": [{"name": "search", "arguments": {"query": "weather"}}]},
//!   {"text": "It rains.", "delay_ms": 5},
//!   {"when": "again", "text": "Still.", "repeat": true},
//!   {"when": "say", "echo": true, "repeat": true},
//!   {"error": {"code": "unavailable", "detail": "the endpoint is down"}}
//! ]}
//! ```
//! A request takes the first turn that is left and whose `when`, if it has one, stands in the last message.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use swarm_errors::{Code, Error, Result};

use crate::{
    ChatAnswer, ChatEvent, ChatProvider, ChatRequest, ChatStream, Finish, ToolCall, Usage, span,
};

/// A file of turns.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// The name in traces; `scripted` where it is not set.
    pub model: Option<String>,
    /// The answers.
    pub turns: Vec<Turn>,
}

/// One answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turn {
    /// The turn is for requests whose last message holds this.
    pub when: Option<String>,
    /// Whether the turn stays after it was taken.
    pub repeat: bool,
    /// Answers with the last message, in place of `text`.
    pub echo: bool,
    /// The text, streamed word by word.
    pub text: String,
    /// The text's pieces, in place of `text`.
    pub tokens: Vec<String>,
    /// The calls that the model asks for.
    pub tool_calls: Vec<ScriptedCall>,
    /// How long the first piece takes.
    pub delay_ms: u64,
    /// How long each further piece takes.
    pub token_delay_ms: u64,
    /// Ends the turn, after its text, in place of an answer.
    pub error: Option<ScriptedError>,
}

/// A call of a turn.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedCall {
    /// The tool.
    pub name: String,
    /// Its arguments.
    #[serde(default = "empty_object")]
    pub arguments: Value,
}

/// A failure of a turn.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedError {
    /// The code's name, such as `unavailable`.
    pub code: String,
    /// Words for the caller.
    pub detail: String,
    /// When it may be asked again.
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
}

fn empty_object() -> Value {
    json!({})
}

impl Turn {
    /// A turn that answers with this text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// A turn that asks for this call.
    #[must_use]
    pub fn call(name: impl Into<String>, arguments: Value) -> Self {
        Self {
            tool_calls: vec![ScriptedCall {
                name: name.into(),
                arguments,
            }],
            ..Self::default()
        }
    }

    /// Keeps the turn for requests whose last message holds this.
    #[must_use]
    pub fn when(mut self, text: impl Into<String>) -> Self {
        self.when = Some(text.into());
        self
    }

    /// Lets the turn be taken again and again.
    #[must_use]
    pub fn repeated(mut self) -> Self {
        self.repeat = true;
        self
    }

    fn pieces(&self, last_message: &str) -> Vec<String> {
        if self.tokens.is_empty() {
            let text = if self.echo { last_message } else { &self.text };
            text.split_inclusive(char::is_whitespace)
                .map(str::to_owned)
                .collect()
        } else {
            self.tokens.clone()
        }
    }

    fn last_event(
        &self,
        position: usize,
        input_tokens: u32,
        pieces: &[String],
    ) -> Result<ChatEvent> {
        if let Some(error) = &self.error {
            let code = Code::from_name(&error.code).unwrap_or(Code::Internal);
            let told = Error::new(code, error.detail.clone());
            return Err(match error.retry_after_ms {
                Some(after) => told.with_retry_after(Duration::from_millis(after)),
                None => told,
            });
        }
        let call = |(index, call): (usize, &ScriptedCall)| ToolCall {
            id: format!("call_{position}_{index}"),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
        };
        let tool_calls: Vec<ToolCall> = self.tool_calls.iter().enumerate().map(call).collect();
        let finish = if tool_calls.is_empty() {
            Finish::Stop
        } else {
            Finish::ToolCalls
        };
        let output_tokens = u32::try_from(pieces.len() + tool_calls.len()).unwrap_or(u32::MAX);
        let usage = Usage {
            input_tokens,
            output_tokens,
            cached_tokens: 0,
        };
        Ok(ChatEvent::Finished(ChatAnswer {
            text: pieces.concat(),
            tool_calls,
            usage,
            finish,
        }))
    }
}

/// The provider.
#[derive(Debug)]
pub struct ScriptedChat {
    model: String,
    turns: Mutex<Vec<Option<Arc<Turn>>>>,
    /// No turn is used up by a call.
    is_endless: bool,
}

impl ScriptedChat {
    /// Answers with these turns.
    #[must_use]
    pub fn new(script: Script) -> Self {
        Self {
            model: script.model.unwrap_or_else(|| "scripted".to_owned()),
            is_endless: script.turns.iter().all(|turn| turn.repeat),
            turns: Mutex::new(
                script
                    .turns
                    .into_iter()
                    .map(|turn| Some(Arc::new(turn)))
                    .collect(),
            ),
        }
    }

    /// Answers with these turns, under the name `scripted`.
    #[must_use]
    pub fn from_turns(turns: Vec<Turn>) -> Self {
        Self::new(Script { model: None, turns })
    }

    /// Answers with the turns of a JSON or TOML file.
    ///
    /// # Errors
    /// Where the file cannot be read, or names a code that there is not.
    pub fn from_file(path: &Path) -> Result<Self> {
        let invalid = |message: String| Error::invalid("models.scripted.path", message);
        let text = std::fs::read_to_string(path)
            .map_err(|error| invalid(format!("cannot read {}: {error}", path.display())))?;
        let script: Script = if path.extension().is_some_and(|ending| ending == "toml") {
            toml::from_str(&text).map_err(|error| invalid(error.to_string()))?
        } else {
            serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?
        };
        let codes = script.turns.iter().filter_map(|turn| turn.error.as_ref());
        for error in codes {
            if Code::from_name(&error.code).is_none() {
                return Err(invalid(format!("there is no code {}", error.code)));
            }
        }
        Ok(Self::new(script))
    }

    fn take(&self, last_message: &str) -> Result<(usize, Arc<Turn>)> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        for (position, place) in turns.iter_mut().enumerate() {
            let Some(turn) = place else { continue };
            if turn
                .when
                .as_ref()
                .is_none_or(|text| last_message.contains(text))
            {
                let turn = turn.clone();
                if !turn.repeat {
                    *place = None;
                }
                return Ok((position, turn));
            }
        }
        let start: String = last_message.chars().take(80).collect();
        Err(Error::new(
            Code::FailedPrecondition,
            format!("the script has no turn left for {start:?}"),
        ))
    }
}

#[async_trait]
impl ChatProvider for ScriptedChat {
    fn name(&self) -> &str {
        "scripted"
    }

    fn model(&self) -> &str {
        &self.model
    }

    /// Not where a call takes a turn away.
    fn is_free(&self) -> bool {
        self.is_endless
    }

    async fn chat(&self, request: ChatRequest) -> Result<ChatStream> {
        request.validate()?;
        let span = span::chat(self.name(), self.model(), &request);
        let last_message = request
            .messages
            .last()
            .map_or("", |message| message.content.as_str());
        let (position, turn) = self.take(last_message)?;
        let words: usize = request
            .messages
            .iter()
            .map(|message| message.content.split_whitespace().count())
            .sum();
        let pieces = turn.pieces(last_message);
        let last = turn.last_event(position, u32::try_from(words).unwrap_or(u32::MAX), &pieces);
        let events = pieces
            .into_iter()
            .map(|piece| Ok(ChatEvent::Token(piece)))
            .chain([last])
            .enumerate();
        let events = stream::unfold((events, turn), |(mut events, turn)| async move {
            let (index, event) = events.next()?;
            let delay = if index == 0 {
                turn.delay_ms
            } else {
                turn.token_delay_ms
            };
            if delay > 0 {
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
            Some((event, (events, turn)))
        });
        Ok(ChatStream::new(events, span))
    }

    async fn probe(&self) -> Result<()> {
        Ok(())
    }
}
