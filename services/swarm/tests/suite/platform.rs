//! Six services in one process: start, stop, start again, and what keeps them from it.

use std::fs;
use std::net::TcpListener;

use swarm::Platform;
use swarm_client::NewMemory;
use swarm_errors::Code;
use swarm_test_support::database::Fresh;

use crate::program::run;
use crate::stage::{Stage, settings};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_is_there_after_a_stop_and_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder.path().join("data"));
    let platform = Platform::start(&settings).await.unwrap();
    assert_eq!(platform.admin().len(), 6);
    let address = settings.folder().path().join("address.json");
    assert!(address.exists());
    let client = platform.administrator().await.unwrap();
    assert!(client.system_health().await.unwrap().is_ready());
    let memory = NewMemory {
        namespace: "shared".into(),
        content: "The sky is blue.".into(),
        ..NewMemory::default()
    };
    let memory = client.put_memory(&memory).await.unwrap();
    let status = platform.stop().await;
    assert!(status.is_clean(), "{status:?}");
    assert!(!address.exists());
    assert_eq!(
        client.me().await.unwrap_err().code(),
        Code::Unavailable,
        "its ports are closed"
    );

    let platform = Platform::start(&settings).await.unwrap();
    let client = platform.administrator().await.unwrap();
    assert_eq!(
        client.get_memory(&memory.id).await.unwrap().content,
        "The sky is blue."
    );
    assert!(platform.stop().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let settings = settings(folder.path()).set("learning.grpc", &address);
    let error = Platform::start(&settings).await.unwrap_err();
    assert_eq!(error.fields()[0].field, "learning.grpc");
    assert!(error.detail().contains(&address), "{error}");
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["service-secret"], "only what settings need");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_serves_one_platform_at_a_time() {
    let stage = Stage::start().await;
    let error = Platform::start(&settings(stage.platform.folder().path()))
        .await
        .unwrap_err();
    assert!(error.detail().contains("is in use by process"), "{error}");
    // The refused one leaves the running one alone.
    let client = stage.platform.administrator().await.unwrap();
    assert!(client.system_health().await.unwrap().is_ready());
    assert!(stage.platform.stop().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_platform_frees_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder.path().join("data"));
    drop(Platform::start(&settings).await.unwrap());
    let platform = Platform::start(&settings).await.unwrap();
    assert!(platform.stop().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_migrated_by_command_alone() {
    let database = Fresh::postgres().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let url = database.config.url.clone();
    let settings = settings(&data).set("database.url", &url);
    let error = Platform::start(&settings).await.unwrap_err();
    assert!(error.detail().contains("run `swarm migrate`"), "{error}");

    let set = format!("database.url={url}");
    let migrate = [
        "migrate",
        "--data",
        data.to_str().unwrap(),
        "--set",
        set.as_str(),
    ];
    let said = run(&migrate);
    assert_eq!(said.code, Some(0), "{}", said.err);
    for schema in ["auth", "agent_manager", "memory", "learning"] {
        assert!(
            said.out
                .lines()
                .any(|line| line.starts_with(schema) && line.contains("applied")),
            "{}",
            said.out
        );
    }
    let again = run(&migrate);
    assert_eq!(again.out.matches("up to date").count(), 4, "{}", again.out);

    let platform = Platform::start(&settings).await.unwrap();
    assert!(
        platform
            .administrator()
            .await
            .unwrap()
            .system_health()
            .await
            .unwrap()
            .is_ready()
    );
    assert!(platform.stop().await.is_clean());
}
