//! What a token says.

use serde::{Deserialize, Serialize};
use swarm_types::TenantId;

use crate::{Principal, PrincipalKind, Role};

/// Who signs: the auth service.
pub const ISSUER: &str = "qwen-swarm";
/// Whom tokens are for: the platform's own doors and services.
pub const AUDIENCE: &str = "qwen-swarm-api";

/// The claims of an access or service token, an Ed25519 JWT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Always [`ISSUER`].
    pub iss: String,
    /// Always [`AUDIENCE`].
    pub aud: String,
    /// The user's or key's id, or the service's name.
    pub sub: String,
    /// What kind of principal it is.
    pub kind: PrincipalKind,
    /// A name for people.
    pub name: String,
    /// Whose data it may touch; absent in a service's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Its roles; empty in a service's token.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Issued at, unix seconds.
    pub iat: i64,
    /// Not valid from then on, unix seconds.
    pub exp: i64,
    /// Unique.
    pub jti: String,
}

impl Claims {
    /// Whom they name.
    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal {
            kind: self.kind,
            subject: self.sub.clone(),
            name: self.name.clone(),
            tenant: self.tenant,
            roles: self.roles.clone(),
        }
    }
}
