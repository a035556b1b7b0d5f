//! Counts and times the calls of a server.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Request, Response};
use swarm_telemetry::{Counters, Histograms, Registry, names};
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};

/// Puts [`Measure`] around a service.
#[derive(Debug, Clone)]
pub struct MeasureLayer {
    handled: Counters<3>,
    seconds: Histograms<2>,
}

impl MeasureLayer {
    /// Counts into this registry.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        Self {
            handled: registry.counter(names::GRPC_SERVER_HANDLED_TOTAL),
            seconds: registry.histogram(names::GRPC_SERVER_HANDLING_SECONDS),
        }
    }
}

impl<S> Layer<S> for MeasureLayer {
    type Service = Measure<S>;

    fn layer(&self, inner: S) -> Measure<S> {
        Measure {
            inner,
            layer: self.clone(),
        }
    }
}

/// Measures each call up to the head of its answer; a stream's later end is not part of it.
#[derive(Debug, Clone)]
pub struct Measure<S> {
    inner: S,
    layer: MeasureLayer,
}

impl<S> Service<Request<Body>> for Measure<S>
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
        let (begun, layer) = (Instant::now(), self.layer.clone());
        let path = request.uri().path().to_owned();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            let code = code_of(&response);
            // A path that no service of ours has would let strangers make label values.
            if code != Code::Unimplemented {
                let (service, method) = super::rpc_of(&path);
                layer
                    .handled
                    .with([service, method, &format!("{code:?}")])
                    .inc();
                layer
                    .seconds
                    .with([service, method])
                    .observe(begun.elapsed().as_secs_f64());
            }
            Ok(response)
        })
    }
}

/// The status is in the head when a call failed before its first message; otherwise it went well so far.
pub(super) fn code_of(response: &Response<Body>) -> Code {
    response
        .headers()
        .get("grpc-status")
        .map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}
