//! Agents and their messages.

use std::time::Duration;

use serde_json::json;
use swarm_proto::agents::v1 as wire;
use swarm_proto::common::v1 as common;
use swarm_test_support::eventually;

use crate::service::{asking, on_both};

#[tokio::test]
async fn an_agent_lives_and_stops() {
    on_both(|service| async move {
        let agent = service.agent("reader").await;
        assert_eq!(
            (agent.state(), agent.kind(), agent.pool.as_str()),
            (wire::AgentState::Idle, wire::AgentKind::Worker, "default")
        );
        let patch = wire::UpdateAgentRequest {
            id: agent.id.clone(),
            patch_json: json!({"role": "writer", "model": {"temperature": 0.5}}).to_string(),
            expected_version: agent.version,
            request: None,
        };
        let updated = service
            .agents
            .clone()
            .update_agent(service.asks(patch))
            .await
            .unwrap()
            .into_inner()
            .agent
            .unwrap();
        assert_eq!(
            (updated.role.as_str(), updated.model.unwrap().temperature),
            ("writer", Some(0.5))
        );
        let id = || agent.id.clone();
        let paused = service
            .agents
            .clone()
            .pause_agent(service.asks(wire::PauseAgentRequest { id: id() }))
            .await
            .unwrap();
        assert_eq!(
            paused.into_inner().agent.unwrap().state(),
            wire::AgentState::Paused
        );
        let resumed = service
            .agents
            .clone()
            .resume_agent(service.asks(wire::ResumeAgentRequest { id: id() }))
            .await;
        assert_eq!(
            resumed.unwrap().into_inner().agent.unwrap().state(),
            wire::AgentState::Idle
        );

        let spec = wire::TaskSpec {
            agent_id: id(),
            ..asking("wait")
        };
        let task = service.submit(spec).await.unwrap();
        let agents = service.agents.clone();
        eventually("it is at work", Duration::from_secs(20), || async {
            let found = agents
                .clone()
                .get_agent(service.asks(wire::GetAgentRequest { id: id() }))
                .await
                .unwrap();
            found.into_inner().agent.unwrap().state() == wire::AgentState::Busy
        })
        .await;
        let drained = service
            .agents
            .clone()
            .drain_agent(service.asks(wire::DrainAgentRequest { id: id() }))
            .await
            .unwrap();
        assert_eq!(
            drained.into_inner().agent.unwrap().state(),
            wire::AgentState::Draining
        );
        let cancel = wire::CancelTaskRequest {
            id: task.id,
            reason: "enough".into(),
        };
        let cancelled = service
            .tasks
            .clone()
            .cancel_task(service.asks(cancel))
            .await
            .unwrap()
            .into_inner()
            .task
            .unwrap();
        assert_eq!(cancelled.error.unwrap().detail, "enough");
        let found = service
            .agents
            .clone()
            .get_agent(service.asks(wire::GetAgentRequest { id: id() }))
            .await
            .unwrap();
        assert_eq!(
            found.into_inner().agent.unwrap().state(),
            wire::AgentState::Stopped
        );
        let list = wire::ListAgentsRequest::default();
        let listed = service
            .agents
            .clone()
            .list_agents(service.asks(list))
            .await
            .unwrap()
            .into_inner();
        assert!(listed.agents.is_empty(), "stopped ones are not shown");
        service
            .agents
            .clone()
            .delete_agent(service.asks(wire::DeleteAgentRequest { id: id() }))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn messages_go_from_hand_to_hand() {
    on_both(|service| async move {
        let (one, two) = (service.agent("one").await, service.agent("two").await);
        let message = wire::SendMessageRequest {
            request: Some(common::RequestKey {
                key: "k".into(),
                body_hash: Vec::new(),
            }),
            from_agent_id: one.id,
            to_agent_id: two.id.clone(),
            task_id: String::new(),
            subject: "s".into(),
            body: "b".into(),
        };
        let sent = service
            .messages
            .clone()
            .send_message(service.asks(message.clone()))
            .await
            .unwrap()
            .into_inner();
        let again = service
            .messages
            .clone()
            .send_message(service.asks(message))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(sent, again);
        let inbox = wire::ListInboxRequest {
            agent_id: two.id,
            ..Default::default()
        };
        let found = service
            .messages
            .clone()
            .list_inbox(service.asks(inbox.clone()))
            .await
            .unwrap()
            .into_inner();
        let sent = sent.message.unwrap();
        assert_eq!(found.messages, std::slice::from_ref(&sent));
        let ack = wire::AckMessageRequest { id: sent.id };
        let acked = service
            .messages
            .clone()
            .ack_message(service.asks(ack))
            .await
            .unwrap()
            .into_inner()
            .message
            .unwrap();
        assert_eq!(acked.state, "consumed");
        let found = service
            .messages
            .clone()
            .list_inbox(service.asks(inbox))
            .await
            .unwrap()
            .into_inner();
        assert!(found.messages.is_empty());
    })
    .await;
}
