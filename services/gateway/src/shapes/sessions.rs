//! Sessions, users and API keys.

use std::fmt;

use serde::{Deserialize, Serialize};
use swarm_proto::auth::v1 as wire;
use utoipa::ToSchema;

use super::wire::{Time, some, time};

/// What a principal is to the platform; each role has what those before it have.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Viewer,
    Developer,
    Operator,
    Admin,
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// For the wire.
    pub(crate) fn words(roles: &[Self]) -> Vec<String> {
        roles.iter().map(|role| role.word().to_owned()).collect()
    }
}

/// A name and its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    #[schema(example = "admin")]
    pub(crate) username: String,
    #[schema(format = Password)]
    pub(crate) password: String,
}

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    #[schema(format = Password)]
    pub(crate) current_password: String,
    #[schema(format = Password)]
    pub(crate) new_password: String,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshToken {
    #[schema(format = Password)]
    pub(crate) refresh_token: String,
}

/// An OAuth 2.0 grant of client credentials, whose client is an API key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientCredentials {
    /// `client_credentials`.
    #[schema(example = "client_credentials")]
    pub(crate) grant_type: String,
    /// The id of the API key, or the start of its secret. It may come in the Authorization header.
    pub(crate) client_id: Option<String>,
    /// The secret of the API key. It may come in the Authorization header.
    #[schema(format = Password)]
    pub(crate) client_secret: Option<String>,
}

/// Tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: u32,
    /// Absent where a token cannot be refreshed.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl From<wire::Tokens> for Tokens {
    fn from(tokens: wire::Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            refresh_token: some(tokens.refresh_token),
        }
    }
}

/// Who is calling.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Identity {
    /// The id of the user or API key.
    pub(crate) id: String,
    /// `user` or `api_key`.
    pub(crate) kind: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_id: Option<String>,
    pub(crate) roles: Vec<String>,
    /// What they may do, such as `tasks:write`.
    pub(crate) permissions: Vec<&'static str>,
}

/// A user to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    pub(crate) username: String,
    #[schema(format = Password)]
    pub(crate) password: String,
    pub(crate) roles: Vec<Role>,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    pub(crate) id: String,
    username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<String>,
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
}

impl From<wire::User> for User {
    fn from(user: wire::User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            tenant_id: some(user.tenant_id),
            roles: user.roles,
            created_at: time(user.created_at),
        }
    }
}

/// An API key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiKey {
    pub(crate) name: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) expires_at: Option<Time>,
}

/// An API key.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    name: String,
    /// The start of the secret, by which it is recognised.
    prefix: String,
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Time>,
    /// The secret: in the answer to its making, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

impl From<wire::ApiKey> for ApiKey {
    fn from(key: wire::ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            roles: key.roles,
            created_at: time(key.created_at),
            expires_at: time(key.expires_at),
            revoked_at: time(key.revoked_at),
            secret: None,
        }
    }
}

super::secretive!(
    Login,
    NewPassword,
    RefreshToken,
    ClientCredentials,
    Tokens,
    NewUser,
    ApiKey
);
