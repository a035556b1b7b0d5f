//! Doing a transaction again that gave way to another one.

use std::time::Duration;

use swarm_errors::Result;

use crate::is_retryable;

const ATTEMPTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(5);

pub(crate) async fn retry<T, F, Fut>(mut work: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let mut attempt = 1;
    loop {
        match Box::pin(work()).await {
            Err(error) if attempt < ATTEMPTS && is_retryable(&error) => {
                tracing::debug!(attempt, error = %error.chain(), "transaction retried");
                tokio::time::sleep(pause(attempt)).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Twice as long each time, and random, so that two that clashed do not clash again.
fn pause(attempt: u32) -> Duration {
    let longest = FIRST_PAUSE * 2_u32.pow(attempt.min(6) - 1);
    longest.mul_f64(rand::random_range(0.1..=1.0))
}
