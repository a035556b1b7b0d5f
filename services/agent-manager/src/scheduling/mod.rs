//! The rules of the scheduler, apart from tasks, threads and tables.

mod backlog;
mod fair;

pub(crate) use backlog::{Backlog, Verdict};
pub use fair::Weights;
pub(crate) use fair::{Fair, HEAVIEST, Lane, Turn};
