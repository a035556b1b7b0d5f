//! Events: what happened, in order.

mod event;

pub use event::{EventRecord, NewEvent};
