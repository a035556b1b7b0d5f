//! Lines that are read, and lines that are refused.

use clap::Parser;
use clap::error::ErrorKind;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

fn parse(line: &[&str]) -> Result<Line, clap::Error> {
    Line::try_parse_from(std::iter::once("swarm").chain(line.iter().copied()))
}

#[test]
fn the_definitions_hold_together() {
    <Line as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn a_run_is_read_with_all_it_can_have() {
    let line = parse(&[
        "run",
        "Compare these.",
        "--file",
        "a.md",
        "-f",
        "b.md",
        "--follow",
        "--strategy",
        "swarm",
        "--agent",
        "scout",
        "--agent",
        "agent_01",
        "--rounds",
        "2",
        "--output",
        "json",
        "--server",
        "http://h:1",
    ])
    .unwrap();
    assert_eq!(
        (line.globals.output, line.globals.server.as_deref()),
        (Output::Json, Some("http://h:1"))
    );
    let Command::Run(run) = line.command else {
        panic!("{:?}", line.command)
    };
    assert_eq!(
        (run.prompt.as_str(), run.files.len(), run.follow, run.wait),
        ("Compare these.", 2, true, false)
    );
    assert_eq!(
        (run.strategy, run.agents.len(), run.rounds),
        (Some(Strategy::Swarm), 2, Some(2))
    );
}

#[test]
fn options_stand_before_or_behind_the_command() {
    for line in [
        ["--data", "d", "tasks", "list"],
        ["tasks", "--data", "d", "list"],
        ["tasks", "list", "--data", "d"],
    ] {
        assert_eq!(
            parse(&line).unwrap().globals.data,
            Some("d".into()),
            "{line:?}"
        );
    }
}

#[test]
fn what_is_wrong_is_usage() {
    for (line, kind) in [
        (&["run"] as &[&str], ErrorKind::MissingRequiredArgument),
        (&["run", "x", "--strategy", "mob"], ErrorKind::InvalidValue),
        (&["feedback", "task_1", "6"], ErrorKind::ValueValidation),
        (
            &["tasks", "list", "--limit", "0"],
            ErrorKind::ValueValidation,
        ),
        (
            &["keys", "create", "k", "--expires", "tomorrow"],
            ErrorKind::ValueValidation,
        ),
        (
            &["tasks", "list", "--token", "t", "--api-key", "k"],
            ErrorKind::ArgumentConflict,
        ),
        (&["run", "x", "--retry", "0"], ErrorKind::ValueValidation),
        (&["run", "x", "--at", "soon"], ErrorKind::ValueValidation),
        (&["tasks", "cancel"], ErrorKind::MissingRequiredArgument),
        (&["tasks", "submit"], ErrorKind::MissingRequiredArgument),
        (
            &["dead-letters", "purge"],
            ErrorKind::MissingRequiredArgument,
        ),
        (
            &[
                "dead-letters",
                "purge",
                "task_1",
                "--before",
                "2030-01-31T00:00:00Z",
            ],
            ErrorKind::ArgumentConflict,
        ),
        (&["top", "--every", "0"], ErrorKind::ValueValidation),
        (&["agents", "create"], ErrorKind::MissingRequiredArgument),
        (&["fly"], ErrorKind::InvalidSubcommand),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!((error.kind(), error.exit_code()), (kind, 2), "{line:?}");
    }
}

#[test]
fn secrets_do_not_print() {
    let line = parse(&["system", "--token", "hunter2"]).unwrap();
    assert!(!format!("{line:?}").contains("hunter2"));
}

/// The words of a line, as a shell splits it.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn every_command_of_the_readme_is_one() {
    let readme = include_str!("../../../../README.md");
    let lines: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("swarm "))
        .map(|line| line.split(" #").next().unwrap_or(line))
        .collect();
    assert!(lines.len() > 9, "{lines:?}");
    for line in lines {
        if let Err(error) = Line::try_parse_from(words(line)) {
            panic!("{line}: {error}");
        }
    }
}
