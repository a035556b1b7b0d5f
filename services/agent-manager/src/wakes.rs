//! Replicas wake each other through the cache. What gets lost there is found by looking.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use swarm_cache::{Cache, Message};
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use tokio::sync::mpsc;

use crate::engine::Engine;
use crate::events::Wake;

const CHANNEL: &str = "agent-manager.wakes";
/// Commits that are told in one message.
const BATCH: usize = 256;
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Tells other replicas of commits, and listens to theirs.
#[derive(Debug)]
pub(crate) struct Wakes {
    pub(crate) cache: Cache,
    pub(crate) outgoing: mpsc::UnboundedReceiver<Wake>,
}

impl Wakes {
    /// Runs until `soft` is cancelled.
    pub(crate) async fn run(self, engine: Arc<Engine>, soft: CancellationToken) -> Result<()> {
        let Self { cache, outgoing } = self;
        tokio::select! {
            () = soft.cancelled() => {}
            () = tell(&cache, outgoing) => {}
            () = listen(&cache, &engine) => {}
        }
        Ok(())
    }
}

async fn tell(cache: &Cache, mut outgoing: mpsc::UnboundedReceiver<Wake>) {
    let mut wakes = Vec::new();
    while outgoing.recv_many(&mut wakes, BATCH).await > 0 {
        wakes.dedup();
        let told = match serde_json::to_vec(&wakes) {
            Ok(payload) => cache.publish(CHANNEL, payload).await,
            Err(error) => Err(swarm_errors::Error::internal(error)),
        };
        if let Err(error) = told {
            tracing::debug!(error = %error.chain(), "other replicas were not woken and will look by themselves");
        }
        wakes.clear();
    }
}

async fn listen(cache: &Cache, engine: &Engine) {
    loop {
        let Ok(mut messages) = cache.subscribe(CHANNEL).await else {
            tokio::time::sleep(TRY_AGAIN).await;
            continue;
        };
        while let Some(message) = messages.next().await {
            match message {
                Message::Payload(payload) => match serde_json::from_slice::<Vec<Wake>>(&payload) {
                    Ok(wakes) => wakes.iter().for_each(|wake| engine.heard(wake)),
                    Err(error) => tracing::debug!(%error, "a wake-up call could not be read"),
                },
                Message::Missed => engine.look(),
            }
        }
    }
}
