//! The journal: what a task did, step by step, so that a crash repeats nothing that was finished.

mod replay;
mod step;

pub use replay::{Replay, replay};
pub use step::{Safety, StepDone, StepKind, StepRecord, StepSpec, StepState};
