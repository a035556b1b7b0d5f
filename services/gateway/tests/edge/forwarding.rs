//! What reaches the owner of a resource, and what comes back from it.

use std::time::Duration;

use serde_json::json;
use swarm_config::Listen;
use swarm_errors::{Code, Error};
use swarm_gateway::{Config, Sockets, build};
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_runtime::Lifecycle;
use swarm_types::{TaskId, TenantId};

use crate::door::{Door, seen};

fn task(id: TaskId) -> wire::Task {
    let spec = wire::TaskSpec {
        kind: "question".into(),
        input_json: r#"{"prompt": "?"}"#.into(),
        priority: "high".into(),
        ..wire::TaskSpec::default()
    };
    wire::Task {
        id: id.to_string(),
        spec: Some(spec),
        state: wire::TaskState::Running.into(),
        root_id: id.to_string(),
        created_at: Some(swarm_proto::convert::to_wire_time(
            "2026-11-24T18:00:00.25Z".parse().unwrap(),
        )),
        ..wire::Task::default()
    }
}

#[tokio::test]
async fn a_task_goes_in_and_comes_out_in_the_public_shape() {
    let door = Door::open().await;
    let id = TaskId::new();
    door.recorder.answer(
        "SubmitTask",
        &wire::SubmitTaskResponse {
            task: Some(task(id)),
        },
    );
    let token = door.recorder.token(Role::Developer);
    let body = json!({"kind": "question", "input": {"prompt": "?"}, "strategy": {"name": "swarm", "rounds": 0},
        "priority": "high", "deadline": "2026-11-25T00:00:00Z", "metadata": {"a": "b"}});
    let send = |key: &'static str, body: &serde_json::Value| {
        door.request("POST", "/api/v1/tasks")
            .bearer_auth(&token)
            .header("idempotency-key", key)
            .json(body)
            .send()
    };
    let response = send("order-7", &body).await.unwrap();
    assert_eq!(
        response.headers()["location"],
        format!("/api/v1/tasks/{id}")
    );
    let (status, got) = seen(response).await;
    assert_eq!(status.as_u16(), 202);
    let usage = json!({"input_tokens": 0, "output_tokens": 0, "cached_tokens": 0, "model_calls": 0, "tool_calls": 0});
    assert_eq!(
        got,
        json!({"id": id, "kind": "question", "input": {"prompt": "?"}, "priority": "high", "metadata": {},
        "root_id": id, "state": "running", "attempt": 0, "usage": usage, "created_at": "2026-11-24T18:00:00.250Z", "last_seq": 0})
    );

    send("order-7", &body).await.unwrap();
    send("order-7", &json!({"kind": "question", "input": {}}))
        .await
        .unwrap();
    let calls = door.recorder.calls_of("SubmitTask");
    assert_eq!(calls[0].headers["x-on-behalf-of"], token.as_str());
    let sent: Vec<wire::SubmitTaskRequest> =
        calls.iter().map(crate::recorder::Call::message).collect();
    let keys: Vec<_> = sent
        .iter()
        .map(|sent| sent.request.clone().unwrap())
        .collect();
    assert!(
        keys.iter()
            .all(|key| key.key == "order-7" && key.body_hash.len() == 32)
    );
    assert_eq!(keys[0].body_hash, keys[1].body_hash);
    assert_ne!(keys[0].body_hash, keys[2].body_hash);
    let spec = sent[0].spec.clone().unwrap();
    assert_eq!(spec.strategy.unwrap().rounds, Some(0));
    assert_eq!(
        (spec.input_json.as_str(), spec.priority.as_str()),
        (r#"{"prompt":"?"}"#, "high")
    );
    assert_eq!(spec.deadline.unwrap().seconds, 1_795_564_800);
}

#[tokio::test]
async fn the_owners_refusals_pass_with_their_words() {
    let door = Door::open().await;
    let body = json!({"kind": "question", "input": {}});
    for (error, status) in [
        (Error::invalid("input.prompt", "is missing"), 400),
        (Error::new(Code::Conflict, "it is there already"), 409),
        (Error::new(Code::IdempotencyMismatch, "another body"), 422),
        (
            Error::new(Code::ResourceExhausted, "enough")
                .with_retry_after(Duration::from_millis(2500)),
            429,
        ),
        (Error::internal("the password is hunter2"), 500),
        (
            Error::unavailable("the database is down").with_retry_after(Duration::from_secs(1)),
            503,
        ),
    ] {
        let (detail, fields, after) = (
            error.detail().to_owned(),
            error.fields().to_vec(),
            error.retry_after(),
        );
        door.recorder.fail("SubmitTask", error);
        let response = door
            .by(Role::Developer, "POST", "/api/v1/tasks")
            .json(&body)
            .send()
            .await
            .unwrap();
        let header = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().to_owned());
        let limit = response.headers().get("ratelimit").cloned();
        let expected = (status == 429).then_some(r#""default";r=0;t=3"#);
        assert_eq!(limit.as_ref().map(|it| it.to_str().unwrap()), expected);
        let (got, body) = seen(response).await;
        assert_eq!(
            (got.as_u16(), body["detail"].as_str()),
            (status, Some(detail.as_str()))
        );
        assert_eq!(
            body.get("errors").cloned().unwrap_or(json!([])),
            json!(fields)
        );
        assert_eq!(
            header,
            after.map(|after| after.as_secs_f64().ceil().to_string())
        );
        assert!(!body.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn what_is_unavailable_is_asked_again_with_the_same_key() {
    let door = Door::open().await;
    door.recorder
        .fail("SubmitTask", Error::unavailable("starting"));
    let body = json!({"kind": "question", "input": {}});
    door.by(Role::Developer, "POST", "/api/v1/tasks")
        .json(&body)
        .send()
        .await
        .unwrap();
    let keys: Vec<_> = door
        .recorder
        .calls_of("SubmitTask")
        .iter()
        .map(|call| {
            call.message::<wire::SubmitTaskRequest>()
                .request
                .unwrap()
                .key
        })
        .collect();
    assert!(
        keys.len() > 1 && keys.iter().all(|key| *key == keys[0]),
        "{keys:?}"
    );
    // A rating has no key: it could count twice.
    door.recorder
        .fail("RecordFeedback", Error::unavailable("starting"));
    let body = json!({"task_id": TaskId::new(), "rating": 5});
    door.by(Role::Developer, "POST", "/api/v1/feedback")
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(door.recorder.calls_of("RecordFeedback").len(), 1);
}

#[tokio::test]
async fn ids_and_traces_are_taken_up_and_browsers_are_told_to_be_careful() {
    let door = Door::open().await;
    let response = door
        .request("GET", "/health")
        .header("x-request-id", "abc-1")
        .send()
        .await
        .unwrap();
    let headers = response.headers();
    assert_eq!(headers["x-request-id"], "abc-1");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
    let response = door
        .request("GET", "/health")
        .header("x-request-id", "a b")
        .send()
        .await
        .unwrap();
    assert_ne!(response.headers()["x-request-id"], "a b");
}

#[tokio::test]
async fn the_tree_is_put_together_from_three_owners_and_says_what_is_missing() {
    let door = Door::open().await;
    let (root, part) = (TaskId::new(), TaskId::new());
    let child = wire::TaskTree {
        task: Some(task(part)),
        ..wire::TaskTree::default()
    };
    let tree = wire::TaskTree {
        task: Some(task(root)),
        steps: vec![wire::Step::default()],
        children: vec![child],
    };
    door.recorder.answer(
        "GetTaskTree",
        &wire::GetTaskTreeResponse { tree: Some(tree) },
    );
    let message = wire::AgentMessage {
        id: "msg_1".into(),
        ..wire::AgentMessage::default()
    };
    door.recorder.answer(
        "ListTaskMessages",
        &wire::ListTaskMessagesResponse {
            messages: vec![message],
        },
    );
    let proposal = |id: &str| swarm_proto::consensus::v1::Proposal {
        id: id.into(),
        ..Default::default()
    };
    let proposals = vec![proposal("proposal_2"), proposal("proposal_1")];
    door.recorder.answer(
        "ListProposals",
        &swarm_proto::consensus::v1::ListProposalsResponse {
            proposals,
            next_cursor: String::new(),
        },
    );
    let get = || {
        door.by(Role::Viewer, "GET", &format!("/api/v1/tasks/{root}/tree"))
            .send()
    };
    let (status, got) = seen(get().await.unwrap()).await;
    assert_eq!(status.as_u16(), 200, "{got}");
    assert_eq!(got["children"][0]["task"]["id"], json!(part));
    assert_eq!(got["messages"][0]["id"], "msg_1");
    let ids: Vec<_> = got["proposals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["proposal_1", "proposal_2"]);
    assert_eq!(got.get("missing"), None);

    door.recorder
        .fail("ListProposals", Error::unavailable("no leader"));
    let (status, got) = seen(get().await.unwrap()).await;
    assert_eq!(
        (status.as_u16(), got["missing"].clone()),
        (200, json!(["proposals"]))
    );
    assert_eq!(got["messages"][0]["id"], "msg_1");
}

#[tokio::test]
async fn a_service_that_hangs_holds_nobody_beyond_the_deadline() {
    let door = Door::open_with(|config| config.gateway.deadline_seconds = 1).await;
    let task = format!("/api/v1/tasks/{}", TaskId::new());
    for rpc in ["GetTask", "ListTaskEvents", "GetTaskResult"] {
        door.recorder.hang(rpc);
    }
    for path in [
        task.clone(),
        format!("{task}/events"),
        format!("{task}/result?wait=1s"),
    ] {
        let (status, body) = seen(door.by(Role::Viewer, "GET", &path).send().await.unwrap()).await;
        assert_eq!(
            (status.as_u16(), body["code"].as_str()),
            (504, Some("deadline_exceeded")),
            "{path}: {body}"
        );
    }
}

#[tokio::test]
async fn a_submission_waits_for_the_end_where_it_is_asked_to() {
    let door = Door::open().await;
    for (query, wait_ms, state, status) in [
        ("", 0, wire::TaskState::Running, 202),
        // Ended already, by a repeat: without a wait the answer is that it was accepted.
        ("", 0, wire::TaskState::Completed, 202),
        ("?wait=30s", 30_000, wire::TaskState::Completed, 200),
        ("?wait=30s", 30_000, wire::TaskState::Failed, 200),
        ("?wait=250ms", 250, wire::TaskState::Running, 202),
    ] {
        let task = Some(wire::Task {
            id: "task_1".into(),
            state: state.into(),
            ..Default::default()
        });
        door.recorder
            .answer("SubmitTask", &wire::SubmitTaskResponse { task });
        let request = door
            .by(Role::Developer, "POST", &format!("/api/v1/tasks{query}"))
            .json(&json!({"kind": "echo", "input": {"prompt": "x"}}));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["location"], "/api/v1/tasks/task_1");
        assert_eq!(response.status().as_u16(), status, "{query} {state:?}");
        let message: wire::SubmitTaskRequest = door
            .recorder
            .calls_of("SubmitTask")
            .last()
            .unwrap()
            .message();
        assert_eq!(message.wait_ms, wait_ms);
    }
}

#[tokio::test]
async fn metrics_name_routes_and_not_paths() {
    let door = Door::open().await;
    door.request("GET", "/nothing/1").send().await.unwrap();
    door.request("GET", "/api/v1/tasks/task_1")
        .send()
        .await
        .unwrap();
    let response = door
        .by(Role::Operator, "GET", "/metrics")
        .send()
        .await
        .unwrap();
    let text = response.text().await.unwrap();
    for sample in [
        r#"http_requests_total{method="GET",route="unmatched",status="404"} 1"#,
        r#"http_requests_total{method="GET",route="/api/v1/tasks/{id}",status="401"} 1"#,
    ] {
        assert!(text.contains(sample), "{sample}\n{text}");
    }
    assert!(!text.contains("task_1"));
}

#[tokio::test]
async fn system_health_shows_each_service() {
    let door = Door::open().await;
    let (_, got) = seen(
        door.by(Role::Viewer, "GET", "/api/v1/system/health")
            .send()
            .await
            .unwrap(),
    )
    .await;
    let names: Vec<_> = got["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["agent-manager", "consensus", "memory", "learning", "auth"]
    );
    assert_eq!(got["status"], "ready");
}

#[tokio::test]
async fn without_any_service_the_gateway_is_ready_and_says_503() {
    let mut config = Config::default();
    // A port that was free a moment ago, and on which nobody listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    config.peers.auth = format!("http://{free}");
    config.gateway.rest = Listen::loopback(0);
    config.gateway.websocket = Listen::loopback(0);
    config.gateway.admin = Listen::loopback(0);
    let sockets = Sockets::bind(&config).await.unwrap();
    let rest = sockets.rest.local_addr().unwrap();
    let lifecycle = Lifecycle::new(Duration::from_secs(1));
    build(config, sockets).await.unwrap().spawn(&lifecycle);
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let ready = reqwest::get(format!("http://{rest}/ready")).await.unwrap();
    assert_eq!(ready.status().as_u16(), 200);
    let token =
        swarm_test_support::identity::TestIssuer::new().user_token(TenantId::new(), &[Role::Admin]);
    let request = reqwest::Client::new()
        .get(format!("http://{rest}/api/v1/tasks"))
        .bearer_auth(token);
    let (status, body) = seen(request.send().await.unwrap()).await;
    assert_eq!(
        (status.as_u16(), body["code"].as_str()),
        (503, Some("unavailable")),
        "{body}"
    );
    let login = json!({"username": "a", "password": "b"});
    let request = reqwest::Client::new()
        .post(format!("http://{rest}/api/v1/auth/login"))
        .json(&login);
    let (status, body) = seen(request.send().await.unwrap()).await;
    assert_eq!(
        (status.as_u16(), body["detail"].as_str()),
        (503, Some("auth cannot be reached"))
    );
    assert!(lifecycle.stop().await.is_clean());
}
