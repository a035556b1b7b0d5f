//! The rules of the edge: what is refused, with which words, and that nothing of it reaches a service.
//!
//! Behind the gateway stands a recorder in place of the five services. How the real ones work
//! together is told by the scenarios.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod client_watch;
mod completeness;
mod credentials;
mod door;
mod drain;
mod events;
mod forwarding;
mod limits;
mod openapi;
mod recorder;
mod reruns;
mod schedules;
mod shared;
mod socket;
mod websocket;
