//! What a cache must be able to do.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use swarm_errors::Result;

/// What a subscriber gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// What somebody published.
    Payload(Vec<u8>),
    /// Something may have been published and lost: look yourself. It comes after a connection
    /// was lost and made again, and to a subscriber that was too slow.
    Missed,
}

/// The messages of one channel, from the moment of subscribing on. It connects again by itself
/// and never ends.
pub type Subscription = BoxStream<'static, Message>;

/// A cache: in process or Redis. One suite runs on both.
#[async_trait]
pub(crate) trait Backend: Send + Sync + fmt::Debug {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;
    async fn put(&self, key: &str, value: Vec<u8>, ttl: Duration) -> Result<()>;
    async fn delete(&self, key: &str) -> Result<bool>;
    async fn increment(&self, key: &str, by: i64, ttl: Duration) -> Result<i64>;
    async fn publish(&self, channel: &str, payload: Vec<u8>) -> Result<()>;
    async fn subscribe(&self, channel: &str) -> Result<Subscription>;
    async fn ping(&self) -> Result<()>;
}
