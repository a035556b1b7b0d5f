//! What proves who somebody is, and the tokens given for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use swarm_config::Secret;
use swarm_errors::{Code, Error, Result};
use swarm_types::{Clock, Timestamp};
use uuid::Uuid;

use super::{AccessToken, Issuer};
use crate::credentials::{self, api_key, refresh_token};
use crate::logins::Throttle;
use crate::passwords::{Hasher, policy};
use crate::store::{ApiKeyRecord, Credentials, NewSession, Refreshed, Store};

/// Who may call itself a service.
const SERVICES: [&str; 6] = [
    "agent-manager",
    "auth",
    "consensus",
    "gateway",
    "learning",
    "memory",
];
/// Longer names are nobody's.
const MAX_USERNAME: usize = 200;

/// An access token and, for people, what refreshes it.
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    pub(crate) refresh: Option<String>,
}

/// Logs in, refreshes and exchanges.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hasher: Arc<Hasher>,
    pub(crate) issuer: Issuer,
    pub(crate) throttle: Mutex<Throttle>,
    pub(crate) service_secret: Secret,
    pub(crate) session_life: TimeDelta,
}

impl Sessions {
    pub(crate) async fn log_in(&self, username: &str, password: Secret) -> Result<Tokens> {
        if username.is_empty() || username.len() > MAX_USERNAME {
            return Err(Error::invalid(
                "username",
                format!("must have 1 to {MAX_USERNAME} bytes"),
            ));
        }
        policy::check_shown("password", password.expose())?;
        let now = self.clock.now();
        self.throttle().attempt(username, now).map_err(too_many)?;
        match self.verified(username, password).await {
            Ok(Some(found)) => {
                self.throttle().succeeded(username);
                self.open(&found, now).await
            }
            Ok(None) => Err(wrong_credentials()),
            Err(error) => {
                self.throttle().abandoned(username);
                Err(error)
            }
        }
    }

    /// Whoever has this name and password. It takes as long when nobody has the name.
    async fn verified(&self, username: &str, password: Secret) -> Result<Option<Credentials>> {
        // Such a name cannot be asked for, and is nobody's.
        let found = if username.contains('\0') {
            None
        } else {
            self.store.credentials(username).await?
        };
        let hash = found.as_ref().map(|found| found.password_hash.clone());
        let is_right = self.hasher.verify(password, hash).await?;
        if let (false, Some(found)) = (is_right, &found) {
            tracing::warn!(user.id = %found.user.id, tenant.id = %found.user.tenant, "login refused");
        }
        Ok(found.filter(|_| is_right))
    }

    pub(super) async fn open(&self, found: &Credentials, now: Timestamp) -> Result<Tokens> {
        let user = &found.user;
        let session = Uuid::now_v7();
        let (token, address) = refresh_token::encode(user.tenant, session, &rand::random());
        let new = NewSession {
            tenant: user.tenant,
            user: user.id,
            id: session,
            token_hash: &address.hash,
            created_at: now,
            expires_at: now + self.session_life,
        };
        if !self
            .store
            .insert_session(&new, &found.password_hash)
            .await?
        {
            // It was changed while it was checked.
            return Err(wrong_credentials());
        }
        tracing::info!(user.id = %user.id, tenant.id = %user.tenant, session.id = %session, "logged in");
        Ok(Tokens {
            access: self.issuer.for_user(user, now)?,
            refresh: Some(token),
        })
    }

    /// Spends the token for a new pair. A token that comes twice was stolen, or its answer was
    /// lost: either way the session ends.
    pub(crate) async fn refresh(&self, token: &str) -> Result<Tokens> {
        let refused = || Error::new(Code::Unauthenticated, "the refresh token is not valid");
        let shown = refresh_token::decode(token).ok_or_else(refused)?;
        let now = self.clock.now();
        let (next, successor) = refresh_token::encode(shown.tenant, shown.session, &rand::random());
        let ids = (shown.tenant, shown.session);
        let rotate = || self.store.rotate(ids, &shown.hash, &successor.hash, now);
        match self.store.db().retry(rotate).await? {
            Refreshed::Rotated(user) => {
                let user = self
                    .store
                    .user(shown.tenant, user)
                    .await?
                    .ok_or_else(refused)?;
                Ok(Tokens {
                    access: self.issuer.for_user(&user, now)?,
                    refresh: Some(next),
                })
            }
            Refreshed::Reused => {
                tracing::warn!(tenant.id = %shown.tenant, session.id = %shown.session, "refresh token came twice, session ended");
                Err(refused())
            }
            Refreshed::Refused => Err(refused()),
        }
    }

    /// Ends the session. A token that is nobody's has no session, so all is as wanted.
    pub(crate) async fn log_out(&self, token: &str) -> Result<()> {
        let Some(shown) = refresh_token::decode(token) else {
            return Ok(());
        };
        let now = self.clock.now();
        if self
            .store
            .end_session(shown.tenant, shown.session, &shown.hash, now)
            .await?
        {
            tracing::info!(tenant.id = %shown.tenant, session.id = %shown.session, "logged out");
        }
        Ok(())
    }

    pub(crate) async fn exchange_api_key(&self, secret: &str) -> Result<Tokens> {
        let refused = |why: &str| Error::new(Code::Unauthenticated, format!("the API key {why}"));
        let hash = credentials::hash(secret);
        let found = match api_key::prefix_of(secret) {
            Some(prefix) => self.store.api_key_by_prefix(prefix).await?,
            None => None,
        };
        let is_it = |key: &ApiKeyRecord| credentials::same_hash(&key.secret_hash, &hash);
        let key = found.filter(is_it).ok_or_else(|| refused("is not valid"))?;
        let now = self.clock.now();
        if key.revoked_at.is_some() {
            return Err(refused("was revoked"));
        }
        if key.expires_at.is_some_and(|at| at <= now) {
            return Err(refused("has expired"));
        }
        Ok(Tokens {
            access: self.issuer.for_api_key(&key, now)?,
            refresh: None,
        })
    }

    pub(crate) fn service_token(&self, service: &str, secret: &Secret) -> Result<Tokens> {
        let is_right = credentials::same(secret.expose(), self.service_secret.expose());
        if self.service_secret.is_empty() || !is_right {
            tracing::warn!("service secret refused");
            return Err(Error::new(
                Code::Unauthenticated,
                "the service secret is wrong: service.secret must be the same for all services",
            ));
        }
        if !SERVICES.contains(&service) {
            return Err(Error::invalid(
                "service",
                format!("must be one of {}", SERVICES.join(", ")),
            ));
        }
        Ok(Tokens {
            access: self.issuer.for_service(service, self.clock.now())?,
            refresh: None,
        })
    }

    pub(super) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wrong_credentials() -> Error {
    Error::new(
        Code::Unauthenticated,
        "the username or the password is wrong",
    )
}

pub(super) fn too_many(wait: TimeDelta) -> Error {
    let seconds =
        u64::try_from(wait.num_seconds()).unwrap_or(0) + u64::from(wait.subsec_nanos() > 0);
    Error::new(
        Code::ResourceExhausted,
        "too many wrong passwords for this name in a row",
    )
    .with_retry_after(Duration::from_secs(seconds.max(1)))
}
