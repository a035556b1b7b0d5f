//! How long a call waits for room at a server that has none.

use std::time::Duration;

use swarm_errors::{Code, Error, Result};

/// Times that a call is made again.
const MOST: u32 = 5;
/// What all waits together may take.
const LONGEST: Duration = Duration::from_secs(30);

/// What is left of it.
#[derive(Debug)]
pub(crate) struct Patience {
    tries: u32,
    time: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: MOST,
            time: LONGEST,
        }
    }
}

impl Patience {
    /// None at all.
    pub(crate) const NONE: Self = Self {
        tries: 0,
        time: Duration::ZERO,
    };

    /// Waits as long as the server says, or gives the error back: when it does not say how long, or
    /// that is more than there is left.
    pub(crate) async fn bear(&mut self, error: Error) -> Result<()> {
        let pause = self.pause(error)?;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn pause(&mut self, error: Error) -> Result<Duration> {
        let is_full = error.code() == Code::ResourceExhausted;
        match error.retry_after() {
            Some(after) if is_full && self.tries > 0 && after <= self.time => {
                self.tries -= 1;
                self.time -= after;
                Ok(after)
            }
            _ => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn full(after: u64) -> Error {
        Error::new(Code::ResourceExhausted, "the queue is full")
            .with_retry_after(Duration::from_secs(after))
    }

    #[test]
    fn it_waits_as_told_and_not_for_ever() {
        let mut patience = Patience::default();
        for _ in 0..MOST {
            assert_eq!(patience.pause(full(2)).unwrap(), Duration::from_secs(2));
        }
        let error = patience.pause(full(2)).unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
        let mut patience = Patience::default();
        assert!(patience.pause(full(20)).is_ok());
        assert!(patience.pause(full(20)).is_err(), "40 s are too long");
    }

    #[test]
    fn what_will_not_mend_is_not_waited_for() {
        let mut patience = Patience::default();
        let gone = Error::unavailable("gone").with_retry_after(Duration::from_secs(1));
        assert!(
            patience.pause(gone).is_err(),
            "that is for the caller to judge"
        );
        let refused = Error::invalid("kind", "is missing").with_retry_after(Duration::ZERO);
        assert!(patience.pause(refused).is_err());
    }
}
