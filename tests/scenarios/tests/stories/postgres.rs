//! The same platform on PostgreSQL.

use std::time::Duration;

use swarm_client::TaskState;
use swarm_test_cluster::{Cluster, Service, Shape, path_of};
use swarm_test_scenarios::{ANSWER, Journal, Swarm, slow_script};
use swarm_test_support::postgres::Server;

#[tokio::test]
async fn a_swarm_answers_and_survives_a_crash_on_postgres() {
    let url = Server::shared().await.database().await;
    let script = slow_script(ANSWER, Duration::from_millis(200));
    let builder = Cluster::builder(Shape::SixProcesses).script(&script);
    let mut cluster = builder.postgres(&url).await.start().await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.ask().await;
    cluster.kill(Service::AgentManager).await;
    cluster.start(Service::AgentManager).await;
    let task = swarm.end_of(&task.id).await;
    assert_eq!(
        task.state,
        TaskState::Completed,
        "{:?}\n{}",
        task.error,
        cluster.logs()
    );
    Journal::read(&swarm.client, &task.id)
        .await
        .assert_nothing_twice();
}

/// What a program says that has PostgreSQL to work on, and ports that are free.
async fn told(program: &str, arguments: &[&str], url: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = tokio::process::Command::new(path_of(program));
    command
        .args(arguments)
        .current_dir(folder.path())
        .env("QWEN_SWARM__DATABASE__URL", url)
        .env("QWEN_SWARM__SERVICE__SECRET", "s")
        .kill_on_drop(true);
    for service in ["AGENT_MANAGER", "AUTH", "LEARNING", "MEMORY"] {
        for port in ["GRPC", "ADMIN"] {
            command.env(format!("QWEN_SWARM__{service}__{port}"), "127.0.0.1:0");
        }
    }
    let ended = tokio::time::timeout(Duration::from_secs(60), command.output());
    let output = ended.await.expect("it ends by itself").unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// The README's words: no service changes the schema by itself, each says what to run, and starts after it.
#[tokio::test]
async fn pending_migrations_stop_every_start_until_swarm_migrate_has_run() {
    let url = Server::shared().await.database().await;
    let services = ["agent-manager", "auth", "learning", "memory"];
    for service in services {
        let (code, said) = told(&format!("swarm-{service}"), &[], &url).await;
        assert_eq!(code, Some(1), "{service}: {said}");
        assert!(
            said.contains("swarm migrate"),
            "{service} names the command: {said}"
        );
    }
    let (code, said) = told("swarm", &["up", "--free-ports"], &url).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("swarm migrate"), "{said}");

    let (code, said) = told("swarm", &["migrate"], &url).await;
    assert_eq!(code, Some(0), "{said}");
    let named = |said: &str| {
        let words = said.lines().filter_map(|line| line.split(' ').next());
        let mut names: Vec<String> = words.map(|name| name.replace('_', "-")).collect();
        names.sort();
        names
    };
    assert_eq!(named(&said), services, "{said}");
    assert!(
        said.contains("applied") && !said.contains("up to date"),
        "{said}"
    );
    let (code, again) = told("swarm", &["migrate"], &url).await;
    assert_eq!(code, Some(0), "{again}");
    assert_eq!(
        again.matches("up to date").count(),
        services.len(),
        "{again}"
    );

    let cluster = Cluster::builder(Shape::SixProcesses).set("database.url", &url);
    cluster.start().await.client().me().await.unwrap();
}
