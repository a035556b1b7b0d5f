//! The ids of spans where none is exported: logs show them and calls carry them on, marked as not
//! sampled. A span costs little more than its two ids then.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing::dispatcher::get_default;
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Span, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Registry, SpanRef};

use crate::trace;

/// Gives ids to the spans that would be traced.
#[derive(Debug)]
pub(crate) struct Ids;

/// What a span holds of it.
#[derive(Debug)]
struct Own(SpanContext);

impl<S> Layer<S> for Ids
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !trace::is_traced(attributes.metadata()) {
            return;
        }
        if let Some(span) = context.span(id) {
            let around = span.parent().and_then(|parent| around(&parent));
            span.extensions_mut().insert(Own(below(around.as_ref())));
        }
    }
}

/// Ids of this span's own; `None` where it has none, or where spans are exported.
pub(crate) fn of(span: &Span) -> Option<SpanContext> {
    with(span, |span| ids(&span)).flatten()
}

/// The ids of the innermost entered span that has some.
pub(crate) fn current() -> Option<SpanContext> {
    get_default(|dispatch| {
        let current = dispatch.current_span();
        around(&registered(dispatch, current.id()?)?)
    })
}

/// The ids of this span, or else those of the nearest one around it.
pub(crate) fn around<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>) -> Option<SpanContext> {
    span.scope().find_map(|span| ids(&span))
}

/// Makes `span` a child of `parent`, if it has ids of its own.
pub(crate) fn adopt(span: &Span, parent: &SpanContext) {
    with(span, |span| {
        if let Some(Own(own)) = span.extensions_mut().get_mut() {
            *own = child(parent, own.span_id());
        }
    });
}

fn ids<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>) -> Option<SpanContext> {
    span.extensions().get().map(|Own(ids)| ids.clone())
}

fn below(parent: Option<&SpanContext>) -> SpanContext {
    let generator = RandomIdGenerator::default();
    let id = generator.new_span_id();
    parent.map_or_else(
        || {
            let state = TraceState::NONE;
            SpanContext::new(
                generator.new_trace_id(),
                id,
                TraceFlags::default(),
                false,
                state,
            )
        },
        |parent| child(parent, id),
    )
}

fn child(parent: &SpanContext, id: SpanId) -> SpanContext {
    let state = parent.trace_state().clone();
    SpanContext::new(parent.trace_id(), id, TraceFlags::default(), false, state)
}

fn with<T>(span: &Span, work: impl FnOnce(SpanRef<'_, Registry>) -> T) -> Option<T> {
    span.with_subscriber(|(id, dispatch)| registered(dispatch, id).map(work))
        .flatten()
}

fn registered<'a>(dispatch: &'a Dispatch, id: &Id) -> Option<SpanRef<'a, Registry>> {
    dispatch.downcast_ref::<Registry>()?.span(id)
}
