//! What the demo says.

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
    let mut out = vec![
        Line::new().with(
            Style::Strong,
            "Qwen Swarm: three agents answer a question about a document",
        ),
        Line::new(),
    ];
    out.extend(named(
        "document",
        &format!("{}, {lines} lines", document.name),
        columns,
    ));
    out.extend(named("question", &subject.question, columns));
    let place = if subject.model.is_local {
        ", in this process"
    } else {
        ""
    };
    out.extend(named(
        "model",
        &format!("{}{place}", subject.model.name),
        columns,
    ));
    if !subject.model.has_meaning {
        let words = "by words alone: there is no model for embeddings (make models gets one)";
        out.extend(named("search", words, columns));
    }
    out
}

/// Who takes part.
pub(super) fn start(
    platform: &Platform,
    agents: &[Agent],
    task: &Task,
    columns: usize,
) -> Vec<Line> {
    let folder = platform.folder().path().display();
    let ready = format!(
        "six services after {}, data in {folder}",
        seconds(platform.ready_after())
    );
    let mut out = named("started", &ready, columns);
    let parts: Vec<String> = agents
        .iter()
        .map(|agent| format!("{} {}", agent.name, members::part(agent)))
        .collect();
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
    let mut out = vec![
        Line::new(),
        Line::new().with(Style::Strong, "What it took, in steps, tokens and time"),
    ];
    out.extend(views::usage(tree, &names, columns));
    out.extend(hang(
        Line::new(),
        Style::Dim,
        &times(first_token, stage.begun.elapsed()),
        columns,
    ));
    out.push(Line::new());
    match (&tree.task.result, &tree.task.error) {
        (Some(result), _) => out.extend(views::answer(result, columns)),
        (None, Some(error)) => out.extend(hang(
            Line::new(),
            Style::Bad,
            &failed(&error.code, &error.detail),
            columns,
        )),
        (None, None) => {
            out.push(Line::new().with(Style::Warn, format!("The task is {}.", tree.task.state)));
        }
    }
    if stage.subject.model.is_local && tree.task.result.is_some() {
        out.push(Line::new());
        out.extend(hang(
            Line::new(),
            Style::Warn,
            &small(&stage.subject.model.name),
            columns,
        ));
    }
    out.push(Line::new());
    out.extend(more(platform.folder().path(), tree));
    out
}

fn times(first_token: Option<Duration>, all: Duration) -> String {
    let first = first_token.map(|after| {
        format!(
            "the first word came {} after the program's start, ",
            seconds(after)
        )
    });
    format!(
        "{}all was done after {}",
        first.unwrap_or_default(),
        seconds(all)
    )
}

fn failed(code: &str, detail: &str) -> String {
    let hint = match code {
        "deadline_exceeded" => {
            " A slow or busy machine needs longer than the demo gives; a shorter --doc or a provider's model takes less."
        }
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
fn more(data: &Path, tree: &TaskTree) -> Vec<Line> {
    let (program, data) = (program(), data.display());
    let mut out = Vec::new();
    let mut say = |title: &str, commands: Vec<String>| {
        out.push(Line::new().with(Style::Strong, title));
        out.extend(
            commands
                .into_iter()
                .map(|command| Line::new().plain("  ").plain(command)),
        );
    };
    say(
        "To see more, start the server again, with all of this",
        vec![format!("{program} up --data {data}")],
    );
    let mut then = vec![
        format!("export QWEN_SWARM_DATA={data}"),
        format!("{program} tasks show {}", tree.task.id),
    ];
    then.extend(
        tree.proposals
            .first()
            .map(|proposal| format!("{program} proposals show {}", proposal.id)),
    );
    then.push(format!(
        "{program} memory search \"stop\" -n {}",
        namespace(tree)
    ));
    say("and in another terminal", then);
    let own = format!("{program} demo --doc path/to/text.md --ask \"What does it say?\"");
    say("Or ask about a text of your own", vec![own]);
    out
}

/// Where the document's passages are kept.
fn namespace(tree: &TaskTree) -> String {
    let kept = tree
        .steps
        .iter()
        .filter(|step| step.kind == "passages")
        .find_map(|step| step.result.as_ref());
    let name = kept.and_then(|result| result.get("namespaces")?.get(0)?.as_str());
    clean(name.unwrap_or("shared"))
}

/// After Ctrl-C.
pub(super) fn interrupted() -> Vec<Line> {
    vec![Line::new().with(
        Style::Dim,
        "Stopped. What is stored is kept; an open task was cancelled.",
    )]
}

fn named(name: &str, words: &str, columns: usize) -> Vec<Line> {
    hang(
        Line::new().plain("  ").with(Style::Dim, name).padded(12),
        Style::Plain,
        &clean(words),
        columns,
    )
}
