//! What a task is: its words, its states and what it costs. Pure: no I/O in here.

mod deadline;
mod dependencies;
mod ids;
mod input;
mod json;
mod record;
mod retry;
mod spec;
mod state;
mod usage;

pub use deadline::deadline;
pub use dependencies::{Cycle, DependencyState, Predecessor, check as check_dependencies};
pub use ids::{child_task_id, step_id};
pub use input::{Document, Input, MAX_DOCUMENTS, MAX_DOCUMENTS_BYTES, MAX_PROMPT_BYTES};
pub(crate) use json::without_place;
pub use record::{NewTask, TaskFailure, TaskRecord};
pub use retry::{AfterFailure, Backoff, MAX_ATTEMPTS, Passing, RetryPolicy};
pub use spec::{SINGLE, SWARM, Strategy, TaskSpec, has_nul};
pub(crate) use state::words;
pub use state::{TaskState, WaitingReason};
pub use usage::Usage;
