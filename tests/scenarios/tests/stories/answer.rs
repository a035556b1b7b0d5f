//! A swarm answers a question about a document, in either shape of the platform.

use swarm_client::TaskState;
use swarm_test_cluster::{Cluster, Shape};
use swarm_test_scenarios::{ANSWER, Journal, Swarm, WRONG_ANSWER, script};
use swarm_types::PageRequest;

async fn a_swarm_answers(shape: Shape) {
    let cluster = Cluster::builder(shape)
        .script(&script(ANSWER))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.end_of(&swarm.ask().await.id).await;
    assert_eq!(
        task.state,
        TaskState::Completed,
        "{:?}\n{}",
        task.error,
        cluster.logs()
    );
    let result = task.result.unwrap();
    assert_eq!(result["answer"]["text"], ANSWER);
    assert_eq!(result["answer"]["accepted"], true);
    let kept = result["passages"].as_array().unwrap();
    assert_eq!(kept.len(), 1, "{result:#}");
    assert!(kept[0]["text"].as_str().unwrap().contains("seven hours"));
    assert_eq!(kept[0]["place"], "lighthouse.md, line 5, \"Lamp\"");
    assert_eq!(kept[0]["votes"].as_array().unwrap().len(), 3);

    let journal = Journal::read(&swarm.client, &task.id).await;
    journal.assert_nothing_twice();
    assert_eq!(journal.count("message.sent"), 2, "each reader reports once");
    assert_eq!(
        journal.count("ballot.vote"),
        6,
        "three members vote on the findings and on the answer"
    );
    let proposals = swarm
        .client
        .list_proposals(None, Some(&task.id), &PageRequest::default())
        .await
        .unwrap();
    assert!(
        proposals
            .items
            .iter()
            .all(|proposal| proposal.state == "decided" && proposal.ballots.len() == 3)
    );
    assert_eq!(proposals.items.len(), 2);
}

#[tokio::test]
async fn a_swarm_answers_in_one_process() {
    a_swarm_answers(Shape::OneProcess).await;
}

#[tokio::test]
async fn a_swarm_answers_in_six_processes() {
    a_swarm_answers(Shape::SixProcesses).await;
}

#[tokio::test]
async fn a_rejected_answer_is_revised_once_and_kept_as_a_draft() {
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(WRONG_ANSWER))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.end_of(&swarm.ask().await.id).await;
    let result = task
        .result
        .unwrap_or_else(|| panic!("{:?}\n{}", task.error, cluster.logs()));
    assert_eq!(
        (&result["answer"]["text"], &result["answer"]["accepted"]),
        (&ANSWER.into(), &true.into())
    );
    let drafts = result["drafts"].as_array().unwrap();
    assert_eq!(drafts.len(), 1);
    assert_eq!(
        (&drafts[0]["text"], &drafts[0]["accepted"]),
        (&WRONG_ANSWER.into(), &false.into())
    );
    assert_eq!(drafts[0]["votes"].as_array().unwrap().len(), 3);
}
