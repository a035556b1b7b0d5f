//! Agents: pure.

use swarm_client::Agent;

use crate::console::{Column, Line, Style, Table, clean, hang, moment, quote};

/// A list of agents.
#[must_use]
pub fn agents(items: &[Agent], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::new("AGENT"),
        Column::clipped("NAME"),
        Column::clipped("ROLE"),
        Column::new("STATE"),
        Column::number("TASKS"),
        Column::clipped("POOL"),
    ]);
    for agent in items {
        let tasks = format!("{}/{}", agent.running_tasks, agent.max_concurrency);
        let cells = [
            agent.id.clone(),
            agent.name.clone(),
            agent.role.clone(),
            agent.state.clone(),
            tasks,
            agent.pool.clone(),
        ];
        let style = state_style(&agent.state);
        table.styled(
            cells
                .into_iter()
                .enumerate()
                .map(|(place, cell)| (if place == 3 { style } else { Style::Plain }, cell)),
        );
    }
    table.lines(columns)
}

/// One agent.
#[must_use]
pub fn agent(agent: &Agent, columns: usize) -> Vec<Line> {
    let mut lines = vec![
        Line::new()
            .with(Style::Strong, clean(&agent.name))
            .plain("  ")
            .with(state_style(&agent.state), clean(&agent.state)),
        Line::new().with(Style::Dim, clean(&agent.id)),
    ];
    let model = [agent.model.provider.as_deref(), agent.model.name.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    let mut settings: Vec<String> = vec![if model.trim().is_empty() {
        "the platform's default".to_owned()
    } else {
        model
    }];
    settings.extend(
        agent
            .model
            .temperature
            .map(|value| format!("temperature {value}")),
    );
    settings.extend(
        agent
            .model
            .max_tokens
            .map(|value| format!("at most {value} tokens")),
    );
    let labels: Vec<String> = agent
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let health = match agent
        .health_reason
        .as_deref()
        .filter(|reason| !reason.is_empty())
    {
        Some(reason) => format!("{}: {reason}", agent.health),
        None => agent.health.clone(),
    };
    for (name, value) in [
        ("kind", agent.kind.clone()),
        ("role", agent.role.clone()),
        ("health", health),
        (
            "tasks",
            format!(
                "{} of at most {}",
                agent.running_tasks, agent.max_concurrency
            ),
        ),
        ("pool", agent.pool.clone()),
        ("model", settings.join(", ")),
        ("tools", agent.tools.join(", ")),
        ("capabilities", agent.capabilities.join(", ")),
        ("labels", labels.join(", ")),
        ("created", moment(agent.created_at)),
    ] {
        if !value.is_empty() {
            lines.extend(hang(
                Line::new().with(Style::Dim, name).padded(14),
                Style::Plain,
                &clean(&value),
                columns,
            ));
        }
    }
    if !agent.instructions.is_empty() {
        lines.push(Line::new().with(Style::Dim, "instructions"));
        lines.extend(quote(2, &agent.instructions, columns));
    }
    lines
}

pub(crate) fn state_style(state: &str) -> Style {
    match state {
        "idle" | "busy" => Style::Good,
        "failed" => Style::Bad,
        "stopped" => Style::Dim,
        _ => Style::Warn,
    }
}
