//! The server's layers, one a file.

mod identity;
mod metrics;
mod trace;

pub use identity::{Identify, IdentifyLayer};
pub use metrics::{Measure, MeasureLayer};
pub use trace::{Trace, TraceLayer};

/// Service and method of a path such as `/swarm.agents.v1.TaskService/SubmitTask`.
pub(crate) fn rpc_of(path: &str) -> (&str, &str) {
    path.trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path, ""))
}
