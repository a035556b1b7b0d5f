//! Decisions that many take and nobody can take back: proposals, ballots and tallies in a
//! replicated log.
//!
//! - `voting/` holds the rules, which are pure;
//! - `raft/` holds the log and its disk, and is alone in knowing openraft;
//! - `grpc/` decodes, authorizes and encodes;
//! - `deadlines` ends proposals in time.

mod app;
mod config;
mod deadlines;
mod grpc;
mod metrics;
mod program;
mod raft;
mod voting;

pub use app::{App, Sockets, build, build_with};
pub use config::{Config, ConsensusConfig};
pub use program::Program;
