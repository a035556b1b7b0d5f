//! The durable engine on both databases, with executors of the tests' own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod agents;
mod backlog;
mod cancel;
mod deadlines;
mod events;
mod exporter;
mod fairness;
mod fencing;
mod journal;
mod keys;
mod letters;
mod messages;
mod overview;
mod recovery;
mod replica;
mod rig;
mod schedules;
mod stopping;
mod stranded;
mod subtasks;
mod takeover;
