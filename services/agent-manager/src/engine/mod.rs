//! The durable engine: queue, leases, journal, recovery.

mod context;
mod executor;
mod failure;

pub use context::{StepHandle, TaskContext};
pub use executor::Executor;
pub use failure::{is_fenced_out, is_outcome_unknown, is_stopped};
