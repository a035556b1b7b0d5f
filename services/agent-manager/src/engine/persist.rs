//! Writes that must happen, whenever the database is back.

use std::future::Future;
use std::time::Duration;

use swarm_errors::{Code, Error, Result};
use swarm_runtime::CancellationToken;

use super::failure::stopped;

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Does `work` again while the database is away or another transaction was in the way, until
/// `give_up` is cancelled. A commit whose answer was lost may have happened: `work` looks for that.
pub(super) async fn persist<T, F, Fut>(give_up: &CancellationToken, mut work: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let outcome = tokio::select! {
            biased;
            () = give_up.cancelled() => return Err(stopped("the attempt was stopped")),
            // The work of a transaction is large, and whoever waits for it need not be.
            outcome = Box::pin(work()) => outcome,
        };
        match outcome {
            Err(error) if is_passing(&error) => {
                tracing::debug!(error = %error.chain(), "a write is tried again");
                tokio::select! {
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                    () = give_up.cancelled() => return Err(stopped("the attempt was stopped")),
                }
            }
            outcome => return outcome,
        }
    }
}

fn is_passing(error: &Error) -> bool {
    matches!(error.code(), Code::Unavailable | Code::DeadlineExceeded)
}
