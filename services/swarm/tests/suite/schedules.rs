//! A schedule as a user types it: made from a file, shown, paused, resumed, run and deleted.

use std::time::Duration;

use crate::commands::{json, on};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_makes_its_tasks_and_says_what_became_of_its_ticks() {
    let stage = Stage::start().await;
    let file = ["--file", "docs/examples/task.toml"];
    let nightly = [
        "schedules",
        "create",
        "--name",
        "nightly",
        "--cron",
        "0 3 * * *",
    ];
    let zone = [
        "--zone",
        "Europe/Berlin",
        "--overlap",
        "queue",
        "--catch-up",
        "all",
    ];
    let made = on(&stage, &[&nightly[..], &zone, &file].concat()).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    assert!(
        made.out.starts_with("nightly ticks next at "),
        "{}",
        made.out
    );
    let twice = on(&stage, &[&nightly[..], &file].concat()).await;
    assert_eq!(twice.code, Some(1));
    assert!(
        twice
            .err
            .contains("there is a schedule named \"nightly\" already"),
        "{}",
        twice.err
    );

    let often = ["schedules", "create", "--name", "often", "--every", "1s"];
    let made = on(&stage, &[&often[..], &file].concat()).await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let show = ["schedules", "show", "often", "--output", "json"];
    let task = swarm_test_support::eventually("a tick", Duration::from_secs(20), || async {
        let shown = json(&on(&stage, &show).await);
        let fired = shown["last_ticks"].as_array()?.first()?.clone();
        fired["task_id"].as_str().map(str::to_owned)
    })
    .await;
    let tree = on(&stage, &["tasks", "show", &task]).await;
    assert_eq!(tree.code, Some(0), "{}", tree.err);
    let paused = on(&stage, &["schedules", "pause", "often"]).await;
    assert_eq!(paused.out.trim(), "often is paused", "{}", paused.err);
    let shown = on(&stage, &["schedules", "show", "often"]).await;
    for part in ["every 1s", "What happened today", "fired", "paused"] {
        assert!(shown.out.contains(part), "{part}\n{}", shown.out);
    }
    let run = on(&stage, &["schedules", "run", "nightly"]).await;
    assert!(run.out.starts_with("task_"), "{run:?}");
    let listed = on(&stage, &["schedules", "list"]).await;
    assert!(
        listed.out.contains("0 3 * * * Europe/Berlin") && listed.out.contains("often"),
        "{}",
        listed.out
    );
    let deleted = on(&stage, &["schedules", "delete", "often"]).await;
    assert_eq!(deleted.out.trim(), "often is gone");
    let gone = on(&stage, &["schedules", "resume", "often"]).await;
    assert_eq!(gone.code, Some(1));
    assert!(
        gone.err.contains("there is no schedule often"),
        "{}",
        gone.err
    );
    assert!(stage.platform.stop().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_schedule_is_said_in_one_line_with_the_field() {
    let stage = Stage::start().await;
    let file = ["--file", "docs/examples/task.toml"];
    let create = ["schedules", "create", "--name", "a"];
    for (arguments, code, words) in [
        (&["--cron", "61 3 * * *"] as &[&str], 1, "cron: "),
        (
            &["--cron", "0 3 * * *", "--zone", "Berlin"],
            1,
            "zone: must be a time zone",
        ),
        (&["--every", "0s"], 2, "must be at least 1s"),
        (&["--every", "soon"], 2, "must be a time such as 30s"),
        (&[], 2, "--cron <PATTERN>"),
        (
            &["--every", "1h", "--cron", "@hourly"],
            2,
            "cannot be used with",
        ),
    ] {
        let said = on(&stage, &[&create[..], arguments, &file].concat()).await;
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
    }
    let said = on(
        &stage,
        &[&create[..], &["--every", "1h", "--file", "Cargo.toml"]].concat(),
    )
    .await;
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(stage.platform.stop().await.is_clean());
}
