//! Which replica gets a call: pure.

/// How a replica is, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Health {
    /// It answers.
    Up,
    /// Nobody has asked yet.
    Unknown,
    /// It ends its calls and is about to stop.
    Draining,
    /// It does not answer.
    Down,
}

/// The place of the replica that gets the next call: among the healthiest the one with the fewest
/// running calls, and among equals each in turn.
pub(super) fn choose(replicas: &[(Health, usize)], turn: usize) -> Option<usize> {
    let count = replicas.len();
    (0..count)
        .map(|step| (turn + step) % count)
        .min_by_key(|place| replicas[*place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_healthiest_and_least_busy_gets_the_call() {
        let replicas = [
            (Health::Down, 0),
            (Health::Up, 2),
            (Health::Draining, 0),
            (Health::Up, 1),
        ];
        for turn in 0..9 {
            assert_eq!(choose(&replicas, turn), Some(3));
        }
        assert_eq!(choose(&[], 3), None);
    }

    #[test]
    fn equals_take_turns() {
        let replicas = [(Health::Unknown, 0); 3];
        let chosen: Vec<_> = (0..4).filter_map(|turn| choose(&replicas, turn)).collect();
        assert_eq!(chosen, [0, 1, 2, 0]);
    }

    #[test]
    fn where_all_are_down_one_is_tried_all_the_same() {
        assert_eq!(choose(&[(Health::Down, 0), (Health::Down, 0)], 1), Some(1));
    }
}
