//! Writes and signs claims: pure but for the id of each token.

use chrono::TimeDelta;
use swarm_errors::Result;
use swarm_identity::{AUDIENCE, Claims, ISSUER, PrincipalKind};
use swarm_types::Timestamp;
use uuid::Uuid;

use crate::config::AuthConfig;
use crate::keys::SigningKey;
use crate::store::{ApiKeyRecord, UserRecord};

/// How long tokens hold, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) user: u32,
    pub(crate) api_key: u32,
    pub(crate) service: u32,
}

impl From<&AuthConfig> for Lifetimes {
    fn from(config: &AuthConfig) -> Self {
        Self {
            user: config.access_token_seconds,
            api_key: config.api_key_token_seconds,
            service: config.service_token_seconds,
        }
    }
}

/// A signed token.
pub(crate) struct AccessToken {
    pub(crate) token: String,
    /// Seconds.
    pub(crate) expires_in: u32,
}

/// Signs tokens.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) key: SigningKey,
    pub(crate) lifetimes: Lifetimes,
}

impl Issuer {
    pub(crate) fn for_user(&self, user: &UserRecord, now: Timestamp) -> Result<AccessToken> {
        let claims = Claims {
            tenant: Some(user.tenant),
            roles: user.roles.clone(),
            ..claims(
                PrincipalKind::User,
                user.id.to_string(),
                user.username.clone(),
            )
        };
        self.sign(claims, self.lifetimes.user, now)
    }

    /// It does not outlive the key.
    pub(crate) fn for_api_key(&self, key: &ApiKeyRecord, now: Timestamp) -> Result<AccessToken> {
        let rest = key
            .expires_at
            .map_or(i64::MAX, |at| (at - now).num_seconds());
        let seconds = self
            .lifetimes
            .api_key
            .min(u32::try_from(rest.max(0)).unwrap_or(u32::MAX));
        let claims = Claims {
            tenant: Some(key.tenant),
            roles: key.roles.clone(),
            ..claims(PrincipalKind::ApiKey, key.id.to_string(), key.name.clone())
        };
        self.sign(claims, seconds, now)
    }

    pub(crate) fn for_service(&self, service: &str, now: Timestamp) -> Result<AccessToken> {
        let claims = claims(
            PrincipalKind::Service,
            service.to_owned(),
            service.to_owned(),
        );
        self.sign(claims, self.lifetimes.service, now)
    }

    fn sign(&self, claims: Claims, seconds: u32, now: Timestamp) -> Result<AccessToken> {
        let expires = now + TimeDelta::seconds(i64::from(seconds));
        let claims = Claims {
            iat: now.timestamp(),
            exp: expires.timestamp(),
            ..claims
        };
        Ok(AccessToken {
            token: self.key.sign(&claims)?,
            expires_in: seconds,
        })
    }
}

fn claims(kind: PrincipalKind, sub: String, name: String) -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub,
        kind,
        name,
        tenant: None,
        roles: Vec::new(),
        iat: 0,
        exp: 0,
        jti: Uuid::now_v7().to_string(),
    }
}
