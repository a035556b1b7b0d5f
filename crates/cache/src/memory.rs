//! The cache in process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt as _;
use moka::Expiry;
use moka::future::Cache;
use moka::ops::compute::{CompResult, Op};
use swarm_errors::{Error, Result};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use crate::CacheConfig;
use crate::backend::{Backend, Message, Subscription};
use crate::redis::not_a_counter;

/// What a subscriber may be behind before it misses something.
const BACKLOG: usize = 256;
/// What an entry costs beside its key and value, about.
const OVERHEAD: usize = 128;

#[derive(Debug, Clone)]
struct Entry {
    value: Arc<Vec<u8>>,
    until: Instant,
}

#[derive(Debug)]
struct UntilItsTime;

impl Expiry<String, Entry> for UntilItsTime {
    fn expire_after_create(&self, _key: &String, entry: &Entry, now: Instant) -> Option<Duration> {
        Some(entry.until.saturating_duration_since(now))
    }

    fn expire_after_update(
        &self,
        _key: &String,
        entry: &Entry,
        now: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.until.saturating_duration_since(now))
    }
}

/// A bounded cache in process, with channels.
#[derive(Debug)]
pub(crate) struct Memory {
    entries: Cache<String, Entry>,
    channels: Mutex<HashMap<String, broadcast::Sender<Vec<u8>>>>,
}

impl Memory {
    pub(crate) fn new(config: &CacheConfig) -> Self {
        let weight = |key: &String, entry: &Entry| {
            u32::try_from(key.len() + entry.value.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let entries = Cache::builder()
            .max_capacity(config.memory_bytes)
            .weigher(weight)
            .expire_after(UntilItsTime)
            .build();
        Self {
            entries,
            channels: Mutex::default(),
        }
    }

    fn channels(&self) -> std::sync::MutexGuard<'_, HashMap<String, broadcast::Sender<Vec<u8>>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Backend for Memory {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self
            .entries
            .get(key)
            .await
            .map(|entry| entry.value.as_ref().clone()))
    }

    async fn put(&self, key: &str, value: Vec<u8>, ttl: Duration) -> Result<()> {
        self.entries
            .insert(
                key.to_owned(),
                Entry {
                    value: Arc::new(value),
                    until: after(ttl),
                },
            )
            .await;
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        // It also hands out what has expired and was not cleared away yet.
        Ok(self
            .entries
            .remove(key)
            .await
            .is_some_and(|entry| entry.until > Instant::now()))
    }

    async fn increment(&self, key: &str, by: i64, ttl: Duration) -> Result<i64> {
        let result = self
            .entries
            .entry(key.to_owned())
            .and_try_compute_with(|entry| async move {
                let (count, until) = match entry {
                    Some(entry) => (number(&entry.value().value)?, entry.value().until),
                    None => (0, after(ttl)),
                };
                let count = count.checked_add(by).ok_or_else(not_a_counter)?;
                Ok::<_, Error>(Op::Put(Entry {
                    value: Arc::new(count.to_string().into_bytes()),
                    until,
                }))
            });
        match result.await? {
            CompResult::Inserted(entry) | CompResult::ReplacedWith(entry) => {
                number(&entry.value().value)
            }
            _ => Err(Error::internal("a counter was not written")),
        }
    }

    async fn publish(&self, channel: &str, payload: Vec<u8>) -> Result<()> {
        let mut channels = self.channels();
        if let Some(sender) = channels.get(channel)
            && sender.send(payload).is_err()
        {
            // Nobody listens any more.
            channels.remove(channel);
        }
        Ok(())
    }

    async fn subscribe(&self, channel: &str) -> Result<Subscription> {
        let receiver = self
            .channels()
            .entry(channel.to_owned())
            .or_insert_with(|| broadcast::Sender::new(BACKLOG))
            .subscribe();
        let messages = BroadcastStream::new(receiver)
            .map(|message| message.map_or(Message::Missed, Message::Payload));
        // The sender lives as long as the cache; without it nothing more can come, but nothing ends.
        Ok(messages.chain(futures::stream::pending()).boxed())
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

fn after(ttl: Duration) -> Instant {
    const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
    Instant::now() + ttl.min(LONGEST)
}

/// Counters are kept as Redis keeps them: as text.
fn number(value: &[u8]) -> Result<i64> {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(not_a_counter)
}
