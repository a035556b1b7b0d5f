//! Bad input names its field and leaves nothing.

use swarm_errors::{Code, Error};
use swarm_identity::Role;
use swarm_proto::learning::v1 as wire;
use swarm_types::TaskId;

use crate::running::{Learning, agents, answer, outcome};

fn names(error: &Error, field: &str) {
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    assert_eq!(error.fields()[0].field, field, "{error}");
}

#[tokio::test]
async fn outcomes() {
    let learning = Learning::start().await;
    let good = outcome(TaskId::new(), &agents(1)[0], true);
    let cases = [
        (
            wire::Observation {
                id: "1".into(),
                ..good.clone()
            },
            "observations[1].id",
        ),
        (
            wire::Observation {
                task_id: "agent_1".into(),
                ..good.clone()
            },
            "observations[1].task_id",
        ),
        (
            wire::Observation {
                agent_id: String::new(),
                ..good.clone()
            },
            "observations[1].agent_id",
        ),
        (
            wire::Observation {
                kind: String::new(),
                ..good.clone()
            },
            "observations[1].kind",
        ),
        (
            wire::Observation {
                kind: "a\0".into(),
                ..good.clone()
            },
            "observations[1].kind",
        ),
        (
            wire::Observation {
                model: "m".repeat(201),
                ..good.clone()
            },
            "observations[1].model",
        ),
        (
            wire::Observation {
                latency_ms: u64::MAX,
                ..good.clone()
            },
            "observations[1].latency_ms",
        ),
        (
            wire::Observation {
                input_tokens: u64::MAX,
                ..good.clone()
            },
            "observations[1].input_tokens",
        ),
    ];
    for (bad, field) in cases {
        names(
            &learning.record(vec![good.clone(), bad]).await.unwrap_err(),
            field,
        );
    }
    names(&learning.record(vec![]).await.unwrap_err(), "observations");
    names(
        &learning.record(vec![good; 1001]).await.unwrap_err(),
        "observations",
    );
    assert!(learning.policies("").await.arms.is_empty());
}

#[tokio::test]
async fn choices() {
    let learning = Learning::start().await;
    let arms = agents(2);
    let good = wire::ChooseRequest {
        choice_id: "c".into(),
        kind: "read".into(),
        arms: arms.clone(),
        count: 1,
    };
    let twice = vec![arms[0].clone(), arms[0].clone()];
    let cases = [
        (
            wire::ChooseRequest {
                choice_id: String::new(),
                ..good.clone()
            },
            "choice_id",
        ),
        (
            wire::ChooseRequest {
                choice_id: "c".repeat(256),
                ..good.clone()
            },
            "choice_id",
        ),
        (
            wire::ChooseRequest {
                kind: String::new(),
                ..good.clone()
            },
            "kind",
        ),
        (
            wire::ChooseRequest {
                arms: vec![],
                ..good.clone()
            },
            "arms",
        ),
        (
            wire::ChooseRequest {
                arms: agents(65),
                ..good.clone()
            },
            "arms",
        ),
        (
            wire::ChooseRequest {
                arms: vec![arms[0].clone(), String::new()],
                ..good.clone()
            },
            "arms[1]",
        ),
        (
            wire::ChooseRequest {
                arms: twice,
                ..good.clone()
            },
            "arms[1]",
        ),
        (
            wire::ChooseRequest {
                count: 0,
                ..good.clone()
            },
            "count",
        ),
        (
            wire::ChooseRequest {
                count: 3,
                ..good.clone()
            },
            "count",
        ),
    ];
    for (bad, field) in cases {
        let result = learning
            .client
            .clone()
            .choose(learning.by_service(bad))
            .await;
        names(&answer(result).unwrap_err(), field);
    }
    // The id was not taken by any of them.
    assert_eq!(
        learning.choose("c", &arms, 2).await.unwrap().chosen.len(),
        2
    );
}

#[tokio::test]
async fn ratings() {
    let learning = Learning::start().await;
    let task = TaskId::new();
    learning
        .record(vec![outcome(task, &agents(1)[0], true)])
        .await
        .unwrap();
    let good = wire::RecordFeedbackRequest {
        task_id: task.to_string(),
        rating: 3,
        comment: String::new(),
    };
    let cases = [
        (
            wire::RecordFeedbackRequest {
                rating: 0,
                ..good.clone()
            },
            "rating",
        ),
        (
            wire::RecordFeedbackRequest {
                rating: 6,
                ..good.clone()
            },
            "rating",
        ),
        (
            wire::RecordFeedbackRequest {
                task_id: "1".into(),
                ..good.clone()
            },
            "task_id",
        ),
        (
            wire::RecordFeedbackRequest {
                comment: "c".repeat(65 * 1024),
                ..good.clone()
            },
            "comment",
        ),
        (
            wire::RecordFeedbackRequest {
                comment: "a\0".into(),
                ..good.clone()
            },
            "comment",
        ),
    ];
    for (bad, field) in cases {
        let result = learning
            .client
            .clone()
            .record_feedback(learning.by_person(Role::Developer, bad))
            .await;
        names(&answer(result).unwrap_err(), field);
    }
    assert_eq!(learning.policies("").await.arms[0].ratings, 0);
}
