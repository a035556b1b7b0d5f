//! The Rust SDK of the public API: what the command line, the demo and the scenario tests use.
//!
//! ```no_run
//! # async fn example() -> swarm_errors::Result<()> {
//! use futures::StreamExt;
//! use swarm_client::{Client, NewTask, Watched};
//!
//! let client = Client::new("http://127.0.0.1:3000")?.login("admin", "secret").await?;
//! let task = client.submit_task(&NewTask::question("What is a quorum?")).await?;
//! let mut events = std::pin::pin!(client.watch(&format!("tasks/{}", task.id), None));
//! while let Some(update) = events.next().await {
//!     if let Watched::Event(update) = update? {
//!         // One event of the task, in order and each once, over any number of reconnects.
//!         drop(update.event);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod client;
mod credentials;
mod frames;
mod patience;
mod resources;
mod types;
mod watch;

pub use client::Client;
pub use types::agents::{Agent, AgentPatch, ModelSettings, NewAgent};
pub use types::learning::{ArmStatistics, NewFeedback, Policies};
pub use types::memories::{Memory, NewMemory, Search, SearchFilter, SearchHit, SearchResults, Why};
pub use types::messages::{Message, NewMessage};
pub use types::overview::{
    Activity, AgentOverview, AgentWork, Latency, Overview, QueueOverview, ReplicaOverview,
    TenantOverview,
};
pub use types::proposals::{
    Ballot, Cast, Dissent, NewProposal, NewVote, OptionTally, OptionVote, Proposal, ProposalOption,
    Tally,
};
pub use types::retry::{Backoff, Fork, Purge, RetryPolicy};
pub use types::schedules::{CatchUp, NewSchedule, Schedule, ScheduledTask, Tick};
pub use types::sessions::{ApiKey, Identity, NewApiKey, NewUser, Tokens, User};
pub use types::system::{ConsensusStatus, Counted, ServiceHealth, SystemHealth, SystemState};
pub use types::tasks::{
    Event, NewTask, Step, Strategy, Task, TaskError, TaskState, TaskTree, Usage,
};
pub use types::tenants::{NewTenant, Tenant};
pub use watch::{TopicEvent, Watched};
