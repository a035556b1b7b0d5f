//! The admin port over a real socket.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use swarm_config::Listen;
use swarm_runtime::{Admin, Lifecycle, OnExit, Readiness, bind};
use swarm_telemetry::{CONTENT_TYPE, Registry, names};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Status, head and body of a GET.
async fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (
        head[9..12].parse().unwrap(),
        head.to_lowercase(),
        body.to_owned(),
    )
}

#[tokio::test]
async fn the_admin_port_tells_all_until_the_end() {
    let lifecycle = Lifecycle::new(Duration::from_secs(600));
    let (registry, readiness) = (Registry::new(), Readiness::new());
    registry.counter(names::AGENT_TASKS_TOTAL).with([]).inc();
    let database = readiness.flag("database");
    let admin = Admin::new(
        bind("test.admin", Listen::loopback(0)).await.unwrap(),
        registry,
        readiness,
        "test",
    );
    let address = admin.local_addr().unwrap();
    admin.spawn(&lifecycle);
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    lifecycle.spawn("request", OnExit::Log, async {
        finished.await.unwrap();
        Ok(())
    });

    let (status, _, body) = get(address, "/health").await;
    assert_eq!(
        (
            status,
            serde_json::from_str::<Value>(&body).unwrap()["status"].clone()
        ),
        (200, "alive".into())
    );
    let (status, _, body) = get(address, "/ready").await;
    assert_eq!(status, 503);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({"ready": false, "draining": false, "dependencies": [
            {"name": "database", "ready": false, "required": true, "detail": "starting"},
        ]})
    );
    database.set_ready();
    assert_eq!(get(address, "/ready").await.0, 200);
    let (status, head, body) = get(address, "/metrics").await;
    assert!(status == 200 && head.contains(CONTENT_TYPE), "{head}");
    assert!(
        body.lines()
            .any(|line| line == "qwen_swarm_agent_tasks_total 1.0"),
        "{body}"
    );
    let (_, _, body) = get(address, "/version").await;
    let version: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (version["name"].clone(), version["version"].clone()),
        ("test".into(), env!("CARGO_PKG_VERSION").into())
    );

    lifecycle.shutdown();
    let (status, _, body) = get(address, "/ready").await;
    assert_eq!(
        (
            status,
            serde_json::from_str::<Value>(&body).unwrap()["draining"].clone()
        ),
        (503, true.into())
    );
    assert_eq!(
        get(address, "/health").await.0,
        200,
        "alive while it drains"
    );
    finish.send(()).unwrap();
    assert!(lifecycle.stopped().await.is_clean());
    assert!(
        TcpStream::connect(address).await.is_err(),
        "the port is free again"
    );
}
