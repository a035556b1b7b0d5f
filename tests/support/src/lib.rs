//! What tests of several packages need: real servers, fresh databases, and waiting for a state.
//!
//! For tests only, so a failure here is a panic that says what is missing.
#![allow(clippy::unwrap_used)]

pub mod database;
mod eventually;
pub mod identity;
pub mod ledger;
pub mod lost_answers;
pub mod postgres;
mod process;
mod programs;
pub mod redis;

pub use eventually::{Outcome, eventually};
