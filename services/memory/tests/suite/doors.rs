//! The running service through its gRPC and admin ports.

use std::time::Duration;

use swarm_config::{Listen, Secret};
use swarm_errors::{Code, Error};
use swarm_identity::Role;
use swarm_memory::{Config, MemoryConfig, SCHEMA, Sockets, build};
use swarm_models::{Embeddings, ModelsConfig};
use swarm_proto::common::v1::{PageRequest, RequestKey};
use swarm_proto::memory::v1 as wire;
use swarm_proto::memory::v1::memory_service_client::MemoryServiceClient;
use swarm_runtime::Lifecycle;
use swarm_test_support::database::Fresh;
use swarm_test_support::eventually;
use swarm_test_support::identity::TestIssuer;
use swarm_transport::{PeersConfig, ServiceConfig};
use swarm_types::TenantId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::Channel;

struct Running {
    client: MemoryServiceClient<Channel>,
    admin: std::net::SocketAddr,
    lifecycle: Lifecycle,
    issuer: TestIssuer,
}

async fn start(fresh: &Fresh) -> Running {
    let issuer = TestIssuer::new();
    swarm_database::migrate(&fresh.config, &SCHEMA)
        .await
        .unwrap();
    let config = Config {
        database: fresh.config.clone(),
        peers: PeersConfig {
            auth: issuer.serve().await,
            ..PeersConfig::default()
        },
        service: ServiceConfig {
            secret: Secret::new("secret"),
        },
        models: ModelsConfig {
            embeddings: Embeddings::None,
            ..ModelsConfig::default()
        },
        memory: MemoryConfig {
            grpc: Listen::loopback(0),
            admin: Listen::loopback(0),
            ..MemoryConfig::default()
        },
        ..Config::default()
    };
    let sockets = Sockets::bind(&config).await.unwrap();
    let (grpc, admin) = (
        sockets.grpc_addr().unwrap(),
        sockets.admin.local_addr().unwrap(),
    );
    let lifecycle = Lifecycle::new(Duration::from_secs(5));
    build(config, sockets).await.unwrap().spawn(&lifecycle);
    let client = MemoryServiceClient::new(
        Channel::from_shared(format!("http://{grpc}"))
            .unwrap()
            .connect()
            .await
            .unwrap(),
    );
    Running {
        client,
        admin,
        lifecycle,
        issuer,
    }
}

fn memory(content: &str) -> wire::Memory {
    wire::Memory {
        namespace: "shared".into(),
        content: content.into(),
        ..wire::Memory::default()
    }
}

fn put(memories: Vec<wire::Memory>) -> wire::PutMemoriesRequest {
    wire::PutMemoriesRequest {
        request: None,
        memories,
    }
}

fn search(query: &str) -> wire::SearchMemoriesRequest {
    let namespaces = vec!["shared".into()];
    wire::SearchMemoriesRequest {
        namespaces,
        query: query.into(),
        ..wire::SearchMemoriesRequest::default()
    }
}

async fn ask_admin(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn all_rpcs_answer_a_permitted_caller() {
    for fresh in Fresh::both().await {
        let Running {
            mut client,
            admin,
            lifecycle,
            issuer,
        } = start(&fresh).await;
        let tenant = TenantId::new();
        let developer = |message| issuer.request(tenant, &[Role::Developer], message);
        let full = wire::Memory {
            metadata_json: r#"{"page": 3}"#.into(),
            tags: vec!["t".into(), "t".into()],
            ..memory("the cat sleeps")
        };
        let keyed = wire::PutMemoriesRequest {
            request: Some(RequestKey {
                key: "k".into(),
                body_hash: vec![7; 32],
            }),
            memories: vec![full, memory("the dog barks")],
        };
        let answer = client
            .put_memories(developer(keyed.clone()))
            .await
            .unwrap()
            .into_inner();
        let again = client
            .put_memories(developer(keyed))
            .await
            .unwrap()
            .into_inner();
        assert_eq!((answer.written, &answer), (2, &again));
        let first = &answer.memories[0];
        assert_eq!(
            (first.version, first.kind(), first.tags.len()),
            (1, wire::MemoryKind::Semantic, 1)
        );
        assert_eq!(first.metadata_json, r#"{"page":3}"#);
        let viewer = |message| issuer.request(tenant, &[Role::Viewer], message);
        let id = first.id.clone();
        let get = issuer.request(tenant, &[Role::Viewer], wire::GetMemoryRequest { id });
        let got = client.get_memory(get).await;
        assert_eq!(got.unwrap().into_inner().memory.as_ref(), Some(first));
        let hits = client
            .search_memories(viewer(search("cats")))
            .await
            .unwrap()
            .into_inner()
            .hits;
        let why = hits[0].why.as_ref().unwrap();
        assert_eq!(
            (
                hits.len(),
                why.mode.as_str(),
                why.lexical_rank,
                why.semantic_rank
            ),
            (1, "lexical", 1, 0)
        );
        assert!(why.note.contains("no embedder") && hits[0].score > 0.0);
        let page = wire::ListMemoriesRequest {
            page: Some(PageRequest {
                limit: 1,
                cursor: String::new(),
            }),
            namespace: "shared".into(),
        };
        let page = client
            .list_memories(issuer.request(tenant, &[Role::Viewer], page))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            (page.memories.len(), page.next_cursor.is_empty()),
            (1, false)
        );
        let delete = wire::DeleteMemoryRequest {
            id: first.id.clone(),
        };
        client
            .delete_memory(issuer.request(tenant, &[Role::Developer], delete))
            .await
            .unwrap();
        assert!(
            client
                .search_memories(viewer(search("cats")))
                .await
                .unwrap()
                .into_inner()
                .hits
                .is_empty()
        );
        let own = issuer.service_request("agent-manager", Some(tenant), search("dog"));
        assert_eq!(
            client
                .search_memories(own)
                .await
                .unwrap()
                .into_inner()
                .hits
                .len(),
            1
        );
        eventually("readiness", Duration::from_secs(10), || async {
            ask_admin(admin, "/ready").await.contains("200 OK")
        })
        .await;
        let metrics = ask_admin(admin, "/metrics").await;
        for name in [
            "qwen_swarm_db_pool_connections{state=\"idle\"}",
            "grpc_server_handled_total{grpc_service=\"swarm.memory.v1.MemoryService\"",
        ] {
            assert!(metrics.contains(name), "{name} is not in {metrics}");
        }
        assert!(lifecycle.stop().await.is_clean());
    }
}

#[tokio::test]
async fn strangers_and_viewers_write_nothing() {
    let fresh = Fresh::sqlite();
    let Running {
        mut client,
        lifecycle,
        issuer,
        ..
    } = start(&fresh).await;
    let tenant = TenantId::new();
    let code = |status: tonic::Status| Error::from(status).code();
    let none = client
        .put_memories(put(vec![memory("x")]))
        .await
        .unwrap_err();
    assert_eq!(code(none), Code::Unauthenticated);
    let viewer = client
        .put_memories(issuer.request(tenant, &[Role::Viewer], put(vec![memory("x")])))
        .await
        .unwrap_err();
    assert_eq!(code(viewer), Code::PermissionDenied);
    let no_role = client
        .search_memories(issuer.request(tenant, &[], search("x")))
        .await
        .unwrap_err();
    assert_eq!(code(no_role), Code::PermissionDenied);
    let no_tenant = client
        .search_memories(issuer.service_request("gateway", None, search("x")))
        .await
        .unwrap_err();
    assert_eq!(code(no_tenant), Code::PermissionDenied);
    let forged = TestIssuer::new().request(tenant, &[Role::Admin], search("x"));
    assert_eq!(
        code(client.search_memories(forged).await.unwrap_err()),
        Code::Unauthenticated
    );
    let list = wire::ListMemoriesRequest {
        page: None,
        namespace: String::new(),
    };
    let list = client
        .list_memories(issuer.request(tenant, &[Role::Viewer], list))
        .await
        .unwrap()
        .into_inner();
    assert!(list.memories.is_empty());
    assert!(lifecycle.stop().await.is_clean());
}

#[tokio::test]
async fn what_does_not_decode_names_its_field() {
    let fresh = Fresh::sqlite();
    let Running {
        mut client,
        lifecycle,
        issuer,
        ..
    } = start(&fresh).await;
    let tenant = TenantId::new();
    let far = Some(prost_types::Timestamp {
        seconds: i64::MAX,
        nanos: 0,
    });
    for (wrong, field) in [
        (
            wire::Memory {
                id: "task_1".into(),
                ..memory("x")
            },
            "id",
        ),
        (
            wire::Memory {
                kind: 99,
                ..memory("x")
            },
            "kind",
        ),
        (
            wire::Memory {
                metadata_json: "[1]".into(),
                ..memory("x")
            },
            "metadata",
        ),
        (
            wire::Memory {
                metadata_json: "{".into(),
                ..memory("x")
            },
            "metadata",
        ),
        (
            wire::Memory {
                metadata_json: format!("{{\"a\": \"{}\"}}", "x".repeat(17_000)),
                ..memory("x")
            },
            "metadata",
        ),
        (
            wire::Memory {
                metadata_json: "[".repeat(10_000),
                ..memory("x")
            },
            "metadata",
        ),
        (
            wire::Memory {
                task_id: "agent_1".into(),
                ..memory("x")
            },
            "task_id",
        ),
        (
            wire::Memory {
                agent_id: "x".into(),
                ..memory("x")
            },
            "agent_id",
        ),
        (
            wire::Memory {
                expires_at: far,
                ..memory("x")
            },
            "expires_at",
        ),
    ] {
        let status = client
            .put_memories(issuer.request(tenant, &[Role::Developer], put(vec![wrong])))
            .await
            .unwrap_err();
        let error = Error::from(status);
        assert_eq!(
            (error.code(), error.fields()[0].field.as_str()),
            (Code::InvalidArgument, &*format!("memories[0].{field}"))
        );
    }
    let mode = wire::SearchMemoriesRequest {
        mode: 9,
        ..search("x")
    };
    let status = client
        .search_memories(issuer.request(tenant, &[Role::Viewer], mode))
        .await
        .unwrap_err();
    assert_eq!(Error::from(status).fields()[0].field, "mode");
    let semantic = wire::SearchMemoriesRequest {
        mode: wire::SearchMode::Semantic.into(),
        ..search("x")
    };
    let status = client
        .search_memories(issuer.request(tenant, &[Role::Viewer], semantic))
        .await
        .unwrap_err();
    assert_eq!(Error::from(status).code(), Code::FailedPrecondition);
    let unknown = wire::GetMemoryRequest {
        id: swarm_types::MemoryId::new().to_string(),
    };
    let status = client
        .get_memory(issuer.request(tenant, &[Role::Viewer], unknown))
        .await
        .unwrap_err();
    assert_eq!(Error::from(status).code(), Code::NotFound);
    assert!(lifecycle.stop().await.is_clean());
}
