//! Starting and stopping, as an operator does it.

use swarm_test_cluster::{Cluster, Service, Shape, http};
use swarm_test_scenarios::{ANSWER, script};

#[tokio::test]
async fn every_admin_port_answers_and_a_stop_is_clean() {
    for shape in [Shape::OneProcess, Shape::SixProcesses] {
        let mut cluster = Cluster::builder(shape)
            .script(&script(ANSWER))
            .start()
            .await;
        for service in Service::ALL {
            for path in ["health", "ready", "metrics", "version"] {
                let answer = http()
                    .get(format!("{}/{path}", cluster.admin(service)))
                    .send()
                    .await
                    .unwrap();
                assert_eq!(answer.status(), 200, "{service:?} /{path}");
            }
        }
        let stopped = match shape {
            Shape::OneProcess => vec![Service::Gateway],
            Shape::SixProcesses => Service::ALL.to_vec(),
        };
        for service in stopped {
            assert_eq!(
                cluster.stop(service).await,
                Some(0),
                "{service:?}\n{}",
                cluster.logs()
            );
        }
    }
}

#[tokio::test]
async fn the_credential_is_private_and_the_logs_hold_no_secret() {
    use std::os::unix::fs::PermissionsExt;
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(ANSWER))
        .start()
        .await;
    let path = cluster.data().join("admin-credential");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let credential: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let login = http()
        .post(format!("{}/api/v1/auth/login", cluster.rest()))
        .json(&credential)
        .send()
        .await
        .unwrap();
    assert_eq!(
        login.status(),
        200,
        "the file is the body of a login, as the README uses it"
    );
    let token = cluster.client().token().await.unwrap();
    let logs = cluster.logs();
    for secret in [
        credential["password"].as_str().unwrap(),
        token.as_str(),
        "a-secret-of-this-test-cluster-alone",
    ] {
        assert!(!logs.contains(secret), "a secret is in the logs");
    }
}
