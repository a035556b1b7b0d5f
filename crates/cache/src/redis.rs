//! The cache in Redis.

use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::aio::{PubSubSink, PubSubStream};
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError, cmd, pipe,
};
use deadpool_redis::{Manager, Pool, PoolError, Runtime};
use futures::StreamExt as _;
use swarm_errors::{Code, Error, Result};

use crate::CacheConfig;
use crate::backend::{Backend, Message, Subscription};

const RETRY_AFTER: Duration = Duration::from_secs(1);
/// A subscription that hears nothing for so long asks whether the connection still lives.
const SILENCE: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A pool of connections for commands, and a connection for each subscription.
#[derive(Debug)]
pub(crate) struct Redis {
    pool: Pool,
    client: Client,
    timeout: Duration,
}

impl Redis {
    pub(crate) fn new(config: &CacheConfig) -> Result<Self> {
        // The parser's own message could repeat the password.
        let wrong = |_: RedisError| {
            Error::invalid(
                "cache.url",
                "must be redis://user:password@host:port/number",
            )
        };
        let timeout = config.timeout();
        let client = Client::open(config.url.as_str()).map_err(wrong)?;
        let settings = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout));
        let manager = Manager::new_with_config(config.url.as_str(), settings).map_err(wrong)?;
        let pool = Pool::builder(manager)
            .max_size(config.max_connections as usize)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .recycle_timeout(Some(timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            pool,
            client,
            timeout,
        })
    }

    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let mut connection = self.pool.get().await.map_err(no_connection)?;
        command.query_async(&mut connection).await.map_err(failed)
    }
}

#[async_trait]
impl Backend for Redis {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.run(cmd("GET").arg(key)).await
    }

    async fn put(&self, key: &str, value: Vec<u8>, ttl: Duration) -> Result<()> {
        self.run(
            cmd("SET")
                .arg(key)
                .arg(value)
                .arg("PX")
                .arg(milliseconds(ttl)),
        )
        .await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        self.run::<i64>(cmd("DEL").arg(key))
            .await
            .map(|deleted| deleted > 0)
    }

    async fn increment(&self, key: &str, by: i64, ttl: Duration) -> Result<i64> {
        let mut connection = self.pool.get().await.map_err(no_connection)?;
        // The first one makes the counter with its end, in the same transaction.
        let (count,) = pipe()
            .atomic()
            .cmd("SET")
            .arg(key)
            .arg(0)
            .arg("PX")
            .arg(milliseconds(ttl))
            .arg("NX")
            .ignore()
            .cmd("INCRBY")
            .arg(key)
            .arg(by)
            .query_async::<(i64,)>(&mut connection)
            .await
            .map_err(failed)?;
        Ok(count)
    }

    async fn publish(&self, channel: &str, payload: Vec<u8>) -> Result<()> {
        self.run(cmd("PUBLISH").arg(channel).arg(payload)).await
    }

    async fn subscribe(&self, channel: &str) -> Result<Subscription> {
        let listener = Listener {
            client: self.client.clone(),
            channel: channel.to_owned(),
            timeout: self.timeout,
        };
        let ears = listener.connect().await?;
        Ok(futures::stream::unfold((listener, Some(ears)), next).boxed())
    }

    async fn ping(&self) -> Result<()> {
        self.run::<String>(&cmd("PING")).await.map(drop)
    }
}

/// One subscription: what it takes to connect again.
struct Listener {
    client: Client,
    channel: String,
    timeout: Duration,
}

struct Ears {
    sink: PubSubSink,
    stream: PubSubStream,
}

async fn next(
    (listener, mut ears): (Listener, Option<Ears>),
) -> Option<(Message, (Listener, Option<Ears>))> {
    if let Some(open) = &mut ears {
        if let Some(payload) = listener.hear(open).await {
            return Some((Message::Payload(payload), (listener, ears)));
        }
        tracing::warn!(
            cache.channel = listener.channel,
            "subscription lost, connecting again"
        );
    }
    let again = listener.connect_again().await;
    Some((Message::Missed, (listener, Some(again))))
}

impl Listener {
    async fn connect(&self) -> Result<Ears> {
        let connecting = async {
            let mut connection = self.client.get_async_pubsub().await?;
            connection.subscribe(&self.channel).await?;
            Ok(connection.split())
        };
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(Ok((sink, stream))) => Ok(Ears { sink, stream }),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(unavailable()),
        }
    }

    async fn connect_again(&self) -> Ears {
        let mut longest = FIRST_PAUSE;
        loop {
            match self.connect().await {
                Ok(ears) => return ears,
                Err(error) => {
                    tracing::debug!(cache.channel = self.channel, error = %error.chain(), "no subscription yet");
                }
            }
            // Random, so that all subscribers do not come back in the same moment.
            tokio::time::sleep(longest.mul_f64(rand::random_range(0.5..=1.0))).await;
            longest = (longest * 2).min(LONGEST_PAUSE);
        }
    }

    /// The next payload, or nothing once the connection is lost.
    async fn hear(&self, ears: &mut Ears) -> Option<Vec<u8>> {
        loop {
            match tokio::time::timeout(SILENCE, ears.stream.next()).await {
                Ok(message) => return message.map(|message| message.get_payload_bytes().to_vec()),
                Err(_) => {
                    let ping = ears.sink.ping_message::<Vec<u8>>(b"");
                    tokio::time::timeout(self.timeout, ping).await.ok()?.ok()?;
                }
            }
        }
    }
}

fn milliseconds(ttl: Duration) -> u64 {
    // What Redis takes at most.
    const LONGEST: u64 = 10 * 365 * 24 * 3600 * 1000;
    u64::try_from(ttl.as_millis())
        .unwrap_or(LONGEST)
        .min(LONGEST)
}

fn unavailable() -> Error {
    Error::unavailable("the cache cannot be reached").with_retry_after(RETRY_AFTER)
}

pub(crate) fn not_a_counter() -> Error {
    Error::new(
        Code::FailedPrecondition,
        "the key does not hold a counter that can be added to",
    )
}

fn no_connection(error: PoolError) -> Error {
    unavailable().with_source(error)
}

fn failed(error: RedisError) -> Error {
    let text = error.to_string();
    if text.contains("not an integer") || text.contains("overflow") {
        return not_a_counter().with_source(error);
    }
    unavailable().with_source(error)
}
