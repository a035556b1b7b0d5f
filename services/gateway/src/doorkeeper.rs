//! Finds out who is calling, from a token or an API key.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use chrono::DateTime;
use moka::Expiry;
use moka::future::Cache;
use sha2::{Digest, Sha256};
use swarm_errors::{Code, Error, Result};
use swarm_identity::{Caller, Claims, PrincipalKind, Verifier};
use swarm_proto::auth::v1::session_service_client::SessionServiceClient;
use swarm_proto::auth::v1::{ExchangeApiKeyRequest, Tokens};
use swarm_transport::{Acting, BalancedChannel, Deadline, Retry, call, request};
use swarm_types::{Clock, Timestamp};

use crate::peers::name_of_absent;

/// The header of an API key.
pub(crate) const API_KEY: &str = "x-api-key";
const LONGEST_CREDENTIAL: usize = 8 * 1024;
const EXCHANGE_LIMIT: Duration = Duration::from_secs(5);
const MOST_KEPT: u64 = 1_000;
/// A revoked key works for no longer than this, at doors that had exchanged it before.
const LONGEST_KEPT: Duration = Duration::from_secs(300);

/// A caller who proved who they are, and until when that holds.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    pub(crate) expires: Timestamp,
}

/// Verifies tokens with auth's public keys, and exchanges API keys for tokens.
#[derive(Debug)]
pub(crate) struct Doorkeeper {
    verifier: Arc<Verifier>,
    sessions: SessionServiceClient<BalancedChannel>,
    clock: Arc<dyn Clock>,
    /// Tokens by the hash of their key, so that no key is kept.
    exchanged: Cache<[u8; 32], Arc<Exchanged>>,
}

/// The token of an API key.
#[derive(Debug)]
struct Exchanged {
    token: String,
    keep: Duration,
}

struct KeepAsLongAsTheToken;

impl Expiry<[u8; 32], Arc<Exchanged>> for KeepAsLongAsTheToken {
    fn expire_after_create(
        &self,
        _: &[u8; 32],
        value: &Arc<Exchanged>,
        _: Instant,
    ) -> Option<Duration> {
        Some(value.keep)
    }
}

impl Doorkeeper {
    pub(crate) fn new(
        verifier: Arc<Verifier>,
        sessions: SessionServiceClient<BalancedChannel>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let exchanged = Cache::builder()
            .max_capacity(MOST_KEPT)
            .expire_after(KeepAsLongAsTheToken)
            .build();
        Self {
            verifier,
            sessions,
            clock,
            exchanged,
        }
    }

    /// The visitor whom these headers prove; `None` where they bear no credential.
    pub(crate) async fn identify(&self, headers: &HeaderMap) -> Result<Option<Visitor>> {
        if let Some(value) = headers.get(AUTHORIZATION) {
            let token = value
                .to_str()
                .ok()
                .and_then(|text| text.split_once(' '))
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, token)| token.trim())
                .ok_or_else(|| refused("the Authorization header must be Bearer and a token"))?;
            return self.by_token(token).await.map(Some);
        }
        match headers.get(API_KEY) {
            Some(key) => {
                let key = key
                    .to_str()
                    .map_err(|_| refused("the API key is not text"))?;
                // Boxed, since it is rare and would be a part of every request.
                Box::pin(self.by_key(key)).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// The visitor whom this token proves.
    pub(crate) async fn by_token(&self, token: &str) -> Result<Visitor> {
        if token.len() > LONGEST_CREDENTIAL {
            return Err(refused("the token is too long"));
        }
        let claims = self.verifier.claims(token).await?;
        if claims.kind == PrincipalKind::Service {
            return Err(refused("tokens of services are not for the public door"));
        }
        visitor(&claims, token)
    }

    /// The visitor whom this API key proves.
    pub(crate) async fn by_key(&self, key: &str) -> Result<Visitor> {
        if key.is_empty() || key.len() > LONGEST_CREDENTIAL {
            return Err(refused("the API key is refused"));
        }
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let exchanged = self
            .exchanged
            .try_get_with(hash, async {
                let tokens = self.exchange(key).await?;
                let life = Duration::from_secs(u64::from(tokens.expires_in) * 3 / 4);
                Ok(Arc::new(Exchanged {
                    token: tokens.access_token,
                    keep: life.min(LONGEST_KEPT),
                }))
            })
            .await
            .map_err(|error: Arc<Error>| error.for_another())?;
        self.by_token(&exchanged.token).await
    }

    /// A new token for this API key.
    pub(crate) async fn exchange(&self, key: &str) -> Result<Tokens> {
        let deadline = Deadline::after(EXCHANGE_LIMIT);
        let answer = call(Retry::Safe, deadline, || async {
            let message = ExchangeApiKeyRequest {
                api_key: key.to_owned(),
            };
            self.sessions
                .clone()
                .exchange_api_key(request(&Acting::Itself, deadline, message)?)
                .await
        })
        .await
        .map_err(|error| name_of_absent("sessions", error))?;
        answer
            .tokens
            .ok_or_else(|| Error::internal("auth answered without tokens"))
    }

    /// How much longer the visitor's proof holds.
    pub(crate) fn remaining(&self, visitor: &Visitor) -> Duration {
        (visitor.expires - self.clock.now())
            .to_std()
            .unwrap_or_default()
    }
}

fn visitor(claims: &Claims, token: &str) -> Result<Visitor> {
    let expires =
        DateTime::from_timestamp(claims.exp, 0).ok_or_else(|| refused("the token has no end"))?;
    Ok(Visitor {
        caller: Caller {
            principal: claims.principal(),
            service: None,
            token: Some(token.to_owned()),
        },
        expires,
    })
}

fn refused(why: &str) -> Error {
    Error::new(Code::Unauthenticated, why)
}
