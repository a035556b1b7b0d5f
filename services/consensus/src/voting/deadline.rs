//! When a leader ends a proposal: pure.

use chrono::TimeDelta;
use swarm_types::Timestamp;

/// A time during which this node leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leadership {
    /// When it began.
    pub(crate) since: Timestamp,
    /// The last entry of the log by then.
    pub(crate) last_index: u64,
}

impl Leadership {
    /// When a proposal of this deadline is to be ended. One that was opened before this leader
    /// came gets at least `grace` from then on, since nobody could vote while there was none.
    pub(crate) fn ends_at(
        self,
        deadline: Timestamp,
        proposal_index: u64,
        grace: TimeDelta,
    ) -> Timestamp {
        if proposal_index <= self.last_index {
            deadline.max(self.since + grace)
        } else {
            deadline
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proposals_from_before_get_the_grace() {
        let at = |seconds| Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let leadership = Leadership {
            since: at(100),
            last_index: 7,
        };
        let grace = TimeDelta::seconds(5);
        let ends = |deadline, index| leadership.ends_at(at(deadline), index, grace);
        assert_eq!(ends(50, 7), at(105), "overdue since before");
        assert_eq!(ends(103, 3), at(105));
        assert_eq!(ends(200, 3), at(200));
        assert_eq!(ends(103, 8), at(103), "opened under this leader");
    }
}
