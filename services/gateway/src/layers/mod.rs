//! The layers around the routes, one a file, and their order.

mod access;
mod deadline;
mod headers;
mod metrics;
mod panic;
mod request_id;
mod trace;

use std::sync::Arc;

use axum::Router;
use axum::extract::MatchedPath;
use axum::http::Extensions;
use axum::middleware::{from_fn, from_fn_with_state};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use access::{Gatekeeper, Who};
pub(crate) use metrics::HttpMetrics;
pub(crate) use request_id::RequestId;

use crate::gateway::Gateway;
use crate::problem;

/// Puts the layers around a router, the outermost first. A token is checked before a handler is
/// reached, and so before any of the body is read.
pub(crate) fn around(
    router: Router<Arc<Gateway>>,
    keeper: Gatekeeper,
    gateway: &Arc<Gateway>,
) -> Router<Arc<Gateway>> {
    router.layer(
        ServiceBuilder::new()
            .layer(from_fn(request_id::layer))
            .layer(from_fn(trace::layer))
            .layer(from_fn_with_state(gateway.clone(), metrics::layer))
            .layer(from_fn(headers::layer))
            .layer(from_fn(problem::render))
            .layer(CatchPanicLayer::custom(panic::answer))
            .layer(from_fn_with_state(gateway.clone(), deadline::layer))
            .layer(from_fn_with_state(
                (gateway.clone(), Arc::new(keeper)),
                access::layer,
            )),
    )
}

/// The route as the table names it; a path that no route has must not become a label.
fn route_of(extensions: &Extensions) -> String {
    extensions
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned())
}
