//! Ratings of people, and what is shown of all that was learned.

use swarm_identity::Role;
use swarm_proto::convert::to_wire_time;
use swarm_proto::learning::v1 as wire;
use swarm_types::{Clock as _, TaskId};
use tonic::Request;

use crate::running::{Learning, agents, answer, outcome};

async fn rate(learning: &Learning, mut request: Request<wire::RecordFeedbackRequest>, rating: u32) {
    request.get_mut().rating = rating;
    answer(learning.client.clone().record_feedback(request).await).unwrap();
}

#[tokio::test]
async fn a_later_rating_of_the_same_person_replaces_the_first() {
    let learning = Learning::start().await;
    let (task, arms) = (TaskId::new(), agents(1));
    learning
        .record(vec![
            outcome(task, &arms[0], true),
            outcome(task, &arms[0], false),
        ])
        .await
        .unwrap();
    let message = wire::RecordFeedbackRequest {
        task_id: task.to_string(),
        rating: 0,
        comment: "thanks".into(),
    };
    let ann = learning.by_person(Role::Developer, message.clone());
    let same = |request: &Request<wire::RecordFeedbackRequest>| {
        Request::from_parts(
            request.metadata().clone(),
            Default::default(),
            request.get_ref().clone(),
        )
    };
    rate(&learning, same(&ann), 1).await;
    rate(&learning, same(&ann), 5).await;
    rate(&learning, learning.by_person(Role::Developer, message), 3).await;
    let shown = learning.policies("read").await;
    let row = &shown.arms[0];
    assert_eq!(
        (&row.arm, row.successes, row.failures, row.ratings),
        (&arms[0], 1, 1, 2)
    );
    assert!(
        (row.mean_rating - 0.75).abs() < 1e-9 && (row.mean_latency_ms - 50.0).abs() < 1e-9,
        "{row:?}"
    );
    assert_eq!(shown.last_update, Some(to_wire_time(learning.clock.now())));
}

#[tokio::test]
async fn lists_are_by_kind_and_empty_where_nothing_is_known() {
    let learning = Learning::start().await;
    let other_kind = wire::Observation {
        kind: "write".into(),
        ..outcome(TaskId::new(), &agents(1)[0], true)
    };
    learning
        .record(vec![
            outcome(TaskId::new(), &agents(1)[0], true),
            other_kind,
        ])
        .await
        .unwrap();
    assert_eq!(learning.policies("").await.arms.len(), 2);
    assert_eq!(learning.policies("write").await.arms[0].kind, "write");
    assert!(learning.policies("sing").await.arms.is_empty());
}
