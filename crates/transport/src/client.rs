//! The client side: channels that carry the trace and the service's token.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use swarm_errors::{Error, Result};
use swarm_identity::Verifier;
use swarm_telemetry::propagate;
use swarm_types::Clock;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::{Service, ServiceExt};
use tracing::{Instrument, Span, field};

use crate::{PeersConfig, RemoteKeys, ServiceConfig, ServiceTokens};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Makes the clients of one service.
#[derive(Debug, Clone)]
pub struct Dialer {
    auth: Channel,
    tokens: Arc<ServiceTokens>,
    clock: Arc<dyn Clock>,
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
        let auth = channel("peers.auth", &peers.auth)?;
        let tokens =
            ServiceTokens::new(service, config.secret.clone(), auth.clone(), clock.clone());
        Ok(Self {
            auth,
            tokens: Arc::new(tokens),
            clock,
        })
    }

    /// A connection to a service; `key` is the setting that holds the address. Connects at first
    /// use, and again whenever it was lost.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn peer(&self, key: &'static str, address: &str) -> Result<Peer> {
        Ok(Peer {
            channel: channel(key, address)?,
            tokens: self.tokens.clone(),
        })
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
    pub fn auth(&self) -> Channel {
        self.auth.clone()
    }

    /// The service's own tokens: a readiness check may ask for one.
    #[must_use]
    pub fn tokens(&self) -> Arc<ServiceTokens> {
        self.tokens.clone()
    }
}

fn channel(key: &'static str, address: &str) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|error| {
        Error::invalid(key, "must be an address such as http://host:port").with_source(error)
    })?;
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .connect_lazy())
}

/// A connection to another service, to be wrapped by a generated client.
#[derive(Clone)]
pub struct Peer {
    channel: Channel,
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
            let token = tokens.token().await?;
            request.headers_mut().insert(AUTHORIZATION, bearer(&token)?);
            let result = channel.oneshot(request).await.map_err(|error| {
                let status = Status::from_error(Box::new(error));
                Span::current().record("otel.status_code", "ERROR");
                status
            });
            if let Ok(response) = &result
                && let Some(code) = response.headers().get("grpc-status")
                && code != "0"
            {
                Span::current().record("otel.status_code", "ERROR");
            }
            result
        };
        Box::pin(answer.instrument(span))
    }
}

fn bearer(token: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(Error::internal)?;
    value.set_sensitive(true);
    Ok(value)
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
