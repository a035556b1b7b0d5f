//! Who is calling and what they may do.
//!
//! Tokens are verified here and issued by the auth service alone: it holds the signing keys, this
//! crate sees only the public ones.

mod claims;
mod keys;
mod permission;
mod principal;
mod remembered;
mod role;
mod verifier;

pub use claims::{AUDIENCE, Claims, ISSUER};
pub use keys::{FixedKeys, KeySet, KeySource};
pub use permission::Permission;
pub use principal::{Caller, Principal, PrincipalKind, platform_tenant};
pub use role::Role;
pub use verifier::Verifier;
