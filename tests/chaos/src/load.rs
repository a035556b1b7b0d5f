//! The clients: they submit with idempotency keys, try again, and cancel.

use std::time::{Duration, Instant};

use swarm_client::{Client, NewTask, TaskState};
use swarm_errors::{Code, Error};
use swarm_types::{Clock as _, SystemClock, Timestamp};

use crate::plan::Job;

const PAUSE: Duration = Duration::from_millis(200);
/// How long a client goes on trying: longer than any strike.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a client knows of its task.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) id: String,
    pub(crate) is_swarm: bool,
    /// When a cancel was answered, and how long that took.
    pub(crate) cancelled: Option<(Timestamp, Duration)>,
}

/// What became of a job.
#[derive(Debug)]
pub(crate) enum Outcome {
    Accepted(Accepted),
    /// Nobody took it, so nothing was promised.
    Refused(Error),
}

/// Submits until it is accepted, and cancels where the plan says so.
pub(crate) async fn submit(
    clients: &[Client],
    job: Job,
    key: &str,
    task: &NewTask,
) -> Result<Accepted, Error> {
    let (accepted, _) = again(clients, job.gateway, |client| {
        let (key, task) = (key.to_owned(), task.clone());
        async move { client.submit_task_once(&key, &task).await }
    })
    .await?;
    Ok(Accepted {
        id: accepted.id,
        is_swarm: job.is_swarm,
        cancelled: None,
    })
}

/// Cancels, and notes when that was answered; a task that has ended before is left alone.
pub(crate) async fn cancel(clients: &[Client], job: Job, after: Duration, accepted: &mut Accepted) {
    tokio::time::sleep(after).await;
    let id = accepted.id.clone();
    let answer = again(clients, job.gateway, |client| {
        let id = id.clone();
        async move { client.cancel_task(&id, Some("chaos")).await }
    })
    .await;
    if let Ok((task, took)) = answer
        && task.state == TaskState::Cancelled
    {
        accepted.cancelled = Some((SystemClock.now(), took));
    }
}

/// Tries at one gateway after the other until there is an answer that another try cannot change,
/// and says how long the last try took.
async fn again<T, F, Fut>(
    clients: &[Client],
    first: usize,
    mut call: F,
) -> Result<(T, Duration), Error>
where
    F: FnMut(Client) -> Fut,
    Fut: Future<Output = Result<T, Error>>,
{
    let begun = Instant::now();
    let mut tries = 0;
    loop {
        let client = clients[(first + tries) % clients.len()].clone();
        tries += 1;
        let asked = Instant::now();
        match call(client).await {
            Ok(answer) => return Ok((answer, asked.elapsed())),
            Err(error) if may_pass(&error) && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// An answer of `deadline_exceeded` says nothing of whether the effect came: the key tells.
fn may_pass(error: &Error) -> bool {
    error.code().is_transient() || error.code() == Code::DeadlineExceeded
}
