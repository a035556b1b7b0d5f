//! agent-manager: agents, their tasks, the durable journal, events and messages.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`activity`] | rates and latencies over a sliding window |
//! | [`tasks`], [`agents`], [`journal`], [`messages`], [`schedules`] | words and pure rules |
//! | [`events`] | events, the hub that wakes watchers, watches |
//! | [`engine`] | queue, leases, journal, recovery, and [`engine::TaskContext`], all that an executor sees |
//! | `scheduling` | whose turn it is, and how long a queue may be: pure rules |
//! | [`work`] | what agents do: the executor |
//! | [`store`] | the only place that speaks SQL |

pub mod activity;
pub mod agents;
mod app;
mod config;
pub mod engine;
pub mod events;
mod grpc;
pub mod journal;
pub mod messages;
mod metrics;
mod peers;
mod program;
pub mod schedules;
mod scheduling;
pub mod store;
pub mod tasks;
mod wakes;
pub mod work;

pub use app::{App, Parts, Sockets, build, build_with};
pub use config::{AgentManagerConfig, Config};
pub use program::Program;
pub use store::SCHEMA;
