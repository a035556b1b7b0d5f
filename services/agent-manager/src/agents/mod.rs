//! Agents: what they are, their life cycle, and what is refused. Pure: no I/O in here.

mod life_cycle;
mod patch;
mod record;
mod validate;

pub use life_cycle::{AgentState, Command};
pub use patch::AgentPatch;
pub use record::{AgentKind, AgentProfile, AgentRecord, ModelSettings};
pub use validate::validate;
