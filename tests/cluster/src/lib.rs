//! A whole platform for a test, made of the real programs.
//!
//! For tests only, so a failure here is a panic that says what is wrong.
#![allow(clippy::unwrap_used)]

mod builder;
mod cluster;
mod gate;
mod http;
mod node;
mod ports;
mod program;

pub use builder::Builder;
pub use cluster::{Cluster, Shape};
pub use gate::Gate;
pub use http::http;
pub use node::{Node, Service};
pub use program::path_of;
