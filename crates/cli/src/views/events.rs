//! Events, one a line: pure.

use std::time::Duration;

use serde_json::Value;
use swarm_client::Event;

use crate::console::{Line, Style, brief, clean, clip};

/// The longest name of an event is no wider.
const KIND: usize = 18;

/// When, of which task, what happened.
#[must_use]
pub fn event(event: &Event, columns: usize) -> Line {
    let time = event
        .at
        .map(|at| at.format("%H:%M:%S%.3f").to_string())
        .unwrap_or_default();
    let line = Line::new()
        .with(Style::Dim, format!("{time}  {}  ", clean(&event.task_id)))
        .then(
            Line::new()
                .with(style(&event.kind), clean(&event.kind))
                .padded(KIND),
        )
        .plain("  ");
    let room = columns.saturating_sub(line.width());
    line.with(Style::Dim, clip(&clean(&said(event)), room))
}

fn style(kind: &str) -> Style {
    match kind {
        "task.completed" => Style::Good,
        "task.failed" | "task.dead_lettered" | "step.failed" => Style::Bad,
        "task.cancelled" => Style::Warn,
        _ => Style::Plain,
    }
}

/// What matters most of an event's data; nothing where it is not known.
fn said(event: &Event) -> String {
    let text = |pointer: &str| {
        event
            .data
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    match event.kind.as_str() {
        "task.submitted" => text("/kind"),
        "task.waiting" => format!("for {}", text("/reason").replace('_', "-")),
        "task.completed" => took(&event.data),
        "task.failed" | "task.cancelled" | "task.dead_lettered" | "step.failed" => {
            text("/error/detail")
        }
        kind if kind.starts_with("step.") => format!("{} {}", text("/kind"), text("/name")),
        _ => String::new(),
    }
}

fn took(data: &Value) -> String {
    data.get("duration_ms")
        .and_then(Value::as_u64)
        .map(|ms| format!("in {}", brief(Duration::from_millis(ms))))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(kind: &str, data: &Value, columns: usize) -> String {
        let of = json!({"task_id": "task_01kb00000000000000000000aa", "type": kind, "data": data,
            "at": "2026-11-24T18:00:00.25Z"});
        let of: Event = serde_json::from_value(of).unwrap();
        event(&of, columns).text()
    }

    #[test]
    fn a_line_says_when_who_and_what() {
        assert_eq!(
            shown("task.completed", &json!({"duration_ms": 1840}), 120),
            "18:00:00.250  task_01kb00000000000000000000aa  task.completed      in 1.8 s"
        );
        assert_eq!(
            shown(
                "step.started",
                &json!({"kind": "model", "name": "qwen"}),
                120
            ),
            "18:00:00.250  task_01kb00000000000000000000aa  step.started        model qwen"
        );
        assert_eq!(
            shown("weather.changed", &json!(7), 120),
            "18:00:00.250  task_01kb00000000000000000000aa  weather.changed"
        );
    }

    #[test]
    fn a_line_fits_and_commands_nothing() {
        let data = json!({"error": {"detail": format!("\u{1b}[2J{}", "long words ".repeat(20))}});
        let line = shown("task.failed", &data, 80);
        assert!(crate::console::width(&line) <= 80, "{line}");
        assert!(!line.chars().any(char::is_control), "{line}");
    }
}
