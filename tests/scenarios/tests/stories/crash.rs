//! A crash in the middle of a swarm's task: nothing finished runs again, nothing is lost.

use std::time::Duration;

use swarm_client::TaskState;
use swarm_test_cluster::{Cluster, Gate, Service, Shape};
use swarm_test_scenarios::{ANSWER, Journal, Swarm, events_of, script, slow_script};
use swarm_test_support::eventually;
use swarm_types::PageRequest;

const LIMIT: Duration = Duration::from_secs(60);

/// Waits until the task's own events have one of this kind.
pub(crate) async fn seen(swarm: &Swarm, task: &str, kind: &str) {
    let what = format!("an event {kind}");
    eventually(&what, LIMIT, || async {
        let events = events_of(&swarm.client, task).await;
        events.iter().any(|event| event.kind == kind).then_some(())
    })
    .await;
}

pub(crate) async fn assert_done_once(swarm: &Swarm, cluster: &Cluster, id: &str) {
    let task = swarm.end_of(id).await;
    assert_eq!(
        task.state,
        TaskState::Completed,
        "{:?}\n{}",
        task.error,
        cluster.logs()
    );
    let journal = Journal::read(&swarm.client, id).await;
    journal.assert_nothing_twice();
    assert_eq!(journal.count("message.sent"), 2, "each reader reports once");
    assert_eq!(
        journal.count("message.consumed"),
        2,
        "each report is consumed once"
    );
    let proposals = swarm
        .client
        .list_proposals(None, Some(id), &PageRequest::default())
        .await
        .unwrap()
        .items;
    assert_eq!(
        proposals.len(),
        2,
        "one ballot on the findings, one on the answer"
    );
    for proposal in proposals {
        assert_eq!(
            (
                proposal.state.as_str(),
                proposal.ballots.len(),
                proposal.tally.ballots
            ),
            ("decided", 3, 3)
        );
    }
}

#[tokio::test]
async fn killed_in_one_process_the_task_goes_on_after_the_restart() {
    let pause = Duration::from_millis(150);
    let mut cluster = Cluster::builder(Shape::OneProcess)
        .script(&slow_script(ANSWER, pause))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.ask().await;
    for kind in ["step.finished", "message.consumed", "ballot.vote"] {
        seen(&swarm, &task.id, kind).await;
        cluster.kill(Service::AgentManager).await;
        cluster.start(Service::AgentManager).await;
    }
    assert_done_once(&swarm, &cluster, &task.id).await;
}

#[tokio::test]
async fn killed_between_a_votes_rpc_and_its_journal_entry_the_vote_counts_once() {
    let builder = Cluster::builder(Shape::SixProcesses)
        .script(&slow_script(ANSWER, Duration::from_millis(300)));
    let gate = Gate::to(builder.address(Service::Consensus)).await;
    let address = format!("http://{}", gate.address());
    let mut cluster = builder
        .set_for(Service::AgentManager, "peers.consensus", &address)
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.ask().await;
    seen(&swarm, &task.id, "ballot.opened").await;
    gate.hold_answers();
    eventually("a ballot in consensus", LIMIT, || async {
        let proposals = swarm
            .client
            .list_proposals(None, Some(&task.id), &PageRequest::default())
            .await
            .unwrap()
            .items;
        proposals
            .iter()
            .any(|proposal| !proposal.ballots.is_empty())
            .then_some(())
    })
    .await;
    assert!(
        events_of(&swarm.client, &task.id)
            .await
            .iter()
            .all(|event| event.kind != "ballot.vote"),
        "the journal must not have it yet"
    );
    cluster.kill(Service::AgentManager).await;
    gate.open();
    cluster.start(Service::AgentManager).await;
    assert_done_once(&swarm, &cluster, &task.id).await;
}

#[tokio::test]
async fn while_consensus_is_down_the_task_waits_for_it() {
    let mut cluster = Cluster::builder(Shape::SixProcesses)
        .script(&slow_script(ANSWER, Duration::from_millis(300)))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.ask().await;
    seen(&swarm, &task.id, "ballot.opened").await;
    cluster.kill(Service::Consensus).await;
    eventually("the task to wait for consensus", LIMIT, || async {
        let task = swarm.client.get_task(&task.id).await.unwrap();
        if task.waiting_reason.as_deref() == Some("consensus") {
            Ok(())
        } else {
            Err(format!("{} {:?}", task.state, task.waiting_reason))
        }
    })
    .await;
    // Ten seconds of real time: longer than every retry and deadline of a single call.
    tokio::time::sleep(Duration::from_secs(10)).await;
    cluster.start(Service::Consensus).await;
    assert_done_once(&swarm, &cluster, &task.id).await;
}

#[tokio::test]
async fn any_service_killed_at_any_step_loses_nothing() {
    let mut cluster = Cluster::builder(Shape::SixProcesses)
        .script(&slow_script(ANSWER, Duration::from_millis(100)))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    for service in [
        Service::Memory,
        Service::Learning,
        Service::AgentManager,
        Service::Consensus,
        Service::Auth,
        Service::Gateway,
    ] {
        let task = swarm.ask().await;
        seen(&swarm, &task.id, "step.finished").await;
        cluster.kill(service).await;
        cluster.start(service).await;
        assert_done_once(&swarm, &cluster, &task.id).await;
    }
}

#[tokio::test]
async fn a_stop_hands_over_cleanly() {
    let mut cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(ANSWER))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.ask().await;
    assert_eq!(
        cluster.stop(Service::Gateway).await,
        Some(0),
        "{}",
        cluster.logs()
    );
    cluster.start(Service::Gateway).await;
    assert_done_once(&swarm, &cluster, &task.id).await;
}
