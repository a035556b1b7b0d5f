//! The root span of a request, or a child of the caller's.

use axum::extract::Request;
use axum::response::Response;
use swarm_telemetry::propagate;
use tracing::{Span, field};

use super::RequestId;

/// The span of a request for this route.
pub(super) fn open(request: &Request, route: &str, id: &RequestId) -> Span {
    let span = tracing::info_span!(
        "http server",
        otel.name = %format_args!("HTTP {} {route}", request.method()),
        otel.kind = "server",
        otel.status_code = field::Empty,
        service.component = "gateway",
        request.id = id.as_str(),
        http.request.method = request.method().as_str(),
        http.route = route,
        url.path = request.uri().path(),
        http.response.status_code = field::Empty,
    );
    propagate::set_parent(&span, request.headers());
    span
}

/// Says in the log, within the span, what was answered.
pub(super) fn tell(response: &Response) {
    tracing::debug!(http.status = response.status().as_u16(), "request answered");
}

/// Ends the span, and tells the caller its ids.
pub(super) fn close(span: &Span, response: &mut Response) {
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    propagate::inject_span(span, response.headers_mut());
}
