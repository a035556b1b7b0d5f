//! Keeps to what a model provider allows: calls at the same time, and calls and tokens a minute.
//!
//! The minute is counted in the shared cache, over all replicas. While that is away each replica
//! counts for itself and goes on with its share, the limit through the number of replicas. Calls at
//! the same time are always a replica's share, at least one. Who must wait stands in line, so a
//! small call does not overtake a large one for ever.

mod window;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use swarm_cache::{Cache, CacheConfig};
use swarm_errors::Result;
use swarm_models::{ChatRequest, Limits};
use swarm_types::Clock;
use tokio::sync::Notify;

use window::Window;

/// A counter is of use in its own minute and the next one.
const KEPT: Duration = Duration::from_secs(150);
/// A shared cache that did not answer is not asked again for so long.
const LET_BE: Duration = Duration::from_secs(1);
/// A provider that does not say when to come back is left alone for so long.
const UNTOLD: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(600);
/// Letters of a token, about.
const LETTERS: usize = 4;

/// The limits of the chosen provider, and what has been used of them.
#[derive(Debug)]
pub struct Quota {
    limits: Limits,
    shared: Option<Cache>,
    /// When the shared cache may be asked again.
    away_until: Mutex<Option<Instant>>,
    own: Cache,
    clock: Arc<dyn Clock>,
    doors: Mutex<HashMap<String, Arc<Door>>>,
}

/// Where the callers of one model stand in line.
#[derive(Debug, Default)]
struct Door {
    /// Held by the first in line.
    turn: tokio::sync::Mutex<()>,
    running: AtomicU32,
    /// A call has ended.
    freed: Notify,
    /// The provider wants to be left alone until then.
    closed_until: Mutex<Option<Instant>>,
}

/// The right to make one call.
pub(crate) struct Reservation {
    door: Arc<Door>,
    /// The counter that the tokens were put into, and how many.
    tokens: Option<(Cache, String, u64)>,
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").finish_non_exhaustive()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.door.running.fetch_sub(1, Ordering::AcqRel);
        self.door.freed.notify_one();
    }
}

impl Reservation {
    /// The call has really taken so many tokens. A call that fails keeps what was reserved: the
    /// provider may have counted it.
    pub(crate) async fn settle(mut self, used: u64) {
        let Some((cache, key, reserved)) = self.tokens.take() else {
            return;
        };
        let by = signed(used) - signed(reserved);
        if by != 0
            && let Err(error) = cache.increment(&key, by, KEPT).await
        {
            tracing::debug!(error = %error.chain(), "tokens stay counted as they were reserved");
        }
    }
}

impl Quota {
    /// Limits over all who count in `shared`; without one, over this process.
    ///
    /// # Errors
    /// When the cache in process cannot be opened.
    pub fn new(limits: Limits, shared: Option<Cache>, clock: Arc<dyn Clock>) -> Result<Self> {
        Ok(Self {
            limits,
            shared,
            away_until: Mutex::default(),
            own: Cache::open(&CacheConfig::default())?,
            clock,
            doors: Mutex::default(),
        })
    }

    /// The right to call the model now, if nobody stands in line.
    pub(crate) async fn reserve_now(
        &self,
        model: &str,
        tokens: u64,
        replicas: u32,
    ) -> Option<Reservation> {
        let door = self.door(model);
        let _turn = door.turn.try_lock().ok()?;
        self.ask(&door, model, tokens, replicas).await.ok()
    }

    /// The right to call the model, as soon as that is allowed.
    pub(crate) async fn reserve(&self, model: &str, tokens: u64, replicas: u32) -> Reservation {
        let door = self.door(model);
        let _turn = door.turn.lock().await;
        loop {
            match self.ask(&door, model, tokens, replicas).await {
                Ok(reservation) => return reservation,
                Err(wait) => {
                    // A call that ends makes room; else it is time to ask again.
                    tokio::time::timeout(wait, door.freed.notified()).await.ok();
                }
            }
        }
    }

    /// The provider has refused a call because it has had too many.
    pub(crate) fn refused(&self, model: &str, retry_after: Option<Duration>) {
        let until = Instant::now() + retry_after.unwrap_or(UNTOLD).min(LONGEST);
        let door = self.door(model);
        let mut closed = lock(&door.closed_until);
        *closed = Some(closed.map_or(until, |before| before.max(until)));
    }

    async fn ask(
        &self,
        door: &Arc<Door>,
        model: &str,
        tokens: u64,
        replicas: u32,
    ) -> Result<Reservation, Duration> {
        let closed = lock(&door.closed_until).map(|until| until - Instant::now().min(until));
        if let Some(wait) = closed.filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        let most = self
            .limits
            .max_concurrency
            .map(|limit| (limit / replicas.max(1)).max(1));
        let room = |running: u32| {
            most.is_none_or(|most| running < most)
                .then_some(running + 1)
        };
        if door
            .running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, room)
            .is_err()
        {
            return Err(LONGEST);
        }
        // From here on it is counted as running, until it is dropped.
        let mut reservation = Reservation {
            door: door.clone(),
            tokens: None,
        };
        let request = match self.limits.requests_per_minute {
            Some(limit) => Some(self.count("requests", model, 1, limit, replicas).await?),
            None => None,
        };
        if let Some(limit) = self.limits.tokens_per_minute {
            match self.count("tokens", model, tokens, limit, replicas).await {
                Ok(counted) => reservation.tokens = Some(counted),
                Err(wait) => {
                    if let Some((cache, key, own)) = request {
                        take_back(&cache, &key, own).await;
                    }
                    return Err(wait);
                }
            }
        }
        Ok(reservation)
    }

    /// Counts in the shared cache, or here with this replica's share while that is away.
    async fn count(
        &self,
        what: &str,
        model: &str,
        own: u64,
        limit: u64,
        replicas: u32,
    ) -> Result<(Cache, String, u64), Duration> {
        if let Some(shared) = self.shared_cache() {
            match self.count_in(shared, what, model, own, limit).await {
                Ok(counted) => return counted,
                Err(error) => {
                    tracing::warn!(error = %error.chain(), "provider limits are counted here alone");
                    *lock(&self.away_until) = Some(Instant::now() + LET_BE);
                }
            }
        }
        let share = (limit / u64::from(replicas.max(1))).max(1);
        match self.count_in(&self.own, what, model, own, share).await {
            Ok(counted) => counted,
            Err(error) => {
                tracing::error!(error = %error.chain(), "provider limits could not be counted");
                Err(LET_BE)
            }
        }
    }

    async fn count_in(
        &self,
        cache: &Cache,
        what: &str,
        model: &str,
        own: u64,
        limit: u64,
    ) -> Result<Result<(Cache, String, u64), Duration>> {
        let window = Window::at(self.clock.now());
        let key = |number: i64| format!("agent-manager.quota.{what}.{model}.{number}");
        // What is larger than the limit goes alone: it would never fit otherwise.
        let own = own.clamp(1, limit);
        let before = cache.get(&key(window.number - 1)).await?;
        let before = before.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok());
        let key = key(window.number);
        let counted = cache.increment(&key, signed(own), KEPT).await?;
        let wait = window.wait(limit, unsigned(before.unwrap_or(0)), unsigned(counted), own);
        Ok(match wait {
            None => Ok((cache.clone(), key, own)),
            Some(wait) => {
                take_back(cache, &key, own).await;
                Err(wait)
            }
        })
    }

    fn shared_cache(&self) -> Option<&Cache> {
        let away = lock(&self.away_until).is_some_and(|until| until > Instant::now());
        self.shared.as_ref().filter(|_| !away)
    }

    fn door(&self, model: &str) -> Arc<Door> {
        let mut doors = lock(&self.doors);
        if let Some(door) = doors.get(model) {
            return door.clone();
        }
        doors.entry(model.to_owned()).or_default().clone()
    }
}

/// Tokens that a call may take: what it reads, about, and what it may write at most.
pub(crate) fn tokens_of(request: &ChatRequest) -> u64 {
    let letters: usize = request
        .messages
        .iter()
        .map(|message| message.content.len())
        .sum();
    (letters / LETTERS) as u64 + u64::from(request.max_tokens)
}

async fn take_back(cache: &Cache, key: &str, own: u64) {
    if let Err(error) = cache.increment(key, -signed(own), KEPT).await {
        tracing::debug!(error = %error.chain(), "a refused call stays counted for its minute");
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "quota_test.rs"]
mod tests;
