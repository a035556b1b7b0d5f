//! Who may do what, and whose data it is.

use swarm_errors::Code;
use swarm_identity::Role;
use swarm_proto::learning::v1 as wire;
use swarm_types::{TaskId, TenantId};
use tonic::Request;

use crate::running::{Learning, agents, answer, outcome};

/// Each rpc with what `bear` makes of its message.
async fn codes(learning: &Learning, bear: &dyn Bear) -> [(&'static str, Option<Code>); 4] {
    let mut client = learning.client.clone();
    let arms = agents(1);
    let record = wire::RecordObservationsRequest {
        observations: vec![outcome(TaskId::new(), &arms[0], true)],
    };
    let choose = wire::ChooseRequest {
        choice_id: "c".into(),
        kind: "read".into(),
        arms,
        count: 1,
    };
    let rate = wire::RecordFeedbackRequest {
        task_id: TaskId::new().to_string(),
        rating: 5,
        comment: String::new(),
    };
    let list = wire::ListPoliciesRequest {
        kind: String::new(),
    };
    let code = |result: swarm_errors::Result<()>| result.err().map(|error| error.code());
    [
        (
            "RecordObservations",
            code(answer(client.record_observations(with(bear, record)).await).map(drop)),
        ),
        (
            "Choose",
            code(answer(client.choose(with(bear, choose)).await).map(drop)),
        ),
        (
            "RecordFeedback",
            code(answer(client.record_feedback(with(bear, rate)).await).map(drop)),
        ),
        (
            "ListPolicies",
            code(answer(client.list_policies(with(bear, list)).await).map(drop)),
        ),
    ]
}

/// Puts identity on a call.
trait Bear {
    fn bear(&self) -> Request<()>;
}

impl<F: Fn() -> Request<()>> Bear for F {
    fn bear(&self) -> Request<()> {
        self()
    }
}

fn with<T>(bear: &dyn Bear, message: T) -> Request<T> {
    bear.bear().map(|()| message)
}

#[tokio::test]
async fn each_rpc_is_allowed_to_those_whom_it_is_for() {
    let learning = Learning::start().await;
    let everything = [
        "RecordObservations",
        "Choose",
        "RecordFeedback",
        "ListPolicies",
    ];
    let cases: [(&str, Box<dyn Bear>, &[&str]); 4] = [
        (
            "viewer",
            Box::new(|| learning.by_person(Role::Viewer, ())),
            &everything[3..],
        ),
        (
            "developer",
            Box::new(|| learning.by_person(Role::Developer, ())),
            &everything[1..],
        ),
        (
            "service for a tenant",
            Box::new(|| learning.by_service(())),
            &everything,
        ),
        (
            "service for nobody",
            Box::new(|| learning.issuer.service_request("memory", None, ())),
            &[],
        ),
    ];
    for (who, bear, allowed) in cases {
        for (rpc, code) in codes(&learning, bear.as_ref()).await {
            let expected = if allowed.contains(&rpc) {
                None
            } else {
                Some(Code::PermissionDenied)
            };
            assert_eq!(code, expected, "{who} asks {rpc}");
        }
    }
    for (rpc, code) in codes(&learning, &|| Request::new(())).await {
        assert_eq!(code, Some(Code::Unauthenticated), "nobody asks {rpc}");
    }
}

#[tokio::test]
async fn tenants_learn_apart() {
    let mut learning = Learning::start().await;
    let (arms, task) = (agents(2), TaskId::new());
    let first = outcome(task, &arms[0], true);
    learning.record(vec![first.clone()]).await.unwrap();
    let choice = learning.choose("c", &arms, 2).await.unwrap();
    learning.tenant = TenantId::new();
    assert!(learning.policies("").await.arms.is_empty());
    assert!(learning.policies("").await.last_update.is_none());
    let theirs = learning.choose("c", &arms[..1], 1).await.unwrap();
    assert_ne!(theirs, choice, "the same id is another tenant's own");
    assert_eq!(learning.record(vec![first]).await.unwrap(), 1);
}
