//! What is refused, and leaves nothing behind.

use swarm_errors::Code;
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_proto::common::v1 as common;
use swarm_types::TenantId;
use tonic::Request;

use crate::service::{asking, code_and_field, on_both};

#[tokio::test]
async fn bad_input_is_named_and_leaves_nothing() {
    on_both(|service| async move {
        let nobody = swarm_types::AgentId::new().to_string();
        let swarm = wire::Strategy {
            name: "swarm".into(),
            members: vec![nobody.clone()],
            rounds: None,
        };
        for (spec, code, field) in [
            (wire::TaskSpec::default(), Code::InvalidArgument, "input"),
            (
                wire::TaskSpec {
                    input_json: "{}".into(),
                    ..Default::default()
                },
                Code::InvalidArgument,
                "input",
            ),
            (asking(""), Code::InvalidArgument, "input.prompt"),
            (
                asking(&"x".repeat(65 * 1024)),
                Code::TooLarge,
                "input.prompt",
            ),
            (
                wire::TaskSpec {
                    priority: "now".into(),
                    ..asking("p")
                },
                Code::InvalidArgument,
                "priority",
            ),
            (
                wire::TaskSpec {
                    agent_id: nobody.clone(),
                    ..asking("p")
                },
                Code::InvalidArgument,
                "agent_id",
            ),
            (
                wire::TaskSpec {
                    strategy: Some(swarm),
                    ..asking("p")
                },
                Code::InvalidArgument,
                "strategy.members[0]",
            ),
        ] {
            let status = service.submit(spec).await.unwrap_err();
            assert_eq!(code_and_field(status), (code, Some(field.to_owned())));
        }
        let agent = wire::Agent {
            name: "a".into(),
            tools: vec![String::new()],
            ..Default::default()
        };
        let message = wire::CreateAgentRequest {
            request: None,
            agent: Some(agent),
        };
        let status = service
            .agents
            .clone()
            .create_agent(service.asks(message))
            .await
            .unwrap_err();
        assert_eq!(
            code_and_field(status),
            (Code::InvalidArgument, Some("tools[0]".to_owned()))
        );
        let status = service
            .tasks
            .clone()
            .get_task(service.asks(wire::GetTaskRequest { id: "x".into() }))
            .await
            .unwrap_err();
        assert_eq!(
            code_and_field(status),
            (Code::InvalidArgument, Some("id".to_owned()))
        );
        let unknown = wire::GetTaskRequest {
            id: swarm_types::TaskId::new().to_string(),
        };
        let status = service
            .tasks
            .clone()
            .get_task(service.asks(unknown))
            .await
            .unwrap_err();
        assert_eq!(code_and_field(status), (Code::NotFound, None));
        let watch = wire::WatchEventsRequest::default();
        let status = service
            .tasks
            .clone()
            .watch_events(service.asks(watch))
            .await
            .unwrap_err();
        assert_eq!(
            code_and_field(status),
            (Code::InvalidArgument, Some("scope".to_owned()))
        );
        let page = Some(common::PageRequest {
            limit: 1,
            cursor: "nonsense".into(),
        });
        let list = wire::ListTasksRequest {
            page,
            ..Default::default()
        };
        let status = service
            .tasks
            .clone()
            .list_tasks(service.asks(list))
            .await
            .unwrap_err();
        assert_eq!(
            code_and_field(status),
            (Code::InvalidArgument, Some("cursor".to_owned()))
        );

        let list = service
            .tasks
            .clone()
            .list_tasks(service.asks(wire::ListTasksRequest::default()))
            .await
            .unwrap();
        assert!(list.into_inner().tasks.is_empty());
        let agents = service
            .agents
            .clone()
            .list_agents(service.asks(wire::ListAgentsRequest::default()))
            .await
            .unwrap();
        assert!(agents.into_inner().agents.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_may_not_does_not() {
    on_both(|service| async move {
        let submit = || wire::SubmitTaskRequest {
            wait_ms: 0,
            request: None,
            spec: Some(asking("why?")),
        };
        let none = service
            .tasks
            .clone()
            .submit_task(Request::new(submit()))
            .await
            .unwrap_err();
        assert_eq!(code_and_field(none).0, Code::Unauthenticated);
        let viewer = service
            .issuer
            .request(service.tenant, &[Role::Viewer], submit());
        let refused = service.tasks.clone().submit_task(viewer).await.unwrap_err();
        assert_eq!(code_and_field(refused).0, Code::PermissionDenied);
        let task = service.submit(asking("why?")).await.unwrap();
        let stranger = service.issuer.request(
            TenantId::new(),
            &[Role::Admin],
            wire::GetTaskRequest {
                id: task.id.clone(),
            },
        );
        let unseen = service.tasks.clone().get_task(stranger).await.unwrap_err();
        assert_eq!(code_and_field(unseen).0, Code::NotFound);
        let cancel = wire::CancelTaskRequest {
            id: task.id,
            reason: String::new(),
        };
        let viewer = service
            .issuer
            .request(service.tenant, &[Role::Viewer], cancel);
        let refused = service.tasks.clone().cancel_task(viewer).await.unwrap_err();
        assert_eq!(code_and_field(refused).0, Code::PermissionDenied);
    })
    .await;
}
