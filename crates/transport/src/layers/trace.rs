//! A span for each call, as a child of the caller's; failures are logged once, here.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use swarm_telemetry::propagate;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span, field};

/// Puts [`Trace`] around a service.
#[derive(Debug, Clone, Copy)]
pub struct TraceLayer {
    component: &'static str,
}

impl TraceLayer {
    /// Marks the spans as those of this service.
    #[must_use]
    pub const fn new(component: &'static str) -> Self {
        Self { component }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace {
            inner,
            component: self.component,
        }
    }
}

/// Opens a span around each call.
#[derive(Debug, Clone)]
pub struct Trace<S> {
    inner: S,
    component: &'static str,
}

impl<S> Service<Request<Body>> for Trace<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (service, method) = super::rpc_of(request.uri().path());
        if service == "grpc.health.v1.Health" {
            return Box::pin(self.inner.call(request));
        }
        let span = tracing::info_span!(
            "grpc server",
            otel.name = %format_args!("{service}/{method}"),
            otel.kind = "server",
            otel.status_code = field::Empty,
            service.component = self.component,
            rpc.system = "grpc",
            rpc.service = service,
            rpc.method = method,
            rpc.grpc.status_code = field::Empty,
        );
        propagate::set_parent(&span, request.headers());
        let answer = span.in_scope(|| self.inner.call(request));
        let traced = async move {
            let response = answer.await?;
            report(&response);
            Ok(response)
        };
        Box::pin(traced.instrument(span))
    }
}

fn report(response: &Response<Body>) {
    let code = super::metrics::code_of(response);
    Span::current().record("rpc.grpc.status_code", code as i32);
    if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
        Span::current().record("otel.status_code", "ERROR");
        let detail =
            Status::from_header_map(response.headers()).map(|status| status.message().to_owned());
        tracing::error!(code = ?code, detail = detail.as_deref(), "call failed");
    }
}
