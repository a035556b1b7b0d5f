//! Counts and times requests.

use std::time::Instant;

use axum::http::{Method, StatusCode};
use swarm_telemetry::{Counters, Histograms, Registry, names};

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

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Begun {
    at: Instant,
    method: &'static str,
}

impl Begun {
    pub(super) fn now(method: &Method) -> Self {
        Self {
            at: Instant::now(),
            method: label(method),
        }
    }

    /// Counts it.
    pub(super) fn end(self, metrics: &HttpMetrics, route: &str, status: StatusCode) {
        let labels = [self.method, route, status.as_str()];
        metrics.requests.with(labels).inc();
        let seconds = self.at.elapsed().as_secs_f64();
        metrics.seconds.with(labels).observe(seconds);
    }
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
