//! The seam, on both databases: what is alike, and each trap it protects from.
#![allow(clippy::unwrap_used)]

mod batches;
mod checks;
mod errors;
mod notes;
mod opening;
mod transactions;
mod values;
