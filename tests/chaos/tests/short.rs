//! The short form of `make chaos`.

use swarm_test_chaos::{Options, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_that_is_broken_on_purpose_keeps_its_promises() {
    let options = Options {
        tasks: 60,
        seconds: 20,
        // Kills and stops an agent-manager, kills a gateway and auth, restarts both databases.
        seed: 3,
    };
    let outcome = run(options).await;
    assert!(
        outcome.report.is_kept(),
        "{}\n{}",
        outcome.report,
        end_of(&outcome.logs)
    );
}

fn end_of(logs: &str) -> String {
    let lines: Vec<&str> = logs.lines().filter(|line| line.contains("ERROR")).collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
