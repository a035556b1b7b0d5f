//! Forks: copies of steps and results, never of side effects.

use std::sync::Arc;
use std::sync::Mutex;

use serde_json::{Value, json};
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Executor, Fork, ForkPoint};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec, StepState};
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_agent_manager::tasks::{NewTask, TaskState, Usage};
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use swarm_types::TaskId;
use tokio::sync::Semaphore;

use crate::rig::{LONG, Rig, script};

type Calls = Arc<Mutex<Vec<(TaskId, String)>>>;

/// Four steps; the third waits for the gate. Answers with what they returned and the prompt.
fn steps(calls: &Calls, gate: &Arc<Semaphore>) -> Arc<dyn Executor> {
    let (calls, gate) = (calls.clone(), gate.clone());
    script(move |context| {
        let (calls, gate) = (calls.clone(), gate.clone());
        async move {
            let mut said = Vec::new();
            for place in 0..4 {
                let key = format!("tool/{place}");
                let step = StepSpec::new(&key, StepKind::Tool, "t", json!({}));
                let id = context.task().id;
                let (calls, gate) = (&calls, &gate);
                let result: Value = context
                    .step(step, |_| async move {
                        calls.lock().unwrap().push((id, key));
                        if place == 2 {
                            gate.acquire().await.unwrap().forget();
                        }
                        let usage = Usage {
                            tool_calls: 1,
                            ..Usage::default()
                        };
                        Ok(StepDone::new(json!(place)).with_usage(usage))
                    })
                    .await?;
                said.push(result);
            }
            Ok(json!({"said": said, "prompt": context.task().spec.input["prompt"]}))
        }
    })
}

fn fork(rig: &Rig, id: TaskId, at: ForkPoint) -> Fork {
    Fork {
        tenant: rig.tenant,
        request: None,
        id,
        at,
        input: None,
        deadline: None,
    }
}

#[tokio::test]
async fn a_fork_of_a_running_task_has_its_finished_steps_and_both_go_on() {
    for_each_database(&SCHEMA, |db| async move {
        let (calls, gate) = (Calls::default(), Arc::new(Semaphore::new(0)));
        let rig = Rig::start(&db, steps(&calls, &gate)).await;
        let origin = rig.submit().await;
        swarm_test_support::eventually("the third step", LONG, || async {
            let made = calls.lock().unwrap().len();
            if made == 3 { Ok(()) } else { Err(made) }
        })
        .await;
        let mut wanted = fork(&rig, origin.id, ForkPoint::End);
        wanted.input = Some(json!({"prompt": "another way?"}));
        wanted.request = Some(RequestKey {
            key: "f".into(),
            body_hash: Vec::new(),
        });
        let both = futures::join!(
            rig.engine.fork(wanted.clone()),
            rig.engine.fork(wanted.clone())
        );
        let forked = both.0.unwrap();
        assert_eq!(forked.id, both.1.unwrap().id, "the key makes one fork");
        assert_eq!(forked.spec.forked_from, Some(origin.id));
        gate.add_permits(2);
        let (one, other) = (rig.ended(origin.id).await, rig.ended(forked.id).await);
        assert_eq!(
            one.result.unwrap(),
            json!({"said": [0, 1, 2, 3], "prompt": "why?"})
        );
        assert_eq!(
            other.result.unwrap(),
            json!({"said": [0, 1, 2, 3], "prompt": "another way?"})
        );
        assert_eq!(
            (one.usage.tool_calls, other.usage.tool_calls),
            (4, 2),
            "copies cost nothing"
        );
        let made = calls.lock().unwrap().clone();
        let own: Vec<_> = made
            .iter()
            .filter(|(id, _)| *id == forked.id)
            .map(|(_, key)| key.as_str())
            .collect();
        assert_eq!(
            own,
            ["tool/2", "tool/3"],
            "what was finished is not called again"
        );
        assert_eq!(made.iter().filter(|(id, _)| *id == origin.id).count(), 4);
        let journal = rig
            .engine
            .steps(rig.tenant, forked.id, None, 10)
            .await
            .unwrap()
            .items;
        let places: Vec<u32> = journal.iter().map(|step| step.position).collect();
        assert_eq!(places, [0, 1, 2, 3]);
        assert!(
            journal
                .iter()
                .all(|step| step.state == StepState::Finished && step.task == forked.id)
        );
        let kinds = rig.kinds(forked.id).await;
        assert_eq!(
            kinds[..3],
            ["task.submitted", "task.forked", "task.started"]
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_fork_begins_at_a_step_by_its_key_or_position() {
    for_each_database(&SCHEMA, |db| async move {
        let (calls, gate) = (Calls::default(), Arc::new(Semaphore::new(99)));
        let rig = Rig::start(&db, steps(&calls, &gate)).await;
        let origin = rig.submit().await;
        rig.ended(origin.id).await;
        for (at, own) in [
            (ForkPoint::Key("tool/1".into()), 3),
            (ForkPoint::Position(0), 4),
            (ForkPoint::Position(4), 0),
        ] {
            let forked = rig.engine.fork(fork(&rig, origin.id, at)).await.unwrap();
            assert_eq!(rig.ended(forked.id).await.state, TaskState::Completed);
            let made = calls.lock().unwrap().clone();
            assert_eq!(made.iter().filter(|(id, _)| *id == forked.id).count(), own);
        }
        for (at, field) in [
            (ForkPoint::Key("tool/9".into()), "step_key"),
            (ForkPoint::Position(5), "position"),
        ] {
            let error = rig
                .engine
                .fork(fork(&rig, origin.id, at))
                .await
                .unwrap_err();
            assert_eq!(error.fields()[0].field, field);
        }
        let nobody = fork(&rig, TaskId::new(), ForkPoint::End);
        assert_eq!(
            rig.engine.fork(nobody).await.unwrap_err().code(),
            Code::NotFound
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn sub_tasks_of_copied_steps_come_along_once_they_have_ended() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let runs: Arc<Mutex<usize>> = Arc::default();
        let work = {
            let (gate, runs) = (gate.clone(), runs.clone());
            script(move |context| {
                let (gate, runs) = (gate.clone(), runs.clone());
                async move {
                    if context.task().role == "part" {
                        gate.acquire().await.unwrap().forget();
                        *runs.lock().unwrap() += 1;
                        return Ok(context.task().spec.input["part"].clone());
                    }
                    let step = StepSpec::new("split", StepKind::SubTask, "split", json!({}));
                    context
                        .step(step, |_| async {
                            let mut done = StepDone::new(());
                            done.children = (0..3)
                                .map(|part| NewTask {
                                    role: "part".into(),
                                    input: json!({"part": part}),
                                    ..NewTask::default()
                                })
                                .collect();
                            Ok(done)
                        })
                        .await?;
                    let ids: Vec<_> = (0..3)
                        .map(|place| context.child_id("split", place))
                        .collect();
                    let parts = context.await_tasks(&ids).await?;
                    Ok(json!(
                        parts
                            .into_iter()
                            .map(|part| part.result)
                            .collect::<Vec<_>>()
                    ))
                }
            })
        };
        let rig = Rig::start(&db, work).await;
        let origin = rig.submit().await;
        rig.reaches(origin.id, TaskState::Waiting).await;
        let error = rig
            .engine
            .fork(fork(&rig, origin.id, ForkPoint::End))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.detail().contains("step split"), "{error}");
        gate.add_permits(3);
        let ended = rig.ended(origin.id).await;
        let forked = rig
            .engine
            .fork(fork(&rig, origin.id, ForkPoint::End))
            .await
            .unwrap();
        let copy = rig.ended(forked.id).await;
        assert_eq!(copy.result, ended.result);
        assert_eq!(*runs.lock().unwrap(), 3, "no part runs again");
        let tree = rig.engine.tree(rig.tenant, forked.id).await.unwrap();
        assert_eq!(tree.children.len(), 3);
        let error = rig
            .engine
            .fork(fork(&rig, tree.children[0].task.id, ForkPoint::End))
            .await
            .unwrap_err();
        assert_eq!(error.fields()[0].field, "id");
        rig.stop().await;
    })
    .await;
}
