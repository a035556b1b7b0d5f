//! A running learning and its clients.

use std::sync::Arc;
use std::time::Duration;

use swarm_config::{Listen, Secret};
use swarm_errors::{Error, Result};
use swarm_identity::Role;
use swarm_learning::{Config, Sockets, build_with};
use swarm_proto::learning::v1 as wire;
use swarm_proto::learning::v1::learning_service_client::LearningServiceClient;
use swarm_runtime::Lifecycle;
use swarm_test_support::database::Fresh;
use swarm_test_support::identity::TestIssuer;
use swarm_types::{AgentId, Clock, ManualClock, ObservationId, SystemClock, TaskId, TenantId};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

/// Chance is the same in each run.
const SEED: u64 = 11;

pub(crate) struct Learning {
    pub(crate) tenant: TenantId,
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metrics: String,
    pub(crate) client: LearningServiceClient<Channel>,
    config: Config,
    lifecycle: Lifecycle,
    _database: Fresh,
}

impl Learning {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let (database, issuer) = (Fresh::sqlite(), TestIssuer::with_clock(clock.clone()));
        let mut config = Config {
            database: database.config.clone(),
            ..Config::default()
        };
        config.service.secret = Secret::new("any");
        config.peers.auth = issuer.serve().await;
        config.learning.grpc = Listen::loopback(0);
        config.learning.admin = Listen::loopback(0);
        let (lifecycle, client, metrics) = spawn(&config, &clock).await;
        Self {
            tenant: TenantId::new(),
            issuer,
            clock,
            metrics,
            client,
            config,
            lifecycle,
            _database: database,
        }
    }

    /// Stops it in order and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        assert!(self.lifecycle.stop().await.is_clean());
        let (lifecycle, client, metrics) = spawn(&self.config, &self.clock).await;
        (self.lifecycle, self.client, self.metrics) = (lifecycle, client, metrics);
    }

    /// A call of agent-manager for the tenant.
    pub(crate) fn by_service<T>(&self, message: T) -> Request<T> {
        self.issuer
            .service_request("agent-manager", Some(self.tenant), message)
    }

    /// A call for a new person of the tenant.
    pub(crate) fn by_person<T>(&self, role: Role, message: T) -> Request<T> {
        self.issuer.request(self.tenant, &[role], message)
    }

    pub(crate) async fn record(&self, observations: Vec<wire::Observation>) -> Result<u32> {
        let message = self.by_service(wire::RecordObservationsRequest { observations });
        answer(self.client.clone().record_observations(message).await).map(|answer| answer.recorded)
    }

    pub(crate) async fn choose(
        &self,
        id: &str,
        arms: &[String],
        count: u32,
    ) -> Result<wire::ChooseResponse> {
        let message = wire::ChooseRequest {
            choice_id: id.into(),
            kind: "read".into(),
            arms: arms.to_vec(),
            count,
        };
        answer(self.client.clone().choose(self.by_service(message)).await)
    }

    pub(crate) async fn policies(&self, kind: &str) -> wire::ListPoliciesResponse {
        let message = wire::ListPoliciesRequest { kind: kind.into() };
        answer(
            self.client
                .clone()
                .list_policies(self.by_person(Role::Viewer, message))
                .await,
        )
        .unwrap()
    }
}

pub(crate) fn outcome(task: TaskId, agent: &str, success: bool) -> wire::Observation {
    wire::Observation {
        id: ObservationId::new().to_string(),
        task_id: task.to_string(),
        agent_id: agent.to_owned(),
        model: "model".into(),
        kind: "read".into(),
        latency_ms: 50,
        input_tokens: 1,
        output_tokens: 1,
        success,
        at: None,
    }
}

pub(crate) fn agents(count: usize) -> Vec<String> {
    (0..count).map(|_| AgentId::new().to_string()).collect()
}

pub(crate) fn answer<T>(result: Result<Response<T>, Status>) -> Result<T> {
    result.map(Response::into_inner).map_err(Error::from)
}

async fn spawn(
    config: &Config,
    clock: &Arc<ManualClock>,
) -> (Lifecycle, LearningServiceClient<Channel>, String) {
    let sockets = Sockets::bind(config).await.unwrap();
    let address = format!("http://{}", sockets.grpc_address().unwrap());
    let metrics = sockets.admin_address().unwrap().to_string();
    let lifecycle = Lifecycle::new(Duration::from_secs(5));
    let clock: Arc<dyn Clock> = clock.clone();
    build_with(config.clone(), sockets, clock, SEED)
        .await
        .unwrap()
        .spawn(&lifecycle);
    let channel = Endpoint::from_shared(address).unwrap().connect_lazy();
    (lifecycle, LearningServiceClient::new(channel), metrics)
}
