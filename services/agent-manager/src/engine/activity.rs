//! What this replica sees of each tenant, kept for a while and told to the others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_types::{TenantId, Timestamp};
use uuid::Uuid;

use super::Engine;
use crate::activity::{Seen, Window, Workers};
use crate::store::activity::{self, Report};
use crate::tasks::{TaskRecord, TaskState};

/// Stands for all tenants together.
pub(super) const EVERYBODY: TenantId = TenantId::from_uuid(Uuid::nil());
/// Others are told once in so many polls.
const POLLS: u32 = 2;
/// What a replica said longer ago than this no longer counts.
pub(super) const FRESH: TimeDelta = TimeDelta::seconds(8);
/// Then it is deleted.
const KEPT: TimeDelta = TimeDelta::minutes(2);
/// Tenants that are told of at a time.
const MOST_TENANTS: usize = 1000;

/// Windows by tenant, and one over all of them.
#[derive(Debug, Default)]
pub(crate) struct Tracker(Mutex<HashMap<TenantId, Window>>);

impl Tracker {
    /// A task was accepted.
    pub(crate) fn submitted(&self, task: &TaskRecord) {
        self.each(task.tenant, |window| {
            window.count(task.created_at, |counts| counts.submitted += 1);
        });
    }

    /// A task has ended. Sub-tasks are a matter of the task above them.
    pub(crate) fn ended(&self, task: &TaskRecord) {
        let (Some(at), None) = (task.finished_at, task.parent) else {
            return;
        };
        let took = (at - task.created_at).to_std().unwrap_or_default();
        self.each(task.tenant, |window| {
            window.count(at, |counts| match task.state {
                TaskState::Completed => counts.completed += 1,
                TaskState::Cancelled => counts.cancelled += 1,
                _ => counts.failed += 1,
            });
            if task.state != TaskState::Cancelled {
                window.took(at, took);
            }
        });
    }

    /// The running calls of a cancelled task have stopped.
    pub(crate) fn stopped(&self, tenant: TenantId, at: Timestamp, took: Duration) {
        self.each(tenant, |window| window.stopped(at, took));
    }

    fn each(&self, tenant: TenantId, mut what: impl FnMut(&mut Window)) {
        let mut windows = self.lock();
        for tenant in [tenant, EVERYBODY] {
            what(windows.entry(tenant).or_default());
        }
    }

    /// What there is to be seen of every tenant.
    fn seen(&self, now: Timestamp) -> HashMap<TenantId, Seen> {
        let mut windows = self.lock();
        let seen = windows
            .iter_mut()
            .map(|(tenant, window)| (*tenant, window.seen(now)))
            .collect();
        windows.retain(|_, window| !window.is_empty());
        seen
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// What this replica sees now, of every tenant and under [`EVERYBODY`] of all.
    pub(super) fn reports(&self) -> Vec<Report> {
        let now = self.now();
        let mut seen = self.metrics.activity.seen(now);
        for (tenant, held) in self.live.by_tenant() {
            seen.entry(tenant).or_default().held = held;
            seen.entry(EVERYBODY).or_default().held += held;
        }
        let all = u32::try_from(self.config.max_workers).unwrap_or(u32::MAX);
        let free = u32::try_from(self.workers.available_permits()).unwrap_or(u32::MAX);
        seen.entry(EVERYBODY).or_default().workers = Workers {
            all,
            busy: all.saturating_sub(free),
        };
        let replica = &self.leases.owner.replica;
        let mut reports: Vec<Report> = seen
            .into_iter()
            .map(|(tenant, seen)| Report {
                tenant,
                replica: replica.clone(),
                at: now,
                seen,
            })
            .collect();
        // The one over all tenants is first, and always among them.
        reports.sort_by_key(|report| report.tenant);
        reports.truncate(MOST_TENANTS);
        reports
    }

    /// Tells the other replicas until `soft` is cancelled.
    pub(super) async fn report(&self, soft: &CancellationToken) {
        while !soft.is_cancelled() {
            if let Err(error) = self.report_once().await {
                tracing::debug!(error = %error.chain(), "others could not be told what happens here");
            }
            tokio::select! {
                () = tokio::time::sleep(self.config.poll * POLLS) => {}
                () = soft.cancelled() => {}
            }
        }
    }

    async fn report_once(&self) -> Result<()> {
        activity::put(&self.db, &self.reports()).await?;
        activity::forget(&self.db, self.now() - KEPT).await
    }
}
