//! The root span of a request, or a child of the caller's.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use swarm_telemetry::propagate;
use tracing::{Instrument, Span, field};

use super::{RequestId, route_of};

pub(super) async fn layer(request: Request, next: Next) -> Response {
    let span = span_of(&request);
    propagate::set_parent(&span, request.headers());
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    span.in_scope(|| tracing::debug!(http.status = status.as_u16(), "request answered"));
    propagate::inject_span(&span, response.headers_mut());
    response
}

fn span_of(request: &Request) -> Span {
    let route = route_of(request.extensions());
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or("", RequestId::as_str);
    tracing::info_span!(
        "http server",
        otel.name = %format_args!("HTTP {} {route}", request.method()),
        otel.kind = "server",
        otel.status_code = field::Empty,
        service.component = "gateway",
        request.id = id,
        http.request.method = %request.method(),
        http.route = route,
        url.path = request.uri().path(),
        http.response.status_code = field::Empty,
    )
}
