//! Messages between agents: rows with a delivery state.

mod message;

pub use message::{MAX_BODY_BYTES, MessageRecord, MessageState, NewMessage};
