//! The rpcs, as the gateway calls them: tokens, roles, bad input, streams.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt as _;
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
use swarm_proto::agents::v1::message_service_client::MessageServiceClient;
use swarm_proto::agents::v1::task_service_client::TaskServiceClient;
use swarm_proto::agents::v1::watch_events_request::Scope;
use swarm_proto::common::v1 as common;
use swarm_runtime::Lifecycle;
use swarm_telemetry::Registry;
use swarm_test_support::database::Fresh;
use swarm_test_support::eventually;
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
        let prompt = context.task().spec.input["prompt"].as_str().unwrap_or_default().to_owned();
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

struct Service {
    issuer: TestIssuer,
    tenant: TenantId,
    agents: AgentServiceClient<Channel>,
    tasks: TaskServiceClient<Channel>,
    messages: MessageServiceClient<Channel>,
    lifecycle: Lifecycle,
    _fresh: Fresh,
}

impl Service {
    async fn start(fresh: Fresh) -> Self {
        migrate(&fresh.config, &SCHEMA).await.unwrap();
        let mut config = Config { database: fresh.config.clone(), ..Config::default() };
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
        build_with(config, sockets, parts).await.unwrap().spawn(&lifecycle);
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy();
        Self {
            issuer,
            tenant: TenantId::new(),
            agents: AgentServiceClient::new(channel.clone()),
            tasks: TaskServiceClient::new(channel.clone()),
            messages: MessageServiceClient::new(channel),
            lifecycle,
            _fresh: fresh,
        }
    }

    fn asks<T>(&self, message: T) -> Request<T> {
        self.issuer.request(self.tenant, &[Role::Developer], message)
    }

    async fn agent(&self, name: &str) -> wire::Agent {
        let agent = wire::Agent { name: name.into(), max_concurrency: 2, ..Default::default() };
        let message = wire::CreateAgentRequest { request: None, agent: Some(agent) };
        self.agents.clone().create_agent(self.asks(message)).await.unwrap().into_inner().agent.unwrap()
    }

    async fn submit(&self, spec: wire::TaskSpec) -> Result<wire::Task, Status> {
        let message = wire::SubmitTaskRequest { request: None, spec: Some(spec) };
        Ok(self.tasks.clone().submit_task(self.asks(message)).await?.into_inner().task.unwrap())
    }

    async fn result(&self, id: &str) -> wire::Task {
        let message = wire::GetTaskResultRequest { id: id.into(), wait_ms: 20_000 };
        self.tasks.clone().get_task_result(self.asks(message)).await.unwrap().into_inner().task.unwrap()
    }
}

fn asking(prompt: &str) -> wire::TaskSpec {
    wire::TaskSpec { input_json: json!({"prompt": prompt}).to_string(), ..Default::default() }
}

fn code_and_field(status: Status) -> (Code, Option<String>) {
    let error = Error::from(status);
    (error.code(), error.fields().first().map(|field| field.field.clone()))
}

async fn on_both<F, Fut>(case: F)
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

#[tokio::test]
async fn a_task_goes_in_is_watched_and_comes_out() {
    on_both(|service| async move {
        let from_now = wire::WatchEventsRequest { scope: Some(Scope::Tenant(true)), from_now: true, ..Default::default() };
        let mut all = service.tasks.clone().watch_events(service.asks(from_now)).await.unwrap().into_inner();
        assert!(all.next().await.unwrap().unwrap().event.is_none());

        let documents = json!({"prompt": "why?", "documents": [{"name": "a.md", "text": "because"}]});
        let spec = wire::TaskSpec {
            input_json: documents.to_string(),
            kind: "question".into(),
            priority: "high".into(),
            metadata: [("a".to_owned(), "b".to_owned())].into(),
            ..Default::default()
        };
        let task = service.submit(spec).await.unwrap();
        let ended = service.result(&task.id).await;
        assert_eq!(ended.state(), wire::TaskState::Completed);
        assert_eq!(ended.result_json, r#"{"answer":"why?"}"#);
        let spec = ended.spec.clone().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&spec.input_json).unwrap(), documents);
        assert_eq!((spec.priority.as_str(), spec.kind.as_str(), spec.metadata["a"].as_str()), ("high", "question", "b"));

        let listed = wire::ListTaskEventsRequest { task_id: task.id.clone(), after_seq: 0, limit: 0 };
        let listed = service.tasks.clone().list_task_events(service.asks(listed)).await.unwrap().into_inner().events;
        let kinds: Vec<_> = listed.iter().map(|event| event.r#type.as_str()).collect();
        let expected = ["task.submitted", "task.started", "step.started", "step.finished", "task.completed"];
        assert_eq!(kinds, expected);
        let scope = Some(Scope::TaskId(task.id.clone()));
        let watch = wire::WatchEventsRequest { scope, after: 2, ..Default::default() };
        let watched = service.tasks.clone().watch_events(service.asks(watch)).await.unwrap().into_inner();
        let watched: Vec<_> = watched.map(|answer| answer.unwrap()).collect().await;
        assert_eq!(watched.iter().map(|answer| answer.cursor).collect::<Vec<_>>(), [3, 4, 5]);
        let live: Vec<_> = all.by_ref().take(5).map(|answer| answer.unwrap().event.unwrap()).collect().await;
        assert_eq!(live, listed);

        let tree = wire::GetTaskTreeRequest { id: task.id.clone() };
        let tree = service.tasks.clone().get_task_tree(service.asks(tree)).await.unwrap().into_inner().tree.unwrap();
        assert_eq!((tree.steps.len(), tree.children.len()), (1, 0));
        let brief = json!({"prompt": "why?", "documents": [{"name": "a.md", "bytes": 7}]});
        assert_eq!(serde_json::from_str::<Value>(&tree.task.unwrap().spec.unwrap().input_json).unwrap(), brief);
        let steps = wire::ListTaskStepsRequest { task_id: task.id, page: None };
        let steps = service.tasks.clone().list_task_steps(service.asks(steps)).await.unwrap().into_inner().steps;
        assert_eq!((steps[0].kind.as_str(), steps[0].name.as_str()), ("model", "parrot"));
    })
    .await;
}

#[tokio::test]
async fn lists_go_on_at_their_cursor() {
    on_both(|service| async move {
        let mut ids = Vec::new();
        for _ in 0..3 {
            let task = service.submit(asking("why?")).await.unwrap();
            service.result(&task.id).await;
            ids.push(task.id);
        }
        ids.reverse();
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = Some(common::PageRequest { limit: 2, cursor });
            let message = wire::ListTasksRequest { page, state: wire::TaskState::Completed.into(), ..Default::default() };
            let answer = service.tasks.clone().list_tasks(service.asks(message)).await.unwrap().into_inner();
            found.extend(answer.tasks.into_iter().map(|task| task.id));
            cursor = answer.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        assert_eq!(found, ids, "the newest first");
    })
    .await;
}

#[tokio::test]
async fn an_agent_lives_and_stops() {
    on_both(|service| async move {
        let agent = service.agent("reader").await;
        assert_eq!((agent.state(), agent.kind(), agent.pool.as_str()), (wire::AgentState::Idle, wire::AgentKind::Worker, "default"));
        let patch = wire::UpdateAgentRequest {
            id: agent.id.clone(),
            patch_json: json!({"role": "writer", "model": {"temperature": 0.5}}).to_string(),
            expected_version: agent.version,
            request: None,
        };
        let updated = service.agents.clone().update_agent(service.asks(patch)).await.unwrap().into_inner().agent.unwrap();
        assert_eq!((updated.role.as_str(), updated.model.unwrap().temperature), ("writer", Some(0.5)));
        let id = || agent.id.clone();
        let paused = service.agents.clone().pause_agent(service.asks(wire::PauseAgentRequest { id: id() })).await.unwrap();
        assert_eq!(paused.into_inner().agent.unwrap().state(), wire::AgentState::Paused);
        let resumed = service.agents.clone().resume_agent(service.asks(wire::ResumeAgentRequest { id: id() })).await;
        assert_eq!(resumed.unwrap().into_inner().agent.unwrap().state(), wire::AgentState::Idle);

        let spec = wire::TaskSpec { agent_id: id(), ..asking("wait") };
        let task = service.submit(spec).await.unwrap();
        let agents = service.agents.clone();
        eventually("it is at work", Duration::from_secs(20), || async {
            let found = agents.clone().get_agent(service.asks(wire::GetAgentRequest { id: id() })).await.unwrap();
            found.into_inner().agent.unwrap().state() == wire::AgentState::Busy
        })
        .await;
        let drained = service.agents.clone().drain_agent(service.asks(wire::DrainAgentRequest { id: id() })).await.unwrap();
        assert_eq!(drained.into_inner().agent.unwrap().state(), wire::AgentState::Draining);
        let cancel = wire::CancelTaskRequest { id: task.id, reason: "enough".into() };
        let cancelled = service.tasks.clone().cancel_task(service.asks(cancel)).await.unwrap().into_inner().task.unwrap();
        assert_eq!(cancelled.error.unwrap().detail, "enough");
        let found = service.agents.clone().get_agent(service.asks(wire::GetAgentRequest { id: id() })).await.unwrap();
        assert_eq!(found.into_inner().agent.unwrap().state(), wire::AgentState::Stopped);
        let list = wire::ListAgentsRequest::default();
        let listed = service.agents.clone().list_agents(service.asks(list)).await.unwrap().into_inner();
        assert!(listed.agents.is_empty(), "stopped ones are not shown");
        service.agents.clone().delete_agent(service.asks(wire::DeleteAgentRequest { id: id() })).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn messages_go_from_hand_to_hand() {
    on_both(|service| async move {
        let (one, two) = (service.agent("one").await, service.agent("two").await);
        let message = wire::SendMessageRequest {
            request: Some(common::RequestKey { key: "k".into(), body_hash: Vec::new() }),
            from_agent_id: one.id,
            to_agent_id: two.id.clone(),
            task_id: String::new(),
            subject: "s".into(),
            body: "b".into(),
        };
        let sent = service.messages.clone().send_message(service.asks(message.clone())).await.unwrap().into_inner();
        let again = service.messages.clone().send_message(service.asks(message)).await.unwrap().into_inner();
        assert_eq!(sent, again);
        let inbox = wire::ListInboxRequest { agent_id: two.id, ..Default::default() };
        let found = service.messages.clone().list_inbox(service.asks(inbox.clone())).await.unwrap().into_inner();
        let sent = sent.message.unwrap();
        assert_eq!(found.messages, std::slice::from_ref(&sent));
        let ack = wire::AckMessageRequest { id: sent.id };
        let acked = service.messages.clone().ack_message(service.asks(ack)).await.unwrap().into_inner().message.unwrap();
        assert_eq!(acked.state, "consumed");
        let found = service.messages.clone().list_inbox(service.asks(inbox)).await.unwrap().into_inner();
        assert!(found.messages.is_empty());
    })
    .await;
}

#[tokio::test]
async fn bad_input_is_named_and_leaves_nothing() {
    on_both(|service| async move {
        let nobody = swarm_types::AgentId::new().to_string();
        let swarm = wire::Strategy { name: "swarm".into(), members: vec![nobody.clone()], rounds: None };
        for (spec, code, field) in [
            (wire::TaskSpec::default(), Code::InvalidArgument, "input"),
            (wire::TaskSpec { input_json: "{}".into(), ..Default::default() }, Code::InvalidArgument, "input"),
            (asking(""), Code::InvalidArgument, "input.prompt"),
            (asking(&"x".repeat(65 * 1024)), Code::TooLarge, "input.prompt"),
            (wire::TaskSpec { priority: "now".into(), ..asking("p") }, Code::InvalidArgument, "priority"),
            (wire::TaskSpec { agent_id: nobody.clone(), ..asking("p") }, Code::InvalidArgument, "agent_id"),
            (wire::TaskSpec { strategy: Some(swarm), ..asking("p") }, Code::InvalidArgument, "strategy.members[0]"),
        ] {
            let status = service.submit(spec).await.unwrap_err();
            assert_eq!(code_and_field(status), (code, Some(field.to_owned())));
        }
        let agent = wire::Agent { name: "a".into(), tools: vec![String::new()], ..Default::default() };
        let message = wire::CreateAgentRequest { request: None, agent: Some(agent) };
        let status = service.agents.clone().create_agent(service.asks(message)).await.unwrap_err();
        assert_eq!(code_and_field(status), (Code::InvalidArgument, Some("tools[0]".to_owned())));
        let status = service.tasks.clone().get_task(service.asks(wire::GetTaskRequest { id: "x".into() })).await.unwrap_err();
        assert_eq!(code_and_field(status), (Code::InvalidArgument, Some("id".to_owned())));
        let unknown = wire::GetTaskRequest { id: swarm_types::TaskId::new().to_string() };
        let status = service.tasks.clone().get_task(service.asks(unknown)).await.unwrap_err();
        assert_eq!(code_and_field(status), (Code::NotFound, None));
        let watch = wire::WatchEventsRequest::default();
        let status = service.tasks.clone().watch_events(service.asks(watch)).await.unwrap_err();
        assert_eq!(code_and_field(status), (Code::InvalidArgument, Some("scope".to_owned())));
        let page = Some(common::PageRequest { limit: 1, cursor: "nonsense".into() });
        let list = wire::ListTasksRequest { page, ..Default::default() };
        let status = service.tasks.clone().list_tasks(service.asks(list)).await.unwrap_err();
        assert_eq!(code_and_field(status), (Code::InvalidArgument, Some("cursor".to_owned())));

        let list = service.tasks.clone().list_tasks(service.asks(wire::ListTasksRequest::default())).await.unwrap();
        assert!(list.into_inner().tasks.is_empty());
        let agents = service.agents.clone().list_agents(service.asks(wire::ListAgentsRequest::default())).await.unwrap();
        assert!(agents.into_inner().agents.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_may_not_does_not() {
    on_both(|service| async move {
        let submit = || wire::SubmitTaskRequest { request: None, spec: Some(asking("why?")) };
        let none = service.tasks.clone().submit_task(Request::new(submit())).await.unwrap_err();
        assert_eq!(code_and_field(none).0, Code::Unauthenticated);
        let viewer = service.issuer.request(service.tenant, &[Role::Viewer], submit());
        let refused = service.tasks.clone().submit_task(viewer).await.unwrap_err();
        assert_eq!(code_and_field(refused).0, Code::PermissionDenied);
        let task = service.submit(asking("why?")).await.unwrap();
        let stranger = service.issuer.request(TenantId::new(), &[Role::Admin], wire::GetTaskRequest { id: task.id.clone() });
        let unseen = service.tasks.clone().get_task(stranger).await.unwrap_err();
        assert_eq!(code_and_field(unseen).0, Code::NotFound);
        let cancel = wire::CancelTaskRequest { id: task.id, reason: String::new() };
        let viewer = service.issuer.request(service.tenant, &[Role::Viewer], cancel);
        let refused = service.tasks.clone().cancel_task(viewer).await.unwrap_err();
        assert_eq!(code_and_field(refused).0, Code::PermissionDenied);
    })
    .await;
}
