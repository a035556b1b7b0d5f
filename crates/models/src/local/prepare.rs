//! From a request to a prompt and the rules of its answer.

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use swarm_errors::{Error, Result};

use super::generation::{Form, Generation};
use super::prompt;
use super::sampler::Sampler;
use super::vocabulary::Vocabulary;
use crate::grammar::{
    CallSchema, Constraint, Grammar, call_grammar, either_grammar, value_grammar,
};
use crate::{ChatRequest, ResponseFormat, ToolChoice};

/// A request that waits for its turn.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The prompt, with what the grammar forces behind it.
    pub(super) tokens: Vec<LlamaToken>,
    pub(super) generation: Generation,
    pub(super) keyed: bool,
}

/// Checks a request against the model: its prompt must fit into `context`, its shortest answer into `max_tokens`.
pub(super) fn prepare(
    model: &LlamaModel,
    vocabulary: &Vocabulary<'_>,
    context: usize,
    request: &ChatRequest,
) -> Result<Prepared> {
    let mut tokens = prompt::tokens(model, vocabulary, request)?;
    let prompt = tokens.len();
    if prompt >= context {
        let message = format!(
            "hold {prompt} tokens, and the local model's context holds {context} with the answer"
        );
        return Err(Error::invalid("messages", message));
    }
    let asked = usize::try_from(request.max_tokens).unwrap_or(usize::MAX);
    let limit = asked.min(context - prompt);
    let (form, grammar) = rules(request, limit)?;
    let mut generation = Generation {
        form,
        grammar: grammar.clone(),
        constraint: None,
        sampler: Sampler::new(request.temperature, request.seed),
        prompt,
        cached: 0,
        limit,
        produced: 0,
        text: String::new(),
        bytes: Vec::new(),
        sent: 0,
        tools: request.callable_tools().to_vec(),
    };
    if let (Some(grammar), true) = (grammar, form != Form::Watched) {
        let mut constraint = Constraint::new(&grammar);
        let shortest = constraint.shortest(vocabulary);
        if shortest > limit {
            return Err(too_small(asked, limit, shortest));
        }
        let forced = constraint.force(vocabulary, limit);
        generation.produced = forced.len();
        generation.constraint = Some(constraint);
        tokens.extend(forced.into_iter().map(LlamaToken::new));
    }
    Ok(Prepared {
        tokens,
        generation,
        keyed: request.prefix_key.is_some(),
    })
}

fn rules(request: &ChatRequest, limit: usize) -> Result<(Form, Option<Grammar>)> {
    let tools: Vec<CallSchema<'_>> = request
        .callable_tools()
        .iter()
        .map(|tool| CallSchema {
            name: &tool.name,
            parameters: &tool.parameters,
        })
        .collect();
    let calls = if tools.is_empty() {
        None
    } else {
        Some(call_grammar(&tools, limit)?)
    };
    let value = match &request.response {
        ResponseFormat::Text => None,
        ResponseFormat::Json(schema) => Some(value_grammar("response", schema, limit)?),
    };
    Ok(match (request.tool_choice, calls, value) {
        (ToolChoice::Required, calls, _) => (Form::Call, calls),
        (_, None, None) => (Form::Text, None),
        (_, None, value) => (Form::Json, value),
        (_, calls, None) => (Form::Watched, calls),
        (_, Some(calls), Some(value)) => (Form::Either, Some(either_grammar(calls, value))),
    })
}

fn too_small(asked: usize, limit: usize, shortest: usize) -> Error {
    let room = if limit < asked {
        format!(", of which the context leaves {limit}")
    } else {
        String::new()
    };
    Error::invalid(
        "max_tokens",
        format!("is {asked}{room}, and the shortest answer of this form takes {shortest}"),
    )
}
