//! What a task took: a row for each sub-task. Pure.

use serde_json::Value;
use swarm_client::{Step, TaskTree, Usage};

use super::recalled::{Recalled, in_short};
use crate::Names;
use crate::console::{Column, Line, Style, Table, count, seconds, span};

/// Steps, tokens, time and what was recalled, by agent and sub-task, and all together.
#[must_use]
pub fn usage(tree: &TaskTree, names: &Names, columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::new("WHO"),
        Column::new("WHAT"),
        Column::number("STEPS"),
        Column::number("IN"),
        Column::number("CACHED"),
        Column::number("OUT"),
        Column::number("TIME"),
        Column::wrapped("RECALLED"),
    ]);
    let mut total = Total::default();
    row(&mut table, &mut total, tree, names);
    if !tree.children.is_empty() {
        let Usage {
            input_tokens,
            output_tokens,
            cached_tokens,
            ..
        } = total.usage;
        let time = span(tree.task.started_at, tree.task.finished_at);
        let steps = count(total.steps);
        let cells = [
            "all",
            "",
            &steps,
            &count(input_tokens),
            &count(cached_tokens),
            &count(output_tokens),
            &time,
            "",
        ];
        table.styled(cells.map(|cell| (Style::Strong, cell.to_owned())));
    }
    table.lines(columns)
}

#[derive(Default)]
struct Total {
    steps: u64,
    usage: Usage,
}

fn row(table: &mut Table, total: &mut Total, tree: &TaskTree, names: &Names) {
    let task = &tree.task;
    let used = used(&tree.steps);
    let who = task
        .assigned_agent_id
        .as_deref()
        .map_or_else(|| "swarm".to_owned(), |id| names.name(id));
    let steps = tree.steps.len() as u64;
    table.row([
        who,
        task.role
            .clone()
            .filter(|role| !role.is_empty())
            .unwrap_or_else(|| task.kind.clone()),
        count(steps),
        count(used.input_tokens),
        count(used.cached_tokens),
        count(used.output_tokens),
        time(tree),
        recalled(&tree.steps),
    ]);
    total.steps += steps;
    total.usage.input_tokens += used.input_tokens;
    total.usage.output_tokens += used.output_tokens;
    total.usage.cached_tokens += used.cached_tokens;
    for child in &tree.children {
        row(table, total, child, names);
    }
}

/// How long a task was worked on: a task that has parts mostly waits for them.
fn time(tree: &TaskTree) -> String {
    if tree.children.is_empty() {
        return span(tree.task.started_at, tree.task.finished_at);
    }
    let own = tree
        .steps
        .iter()
        .filter_map(|step| (step.finished_at? - step.started_at?).to_std().ok());
    seconds(own.sum())
}

/// What the steps themselves used: a task's own count may hold that of its sub-tasks.
pub(super) fn used(steps: &[Step]) -> Usage {
    steps.iter().fold(Usage::default(), |sum, step| Usage {
        input_tokens: sum.input_tokens + step.usage.input_tokens,
        output_tokens: sum.output_tokens + step.usage.output_tokens,
        cached_tokens: sum.cached_tokens + step.usage.cached_tokens,
        model_calls: sum.model_calls + step.usage.model_calls,
        tool_calls: sum.tool_calls + step.usage.tool_calls,
    })
}

fn recalled(steps: &[Step]) -> String {
    let mut parts = Vec::new();
    for step in steps {
        let Some(result) = &step.result else { continue };
        match step.kind.as_str() {
            "recall" => parts.extend(in_short(&Recalled::all(result))),
            "passages" => parts.extend(shelved(result)),
            _ => {}
        }
    }
    parts.join(", ")
}

fn shelved(result: &Value) -> Option<String> {
    let number = |key: &str| result.get(key).and_then(Value::as_u64);
    Some(format!(
        "{} passages, {} new",
        number("passages")?,
        number("new")?
    ))
}
