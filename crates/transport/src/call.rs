//! One call with its retries.

use std::future::Future;
use std::time::Duration;

use swarm_errors::{Code, Error, Result};
use tonic::{Response, Status};

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

/// Makes the call; repeats it with jittered, doubling pauses while the other side is unavailable
/// and a repeat is safe.
///
/// # Errors
/// The last answer's error.
pub async fn call<T, F, Fut>(retry: Retry, mut make: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Response<T>, Status>>,
{
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match make().await {
            Ok(response) => return Ok(response.into_inner()),
            Err(status) => Error::from(status),
        };
        let again = retry == Retry::Safe && error.code() == Code::Unavailable && tries < TRIES;
        if !again {
            return Err(error);
        }
        tracing::debug!(error = %error.chain(), tries, "call failed and is repeated");
        tokio::time::sleep(pause(tries, rand::random_range(0.5..1.5))).await;
    }
}

fn pause(tries: u32, jitter: f64) -> Duration {
    FIRST_PAUSE
        .saturating_mul(1 << tries.min(6))
        .mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn tries_of(
        retry: Retry,
        failure: fn() -> Status,
        successes_after: u32,
    ) -> (u32, Result<u32>) {
        let tries = AtomicU32::new(0);
        let result = call(retry, || async {
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

    #[test]
    fn pauses_double_and_vary() {
        assert_eq!(pause(2, 1.0), pause(1, 1.0) * 2);
        assert!(pause(1, 0.5) < pause(1, 1.4));
    }
}
