//! Sessions, users and API keys.

use std::fmt;

use serde::{Deserialize, Serialize};
use swarm_types::Timestamp;

/// What a login or a refresh gives.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Proves who is calling.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: u32,
    /// Gets the next access token; once.
    pub refresh_token: Option<String>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The id of the user or API key.
    pub id: String,
    /// `user` or `api_key`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The tenant.
    pub tenant_id: Option<String>,
    /// `admin`, `operator`, `developer`, `viewer`.
    pub roles: Vec<String>,
    /// Such as `tasks:write`.
    pub permissions: Vec<String>,
}

/// A user to make.
#[derive(Clone, Serialize)]
pub struct NewUser {
    /// The name to log in with.
    pub username: String,
    /// The password.
    pub password: String,
    /// The roles.
    pub roles: Vec<String>,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser")
            .field("username", &self.username)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: String,
    /// The name to log in with.
    pub username: String,
    /// The tenant.
    pub tenant_id: Option<String>,
    /// The roles.
    pub roles: Vec<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// An API key to make.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewApiKey {
    /// For people.
    pub name: String,
    /// The roles.
    pub roles: Vec<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An API key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// The start of the secret.
    pub prefix: String,
    /// The roles.
    pub roles: Vec<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The secret, in the answer to its making alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("prefix", &self.prefix)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}
