//! The SDK's watch over connections that are cut between it and the gateway.

use std::net::SocketAddr;

use futures::StreamExt;
use serde_json::Value;
use swarm_client::{Client, Watched};
use swarm_errors::{Code, Error};
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_types::TaskId;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::door::Door;
use crate::socket::event;

/// Passes connections on, and cuts them all off when its value changes.
async fn relay(to: SocketAddr) -> (SocketAddr, watch::Sender<u32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (cut, cuts) = watch::channel(0);
    tokio::spawn(async move {
        while let Ok((mut inner, _)) = listener.accept().await {
            let mut cuts = cuts.clone();
            cuts.mark_unchanged();
            tokio::spawn(async move {
                let mut outer = TcpStream::connect(to).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut inner, &mut outer) => {}
                    _ = cuts.changed() => {}
                }
            });
        }
    });
    (address, cut)
}

#[tokio::test]
async fn a_watch_outlives_its_connections_without_loss_or_doubles() {
    let door = Door::open().await;
    let (address, cut) = relay(door.websocket).await;
    let client = Client::new(&door.url(""))
        .unwrap()
        .with_websocket(&format!("ws://{address}/ws"))
        .unwrap()
        .with_token(door.recorder.token(Role::Viewer));
    let task = TaskId::new();
    let mut updates = std::pin::pin!(client.watch(&format!("tasks/{task}"), None));
    let mut seen = Vec::new();
    for round in 0..4_u64 {
        door.recorder
            .tell(event(task, 2 * round + 1, 2 * round + 1));
        door.recorder
            .tell(event(task, 2 * round + 2, 2 * round + 2));
        while seen.len() < usize::try_from(2 * round + 2).unwrap() {
            match updates.next().await.unwrap().unwrap() {
                Watched::Event(update) => seen.push(update.seq.unwrap()),
                Watched::Gap { cursor, .. } => panic!("a gap at {cursor}"),
            }
        }
        cut.send_modify(|cuts| *cuts += 1);
    }
    assert_eq!(seen, (1..=8).collect::<Vec<_>>());
    door.recorder.answer(
        "GetTask",
        &wire::GetTaskResponse {
            task: Some(wire::Task {
                state: wire::TaskState::Completed.into(),
                last_seq: 8,
                ..wire::Task::default()
            }),
        },
    );
    door.recorder.end();
    assert!(
        updates.next().await.is_none(),
        "the stream ends with its task"
    );
}

#[tokio::test]
async fn what_is_refused_ends_a_watch_with_its_reason() {
    let door = Door::open().await;
    let websocket = format!("ws://{}/ws", door.websocket);
    let client = Client::new(&door.url(""))
        .unwrap()
        .with_websocket(&websocket)
        .unwrap();
    let first = |client: Client, topic: String| async move {
        std::pin::pin!(client.watch(&topic, None))
            .next()
            .await
            .unwrap()
            .unwrap_err()
            .code()
    };
    assert_eq!(
        first(client.clone().with_token("abc"), "tasks".into()).await,
        Code::Unauthenticated
    );
    let client = client.with_token(door.recorder.token(Role::Viewer));
    assert_eq!(
        first(client.clone(), "system".into()).await,
        Code::InvalidArgument
    );
    let task = TaskId::new();
    door.recorder
        .fail("WatchEvents", Error::not_found("task", task));
    assert_eq!(first(client, format!("tasks/{task}")).await, Code::NotFound);
}

#[tokio::test]
async fn the_client_reads_what_the_gateway_writes() {
    let door = Door::open().await;
    let client = Client::new(&door.url(""))
        .unwrap()
        .with_token(door.recorder.token(Role::Developer));
    let id = TaskId::new().to_string();
    let task = wire::Task {
        id: id.clone(),
        state: wire::TaskState::DeadLettered.into(),
        ..wire::Task::default()
    };
    door.recorder
        .answer("GetTask", &wire::GetTaskResponse { task: Some(task) });
    let task = client.get_task(&id).await.unwrap();
    assert_eq!(
        (task.id, task.state, task.input),
        (
            id.clone(),
            swarm_client::TaskState::DeadLettered,
            Value::Null
        )
    );
    door.recorder
        .fail("SubmitTask", Error::invalid("input.prompt", "is missing"));
    let error = client
        .submit_task(&swarm_client::NewTask::question("?"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.fields()[0].field.as_str()),
        (Code::InvalidArgument, "input.prompt")
    );
    assert!(client.system_health().await.unwrap().is_ready());
    assert_eq!(client.me().await.unwrap().roles, ["developer"]);
}
