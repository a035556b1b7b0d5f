//! A cache, counters and wake-up calls: Redis, or in process, behind one narrow trait.
//!
//! What is in here may be gone at any time, and any call may fail with `unavailable`: callers
//! then take the slow path. Nothing that must not be lost belongs here.

mod backend;
mod cache;
mod config;
mod memory;
mod redis;

pub use backend::{Message, Subscription};
pub use cache::Cache;
pub use config::CacheConfig;
