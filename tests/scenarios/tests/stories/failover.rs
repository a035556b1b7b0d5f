//! A replica dies, stands still or is restarted in the middle of work, or Redis is gone: the work
//! goes on, and nothing is lost or done twice.
#![expect(
    clippy::print_stdout,
    reason = "measured times are what some of it is about"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::Value;
use swarm_client::{Client, Event, NewTask, TaskState, Watched};
use swarm_test_cluster::{Builder, Cluster, Node, Service, Shape, http};
use swarm_test_scenarios::{ANSWER, Journal, Swarm, events_of, slow_script};
use swarm_test_support::{eventually, postgres, redis};

use crate::crash::{assert_done_once, seen};

const LIMIT: Duration = Duration::from_secs(90);
const LEASE: Duration = Duration::from_millis(1500);

async fn builder(pause: Duration, managers: usize, gateways: usize) -> Builder {
    let database = postgres::Server::shared().await.database().await;
    Cluster::builder(Shape::SixProcesses)
        .replicas(Service::AgentManager, managers)
        .replicas(Service::Gateway, gateways)
        .script(&slow_script(ANSWER, pause))
        .postgres(&database)
        .await
        .set("agent_manager.lease_ms", &LEASE.as_millis().to_string())
}

fn manager(number: usize) -> Node {
    Service::AgentManager.replica(number)
}

#[tokio::test]
async fn a_swarm_goes_on_when_the_replica_in_the_middle_of_it_dies() {
    let pause = Duration::from_millis(200);
    let mut cluster = builder(pause, 2, 1).await.start().await;
    let swarm = Swarm::create(&cluster).await;
    // In the middle of its parts, and in the middle of its votes; the dead one stays dead.
    for (kind, number) in [("task.waiting", 0), ("ballot.vote", 1)] {
        let task = swarm.ask().await;
        seen(&swarm, &task.id, kind).await;
        cluster.kill(manager(number)).await;
        assert_done_once(&swarm, &cluster, &task.id).await;
        cluster.start(manager(number)).await;
    }
}

#[tokio::test]
async fn a_replica_that_stood_still_past_its_lease_changes_nothing_any_more() {
    let pause = Duration::from_millis(200);
    let mut cluster = builder(pause, 2, 1).await.start().await;
    let swarm = Swarm::create(&cluster).await;
    for (kind, number) in [("task.waiting", 0), ("ballot.vote", 1)] {
        let task = swarm.ask().await;
        seen(&swarm, &task.id, kind).await;
        cluster.pause(manager(number)).await;
        assert_done_once(&swarm, &cluster, &task.id).await;
        let before = Journal::read(&swarm.client, &task.id).await;
        cluster.resume(manager(number)).await;
        cluster.ready().await;
        // It works again, and what it held before is as the other one has left it.
        let next = swarm.ask().await;
        assert_done_once(&swarm, &cluster, &next.id).await;
        let after = Journal::read(&swarm.client, &task.id).await;
        assert_eq!(before.events, after.events);
    }
}

/// Submits question after question with keys until it is told to stop, and comes back with the same
/// key when it is refused.
async fn keep_asking(client: Client, name: usize, enough: Arc<AtomicBool>) -> Vec<String> {
    let mut accepted = Vec::new();
    while !enough.load(Ordering::Relaxed) {
        let key = format!("client-{name}-{}", accepted.len());
        let task = eventually("the submission to be accepted", LIMIT, || async {
            let question = NewTask::question("Who is here?");
            let asked = client.submit_task_once(&key, &question);
            asked.await.map_err(|error| error.chain().to_string())
        })
        .await;
        accepted.push(task.id);
    }
    accepted
}

#[tokio::test]
async fn a_rolling_restart_under_load_loses_and_repeats_nothing() {
    let pause = Duration::from_millis(40);
    let mut cluster = builder(pause, 3, 2).await.start().await;
    let enough = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|name| {
            let client = cluster.client_at(name % 2);
            tokio::spawn(keep_asking(client, name, enough.clone()))
        })
        .collect();
    for node in [0, 1, 2]
        .map(manager)
        .into_iter()
        .chain([0, 1].map(|number| Service::Gateway.replica(number)))
    {
        let begun = Instant::now();
        assert_eq!(cluster.stop(node).await, Some(0), "{}", cluster.logs());
        println!("{node} stopped after {:?}", begun.elapsed());
        cluster.start(node).await;
    }
    enough.store(true, Ordering::Relaxed);
    let mut accepted = BTreeSet::new();
    for client in clients {
        for task in client.await.unwrap() {
            assert!(
                accepted.insert(task),
                "each submission made a task of its own"
            );
        }
    }
    println!("{} tasks under the restart", accepted.len());
    let client = cluster.client();
    for id in &accepted {
        let task = eventually("the task to end", LIMIT, || async {
            let task = client
                .get_task(id)
                .await
                .map_err(|error| error.to_string())?;
            if task.state.has_ended() {
                Ok(task)
            } else {
                Err(task.state.to_string())
            }
        })
        .await;
        assert_eq!(task.state, TaskState::Completed, "{:?}", task.error);
        let journal = Journal::read(&client, id).await;
        journal.assert_nothing_twice();
        // Handed over at a step's boundary: no call was begun twice.
        let starts = journal.count("step.started");
        assert_eq!(
            starts,
            journal.count("step.finished"),
            "{:?}",
            journal.events
        );
    }
}

async fn cache_of(cluster: &Cluster, node: Node) -> Value {
    let answer = http()
        .get(format!("{}/ready", cluster.admin(node)))
        .send()
        .await
        .unwrap();
    let all: Value = answer.json().await.unwrap();
    let dependencies = all["dependencies"].as_array().unwrap().iter();
    let cache = dependencies.clone().find(|one| one["name"] == "cache");
    let mut cache = cache.unwrap().clone();
    cache["service_ready"] = all["ready"].clone();
    cache
}

#[tokio::test]
async fn without_redis_everything_goes_on_only_later() {
    let redis = redis::Server::start().await;
    let builder = builder(Duration::from_millis(50), 2, 2).await;
    let cluster = builder.redis(&redis.url()).start().await;
    let swarm = Swarm::create(&cluster).await;
    for (is_gone, change) in [(false, false), (true, true), (false, true)] {
        match (change, is_gone) {
            (true, true) => redis.stop(),
            (true, false) => redis.start_again().await,
            (false, _) => {}
        }
        for number in [0, 1] {
            eventually("the cache's state to be known", LIMIT, || async {
                let cache = cache_of(&cluster, manager(number)).await;
                assert_eq!(cache["required"], false, "{cache}");
                assert_eq!(cache["service_ready"], true, "{cache}");
                if cache["ready"] == !is_gone {
                    Ok(())
                } else {
                    Err(cache)
                }
            })
            .await;
        }
        let begun = Instant::now();
        let task = swarm.ask().await;
        assert_done_once(&swarm, &cluster, &task.id).await;
        println!("a swarm took {:?} (Redis gone: {is_gone})", begun.elapsed());
        // A reader at the other gateway, and perhaps at the other replica.
        let stored = events_of(&swarm.client, &task.id).await;
        let topic = format!("tasks/{}", task.id);
        assert_eq!(
            read(&cluster.client_at(1), &topic, None, usize::MAX).await,
            numbers(&stored)
        );
    }
}

fn numbers(events: &[Event]) -> Vec<u64> {
    events.iter().filter_map(|event| event.seq).collect()
}

/// The numbers of up to `most` stored events behind a cursor.
async fn read(client: &Client, topic: &str, cursor: Option<String>, most: usize) -> Vec<u64> {
    let mut stream = std::pin::pin!(client.watch(topic, cursor));
    let mut seen = Vec::new();
    let all = async {
        while seen.len() < most
            && let Some(watched) = stream.next().await
        {
            match watched.unwrap() {
                Watched::Event(update) => seen.extend(update.event.seq),
                gap @ Watched::Gap { .. } => panic!("{gap:?}"),
            }
        }
    };
    tokio::time::timeout(LIMIT, all)
        .await
        .expect("the stream goes on");
    seen
}

/// The ids of up to `most` stored events behind one, as server-sent events.
async fn server_sent(
    cluster: &Cluster,
    gateway: usize,
    task: &str,
    after: u64,
    most: usize,
) -> Vec<u64> {
    let address = format!("{}/api/v1/tasks/{task}/events", cluster.rest_at(gateway));
    let answer = http()
        .get(address)
        .bearer_auth(cluster.client().token().await.unwrap())
        .header("accept", "text/event-stream")
        .header("last-event-id", after.to_string())
        .send()
        .await
        .unwrap();
    let (mut body, mut text, mut seen) = (answer.bytes_stream(), String::new(), Vec::new());
    while seen.len() < most
        && let Some(piece) = body.next().await
    {
        text.push_str(&String::from_utf8_lossy(&piece.unwrap()));
        while let Some((frame, rest)) = text.split_once("\n\n") {
            let id = frame.lines().find_map(|line| line.strip_prefix("id:"));
            seen.extend(id.map(|id| id.trim().parse::<u64>().unwrap()));
            text = rest.to_owned();
        }
    }
    seen.truncate(most);
    seen
}

#[tokio::test]
async fn streams_are_cut_anywhere_and_go_on_at_the_other_gateway() {
    let pause = Duration::from_millis(100);
    let mut cluster = builder(pause, 2, 2).await.start().await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.ask().await;
    let topic = format!("tasks/{}", task.id);
    let (mut socket, mut sent) = (Vec::new(), Vec::new());
    // Three events at a time, each time at the other gateway; on the way a replica dies.
    for round in 0..4 {
        let gateway = round % 2;
        let cursor = socket.last().map(u64::to_string);
        socket.extend(read(&cluster.client_at(gateway), &topic, cursor, 3).await);
        let after = sent.last().copied().unwrap_or_default();
        sent.extend(server_sent(&cluster, gateway, &task.id, after, 3).await);
        if round == 1 {
            cluster.kill(manager(0)).await;
        }
    }
    let cursor = socket.last().map(u64::to_string);
    socket.extend(read(&cluster.client_at(1), &topic, cursor, usize::MAX).await);
    let after = sent.last().copied().unwrap_or_default();
    sent.extend(server_sent(&cluster, 1, &task.id, after, usize::MAX).await);
    let stored = numbers(&events_of(&swarm.client, &task.id).await);
    assert_eq!(socket, stored, "over WebSocket");
    assert_eq!(sent, stored, "as server-sent events");
    assert_done_once(&swarm, &cluster, &task.id).await;
}
