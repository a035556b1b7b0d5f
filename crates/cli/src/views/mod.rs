//! What commands show of the API's answers, as lines for a screen of some width: pure.

mod agents;
mod answer;
mod events;
mod lists;
mod proposals;
mod recalled;
mod schedules;
mod task_tree;
mod usage;

pub(crate) use agents::state_style;
pub use agents::{agent, agents};
pub use answer::answer;
pub use events::event;
pub use lists::{api_keys, dead_letters, health, inbox, memories, tasks, tenants, users};
pub use proposals::{proposal, proposals};
pub use schedules::{schedule, schedules};
pub use task_tree::task_tree;
pub use usage::usage;

#[cfg(test)]
mod tests;
