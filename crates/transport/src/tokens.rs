//! A service's own token, and the keys that verify everybody's: both come from auth.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use http::HeaderValue;
use swarm_config::Secret;
use swarm_errors::{Error, Result};
use swarm_identity::KeySource;
use swarm_proto::auth::v1::session_service_client::SessionServiceClient;
use swarm_proto::auth::v1::{GetKeysRequest, IssueServiceTokenRequest};
use swarm_types::{Clock, Timestamp};
use tokio::sync::Mutex;

use crate::{Acting, BalancedChannel, Deadline, Retry, call, request};

const LIMIT: Duration = Duration::from_secs(5);

/// The service's own token, exchanged for the shared secret and kept until shortly before it expires.
#[derive(Debug)]
pub struct ServiceTokens {
    service: &'static str,
    secret: Secret,
    auth: SessionServiceClient<BalancedChannel>,
    clock: Arc<dyn Clock>,
    current: Mutex<Option<Current>>,
}

/// A token, and the header that shows it: the same with every call.
#[derive(Debug)]
struct Current {
    token: String,
    bearer: HeaderValue,
    renew_at: Timestamp,
}

impl ServiceTokens {
    pub(crate) fn new(
        service: &'static str,
        secret: Secret,
        auth: BalancedChannel,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            service,
            secret,
            auth: SessionServiceClient::new(auth),
            clock,
            current: Mutex::default(),
        }
    }

    /// The current token.
    ///
    /// # Errors
    /// When auth cannot be reached or refuses the secret.
    pub async fn token(&self) -> Result<String> {
        self.with_current(|current| current.token.clone()).await
    }

    /// The header `authorization` with the current token.
    pub(crate) async fn bearer(&self) -> Result<HeaderValue> {
        self.with_current(|current| current.bearer.clone()).await
    }

    async fn with_current<T>(&self, take: impl FnOnce(&Current) -> T) -> Result<T> {
        let mut current = self.current.lock().await;
        let is_fresh = |current: &&Current| self.clock.now() < current.renew_at;
        if let Some(current) = current.as_ref().filter(is_fresh) {
            return Ok(take(current));
        }
        Ok(take(current.insert(self.issue().await?)))
    }

    async fn issue(&self) -> Result<Current> {
        let asked = self.clock.now();
        let deadline = Deadline::after(LIMIT);
        let answer = call(Retry::Safe, deadline, || async {
            let message = IssueServiceTokenRequest {
                service: self.service.to_owned(),
                secret: self.secret.expose().to_owned(),
            };
            self.auth
                .clone()
                .issue_service_token(request(&Acting::Itself, deadline, message)?)
                .await
        })
        .await
        .map_err(|error| error.context("no service token from auth"))?;
        let tokens = answer.tokens.unwrap_or_default();
        // Renewed after three quarters of its life, so that no call sets out with a token about to end.
        let renew_at = asked + TimeDelta::seconds(i64::from(tokens.expires_in) * 3 / 4);
        Ok(Current {
            bearer: bearer(&tokens.access_token)?,
            token: tokens.access_token,
            renew_at,
        })
    }
}

fn bearer(token: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(Error::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The public keys, fetched from auth.
#[derive(Debug)]
pub struct RemoteKeys {
    auth: SessionServiceClient<BalancedChannel>,
}

impl RemoteKeys {
    pub(crate) fn new(auth: BalancedChannel) -> Self {
        Self {
            auth: SessionServiceClient::new(auth),
        }
    }
}

impl KeySource for RemoteKeys {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<String>> + Send + '_>> {
        Box::pin(async {
            let deadline = Deadline::after(LIMIT);
            let answer = call(Retry::Safe, deadline, || async {
                self.auth
                    .clone()
                    .get_keys(request(&Acting::Itself, deadline, GetKeysRequest {})?)
                    .await
            })
            .await
            .map_err(|error| error.context("no keys from auth"))?;
            Ok(answer.jwks_json)
        })
    }
}
