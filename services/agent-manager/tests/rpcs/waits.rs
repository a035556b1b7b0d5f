//! Submissions that wait for the end in the same call.

use std::time::{Duration, Instant};

use swarm_errors::Code;
use swarm_proto::agents::v1 as wire;
use swarm_proto::common::v1 as common;

use crate::service::{Service, asking, code_and_field, on_both};

const LONG: u32 = 20_000;

fn waiting(prompt: &str, wait_ms: u32, key: &str) -> wire::SubmitTaskRequest {
    wire::SubmitTaskRequest {
        request: Some(common::RequestKey {
            key: key.into(),
            body_hash: vec![1],
        }),
        spec: Some(asking(prompt)),
        wait_ms,
    }
}

async fn submit(
    service: &Service,
    message: wire::SubmitTaskRequest,
) -> Result<wire::Task, tonic::Status> {
    let answer = service
        .tasks
        .clone()
        .submit_task(service.asks(message))
        .await?;
    Ok(answer.into_inner().task.unwrap())
}

#[tokio::test]
async fn the_answer_is_the_task_at_its_end() {
    on_both(|service| async move {
        let task = submit(&service, waiting("why?", LONG, "a")).await.unwrap();
        assert_eq!(task.state(), wire::TaskState::Completed);
        assert_eq!(task.result_json, r#"{"answer":"why?"}"#);
        // What was told by the commit is what the store says.
        assert_eq!(service.result(&task.id).await, task);
        let again = submit(&service, waiting("why?", LONG, "a")).await.unwrap();
        assert_eq!(again, task, "a repeat finds the same end");
    })
    .await;
}

#[tokio::test]
async fn a_wait_that_is_over_leaves_the_task_running() {
    on_both(|service| async move {
        let begun = Instant::now();
        let task = submit(&service, waiting("wait", 20, "a")).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(20));
        assert!(!matches!(
            task.state(),
            wire::TaskState::Completed | wire::TaskState::Failed
        ));
        // A repeat waits for the same task, and hears of its cancel as soon as it is committed.
        let cancel = wire::CancelTaskRequest {
            id: task.id.clone(),
            reason: String::new(),
        };
        let mut tasks = service.tasks.clone();
        let (repeat, cancelled) = tokio::join!(
            submit(&service, waiting("wait", LONG, "a")),
            tasks.cancel_task(service.asks(cancel)),
        );
        cancelled.unwrap();
        let repeat = repeat.unwrap();
        assert_eq!(
            (repeat.id.as_str(), repeat.state()),
            (task.id.as_str(), wire::TaskState::Cancelled)
        );
    })
    .await;
}

#[tokio::test]
async fn a_wait_of_more_than_a_minute_is_refused_and_stores_nothing() {
    on_both(|service| async move {
        let error = submit(&service, waiting("why?", 60_001, "a"))
            .await
            .unwrap_err();
        assert_eq!(
            code_and_field(error),
            (Code::InvalidArgument, Some("wait".to_owned()))
        );
        let listed = service
            .tasks
            .clone()
            .list_tasks(service.asks(wire::ListTasksRequest::default()))
            .await
            .unwrap();
        assert!(listed.into_inner().tasks.is_empty());
    })
    .await;
}
