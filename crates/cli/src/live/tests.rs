//! The view of a recorded task, at two widths, against texts that were read by people.
//!
//! After a change that is meant: `UPDATE_GOLDEN=1 cargo test -p swarm-cli`, then read the difference.

use std::path::Path;

use swarm_client::Event;

use super::{Live, Names};
use crate::console::{Line, width};

const ROWS: usize = 24;

fn events() -> Vec<Event> {
    include_str!("golden/swarm.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn names() -> Names {
    let mut names = Names::default();
    names.add("agent_01kb000000000000000000scout", "scout");
    names.add("agent_01kb00000000000000000analyst", "analyst");
    names.add("agent_01kb00000000000000000writer", "writer");
    names
}

/// The log as a pipe gets it, and below it some of the blocks that a terminal shows meanwhile.
fn shown(columns: usize) -> (Vec<Line>, Vec<Vec<Line>>) {
    let events = events();
    let mut live = Live::new(&events[0].task_id, names());
    let (mut log, mut blocks) = (Vec::new(), Vec::new());
    for event in &events {
        log.extend(live.take(event, columns));
        blocks.push(live.block(columns, ROWS));
    }
    (log, blocks)
}

fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/live/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap();
    assert_eq!(found, wanted, "{name} differs");
}

fn text(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text() + "\n").collect()
}

#[test]
fn the_log_reads_well_at_80_and_120_columns() {
    for columns in [80, 120] {
        golden(&format!("log.{columns}.txt"), &text(&shown(columns).0));
    }
}

#[test]
fn the_block_shows_what_is_going_on() {
    for columns in [80, 120] {
        let (_, blocks) = shown(columns);
        let picked: Vec<String> = events()
            .iter()
            .zip(&blocks)
            .enumerate()
            .filter(|(index, (event, _))| index % 9 == 0 || event.kind == "ballot.vote")
            .map(|(_, (_, block))| text(block))
            .collect();
        golden(&format!("block.{columns}.txt"), &picked.concat());
        assert!(
            blocks.last().unwrap().is_empty(),
            "the block goes when the task has ended"
        );
    }
}

#[test]
fn nothing_is_wider_than_the_terminal() {
    for columns in [40, 80, 120] {
        let (log, blocks) = shown(columns);
        for line in log.iter().chain(blocks.iter().flatten()) {
            assert!(width(&line.text()) < columns, "{columns}: {}", line.text());
        }
    }
}

#[test]
fn no_word_is_broken() {
    let all = |columns| {
        let text = text(&shown(columns).0);
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let wide = all(200);
    for word in all(80) {
        // What is left out ends in an ellipsis, behind a whole word.
        let word = word.trim_end_matches('…');
        assert!(
            wide.iter()
                .any(|whole| whole == word || whole.trim_end_matches('”') == word),
            "{word}"
        );
    }
}

#[test]
fn the_block_leaves_rows_to_the_log() {
    let events = events();
    let mut live = Live::new(&events[0].task_id, names());
    for event in &events[..150] {
        live.take(event, 80);
    }
    assert!(live.block(80, 24).len() > 3);
    let low = live.block(80, 6);
    assert_eq!(low.len(), 2);
    assert!(low[1].text().contains("more"), "{low:?}");
}

#[test]
fn an_event_of_a_newer_server_is_passed_over() {
    let mut live = Live::new("task_1", Names::default());
    for line in [
        r#"{"task_id": "task_1", "type": "weather.changed", "data": {"sky": "blue"}}"#,
        r#"{"task_id": "task_1", "type": "step.finished", "data": 7}"#,
        r#"{"task_id": "task_1", "type": "ballot.vote", "data": {"votes": "none"}}"#,
    ] {
        let event: Event = serde_json::from_str(line).unwrap();
        live.take(&event, 80);
    }
    assert!(!live.has_ended());
}

#[test]
fn a_model_cannot_command_the_terminal() {
    let mut live = Live::new("task_1", Names::default());
    let event = |kind: &str, data: serde_json::Value| -> Event {
        serde_json::from_value(serde_json::json!({"task_id": "task_1", "type": kind, "data": data}))
            .unwrap()
    };
    let started = event(
        "step.started",
        serde_json::json!({"step": "s", "kind": "model", "key": "model", "name": "\u{1b}[2J"}),
    );
    let token = event(
        "token",
        serde_json::json!({"step": "s", "text": "\u{1b}]0;title\u{7}hi\r\n\u{9b}31m"}),
    );
    let finished = event("step.finished", serde_json::json!({"step": "s"}));
    live.take(&started, 80);
    let before = live.block(80, ROWS);
    live.take(&token, 80);
    for line in live.take(&finished, 80).iter().chain(&before) {
        assert!(!line.text().chars().any(char::is_control), "{line:?}");
    }
}
