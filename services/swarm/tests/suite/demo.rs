//! The demo as a newcomer sees it, with the real local models.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::program::{Said, run, swarm};

/// The lines that quote the first passage.
fn first_passage(out: &str) -> String {
    let (_, answer) = out
        .split_once("that the answer rests on\n")
        .unwrap_or_else(|| panic!("no answer in {out}"));
    let quoted: Vec<&str> = answer
        .lines()
        .skip(1)
        .map_while(|line| line.trim_start().strip_prefix("│ "))
        .collect();
    quoted.join(" ")
}

#[test]
fn the_right_passage_leads_and_a_second_run_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let said = run(&["demo", "--data", data]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let passage = first_passage(&said.out);
    assert!(
        passage.contains("grace time of 20 seconds to finish"),
        "{passage}"
    );
    assert!(said.out.contains("passages, now in memory"), "{}", said.out);
    for part in [
        "scout",
        "analyst",
        "writer",
        "In the words of",
        "QWEN_API_KEY",
        "tasks show task_",
    ] {
        assert!(said.out.contains(part), "no {part} in {}", said.out);
    }
    assert!(
        !said.out.contains('\u{1b}'),
        "no codes of terminals in a pipe"
    );

    let own = run(&[
        "demo",
        "--data",
        data,
        "--ask",
        "What does a backup consist of?",
    ]);
    assert_eq!(own.code, Some(0), "{own:?}");
    assert!(own.out.contains("all known from before"), "{}", own.out);
    assert!(first_passage(&own.out).contains("backup"), "{}", own.out);
    // A double of an agent would be refused, since names are unique: there are three, found again.
    assert_eq!(
        own.out.matches("reads, searching by words").count(),
        1,
        "{}",
        own.out
    );
}

#[test]
fn ctrl_c_ends_it_and_leaves_the_store_intact() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut child = swarm(&["demo", "--data", data])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The pipe stays open, as a terminal does.
    let mut pipe = BufReader::new(child.stdout.take().unwrap());
    let seen = until(&mut pipe, "begins its part");
    interrupt(&child);
    let said = Said::of(&child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(130), "{seen}\n{}", said.err);
    assert!(said.err.is_empty(), "{}", said.err);
    assert!(!Path::new(data).join("address.json").exists());
    let again = run(&["demo", "--data", data]);
    assert_eq!(again.code, Some(0), "{again:?}");
}

#[test]
fn a_task_that_a_crash_cut_off_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut child = swarm(&["demo", "--data", data])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = BufReader::new(child.stdout.take().unwrap());
    let seen = until(&mut pipe, "by meaning\n");
    child.kill().unwrap();
    child.wait().unwrap();
    let again = run(&["demo", "--data", data]);
    assert_eq!(again.code, Some(0), "{again:?}");
    let task = |out: &str| {
        let line = out.lines().find(|line| line.contains(" task_")).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(task(&again.out), task(&seen), "the same task");
    assert!(
        again.out.contains("goes on where it was cut off"),
        "{}",
        again.out
    );
}

/// Reads what a program says until a line has these words.
fn until(lines: &mut impl BufRead, words: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(words) {
        assert!(
            lines.read_line(&mut seen).unwrap() > 0,
            "it ended without {words:?}: {seen}"
        );
    }
    seen
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn what_is_missing_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let empty = folder.path().join("empty.md");
    std::fs::write(&empty, "\n").unwrap();
    let said = run(&["demo", "--data", data, "--doc", empty.to_str().unwrap()]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.contains("--doc: ") && said.err.contains("is empty"),
        "{}",
        said.err
    );
    assert!(!Path::new(data).exists(), "nothing was made");

    let without = swarm(&["demo", "--data", data])
        .env("QWEN_SWARM_MODELS", folder.path())
        .output()
        .unwrap();
    let said = Said::of(&without);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("make models"), "{}", said.err);
    assert!(said.out.is_empty(), "{}", said.out);
}
