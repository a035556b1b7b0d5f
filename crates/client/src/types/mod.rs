//! The public JSON as plain structs, one file a resource. Ids are texts such as `task_01k9...`.

pub(crate) mod agents;
pub(crate) mod learning;
pub(crate) mod memories;
pub(crate) mod messages;
pub(crate) mod overview;
pub(crate) mod proposals;
pub(crate) mod retry;
pub(crate) mod schedules;
pub(crate) mod sessions;
pub(crate) mod system;
pub(crate) mod tasks;
pub(crate) mod tenants;
