//! Bad input gets its documented answer, names the field, and leaves no trace in the store.

use serde_json::{Value, json};
use swarm_client::NewUser;
use swarm_test_cluster::{Cluster, Shape, http};
use swarm_test_scenarios::{ANSWER, script};
use swarm_types::PageRequest;

struct Door {
    http: reqwest::Client,
    base: String,
}

impl Door {
    async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        content_type: &str,
        body: String,
    ) -> (u16, Value) {
        let mut request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("content-type", content_type)
            .body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            kind.starts_with("application/problem+json"),
            "{path}: {status} {kind}"
        );
        (status, answer.json().await.unwrap())
    }
}

#[tokio::test]
async fn bad_input_is_answered_and_leaves_no_trace() {
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(ANSWER))
        .start()
        .await;
    let client = cluster.client();
    let token = client.token().await.unwrap();
    let door = Door {
        http: http(),
        base: format!("{}/api/v1", cluster.rest()),
    };
    let json = "application/json";
    let large = json!({ "kind": "question", "input": { "prompt": "x".repeat(3 << 20) } });
    for (body, status, field) in [
        (json!({ "kind": "question", "input": { "prompt": "p" }, "colour": "red" }).to_string(), 400, "colour"),
        (json!({ "kind": "question", "input": { "prompt": 7 } }).to_string(), 400, "input.prompt"),
        (json!({ "kind": "question", "input": { "prompt": "p", "tone": "warm" } }).to_string(), 400, "input.tone"),
        (json!({ "kind": "question", "input": { "prompt": "p" }, "priority": "urgent" }).to_string(), 400, "priority"),
        (json!({ "kind": "question", "input": { "prompt": "p" }, "strategy": { "name": "mob" } }).to_string(), 400, "strategy.name"),
        (json!({ "kind": "question", "input": { "prompt": "p" }, "agent_id": "task_1" }).to_string(), 400, "agent_id"),
    ] {
        let (got, problem) = door.post("/tasks", Some(&token), json, body).await;
        assert_eq!((got, problem["errors"][0]["field"].as_str()), (status, Some(field)), "{problem:#}");
    }
    for (path, body, field) in [
        (
            "/memories",
            json!({ "namespace": "shared", "content": "" }),
            "content",
        ),
        (
            "/memories/search",
            json!({ "namespace": "not a name", "query": "q" }),
            "namespace",
        ),
    ] {
        let (got, problem) = door.post(path, Some(&token), json, body.to_string()).await;
        assert_eq!(
            (got, problem["errors"][0]["field"].as_str()),
            (400, Some(field)),
            "{problem:#}"
        );
    }
    let (status, problem) = door
        .post("/tasks", Some(&token), json, "{\"kind\":".to_owned())
        .await;
    assert_eq!(status, 400, "not JSON: {problem}");
    let (status, problem) = door
        .post("/tasks", Some(&token), json, large.to_string())
        .await;
    assert_eq!(status, 413, "too large: {problem}");
    let (status, problem) = door
        .post("/tasks", Some(&token), "text/plain", "hello".to_owned())
        .await;
    assert_eq!(status, 415, "not declared as JSON: {problem}");
    let good = json!({ "kind": "question", "input": { "prompt": "p" } }).to_string();
    let (status, problem) = door.post("/tasks", None, json, good.clone()).await;
    assert_eq!(
        (status, &problem["code"]),
        (401, &"unauthenticated".into()),
        "no token"
    );
    let (status, _) = door.post("/tasks", Some("a.b.c"), json, good.clone()).await;
    assert_eq!(status, 401, "a token that is none");
    let (status, _) = door
        .post("/tasks", Some(&viewer(&cluster).await), json, good)
        .await;
    assert_eq!(status, 403, "a viewer");
    let unknown = client
        .get_task("task_01k9zzzzzzzzzzzzzzzzzzzzzz")
        .await
        .unwrap_err();
    assert_eq!(unknown.code().http(), 404, "{unknown}");

    assert!(
        client
            .list_tasks(None, None, &PageRequest::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert!(
        client
            .list_agents(None, None, &PageRequest::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

/// The token of a user who may only read.
async fn viewer(cluster: &Cluster) -> String {
    let user = NewUser {
        username: "vera".into(),
        password: "a long enough passphrase".into(),
        roles: vec!["viewer".into()],
    };
    cluster.client().create_user(&user).await.unwrap();
    let client = cluster
        .stranger()
        .login(&user.username, &user.password)
        .await
        .unwrap();
    client.token().await.unwrap()
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    // Not valid from one second after its issue, plus the five that clocks may differ.
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(ANSWER))
        .set("auth.access_token_seconds", "1")
        .start()
        .await;
    let token = cluster.client().token().await.unwrap();
    let http = http();
    let url = format!("{}/api/v1/tasks", cluster.rest());
    swarm_test_support::eventually(
        "the token to expire",
        std::time::Duration::from_secs(30),
        || async {
            let answer = http.get(&url).bearer_auth(&token).send().await.unwrap();
            (answer.status().as_u16() == 401).then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn health_needs_no_token_and_metrics_on_the_public_port_do() {
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(ANSWER))
        .start()
        .await;
    let health = http()
        .get(format!("{}/health", cluster.rest()))
        .send()
        .await
        .unwrap();
    assert_eq!(health.status(), 200, "health needs no token");
    let metrics = http()
        .get(format!("{}/metrics", cluster.rest()))
        .send()
        .await
        .unwrap();
    assert_eq!(metrics.status(), 401, "metrics on the public port do");
}
