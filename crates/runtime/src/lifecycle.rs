//! The one owner of shutdown.
//!
//! Two stages: *soft* ends the intake (servers accept nothing new, loops take no new work), and
//! running work goes on; *hard* ends what still runs, after the grace time or a second signal.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use swarm_errors::Result;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::signals::Signals;
use crate::{ExitStatus, Failure};

/// How long a task may take to end once the hard stop has come.
const HARD_LIMIT: Duration = Duration::from_secs(2);

/// What a task's own end means for the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExit {
    /// Its failure, or its end before the order to stop, stops the process.
    Stop,
    /// Its failure is logged, the process goes on.
    Log,
}

/// Starts named tasks and stops them. Clones share the life.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    grace: Duration,
    soft: CancellationToken,
    hard: CancellationToken,
    work: TaskTracker,
    last: TaskTracker,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    running: BTreeMap<u64, (&'static str, Option<AbortHandle>)>,
    failures: Vec<Failure>,
}

impl Lifecycle {
    /// A life whose running work gets `grace` to finish once it is to stop.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        let soft = CancellationToken::new();
        Self {
            inner: Arc::new(Inner {
                grace,
                soft,
                hard: CancellationToken::new(),
                work: TaskTracker::new(),
                last: TaskTracker::new(),
                state: Mutex::default(),
            }),
        }
    }

    /// Cancelled when no new work may start.
    #[must_use]
    pub fn soft(&self) -> CancellationToken {
        self.inner.soft.clone()
    }

    /// Cancelled when running work must end at once.
    #[must_use]
    pub fn hard(&self) -> CancellationToken {
        self.inner.hard.clone()
    }

    /// Runs `task`, which must end when [`Self::soft`] is cancelled and its running work is done,
    /// or when [`Self::hard`] is.
    pub fn spawn(
        &self,
        name: &'static str,
        on_exit: OnExit,
        task: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        self.spawn_on(&self.inner.work, name, on_exit, task);
    }

    /// Runs `task` until everything else has ended, and so until [`Self::hard`] is cancelled: for
    /// what others need until their end, such as the admin port.
    pub fn spawn_last(
        &self,
        name: &'static str,
        on_exit: OnExit,
        task: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        self.spawn_on(&self.inner.last, name, on_exit, task);
    }

    /// Begins the soft stop. [`Self::wait`] or [`Self::stopped`] then see it through.
    pub fn shutdown(&self) {
        self.inner.soft.cancel();
    }

    /// Shuts down and waits for the end: what a test does with a service it started.
    pub async fn stop(&self) -> ExitStatus {
        self.shutdown();
        self.stopped().await
    }

    /// Ends every task where it stands, as a crash would. Nothing is drained.
    pub fn kill(&self) {
        self.inner.soft.cancel();
        self.inner.hard.cancel();
        self.abort_running();
    }

    /// Waits for SIGTERM, SIGINT, [`Self::shutdown`] or the end of a task that must not end, then
    /// for everything to stop. A second signal brings the hard stop at once.
    pub async fn wait(&self) -> ExitStatus {
        let signals = Signals::listen().unwrap_or_else(|error| {
            tracing::error!(%error, "signals cannot be caught, so nothing will be drained");
            Signals::None
        });
        self.drive(signals).await
    }

    /// As [`Self::wait`], but deaf to signals: for one of several lives in a process.
    pub async fn stopped(&self) -> ExitStatus {
        self.drive(Signals::None).await
    }

    pub(crate) async fn drive(&self, mut signals: Signals) -> ExitStatus {
        tokio::select! {
            () = self.inner.soft.cancelled() => {}
            signal = signals.next() => {
                tracing::info!(signal, "stopping");
                self.shutdown();
            }
        }
        self.inner.work.close();
        self.inner.last.close();
        self.drain(&mut signals).await;
        self.inner.hard.cancel();
        let ended = async {
            self.inner.work.wait().await;
            self.inner.last.wait().await;
        };
        let aborted = match tokio::time::timeout(HARD_LIMIT, ended).await {
            Ok(()) => Vec::new(),
            Err(_) => self.abort_running(),
        };
        if !aborted.is_empty() {
            tracing::error!(
                tasks = aborted.join(", "),
                "tasks did not end and were aborted"
            );
        }
        ExitStatus {
            failures: self.state().failures.clone(),
            aborted,
        }
    }

    /// Until all work is done, the grace time is over, or someone insists.
    async fn drain(&self, signals: &mut Signals) {
        let reason = tokio::select! {
            () = self.inner.work.wait() => return,
            () = self.inner.hard.cancelled() => return,
            () = tokio::time::sleep(self.inner.grace) => "the grace time is over",
            signal = signals.next() => signal,
        };
        let names: Vec<_> = self
            .state()
            .running
            .values()
            .map(|(name, _)| *name)
            .collect();
        tracing::warn!(reason, tasks = names.join(", "), "stopping hard");
    }

    fn spawn_on(
        &self,
        tracker: &TaskTracker,
        name: &'static str,
        on_exit: OnExit,
        task: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        let id = {
            let mut state = self.state();
            state.next += 1;
            let id = state.next;
            state.running.insert(id, (name, None));
            id
        };
        let this = self.clone();
        let handle = tracker.spawn(async move {
            // Also when it is aborted.
            let _running = Running {
                lifecycle: this.clone(),
                id,
            };
            let end = AssertUnwindSafe(task).catch_unwind().await;
            this.ended(name, on_exit, end);
        });
        if let Some((_, abort)) = self.state().running.get_mut(&id) {
            *abort = Some(handle.abort_handle());
        }
    }

    fn ended(&self, name: &'static str, on_exit: OnExit, end: std::thread::Result<Result<()>>) {
        let is_stopping = self.inner.soft.is_cancelled();
        let reason = match end {
            Ok(Ok(())) if is_stopping || on_exit == OnExit::Log => {
                tracing::debug!(task.name = name, "task ended");
                return;
            }
            Ok(Ok(())) => "it ended before the process was to stop".to_owned(),
            Ok(Err(error)) => error.chain(),
            Err(panic) => format!("it panicked: {}", panic_message(panic.as_ref())),
        };
        match on_exit {
            OnExit::Log => tracing::warn!(task.name = name, reason, "task failed"),
            OnExit::Stop => {
                tracing::error!(task.name = name, reason, "task failed, the process stops");
                self.state().failures.push(Failure { task: name, reason });
                self.shutdown();
            }
        }
    }

    fn abort_running(&self) -> Vec<&'static str> {
        let running: Vec<_> = self.state().running.values().cloned().collect();
        running
            .into_iter()
            .map(|(name, abort)| {
                if let Some(abort) = abort {
                    abort.abort();
                }
                name
            })
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the task off the list of those that run.
struct Running {
    lifecycle: Lifecycle,
    id: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lifecycle.state().running.remove(&self.id);
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
#[path = "lifecycle_test.rs"]
mod tests;
