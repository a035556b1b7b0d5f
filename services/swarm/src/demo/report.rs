//! What the demo says: pure.

use std::path::Path;
use std::time::Duration;

use swarm_cli::console::{Line, Style, clean, hang, seconds};
use swarm_cli::{Names, program, views};
use swarm_client::{Agent, Task, TaskTree};

use super::{Stage, Subject, members};
use crate::platform::Platform;

/// What it is about, before anything starts.
pub(super) fn opening(subject: &Subject, columns: usize) -> Vec<Line> {
    let document = &subject.document;
    let lines = document.text.lines().count();
    let mut out = vec![Line::new().with(Style::Strong, "Qwen Swarm: three agents answer a question about a document"), Line::new()];
    out.extend(named("document", &format!("{}, {lines} lines", document.name), columns));
    out.extend(named("question", &subject.question, columns));
    let place = if subject.model.is_local { ", in this process" } else { "" };
    out.extend(named("model", &format!("{}{place}", subject.model.name), columns));
    if !subject.model.has_meaning {
        let words = "by words alone: there is no model for embeddings (make models gets one)";
        out.extend(named("search", words, columns));
    }
    out
}

/// Who takes part.
pub(super) fn start(platform: &Platform, agents: &[Agent], task: &Task, columns: usize) -> Vec<Line> {
    let folder = platform.folder().path().display();
    let ready = format!("six services after {}, data in {folder}", seconds(platform.ready_after()));
    let mut out = named("started", &ready, columns);
    let parts: Vec<String> = agents.iter().map(|agent| format!("{} {}", agent.name, members::part(agent))).collect();
    out.extend(named("agents", &parts.join("; "), columns));
    out.extend(named("task", &task.id, columns));
    out.push(Line::new());
    out
}

/// What came out, what it took, and where to see more.
pub(super) fn ending(
    stage: &Stage<'_>,
    platform: &Platform,
    agents: &[Agent],
    tree: &TaskTree,
    first_token: Option<Duration>,
) -> Vec<Line> {
    let columns = stage.screen.columns();
    let names = Names::of(agents);
    let mut out = vec![Line::new(), Line::new().with(Style::Strong, "What it took")];
    out.extend(views::usage(tree, &names, columns));
    out.extend(hang(Line::new(), Style::Dim, &times(first_token, stage.begun.elapsed()), columns));
    out.push(Line::new());
    match (&tree.task.result, &tree.task.error) {
        (Some(result), _) => out.extend(views::answer(result, columns)),
        (None, Some(error)) => out.extend(hang(Line::new(), Style::Bad, &failed(&error.code, &error.detail), columns)),
        (None, None) => out.push(Line::new().with(Style::Warn, format!("The task is {}.", tree.task.state))),
    }
    if stage.subject.model.is_local && tree.task.result.is_some() {
        out.push(Line::new());
        out.extend(hang(Line::new(), Style::Warn, &small(&stage.subject.model.name), columns));
    }
    out.push(Line::new());
    out.extend(more(platform.folder().path(), tree, columns));
    out
}

fn times(first_token: Option<Duration>, all: Duration) -> String {
    let first = first_token.map(|after| format!("the first word came {} after the program's start, ", seconds(after)));
    format!("{}all was done after {}", first.unwrap_or_default(), seconds(all))
}

fn failed(code: &str, detail: &str) -> String {
    let hint = match code {
        "deadline_exceeded" => " A slow or busy machine needs longer than the demo gives; a shorter --doc or a provider's model takes less.",
        _ => "",
    };
    clean(&format!("The task failed: {detail}.{hint}"))
}

fn small(name: &str) -> String {
    format!(
        "{name} is a small model for trying the machinery: trust the passages, not its prose. For a real one set QWEN_API_KEY, or OPENAI_API_KEY, or OPENAI_BASE_URL of any compatible server, and run the demo again."
    )
}

/// Commands that work once the server of the demo is started again.
fn more(data: &Path, tree: &TaskTree, columns: usize) -> Vec<Line> {
    let (program, data) = (program(), data.display());
    let mut out = vec![Line::new().with(Style::Strong, "To see more")];
    let mut say = |command: String, why: &str| {
        let line = Line::new().plain("  ").plain(command);
        let why = Line::new().with(Style::Dim, why);
        if line.width() + why.width() + 2 <= columns {
            out.push(line.plain("  ").then(why));
        } else {
            out.extend([line, Line::new().plain("    ").then(why)]);
        }
    };
    say(format!("{program} up --data {data}"), "starts the server again, with all of this; then, elsewhere:");
    say(format!("{program} tasks show {} --data {data}", tree.task.id), "every step");
    if let Some(proposal) = tree.proposals.first() {
        say(format!("{program} proposals show {} --data {data}", proposal.id), "who voted what, and why");
    }
    say(format!("{program} memory search \"backup\" --namespace {} --data {data}", namespace(tree)), "what is remembered");
    say("make demo DOC=path ASK=\"...\"".to_owned(), "a text and a question of your own");
    out
}

/// Where the document's passages are kept.
fn namespace(tree: &TaskTree) -> String {
    let kept = tree.steps.iter().filter(|step| step.kind == "passages").find_map(|step| step.result.as_ref());
    let name = kept.and_then(|result| result.get("namespaces")?.get(0)?.as_str());
    clean(name.unwrap_or("shared"))
}

/// After Ctrl-C.
pub(super) fn interrupted() -> Vec<Line> {
    vec![Line::new().with(Style::Dim, "Stopped. What was learned and remembered is kept; the task was ended.")]
}

fn named(name: &str, words: &str, columns: usize) -> Vec<Line> {
    hang(Line::new().plain("  ").with(Style::Dim, name).padded(12), Style::Plain, &clean(words), columns)
}
