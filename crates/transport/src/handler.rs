//! What a handler asks of its request.

use swarm_errors::{Code, Error, Result};
use swarm_identity::{Caller, Permission};
use swarm_types::TenantId;
use tonic::Request;

/// The caller, as the identity layer found it.
///
/// # Errors
/// `unauthenticated` where the layer let the call pass without one.
pub fn caller<T>(request: &Request<T>) -> Result<Caller> {
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| Error::new(Code::Unauthenticated, "the call bears no identity"))
}

/// The caller and the tenant whose data the call may touch, once the permission is checked.
///
/// # Errors
/// `unauthenticated` or `permission_denied`.
pub fn authorize<T>(request: &Request<T>, permission: Permission) -> Result<(Caller, TenantId)> {
    let caller = caller(request)?;
    let tenant = caller.authorize(permission)?;
    Ok((caller, tenant))
}
