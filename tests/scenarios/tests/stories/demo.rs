//! `make demo`, as a newcomer runs it: the real program, the real local model, our own guide.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use swarm_test_cluster::path_of;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn demo(data: &Path, arguments: &[&str]) -> Output {
    Command::new(path_of("swarm"))
        .current_dir(root())
        .args(["demo", "--data", data.to_str().unwrap()])
        .args(arguments)
        .env_remove("QWEN_API_KEY")
        .env_remove("OPENAI_API_KEY")
        .env_remove("OPENAI_BASE_URL")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn the_right_passage_leads_the_answer_and_a_second_run_adds_nothing() {
    let data = tempfile::tempdir().unwrap();
    let first = demo(data.path(), &[]);
    let shown = text(&first);
    assert_eq!(first.status.code(), Some(0), "{shown}");
    assert!(
        !shown.contains('\u{1b}'),
        "no colour and no cursor movement when piped"
    );
    let passages = shown.find("The passages that the answer rests on").unwrap();
    let leading = &shown[passages..];
    let right = leading
        .find("grace time of 20 seconds")
        .expect("the right passage is among those kept");
    let words = leading.find("In the words of").unwrap();
    assert!(right < words, "passages lead, the model's words follow");
    let first_quoted = leading.lines().nth(1).unwrap();
    assert!(
        first_quoted.contains("\"Stopping\""),
        "the right passage is the first: {first_quoted}"
    );
    assert!(
        leading.contains("rejected by the swarm"),
        "what was rejected is shown too"
    );
    assert!(
        leading.contains("QWEN_API_KEY"),
        "and how to get a real model"
    );

    let second = demo(data.path(), &[]);
    let shown = text(&second);
    assert_eq!(second.status.code(), Some(0), "{shown}");
    assert!(
        shown.contains("all known from before"),
        "the second run adds no passage: {shown}"
    );
}

#[test]
fn a_document_that_cannot_be_read_is_named_before_anything_starts() {
    let data = tempfile::tempdir().unwrap();
    let output = demo(data.path(), &["--doc", "no/such/file.md"]);
    assert_ne!(output.status.code(), Some(0));
    assert!(
        text(&output).contains("no/such/file.md"),
        "{}",
        text(&output)
    );
    assert!(
        std::fs::read_dir(data.path()).unwrap().next().is_none(),
        "nothing was written"
    );
}
