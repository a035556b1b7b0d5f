//! The durable engine on both databases, with executors of the tests' own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod agents;
mod backlog;
mod batches;
mod bounds;
mod cancel;
mod compact;
mod dead_letters;
mod deadlines;
mod delays;
mod dependencies;
mod endless;
mod events;
mod exporter;
mod fairness;
mod fencing;
mod forks;
mod journal;
mod keys;
mod lane;
mod letters;
mod messages;
mod outage;
mod overview;
mod pools;
mod recovery;
mod replica;
mod retries;
mod retry_by_hand;
mod rig;
mod schedules;
mod slow;
mod stopping;
mod stranded;
mod subtasks;
mod takeover;
