//! A task as a tree of its sub-tasks and steps, with times and tokens: pure.

use swarm_client::{Step, Task, TaskState, TaskTree, Usage};

use super::proposals::proposal_lines;
use super::usage::used;
use crate::Names;
use crate::console::{Column, Line, Style, Table, clean, clip, count, hang, moment, span};

/// Characters of the prompt that stand above the tree.
const PROMPT: usize = 400;

/// The task with all below it.
#[must_use]
pub fn task_tree(tree: &TaskTree, names: &Names, columns: usize) -> Vec<Line> {
    let mut lines = head(&tree.task, columns);
    lines.push(Line::new());
    let mut table = Table::new([
        Column::clipped("SUB-TASKS AND STEPS"),
        Column::number("TIME"),
        Column::number("IN"),
        Column::number("CACHED"),
        Column::number("OUT"),
    ]);
    branches(&mut table, tree, names, "");
    lines.extend(table.lines(columns));
    lines.extend(messages(tree, names, columns));
    lines.extend(ballots(tree, columns));
    if !tree.missing.is_empty() {
        let words = format!("not to be had now: {}", tree.missing.join(", "));
        lines.push(Line::new());
        lines.extend(hang(Line::new(), Style::Warn, &clean(&words), columns));
    }
    lines
}

fn head(task: &Task, columns: usize) -> Vec<Line> {
    let (style, _) = mark_of(task.state);
    let took = span(task.started_at, task.finished_at);
    let mut title = Line::new()
        .with(Style::Strong, clean(&task.id))
        .plain("  ")
        .with(style, state(task));
    if !took.is_empty() {
        title = title.plain(format!(" in {took}"));
    }
    let mut lines = vec![title];
    let strategy = task
        .strategy
        .as_ref()
        .map_or("", |strategy| strategy.name.as_str());
    let about = [task.kind.as_str(), strategy, task.priority.as_str()]
        .map(clean)
        .join(", ");
    lines.push(Line::new().with(
        Style::Dim,
        format!("{about}, submitted {} UTC", moment(Some(task.created_at))),
    ));
    if let Some(prompt) = task.input.get("prompt").and_then(serde_json::Value::as_str) {
        lines.extend(hang(
            Line::new(),
            Style::Plain,
            &clip(&clean(prompt), PROMPT),
            columns,
        ));
    }
    if let Some(error) = &task.error {
        lines.extend(hang(
            Line::new(),
            Style::Bad,
            &clean(&format!("{}: {}", error.code, error.detail)),
            columns,
        ));
    }
    lines
}

fn state(task: &Task) -> String {
    match task
        .waiting_reason
        .as_deref()
        .filter(|reason| !reason.is_empty())
    {
        Some(reason) if task.state == TaskState::Waiting => {
            format!("waiting for {}", reason.replace('_', "-"))
        }
        _ => task.state.as_str().replace('_', "-"),
    }
}

/// A sub-task stands below the step that made it.
enum Branch<'a> {
    Step(&'a Step),
    Task(&'a TaskTree),
}

fn branches(table: &mut Table, tree: &TaskTree, names: &Names, prefix: &str) {
    let all = in_order(tree);
    for (index, branch) in all.iter().enumerate() {
        let is_last = index + 1 == all.len();
        let (twig, below) = if is_last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let here = format!("{prefix}{twig}");
        match branch {
            Branch::Step(step) => step_row(table, step, &here),
            Branch::Task(child) => {
                let below = format!("{prefix}{below}");
                task_rows(table, child, names, &here, &below);
                branches(table, child, names, &below);
            }
        }
    }
}

fn in_order(tree: &TaskTree) -> Vec<Branch<'_>> {
    let mut children: Vec<&TaskTree> = tree.children.iter().collect();
    let mut all = Vec::new();
    for step in &tree.steps {
        all.push(Branch::Step(step));
        let made = step
            .input
            .as_ref()
            .and_then(|input| input.get("tasks"))
            .and_then(serde_json::Value::as_array);
        for id in made
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_str)
        {
            if let Some(place) = children.iter().position(|child| child.task.id == id) {
                all.push(Branch::Task(children.remove(place)));
            }
        }
    }
    all.extend(children.into_iter().map(Branch::Task));
    all
}

fn step_row(table: &mut Table, step: &Step, prefix: &str) {
    let (style, mark) = match step.state.as_str() {
        "finished" => (Style::Plain, "✓"),
        "failed" => (Style::Bad, "✗"),
        "outcome_unknown" => (Style::Warn, "?"),
        _ => (Style::Plain, "●"),
    };
    let again = if step.attempt > 1 {
        format!(", attempt {}", step.attempt)
    } else {
        String::new()
    };
    let voter = step
        .input
        .as_ref()
        .and_then(|input| input.get("voter"))
        .and_then(serde_json::Value::as_str);
    let voter = voter.map(|name| format!(" by {name}")).unwrap_or_default();
    let words = format!(
        "{mark} {}: {}{voter}{again}",
        step.kind.replace('_', "-"),
        step.name
    );
    let time = span(step.started_at, step.finished_at);
    row(table, prefix, style, words, time, step.usage);
}

fn task_rows(table: &mut Table, tree: &TaskTree, names: &Names, prefix: &str, below: &str) {
    let task = &tree.task;
    let (style, mark) = mark_of(task.state);
    let role = task
        .role
        .as_deref()
        .filter(|role| !role.is_empty())
        .unwrap_or(&task.kind);
    let by = task
        .assigned_agent_id
        .as_deref()
        .map(|id| format!(" by {}", names.name(id)))
        .unwrap_or_default();
    let state = if task.state == TaskState::Completed {
        String::new()
    } else {
        format!(", {}", state(task))
    };
    let time = span(task.started_at, task.finished_at);
    row(
        table,
        prefix,
        style,
        format!("{mark} {role}{by}{state}"),
        time,
        used(&tree.steps),
    );
    row(
        table,
        &format!("{below}{}", if has_branches(tree) { "│ " } else { "  " }),
        Style::Dim,
        task.id.clone(),
        String::new(),
        Usage::default(),
    );
}

fn has_branches(tree: &TaskTree) -> bool {
    !tree.steps.is_empty() || !tree.children.is_empty()
}

fn row(table: &mut Table, prefix: &str, style: Style, words: String, time: String, usage: Usage) {
    let number = |number: u64| {
        if usage.model_calls > 0 {
            count(number)
        } else {
            String::new()
        }
    };
    let cells = [
        (style, words),
        (Style::Plain, time),
        (Style::Plain, number(usage.input_tokens)),
        (Style::Plain, number(usage.cached_tokens)),
        (Style::Plain, number(usage.output_tokens)),
    ];
    table.branch(prefix, cells);
}

const fn mark_of(state: TaskState) -> (Style, &'static str) {
    match state {
        TaskState::Completed => (Style::Good, "✓"),
        TaskState::Failed | TaskState::DeadLettered => (Style::Bad, "✗"),
        TaskState::Cancelled => (Style::Warn, "✗"),
        _ => (Style::Plain, "●"),
    }
}

fn messages(tree: &TaskTree, names: &Names, columns: usize) -> Vec<Line> {
    if tree.messages.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new([
        Column::new("MESSAGE"),
        Column::new("STATE"),
        Column::clipped("FROM, TO"),
        Column::clipped("ABOUT"),
    ]);
    for message in &tree.messages {
        let from = message
            .from_agent_id
            .as_deref()
            .map_or_else(|| "you".to_owned(), |id| names.name(id));
        let way = format!("{from} → {}", names.name(&message.to_agent_id));
        table.row([
            message.id.clone(),
            message.state.clone(),
            way,
            message.subject.clone(),
        ]);
    }
    std::iter::once(Line::new())
        .chain(table.lines(columns))
        .collect()
}

fn ballots(tree: &TaskTree, columns: usize) -> Vec<Line> {
    if tree.proposals.is_empty() {
        return Vec::new();
    }
    std::iter::once(Line::new())
        .chain(proposal_lines(&tree.proposals, columns))
        .collect()
}
