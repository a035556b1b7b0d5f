//! One request is one trace: from the HTTP request to the model call, over all services.

use std::time::Duration;

use swarm_test_cluster::{Cluster, Shape, http};
use swarm_test_scenarios::{ANSWER, Collector, Span, Swarm, script};
use swarm_test_support::eventually;

async fn the_trace_is_one_tree(shape: Shape) {
    let (collector, address) = Collector::listen().await;
    let endpoint = format!("http://{address}");
    let cluster = Cluster::builder(shape)
        .script(&script(ANSWER))
        .set("telemetry.otlp_endpoint", &endpoint)
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let answer = http()
        .post(format!("{}/api/v1/tasks", cluster.rest()))
        .bearer_auth(swarm.client.token().await.unwrap())
        .json(&serde_json::to_value(swarm.question()).unwrap())
        .send()
        .await
        .unwrap();
    let traceparent = answer.headers()["traceparent"].to_str().unwrap().to_owned();
    let trace = traceparent.split('-').nth(1).unwrap().to_owned();
    let task: serde_json::Value = answer.json().await.unwrap();
    swarm.end_of(task["id"].as_str().unwrap()).await;

    let spans = eventually("the whole trace", Duration::from_secs(60), || async {
        let spans = collector.trace(&trace);
        missing(&spans).map_or(Ok(spans), Err)
    })
    .await;
    let roots: Vec<&Span> = spans.iter().filter(|span| span.parent.is_empty()).collect();
    assert_eq!(roots.len(), 1, "{roots:#?}");
    assert!(roots[0].name.starts_with("HTTP POST"), "{}", roots[0].name);
}

/// What a trace still lacks; `None` when it is whole.
fn missing(spans: &[Span]) -> Option<String> {
    for name in [
        "TaskService/SubmitTask",
        "MemoryService/PutMemories",
        "MemoryService/SearchMemories",
        "ProposalService/CastVote",
        "LearningService/Choose",
    ] {
        if !spans.iter().any(|span| span.name.ends_with(name)) {
            return Some(format!("no span {name}"));
        }
    }
    for attribute in [
        "gen_ai.request.model",
        "gen_ai.usage.output_tokens",
        "db.system",
    ] {
        if !spans
            .iter()
            .any(|span| span.attributes.contains_key(attribute))
        {
            return Some(format!("no span with {attribute}"));
        }
    }
    let tasks = spans
        .iter()
        .filter(|span| span.name.starts_with("task "))
        .count();
    if tasks < 4 {
        return Some(format!("only {tasks} spans of tasks and sub-tasks"));
    }
    let orphan = spans
        .iter()
        .find(|span| !span.parent.is_empty() && !spans.iter().any(|other| other.id == span.parent));
    orphan.map(|span| format!("the parent of {} is not there", span.name))
}

#[tokio::test]
async fn in_one_process() {
    the_trace_is_one_tree(Shape::OneProcess).await;
}

#[tokio::test]
async fn over_six_processes() {
    the_trace_is_one_tree(Shape::SixProcesses).await;
}
