//! Tenants.

use std::fmt;

use serde::{Deserialize, Serialize};
use swarm_types::Timestamp;

/// A tenant to make, with its first administrator.
#[derive(Clone, Default, Serialize)]
pub struct NewTenant {
    /// Its name, unique.
    pub name: String,
    /// The name that its first administrator logs in with, unique among all tenants.
    pub admin_username: String,
    /// Where there is none, a random one is made and shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_password: Option<String>,
}

impl fmt::Debug for NewTenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTenant")
            .field("name", &self.name)
            .field("admin_username", &self.admin_username)
            .finish_non_exhaustive()
    }
}

/// A tenant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The random password of its first administrator, in the answer to its making alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_password: Option<String>,
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
