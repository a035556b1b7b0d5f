//! The public JSON, one file a resource: what is read from callers and what is shown to them.
//!
//! Conversions from the wire never fail: what a service has answered is shown as well as it can be.

/// What holds a secret prints as its name alone.
macro_rules! secretive {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
pub(crate) use secretive;

pub(crate) mod agents;
pub(crate) mod dead_letters;
pub(crate) mod learning;
pub(crate) mod memories;
pub(crate) mod messages;
pub(crate) mod overview;
pub(crate) mod page;
pub(crate) mod problem;
pub(crate) mod proposals;
pub(crate) mod retry;
pub(crate) mod schedules;
pub(crate) mod sessions;
pub(crate) mod system;
pub(crate) mod task_params;
pub(crate) mod tasks;
pub(crate) mod tenants;
pub(crate) mod wire;
