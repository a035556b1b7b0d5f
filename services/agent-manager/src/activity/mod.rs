//! What happens to tasks at the moment, for people who look on: rates and latencies over a sliding
//! window. Pure, and forgotten with the process; nothing decides by it.

mod histogram;
mod seen;
mod window;

pub use histogram::Histogram;
pub use seen::{Counts, Seen, Workers};
pub use window::{RATE_SECONDS, Window};
