//! Outcomes of tasks, and what they add up to.

mod tally;

pub use tally::{Delta, Observation, Tally};
