//! The span of a model call, with OpenTelemetry's GenAI attributes.

use swarm_errors::Error;
use tracing::Span;
use tracing::field::Empty;

use crate::{ChatAnswer, ChatRequest};

/// A span `chat {model}` under the current one.
pub(crate) fn chat(provider: &str, model: &str, request: &ChatRequest) -> Span {
    tracing::info_span!(
        "chat",
        otel.name = format!("chat {model}"),
        otel.kind = "client",
        otel.status_code = Empty,
        error.r#type = Empty,
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = provider,
        gen_ai.request.model = model,
        gen_ai.request.max_tokens = request.max_tokens,
        gen_ai.request.temperature = f64::from(request.temperature),
        gen_ai.response.finish_reasons = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
    )
}

/// A span `embeddings {model}` under the current one.
pub(crate) fn embeddings(provider: &str, model: &str, texts: usize) -> Span {
    tracing::info_span!(
        "embeddings",
        otel.name = format!("embeddings {model}"),
        otel.kind = "client",
        otel.status_code = Empty,
        error.r#type = Empty,
        gen_ai.operation.name = "embeddings",
        gen_ai.provider.name = provider,
        gen_ai.request.model = model,
        embeddings.texts = texts,
    )
}

pub(crate) fn record_answer(span: &Span, answer: &ChatAnswer) {
    span.record("gen_ai.usage.input_tokens", answer.usage.input_tokens);
    span.record("gen_ai.usage.output_tokens", answer.usage.output_tokens);
    span.record(
        "gen_ai.usage.cache_read.input_tokens",
        answer.usage.cached_tokens,
    );
    span.record("gen_ai.response.finish_reasons", answer.finish.as_str());
}

pub(crate) fn record_error(span: &Span, error: &Error) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error.code().as_str());
}
