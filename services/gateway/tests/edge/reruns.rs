//! Batches, retries, forks and dead letters, as their owner gets them and as callers see them.

use serde_json::{Value, json};
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_types::TaskId;

use crate::door::{Door, seen};

fn task(id: &str) -> wire::Task {
    let backoff = wire::Backoff {
        initial_ms: Some(100),
        factor: Some(2.0),
        max_ms: Some(5000),
        jitter: Some(0.5),
    };
    wire::Task {
        id: id.to_owned(),
        spec: Some(wire::TaskSpec {
            kind: "question".into(),
            input_json: "{}".into(),
            depends_on: vec!["task_a".into()],
            retry: Some(wire::RetryPolicy {
                max_attempts: Some(5),
                backoff: Some(backoff),
                retry_on: vec!["unavailable".into()],
            }),
            ..wire::TaskSpec::default()
        }),
        state: wire::TaskState::Waiting.into(),
        open_dependencies: 1,
        forked_from_id: "task_b".into(),
        next_attempt_at: Some(swarm_proto::convert::to_wire_time(
            "2026-11-24T18:00:00Z".parse().unwrap(),
        )),
        ..wire::Task::default()
    }
}

async fn post(door: &Door, path: &str, body: Option<&Value>) -> (u16, Value) {
    let request = door.by(Role::Developer, "POST", path);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let (status, body) = seen(request.send().await.unwrap()).await;
    (status.as_u16(), body)
}

#[tokio::test]
async fn a_batch_goes_in_as_one_call_and_comes_out_in_order() {
    let door = Door::open().await;
    let answer = wire::SubmitTasksResponse {
        tasks: vec![task("task_1"), task("task_2")],
    };
    door.recorder.answer("SubmitTasks", &answer);
    let body = json!({"tasks": [
        {"name": "first", "kind": "question", "input": {"prompt": "?"}, "not_before": "2026-11-25T00:00:00Z"},
        {"kind": "question", "input": {}, "depends_on": ["first"],
         "retry": {"max_attempts": 5, "backoff": {"initial_ms": 100, "jitter": 0.5}, "retry_on": ["internal"]}},
    ]});
    let (status, got) = post(&door, "/api/v1/tasks:batch", Some(&body)).await;
    assert_eq!(status, 202);
    assert_eq!(got["items"][1]["id"], "task_2");
    let shown = &got["items"][0];
    assert_eq!(
        (&shown["depends_on"], &shown["open_dependencies"]),
        (&json!(["task_a"]), &json!(1))
    );
    assert_eq!(
        shown["retry"],
        json!({"max_attempts": 5, "retry_on": ["unavailable"],
            "backoff": {"initial_ms": 100, "factor": 2.0, "max_ms": 5000, "jitter": 0.5}})
    );
    assert_eq!(shown["forked_from_id"], "task_b");
    assert_eq!(shown["next_attempt_at"], "2026-11-24T18:00:00Z");

    let sent: wire::SubmitTasksRequest = door.recorder.calls_of("SubmitTasks")[0].message();
    assert!(sent.request.unwrap().body_hash.len() == 32);
    assert_eq!(sent.tasks[0].name, "first");
    let spec = |place: usize| sent.tasks[place].spec.clone().unwrap();
    assert_eq!(spec(0).not_before.unwrap().seconds, 1_795_564_800);
    assert_eq!(spec(1).depends_on, ["first"]);
    let policy = spec(1).retry.unwrap();
    assert_eq!(
        (policy.max_attempts, policy.retry_on),
        (Some(5), vec!["internal".to_owned()])
    );
    let backoff = policy.backoff.unwrap();
    assert_eq!((backoff.initial_ms, backoff.factor), (Some(100), None));

    let wrong = json!({"tasks": [{"kind": "q", "input": {}}, {"kind": "q", "input": {}, "priority": "urgent"}]});
    let (status, got) = post(&door, "/api/v1/tasks:batch", Some(&wrong)).await;
    assert_eq!(
        (status, &got["errors"][0]["field"]),
        (400, &json!("tasks[1].priority"))
    );
}

#[tokio::test]
async fn a_retry_and_a_fork_need_no_body() {
    let door = Door::open().await;
    let id = TaskId::new().to_string();
    let answer = wire::RetryTaskResponse {
        task: Some(task(&id)),
    };
    door.recorder.answer("RetryTask", &answer);
    let answer = wire::ForkTaskResponse {
        task: Some(task("task_new")),
    };
    door.recorder.answer("ForkTask", &answer);
    let path = |what: &str| format!("/api/v1/tasks/{id}/{what}");

    assert_eq!(post(&door, &path("retry"), None).await.0, 202);
    let later = json!({"deadline": "2026-11-25T00:00:00Z"});
    assert_eq!(post(&door, &path("retry"), Some(&later)).await.0, 202);
    let sent: Vec<wire::RetryTaskRequest> = door
        .recorder
        .calls_of("RetryTask")
        .iter()
        .map(crate::recorder::Call::message)
        .collect();
    assert!(sent[0].id == id && sent[0].deadline.is_none() && sent[0].request.is_some());
    assert!(sent[1].deadline.is_some());

    assert_eq!(post(&door, &path("fork"), None).await.0, 202);
    let at_key = json!({"step_key": "model/3", "input": {"prompt": "shorter"}});
    assert_eq!(post(&door, &path("fork"), Some(&at_key)).await.0, 202);
    let first = json!({"position": 0});
    assert_eq!(post(&door, &path("fork"), Some(&first)).await.0, 202);
    let both = json!({"step_key": "model/3", "position": 1});
    let (status, got) = post(&door, &path("fork"), Some(&both)).await;
    assert_eq!(
        (status, &got["errors"][0]["field"]),
        (400, &json!("position"))
    );
    let sent: Vec<wire::ForkTaskRequest> = door
        .recorder
        .calls_of("ForkTask")
        .iter()
        .map(crate::recorder::Call::message)
        .collect();
    use wire::fork_task_request::At;
    assert_eq!(
        (sent[0].at.clone(), sent[0].input_json.as_str()),
        (None, "")
    );
    assert_eq!(sent[1].at, Some(At::StepKey("model/3".into())));
    assert_eq!(sent[1].input_json, r#"{"prompt":"shorter"}"#);
    assert_eq!(sent[2].at, Some(At::Position(0)));
}

#[tokio::test]
async fn dead_letters_are_listed_and_purged_by_id_or_age() {
    let door = Door::open().await;
    let answer = wire::ListDeadLettersResponse {
        tasks: vec![task("task_1")],
        next_cursor: "task_1".into(),
    };
    door.recorder.answer("ListDeadLetters", &answer);
    door.recorder.answer(
        "PurgeDeadLetters",
        &wire::PurgeDeadLettersResponse { purged: 2 },
    );
    let path = "/api/v1/dead-letters";
    let list = door
        .by(Role::Viewer, "GET", path)
        .query(&[("kind", "question"), ("limit", "1")]);
    let (_, got) = seen(list.send().await.unwrap()).await;
    assert_eq!(got["items"][0]["id"], "task_1");
    assert_eq!(got["next_cursor"], "task_1");

    let purge = |name: &'static str, value: &'static str, key: &'static str| {
        door.by(Role::Developer, "DELETE", path)
            .query(&[(name, value)])
            .header("idempotency-key", key)
            .send()
    };
    let (status, got) = seen(purge("task_ids", "task_1, task_2", "k1").await.unwrap()).await;
    assert_eq!((status.as_u16(), got), (200, json!({"purged": 2})));
    purge("before", "2026-11-25T00:00:00Z", "k1").await.unwrap();
    let sent: Vec<wire::PurgeDeadLettersRequest> = door
        .recorder
        .calls_of("PurgeDeadLetters")
        .iter()
        .map(crate::recorder::Call::message)
        .collect();
    assert_eq!(sent[0].task_ids, ["task_1", "task_2"]);
    assert_eq!(sent[1].before.unwrap().seconds, 1_795_564_800);
    let key = |place: usize| sent[place].request.clone().unwrap();
    assert_eq!((key(0).key, key(1).key), ("k1".into(), "k1".into()));
    assert_ne!(
        key(0).body_hash,
        key(1).body_hash,
        "the query is what it does"
    );
    let (status, got) = seen(purge("before", "yesterday", "k2").await.unwrap()).await;
    assert_eq!(
        (status.as_u16(), &got["errors"][0]["field"]),
        (400, &json!("before"))
    );
}
