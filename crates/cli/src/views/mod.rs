//! What commands show of the API's answers, as lines for a screen of some width: pure.

mod agents;
mod answer;
mod lists;
mod proposals;
mod recalled;
mod task_tree;
mod usage;

pub use agents::{agent, agents};
pub use answer::answer;
pub use lists::{api_keys, health, inbox, memories, tasks, users};
pub use proposals::{proposal, proposals};
pub use task_tree::task_tree;
pub use usage::usage;

#[cfg(test)]
mod tests;
