//! The words every service shares: typed ids, the clock, pages and priorities.
//!
//! No I/O lives here, and nothing of ours is imported. A type enters when a second service needs it.

mod clock;
mod id;
mod page;
mod priority;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use id::{
    AgentId, ApiKeyId, EventId, IdError, MemoryId, MessageId, ObservationId, ProposalId,
    ScheduleId, StepId, TaskId, TenantId, UserId,
};
pub use page::{DEFAULT_LIMIT, MAX_LIMIT, Page, PageRequest};
pub use priority::Priority;
