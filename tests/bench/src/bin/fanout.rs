//! `make bench-fanout`: every event of a tenant to thousands of WebSockets on one gateway.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use futures::{SinkExt as _, StreamExt as _};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use swarm_bench::http::{Connection, holds, json as read_json};
use swarm_bench::ours::{Ours, echo_task};
use swarm_bench::report::Report;
use swarm_bench::statistics::quantile;
use swarm_bench::{Failure, usage};
use swarm_test_cluster::Service;
use swarm_test_support::eventually;
use swarm_types::{Clock as _, SystemClock, Timestamp};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Both ends of each connection, and what the programs need besides.
const FILES_PER_SUBSCRIBER: u64 = 2;
const OTHER_FILES: u64 = 1_000;
/// Subscribers that come at the same time.
const COMING: usize = 32;
const LIMIT: Duration = Duration::from_secs(120);

/// Measures the fan-out of events to WebSockets.
#[derive(Debug, Parser)]
struct Options {
    /// The folder of the results.
    #[arg(long, default_value = ".swarm/bench")]
    folder: PathBuf,
    /// WebSockets on the one gateway.
    #[arg(long, env = "SUBSCRIBERS", default_value_t = 5_000)]
    subscribers: usize,
    /// Tasks whose events are told; one at a time.
    #[arg(long, env = "TASKS", default_value_t = 10)]
    tasks: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    tokio::select! {
        () = run(&options) => ExitCode::SUCCESS,
        // Dropping the run ends every server it has started.
        _ = tokio::signal::ctrl_c() => ExitCode::from(130),
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Delays of deliveries, in microseconds.
type Delays = Arc<Mutex<Vec<u32>>>;

async fn run(options: &Options) {
    let mut report = Report::to_file(&options.folder.join("fanout.jsonl"));
    let wanted = allowed(options.subscribers);
    let ours = Ours::on_postgres().await;
    let delays: Delays = Arc::default();
    let begun = SystemClock.now();
    let mut readers = subscribe_all(&ours, wanted, &delays).await;
    let seconds = (SystemClock.now() - begun).as_seconds_f64();
    println!("{wanted} subscribers came within {seconds:.1} s");
    let process = |service| ours.cluster.process_id(service);
    let (gateway, manager) = (process(Service::Gateway), process(Service::AgentManager));
    let cpu = || {
        (
            usage::cpu_seconds(&[gateway]),
            usage::cpu_seconds(&[manager]),
        )
    };
    let before = cpu();
    let mut connection = Connection::new(ours.rest(), Some(ours.token()));
    let mut expected = 0;
    for _ in 0..options.tasks {
        expected += wanted * events_of_a_task(&mut connection).await;
        // The next one is told when all have heard of this one.
        eventually("every subscriber to hear of every event", LIMIT, || async {
            let told = delays.lock().unwrap().len();
            match told >= expected {
                true => Ok(()),
                false => Err(format!("{told} of {expected}")),
            }
        })
        .await;
    }
    let after = cpu();
    let mut delays = std::mem::take(&mut *delays.lock().unwrap());
    delays.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a count of some millions")]
    let deliveries = delays.len() as f64;
    let milliseconds = |share| f64::from(quantile(&delays, share)) / 1e3;
    let per_100k = |before: f64, after: f64| (after - before) * 1e5 / deliveries;
    let usage = usage::of(&[gateway]);
    let line = json!({
        "subscribers": wanted,
        "deliveries": delays.len(),
        "expected": expected,
        "p50_ms": milliseconds(0.5),
        "p99_ms": milliseconds(0.99),
        "longest_ms": milliseconds(1.0),
        "gateway_cpu_seconds_per_100000": per_100k(before.0, after.0),
        "agent_manager_cpu_seconds_per_100000": per_100k(before.1, after.1),
        "gateway_pss_mib": usage.pss_mib,
        "connect_seconds": seconds,
    });
    report.line("fanout", &line);
    println!("{}", serde_json::to_string_pretty(&line).unwrap());
    println!(
        "A delay runs from the event's own time, so the commit is in it, and the reading of {wanted} \
         sockets by one thread of this program."
    );
    readers.abort_all();
}

/// Raises the limit of open files, which the services inherit; fewer subscribers where it cannot
/// be raised far enough.
fn allowed(subscribers: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = subscribers as u64 * FILES_PER_SUBSCRIBER + OTHER_FILES;
    if limit.current.is_none_or(|current| current >= wanted) {
        return subscribers;
    }
    let raised = |maximum| Rlimit {
        current: Some(wanted),
        maximum,
    };
    let hard = limit.maximum.map(|hard| hard.max(wanted));
    if setrlimit(Resource::Nofile, raised(limit.maximum)).is_ok()
        || setrlimit(Resource::Nofile, raised(hard)).is_ok()
    {
        return subscribers;
    }
    let most = limit.maximum.unwrap_or(wanted);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    )
    .ok();
    let left = most.saturating_sub(OTHER_FILES) / FILES_PER_SUBSCRIBER;
    let left = usize::try_from(left).unwrap_or(subscribers).max(1);
    println!("only {most} files may be open, so there are {left} subscribers");
    left
}

async fn subscribe_all(ours: &Ours, wanted: usize, delays: &Delays) -> JoinSet<()> {
    let doors = Arc::new(Semaphore::new(COMING));
    let (url, token) = (ours.cluster.websocket(), ours.token().to_owned());
    let mut coming = JoinSet::new();
    for _ in 0..wanted {
        let (doors, url, token) = (doors.clone(), url.clone(), token.clone());
        coming.spawn(async move {
            let _door = doors.acquire_owned().await.unwrap();
            subscribe(&url, &token).await
        });
    }
    let sockets = tokio::time::timeout(LIMIT, coming.join_all())
        .await
        .unwrap_or_else(|_| panic!("{wanted} subscribers did not come within {LIMIT:?}"));
    let mut readers = JoinSet::new();
    for socket in sockets {
        let socket = socket.unwrap_or_else(|error| panic!("a subscriber was refused: {error}"));
        readers.spawn(listen(socket, delays.clone()));
    }
    readers
}

async fn subscribe(url: &str, token: &str) -> Result<Socket, Failure> {
    let (mut socket, _) = connect_async(url).await?;
    for (frame, answer) in [
        (json!({"type": "auth", "token": token}), "authenticated"),
        (
            json!({"type": "subscribe", "topics": ["tasks"]}),
            "subscribed",
        ),
    ] {
        socket.send(Message::text(frame.to_string())).await?;
        loop {
            let Message::Text(text) = socket.next().await.ok_or("it was closed")?? else {
                continue;
            };
            let said: Value = serde_json::from_str(&text)?;
            match said["type"] == answer {
                true => break,
                false => return Err(text.to_string().into()),
            }
        }
    }
    Ok(socket)
}

async fn listen(mut socket: Socket, delays: Delays) {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        if !holds(text.as_bytes(), "\"ephemeral\":false") {
            continue;
        }
        let Some(at) = time_of(&text) else { continue };
        let delay = (SystemClock.now() - at).num_microseconds().unwrap_or(0);
        delays
            .lock()
            .unwrap()
            .push(u32::try_from(delay).unwrap_or(0));
    }
}

/// The time of an event, without reading all of it.
fn time_of(text: &str) -> Option<Timestamp> {
    let (_, rest) = text.split_once("\"at\":\"")?;
    rest.split_once('"')?.0.parse().ok()
}

/// Runs an echo task, and says how many events it had.
async fn events_of_a_task(connection: &mut Connection) -> usize {
    let task = connection
        .post("/api/v1/tasks?wait=30s", None, echo_task("hello"))
        .await
        .and_then(read_json)
        .unwrap();
    let path = format!("/api/v1/tasks/{}/events", task["id"].as_str().unwrap());
    let page = connection.get(&path).await.and_then(read_json).unwrap();
    page["items"].as_array().unwrap().len()
}
