//! Lets a request through to its route, or refuses it, by the table of routes.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use swarm_errors::Error;
use swarm_identity::Caller;

use crate::doorkeeper::Visitor;
use crate::gateway::Gateway;
use crate::problem::{Answer, Failure};
use crate::routes::{Access, RouteInfo};

/// Who may use which route.
#[derive(Debug)]
pub(crate) struct Gatekeeper(HashMap<&'static str, Vec<(Method, Access)>>);

impl Gatekeeper {
    pub(crate) fn new(routes: impl IntoIterator<Item = RouteInfo>) -> Self {
        let mut rules: HashMap<_, Vec<_>> = HashMap::new();
        for route in routes {
            rules
                .entry(route.path)
                .or_default()
                .push((route.method, route.access));
        }
        Self(rules)
    }

    fn rule(&self, path: &str, method: &Method) -> Option<Access> {
        // axum answers HEAD with what answers GET.
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let rules = self.0.get(path)?;
        rules
            .iter()
            .find(|(of, _)| of == method)
            .map(|(_, access)| *access)
    }
}

pub(super) async fn layer(
    State((gateway, keeper)): State<(Arc<Gateway>, Arc<Gatekeeper>)>,
    mut request: Request,
    next: Next,
) -> Response {
    // Without a matched path no route is there: the fallback answers.
    let Some(path) = request.extensions().get::<MatchedPath>().cloned() else {
        return next.run(request).await;
    };
    // What the table does not name is closed, whatever the router may hold.
    let Some(access) = keeper.rule(path.as_str(), request.method()) else {
        return Failure::method_not_allowed(request.method().as_str()).into_response();
    };
    match admit(&gateway, access, request.headers()).await {
        Ok(Some(visitor)) => drop(request.extensions_mut().insert(visitor)),
        Ok(None) => {}
        Err(failure) => return failure.into_response(),
    }
    next.run(request).await
}

async fn admit(gateway: &Gateway, access: Access, headers: &HeaderMap) -> Answer<Option<Visitor>> {
    if access == Access::Open {
        return Ok(None);
    }
    let visitor = gateway
        .doorkeeper
        .identify(headers)
        .await?
        .ok_or_else(Failure::no_credential)?;
    if let Access::Needs(permission) = access {
        visitor.caller.principal.require(permission)?;
    }
    Ok(Some(visitor))
}

/// The caller, in a handler whose route is not open.
#[derive(Debug)]
pub(crate) struct Who(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        parts
            .extensions
            .get::<Visitor>()
            .map(|visitor| Self(visitor.caller.clone()))
            .ok_or_else(|| Error::internal("an open route asks for its caller").into())
    }
}
