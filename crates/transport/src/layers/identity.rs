//! Who is calling: checks the tokens of a call and leaves a `Caller` in its extensions.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use swarm_errors::{Code, Error, Result};
use swarm_identity::{Caller, Principal, PrincipalKind, Verifier};
use swarm_types::TenantId;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::acting::{ON_BEHALF_OF, TENANT};

/// Puts [`Identify`] around a service.
#[derive(Debug, Clone)]
pub struct IdentifyLayer {
    verifier: Arc<Verifier>,
    open: Arc<[&'static str]>,
}

impl IdentifyLayer {
    /// Lets calls to the services named in `open` pass without a token; all others need one.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>, open: &[&'static str]) -> Self {
        Self {
            verifier,
            open: open.into(),
        }
    }
}

impl<S> Layer<S> for IdentifyLayer {
    type Service = Identify<S>;

    fn layer(&self, inner: S) -> Identify<S> {
        Identify {
            inner,
            layer: self.clone(),
        }
    }
}

/// Refuses calls that bear no valid service token.
#[derive(Debug, Clone)]
pub struct Identify<S> {
    inner: S,
    layer: IdentifyLayer,
}

impl<S> Service<Request<Body>> for Identify<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The service that was polled ready is the one to call; its clone waits for the next.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (service, _) = super::rpc_of(request.uri().path());
            if !layer.open.contains(&service) {
                match identify(&layer.verifier, request.headers()).await {
                    Ok(caller) => drop(request.extensions_mut().insert(caller)),
                    Err(error) => return Ok(Status::from(error).into_http()),
                }
            }
            inner.call(request).await
        })
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
