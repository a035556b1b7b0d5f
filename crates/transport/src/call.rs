//! One call with its retries.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use swarm_errors::{Code, Error, Result};
use tonic::{ConnectError, Response, Status};

use crate::Deadline;

/// Whether a call may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It may have an effect that its owner does not deduplicate.
    Never,
    /// It only reads, or its owner deduplicates it by its request key or its derived id.
    Safe,
}

const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// Makes the call; repeats it, at another replica where there is one, with jittered, doubling
/// pauses while the other side is unavailable and a repeat is safe or nothing was sent. All tries
/// together end by the deadline, and no pause reaches beyond it.
///
/// # Errors
/// The last answer's error; `deadline_exceeded` where no try was answered.
pub async fn call<T, F, Fut>(retry: Retry, deadline: Deadline, mut make: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Response<T>, Status>>,
{
    let (mut tries, mut last) = (0, None);
    loop {
        tries += 1;
        let trial = pin!(make());
        let (error, was_sent) = match deadline.bound(trial).await {
            Ok(Ok(response)) => return Ok(response.into_inner()),
            Ok(Err(status)) => {
                let was_sent = was_sent(&status);
                (Error::from(status), was_sent)
            }
            // That the other side was away says more than that time ran out.
            Err(late) => return Err(last.unwrap_or(late)),
        };
        let pause = pause(tries, rand::random_range(0.5..1.5));
        let may_repeat = retry == Retry::Safe || !was_sent;
        let again = may_repeat && error.code() == Code::Unavailable && tries < TRIES;
        if !again || pause >= deadline.left() {
            return Err(error);
        }
        tracing::debug!(error = %error.chain(), tries, "call failed and is repeated");
        last = Some(error);
        tokio::time::sleep(pause).await;
    }
}

/// Whether the other side may have seen the call: not where no connection could be made.
fn was_sent(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<ConnectError>() {
            return false;
        }
        cause = error.source();
    }
    true
}

fn pause(tries: u32, jitter: f64) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << tries.min(6))
        .mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    use super::*;

    async fn tries_of(
        retry: Retry,
        failure: fn() -> Status,
        successes_after: u32,
    ) -> (u32, Result<u32>) {
        let tries = AtomicU32::new(0);
        let deadline = Deadline::after(Duration::from_secs(60));
        let result = call(retry, deadline, || async {
            let n = tries.fetch_add(1, Ordering::Relaxed) + 1;
            if n > successes_after {
                Ok(Response::new(n))
            } else {
                Err(failure())
            }
        })
        .await;
        (tries.into_inner(), result)
    }

    #[tokio::test]
    async fn only_safe_calls_to_an_unavailable_service_are_repeated() {
        let gone = || Status::unavailable("gone");
        assert_eq!(tries_of(Retry::Safe, gone, 2).await.1.unwrap(), 3);
        assert_eq!(tries_of(Retry::Safe, gone, 99).await.0, TRIES);
        assert_eq!(tries_of(Retry::Never, gone, 99).await.0, 1);
        assert_eq!(
            tries_of(Retry::Safe, || Status::not_found("no"), 99)
                .await
                .0,
            1
        );
    }

    /// The first try is refused, the second is held: what is left does not begin anew.
    #[tokio::test]
    async fn all_tries_together_end_by_the_deadline() {
        let start = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(400));
        let left = Mutex::new(Vec::new());
        let result: Result<()> = call(Retry::Safe, deadline, || async {
            let tries = {
                let mut left = left.lock().unwrap();
                left.push(deadline.left());
                left.len()
            };
            if tries > 1 {
                std::future::pending::<()>().await;
            }
            Err(Status::unavailable("gone"))
        })
        .await;
        assert_eq!(result.unwrap_err().code(), Code::Unavailable, "it says why");
        assert!(start.elapsed() >= Duration::from_millis(400) && deadline.left().is_zero());
        let left = left.into_inner().unwrap();
        assert!(left.len() == 2 && left[1] < left[0], "{left:?}");
    }

    #[tokio::test]
    async fn a_call_that_nobody_answers_ends_by_its_deadline() {
        for retry in [Retry::Never, Retry::Safe] {
            let deadline = Deadline::after(Duration::from_millis(20));
            let silent = || std::future::pending::<Result<Response<()>, Status>>();
            let error = call(retry, deadline, silent).await.unwrap_err();
            assert_eq!(error.code(), Code::DeadlineExceeded);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_repeated_in_time_is_told_at_once() {
        let deadline = Deadline::after(Duration::from_millis(20));
        let tries = AtomicU32::new(0);
        let gone = || async {
            tries.fetch_add(1, Ordering::Relaxed);
            Err::<Response<()>, _>(Status::unavailable("gone"))
        };
        let error = call(Retry::Safe, deadline, gone).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert_eq!(tries.into_inner(), 1);
    }

    #[test]
    fn pauses_double_and_vary() {
        assert_eq!(pause(2, 1.0), pause(1, 1.0) * 2);
        assert!(pause(1, 0.5) < pause(1, 1.4));
    }
}
