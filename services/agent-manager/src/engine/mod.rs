//! The durable engine: queue, leases, journal, recovery.
//!
//! Every transaction takes its locks in one order: the lease group, then pools with a bound, then
//! tasks from the root down, then agents, then the tenants' counters.

mod accept;
mod activity;
mod admission;
mod agents;
mod attempt;
mod batch;
mod bounds;
mod brings;
mod cancel;
mod claim;
mod compact;
mod config;
mod context;
mod core;
mod dead_letters;
mod dependents;
mod due;
mod end;
mod endings;
mod executor;
mod exporter;
mod failure;
mod flush;
mod fork;
mod handle;
mod history;
mod lane;
mod lease;
mod lines;
mod live;
mod messages;
mod outbox;
mod overview;
mod parking;
mod persist;
mod pools;
mod predecessors;
mod query;
mod recovery;
mod retry;
mod schedules;
mod sight;
mod step;
mod stopping;
mod submit;
mod sweep;
mod telling;
mod waiting;

pub(crate) use activity::Tracker;
pub use batch::{Batch, BatchItem};
pub use config::EngineConfig;
pub use context::TaskContext;
pub use core::Engine;
pub use dead_letters::{Purge, PurgeWhich};
pub use executor::Executor;
pub use failure::{is_fenced_out, is_outcome_unknown, is_stopped, outcome_unknown};
pub use fork::{Fork, ForkPoint};
pub use handle::StepHandle;
pub use messages::Sending;
pub use outbox::{Courier, LEARNING, Letter, MEMORY};
pub use overview::{Overview, ReplicaOverview, TenantOverview};
pub use query::TaskTree;
pub use retry::Again;
pub use submit::Submission;

pub use crate::scheduling::Weights;
