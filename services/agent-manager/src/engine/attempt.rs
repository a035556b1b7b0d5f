//! One attempt of one task, from the claim to its end.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::Value;
use swarm_errors::{Code, Error, Result};
use swarm_telemetry::propagate;
use tokio::sync::OwnedSemaphorePermit;
use tracing::{Instrument as _, Span};

use super::lease::Ticket;
use super::live::Entry;
use super::persist::persist;
use super::retry::Failed;
use super::telling::Unborn;
use super::{Engine, TaskContext, is_stopped};
use crate::agents::AgentRecord;
use crate::store::agents;
use crate::store::tasks::{self, Fence, Outcome};
use crate::tasks::{TaskFailure, TaskRecord, TaskState};

/// A task that this process has just taken.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) task: TaskRecord,
    pub(super) agent: Option<AgentRecord>,
    pub(super) ticket: Arc<Ticket>,
    pub(super) permit: OwnedSemaphorePermit,
    /// It is not in the store yet: that comes with its first step.
    pub(super) unborn: Option<Unborn>,
}

impl Engine {
    /// Runs the task's executor, on its own.
    pub(super) fn launch(self: &Arc<Self>, hold: Hold) {
        let Some(stop) = self.stop.get() else { return };
        let entry = Entry {
            fence: Fence::from(&hold.task),
            group: hold.ticket.group,
            deadline: hold.task.deadline,
            cancel: stop.hard.child_token(),
            stopped: swarm_runtime::CancellationToken::new(),
        };
        self.live.insert(entry.clone());
        let span = span_of(&hold.task);
        let engine = self.clone();
        self.attempts.spawn(
            async move {
                engine.attempt(hold, &entry).await;
                engine.live.remove(entry.fence);
                entry.stopped.cancel();
                // The worker's place and the agent's are free.
                engine.work.notify_one();
                engine.room.notify_waiters();
            }
            .instrument(span),
        );
    }

    /// Runs the task if the transaction that took it was committed after all: its answer was lost.
    /// The ticket keeps the lease meanwhile.
    pub(super) fn launch_if_taken(self: &Arc<Self>, mut task: TaskRecord, ticket: Arc<Ticket>) {
        let Some(stop) = self.stop.get() else { return };
        let (engine, give_up) = (self.clone(), stop.hard.clone());
        self.attempts.spawn(async move {
            let Fence {
                tenant,
                task: id,
                epoch,
            } = Fence::from(&task);
            let found = persist(&give_up, || tasks::find(&engine.db, tenant, id)).await;
            let taken = found
                .ok()
                .flatten()
                .filter(|found| found.epoch == epoch && found.state == TaskState::Running);
            let Some(taken) = taken else { return };
            task = taken;
            let agent = match task.agent {
                Some(id) => persist(&give_up, || agents::get(&engine.db, tenant, id))
                    .await
                    .ok(),
                None => None,
            };
            let Ok(permit) = engine.workers.clone().acquire_owned().await else {
                return;
            };
            engine.launch(Hold {
                task,
                agent,
                ticket,
                permit,
                unborn: None,
            });
        });
    }

    async fn attempt(self: &Arc<Self>, hold: Hold, entry: &Entry) {
        let Hold {
            task,
            agent,
            ticket,
            permit,
            unborn,
        } = hold;
        let context = TaskContext::new(
            self.clone(),
            task,
            agent,
            entry.cancel.clone(),
            permit,
            unborn,
        );
        let work = async {
            let work = AssertUnwindSafe(self.executor.execute(context.clone())).catch_unwind();
            let end = work.await;
            if context.is_handed_over() {
                context.settle_up().await?;
                return self.hand_over(entry).await;
            }
            self.conclude(&context, entry, end).await
        };
        let outcome = tokio::select! {
            biased;
            () = entry.cancel.cancelled() => Ok(()),
            outcome = work => outcome,
            never = context.tell_when_idle() => match never {},
        };
        if let Err(error) = outcome
            && !is_stopped(&error)
        {
            tracing::error!(error = %error.chain(), "the end of a task could not be written");
        }
        if context.is_in_doubt() {
            self.launch_if_taken(context.task().clone(), ticket);
        }
    }

    async fn conclude(
        self: &Arc<Self>,
        context: &TaskContext,
        entry: &Entry,
        end: std::thread::Result<Result<Value>>,
    ) -> Result<()> {
        let result = match end {
            Ok(Err(error)) if is_stopped(&error) && entry.cancel.is_cancelled() => return Ok(()),
            Ok(result) => result.and_then(|result| {
                match self.within_bounds("the task's result", &result) {
                    Err(error) if error.code() == Code::TooLarge => Err(error),
                    // What else is against it is found out when it is written.
                    _ => Ok(result),
                }
            }),
            Err(panic) => {
                let words = panic_message(panic.as_ref());
                tracing::error!(panic = words, "the executor panicked");
                Err(Error::internal(format!("panic: {words}")))
            }
        };
        let outcome = match result {
            Ok(result) => Outcome::Completed(result),
            Err(error) => match self.after_failure(context.task(), &error) {
                Failed::Again(at, failure) => {
                    tracing::info!(error = %error.chain(), %at, "task failed and is tried again");
                    context.settle_up().await?;
                    return persist(&entry.cancel, || self.try_again(entry.fence, at, &failure))
                        .await;
                }
                Failed::End(outcome) => {
                    tracing::warn!(error = %error.chain(), "task failed");
                    outcome
                }
            },
        };
        match self.write_end(context, entry, &outcome).await {
            // What the store refuses, such as U+0000, must not leave the task without an end.
            Err(error) if error.code() == Code::InvalidArgument => {
                let failure = TaskFailure {
                    code: Code::Internal.as_str().to_owned(),
                    detail: format!("the result cannot be stored: {}", error.detail()),
                };
                self.write_end(context, entry, &Outcome::Failed(failure))
                    .await
            }
            written => written,
        }
    }

    async fn write_end(
        self: &Arc<Self>,
        context: &TaskContext,
        entry: &Entry,
        outcome: &Outcome,
    ) -> Result<()> {
        if let Some(task) = context.tell_end(outcome).await? {
            self.after_end(&task, &[]);
            return Ok(());
        }
        context.settle_up().await?;
        persist(&entry.cancel, || self.end_task(entry.fence, outcome))
            .await
            .map(drop)
    }
}

/// A first attempt belongs to the trace that submitted the task; a take-over only links to it.
fn span_of(task: &TaskRecord) -> Span {
    let name = if task.role.is_empty() {
        &task.spec.strategy.name
    } else {
        &task.role
    };
    let span = tracing::info_span!(
        parent: None,
        "task",
        otel.name = %format_args!("task {name}"),
        task.id = %task.id,
        task.root = %task.root,
        task.kind = %task.spec.kind,
        task.role = %task.role,
        task.epoch = task.epoch,
    );
    if let Some(traceparent) = &task.traceparent {
        if task.epoch == 1 {
            propagate::set_parent_text(&span, traceparent);
        } else {
            propagate::link(&span, traceparent);
        }
    }
    span
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
