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

#[tokio::test]
async fn a_service_refuses_a_database_without_its_tables() {
    let url = Server::shared().await.database().await;
    let folder = tempfile::tempdir().unwrap();
    let output = tokio::process::Command::new(path_of("swarm-learning"))
        .current_dir(folder.path())
        .env("QWEN_SWARM__DATABASE__URL", &url)
        .env("QWEN_SWARM__LEARNING__GRPC", "127.0.0.1:0")
        .env("QWEN_SWARM__LEARNING__ADMIN", "127.0.0.1:0")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("swarm migrate"),
        "the error names the command: {said}"
    );
}
