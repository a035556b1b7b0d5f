//! Messages: sent and taken up once.

use std::sync::Arc;

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::Sending;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec, StepState};
use swarm_agent_manager::messages::{MessageState, NewMessage};
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use swarm_types::AgentId;
use tokio::sync::{Semaphore, mpsc};

use crate::rig::{Options, Rig, echo, script};

fn step(key: &str) -> StepSpec {
    StepSpec::new(key, StepKind::Message, "message", json!({}))
}

#[tokio::test]
async fn a_message_is_sent_and_taken_up_once_over_a_crash() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let (begun, mut at_work) = mpsc::unbounded_channel();
        let work = {
            let gate = gate.clone();
            script(move |context| {
                let (gate, begun) = (gate.clone(), begun.clone());
                async move {
                    let to = context.task().agent.unwrap();
                    context
                        .step(step("send"), |_| async {
                            let mut done = StepDone::new(());
                            let body = "the third page".to_owned();
                            done.send = vec![NewMessage {
                                from: Some(to),
                                to,
                                subject: "look".into(),
                                body,
                            }];
                            Ok(done)
                        })
                        .await?;
                    let bodies: Vec<String> = context
                        .step(step("read"), |_| async {
                            let found = context.inbox(to).await?;
                            let mut done = StepDone::new(
                                found.iter().map(|message| message.body.clone()).collect(),
                            );
                            done.consume = found.iter().map(|message| message.id).collect();
                            Ok(done)
                        })
                        .await?;
                    assert!(context.inbox(to).await?.is_empty());
                    begun.send(()).unwrap();
                    gate.acquire().await.unwrap().forget();
                    Ok(json!(bodies))
                }
            })
        };
        let options = Options::default();
        let tenant = options.tenant;
        let rig = Rig::start_with(&db, work.clone(), options).await;
        let agent = rig.agent("one", 1).await;
        let task = rig.submit_to(agent.id).await;
        at_work.recv().await.unwrap();
        rig.crash().await;
        gate.add_permits(1);
        let rig = Rig::start_with(
            &db,
            work,
            Options {
                tenant,
                ..Options::default()
            },
        )
        .await;
        assert_eq!(
            rig.ended(task.id).await.result,
            Some(json!(["the third page"]))
        );
        let all = rig
            .engine
            .inbox(tenant, agent.id, true, None, 10)
            .await
            .unwrap()
            .items;
        assert_eq!((all.len(), all[0].state), (1, MessageState::Consumed));
        let steps = rig
            .engine
            .steps(tenant, task.id, None, 10)
            .await
            .unwrap()
            .items;
        assert_eq!(all[0].consumed_by, Some(steps[1].id));
        let kinds = rig.kinds(task.id).await;
        for kind in ["message.sent", "message.consumed"] {
            assert_eq!(
                kinds.iter().filter(|found| *found == kind).count(),
                1,
                "{kinds:?}"
            );
        }
        assert_eq!(
            rig.engine.task_messages(tenant, task.id).await.unwrap(),
            all
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_second_to_take_it_up_fails_and_keeps_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let to = context.task().agent.unwrap();
            context
                .step(step("send"), |_| async {
                    let mut done = StepDone::new(());
                    done.send = vec![NewMessage {
                        from: None,
                        to,
                        subject: String::new(),
                        body: "b".into(),
                    }];
                    Ok(done)
                })
                .await?;
            let id = context.inbox(to).await?[0].id;
            let take = || async {
                let mut done = StepDone::new(());
                done.consume = vec![id];
                done.send = vec![NewMessage {
                    from: None,
                    to,
                    subject: "got it".into(),
                    body: "b".into(),
                }];
                Ok(done)
            };
            context.step(step("first"), |_| take()).await?;
            let error = context.step(step("second"), |_| take()).await.unwrap_err();
            Ok(json!(error.code().as_str()))
        });
        let rig = Rig::start(&db, work).await;
        let agent = rig.agent("one", 1).await;
        let task = rig.submit_to(agent.id).await;
        assert_eq!(rig.ended(task.id).await.result, Some(json!("conflict")));
        let steps = rig
            .engine
            .steps(rig.tenant, task.id, None, 10)
            .await
            .unwrap()
            .items;
        assert_eq!(steps[2].state, StepState::Failed);
        let sent = rig.engine.task_messages(rig.tenant, task.id).await.unwrap();
        assert_eq!(
            sent.iter()
                .filter(|message| message.subject == "got it")
                .count(),
            1
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn people_send_and_acknowledge() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, echo()).await;
        let agent = rig.agent("one", 1).await;
        let message = NewMessage {
            from: None,
            to: agent.id,
            subject: "s".into(),
            body: "b".into(),
        };
        let request = Some(RequestKey {
            key: "k".into(),
            body_hash: Vec::new(),
        });
        let sending = Sending {
            request,
            message: message.clone(),
            task: None,
        };
        let sent = rig
            .engine
            .send_message(rig.tenant, sending.clone())
            .await
            .unwrap();
        assert_eq!(
            rig.engine
                .send_message(rig.tenant, sending.clone())
                .await
                .unwrap()
                .id,
            sent.id
        );
        for _ in 0..2 {
            rig.engine
                .send_message(
                    rig.tenant,
                    Sending {
                        request: None,
                        ..sending.clone()
                    },
                )
                .await
                .unwrap();
        }
        let first = rig
            .engine
            .inbox(rig.tenant, agent.id, false, None, 2)
            .await
            .unwrap();
        assert_eq!((first.items.len(), first.items[0].id), (2, sent.id));
        let cursor = first.next_cursor.unwrap().parse().unwrap();
        let second = rig
            .engine
            .inbox(rig.tenant, agent.id, false, Some(cursor), 2)
            .await
            .unwrap();
        assert_eq!((second.items.len(), second.next_cursor), (1, None));
        let acked = rig.engine.ack_message(rig.tenant, sent.id).await.unwrap();
        assert_eq!(
            (acked.state, acked.consumed_by),
            (MessageState::Consumed, None)
        );
        assert_eq!(
            rig.engine.ack_message(rig.tenant, sent.id).await.unwrap(),
            acked,
            "a repeat changes nothing"
        );
        assert_eq!(
            rig.engine
                .inbox(rig.tenant, agent.id, false, None, 9)
                .await
                .unwrap()
                .items
                .len(),
            2
        );

        let nobody = NewMessage {
            to: AgentId::new(),
            ..message.clone()
        };
        let task = rig.submit().await;
        rig.ended(task.id).await;
        for (message, task, code, field) in [
            (nobody, None, Code::InvalidArgument, Some("to_agent_id")),
            (
                NewMessage {
                    body: String::new(),
                    ..message.clone()
                },
                None,
                Code::InvalidArgument,
                Some("body"),
            ),
            (
                message.clone(),
                Some(swarm_types::TaskId::new()),
                Code::InvalidArgument,
                Some("task_id"),
            ),
            (message, Some(task.id), Code::FailedPrecondition, None),
        ] {
            let sending = Sending {
                request: None,
                message,
                task,
            };
            let error = rig
                .engine
                .send_message(rig.tenant, sending)
                .await
                .unwrap_err();
            assert_eq!(
                (
                    error.code(),
                    error.fields().first().map(|field| field.field.as_str())
                ),
                (code, field)
            );
        }
        rig.stop().await;
    })
    .await;
}
