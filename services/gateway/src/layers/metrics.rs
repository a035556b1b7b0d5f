//! Counts and times requests.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use swarm_telemetry::{Counters, Histograms, Registry, names};

use super::route_of;
use crate::gateway::Gateway;

/// The metrics of requests.
#[derive(Debug)]
pub(crate) struct HttpMetrics {
    requests: Counters<3>,
    seconds: Histograms<3>,
}

impl HttpMetrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self {
            requests: registry.counter(names::HTTP_REQUESTS_TOTAL),
            seconds: registry.histogram(names::HTTP_REQUEST_DURATION_SECONDS),
        }
    }
}

pub(super) async fn layer(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let (method, route) = (label(request.method()), route_of(request.extensions()));
    let response = next.run(request).await;
    let status = response.status();
    let labels = [method, route.as_str(), status.as_str()];
    gateway.http_metrics.requests.with(labels).inc();
    gateway
        .http_metrics
        .seconds
        .with(labels)
        .observe(begun.elapsed().as_secs_f64());
    response
}

/// A method of a stranger's making must not become a label.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
