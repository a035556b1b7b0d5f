//! Many tasks share their commits, and none of them notices.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec, StepState};
use swarm_agent_manager::tasks::TaskState;
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;
use tokio::sync::Semaphore;

use crate::rig::{LONG, Options, Rig, script, script_with};

fn step(key: &str) -> StepSpec {
    StepSpec::new(key, StepKind::Tool, "t", json!({}))
}

#[tokio::test]
async fn tasks_at_the_same_time_each_get_their_own_result_and_a_whole_history() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let mut sum = 0;
            for place in 0..3 {
                let input = context.task().spec.input["number"].as_i64().unwrap();
                sum += context
                    .step(step(&format!("add/{place}")), |_| async move {
                        Ok(StepDone::new(input + place))
                    })
                    .await?;
            }
            Ok(json!(sum))
        });
        let rig = Rig::start_with(
            &db,
            work,
            Options {
                workers: 64,
                ..Options::default()
            },
        )
        .await;
        let submit = |number: i64| {
            let mut submission = rig.submission();
            submission.spec.input = json!({"number": number});
            rig.engine.submit(submission)
        };
        let tasks = join_all((0..100).map(submit)).await;
        for (number, task) in (0..).zip(tasks) {
            let ended = rig.ended(task.unwrap().id).await;
            assert_eq!(ended.result, Some(json!(3 * number + 3)));
            let seqs: Vec<i64> = rig.events(ended.id).await.iter().map(|e| e.seq).collect();
            assert_eq!(seqs, (1..=ended.last_seq).collect::<Vec<_>>());
            assert_eq!(ended.last_seq, 9);
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_stored_spoils_no_other_task() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let word = context.task().spec.input["word"]
                .as_str()
                .unwrap()
                .to_owned();
            let bad = word == "bad";
            let said: String = context
                .step(step("say"), |_| async move {
                    let word = if bad { "\0".to_owned() } else { word };
                    Ok(StepDone::new(word))
                })
                .await?;
            Ok(json!(said))
        });
        let rig = Rig::start(&db, work).await;
        let submit = |word: &str| {
            let mut submission = rig.submission();
            submission.spec.input = json!({"word": word});
            rig.engine.submit(submission)
        };
        let (good, bad, fine) = tokio::join!(submit("good"), submit("bad"), submit("fine"));
        assert_eq!(
            rig.ended(good.unwrap().id).await.result,
            Some(json!("good"))
        );
        assert_eq!(
            rig.ended(fine.unwrap().id).await.result,
            Some(json!("fine"))
        );
        let failed = rig.ended(bad.unwrap().id).await;
        assert_eq!(failed.state, TaskState::Failed);
        assert_eq!(failed.failure.unwrap().code, "invalid_argument");
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_end_is_written_also_when_nothing_follows_it_for_long() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let work = script_with(&gate, |context, gate| async move {
            context
                .step(step("first"), |_| async { Ok(StepDone::new(1)) })
                .await?;
            gate.acquire().await.unwrap().forget();
            Ok(json!("done"))
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        eventually("the end of the step", LONG, || async {
            let steps = rig.engine.steps(rig.tenant, task.id, None, 10).await;
            let states: Vec<StepState> =
                steps.unwrap().items.iter().map(|step| step.state).collect();
            if states == [StepState::Finished] {
                Ok(())
            } else {
                Err(states)
            }
        })
        .await;
        gate.add_permits(1);
        assert_eq!(rig.ended(task.id).await.state, TaskState::Completed);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_task_that_takes_no_step_for_long_is_accepted_at_once() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|_| std::future::pending());
        let rig = Rig::start(&db, work).await;
        let task = tokio::time::timeout(LONG, rig.submit()).await.unwrap();
        assert_eq!(rig.task(task.id).await.state, TaskState::Running);
        rig.crash().await;
    })
    .await;
}
