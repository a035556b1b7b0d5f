//! The bounds of a task's history: what passes them is told which setting it met.

use serde_json::{Value, json};
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::TaskState;
use swarm_errors::Result;
use swarm_test_support::database::for_each_database;

use crate::rig::{Options, Rig, script};

#[tokio::test]
async fn large_inputs_results_and_long_journals_end_the_task_with_the_settings_name() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let long = "x".repeat(2_000);
            let kind = context.task().spec.kind.clone();
            let step = |key: String, input: Value| StepSpec::new(key, StepKind::Tool, "t", input);
            match kind.as_str() {
                "input" => {
                    let step = step("tool".into(), json!(long));
                    context
                        .step(step, |_| async { Ok(StepDone::new(1)) })
                        .await?;
                }
                "step" => {
                    let step = step("tool".into(), json!({}));
                    let result: Result<String> = context
                        .step(step, |_| async { Ok(StepDone::new(long.clone())) })
                        .await;
                    result?;
                }
                "task" => return Ok(json!(long)),
                _ => {
                    for place in 0..9 {
                        let step = step(format!("tool/{place}"), json!({}));
                        context
                            .step(step, |_| async { Ok(StepDone::new(place)) })
                            .await?;
                    }
                }
            }
            Ok(json!(null))
        });
        let options = Options {
            max_steps: 5,
            max_step_bytes: 1_024,
            ..Options::default()
        };
        let rig = Rig::start_with(&db, work, options).await;
        for (kind, code, setting) in [
            ("input", "too_large", "max_step_bytes"),
            ("step", "too_large", "max_step_bytes"),
            ("task", "too_large", "max_step_bytes"),
            ("steps", "failed_precondition", "max_steps"),
        ] {
            let task = rig.submit_as(|spec| spec.kind = kind.into()).await;
            let ended = rig.ended(task.id).await;
            assert_eq!(ended.state, TaskState::Failed);
            let failure = ended.failure.unwrap();
            assert_eq!(failure.code, code, "{kind}");
            assert!(
                failure.detail.contains(setting),
                "{kind}: {}",
                failure.detail
            );
            let journal = rig
                .engine
                .steps(rig.tenant, task.id, None, 50)
                .await
                .unwrap()
                .items;
            assert!(journal.len() <= 5, "{kind} has {} steps", journal.len());
        }
        rig.stop().await;
    })
    .await;
}
