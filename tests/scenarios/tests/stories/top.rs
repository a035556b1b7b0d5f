//! Somebody looks on: `swarm top` and `swarm tasks watch`.

use std::time::Duration;

use swarm_client::{Event, NewTask, Overview};
use swarm_test_cluster::{Cluster, Service, Shape};
use swarm_test_scenarios::{ANSWER, Swarm, Terminal, command, slow_script};

#[tokio::test]
async fn top_shows_the_work_and_outlives_a_restart_of_the_gateway() {
    let mut cluster = Cluster::builder(Shape::SixProcesses)
        .script(&slow_script(ANSWER, Duration::from_secs(600)))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let mut new = NewTask::question("How long?");
    new.agent_id = Some(swarm.members[0].clone());
    let task = swarm.client.submit_task(&new).await.unwrap();

    let arguments = ["top", "--every", "1", "--output", "json"];
    let mut top = command::Going::start(&cluster, &arguments).await;
    let at_work = loop {
        let seen: Overview = serde_json::from_str(&top.line().await).unwrap();
        let work = &seen.agents[0].work;
        if work
            .iter()
            .any(|work| work.step_kind.as_deref() == Some("model"))
        {
            break seen;
        }
    };
    assert!(at_work.platform, "the first administrator sees all tenants");
    assert_eq!(at_work.agents[0].name, "scout");
    assert_eq!(at_work.agents[0].work[0].task_id, task.id);
    assert_eq!(at_work.activity.held, 1);
    assert_eq!(at_work.tenants[0].name.as_deref(), Some("default"));
    let [replica] = &at_work.replicas[..] else {
        panic!("{:?}", at_work.replicas)
    };
    assert!(replica.held_until.unwrap() > at_work.at && replica.busy_workers == 1);

    let once = command::printed(&cluster, &["top", "--once"]).await;
    for words in ["all tenants", "in hand 1", "scout", "question: ", "REPLICA"] {
        assert!(once.contains(words), "{words}: {once}");
    }
    assert!(
        once.lines().all(|line| line.chars().count() <= 80),
        "{once}"
    );
    assert!(!once.contains('\u{1b}'), "no codes of terminals in a pipe");

    cluster.kill(Service::Gateway).await;
    let complaint = top.complaint().await;
    assert!(complaint.starts_with("reconnecting: "), "{complaint}");
    cluster.start(Service::Gateway).await;
    swarm
        .client
        .cancel_task(&task.id, Some("seen enough"))
        .await
        .unwrap();
    loop {
        let seen: Overview = serde_json::from_str(&top.line().await).unwrap();
        if seen.at > at_work.at && seen.activity.stop_latency.count == 1 {
            assert_eq!(seen.activity.held, 0);
            break;
        }
    }
    assert_eq!(top.end("INT").await.code(), Some(130));
}

#[tokio::test]
async fn events_of_all_tasks_are_watched_as_they_happen() {
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&slow_script(ANSWER, Duration::ZERO))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let mut watch = command::Going::start(&cluster, &["tasks", "watch", "--output", "json"]).await;
    let id = seen_to_end(&swarm, &mut watch).await;
    assert_eq!(watch.end("INT").await.code(), Some(130));

    let one = command::printed(&cluster, &["tasks", "watch", &id]).await;
    assert!(
        one.contains("Answer") || one.contains("nothing to add"),
        "{one}"
    );
    let unknown = "task_01kb00000000000000000000aa";
    let mixed = command::run(&cluster, &["tasks", "cancel", unknown, &id]).await;
    assert_eq!(mixed.status.code(), Some(1));
    let complaints = String::from_utf8(mixed.stderr).unwrap();
    assert!(
        complaints.contains(unknown) && complaints.contains("completed already"),
        "{complaints}"
    );
}

/// The watch shows what happens from its start on, whenever that is: asks until it tells of the
/// end of one of these tasks.
async fn seen_to_end(swarm: &Swarm, watch: &mut command::Going) -> String {
    let mut ids = Vec::new();
    loop {
        let new = NewTask::question("Why?");
        ids.push(swarm.client.submit_task(&new).await.unwrap().id);
        let told = tokio::time::timeout(Duration::from_millis(500), end_of_a_task(watch));
        if let Ok(id) = told.await {
            assert!(ids.contains(&id), "{id} is none of ours");
            return id;
        }
    }
}

async fn end_of_a_task(watch: &mut command::Going) -> String {
    loop {
        let event: Event = serde_json::from_str(&watch.line().await).unwrap();
        if event.kind == "task.completed" {
            return event.task_id;
        }
    }
}

const ENTERED: &str = "\x1b[?1049h";
const LEFT: &str = "\x1b[?1049l";

/// The last whole picture on a terminal, line by line and without its codes.
fn picture(shown: &str) -> Vec<String> {
    let drawn = shown.rsplit_once("\x1b[J").map_or("", |(drawn, _)| drawn);
    let picture = drawn.rsplit_once("\x1b[H").map_or("", |(_, last)| last);
    let mut plain = String::new();
    for (place, part) in picture.split("\x1b[").enumerate() {
        // Behind a code's letter the text goes on.
        let code = match place {
            0 => 0,
            _ => part.find(char::is_alphabetic).map_or(0, |end| end + 1),
        };
        plain += &part[code..];
    }
    let lines = plain.lines().map(|line| line.trim_end().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

fn widest(picture: &[String]) -> usize {
    let widths = picture.iter().map(|line| line.chars().count());
    widths.max().unwrap_or(0)
}

#[tokio::test]
async fn top_draws_on_a_terminal_and_leaves_it_as_it_was_however_it_ends() {
    let cluster = Cluster::builder(Shape::OneProcess).start().await;
    for (how, code) in [("q", 0), ("INT", 130), ("TERM", 0)] {
        let mut terminal = Terminal::start(&cluster, &["top"], (100, 30)).await;
        let before = terminal.modes();
        assert_eq!(before, (true, true, true));
        terminal
            .shows("the work of the moment", |shown| {
                let picture = picture(shown);
                picture.iter().any(|line| line.starts_with("REPLICA")) && widest(&picture) > 60
            })
            .await;
        assert!(terminal.shown().contains(ENTERED) && !terminal.shown().contains(LEFT));
        let keys_as_they_are_pressed = (false, false, true);
        assert_eq!(terminal.modes(), keys_as_they_are_pressed);
        terminal.resize((50, 30)).await;
        terminal
            .shows("a smaller picture", |shown| {
                let width = widest(&picture(shown));
                (1..50).contains(&width)
            })
            .await;
        // Any other key is as good as none.
        terminal.press("x");
        match how {
            "q" => terminal.press("q"),
            signal => terminal.signal(signal).await,
        }
        assert_eq!(terminal.end().await.code(), Some(code), "{how}");
        assert_eq!(terminal.modes(), before, "{how}");
        terminal
            .shows("the screen of before", |shown| {
                shown.contains("\x1b[?25h\x1b[?1049l")
            })
            .await;
    }
}
