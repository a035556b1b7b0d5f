//! Spans of statements: only inside somebody's trace.

use tracing::Span;

/// The span that `make` gives, where there is one around it. A background task that looks for work
/// every second would otherwise send as many traces, each of one statement.
pub(crate) fn inside(make: impl FnOnce() -> Span) -> Span {
    if Span::current().is_none() {
        Span::none()
    } else {
        make()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_a_trace_none_is_made() {
        let span = inside(|| unreachable!("a span was made for nobody"));
        assert!(span.is_none());
    }
}
