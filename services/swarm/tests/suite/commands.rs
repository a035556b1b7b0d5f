//! The commands as a user types them: exit codes, what they print, and what they refuse.

use std::net::TcpListener;

use serde_json::Value;

use crate::program::{Said, run};
use crate::stage::{ANSWER, REASON, Stage};

pub(crate) fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

/// Runs a command that takes a blocking wait, while the platform of this process answers.
pub(crate) async fn on(stage: &Stage, arguments: &[&str]) -> Said {
    let data = stage.data();
    let arguments: Vec<String> = arguments
        .iter()
        .copied()
        .chain(["--data", &data])
        .map(str::to_owned)
        .collect();
    tokio::task::spawn_blocking(move || {
        run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_made_and_a_task_is_done() {
    let stage = Stage::start().await;
    let made = on(
        &stage,
        &["agents", "create", "--file", "docs/examples/agent.toml"],
    )
    .await;
    assert_eq!(made.code, Some(0), "{}", made.err);
    let listed = json(&on(&stage, &["agents", "list", "--output", "json"]).await);
    assert_eq!(listed["items"][0]["name"], "researcher");

    let run = [
        "run",
        "How long may running work go on?",
        "--file",
        "docs/operations.md",
        "--follow",
    ];
    let said = on(&stage, &run).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out.contains(&format!("“{ANSWER}”")),
        "the words of the model, once and whole: {}",
        said.out
    );
    assert!(
        said.out.contains("The passages that the answer rests on"),
        "{}",
        said.out
    );
    assert!(
        !said.out.contains('\u{1b}'),
        "no codes of terminals in a pipe"
    );

    let tasks = json(&on(&stage, &["tasks", "list", "--output", "json"]).await);
    let id = tasks["items"][0]["id"].as_str().unwrap().to_owned();
    let shown = on(&stage, &["tasks", "show", &id]).await;
    assert!(
        shown.out.contains("part by researcher") && shown.out.contains("PROPOSAL"),
        "{}",
        shown.out
    );
    let tree = json(&on(&stage, &["tasks", "show", &id, "--output", "json"]).await);
    let proposal = tree["proposals"][0]["id"].as_str().unwrap().to_owned();
    let votes = on(&stage, &["proposals", "show", &proposal]).await;
    assert!(
        votes.out.contains("researcher") && votes.out.contains(REASON),
        "{}",
        votes.out
    );
    let again = on(&stage, &["tasks", "watch", &id]).await;
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert!(again.out.contains("votes"), "{}", again.out);
    assert!(stage.platform.stop().await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_said_in_one_line_with_the_field() {
    let stage = Stage::start().await;
    for (arguments, code, words) in [
        (
            &["run", " "] as &[&str],
            1,
            "input.prompt: must not be empty",
        ),
        (
            &["run", "x", "--file", "/nowhere/at/all"],
            2,
            "--file: /nowhere/at/all cannot be read",
        ),
        (&["run", "x", "--strategy", "swarm", "--wait"], 1, ""),
        (
            &["run", "x", "--agent", "nobody"],
            1,
            "--agent: there is no agent nobody",
        ),
        (
            &["tasks", "show", "task_1"],
            1,
            "task_ followed by 26 characters",
        ),
        (
            &["tasks", "list", "--state", "happy"],
            2,
            "--state: must be queued",
        ),
        (&["tasks", "list", "--token", "none"], 1, "--api-key"),
        (
            &["agents", "create", "--file", "Cargo.toml"],
            2,
            "Cargo.toml",
        ),
    ] {
        let said = on(&stage, arguments).await;
        assert_eq!(said.code, Some(code), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
        assert!(said.err.lines().count() <= 1, "{arguments:?}: {}", said.err);
    }
    assert!(stage.platform.stop().await.is_clean());
}

#[test]
fn nobody_there_is_exit_code_3_and_names_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let said = run(&["tasks", "list", "--server", &server, "--api-key", "k"]);
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert!(
        said.err.contains(&server) && said.err.contains("QWEN_SWARM_SERVER"),
        "{}",
        said.err
    );
    assert!(said.out.is_empty());
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [
        &["fly"] as &[&str],
        &["run"],
        &["up", "--set", "x"],
        &["tasks", "list", "--limit", "0"],
    ] {
        assert_eq!(run(arguments).code, Some(2), "{arguments:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for (set, named) in [
        ("gateway.rset=1", "gateway.rset: "),
        (
            "gatewya.rest=1",
            "gatewya: is no section of the settings: there are agent_manager, ",
        ),
    ] {
        let said = run(&["up", "--data", data, "--free-ports", "--set", set]);
        assert_eq!(said.code, Some(2));
        assert!(said.err.contains(named), "{}", said.err);
    }
}
