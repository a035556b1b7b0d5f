//! Bounds of pools: so many of a pool's tasks run at the same time, over all tenants and replicas.
//!
//! A task of such a pool always passes the queue, where claims count under the pool's lock. One that
//! has waited asks for a place again before it goes on; until it has one it is counted as the next,
//! so that what is under way goes before what is new.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use swarm_errors::Result;

use super::Engine;
use crate::scheduling::Turn;
use crate::store::tasks::{Candidate, Fence};
use crate::store::{Unit, pools};
use crate::tasks::TaskRecord;

/// So long a task that has waited is the next, unless it asks again.
const WANTED_FOR: Duration = Duration::from_secs(5);

/// How many more tasks of each pool with a bound may start, from now to the end of the transaction.
#[derive(Debug, Default)]
pub(super) struct Rooms(BTreeMap<String, u32>);

impl Rooms {
    /// The turns as far as their pools have room.
    pub(super) fn cut(&self, turns: &[Turn]) -> Vec<Turn> {
        let cut = turns.iter().map(|turn| {
            let room = self.0.get(&turn.lane.pool).copied();
            let room = room.and_then(|room| usize::try_from(room).ok());
            Turn {
                tasks: room.map_or(turn.tasks, |room| turn.tasks.min(room)),
                lane: turn.lane.clone(),
            }
        });
        cut.filter(|turn| turn.tasks > 0).collect()
    }

    /// Leaves those that have room, in their order.
    pub(super) fn keep(&mut self, candidates: &mut Vec<Candidate>) {
        candidates.retain(|candidate| match self.0.get_mut(&candidate.pool) {
            None => true,
            Some(0) => false,
            Some(room) => {
                *room -= 1;
                true
            }
        });
    }
}

impl Engine {
    /// Whether the pool has a bound.
    pub(super) fn is_bounded(&self, pool: &str) -> bool {
        self.config.max_running.contains_key(pool)
    }

    /// Locks the pools of these turns that have a bound, in the order of their names.
    pub(super) async fn rooms(&self, unit: &mut Unit, turns: &[Turn]) -> Result<Rooms> {
        let names: BTreeSet<&String> = turns.iter().map(|turn| &turn.lane.pool).collect();
        let mut rooms = Rooms::default();
        for name in names {
            let Some(most) = self.config.max_running.get(name) else {
                continue;
            };
            let now = unit.now();
            let taken = pools::lock(unit.tx(), name, now).await?;
            let taken = taken.held.saturating_add(taken.wanted);
            rooms.0.insert(name.clone(), most.saturating_sub(taken));
        }
        Ok(rooms)
    }

    /// Writes that these tasks run, those of pools with a bound.
    pub(super) async fn hold_places(&self, unit: &mut Unit, tasks: &[TaskRecord]) -> Result<()> {
        let bounded: Vec<(&str, Fence)> = tasks
            .iter()
            .filter(|task| self.is_bounded(&task.spec.pool))
            .map(|task| (task.spec.pool.as_str(), Fence::from(task)))
            .collect();
        pools::hold(unit.tx(), &bounded).await
    }

    /// Whether a task that has waited may go on. If not, it is noted as the next: commit that. Ask
    /// before the task's row is locked.
    pub(super) async fn may_go_on(
        &self,
        unit: &mut Unit,
        pool: &str,
        fence: Fence,
    ) -> Result<bool> {
        let Some(most) = self.config.max_running.get(pool) else {
            return Ok(true);
        };
        let now = unit.now();
        if pools::lock(unit.tx(), pool, now).await?.held < *most {
            return Ok(true);
        }
        pools::want(unit.tx(), pool, fence, now + WANTED_FOR).await?;
        Ok(false)
    }
}
