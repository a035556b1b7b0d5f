//! The platform in this process, and the program `swarm` as a user has it.
#![allow(clippy::unwrap_used)]

mod accounts;
mod commands;
mod demo;
mod platform;
mod program;
mod schedules;
mod stage;
