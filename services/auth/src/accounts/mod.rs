//! Who exists: tenants, their people, and credentials for their programs.

mod api_keys;
mod grant;
mod names;
mod tenants;
mod users;

pub(crate) use api_keys::{ApiKeys, NewApiKey};
pub(crate) use grant::check_roles;
pub(crate) use names::{check_name, check_username};
pub(crate) use tenants::{NewTenant, Tenants};
pub(crate) use users::{NewUser, Users, password_request};

use swarm_errors::{Code, Error};

/// The name of `field` belongs to another.
fn taken(field: &str) -> Error {
    Error::new(Code::Conflict, format!("{field}: is taken")).with_field(field, "is taken")
}
