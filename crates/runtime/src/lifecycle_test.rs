#![allow(clippy::unwrap_used)]
use std::time::Instant;

use swarm_errors::Error;
use tokio::sync::{mpsc, oneshot};

use super::*;

const LONG: Duration = Duration::from_secs(600);

/// A life that is driven by a test's own signals.
fn driven(
    lifecycle: &Lifecycle,
) -> (
    mpsc::UnboundedSender<&'static str>,
    tokio::task::JoinHandle<ExitStatus>,
) {
    let (signals, receiver) = mpsc::unbounded_channel();
    let lifecycle = lifecycle.clone();
    (
        signals,
        tokio::spawn(async move { lifecycle.drive(Signals::Channel(receiver)).await }),
    )
}

fn failures(status: &ExitStatus) -> Vec<&'static str> {
    status.failures.iter().map(|failure| failure.task).collect()
}

#[tokio::test]
async fn a_signal_drains_running_work_before_the_hard_stop() {
    let lifecycle = Lifecycle::new(LONG);
    let (finish, finished) = oneshot::channel::<()>();
    let (saw, mut seen) = mpsc::unbounded_channel();
    let (soft, hard) = (lifecycle.soft(), lifecycle.hard());
    let worker = saw.clone();
    lifecycle.spawn("worker", OnExit::Stop, async move {
        soft.cancelled().await;
        worker.send("worker: soft").unwrap();
        finished.await.unwrap();
        assert!(!hard.is_cancelled(), "hard came while work was running");
        worker.send("worker: done").unwrap();
        Ok(())
    });
    let hard = lifecycle.hard();
    lifecycle.spawn_last("admin", OnExit::Stop, async move {
        hard.cancelled().await;
        saw.send("admin: hard").unwrap();
        Ok(())
    });
    let (signals, end) = driven(&lifecycle);
    signals.send("SIGTERM").unwrap();
    assert_eq!(seen.recv().await, Some("worker: soft"));
    finish.send(()).unwrap();
    assert_eq!(end.await.unwrap(), ExitStatus::default());
    assert_eq!(seen.recv().await, Some("worker: done"));
    assert_eq!(seen.recv().await, Some("admin: hard"));
}

#[tokio::test]
async fn the_hard_stop_comes_when_the_grace_time_is_over() {
    let grace = Duration::from_millis(50);
    let lifecycle = Lifecycle::new(grace);
    let hard = lifecycle.hard();
    lifecycle.spawn("stream", OnExit::Stop, async move {
        hard.cancelled().await;
        Ok(())
    });
    let start = Instant::now();
    let status = lifecycle.stop().await;
    assert!(status.is_clean(), "{status:?}");
    assert!(start.elapsed() >= grace);
    assert!(lifecycle.hard().is_cancelled());
}

#[tokio::test]
async fn a_second_signal_brings_the_hard_stop_at_once() {
    let lifecycle = Lifecycle::new(LONG);
    let hard = lifecycle.hard();
    lifecycle.spawn("stream", OnExit::Stop, async move {
        hard.cancelled().await;
        Ok(())
    });
    let (signals, end) = driven(&lifecycle);
    signals.send("SIGINT").unwrap();
    signals.send("SIGINT").unwrap();
    assert!(end.await.unwrap().is_clean());
}

#[tokio::test]
async fn a_task_that_ignores_the_hard_stop_is_named_and_aborted() {
    let lifecycle = Lifecycle::new(Duration::ZERO);
    let (held, dropped) = oneshot::channel::<()>();
    lifecycle.spawn("stubborn", OnExit::Log, async move {
        let _held = held;
        std::future::pending().await
    });
    let status = lifecycle.stop().await;
    assert_eq!(status.aborted, ["stubborn"]);
    assert!(!status.is_clean());
    assert!(dropped.await.is_err(), "its state is dropped");
}

#[tokio::test]
async fn a_panic_stops_the_process_and_is_named() {
    let lifecycle = Lifecycle::new(LONG);
    let soft = lifecycle.soft();
    lifecycle.spawn("healthy", OnExit::Stop, async move {
        soft.cancelled().await;
        Ok(())
    });
    lifecycle.spawn("scheduler", OnExit::Stop, async {
        panic!("index {} is out of range", 7)
    });
    let status = lifecycle.stopped().await;
    assert_eq!(
        status.failures,
        [Failure {
            task: "scheduler",
            reason: "it panicked: index 7 is out of range".into()
        }]
    );
}

#[tokio::test]
async fn a_failure_or_an_early_end_stops_the_process() {
    for (end, reason) in [
        (
            Err(Error::unavailable("the database")),
            "unavailable: the database",
        ),
        (Ok(()), "it ended before the process was to stop"),
    ] {
        let lifecycle = Lifecycle::new(LONG);
        lifecycle.spawn("server", OnExit::Stop, async { end });
        let status = lifecycle.stopped().await;
        assert_eq!(failures(&status), ["server"]);
        assert_eq!(status.failures[0].reason, reason);
    }
}

#[tokio::test]
async fn the_failure_of_a_lesser_task_does_not_stop_the_process() {
    let lifecycle = Lifecycle::new(LONG);
    lifecycle.spawn("sweeper", OnExit::Log, async { panic!("oh") });
    lifecycle.spawn("warmer", OnExit::Log, async {
        Err(Error::unavailable("cache"))
    });
    while !lifecycle.state().running.is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!lifecycle.soft().is_cancelled());
    assert!(lifecycle.stop().await.is_clean());
}

#[tokio::test]
async fn a_kill_drains_nothing() {
    let lifecycle = Lifecycle::new(LONG);
    let (held, dropped) = oneshot::channel::<()>();
    lifecycle.spawn("worker", OnExit::Stop, async move {
        let _held = held;
        std::future::pending().await
    });
    lifecycle.kill();
    assert!(dropped.await.is_err());
    assert!(lifecycle.stopped().await.failures.is_empty());
}
