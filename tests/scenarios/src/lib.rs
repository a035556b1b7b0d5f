//! What several stories need: a swarm with a scripted model, and readings of its journal.
//!
//! For tests only, so a failure here is a panic that says what is wrong.
#![allow(clippy::unwrap_used)]

pub mod command;
mod journal;
mod sample;
mod swarm;
mod terminal;
mod traces;

pub use journal::{Journal, events_of};
pub use sample::{Sampler, Words};
pub use swarm::{ANSWER, QUESTION, Swarm, WRONG_ANSWER, script, slow_script};
pub use terminal::Terminal;
pub use traces::{Collector, Span};
