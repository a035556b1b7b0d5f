//! The cache as services see it.

use std::sync::Arc;
use std::time::Duration;

use swarm_config::Validate as _;
use swarm_errors::{Error, Result};

use crate::CacheConfig;
use crate::backend::{Backend, Subscription};
use crate::memory::Memory;
use crate::redis::Redis;

/// An open cache. Clones share it; two caches opened at `memory:` share nothing.
#[derive(Debug, Clone)]
pub struct Cache {
    backend: Arc<dyn Backend>,
    prefix: Arc<str>,
}

impl Cache {
    /// Opens the cache. Redis is not connected to yet: a service starts without it.
    ///
    /// # Errors
    /// When the settings are wrong.
    pub fn open(config: &CacheConfig) -> Result<Self> {
        config.validate()?;
        let backend: Arc<dyn Backend> = if config.is_memory() {
            Arc::new(Memory::new(config))
        } else {
            Arc::new(Redis::new(config)?)
        };
        Ok(Self {
            backend,
            prefix: config.prefix.as_str().into(),
        })
    }

    /// The value of a key, while it is there.
    ///
    /// # Errors
    /// `unavailable`: take the slow path.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.backend.get(&self.prefixed(key)).await
    }

    /// Keeps a value for as long as `ttl`, in place of the one before.
    ///
    /// # Errors
    /// `unavailable`: go on without.
    pub async fn put(
        &self,
        key: &str,
        value: impl Into<Vec<u8>> + Send,
        ttl: Duration,
    ) -> Result<()> {
        self.backend
            .put(&self.prefixed(key), value.into(), checked(ttl)?)
            .await
    }

    /// Forgets a key, and says whether it was there.
    ///
    /// # Errors
    /// `unavailable`: it may still be there until it expires.
    pub async fn delete(&self, key: &str) -> Result<bool> {
        self.backend.delete(&self.prefixed(key)).await
    }

    /// Adds to a counter, which begins at 0, and returns its new value. `ttl` runs from the
    /// counter's first increment, so that a counter is a fixed window.
    ///
    /// # Errors
    /// `unavailable`, or `failed_precondition` when the key holds something else.
    pub async fn increment(&self, key: &str, by: i64, ttl: Duration) -> Result<i64> {
        self.backend
            .increment(&self.prefixed(key), by, checked(ttl)?)
            .await
    }

    /// Sends a wake-up call to whoever listens now. It may be lost.
    ///
    /// # Errors
    /// `unavailable`: nobody was called.
    pub async fn publish(&self, channel: &str, payload: impl Into<Vec<u8>> + Send) -> Result<()> {
        self.backend
            .publish(&self.prefixed(channel), payload.into())
            .await
    }

    /// Listens to a channel: what is published after this has returned is received.
    ///
    /// # Errors
    /// `unavailable` when Redis cannot be reached now; later it connects again by itself.
    pub async fn subscribe(&self, channel: &str) -> Result<Subscription> {
        self.backend.subscribe(&self.prefixed(channel)).await
    }

    /// Whether the cache answers.
    ///
    /// # Errors
    /// `unavailable` when it does not.
    pub async fn ping(&self) -> Result<()> {
        self.backend.ping().await
    }

    fn prefixed(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// Redis counts milliseconds, and refuses none.
fn checked(ttl: Duration) -> Result<Duration> {
    if ttl.as_millis() == 0 {
        return Err(Error::invalid("ttl", "must be at least one millisecond"));
    }
    Ok(ttl)
}
