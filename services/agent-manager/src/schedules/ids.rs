//! The id of a tick's task: pure. A tick that is taken up twice finds the task it made before.

use swarm_types::{ScheduleId, TaskId, Timestamp};
use uuid::Uuid;

/// The id of the task that a tick makes.
///
/// It bears the tick's time in front, as the ids of other tasks bear the time of their making, so
/// that lists show it at its place.
#[must_use]
pub fn tick_task_id(schedule: ScheduleId, tick: Timestamp) -> TaskId {
    let derived = TaskId::derived(&[&schedule.to_string(), &tick.timestamp_micros().to_string()]);
    let mut bytes = *derived.uuid().as_bytes();
    let millis = u64::try_from(tick.timestamp_millis()).unwrap_or(0);
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    TaskId::from_uuid(Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn a_ticks_task_has_one_id_and_sorts_by_its_time() {
        let (one, other) = (ScheduleId::new(), ScheduleId::new());
        let at = |second: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(1_800_000_000 + second);
        let ids: Vec<TaskId> = (0..100)
            .map(|second| tick_task_id(one, at(second)))
            .collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[7], tick_task_id(one, at(7)));
        assert_ne!(ids[7], tick_task_id(other, at(7)));
        assert_eq!(ids[7].uuid().get_version_num(), 7);
        assert_eq!(ids[7].uuid().get_variant(), uuid::Variant::RFC4122);
    }
}
