//! The metrics of this service, from the platform's list.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use chrono::TimeDelta;
use swarm_database::Db;
use swarm_telemetry::{Counters, Gauges, Histograms, Registry, names};
use swarm_types::{Priority, TenantId, Timestamp};

use crate::engine::Tracker;
use crate::schedules::{Outcome, TickRecord};
use crate::tasks::{TaskRecord, TaskState};

/// Counters, gauges and histograms.
#[derive(Debug)]
pub(crate) struct Metrics {
    completed: Counters<1>,
    duration: Histograms<0>,
    stop_latency: Histograms<0>,
    schedule_ticks: Counters<1>,
    schedule_lateness: Histograms<0>,
    agent_tasks: Counters<0>,
    agent_failures: Counters<0>,
    queue_length: Gauges<1>,
    active_agents: Gauges<1>,
    /// The same by tenant and for a minute, for people who look on.
    pub(crate) activity: Tracker,
    /// Pools that were shown, so that an emptied one is shown as empty.
    pools: Mutex<HashSet<String>>,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry, db: &Db) -> Self {
        let (pool, connections) = (db.clone(), registry.gauge(names::DB_POOL_CONNECTIONS));
        registry.before_encode(move || {
            let stats = pool.pool_stats();
            connections.with(["idle"]).set(f64::from(stats.idle));
            connections
                .with(["used"])
                .set(f64::from(stats.open - stats.idle));
        });
        Self {
            completed: registry.counter(names::TASKS_COMPLETED_TOTAL),
            duration: registry.histogram(names::TASK_DURATION_SECONDS),
            stop_latency: registry.histogram(names::TASK_STOP_LATENCY_SECONDS),
            schedule_ticks: registry.counter(names::SCHEDULE_TICKS_TOTAL),
            schedule_lateness: registry.histogram(names::SCHEDULE_LATENESS_SECONDS),
            agent_tasks: registry.counter(names::AGENT_TASKS_TOTAL),
            agent_failures: registry.counter(names::AGENT_FAILURES_TOTAL),
            queue_length: registry.gauge(names::TASK_QUEUE_LENGTH),
            active_agents: registry.gauge(names::ACTIVE_AGENTS),
            activity: Tracker::default(),
            pools: Mutex::default(),
        }
    }

    /// A task was accepted.
    pub(crate) fn submitted(&self, task: &TaskRecord) {
        self.activity.submitted(task);
    }

    /// A task has ended.
    pub(crate) fn ended(&self, task: &TaskRecord) {
        self.activity.ended(task);
        self.completed.with([task.state.as_str()]).inc();
        if let Some(took) = task
            .finished_at
            .and_then(|at| (at - task.created_at).to_std().ok())
        {
            self.duration.observe(took.as_secs_f64());
        }
        if task.agent.is_some() && task.started_at.is_some() {
            self.agent_tasks.with([]).inc();
            if matches!(task.state, TaskState::Failed | TaskState::DeadLettered) {
                self.agent_failures.with([]).inc();
            }
        }
    }

    /// The running calls of a cancelled task have stopped.
    pub(crate) fn stopped(&self, tenant: TenantId, at: Timestamp, after: Duration) {
        self.activity.stopped(tenant, at, after);
        self.stop_latency.observe(after.as_secs_f64());
    }

    /// It is decided what becomes of a tick.
    pub(crate) fn ticked(&self, tick: &TickRecord, late: TimeDelta) {
        let outcome = self.schedule_ticks.with([tick.outcome.as_str()]);
        outcome.inc_by(f64::from(tick.count));
        if tick.outcome == Outcome::Fired {
            let late = late.to_std().unwrap_or_default();
            self.schedule_lateness.observe(late.as_secs_f64());
        }
    }

    /// Another replica shows what is shared.
    pub(crate) fn hide_shared(&self) {
        self.queue_length.clear();
        self.active_agents.clear();
    }

    pub(crate) fn queue_length(&self, priority: Priority, length: i64) {
        self.queue_length
            .with([priority.as_str()])
            .set(length as f64);
    }

    pub(crate) fn active_agents(&self, pools: &[(String, i64)]) {
        let mut shown = self
            .pools
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        shown.extend(pools.iter().map(|(pool, _)| pool.clone()));
        for pool in shown.iter() {
            let active = pools
                .iter()
                .find(|(name, _)| name == pool)
                .map_or(0, |(_, active)| *active);
            self.active_agents.with([pool]).set(active as f64);
        }
    }
}
