//! How long a choice takes.
#![expect(clippy::print_stderr, reason = "it prints what it measured")]

use std::time::{Duration, Instant};

use swarm_types::TaskId;

use crate::running::{Learning, agents, outcome};

/// The caller's deadline: a scheduler that waits longer uses its default.
const DEADLINE: Duration = Duration::from_millis(50);

/// `cargo test -p swarm-learning --test rpcs latency -- --ignored --nocapture`
#[tokio::test]
#[ignore = "measures, so it wants the machine for itself"]
async fn choices_come_well_within_their_deadline() {
    let learning = Learning::start().await;
    for (arm_count, count) in [(3, 3), (10, 3), (64, 16)] {
        let arms = agents(arm_count);
        // Different counts, so that no two arms share their part of the grid.
        for (n, arm) in arms.iter().enumerate() {
            let outcomes = (0..=n).map(|k| outcome(TaskId::new(), arm, k % 4 != 0));
            learning.record(outcomes.collect()).await.unwrap();
        }
        let mut times = Vec::new();
        for n in 0..500 {
            let start = Instant::now();
            learning
                .choose(&format!("{arm_count}-{n}"), &arms, count)
                .await
                .unwrap();
            times.push(start.elapsed());
        }
        times.sort();
        let (median, p99) = (times[250], times[495]);
        assert!(
            p99 < DEADLINE,
            "{count} of {arm_count} arms: p50 {median:?}, p99 {p99:?}"
        );
        eprintln!("{count} of {arm_count} arms: p50 {median:?}, p99 {p99:?}");
    }
}
