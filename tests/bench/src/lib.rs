//! Measures the platform beside its peers, in one run on one machine: a closed-loop load over
//! HTTP, what the servers' processes cost, and the ratios of pairs.
//!
//! A measurement that cannot be made is a panic that says why.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

pub mod dbos;
pub mod floor;
pub mod history;
pub mod http;
pub mod load;
pub mod model;
pub mod options;
pub mod ours;
pub mod postgres;
pub mod process;
pub mod report;
pub mod restate;
pub mod statistics;
pub mod usage;

/// What went wrong with one request.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
