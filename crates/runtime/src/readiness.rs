//! Whether a service can work, dependency by dependency.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;
use swarm_errors::Result;
use tokio_util::sync::CancellationToken;

/// A check that takes longer has failed: probes give up after a few seconds.
const CHECK_LIMIT: Duration = Duration::from_secs(1);

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send + Sync>;

/// The dependencies of one service. Clones share them.
#[derive(Clone, Default)]
pub struct Readiness {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    entries: Mutex<Vec<Entry>>,
    draining: OnceLock<CancellationToken>,
}

#[derive(Clone)]
struct Entry {
    name: &'static str,
    is_required: bool,
    probe: Probe,
}

#[derive(Clone)]
enum Probe {
    Check(Check),
    Flag(Arc<Mutex<Option<String>>>),
}

/// A dependency as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// Its name.
    pub name: &'static str,
    /// Whether it can be used.
    pub ready: bool,
    /// Whether the service cannot work without it.
    pub required: bool,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// All dependencies as they were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Whether the service can take work.
    pub ready: bool,
    /// Whether it is about to stop and so takes no new work.
    pub draining: bool,
    /// Each dependency, in the order of registration.
    pub dependencies: Vec<Dependency>,
}

/// A dependency whose state is told, not asked. It is not ready until [`Flag::set_ready`].
#[derive(Debug, Clone)]
pub struct Flag(Arc<Mutex<Option<String>>>);

impl Flag {
    /// It can be used.
    pub fn set_ready(&self) {
        *lock(&self.0) = None;
    }

    /// It cannot be used, for this reason.
    pub fn set_not_ready(&self, detail: impl Into<String>) {
        *lock(&self.0) = Some(detail.into());
    }
}

impl Readiness {
    /// No dependency, so ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A dependency without which the service is not ready.
    pub fn register<F, Fut>(&self, name: &'static str, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.add(
            name,
            true,
            Probe::Check(Arc::new(move || Box::pin(check()))),
        );
    }

    /// A dependency that is shown, and without which the service still is ready, such as a cache.
    pub fn register_optional<F, Fut>(&self, name: &'static str, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.add(
            name,
            false,
            Probe::Check(Arc::new(move || Box::pin(check()))),
        );
    }

    /// A required dependency whose state the service sets itself, such as a warmed index.
    #[must_use]
    pub fn flag(&self, name: &'static str) -> Flag {
        let state = Arc::new(Mutex::new(Some("starting".to_owned())));
        self.add(name, true, Probe::Flag(state.clone()));
        Flag(state)
    }

    /// From the cancellation of `soft` on, the service is not ready. The first call counts.
    pub fn follow(&self, soft: CancellationToken) {
        self.inner.draining.get_or_init(|| soft);
    }

    /// Asks every dependency, all at once and for a second at most.
    pub async fn snapshot(&self) -> Snapshot {
        let entries = lock(&self.inner.entries).clone();
        let dependencies = futures::future::join_all(entries.iter().map(probe)).await;
        let draining = self
            .inner
            .draining
            .get()
            .is_some_and(CancellationToken::is_cancelled);
        let ready = !draining
            && dependencies
                .iter()
                .all(|dependency| dependency.ready || !dependency.required);
        Snapshot {
            ready,
            draining,
            dependencies,
        }
    }

    fn add(&self, name: &'static str, is_required: bool, probe: Probe) {
        lock(&self.inner.entries).push(Entry {
            name,
            is_required,
            probe,
        });
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = lock(&self.inner.entries)
            .iter()
            .map(|entry| entry.name)
            .collect();
        f.debug_tuple("Readiness").field(&names).finish()
    }
}

async fn probe(entry: &Entry) -> Dependency {
    let failure = match &entry.probe {
        Probe::Flag(state) => lock(state).clone(),
        // The detail is for callers; causes, which may name users and hosts, stay in the log.
        Probe::Check(check) => match tokio::time::timeout(CHECK_LIMIT, check()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.detail().to_owned()),
            Err(_) => Some(format!("no answer within {} s", CHECK_LIMIT.as_secs())),
        },
    };
    Dependency {
        name: entry.name,
        ready: failure.is_none(),
        required: entry.is_required,
        detail: failure.unwrap_or_default(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use swarm_errors::Error;

    use super::*;

    #[tokio::test]
    async fn every_dependency_is_named_with_its_state() {
        let readiness = Readiness::new();
        assert!(readiness.snapshot().await.ready);
        readiness.register("database", || async { Ok(()) });
        readiness.register_optional("cache", || async {
            Err(Error::unavailable("cannot connect")
                .with_source(std::io::Error::other("user hunter2")))
        });
        let index = readiness.flag("index");
        let found = readiness.snapshot().await;
        assert!(!found.ready, "the index is still starting");
        index.set_ready();
        let found = readiness.snapshot().await;
        assert!(found.ready, "a cache is optional");
        assert_eq!(
            serde_json::to_value(&found).unwrap_or_default(),
            serde_json::json!({"ready": true, "draining": false, "dependencies": [
                {"name": "database", "ready": true, "required": true},
                {"name": "cache", "ready": false, "required": false, "detail": "cannot connect"},
                {"name": "index", "ready": true, "required": true},
            ]})
        );
        index.set_not_ready("rebuilding");
        assert_eq!(
            readiness.snapshot().await.dependencies[2].detail,
            "rebuilding"
        );
    }

    #[tokio::test]
    async fn a_check_that_hangs_has_failed() {
        let readiness = Readiness::new();
        readiness.register("database", std::future::pending::<Result<()>>);
        let found = readiness.snapshot().await;
        assert_eq!(
            (found.ready, found.dependencies[0].detail.as_str()),
            (false, "no answer within 1 s")
        );
    }

    #[tokio::test]
    async fn a_draining_service_is_not_ready() {
        let readiness = Readiness::new();
        let soft = CancellationToken::new();
        readiness.follow(soft.clone());
        assert!(readiness.snapshot().await.ready);
        soft.cancel();
        let found = readiness.snapshot().await;
        assert!(found.draining && !found.ready);
    }
}
