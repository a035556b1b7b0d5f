//! By when a task ends: pure.

use chrono::TimeDelta;
use swarm_errors::{Error, Result};
use swarm_types::Timestamp;

/// The deadline of a task that names none.
const USUAL: TimeDelta = TimeDelta::hours(24);
const LONGEST: TimeDelta = TimeDelta::days(30);

/// The deadline of a task that begins now.
///
/// # Errors
/// `invalid_argument` when it has passed, or is more than 30 days away.
pub fn deadline(asked_for: Option<Timestamp>, now: Timestamp) -> Result<Timestamp> {
    let deadline = asked_for.unwrap_or(now + USUAL);
    if deadline <= now {
        return Err(Error::invalid("deadline", "must be in the future"));
    }
    if deadline > now + LONGEST {
        return Err(Error::invalid("deadline", "must be at most 30 days away"));
    }
    Ok(deadline)
}
