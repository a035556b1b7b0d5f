//! For whom a call is made, and how that travels.

use swarm_errors::{Error, Result};
use swarm_identity::{Caller, PrincipalKind};
use swarm_types::TenantId;
use tonic::Request;
use tonic::metadata::MetadataValue;

use crate::Deadline;

/// Metadata key of the token of the person or program for whom a service calls.
pub(crate) const ON_BEHALF_OF: &str = "x-on-behalf-of";
/// Metadata key of the tenant for which a service acts by its own token.
pub(crate) const TENANT: &str = "x-swarm-tenant";

/// For whom a service makes a call.
#[derive(Debug, Clone)]
pub enum Acting {
    /// For a caller, by the token that it brought.
    For(Caller),
    /// For the tenant that owns a long task, by the service's own token.
    Tenant(TenantId),
    /// For nobody but the service.
    Itself,
}

impl From<&Caller> for Acting {
    fn from(caller: &Caller) -> Self {
        match (
            &caller.token,
            caller.principal.kind,
            caller.principal.tenant,
        ) {
            (None, PrincipalKind::Service, Some(tenant)) => Self::Tenant(tenant),
            (None, PrincipalKind::Service, None) => Self::Itself,
            _ => Self::For(caller.clone()),
        }
    }
}

/// A request that says for whom it is made and ends by its deadline.
///
/// # Errors
/// When the caller's token cannot travel, which is a fault of ours.
pub fn request<T>(acting: &Acting, deadline: Deadline, message: T) -> Result<Request<T>> {
    let mut request = Request::new(message);
    request.set_timeout(deadline.left());
    let pair = match acting {
        Acting::For(caller) => {
            let token = caller
                .token
                .as_deref()
                .ok_or_else(|| Error::internal("a caller without a token"))?;
            Some((ON_BEHALF_OF, token.to_owned()))
        }
        Acting::Tenant(tenant) => Some((TENANT, tenant.to_string())),
        Acting::Itself => None,
    };
    if let Some((key, value)) = pair {
        let value = MetadataValue::try_from(value).map_err(Error::internal)?;
        request.metadata_mut().insert(key, value);
    }
    Ok(request)
}
