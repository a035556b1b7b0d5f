//! Wakes at the next tick of all schedules, or when one of them changes or a task ends for which a
//! tick waits.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::select_all;
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_types::{ScheduleId, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::super::Engine;
use super::fire::Fired;
use crate::events::{Hub, Signal, Subscription, Topic};
use crate::store::schedules::{self, Key};

/// Schedules that are taken up at the same time: one that waits for a cancel holds up no other.
const AT_ONCE: usize = 4;
const BATCH: i64 = 64;
/// Another replica is at what is due: look again soon.
const SHORTEST: Duration = Duration::from_millis(20);
/// What other replicas have changed, and clocks that were set, are found after this many polls.
const LONGEST_POLLS: u32 = 5;

impl Engine {
    /// Takes up ticks until `soft` is cancelled.
    pub(in crate::engine) async fn keep_schedules(self: &Arc<Self>, soft: &CancellationToken) {
        let mut blockers = Blockers::default();
        loop {
            let wait = match self.take_up_all(&mut blockers).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(error = %error.chain(), "schedules could not be looked at");
                    self.config.poll
                }
            };
            tokio::select! {
                biased;
                () = soft.cancelled() => return,
                () = blockers.ended() => {}
                () = self.notified(&self.schedules, wait) => {}
            }
        }
    }

    /// Takes up all that is due, and says how long there is nothing more.
    async fn take_up_all(self: &Arc<Self>, blockers: &mut Blockers) -> Result<Duration> {
        while self.takes_work() {
            let due = schedules::due(&self.db, self.now(), BATCH).await?;
            if !self.fire_each(due).await.iter().any(|(_, it)| it.moved) {
                break;
            }
        }
        let mut blocked = Vec::new();
        let mut after: Key = (
            TenantId::from_uuid(Uuid::nil()),
            ScheduleId::from_uuid(Uuid::nil()),
        );
        while self.takes_work() {
            let waiting = schedules::waiting(&self.db, after, BATCH).await?;
            let Some(last) = waiting.last() else { break };
            after = *last;
            for ((tenant, _), fired) in self.fire_each(waiting).await {
                blocked.extend(fired.blocked_by.into_iter().map(|task| (tenant, task)));
            }
        }
        if blockers.watch(&self.hub, &blocked) {
            // One may have ended before we listened.
            return Ok(Duration::ZERO);
        }
        let next = schedules::next(&self.db).await?;
        Ok(self.until(next, !blocked.is_empty()))
    }

    async fn fire_each(self: &Arc<Self>, keys: Vec<Key>) -> Vec<(Key, Fired)> {
        futures::stream::iter(keys)
            .map(|key| async move {
                let fired = self.fire(key).await.unwrap_or_else(|error| {
                    let schedule = key.1;
                    tracing::warn!(%schedule, error = %error.chain(), "a schedule could not tick");
                    Fired::default()
                });
                (key, fired)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    fn until(&self, next: Option<Timestamp>, is_blocked: bool) -> Duration {
        let longest = match is_blocked {
            true => self.config.poll,
            false => self.config.poll * LONGEST_POLLS,
        };
        let next = next.map(|next| (next - self.now()).to_std().unwrap_or_default());
        next.map_or(longest, |next| next.clamp(SHORTEST.min(longest), longest))
    }
}

/// The tasks for whose end ticks wait.
#[derive(Debug, Default)]
struct Blockers(HashMap<(TenantId, TaskId), Subscription>);

impl Blockers {
    /// Listens to these, and to no others; `true` when one of them is new.
    fn watch(&mut self, hub: &Hub, blocked: &[(TenantId, TaskId)]) -> bool {
        self.0.retain(|key, _| blocked.contains(key));
        let mut is_new = false;
        for key in blocked {
            self.0.entry(*key).or_insert_with(|| {
                is_new = true;
                hub.subscribe(Topic::Tree(key.0, key.1))
            });
        }
        is_new
    }

    /// Once one of them has ended, or may have.
    async fn ended(&mut self) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        let each = self.0.iter_mut().map(|((_, id), signals)| {
            Box::pin(async move {
                let is_about = |signal: &Signal| matches!(signal, Signal::Committed { task, ended: true } if task == id);
                while signals
                    .next()
                    .await
                    .is_some_and(|signal| !is_about(&signal))
                {}
            })
        });
        select_all(each).await;
    }
}
