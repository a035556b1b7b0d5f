//! Waiting for a state, not for a moment.

use std::fmt::Debug;
use std::panic::Location;
use std::time::Duration;

use tokio::time::Instant;

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The answer of a look at a state: there, or not yet.
pub trait Outcome {
    /// What there is, once it is there.
    type Value;

    /// The value, or the status to report if that was the last look.
    ///
    /// # Errors
    /// When the state is not there yet.
    fn ready(self) -> Result<Self::Value, String>;
}

impl<T> Outcome for Option<T> {
    type Value = T;

    fn ready(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing yet".to_owned())
    }
}

impl<T, E: Debug> Outcome for Result<T, E> {
    type Value = T;

    fn ready(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

impl Outcome for bool {
    type Value = ();

    fn ready(self) -> Result<(), String> {
        if self {
            Ok(())
        } else {
            Err("not yet".to_owned())
        }
    }
}

/// Looks until the state is there, and returns it.
///
/// # Panics
/// When it is not there within `limit`; the message has `what` and the last status.
#[track_caller]
pub fn eventually<O, F, Fut>(
    what: &str,
    limit: Duration,
    mut look: F,
) -> impl Future<Output = O::Value>
where
    O: Outcome,
    F: FnMut() -> Fut,
    Fut: Future<Output = O>,
{
    let place = Location::caller();
    async move {
        let deadline = Instant::now() + limit;
        let mut last = "never answered".to_owned();
        loop {
            match tokio::time::timeout_at(deadline, look())
                .await
                .map(Outcome::ready)
            {
                Ok(Ok(value)) => return value,
                Ok(Err(status)) => last = status,
                Err(_) => {}
            }
            assert!(
                Instant::now() < deadline,
                "{place}: waited {limit:?} for {what}; last status: {last}"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_looks_again_until_the_state_is_there() {
        let mut looks = 0;
        let seen = eventually("three looks", Duration::from_secs(10), || {
            looks += 1;
            let seen = looks;
            async move { (seen == 3).then_some(seen) }
        });
        assert_eq!(seen.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "for a miracle; last status: \"still 7\"")]
    async fn it_gives_up_with_the_last_status() {
        let look = || async { Err::<(), _>("still 7") };
        eventually("a miracle", Duration::from_millis(20), look).await;
    }

    #[tokio::test]
    #[should_panic(expected = "never answered")]
    async fn a_look_that_hangs_ends_too() {
        eventually(
            "an answer",
            Duration::from_millis(20),
            std::future::pending::<bool>,
        )
        .await;
    }
}
