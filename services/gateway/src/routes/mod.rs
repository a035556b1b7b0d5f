//! The REST routes: the table, and a file of handlers for each resource.
//!
//! The path of a handler stands in the table alone; its own attribute leaves it empty.

mod agents;
mod dead_letters;
mod events;
mod learning;
mod memories;
mod messages;
mod overview;
mod proposals;
mod public_words;
mod reruns;
mod root;
mod schedules;
mod sessions;
mod system;
mod table;
mod tasks;
mod tenants;
mod tree;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::response::IntoResponse;
use axum::routing::MethodRouter;
use swarm_identity::Permission;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::gateway::Gateway;
use crate::layers::{self, Gatekeeper};
use crate::problem::Failure;

pub(crate) use root::health as root_health;
pub(crate) use table::{PATIENT, table};
pub(crate) use tasks::LONGEST_WAIT;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token.
    Open,
    /// Whoever has a valid token.
    SignedIn,
    /// Whoever has this permission.
    Needs(Permission),
}

/// A route as the outside sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method.
    pub method: Method,
    /// The path, such as `/api/v1/tasks/{id}`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}

/// One line of the table, with what its handler says about itself.
pub(crate) struct Route {
    pub(crate) info: RouteInfo,
    /// `None` when the handler's attribute has another method than the table.
    pub(crate) operation: Option<Operation>,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
    handler: MethodRouter<Arc<Gateway>>,
}

impl Route {
    fn new(
        method: &HttpMethod,
        path: &'static str,
        access: Access,
        (schemas, mut paths, handler): UtoipaMethodRouter<Arc<Gateway>>,
    ) -> Self {
        let described = paths.paths.remove("").unwrap_or_default();
        let (method, operation) = match method {
            HttpMethod::Post => (Method::POST, described.post),
            HttpMethod::Patch => (Method::PATCH, described.patch),
            HttpMethod::Delete => (Method::DELETE, described.delete),
            _ => (Method::GET, described.get),
        };
        Self {
            info: RouteInfo {
                method,
                path,
                access,
            },
            operation,
            schemas,
            handler,
        }
    }
}

/// Every REST route.
#[must_use]
pub fn routes() -> Vec<RouteInfo> {
    table().into_iter().map(|route| route.info).collect()
}

/// The REST door.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let keeper = Gatekeeper::new(routes());
    let router = table()
        .into_iter()
        .fold(Router::new(), |router, route| {
            router.route(route.info.path, route.handler)
        })
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method);
    layers::around(router, keeper, &gateway).with_state(gateway)
}

pub(crate) async fn no_route(request: Request) -> Failure {
    Failure::no_route(request.uri().path())
}

pub(crate) async fn wrong_method(request: Request) -> Failure {
    Failure::method_not_allowed(request.method().as_str())
}

/// Where a new thing is, such as `/api/v1/tasks/task_01...`.
fn location(collection: &str, id: &str) -> HeaderMap {
    header(LOCATION, &format!("/api/v1/{collection}/{id}"))
}

/// The version of a thing, for `If-Match`.
fn etag(version: u64) -> HeaderMap {
    header(ETAG, &format!("\"{version}\""))
}

/// A header; left away where an id cannot be one, which is a fault of the service that made it.
fn header(name: HeaderName, value: &str) -> HeaderMap {
    HeaderValue::from_str(value)
        .map(|value| HeaderMap::from_iter([(name, value)]))
        .unwrap_or_default()
}

/// An answer without a body.
fn nothing() -> impl IntoResponse {
    axum::http::StatusCode::NO_CONTENT
}

/// A part of an answer that its owner left out, which is a fault of the owner.
fn expect<T>(part: Option<T>) -> swarm_errors::Result<T> {
    part.ok_or_else(|| {
        swarm_errors::Error::internal("a service answered without what was asked for")
    })
}
