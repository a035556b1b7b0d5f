//! The rules around the routes, one a file, and their order.
//!
//! They share one service and one future: a layer each would clone all that is inside of it, and
//! box a future, once for every rule and request. Each rule pins what it waits for where it is:
//! a future that is handed to another one by value is copied whole.

mod access;
mod deadline;
mod headers;
mod metrics;
mod panic;
mod request_id;
mod trace;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use futures::FutureExt;
use tower::{Service, layer, service_fn};
use tracing::Instrument;

pub(crate) use access::{Gatekeeper, Who};
pub(crate) use metrics::HttpMetrics;
pub(crate) use request_id::RequestId;

use crate::gateway::Gateway;
use crate::problem;

/// What the rules look at.
struct Rules {
    gateway: Arc<Gateway>,
    keeper: Gatekeeper,
}

/// Puts the rules around a router. A token is checked before a handler is reached, and so before
/// any of the body is read.
pub(crate) fn around(
    router: Router<Arc<Gateway>>,
    keeper: Gatekeeper,
    gateway: &Arc<Gateway>,
) -> Router<Arc<Gateway>> {
    let gateway = gateway.clone();
    let rules = Arc::new(Rules { gateway, keeper });
    router.layer(layer::layer_fn(move |route: Route| {
        let rules = rules.clone();
        service_fn(move |request| answer(rules.clone(), route.clone(), request))
    }))
}

/// The outermost rules: the request's id and its trace.
async fn answer(rules: Arc<Rules>, route: Route, request: Request) -> Result<Response, Infallible> {
    let id = RequestId::of(request.headers());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map(MatchedPath::as_str);
    let span = trace::open(&request, name(path), &id);
    let work = pin!(shown(&rules, route, request, path, &id));
    let mut response = work.instrument(span.clone()).await;
    trace::close(&span, &mut response);
    id.put_on(&mut response);
    Ok(response)
}

/// What becomes of an answer: measured, with its headers, and written out where it is a failure.
async fn shown(
    rules: &Rules,
    route: Route,
    request: Request,
    path: Option<&str>,
    id: &RequestId,
) -> Response {
    let measured = metrics::Begun::now(request.method());
    let work = pin!(bound(rules, route, request, path));
    let mut response = AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(panic::answer);
    problem::render(&mut response, id);
    headers::protect(&mut response);
    measured.end(&rules.gateway.http_metrics, name(path), response.status());
    trace::tell(&response);
    response
}

/// The route's own answer, if the request may have it and it comes in time.
async fn bound(
    rules: &Rules,
    mut route: Route,
    mut request: Request,
    path: Option<&str>,
) -> Response {
    let limit = deadline::of(&request, path, rules.gateway.config.deadline());
    let work = pin!(async {
        let admitted = access::admit(&rules.gateway, &rules.keeper, path, &mut request).await;
        match admitted {
            Ok(()) => route.call(request).await.into_response(),
            Err(failure) => failure.into_response(),
        }
    });
    deadline::keep(limit, work).await
}

/// The route as the table names it; a path that no route has must not become a label.
fn name(path: Option<&str>) -> &str {
    path.unwrap_or("unmatched")
}
