//! Batches, dependencies, retries, forks and dead letters, as the gateway asks for them.

use serde_json::Value;
use swarm_errors::Code;
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_proto::agents::v1::fork_task_request::At;
use swarm_proto::common::v1 as common;
use swarm_proto::convert::to_wire_time;
use swarm_types::{Clock as _, SystemClock, TaskId};

use crate::service::{Service, asking, code_and_field, on_both};

fn named(name: &str, prompt: &str, depends_on: &[&str]) -> wire::NewTask {
    wire::NewTask {
        name: name.into(),
        spec: Some(wire::TaskSpec {
            depends_on: depends_on.iter().map(ToString::to_string).collect(),
            ..asking(prompt)
        }),
    }
}

async fn submit(
    service: &Service,
    key: &str,
    tasks: Vec<wire::NewTask>,
) -> Result<Vec<wire::Task>, tonic::Status> {
    let request = Some(common::RequestKey {
        key: key.into(),
        body_hash: Vec::new(),
    });
    let message = wire::SubmitTasksRequest { request, tasks };
    let mut client = service.tasks.clone();
    let answer = client.submit_tasks(service.asks(message)).await?;
    Ok(answer.into_inner().tasks)
}

async fn count(service: &Service) -> usize {
    let list = service.asks(wire::ListTasksRequest::default());
    let answer = service.tasks.clone().list_tasks(list).await.unwrap();
    answer.into_inner().tasks.len()
}

/// A task that is a dead letter.
async fn dead(service: &Service) -> String {
    let spec = wire::TaskSpec {
        retry: Some(wire::RetryPolicy {
            max_attempts: Some(1),
            ..Default::default()
        }),
        ..asking("away")
    };
    let task = service.submit(spec).await.unwrap();
    let ended = service.result(&task.id).await;
    assert_eq!(ended.state(), wire::TaskState::DeadLettered);
    task.id
}

#[tokio::test]
async fn a_batch_shows_who_waits_and_a_bad_one_leaves_nothing() {
    on_both(|service| async move {
        for (tasks, field, words) in [
            (vec![], "tasks", "must be 1 to 1000"),
            (
                vec![named("a", "p", &[]), named("b", "p", &["a", "c"])],
                "tasks[1].depends_on[1]",
                "neither a task's id nor the name",
            ),
            (
                vec![named("a", "p", &["b"]), named("b", "p", &["a"])],
                "tasks[0].depends_on[0]",
                "a -> b -> a",
            ),
            (
                vec![named("a", "p", &["a"])],
                "tasks[0].depends_on[0]",
                "a -> a",
            ),
            (
                vec![named("a", "p", &[]), named("b", "", &[])],
                "tasks[1].input.prompt",
                "empty",
            ),
        ] {
            let status = submit(&service, "bad", tasks).await.unwrap_err();
            assert!(status.message().contains(words), "{status:?}");
            let expected = (Code::InvalidArgument, Some(field.to_owned()));
            assert_eq!(code_and_field(status), expected);
        }
        assert_eq!(count(&service).await, 0);

        let tasks = vec![named("draft", "wait", &[]), named("", "check", &["draft"])];
        let made = submit(&service, "good", tasks.clone()).await.unwrap();
        assert_eq!(made[1].state(), wire::TaskState::Waiting);
        assert_eq!(made[1].waiting_reason, "dependency");
        assert_eq!(made[1].open_dependencies, 1);
        let spec = made[1].spec.as_ref().unwrap();
        assert_eq!(spec.depends_on, [made[0].id.clone()]);
        let again = submit(&service, "good", tasks).await.unwrap();
        assert_eq!(again[0].id, made[0].id);
        assert_eq!(count(&service).await, 2);
        let cancel = wire::CancelTaskRequest {
            id: made[0].id.clone(),
            reason: "enough".into(),
        };
        let cancel = service.asks(cancel);
        service.tasks.clone().cancel_task(cancel).await.unwrap();
        let failed = service.result(&made[1].id).await;
        let detail = failed.error.unwrap().detail;
        assert!(
            detail.contains("draft") && detail.contains(&made[0].id),
            "{detail}"
        );
    })
    .await;
}

#[tokio::test]
async fn policies_come_back_as_they_hold_and_a_delay_is_shown() {
    on_both(|service| async move {
        let soon = SystemClock.now() + std::time::Duration::from_secs(3_600);
        let spec = wire::TaskSpec {
            not_before: Some(to_wire_time(soon)),
            retry: Some(wire::RetryPolicy {
                retry_on: vec!["internal".into()],
                ..Default::default()
            }),
            ..asking("later")
        };
        let task = service.submit(spec).await.unwrap();
        assert_eq!(task.state(), wire::TaskState::Queued);
        assert_eq!(task.next_attempt_at, Some(to_wire_time(soon)));
        let retry = task.spec.unwrap().retry.unwrap();
        assert_eq!(retry.max_attempts, Some(3));
        assert_eq!(retry.retry_on, ["internal"]);
        assert_eq!(retry.backoff.unwrap().initial_ms, Some(1_000));
        for (spec, field) in [
            (
                wire::TaskSpec {
                    depends_on: vec![TaskId::new().to_string()],
                    ..asking("p")
                },
                "depends_on[0]",
            ),
            (
                wire::TaskSpec {
                    not_before: Some(to_wire_time(soon)),
                    deadline: Some(to_wire_time(soon)),
                    ..asking("p")
                },
                "not_before",
            ),
        ] {
            let status = service.submit(spec).await.unwrap_err();
            let expected = (Code::InvalidArgument, Some(field.to_owned()));
            assert_eq!(code_and_field(status), expected);
        }
    })
    .await;
}

#[tokio::test]
async fn dead_letters_are_listed_retried_and_purged_by_those_who_may() {
    on_both(|service| async move {
        let (one, two) = (dead(&service).await, dead(&service).await);
        let mut letters = service.dead_letters.clone();
        let list = service.asks(wire::ListDeadLettersRequest::default());
        let listed = letters
            .list_dead_letters(list)
            .await
            .unwrap()
            .into_inner()
            .tasks;
        let ids: Vec<_> = listed.iter().map(|task| task.id.as_str()).collect();
        assert_eq!(ids, [two.as_str(), one.as_str()]);
        assert_eq!(listed[0].error.as_ref().unwrap().code, "unavailable");

        let retry = || wire::RetryTaskRequest {
            id: one.clone(),
            ..Default::default()
        };
        let purge = |ids: &[&str]| wire::PurgeDeadLettersRequest {
            task_ids: ids.iter().map(ToString::to_string).collect(),
            ..Default::default()
        };
        let viewer = service
            .issuer
            .request(service.tenant, &[Role::Viewer], retry());
        let refused = service.tasks.clone().retry_task(viewer).await.unwrap_err();
        assert_eq!(code_and_field(refused).0, Code::PermissionDenied);
        let viewer = service
            .issuer
            .request(service.tenant, &[Role::Viewer], purge(&[&one]));
        let refused = letters.purge_dead_letters(viewer).await.unwrap_err();
        assert_eq!(code_and_field(refused).0, Code::PermissionDenied);
        for (wrong, field) in [
            (purge(&[]), "task_ids"),
            (purge(&[&one, "x"]), "task_ids[1]"),
        ] {
            let status = letters
                .purge_dead_letters(service.asks(wrong))
                .await
                .unwrap_err();
            let expected = (Code::InvalidArgument, Some(field.to_owned()));
            assert_eq!(code_and_field(status), expected);
        }

        let asked = service.asks(retry());
        let task = service.tasks.clone().retry_task(asked).await.unwrap();
        assert_eq!(task.into_inner().task.unwrap().attempt, 2);
        assert_eq!(
            service.result(&one).await.state(),
            wire::TaskState::Completed
        );
        let purged = letters
            .purge_dead_letters(service.asks(purge(&[&one, &two])))
            .await;
        assert_eq!(purged.unwrap().into_inner().purged, 1);
        let gone = service.asks(wire::GetTaskRequest { id: two });
        let gone = service.tasks.clone().get_task(gone).await.unwrap_err();
        assert_eq!(code_and_field(gone).0, Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_fork_begins_where_it_is_told_to() {
    on_both(|service| async move {
        let task = service.submit(asking("why?")).await.unwrap();
        service.result(&task.id).await;
        let fork = |at, input: &str| wire::ForkTaskRequest {
            id: task.id.clone(),
            at,
            input_json: input.into(),
            ..Default::default()
        };
        let mut tasks = service.tasks.clone();
        let kept = tasks.fork_task(service.asks(fork(None, ""))).await.unwrap();
        let kept = kept.into_inner().task.unwrap();
        assert_eq!(kept.forked_from_id, task.id);
        let other = r#"{"prompt": "how?"}"#;
        let changed = fork(Some(At::StepKey("model/0".into())), other);
        let changed = tasks.fork_task(service.asks(changed)).await.unwrap();
        let changed = changed.into_inner().task.unwrap();
        for (id, answer) in [(kept.id, "why?"), (changed.id, "how?")] {
            let ended = service.result(&id).await;
            let result: Value = serde_json::from_str(&ended.result_json).unwrap();
            assert_eq!(result["answer"], answer);
        }
        for (wrong, field) in [
            (fork(Some(At::StepKey("x".into())), ""), "step_key"),
            (fork(Some(At::Position(9)), ""), "position"),
            (fork(None, "{}"), "input"),
        ] {
            let status = tasks.fork_task(service.asks(wrong)).await.unwrap_err();
            let expected = (Code::InvalidArgument, Some(field.to_owned()));
            assert_eq!(code_and_field(status), expected);
        }
    })
    .await;
}
