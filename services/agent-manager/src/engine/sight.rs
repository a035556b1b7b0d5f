//! Whether a replica may call others dead: pure.
//!
//! An expired lease says that its replica was not heard of. Whoever did not hear anything itself,
//! because the database was away or the process stood still, first gives the others the time of a
//! heartbeat: else the end of an outage would look like the death of everybody, and calls that may
//! run only once would be given up although they have ended well.

use std::time::{Duration, Instant};

/// What a replica sees of the others.
#[derive(Debug)]
pub(super) struct Sight {
    /// Heartbeats are this far apart.
    beat: Duration,
    /// The last heartbeat that was written.
    last: Instant,
    /// After an outage others are judged from here on.
    from: Instant,
}

impl Sight {
    pub(super) const fn new(beat: Duration, now: Instant) -> Self {
        Self {
            beat,
            last: now,
            from: now,
        }
    }

    /// A heartbeat was written.
    pub(super) fn beaten(&mut self, now: Instant) {
        if self.is_dim(now) {
            self.from = now + self.patience();
        }
        self.last = now;
    }

    /// Whether others whose leases have expired are lost.
    pub(super) fn judges(&self, now: Instant) -> bool {
        !self.is_dim(now) && now >= self.from
    }

    fn is_dim(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) > self.patience()
    }

    /// A heartbeat and its delays.
    fn patience(&self) -> Duration {
        self.beat * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_blind_waits_for_the_heartbeats_of_others() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut sight = Sight::new(Duration::from_secs(1), start);
        assert!(sight.judges(at(0)), "a new replica has not missed anything");
        sight.beaten(at(1));
        assert!(sight.judges(at(3)));
        assert!(
            !sight.judges(at(4)),
            "its own heartbeats do not get through"
        );
        sight.beaten(at(9));
        assert!(!sight.judges(at(9)) && !sight.judges(at(10)));
        sight.beaten(at(10));
        assert!(sight.judges(at(11)), "the others have had their time");
    }
}
