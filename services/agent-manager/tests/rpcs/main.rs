//! The rpcs, as the gateway calls them: tokens, roles, bad input, streams.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod agents;
mod features;
mod overview;
mod refusals;
mod schedules;
mod service;
mod tasks;
mod waits;
