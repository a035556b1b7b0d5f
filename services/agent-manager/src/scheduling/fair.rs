//! Who is next: weighted fair queueing over tenants and, inside a tenant, over pools. A pure rule.
//!
//! Each tenant has a virtual time that a task moves on by a stride, which is the shorter the more
//! weight the tenant has; the one whose time is least is next. So among those that have work each
//! gets its share, whatever the others have queued. Who had nothing to do does not save up its
//! time: it comes back at the time of now. The same again holds for the pools of a tenant.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use swarm_types::TenantId;

/// What a task moves on the time of one that has weight 1.
const STRIDE: u64 = 1 << 20;
/// The largest weight.
pub(crate) const HEAVIEST: u32 = 1_000;

/// How much of the workers tenants and pools get, beside others that have work; 1 where nothing
/// is said.
#[derive(Debug, Clone, Default)]
pub struct Weights {
    /// By tenant.
    pub tenants: HashMap<TenantId, u32>,
    /// By the name of a pool, in every tenant.
    pub pools: HashMap<String, u32>,
}

fn stride(weight: Option<&u32>) -> u64 {
    STRIDE / u64::from(weight.copied().unwrap_or(1).clamp(1, HEAVIEST))
}

/// A tenant's queue of one pool; without a pool its name is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lane {
    pub(crate) tenant: TenantId,
    pub(crate) pool: String,
}

/// So many tasks of a lane are next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) lane: Lane,
    pub(crate) tasks: usize,
}

/// Those that share something: who has work, and everyone's time.
#[derive(Debug)]
struct Share<K> {
    now: u64,
    /// Time of all that have work, and of the others as long as they are ahead.
    times: BTreeMap<K, u64>,
    /// Those that have work.
    order: BTreeSet<(u64, K)>,
}

impl<K> Default for Share<K> {
    fn default() -> Self {
        Self {
            now: 0,
            times: BTreeMap::new(),
            order: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Clone> Share<K> {
    fn has_work(&mut self, key: &K) {
        let time = self.times.entry(key.clone()).or_insert(self.now);
        if !self.order.contains(&(*time, key.clone())) {
            *time = (*time).max(self.now);
            self.order.insert((*time, key.clone()));
        }
    }

    fn has_none(&mut self, key: &K) {
        if let Some(time) = self.times.get(key) {
            self.order.remove(&(*time, key.clone()));
        }
    }

    /// Who is next; its time moves on.
    fn next(&mut self, stride: impl Fn(&K) -> u64) -> Option<K> {
        let (time, key) = self.order.pop_first()?;
        self.now = self.now.max(time);
        self.set(&key, time + stride(&key));
        Some(key)
    }

    /// What was not used is given back.
    fn give_back(&mut self, key: &K, time: u64) {
        if let Some(before) = self.times.get(key).copied()
            && self.order.remove(&(before, key.clone()))
        {
            self.set(key, before.saturating_sub(time));
        }
    }

    fn set(&mut self, key: &K, time: u64) {
        self.times.insert(key.clone(), time);
        self.order.insert((time, key.clone()));
    }

    /// Forgets those without work whose time has passed.
    fn forget(&mut self) {
        let Self { now, times, order } = self;
        times.retain(|key, time| *time > *now || order.contains(&(*time, key.clone())));
    }
}

/// The order of all lanes that have work.
#[derive(Debug, Default)]
pub(crate) struct Fair {
    weights: Weights,
    tenants: Share<TenantId>,
    pools: HashMap<TenantId, Share<String>>,
}

impl Fair {
    pub(crate) fn new(weights: Weights) -> Self {
        Self {
            weights,
            ..Self::default()
        }
    }

    /// The lane has queued tasks.
    pub(crate) fn has_work(&mut self, lane: &Lane) {
        self.tenants.has_work(&lane.tenant);
        let pools = self.pools.entry(lane.tenant).or_default();
        pools.has_work(&lane.pool);
    }

    /// Whether nobody has work.
    pub(crate) fn is_idle(&self) -> bool {
        self.tenants.order.is_empty()
    }

    /// Shares out so many places, in the order of whose turn it is first.
    pub(crate) fn turns(&mut self, places: usize) -> Vec<Turn> {
        let mut turns: Vec<Turn> = Vec::new();
        for _ in 0..places {
            let Some(lane) = self.next() else { break };
            match turns.iter_mut().find(|turn| turn.lane == lane) {
                Some(turn) => turn.tasks += 1,
                None => turns.push(Turn { lane, tasks: 1 }),
            }
        }
        turns
    }

    fn next(&mut self) -> Option<Lane> {
        let weights = &self.weights;
        let tenant = self
            .tenants
            .next(|tenant| stride(weights.tenants.get(tenant)))?;
        let pool = self
            .pools
            .get_mut(&tenant)?
            .next(|pool| stride(weights.pools.get(pool)))?;
        Some(Lane { tenant, pool })
    }

    /// A turn has found only so many tasks: the rest is given back, and the lane has no more.
    pub(crate) fn came_short(&mut self, turn: &Turn, found: usize) {
        let Lane { tenant, pool } = &turn.lane;
        let unused = (turn.tasks - found.min(turn.tasks)) as u64;
        let by_tenant = stride(self.weights.tenants.get(tenant));
        self.tenants.give_back(tenant, unused * by_tenant);
        let Some(pools) = self.pools.get_mut(tenant) else {
            return;
        };
        pools.give_back(pool, unused * stride(self.weights.pools.get(pool)));
        pools.has_none(pool);
        pools.forget();
        if pools.order.is_empty() {
            if pools.times.is_empty() {
                self.pools.remove(tenant);
            }
            self.tenants.has_none(tenant);
            self.tenants.forget();
        }
    }
}

#[cfg(test)]
#[path = "fair_test.rs"]
mod tests;
