//! The client side: channels that carry the trace and the service's token.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{Request, Response};
use swarm_errors::Result;
use swarm_identity::Verifier;
use swarm_telemetry::propagate;
use swarm_types::Clock;
use tonic::Status;
use tonic::body::Body;
use tower::Service;
use tracing::{Instrument, Span, field};

use crate::replicas::{BalancedChannel, Group};
use crate::{PeersConfig, RemoteKeys, ServiceConfig, ServiceTokens};

/// Makes the clients of one service.
#[derive(Debug, Clone)]
pub struct Dialer {
    auth: BalancedChannel,
    tokens: Arc<ServiceTokens>,
    clock: Arc<dyn Clock>,
    /// What is known of replicas, by the setting that names them.
    groups: Arc<Mutex<HashMap<String, Arc<Group>>>>,
}

impl Dialer {
    /// The dialer of `service`, which shows the shared secret to auth. Connects nothing yet.
    ///
    /// # Errors
    /// When auth's address is not one.
    pub fn new(
        service: &'static str,
        config: &ServiceConfig,
        peers: &PeersConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let groups = Arc::default();
        let auth = channel(&groups, "peers.auth", &peers.auth)?;
        let tokens =
            ServiceTokens::new(service, config.secret.clone(), auth.clone(), clock.clone());
        Ok(Self {
            auth,
            tokens: Arc::new(tokens),
            clock,
            groups,
        })
    }

    /// Connections to the replicas of a service; `key` is the setting that holds one address or
    /// several. Connects at first use, and again whenever a connection was lost.
    ///
    /// # Errors
    /// When an address is not one.
    pub fn peer(&self, key: &'static str, addresses: &str) -> Result<Peer> {
        Ok(Peer {
            channel: self.plain(key, addresses)?,
            tokens: self.tokens.clone(),
        })
    }

    /// As [`Dialer::peer`], for rpcs that need no token, such as health.
    ///
    /// # Errors
    /// When an address is not one.
    pub fn plain(&self, key: &'static str, addresses: &str) -> Result<BalancedChannel> {
        channel(&self.groups, key, addresses)
    }

    /// A verifier whose keys come from auth.
    #[must_use]
    pub fn verifier(&self) -> Arc<Verifier> {
        Arc::new(Verifier::new(
            Arc::new(RemoteKeys::new(self.auth.clone())),
            self.clock.clone(),
        ))
    }

    /// A plain connection to auth, for rpcs that prove themselves by what they carry.
    #[must_use]
    pub fn auth(&self) -> BalancedChannel {
        self.auth.clone()
    }

    /// The service's own tokens: a readiness check may ask for one.
    #[must_use]
    pub fn tokens(&self) -> Arc<ServiceTokens> {
        self.tokens.clone()
    }
}

fn channel(
    groups: &Mutex<HashMap<String, Arc<Group>>>,
    key: &'static str,
    addresses: &str,
) -> Result<BalancedChannel> {
    let mut groups = groups.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(group) = groups.get(addresses) {
        return Ok(BalancedChannel::new(group.clone()));
    }
    let group = Group::new(key, addresses)?;
    groups.insert(addresses.to_owned(), group.clone());
    Ok(BalancedChannel::new(group))
}

/// A connection to another service, to be wrapped by a generated client.
#[derive(Clone)]
pub struct Peer {
    channel: BalancedChannel,
    tokens: Arc<ServiceTokens>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for Peer {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // The channel is asked for room within the call, once the token is there.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let span = client_span(&request);
        let (channel, tokens) = (self.channel.clone(), self.tokens.clone());
        propagate::inject_span(&span, request.headers_mut());
        let answer = async move {
            let bearer = tokens.bearer().await?;
            request.headers_mut().insert(AUTHORIZATION, bearer);
            let result = channel.send(request).await;
            if has_failed(&result) {
                Span::current().record("otel.status_code", "ERROR");
            }
            result
        };
        Box::pin(answer.instrument(span))
    }
}

fn has_failed(result: &Result<Response<Body>, Status>) -> bool {
    result.as_ref().map_or(true, |response| {
        let code = response.headers().get("grpc-status");
        code.is_some_and(|code| code != "0")
    })
}

fn client_span(request: &Request<Body>) -> Span {
    let (service, method) = crate::layers::rpc_of(request.uri().path());
    tracing::info_span!(
        "grpc client",
        otel.name = %format_args!("{service}/{method}"),
        otel.kind = "client",
        otel.status_code = field::Empty,
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
    )
}
