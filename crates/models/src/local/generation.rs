//! One answer as it grows: from the model's logits to tokens to feed, text to stream and the answer.

use serde_json::Value;
use swarm_errors::{Code, Error, Result};

use super::prompt::CALL_START;
use super::sampler::Sampler;
use super::vocabulary::Vocabulary;
use crate::grammar::{Constraint, Grammar, validate};
use crate::{ChatAnswer, Finish, Tool, ToolCall, Usage};

/// What an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Free text.
    Text,
    /// Free text that turns into a call where the model begins one.
    Watched,
    /// A call.
    Call,
    /// A JSON value.
    Json,
    /// A call or a JSON value.
    Either,
}

/// One answer.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) form: Form,
    pub(super) grammar: Option<Grammar>,
    pub(super) constraint: Option<Constraint>,
    pub(super) sampler: Sampler,
    /// Tokens of the prompt, and how many of them another request had computed.
    pub(super) prompt: usize,
    pub(super) cached: usize,
    /// The most tokens of the answer, and how many it has.
    pub(super) limit: usize,
    pub(super) produced: usize,
    pub(super) text: String,
    /// The beginning of a character whose other bytes are to come.
    pub(super) bytes: Vec<u8>,
    /// Bytes of the text that were streamed.
    pub(super) sent: usize,
    pub(super) tools: Vec<Tool>,
}

/// What follows from one step of the model.
#[derive(Debug)]
pub(super) enum Step {
    /// The model is fed these tokens next.
    Feed(Vec<i32>),
    /// The answer is whole.
    Done(Finish),
}

impl Generation {
    /// Takes the logits behind the last token.
    pub(super) fn advance(&mut self, logits: &[f32], vocabulary: &Vocabulary<'_>) -> Step {
        match self.constraint.take() {
            Some(mut constraint) => {
                let step = self.constrained(&mut constraint, logits, vocabulary);
                self.constraint = Some(constraint);
                step
            }
            None => self.free(logits, vocabulary),
        }
    }

    /// Whether the grammar left nothing to ask the model.
    pub(super) fn is_settled(&self) -> bool {
        self.constraint.as_ref().is_some_and(Constraint::is_final)
    }

    fn constrained(
        &mut self,
        constraint: &mut Constraint,
        logits: &[f32],
        vocabulary: &Vocabulary<'_>,
    ) -> Step {
        let left = self.limit - self.produced;
        let Some(token) = constraint.choose(vocabulary, left, self.sampler.candidates(logits))
        else {
            self.produced += constraint.close(vocabulary);
            return Step::Done(Finish::Length);
        };
        self.produced += 1;
        let mut tokens = vec![token];
        if !constraint.is_final() {
            tokens.extend(constraint.force(vocabulary, self.limit - self.produced));
            self.produced += tokens.len() - 1;
        }
        if constraint.is_final() {
            Step::Done(Finish::Stop)
        } else {
            Step::Feed(tokens)
        }
    }

    fn free(&mut self, logits: &[f32], vocabulary: &Vocabulary<'_>) -> Step {
        let token = self.sampler.pick(logits);
        if vocabulary.ends_answer(token) {
            return Step::Done(Finish::Stop);
        }
        self.produced += 1;
        let before = self.text.len();
        self.push(&vocabulary.bytes(token));
        if self.form == Form::Watched {
            if let Some(at) = self.text.find(CALL_START) {
                self.text.truncate(at);
                return self.start_call(Some(token), vocabulary);
            }
            if self.text[..before].trim().is_empty() && self.text.trim_start().starts_with('{') {
                // The model begins its call without the usual mark: write the beginning in our form instead.
                self.text.truncate(before);
                self.produced -= 1;
                return self.start_call(None, vocabulary);
            }
        }
        if self.produced >= self.limit {
            Step::Done(Finish::Length)
        } else {
            Step::Feed(vec![token])
        }
    }

    /// Goes over to the grammar of calls, where the shortest call still fits.
    fn start_call(&mut self, token: Option<i32>, vocabulary: &Vocabulary<'_>) -> Step {
        let left = self.limit - self.produced;
        let Some(mut constraint) = self.grammar.as_ref().map(Constraint::new) else {
            return Step::Done(Finish::Stop);
        };
        if constraint.shortest(vocabulary) > left {
            return Step::Done(Finish::Length);
        }
        let forced = constraint.force(vocabulary, left);
        self.produced += forced.len();
        let tokens: Vec<i32> = token.into_iter().chain(forced).collect();
        let settled = constraint.is_final();
        if tokens.is_empty() {
            self.produced += constraint.close(vocabulary);
        }
        self.constraint = Some(constraint);
        if settled || tokens.is_empty() {
            Step::Done(Finish::ToolCalls)
        } else {
            Step::Feed(tokens)
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let (whole, lost) = match std::str::from_utf8(&self.bytes) {
            Ok(_) => (self.bytes.len(), 0),
            Err(error) => (error.valid_up_to(), error.error_len().unwrap_or(0)),
        };
        let text = String::from_utf8_lossy(&self.bytes[..whole + lost]).into_owned();
        self.text.push_str(&text);
        self.bytes.drain(..whole + lost);
    }

    /// The text that may be streamed since the last time. Calls are not streamed, nor what may become one.
    pub(super) fn unsent(&mut self) -> Option<String> {
        let ready = match (self.form, &self.constraint) {
            (Form::Json, Some(constraint)) => {
                let written = std::str::from_utf8(constraint.text());
                let whole = written.map_or_else(|error| error.valid_up_to(), str::len);
                let fresh =
                    String::from_utf8_lossy(&constraint.text()[self.sent..whole]).into_owned();
                self.sent = whole;
                return (!fresh.is_empty()).then_some(fresh);
            }
            (Form::Text, _) => self.text.len(),
            (Form::Watched, None) if !self.text.trim().is_empty() => {
                self.text.len() - held_back(&self.text)
            }
            _ => self.sent,
        };
        let fresh = self.text.get(self.sent..ready)?.to_owned();
        self.sent = ready;
        (!fresh.is_empty()).then_some(fresh)
    }

    /// The whole answer, and the text that is left to stream.
    pub(super) fn finish(mut self, finish: Finish) -> Result<(Option<String>, ChatAnswer)> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let usage = Usage {
            input_tokens: count(self.prompt),
            output_tokens: count(self.produced),
            cached_tokens: count(self.cached),
        };
        let last = self.unsent();
        let Some(constraint) = &self.constraint else {
            let rest = self.text.get(self.sent..).filter(|rest| !rest.is_empty());
            let last = last.map_or_else(
                || rest.map(str::to_owned),
                |last| Some(last + rest.unwrap_or("")),
            );
            return Ok((
                last,
                ChatAnswer {
                    text: self.text,
                    tool_calls: Vec::new(),
                    usage,
                    finish,
                },
            ));
        };
        let written = String::from_utf8(constraint.text().to_vec()).map_err(Error::internal)?;
        let value: Value =
            serde_json::from_str(&written).map_err(|error| malformed("answer", &error))?;
        let call = match self.form {
            Form::Json => None,
            Form::Either => self.call(&value).ok(),
            _ => Some(self.call(&value)?),
        };
        Ok(match call {
            Some(call) => {
                let text = self.text.trim().to_owned();
                (
                    None,
                    ChatAnswer {
                        text,
                        tool_calls: vec![call],
                        usage,
                        finish: Finish::ToolCalls,
                    },
                )
            }
            None => {
                let last = if self.form == Form::Either {
                    Some(written.clone())
                } else {
                    last
                };
                (
                    last,
                    ChatAnswer {
                        text: written,
                        tool_calls: Vec::new(),
                        usage,
                        finish,
                    },
                )
            }
        })
    }

    fn call(&self, value: &Value) -> Result<ToolCall> {
        let name = value["name"].as_str().unwrap_or_default();
        let tool = self.tools.iter().find(|tool| tool.name == name);
        let tool = tool.ok_or_else(|| malformed("call", &format!("there is no tool {name:?}")))?;
        validate(&tool.parameters, &value["arguments"])
            .map_err(|error| malformed("call", &error))?;
        Ok(ToolCall {
            id: format!("call_{:016x}", rand::random::<u64>()),
            name: name.to_owned(),
            arguments: value["arguments"].clone(),
        })
    }
}

/// How many bytes at the text's end may become the mark of a call.
fn held_back(text: &str) -> usize {
    (1..CALL_START.len())
        .rev()
        .find(|&length| text.ends_with(&CALL_START[..length]))
        .unwrap_or(0)
}

fn malformed(what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(
        Code::Internal,
        format!("the local model's {what} is malformed: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::held_back;

    #[test]
    fn what_may_become_a_call_is_held_back() {
        assert_eq!(held_back("I look <tool_"), 6);
        assert_eq!(held_back("a < b"), 0);
        assert_eq!(held_back("a <"), 1);
        assert_eq!(held_back(""), 0);
    }
}
