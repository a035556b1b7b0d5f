//! Who is calling: checks the tokens of a call and leaves a `Caller` in its extensions.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};
use swarm_errors::{Code, Error, Result};
use swarm_identity::{Caller, Principal, PrincipalKind, Verifier};
use swarm_types::TenantId;
use tonic::body::Body;

use crate::acting::{ON_BEHALF_OF, TENANT};

/// Refuses calls that bear no valid service token.
#[derive(Debug)]
pub(super) struct Door {
    verifier: Arc<Verifier>,
    open: Box<[&'static str]>,
}

impl Door {
    /// Lets calls to the services named in `open` pass without a token; all others need one.
    pub(super) fn new(verifier: Arc<Verifier>, open: &[&'static str]) -> Self {
        Self {
            verifier,
            open: open.into(),
        }
    }

    /// Lets a call through, with its caller beside it.
    pub(super) async fn admit(
        &self,
        (service, _): (&str, &str),
        request: &mut Request<Body>,
    ) -> Result<()> {
        if !self.open.contains(&service) {
            let caller = identify(&self.verifier, request.headers()).await?;
            request.extensions_mut().insert(caller);
        }
        Ok(())
    }
}

async fn identify(verifier: &Verifier, headers: &HeaderMap) -> Result<Caller> {
    let token = text(headers, AUTHORIZATION.as_str())?
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(|| Error::new(Code::Unauthenticated, "the call bears no token"))?;
    let service = verifier.verify(token).await?;
    if service.kind != PrincipalKind::Service {
        return Err(Error::new(
            Code::Unauthenticated,
            "only services call services",
        ));
    }
    let name = service.subject.clone();
    if let Some(token) = text(headers, ON_BEHALF_OF)? {
        let principal = verifier.verify(token).await?;
        return Ok(Caller {
            principal,
            service: Some(name),
            token: Some(token.to_owned()),
        });
    }
    let tenant = text(headers, TENANT)?
        .map(|tenant| {
            tenant
                .parse::<TenantId>()
                .map_err(|error| Error::invalid(TENANT, error.to_string()))
        })
        .transpose()?;
    Ok(Caller {
        principal: Principal { tenant, ..service },
        service: Some(name),
        token: None,
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>> {
    headers
        .get(name)
        .map(|value| {
            value
                .to_str()
                .map_err(|_| Error::new(Code::Unauthenticated, format!("{name} is not text")))
        })
        .transpose()
}
