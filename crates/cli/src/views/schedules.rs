//! Schedules: pure.

use serde_json::Value;
use swarm_client::{Schedule, Tick};

use crate::console::{Column, Line, Style, Table, clean, hang, moment};

/// A list of schedules.
#[must_use]
pub fn schedules(items: &[Schedule], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::clipped("NAME"),
        Column::new("WHEN"),
        Column::new("STATE"),
        Column::new("NEXT (UTC)"),
        Column::clipped("ABOUT"),
    ]);
    for schedule in items {
        table.styled([
            (Style::Plain, schedule.name.clone()),
            (Style::Plain, when(schedule)),
            (state_style(&schedule.state), schedule.state.clone()),
            (Style::Plain, moment(schedule.next_at)),
            (Style::Plain, about(schedule)),
        ]);
    }
    table.lines(columns)
}

/// One schedule, and what became of its last ticks.
#[must_use]
pub fn schedule(schedule: &Schedule, columns: usize) -> Vec<Line> {
    let mut lines = vec![
        Line::new()
            .with(Style::Strong, clean(&schedule.name))
            .plain("  ")
            .with(state_style(&schedule.state), clean(&schedule.state)),
        Line::new().with(Style::Dim, clean(&schedule.id)),
    ];
    let catch_up = &schedule.catch_up;
    let caught_up = [
        Some(catch_up.policy.clone()),
        catch_up.limit.map(|limit| format!("up to {limit}")),
        catch_up
            .max_age_seconds
            .map(|age| format!("not older than {}", length(age))),
    ];
    let bounds = [
        schedule
            .starts_at
            .map(|at| format!("from {} UTC", moment(Some(at)))),
        schedule
            .ends_at
            .map(|at| format!("until {} UTC", moment(Some(at)))),
        (schedule.jitter_seconds > 0)
            .then(|| format!("put off by up to {}", length(schedule.jitter_seconds))),
    ];
    let next = schedule
        .next_at
        .map(|at| format!("{} UTC", moment(Some(at))))
        .unwrap_or_default();
    let waiting = match schedule.waiting {
        0 => String::new(),
        waiting => format!("{waiting} of its ticks"),
    };
    for (name, words) in [
        ("when", when(schedule)),
        ("", joined(&bounds)),
        ("next", next),
        ("waiting", waiting),
        ("task", about(schedule)),
        ("time limit", length(schedule.time_limit_seconds)),
        ("catch up", joined(&caught_up)),
        ("overlap", schedule.overlap.replace('_', "-")),
    ] {
        if !words.is_empty() {
            let name = Line::new().with(Style::Dim, name).padded(12);
            lines.extend(hang(name, Style::Plain, &clean(&words), columns));
        }
    }
    if !schedule.last_ticks.is_empty() {
        lines.push(Line::new());
        lines.extend(ticks(&schedule.last_ticks, columns));
    }
    lines
}

fn ticks(ticks: &[Tick], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::new("TICK (UTC)"),
        Column::new("OUTCOME"),
        Column::wrapped("TASK OR WHY NOT"),
    ]);
    for tick in ticks {
        let style = match tick.outcome.as_str() {
            "fired" | "run" => Style::Good,
            "skipped" => Style::Warn,
            _ => Style::Plain,
        };
        let made = tick.task_id.clone();
        table.styled([
            (Style::Plain, moment(tick.tick)),
            (style, tick.outcome.clone()),
            (Style::Plain, made.unwrap_or_else(|| why(tick))),
        ]);
    }
    table.lines(columns)
}

fn why(tick: &Tick) -> String {
    let reason = tick.reason.clone().unwrap_or_default().replace('_', " ");
    match tick.count {
        0 | 1 => reason,
        1000 => format!("{reason}, a thousand or more from here on"),
        count => format!("{reason}, {count} from here on"),
    }
}

fn when(schedule: &Schedule) -> String {
    match (&schedule.cron, schedule.every_seconds) {
        (Some(cron), _) => {
            let zone = schedule.zone.as_deref().unwrap_or("UTC");
            format!("{cron} {zone}")
        }
        (None, Some(seconds)) => format!("every {}", length(seconds)),
        (None, None) => String::new(),
    }
}

fn about(schedule: &Schedule) -> String {
    let prompt = schedule.task.input.get("prompt").and_then(Value::as_str);
    prompt.unwrap_or(&schedule.task.kind).to_owned()
}

/// In the largest unit that fits.
fn length(seconds: u32) -> String {
    for (unit, name) in [(24 * 60 * 60, "d"), (60 * 60, "h"), (60, "m")] {
        if seconds >= unit && seconds.is_multiple_of(unit) {
            return format!("{}{name}", seconds / unit);
        }
    }
    format!("{seconds}s")
}

fn joined(parts: &[Option<String>]) -> String {
    let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
    parts.join(", ")
}

fn state_style(state: &str) -> Style {
    match state {
        "active" => Style::Good,
        "ended" => Style::Dim,
        _ => Style::Warn,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn nightly() -> Schedule {
        serde_json::from_value(json!({
            "id": "sched_1", "name": "nightly\u{1b}[2J", "cron": "0 3 * * *", "zone": "Europe/Berlin",
            "task": {"kind": "report", "input": {"prompt": "What happened today?"}, "priority": "normal"},
            "time_limit_seconds": 7200, "catch_up": {"policy": "all", "limit": 3, "max_age_seconds": 5400},
            "overlap": "cancel_previous", "jitter_seconds": 60, "state": "active", "next_at": "2026-11-25T02:00:31Z",
            "waiting": 2,
            "last_ticks": [
                {"tick": "2026-11-24T02:00:00Z", "outcome": "fired", "task_id": "task_1", "count": 1},
                {"tick": "2026-11-20T02:00:00Z", "outcome": "skipped", "reason": "missed", "count": 4},
            ],
        }))
        .unwrap()
    }

    fn text(lines: &[Line]) -> String {
        let lines: Vec<String> = lines.iter().map(Line::text).collect();
        lines.join("\n")
    }

    #[test]
    fn a_schedule_says_when_what_and_what_became_of_it() {
        let shown = text(&schedule(&nightly(), 100));
        for part in [
            "0 3 * * * Europe/Berlin",
            "put off by up to 1m",
            "2026-11-25 02:00:31 UTC",
            "2 of its ticks",
            "What happened today?",
            "time limit  2h",
            "all, up to 3, not older than 90m",
            "cancel-previous",
            "task_1",
            "missed, 4 from here on",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }

    #[test]
    fn a_list_has_a_line_each() {
        let mut often = nightly();
        (often.cron, often.every_seconds) = (None, Some(90));
        let shown = text(&schedules(&[nightly(), often], 120));
        assert_eq!(shown.lines().count(), 3, "{shown}");
        assert!(shown.contains("every 90s"), "{shown}");
    }
}
