//! W3C trace context over HTTP headers and gRPC metadata, and as text beside a stored task.
//!
//! The header map of `http` serves both: `tonic::metadata::MetadataMap` converts to and from it.
//! Works without an exporter too, and does nothing where telemetry was not initialised.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{ids, traceparent};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Writes the current span into `headers`.
pub fn inject(headers: &mut HeaderMap) {
    write(current(), headers);
}

/// Writes `span` into `headers`: for a request that is built before its span is entered.
pub fn inject_span(span: &Span, headers: &mut HeaderMap) {
    write(ids_of(span), headers);
}

/// The caller's trace context; empty where there is none or it is malformed.
#[must_use]
pub fn parent(headers: &HeaderMap) -> Context {
    if !headers.contains_key(TRACEPARENT) {
        return Context::new();
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers))
}

/// Makes `span` a child of the caller's. Call it before the span is entered or has children.
pub fn set_parent(span: &Span, headers: &HeaderMap) {
    adopt(span, parent(headers));
}

/// Makes `span` a child of the one in `traceparent`. Call it before the span is entered or has children.
pub fn set_parent_text(span: &Span, traceparent: &str) {
    adopt(span, from_text(traceparent));
}

/// Links `span` to the one in `traceparent`, as a take-over links to the work it continues.
pub fn link(span: &Span, traceparent: &str) {
    span.add_link(from_text(traceparent).span().span_context().clone());
}

/// The current span as text, to be stored with a task.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    to_text(current())
}

/// `span` as text.
#[must_use]
pub fn traceparent_of(span: &Span) -> Option<String> {
    to_text(ids_of(span))
}

fn current() -> Option<SpanContext> {
    ids::current().or_else(exported)
}

/// The current span, where spans are exported.
pub(crate) fn exported() -> Option<SpanContext> {
    Context::map_current(valid)
}

/// A span that is not traced (filtered, or of another crate) stands for the traced one around it.
fn ids_of(span: &Span) -> Option<SpanContext> {
    ids::of(span)
        .or_else(|| valid(&span.context()))
        .or_else(current)
}

fn valid(context: &Context) -> Option<SpanContext> {
    let span = context.span();
    let ids = span.span_context();
    ids.is_valid().then(|| ids.clone())
}

fn adopt(span: &Span, context: Context) {
    if let Some(parent) = valid(&context) {
        ids::adopt(span, &parent);
        // It fails where the span is filtered out or nothing is exported: nothing to connect then.
        span.set_parent(context).ok();
    }
}

fn write(span: Option<SpanContext>, headers: &mut HeaderMap) {
    let Some(span) = span else { return };
    if let Ok(value) = HeaderValue::from_bytes(&traceparent::write(&span)) {
        headers.insert(TRACEPARENT, value);
    }
    let state = span.trace_state().header();
    if !state.is_empty()
        && let Ok(value) = HeaderValue::from_str(&state)
    {
        headers.insert(TRACESTATE, value);
    }
}

fn to_text(span: Option<SpanContext>) -> Option<String> {
    String::from_utf8(traceparent::write(&span?).to_vec()).ok()
}

fn from_text(traceparent: &str) -> Context {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(traceparent) {
        headers.insert(TRACEPARENT, value);
    }
    parent(&headers)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::trace;

    const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(traceparent: &str) -> HeaderMap {
        HeaderMap::from_iter([(TRACEPARENT, HeaderValue::from_str(traceparent).unwrap())])
    }

    /// Keeps what is exported.
    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    /// Runs `work` under a subscriber of its own and returns what would have been exported.
    fn traced(work: impl FnOnce()) -> Vec<SpanData> {
        let exporter = Kept::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(trace::Redacting(exporter.clone()))
            .build();
        let subscriber = tracing_subscriber::registry().with(trace::layer(provider.tracer("test")));
        tracing::subscriber::with_default(subscriber, work);
        exporter.0.lock().unwrap().clone()
    }

    #[test]
    fn a_context_crosses_a_hop_and_keeps_its_trace() {
        let spans = traced(|| {
            let server = tracing::info_span!("server");
            set_parent(&server, &headers(CALLER));
            server.in_scope(|| {
                let client = tracing::info_span!("client");
                let mut sent = HeaderMap::new();
                inject_span(&client, &mut sent);
                let next = tracing::info_span!("next");
                set_parent(&next, &sent);
                next.in_scope(|| {
                    assert_eq!(&current_traceparent().unwrap()[..35], &CALLER[..35]);
                    assert_eq!(current_traceparent(), traceparent_of(&next));
                });
            });
        });
        let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
        let (server, client, next) = (find("server"), find("client"), find("next"));
        assert_eq!(server.parent_span_id.to_string(), "b7ad6b7169203331");
        assert_eq!(client.parent_span_id, server.span_context.span_id());
        assert_eq!(next.parent_span_id, client.span_context.span_id());
        assert!(
            spans
                .iter()
                .all(|span| span.span_context.trace_id().to_string() == CALLER[3..35])
        );
    }

    /// Runs `work` where spans have ids and are not exported.
    fn unexported(work: impl FnOnce()) {
        let subscriber = tracing_subscriber::registry().with(ids::Ids);
        tracing::subscriber::with_default(subscriber, work);
    }

    #[test]
    fn without_an_exporter_a_context_crosses_a_hop_too() {
        unexported(|| {
            let server = tracing::info_span!("server");
            let mut given = headers(CALLER);
            given.insert(TRACESTATE, HeaderValue::from_static("vendor=1"));
            set_parent(&server, &given);
            server.in_scope(|| {
                let client = tracing::info_span!("client");
                let mut sent = HeaderMap::new();
                inject_span(&client, &mut sent);
                assert_eq!(sent[TRACESTATE], "vendor=1");
                let text = sent[TRACEPARENT].to_str().unwrap();
                assert_eq!(&text[..36], &CALLER[..36]);
                assert!(text.ends_with("-00"), "{text}");
                assert_ne!(Some(text), traceparent_of(&server).as_deref());
                let next = tracing::info_span!("next");
                set_parent(&next, &sent);
                next.in_scope(|| {
                    assert_eq!(&current_traceparent().unwrap()[..35], &CALLER[..35]);
                    assert_eq!(current_traceparent(), traceparent_of(&next));
                    let foreign = tracing::info_span!(target: "h2::codec", "poll");
                    assert_eq!(traceparent_of(&foreign), traceparent_of(&next));
                    foreign.in_scope(|| {
                        assert_eq!(current_traceparent(), traceparent_of(&next));
                        let inner = traceparent_of(&tracing::info_span!("inner")).unwrap();
                        assert_eq!(&inner[..36], &CALLER[..36]);
                    });
                });
            });
        });
    }

    #[test]
    fn without_an_exporter_each_request_starts_a_trace() {
        unexported(|| {
            let trace = |given: &HeaderMap| {
                let span = tracing::info_span!("server");
                set_parent(&span, given);
                traceparent_of(&span).unwrap()[3..35].to_owned()
            };
            let none = HeaderMap::new();
            assert_ne!(trace(&none), trace(&none));
            assert_ne!(trace(&headers("00-xyz")), "0".repeat(32));
            assert_eq!(current_traceparent(), None);
        });
    }

    #[test]
    fn a_take_over_links_to_what_was_stored() {
        let spans = traced(|| {
            let span = tracing::info_span!("take over");
            link(&span, CALLER);
            link(&span, "nonsense");
            let resumed = tracing::info_span!("resumed");
            set_parent_text(&resumed, CALLER);
        });
        let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
        let links = &find("take over").links;
        assert_eq!(links.len(), 1);
        assert_eq!(
            links[0].span_context.span_id().to_string(),
            "b7ad6b7169203331"
        );
        assert_eq!(
            find("resumed").span_context.trace_id().to_string(),
            CALLER[3..35]
        );
    }

    #[test]
    fn malformed_contexts_start_a_new_trace() {
        for bad in [
            "",
            "00-xyz",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            let spans = traced(|| {
                let span = tracing::info_span!("server");
                set_parent(&span, &headers(bad));
            });
            assert_eq!(
                spans[0].parent_span_id.to_string(),
                "0000000000000000",
                "{bad}"
            );
        }
    }

    #[test]
    fn spans_of_other_crates_are_passed_over() {
        let spans = traced(|| {
            tracing::info_span!("ours").in_scope(|| {
                let expected = current_traceparent();
                let foreign = tracing::info_span!(target: "h2::codec", "poll");
                assert_eq!(traceparent_of(&foreign), expected);
                foreign.in_scope(|| {
                    assert_eq!(current_traceparent(), expected);
                    drop(tracing::info_span!("inner"));
                    drop(tracing::debug_span!("detail"));
                });
            });
        });
        let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
        assert_eq!(names, ["inner", "ours"]);
        assert_eq!(spans[0].parent_span_id, spans[1].span_context.span_id());
    }

    #[test]
    fn secrets_are_not_exported() {
        let spans = traced(|| {
            let span = tracing::info_span!(
                "login",
                user.password = "hunter2",
                url = "redis://u:hunter2@h/"
            );
            span.in_scope(|| {
                tracing::warn!(
                    access_token = "hunter2",
                    "refused with Bearer hunter2hunter2"
                );
            });
        });
        assert_eq!(spans[0].events.len(), 1);
        assert!(!format!("{spans:?}").contains("hunter2"), "{spans:?}");
    }

    #[test]
    fn without_a_subscriber_nothing_is_written() {
        let mut sent = HeaderMap::new();
        inject(&mut sent);
        assert!(sent.is_empty());
        assert_eq!(current_traceparent(), None);
    }
}
