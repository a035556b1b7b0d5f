//! Lets a request through to its route, or refuses it, by the table of routes.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Request};
use axum::http::Method;
use axum::http::request::Parts;
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

/// Lets a request through, with its visitor beside it.
pub(super) async fn admit(
    gateway: &Gateway,
    keeper: &Gatekeeper,
    path: Option<&str>,
    request: &mut Request,
) -> Answer<()> {
    // Without a matched path no route is there: the fallback answers.
    let Some(path) = path else { return Ok(()) };
    // What the table does not name is closed, whatever the router may hold.
    let access = keeper
        .rule(path, request.method())
        .ok_or_else(|| Failure::method_not_allowed(request.method().as_str()))?;
    if access == Access::Open {
        return Ok(());
    }
    let visitor = gateway
        .doorkeeper
        .identify(request.headers())
        .await?
        .ok_or_else(Failure::no_credential)?;
    if let Access::Needs(permission) = access {
        visitor.caller.principal.require(permission)?;
    }
    request.extensions_mut().insert(visitor);
    Ok(())
}

/// The caller, in a handler whose route is not open; a handler takes it once.
#[derive(Debug)]
pub(crate) struct Who(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        parts
            .extensions
            .remove::<Visitor>()
            .map(|visitor| Self(visitor.caller))
            .ok_or_else(|| Error::internal("an open route asks for its caller").into())
    }
}
