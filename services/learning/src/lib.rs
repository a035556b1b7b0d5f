//! What was learned from outcomes: counts of what happened, and choices drawn from them.

mod app;
pub mod choice;
mod config;
mod grpc;
pub mod observations;
mod program;
pub mod store;

pub use app::{App, Sockets, build, build_with};
pub use config::{Config, LearningConfig};
pub use program::Program;
pub use store::SCHEMA;
