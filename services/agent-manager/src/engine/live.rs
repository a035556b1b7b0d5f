//! The attempts that run in this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use swarm_runtime::CancellationToken;
use swarm_types::{TaskId, TenantId, Timestamp};
use uuid::Uuid;

use crate::store::tasks::Fence;

/// One attempt that runs here.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) fence: Fence,
    pub(super) group: Uuid,
    pub(super) deadline: Timestamp,
    /// Ends it at once.
    pub(super) cancel: CancellationToken,
    /// Cancelled when nothing of it runs any more.
    pub(super) stopped: CancellationToken,
}

/// The attempts that run here, by task.
#[derive(Debug, Default)]
pub(super) struct Live(Mutex<HashMap<(TenantId, TaskId), Entry>>);

impl Live {
    pub(super) fn insert(&self, entry: Entry) {
        let key = (entry.fence.tenant, entry.fence.task);
        if let Some(former) = self.lock().insert(key, entry) {
            // The task was taken over by ourselves: its former attempt is fenced out.
            former.cancel.cancel();
        }
    }

    /// Takes an attempt off the list, unless another one of the same task has its place.
    pub(super) fn remove(&self, fence: Fence) {
        let mut entries = self.lock();
        let key = (fence.tenant, fence.task);
        if entries.get(&key).is_some_and(|entry| entry.fence == fence) {
            entries.remove(&key);
        }
    }

    pub(super) fn get(&self, tenant: TenantId, task: TaskId) -> Option<Entry> {
        self.lock().get(&(tenant, task)).cloned()
    }

    /// The attempts of these tasks that run here.
    pub(super) fn all(&self, tasks: impl Iterator<Item = (TenantId, TaskId)>) -> Vec<Entry> {
        let entries = self.lock();
        tasks.filter_map(|key| entries.get(&key).cloned()).collect()
    }

    /// Ends the attempts of lost lease groups.
    pub(super) fn cancel_groups(&self, groups: &[Uuid]) {
        for entry in self
            .lock()
            .values()
            .filter(|entry| groups.contains(&entry.group))
        {
            entry.cancel.cancel();
        }
    }

    /// Attempts whose deadline has passed.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<Entry> {
        self.lock()
            .values()
            .filter(|entry| entry.deadline <= now)
            .cloned()
            .collect()
    }

    /// The next deadline.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.lock().values().map(|entry| entry.deadline).min()
    }

    /// How many there are of each tenant.
    pub(super) fn by_tenant(&self) -> HashMap<TenantId, u64> {
        let mut held = HashMap::new();
        for (tenant, _) in self.lock().keys() {
            *held.entry(*tenant).or_default() += 1;
        }
        held
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, TaskId), Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
