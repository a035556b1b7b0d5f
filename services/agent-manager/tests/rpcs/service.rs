//! agent-manager on a free port, with an executor and a courier of the tests' own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use swarm_agent_manager::engine::{Courier, Executor, Letter, TaskContext};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::{Config, Parts, SCHEMA, Sockets, build_with};
use swarm_config::Listen;
use swarm_database::migrate;
use swarm_errors::{Code, Error, Result};
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_proto::agents::v1::agent_service_client::AgentServiceClient;
use swarm_proto::agents::v1::dead_letter_service_client::DeadLetterServiceClient;
use swarm_proto::agents::v1::message_service_client::MessageServiceClient;
use swarm_proto::agents::v1::overview_service_client::OverviewServiceClient;
use swarm_proto::agents::v1::schedule_service_client::ScheduleServiceClient;
use swarm_proto::agents::v1::task_service_client::TaskServiceClient;
use swarm_runtime::Lifecycle;
use swarm_telemetry::Registry;
use swarm_test_support::database::Fresh;
use swarm_test_support::identity::TestIssuer;
use swarm_types::{SystemClock, TenantId};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Answers its prompt, with one step and two tokens.
#[derive(Debug)]
struct Parrot;

#[async_trait]
impl Executor for Parrot {
    async fn execute(&self, context: TaskContext) -> Result<Value> {
        let prompt = context.task().spec.input["prompt"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if prompt == "away" && context.task().attempt == 1 {
            return Err(Error::unavailable("the parrot is away"));
        }
        if prompt == "wait" {
            std::future::pending::<()>().await;
        }
        let step = StepSpec::new("model/0", StepKind::Model, "parrot", json!({}));
        let answer: String = context
            .step(step, |step| async move {
                step.emit_token("a");
                step.emit_token("b");
                Ok(StepDone::new(prompt))
            })
            .await?;
        Ok(json!({"answer": answer}))
    }
}

/// Nobody is to be told anything here.
#[derive(Debug)]
struct NoCourier;

#[async_trait]
impl Courier for NoCourier {
    async fn carry(&self, _: &str, _: TenantId, _: &[Letter]) -> Result<()> {
        Ok(())
    }
}

pub(crate) struct Service {
    pub(crate) issuer: TestIssuer,
    pub(crate) tenant: TenantId,
    pub(crate) agents: AgentServiceClient<Channel>,
    pub(crate) tasks: TaskServiceClient<Channel>,
    pub(crate) dead_letters: DeadLetterServiceClient<Channel>,
    pub(crate) overviews: OverviewServiceClient<Channel>,
    pub(crate) messages: MessageServiceClient<Channel>,
    pub(crate) schedules: ScheduleServiceClient<Channel>,
    lifecycle: Lifecycle,
    _fresh: Fresh,
}

impl Service {
    pub(crate) async fn start(fresh: Fresh) -> Self {
        migrate(&fresh.config, &SCHEMA).await.unwrap();
        let mut config = Config {
            database: fresh.config.clone(),
            ..Config::default()
        };
        config.agent_manager.grpc = Listen::loopback(0);
        config.agent_manager.admin = Listen::loopback(0);
        config.agent_manager.poll_ms = 50;
        let sockets = Sockets::bind(&config).await.unwrap();
        let address = sockets.grpc.local_addr().unwrap();
        let issuer = TestIssuer::new();
        let parts = Parts {
            executor: Arc::new(Parrot),
            courier: Arc::new(NoCourier),
            verifier: issuer.verifier(),
            clock: Arc::new(SystemClock),
            registry: Registry::new(),
        };
        let lifecycle = Lifecycle::new(Duration::from_secs(5));
        build_with(config, sockets, parts)
            .await
            .unwrap()
            .spawn(&lifecycle);
        let channel = Channel::from_shared(format!("http://{address}"))
            .unwrap()
            .connect_lazy();
        Self {
            issuer,
            tenant: TenantId::new(),
            agents: AgentServiceClient::new(channel.clone()),
            tasks: TaskServiceClient::new(channel.clone()),
            dead_letters: DeadLetterServiceClient::new(channel.clone()),
            overviews: OverviewServiceClient::new(channel.clone()),
            messages: MessageServiceClient::new(channel.clone()),
            schedules: ScheduleServiceClient::new(channel),
            lifecycle,
            _fresh: fresh,
        }
    }

    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        self.issuer
            .request(self.tenant, &[Role::Developer], message)
    }

    pub(crate) async fn agent(&self, name: &str) -> wire::Agent {
        let agent = wire::Agent {
            name: name.into(),
            max_concurrency: 2,
            ..Default::default()
        };
        let message = wire::CreateAgentRequest {
            request: None,
            agent: Some(agent),
        };
        self.agents
            .clone()
            .create_agent(self.asks(message))
            .await
            .unwrap()
            .into_inner()
            .agent
            .unwrap()
    }

    pub(crate) async fn submit(&self, spec: wire::TaskSpec) -> Result<wire::Task, Status> {
        let message = wire::SubmitTaskRequest {
            wait_ms: 0,
            request: None,
            spec: Some(spec),
        };
        Ok(self
            .tasks
            .clone()
            .submit_task(self.asks(message))
            .await?
            .into_inner()
            .task
            .unwrap())
    }

    pub(crate) async fn result(&self, id: &str) -> wire::Task {
        let message = wire::GetTaskResultRequest {
            id: id.into(),
            wait_ms: 20_000,
        };
        self.tasks
            .clone()
            .get_task_result(self.asks(message))
            .await
            .unwrap()
            .into_inner()
            .task
            .unwrap()
    }
}

pub(crate) fn asking(prompt: &str) -> wire::TaskSpec {
    wire::TaskSpec {
        input_json: json!({"prompt": prompt}).to_string(),
        ..Default::default()
    }
}

pub(crate) fn code_and_field(status: Status) -> (Code, Option<String>) {
    let error = Error::from(status);
    (
        error.code(),
        error.fields().first().map(|field| field.field.clone()),
    )
}

pub(crate) async fn on_both<F, Fut>(case: F)
where
    F: Fn(Service) -> Fut,
    Fut: Future<Output = ()>,
{
    for fresh in Fresh::both().await {
        let service = Service::start(fresh).await;
        let lifecycle = service.lifecycle.clone();
        case(service).await;
        assert!(lifecycle.stop().await.is_clean());
    }
}
