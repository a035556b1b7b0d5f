//! Tasks go in, are watched, and come out.

use futures::StreamExt as _;
use serde_json::{Value, json};
use swarm_proto::agents::v1 as wire;
use swarm_proto::agents::v1::watch_events_request::Scope;
use swarm_proto::common::v1 as common;

use crate::service::{asking, on_both};

#[tokio::test]
async fn a_task_goes_in_is_watched_and_comes_out() {
    on_both(|service| async move {
        let from_now = wire::WatchEventsRequest {
            scope: Some(Scope::Tenant(true)),
            from_now: true,
            ..Default::default()
        };
        let mut all = service
            .tasks
            .clone()
            .watch_events(service.asks(from_now))
            .await
            .unwrap()
            .into_inner();
        assert!(all.next().await.unwrap().unwrap().event.is_none());

        let documents =
            json!({"prompt": "why?", "documents": [{"name": "a.md", "text": "because"}]});
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
        assert_eq!(
            serde_json::from_str::<Value>(&spec.input_json).unwrap(),
            documents
        );
        assert_eq!(
            (
                spec.priority.as_str(),
                spec.kind.as_str(),
                spec.metadata["a"].as_str()
            ),
            ("high", "question", "b")
        );

        let listed = wire::ListTaskEventsRequest {
            task_id: task.id.clone(),
            after_seq: 0,
            limit: 0,
        };
        let listed = service
            .tasks
            .clone()
            .list_task_events(service.asks(listed))
            .await
            .unwrap()
            .into_inner()
            .events;
        let kinds: Vec<_> = listed.iter().map(|event| event.r#type.as_str()).collect();
        let expected = [
            "task.submitted",
            "task.started",
            "step.started",
            "step.finished",
            "task.completed",
        ];
        assert_eq!(kinds, expected);
        let scope = Some(Scope::TaskId(task.id.clone()));
        let watch = wire::WatchEventsRequest {
            scope,
            after: 2,
            ..Default::default()
        };
        let watched = service
            .tasks
            .clone()
            .watch_events(service.asks(watch))
            .await
            .unwrap()
            .into_inner();
        let watched: Vec<_> = watched.map(|answer| answer.unwrap()).collect().await;
        assert_eq!(
            watched
                .iter()
                .map(|answer| answer.cursor)
                .collect::<Vec<_>>(),
            [3, 4, 5]
        );
        let live: Vec<_> = all
            .by_ref()
            .take(5)
            .map(|answer| answer.unwrap().event.unwrap())
            .collect()
            .await;
        assert_eq!(live, listed);

        let tree = wire::GetTaskTreeRequest {
            id: task.id.clone(),
        };
        let tree = service
            .tasks
            .clone()
            .get_task_tree(service.asks(tree))
            .await
            .unwrap()
            .into_inner()
            .tree
            .unwrap();
        assert_eq!((tree.steps.len(), tree.children.len()), (1, 0));
        let brief = json!({"prompt": "why?", "documents": [{"name": "a.md", "bytes": 7}]});
        assert_eq!(
            serde_json::from_str::<Value>(&tree.task.unwrap().spec.unwrap().input_json).unwrap(),
            brief
        );
        let steps = wire::ListTaskStepsRequest {
            task_id: task.id,
            page: None,
        };
        let steps = service
            .tasks
            .clone()
            .list_task_steps(service.asks(steps))
            .await
            .unwrap()
            .into_inner()
            .steps;
        assert_eq!(
            (steps[0].kind.as_str(), steps[0].name.as_str()),
            ("model", "parrot")
        );
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
            let message = wire::ListTasksRequest {
                page,
                state: wire::TaskState::Completed.into(),
                ..Default::default()
            };
            let answer = service
                .tasks
                .clone()
                .list_tasks(service.asks(message))
                .await
                .unwrap()
                .into_inner();
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
