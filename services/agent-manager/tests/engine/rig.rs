//! An engine with an executor that a test writes as a closure.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use swarm_agent_manager::agents::{AgentKind, AgentProfile, AgentRecord, ModelSettings};
use swarm_agent_manager::engine::{
    Engine, EngineConfig, Executor, Submission, TaskContext, Weights,
};
use swarm_agent_manager::events::{EventRecord, Hub, Scope};
use swarm_agent_manager::tasks::{Strategy, TaskRecord, TaskSpec, TaskState};
use swarm_database::Db;
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_telemetry::Registry;
use swarm_test_support::eventually;
use swarm_types::{AgentId, Clock, Priority, SystemClock, TaskId, TenantId};
use tokio::task::JoinHandle;

pub(crate) const LONG: Duration = Duration::from_secs(20);

type Script = dyn Fn(TaskContext) -> BoxFuture<'static, Result<Value>> + Send + Sync;

struct Scripted(Box<Script>);

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

#[async_trait]
impl Executor for Scripted {
    async fn execute(&self, context: TaskContext) -> Result<Value> {
        (self.0)(context).await
    }
}

/// An executor that does this.
pub(crate) fn script<F, Fut>(work: F) -> Arc<dyn Executor>
where
    F: Fn(TaskContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Value>> + Send + 'static,
{
    Arc::new(Scripted(Box::new(move |context| Box::pin(work(context)))))
}

/// The same with something that the test and all of its tasks share.
pub(crate) fn script_with<S, F, Fut>(shared: &Arc<S>, work: F) -> Arc<dyn Executor>
where
    S: Send + Sync + 'static,
    F: Fn(TaskContext, Arc<S>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Value>> + Send + 'static,
{
    let shared = shared.clone();
    script(move |context| work(context, shared.clone()))
}

/// An executor whose tasks are done at once.
pub(crate) fn echo() -> Arc<dyn Executor> {
    script(|context| async move { Ok(context.task().spec.input.clone()) })
}

/// A running engine.
pub(crate) struct Rig {
    pub(crate) engine: Arc<Engine>,
    pub(crate) registry: Registry,
    pub(crate) tenant: TenantId,
    replica: &'static str,
    soft: CancellationToken,
    hard: CancellationToken,
    run: JoinHandle<Result<()>>,
}

/// What may differ between rigs.
pub(crate) struct Options {
    pub(crate) replica: &'static str,
    pub(crate) workers: usize,
    pub(crate) lease: Duration,
    pub(crate) poll: Duration,
    pub(crate) max_steps: u32,
    pub(crate) max_step_bytes: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tenant: TenantId,
    pub(crate) stop_poll: Duration,
    pub(crate) max_queued: u64,
    pub(crate) weights: Weights,
    pub(crate) max_running: HashMap<String, u32>,
    pub(crate) hub: Hub,
    pub(crate) event_retention: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            event_retention: None,
            replica: "one",
            workers: 8,
            lease: Duration::from_secs(60),
            poll: Duration::from_millis(50),
            max_steps: 10_000,
            max_step_bytes: 4 << 20,
            clock: Arc::new(SystemClock),
            tenant: TenantId::new(),
            stop_poll: Duration::from_millis(20),
            max_queued: 100_000,
            weights: Weights::default(),
            max_running: HashMap::new(),
            hub: Hub::default(),
        }
    }
}

impl Rig {
    pub(crate) async fn start(db: &Db, executor: Arc<dyn Executor>) -> Self {
        Self::start_with(db, executor, Options::default()).await
    }

    pub(crate) async fn start_with(db: &Db, executor: Arc<dyn Executor>, options: Options) -> Self {
        let config = EngineConfig {
            replica: options.replica.to_owned(),
            max_workers: options.workers,
            lease: options.lease,
            stop_poll: options.stop_poll,
            max_queued_per_tenant: options.max_queued,
            weights: options.weights,
            max_running: options.max_running,
            poll: options.poll,
            max_steps: options.max_steps,
            max_step_bytes: options.max_step_bytes,
            key_age: EngineConfig::default().key_age,
            event_retention: options.event_retention,
        };
        let registry = Registry::new();
        let engine = Engine::new(
            db.clone(),
            options.clock,
            options.hub,
            &registry,
            config,
            executor,
        );
        let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
        let run = tokio::spawn(engine.clone().run(soft.clone(), hard.clone()));
        tokio::time::timeout(LONG, engine.begun())
            .await
            .expect("it begins");
        Self {
            engine,
            registry,
            tenant: options.tenant,
            replica: options.replica,
            soft,
            hard,
            run,
        }
    }

    pub(crate) const fn replica(&self) -> &'static str {
        self.replica
    }

    /// Ends it where it stands: nothing is written any more.
    pub(crate) async fn crash(self) {
        self.hard.cancel();
        self.run.await.unwrap().unwrap();
    }

    /// Ends it cleanly.
    pub(crate) async fn stop(self) {
        self.soft.cancel();
        tokio::time::timeout(LONG, self.run)
            .await
            .expect("it drains")
            .unwrap()
            .unwrap();
    }

    pub(crate) fn submission(&self) -> Submission {
        submission(self.tenant)
    }

    pub(crate) async fn submit(&self) -> TaskRecord {
        self.engine.submit(self.submission()).await.unwrap()
    }

    /// Submits a task whose spec is changed so.
    pub(crate) async fn submit_as(&self, change: impl FnOnce(&mut TaskSpec)) -> TaskRecord {
        let mut submission = self.submission();
        change(&mut submission.spec);
        self.engine.submit(submission).await.unwrap()
    }

    pub(crate) async fn submit_to(&self, agent: AgentId) -> TaskRecord {
        let mut submission = self.submission();
        submission.spec.agent_id = Some(agent);
        self.engine.submit(submission).await.unwrap()
    }

    pub(crate) async fn task(&self, id: TaskId) -> TaskRecord {
        self.engine.task(self.tenant, id).await.unwrap()
    }

    pub(crate) async fn ended(&self, id: TaskId) -> TaskRecord {
        let task = self.engine.await_end(self.tenant, id, LONG).await.unwrap();
        assert!(
            task.state.is_terminal(),
            "{id} is still {} ({:?})",
            task.state,
            task.waiting_reason
        );
        task
    }

    pub(crate) async fn reaches(&self, id: TaskId, state: TaskState) {
        eventually("the task's state", LONG, || async {
            let found = self.task(id).await.state;
            if found == state { Ok(()) } else { Err(found) }
        })
        .await;
    }

    pub(crate) async fn agent(&self, name: &str, max_concurrency: u32) -> AgentRecord {
        self.engine
            .create_agent(self.tenant, None, profile(name, max_concurrency))
            .await
            .unwrap()
    }

    pub(crate) async fn events(&self, id: TaskId) -> Vec<EventRecord> {
        self.engine.events(self.tenant, id, 0, 500).await.unwrap()
    }

    pub(crate) async fn kinds(&self, id: TaskId) -> Vec<String> {
        self.events(id)
            .await
            .into_iter()
            .map(|event| event.kind)
            .collect()
    }

    /// All events of the tenant so far.
    pub(crate) async fn stored_events(&self) -> Vec<EventRecord> {
        let newest = self.engine.watch(self.tenant, Scope::Tenant, None, false);
        let newest = Box::pin(newest).next().await.unwrap().unwrap().cursor;
        let mut all = Vec::new();
        let watched = self
            .engine
            .watch(self.tenant, Scope::Tenant, Some(0), false);
        let mut watched = Box::pin(watched);
        let mut cursor = 0;
        while cursor < newest {
            let next = watched.next().await.unwrap().unwrap();
            cursor = next.cursor;
            all.extend(next.event);
        }
        all
    }

    /// All that a watch shows until it ends by itself.
    pub(crate) async fn watch(
        &self,
        scope: Scope,
        after: i64,
        ephemeral: bool,
    ) -> Vec<EventRecord> {
        let watched = self
            .engine
            .watch(self.tenant, scope, Some(after), ephemeral);
        let all = watched
            .map(|watched| watched.unwrap().event.unwrap())
            .collect();
        tokio::time::timeout(LONG, all)
            .await
            .expect("the watch ends")
    }
}

pub(crate) fn submission(tenant: TenantId) -> Submission {
    Submission {
        tenant,
        request: None,
        spec: TaskSpec {
            kind: "test".into(),
            input: json!({"prompt": "why?"}),
            strategy: Strategy::default(),
            ..TaskSpec::default()
        },
        priority: Priority::Normal,
        deadline: None,
    }
}

pub(crate) fn profile(name: &str, max_concurrency: u32) -> AgentProfile {
    AgentProfile {
        name: name.to_owned(),
        kind: AgentKind::Worker,
        role: "reader".into(),
        instructions: String::new(),
        model: ModelSettings::default(),
        capabilities: Vec::new(),
        tools: Vec::new(),
        pool: "default".into(),
        max_concurrency,
        labels: Default::default(),
    }
}
