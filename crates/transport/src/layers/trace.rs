//! A span for each call, as a child of the caller's; failures are logged once, here.

use http::{HeaderMap, Response};
use swarm_telemetry::propagate;
use tonic::body::Body;
use tonic::{Code, Status};
use tracing::{Span, field};

/// The span of a call; none for a probe.
pub(super) fn open(
    component: &'static str,
    (service, method): (&str, &str),
    headers: &HeaderMap,
) -> Span {
    if service == "grpc.health.v1.Health" {
        return Span::none();
    }
    let span = tracing::info_span!(
        "grpc server",
        otel.name = %format_args!("{service}/{method}"),
        otel.kind = "server",
        otel.status_code = field::Empty,
        service.component = component,
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
        rpc.grpc.status_code = field::Empty,
    );
    propagate::set_parent(&span, headers);
    span
}

/// Says within the span how the call went.
pub(super) fn report(span: &Span, code: Code, response: &Response<Body>) {
    if span.is_none() {
        return;
    }
    span.record("rpc.grpc.status_code", code as i32);
    if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
        span.record("otel.status_code", "ERROR");
        let status = Status::from_header_map(response.headers());
        let detail = status.map(|status| status.message().to_owned());
        span.in_scope(|| tracing::error!(code = ?code, detail = detail.as_deref(), "call failed"));
    }
}
