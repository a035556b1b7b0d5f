//! Who is calling.

use serde::{Deserialize, Serialize};
use swarm_errors::{Code, Error, Result};
use swarm_types::TenantId;

use crate::{Permission, Role};

/// The tenant of the first start, whose administrators are those of the platform.
#[must_use]
pub fn platform_tenant() -> TenantId {
    TenantId::derived(&["default"])
}

/// What kind of principal it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A program with an API key.
    ApiKey,
    /// One of the six services.
    Service,
}

/// A verified identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What kind it is.
    pub kind: PrincipalKind,
    /// The user's or key's id, or the service's name.
    pub subject: String,
    /// A name for people.
    pub name: String,
    /// Whose data it may touch; `None` for a service that acts for no tenant.
    pub tenant: Option<TenantId>,
    /// Its roles.
    pub roles: Vec<Role>,
}

impl Principal {
    /// Whether it may do this.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        match self.kind {
            PrincipalKind::Service => permission.allowed_to_services(),
            PrincipalKind::User | PrincipalKind::ApiKey => permission.allowed_to(&self.roles),
        }
    }

    /// Whether it administers the platform and not just one tenant.
    #[must_use]
    pub fn is_platform_administrator(&self) -> bool {
        self.tenant == Some(platform_tenant()) && self.may(Permission::TenantsRead)
    }

    /// Fails unless it may do this.
    ///
    /// # Errors
    /// `permission_denied`, which names the permission.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.may(permission) {
            return Ok(());
        }
        Err(Error::new(
            Code::PermissionDenied,
            format!("it needs the permission {permission}"),
        ))
    }
}

/// The principal for whom a call is made, with the token that proved it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// For whom.
    pub principal: Principal,
    /// The service that made the call; `None` at the gateway's own door.
    pub service: Option<String>,
    /// The principal's own token, to pass on; `None` where a service acts for a tenant.
    pub token: Option<String>,
}

impl Caller {
    /// The tenant whose data this call may touch, once the permission is checked.
    ///
    /// # Errors
    /// `permission_denied` when the permission is missing or the caller acts for no tenant.
    pub fn authorize(&self, permission: Permission) -> Result<TenantId> {
        self.principal.require(permission)?;
        self.principal
            .tenant
            .ok_or_else(|| Error::new(Code::PermissionDenied, "the call acts for no tenant"))
    }
}
