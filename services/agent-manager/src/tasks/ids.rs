//! Ids that follow from what they name, so that a replay finds what it made before.

use swarm_types::{StepId, TaskId};
use uuid::Uuid;

/// The id of the sub-task at `place` among those that the step `step_key` of `parent` makes.
///
/// It bears the parent's time in front, so that a tree of tasks lies in one range of ids: events
/// and steps can be partitioned by it.
#[must_use]
pub fn child_task_id(parent: TaskId, step_key: &str, place: usize) -> TaskId {
    let derived = TaskId::derived(&[&parent.to_string(), step_key, &place.to_string()]);
    let mut bytes = *derived.uuid().as_bytes();
    bytes[..6].copy_from_slice(&parent.uuid().as_bytes()[..6]);
    // Version 7; the place comes next, so that sub-tasks of one step sort as they were made.
    bytes[6] = 0x70 | ((place >> 8) as u8 & 0x0f);
    bytes[7] = (place & 0xff) as u8;
    TaskId::from_uuid(Uuid::from_bytes(bytes))
}

/// The id of the step `step_key` of `task`.
#[must_use]
pub fn step_id(task: TaskId, step_key: &str) -> StepId {
    StepId::derived(&[&task.to_string(), step_key])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_tasks_are_found_again_and_lie_beside_their_parent() {
        let parent = TaskId::new();
        let ids: Vec<TaskId> = (0..600)
            .map(|place| child_task_id(parent, "parts", place))
            .collect();
        assert_eq!(ids[7], child_task_id(parent, "parts", 7));
        assert_ne!(ids[7], child_task_id(parent, "votes", 7));
        assert!(ids.is_sorted());
        for id in ids {
            assert_eq!(id.uuid().as_bytes()[..6], parent.uuid().as_bytes()[..6]);
            assert_eq!(id.uuid().get_version_num(), 7);
            assert_eq!(id.uuid().get_variant(), uuid::Variant::RFC4122);
        }
    }
}
