//! The lives of the six, and the order in which they end.

use std::time::Duration;

use swarm_errors::{Code, Error};
use swarm_runtime::{ExitStatus, Lifecycle};

use super::configs::Apps;

/// How long the rest waits for the gateway's last answers before it begins to stop as well.
const HEAD_START: Duration = Duration::from_secs(2);

/// Three lives that end one after the other.
#[derive(Debug)]
pub(super) struct Lives {
    /// The door.
    gateway: Lifecycle,
    /// Work.
    agent_manager: Lifecycle,
    /// What work needs.
    rest: Lifecycle,
}

impl Lives {
    pub(super) fn spawn(apps: Apps, grace: Duration) -> Self {
        let life = || Lifecycle::new(grace);
        let lives = Self {
            gateway: life(),
            agent_manager: life(),
            rest: life(),
        };
        apps.spawn(&lives.gateway, &lives.agent_manager, &lives.rest);
        lives
    }

    fn all(&self) -> [&Lifecycle; 3] {
        [&self.gateway, &self.agent_manager, &self.rest]
    }

    /// Ready when one has begun to end.
    pub(super) async fn failed(&self) {
        let [gateway, agent_manager, rest] = self.all().map(Lifecycle::soft);
        tokio::select! {
            () = gateway.cancelled() => {}
            () = agent_manager.cancelled() => {}
            () = rest.cancelled() => {}
        }
    }

    /// Stops, and says what had failed.
    pub(super) async fn failure(&self) -> Error {
        let status = self.stop().await;
        let words = match status.failures.first() {
            Some(failure) => format!("{}: {}", failure.task, failure.reason),
            None => "a service ended before it was ready".to_owned(),
        };
        Error::new(Code::Unavailable, words)
    }

    /// Stops the door, then work, then the rest.
    pub(super) async fn stop(&self) -> ExitStatus {
        self.gateway.shutdown();
        let mut gateway = Box::pin(self.gateway.stopped());
        let door = tokio::time::timeout(HEAD_START, &mut gateway).await;
        let work = async {
            let agent_manager = self.agent_manager.stop().await;
            let rest = self.rest.stop().await;
            [agent_manager, rest]
        };
        let (door, others) = match door {
            Ok(door) => (door, work.await),
            Err(_) => tokio::join!(gateway, work),
        };
        std::iter::once(door)
            .chain(others)
            .fold(ExitStatus::default(), |mut all, one| {
                all.failures.extend(one.failures);
                all.aborted.extend(one.aborted);
                all
            })
    }

    pub(super) fn hurry(&self) {
        for life in self.all() {
            life.hard().cancel();
        }
    }
}

impl Drop for Lives {
    fn drop(&mut self) {
        for life in self.all() {
            life.kill();
        }
    }
}
