//! Events: what happened, in order, and who wants to know at once.

mod event;
mod hub;
mod mailbox;
mod watch;

pub use event::{EventRecord, NewEvent};
pub use hub::{Hub, Signal, Subscription, Topic, Wake};
pub use watch::{Scope, Watched, watch};
