//! The other lists: pure.

use serde_json::Value;
use swarm_client::{
    ApiKey, Message, SearchHit, SystemHealth, SystemState, Task, TaskState, Tenant, User,
};

use crate::Names;
use crate::console::{Column, Line, Style, Table, clean, count, hang, moment, quote, span};

/// Tasks.
#[must_use]
pub fn tasks(items: &[Task], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::new("TASK"),
        Column::new("STATE"),
        Column::number("TIME"),
        Column::new("SUBMITTED"),
        Column::clipped("ABOUT"),
    ]);
    for task in items {
        let style = match task.state {
            TaskState::Completed => Style::Good,
            TaskState::Failed | TaskState::DeadLettered => Style::Bad,
            TaskState::Cancelled => Style::Warn,
            _ => Style::Plain,
        };
        let about = task
            .input
            .get("prompt")
            .and_then(Value::as_str)
            .unwrap_or(&task.kind);
        table.styled([
            (Style::Plain, task.id.clone()),
            (style, task.state.as_str().replace('_', "-")),
            (Style::Plain, span(task.started_at, task.finished_at)),
            (
                Style::Plain,
                task.created_at.format("%m-%d %H:%M").to_string(),
            ),
            (Style::Plain, about.to_owned()),
        ]);
    }
    table.lines(columns)
}

/// Tasks whose attempts are used up, and why.
#[must_use]
pub fn dead_letters(items: &[Task], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::new("TASK"),
        Column::number("ATTEMPTS"),
        Column::new("ENDED"),
        Column::clipped("KIND"),
        Column::clipped("WHY"),
    ]);
    for task in items {
        let ended = task.finished_at.map(|at| at.format("%m-%d %H:%M"));
        let why = task.error.as_ref().map_or("", |error| &error.detail);
        table.row([
            task.id.clone(),
            task.attempt.to_string(),
            ended.map(|at| at.to_string()).unwrap_or_default(),
            task.kind.clone(),
            why.to_owned(),
        ]);
    }
    table.lines(columns)
}

/// What a search found.
#[must_use]
pub fn memories(hits: &[SearchHit], columns: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for hit in hits {
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        let memory = &hit.memory;
        let place = memory
            .source
            .as_deref()
            .filter(|source| !source.is_empty())
            .unwrap_or(&memory.namespace);
        lines.extend(hang(Line::new(), Style::Strong, &clean(place), columns));
        lines.extend(quote(2, &memory.content, columns));
        let rank =
            |how: &str, rank: Option<u32>| rank.map(|rank| format!("number {rank} by {how}"));
        let why: Vec<String> = [
            rank("words", hit.why.lexical_rank),
            rank("meaning", hit.why.semantic_rank),
            Some(hit.why.note.clone()),
        ]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
        let about = format!("{}  score {:.3}, {}", memory.id, hit.score, why.join(", "));
        lines.extend(hang(Line::from("  "), Style::Dim, &clean(&about), columns));
    }
    lines
}

/// Messages of an agent.
#[must_use]
pub fn inbox(items: &[Message], names: &Names, columns: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for message in items {
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        let from = message
            .from_agent_id
            .as_deref()
            .map_or_else(|| "you".to_owned(), |id| names.name(id));
        let title = format!("{from}: {}", message.subject);
        lines.extend(hang(
            Line::new(),
            Style::Strong,
            &clean(title.trim_end_matches(": ")),
            columns,
        ));
        lines.extend(quote(2, &message.body, columns));
        let about = format!(
            "{}  {}, sent {} UTC",
            message.id,
            message.state,
            moment(message.sent_at)
        );
        lines.push(Line::new().plain("  ").with(Style::Dim, clean(&about)));
    }
    lines
}

/// Users.
#[must_use]
pub fn users(items: &[User], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::new("USER"),
        Column::clipped("NAME"),
        Column::wrapped("ROLES"),
        Column::new("CREATED (UTC)"),
    ]);
    for user in items {
        table.row([
            user.id.clone(),
            user.username.clone(),
            user.roles.join(", "),
            moment(user.created_at),
        ]);
    }
    table.lines(columns)
}

/// Tenants.
#[must_use]
pub fn tenants(items: &[Tenant], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::new("TENANT"),
        Column::clipped("NAME"),
        Column::new("CREATED (UTC)"),
    ]);
    for tenant in items {
        table.row([
            tenant.id.clone(),
            tenant.name.clone(),
            moment(tenant.created_at),
        ]);
    }
    table.lines(columns)
}

/// API keys.
#[must_use]
pub fn api_keys(items: &[ApiKey], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::new("KEY"),
        Column::clipped("NAME"),
        Column::clipped("BEGINS WITH"),
        Column::wrapped("ROLES"),
        Column::new("STATE"),
    ]);
    for key in items {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(_), _) => "revoked".to_owned(),
            (None, Some(at)) => format!("until {}", at.format("%Y-%m-%d")),
            (None, None) => "holds".to_owned(),
        };
        table.row([
            key.id.clone(),
            key.name.clone(),
            key.prefix.clone(),
            key.roles.join(", "),
            state,
        ]);
    }
    table.lines(columns)
}

/// How the platform is.
#[must_use]
pub fn health(health: &SystemHealth, state: &SystemState, columns: usize) -> Vec<Line> {
    let style = if health.is_ready() {
        Style::Good
    } else {
        Style::Warn
    };
    let mut lines = vec![
        Line::new()
            .with(
                Style::Strong,
                format!("Qwen Swarm {}", clean(&state.version)),
            )
            .plain("  ")
            .with(style, clean(&health.status)),
        Line::new().with(
            Style::Dim,
            format!("since {} UTC", moment(Some(state.started_at))),
        ),
        Line::new(),
    ];
    let mut table = Table::new([
        Column::new("SERVICE"),
        Column::new("STATE"),
        Column::wrapped("WHY"),
    ]);
    for service in &health.services {
        let (style, words) = if service.ready {
            (Style::Good, "ready")
        } else {
            (Style::Bad, "not ready")
        };
        let why = service.detail.clone().unwrap_or_default();
        table.styled([
            (Style::Plain, service.name.clone()),
            (style, words.to_owned()),
            (Style::Plain, why),
        ]);
    }
    lines.extend(table.lines(columns));
    lines.push(Line::new());
    for (name, counted) in [("agents", &state.agents), ("open tasks", &state.open_tasks)] {
        let Some(counted) = counted else { continue };
        let parts: Vec<String> = counted
            .by_state
            .iter()
            .filter(|(_, number)| **number > 0)
            .map(|(state, number)| format!("{} {}", count(*number), state.replace('_', "-")))
            .collect();
        let more = if counted.more { ", and more" } else { "" };
        let words = if parts.is_empty() {
            "none".to_owned()
        } else {
            format!("{}{more}", parts.join(", "))
        };
        lines.extend(hang(
            Line::new().with(Style::Dim, name).padded(12),
            Style::Plain,
            &clean(&words),
            columns,
        ));
    }
    if let Some(consensus) = &state.consensus {
        let leader = consensus
            .leader_id
            .map_or_else(|| "no leader".to_owned(), |id| format!("leader {id}"));
        let words = format!(
            "{leader}, term {}, log entry {} of {}",
            consensus.term, consensus.last_applied, consensus.last_log
        );
        lines.extend(hang(
            Line::new().with(Style::Dim, "consensus").padded(12),
            Style::Plain,
            &words,
            columns,
        ));
    }
    if !state.missing.is_empty() {
        lines.extend(hang(
            Line::new(),
            Style::Warn,
            &clean(&format!("not to be had now: {}", state.missing.join(", "))),
            columns,
        ));
    }
    lines
}
