//! Choosing from what was recorded.

use std::collections::BTreeMap;

use swarm_types::{Clock as _, TaskId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::running::{Learning, agents, outcome};

#[tokio::test]
async fn who_succeeds_is_chosen_more_often_and_the_propensity_says_how_often() {
    let learning = Learning::start().await;
    let arms = agents(3);
    let mut outcomes = Vec::new();
    for n in 0..12 {
        outcomes.push(outcome(TaskId::new(), &arms[0], n < 11));
        outcomes.push(outcome(TaskId::new(), &arms[1], n < 3));
    }
    assert_eq!(learning.record(outcomes.clone()).await.unwrap(), 24);
    assert_eq!(learning.record(outcomes).await.unwrap(), 0);
    let (mut first, mut said) = (BTreeMap::<String, u32>::new(), BTreeMap::new());
    for n in 0..200 {
        let choice = learning.choose(&format!("c{n}"), &arms, 1).await.unwrap();
        assert_eq!(
            (choice.policy.as_str(), choice.chosen.len()),
            ("thompson", 1)
        );
        *first.entry(choice.chosen[0].arm.clone()).or_default() += 1;
        said.insert(choice.chosen[0].arm.clone(), choice.chosen[0].propensity);
    }
    let of = |arm: &String| f64::from(first.get(arm).copied().unwrap_or(0)) / 200.0;
    assert!(
        of(&arms[0]) > of(&arms[2]) && of(&arms[2]) > of(&arms[1]),
        "{first:?}"
    );
    for (arm, propensity) in &said {
        let error = 4.0 * (propensity * (1.0 - propensity) / 200.0).sqrt();
        assert!(
            (of(arm) - propensity).abs() < error,
            "{arm}: {} of {propensity}",
            of(arm)
        );
    }
}

#[tokio::test]
async fn several_are_different_and_a_repeat_returns_the_same_even_later() {
    let mut learning = Learning::start().await;
    let arms = agents(5);
    let choice = learning.choose("step", &arms, 5).await.unwrap();
    let mut names: Vec<&String> = choice.chosen.iter().map(|one| &one.arm).collect();
    names.sort();
    assert_eq!(names, arms.iter().collect::<Vec<_>>());
    let propensities: Vec<f64> = choice.chosen.iter().map(|one| one.propensity).collect();
    for (propensity, left) in propensities.iter().zip([5.0, 4.0, 3.0, 2.0, 1.0_f64]) {
        assert!(
            (propensity - 1.0 / left).abs() < 1e-6,
            "equals are equally probable: {propensities:?}"
        );
    }
    learning
        .record(vec![outcome(TaskId::new(), &arms[0], true)])
        .await
        .unwrap();
    learning.restart().await;
    assert_eq!(learning.choose("step", &arms, 5).await.unwrap(), choice);
    assert_eq!(
        learning.choose("step", &arms[..1], 1).await.unwrap(),
        choice,
        "others are there by now"
    );
}

#[tokio::test]
async fn the_metric_says_when_something_was_learned_also_after_a_restart() {
    let mut learning = Learning::start().await;
    assert_eq!(last_update(&learning).await, 0.0);
    learning
        .record(vec![outcome(TaskId::new(), &agents(1)[0], true)])
        .await
        .unwrap();
    #[expect(clippy::cast_precision_loss)]
    let now = learning.clock.now().timestamp() as f64;
    assert!((last_update(&learning).await - now).abs() < 1.0);
    learning.restart().await;
    assert!((last_update(&learning).await - now).abs() < 1.0);
}

async fn last_update(learning: &Learning) -> f64 {
    let mut stream = TcpStream::connect(&learning.metrics).await.unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.0\r\nHost: test\r\n\r\n")
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("qwen_swarm_learning_last_update "));
    line.unwrap().parse().unwrap()
}
