//! The promises as user stories; one module a story.
#![allow(clippy::unwrap_used)]

#[path = "stories/answer.rs"]
mod answer;
#[path = "stories/busy.rs"]
mod busy;
#[path = "stories/cancel.rs"]
mod cancel;
#[path = "stories/crash.rs"]
mod crash;
#[path = "stories/demo.rs"]
mod demo;
#[path = "stories/doors.rs"]
mod doors;
#[path = "stories/failover.rs"]
mod failover;
#[path = "stories/follow.rs"]
mod follow;
#[path = "stories/full_queue.rs"]
mod full_queue;
#[path = "stories/isolation.rs"]
mod isolation;
#[path = "stories/lost_answers.rs"]
mod lost_answers;
#[path = "stories/postgres.rs"]
mod postgres;
#[path = "stories/promises.rs"]
mod promises;
#[path = "stories/replicas.rs"]
mod replicas;
#[path = "stories/start.rs"]
mod start;
#[path = "stories/top.rs"]
mod top;
#[path = "stories/trace.rs"]
mod trace;
#[path = "stories/webhooks.rs"]
mod webhooks;
