//! Tenants.

use std::fmt;

use serde::{Deserialize, Serialize};
use swarm_proto::auth::v1 as wire;
use utoipa::ToSchema;

use super::wire::{Time, some, time};

/// A tenant to make, with its first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTenant {
    pub(crate) name: String,
    /// The name that its first administrator logs in with.
    pub(crate) admin_username: String,
    /// Where it is left away, a random one is made and shown once.
    #[schema(format = Password)]
    pub(crate) admin_password: Option<String>,
}

/// A tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    /// The random password of its first administrator: in the answer to its making, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admin_password: Option<String>,
}

impl From<wire::Tenant> for Tenant {
    fn from(tenant: wire::Tenant) -> Self {
        Self {
            id: tenant.id,
            name: tenant.name,
            created_at: time(tenant.created_at),
            admin_password: None,
        }
    }
}

impl Tenant {
    /// With the password of the answer to its making, where there is one.
    pub(crate) fn with_password(mut self, password: String) -> Self {
        self.admin_password = some(password);
        self
    }
}

super::secretive!(NewTenant, Tenant);
