//! Follows events of agent-manager over any number of lost connections, without loss and without
//! doubles: every answer moves a position, and a new stream starts behind it.

mod pace;
mod position;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use swarm_errors::{Code, Error, Result};
use swarm_proto::agents::v1::task_service_client::TaskServiceClient;
use swarm_proto::agents::v1::{GetTaskRequest, TaskState, WatchEventsRequest, WatchEventsResponse};
use swarm_transport::{Acting, Deadline, Peer, Retry, call, request};
use tonic::Streaming;

use crate::gateway::Gateway;
pub(crate) use pace::paced;
pub(crate) use position::{Position, Scope, Start, Update};
pub(crate) use shared::{Shared, follow_tenant};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// A fault of a service is given up on after this many tries in a row; absence never is.
const MOST_FAULTS: u32 = 5;

/// What to follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    pub(crate) scope: Scope,
    pub(crate) start: Start,
    /// Whether tokens are wanted too.
    pub(crate) ephemeral: bool,
}

/// The updates of a watch. The last one is [`Update::Ended`] or [`Update::Failed`].
pub(crate) fn follow(
    gateway: Arc<Gateway>,
    acting: Acting,
    watch: Watch,
) -> impl Stream<Item = Update> + Send {
    async_stream::stream! {
        let client = match gateway.peers.watching() {
            Ok(client) => client,
            Err(error) => {
                yield Update::Failed(error);
                return;
            }
        };
        let mut source = Source { client, acting, watch, position: Position::new(watch.scope, watch.start), faults: 0, tries: 0 };
        let mut ended_before = false;
        loop {
            let failure = match source.open().await {
                Ok(mut stream) => loop {
                    match stream.message().await {
                        Ok(Some(answer)) => {
                            source.is_well();
                            for update in source.position.take(answer) {
                                yield update;
                            }
                        }
                        Ok(None) => break None,
                        Err(status) => break Some(Error::from(status)),
                    }
                },
                Err(error) => Some(error),
            };
            // A stream ends by itself when the task has ended, and when the service is about to stop.
            if failure.is_none() {
                match source.end(ended_before).await {
                    End::Done { last_seq } => {
                        if let Some(gap) = source.position.end(last_seq) {
                            yield gap;
                        }
                        yield Update::Ended;
                        return;
                    }
                    End::ReadRest => {
                        ended_before = true;
                        continue;
                    }
                    End::NotYet => {}
                }
            }
            if let Some(error) = failure.and_then(|error| source.hopeless(error)) {
                yield Update::Failed(error);
                return;
            }
            source.pause().await;
        }
    }
}

/// What the end of a stream means.
enum End {
    /// All was read that there is, up to the task's last event.
    Done { last_seq: u64 },
    /// The task has ended; one more look shows what came at last.
    ReadRest,
    /// The service is about to stop.
    NotYet,
}

struct Source {
    client: TaskServiceClient<Peer>,
    acting: Acting,
    watch: Watch,
    position: Position,
    faults: u32,
    tries: u32,
}

impl Source {
    async fn open(&mut self) -> Result<Streaming<WatchEventsResponse>> {
        let (after, from_now) = self.position.resume();
        let message = WatchEventsRequest {
            scope: Some(self.watch.scope.to_wire()),
            after,
            ephemeral: self.watch.ephemeral,
            from_now,
        };
        let answer = self
            .client
            .watch_events(request(&self.acting, Deadline::after(OPEN_LIMIT), message)?)
            .await?;
        Ok(answer.into_inner())
    }

    async fn end(&self, ended_before: bool) -> End {
        let Some(task) = self.watch.scope.task() else {
            return End::NotYet;
        };
        let deadline = Deadline::after(OPEN_LIMIT);
        let found = call(Retry::Never, deadline, || async {
            let message = GetTaskRequest {
                id: task.to_string(),
            };
            self.client
                .clone()
                .get_task(request(&self.acting, deadline, message)?)
                .await
        })
        .await;
        let Some(task) = found.ok().and_then(|answer| answer.task) else {
            return End::NotYet;
        };
        let has_ended = matches!(
            task.state(),
            TaskState::Completed
                | TaskState::Failed
                | TaskState::Cancelled
                | TaskState::DeadLettered
        );
        match has_ended {
            true if ended_before || self.position.has_reached(task.last_seq) => End::Done {
                last_seq: task.last_seq,
            },
            true => End::ReadRest,
            false => End::NotYet,
        }
    }

    fn is_well(&mut self) {
        (self.faults, self.tries) = (0, 0);
    }

    /// The error back, where another try is no use.
    fn hopeless(&mut self, error: Error) -> Option<Error> {
        let refused = matches!(
            error.code(),
            Code::InvalidArgument
                | Code::NotFound
                | Code::PermissionDenied
                | Code::Unauthenticated
                | Code::FailedPrecondition
        );
        if error.code() == Code::Internal {
            self.faults += 1;
        }
        if refused || self.faults >= MOST_FAULTS {
            return Some(error);
        }
        tracing::debug!(
            error = error.chain(),
            "a stream of events was lost and is resumed"
        );
        None
    }

    async fn pause(&mut self) {
        self.tries += 1;
        let pause = FIRST_PAUSE
            .saturating_mul(1 << self.tries.min(8))
            .min(LONGEST_PAUSE);
        tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.0))).await;
    }
}
