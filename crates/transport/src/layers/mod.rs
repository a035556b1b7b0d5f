//! The rules around every call of a server, one a file, and their order.
//!
//! They share one service and one future: each of its own would clone all that is inside of it,
//! and box a future.

mod identity;
mod metrics;
mod trace;

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::uri::PathAndQuery;
use http::{Request, Response};
use swarm_identity::Verifier;
use swarm_telemetry::Registry;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument;

use identity::Door;
use metrics::Measure;

/// Puts [`Rules`] around the routes of a server.
#[derive(Debug, Clone)]
pub struct RulesLayer(Arc<All>);

/// What the rules look at.
#[derive(Debug)]
struct All {
    component: &'static str,
    measure: Measure,
    door: Door,
}

impl RulesLayer {
    /// Marks spans as those of the service `component`, counts into `registry`, and lets calls to
    /// the gRPC services named in `open` pass without a token; all others need one.
    #[must_use]
    pub fn new(
        component: &'static str,
        registry: &Registry,
        verifier: Arc<Verifier>,
        open: &[&'static str],
    ) -> Self {
        Self(Arc::new(All {
            component,
            measure: Measure::new(registry),
            door: Door::new(verifier, open),
        }))
    }
}

impl<S> Layer<S> for RulesLayer {
    type Service = Rules<S>;

    fn layer(&self, inner: S) -> Rules<S> {
        Rules {
            inner,
            all: self.0.clone(),
        }
    }
}

/// Measures each call, opens a span around it, and refuses it if it bears no valid service token.
#[derive(Debug, Clone)]
pub struct Rules<S> {
    inner: S,
    all: Arc<All>,
}

impl<S> Service<Request<Body>> for Rules<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The service that was polled ready is the one to call; its clone waits for the next.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        let all = self.all.clone();
        Box::pin(async move { all.answer(inner, request).await })
    }
}

impl All {
    async fn answer<S>(&self, inner: S, request: Request<Body>) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
    {
        let path = request.uri().path_and_query().cloned();
        let rpc = rpc_of(path.as_ref().map_or("", PathAndQuery::path));
        let begun = metrics::Begun::now();
        let span = trace::open(self.component, rpc, request.headers());
        let response = self.admitted(inner, request, rpc).instrument(span.clone());
        let response = response.await?;
        let code = code_of(&response);
        trace::report(&span, code, &response);
        begun.end(&self.measure, rpc, code);
        Ok(response)
    }

    async fn admitted<S>(
        &self,
        mut inner: S,
        mut request: Request<Body>,
        rpc: (&str, &str),
    ) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
    {
        match self.door.admit(rpc, &mut request).await {
            Ok(()) => inner.call(request).await,
            Err(error) => Ok(Status::from(error).into_http()),
        }
    }
}

/// Service and method of a path such as `/swarm.agents.v1.TaskService/SubmitTask`.
pub(crate) fn rpc_of(path: &str) -> (&str, &str) {
    path.trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path, ""))
}

/// The status is in the head when a call failed before its first message; otherwise it went well so far.
fn code_of(response: &Response<Body>) -> Code {
    response
        .headers()
        .get("grpc-status")
        .map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()))
}
