//! Views of one task, at two widths, against texts that were read by people.
//!
//! After a change that is meant: `UPDATE_GOLDEN=1 cargo test -p swarm-cli`, then read the difference.

use std::path::Path;

use serde_json::json;
use swarm_client::TaskTree;

use super::{answer, proposal, task_tree, usage};
use crate::Names;
use crate::console::{Line, width};

fn tree() -> TaskTree {
    serde_json::from_str(include_str!("golden/tree.json")).unwrap()
}

fn names() -> Names {
    let mut names = Names::default();
    names.add("agent_01kb000000000000000000scout", "scout");
    names.add("agent_01kb00000000000000000analyst", "analyst");
    names.add("agent_01kb00000000000000000writer", "writer");
    names
}

fn golden(name: &str, view: impl Fn(usize) -> Vec<Line>) {
    for columns in [80, 120] {
        let lines = view(columns);
        for line in &lines {
            assert!(
                width(&line.text()) <= columns,
                "{name}, {columns} columns: {}",
                line.text()
            );
        }
        let found: String = lines.iter().map(|line| line.text() + "\n").collect();
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("src/views/golden/{name}.{columns}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &found).unwrap();
        }
        assert_eq!(
            found,
            std::fs::read_to_string(&path).unwrap(),
            "{name} differs at {columns} columns"
        );
    }
}

#[test]
fn a_task_is_a_tree_with_times_and_tokens() {
    golden("task", |columns| task_tree(&tree(), &names(), columns));
}

#[test]
fn an_answer_leads_with_its_passages() {
    let result = tree().task.result.unwrap();
    golden("answer", |columns| answer(&result, columns));
    let lines = answer(&result, 80);
    let place = |words: &str| {
        lines
            .iter()
            .position(|line| line.text().contains(words))
            .unwrap()
    };
    assert!(place("grace time of 20 seconds") < place("rejected by the swarm"));
    assert!(place("rejected by the swarm") < place("In the words of SmolLM2"));
}

#[test]
fn what_a_task_took_is_told_by_agent() {
    golden("usage", |columns| usage(&tree(), &names(), columns));
}

#[test]
fn a_proposal_says_who_voted_what_and_why() {
    golden("proposal", |columns| {
        proposal(&tree().proposals[0], &names(), columns)
    });
}

#[test]
fn results_of_other_shapes_are_shown_too() {
    let text = |result| {
        answer(&result, 80)
            .iter()
            .map(Line::text)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let single = json!({ "answer": { "text": "Twenty seconds.", "model": "m", "finish": "stop" },
        "recalled": [{ "memory_id": "mem_1", "source": "a.md, line 3", "text": "long ago", "score": 0.5 }] });
    assert_eq!(
        text(single),
        "In the words of m\n    │ Twenty seconds.\n\nRecalled for it\n  a.md, line 3\n    │ long ago"
    );
    assert_eq!(text(json!({ "sum": 4 })), "{\n  \"sum\": 4\n}");
}

#[test]
fn where_nothing_was_accepted_it_says_so() {
    let mut result = tree().task.result.unwrap();
    result["passages"] = json!([result["rejected"][0]]);
    assert!(
        answer(&result, 80)[0]
            .text()
            .starts_with("No passage was accepted")
    );
}
