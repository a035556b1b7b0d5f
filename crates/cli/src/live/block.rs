//! What is going on now, as the block below the log: pure.

use super::state::{Agent, Doing, State, Step};
use crate::console::{Line, Style, clean, clip, flow, tail};

/// Lines of a terminal that the block leaves to the log.
const LEFT_TO_LOG: usize = 4;

pub(super) fn lines(state: &State, columns: usize, rows: usize) -> Vec<Line> {
    // A full line would make some terminals go on to the next one.
    let columns = columns.saturating_sub(1);
    let mut lines = vec![Line::new().with(Style::Dim, "─".repeat(columns))];
    lines.extend(state.agents.iter().map(|agent| row(state, agent, columns)));
    lines.extend(ballot(state, columns));
    let room = rows.saturating_sub(LEFT_TO_LOG).max(2);
    if lines.len() > room {
        let hidden = lines.len() - room + 1;
        lines.truncate(room - 1);
        lines.push(Line::new().with(Style::Dim, format!("… and {hidden} more")));
    }
    lines
}

fn row(state: &State, agent: &Agent, columns: usize) -> Line {
    let name = clip(&state.names.name(&agent.id), state.names.columns());
    let style = state.names.style(&agent.id);
    let (sign, words) = match &agent.doing {
        Doing::Idle => (
            Line::new().with(Style::Dim, "○"),
            Line::new().with(Style::Dim, "idle"),
        ),
        Doing::Working => (Line::new().with(style, "●"), Line::from("works")),
        Doing::Waiting(reason) => (
            Line::new().with(Style::Dim, "◌"),
            Line::new().with(Style::Dim, waits(reason)),
        ),
        Doing::Step(id) => {
            let room = columns.saturating_sub(state.names.columns() + 3);
            (
                Line::new().with(style, "●"),
                state
                    .steps
                    .get(id)
                    .map_or_else(Line::new, |step| at(step, room)),
            )
        }
    };
    Line::new()
        .with(style, name)
        .padded(state.names.columns() + 1)
        .then(sign)
        .plain(" ")
        .then(words)
}

fn waits(reason: &str) -> String {
    match reason {
        "" => "waits for its turn".to_owned(),
        reason => format!("waits for {}", reason.replace('_', "-")),
    }
}

/// What a step is, and the end of what it has said so far.
fn at(step: &Step, room: usize) -> Line {
    let verb = match step.kind.as_str() {
        "model" if step.text.trim().is_empty() => {
            return Line::from(clip(&format!("thinks, with {}", clean(&step.name)), room));
        }
        "model" => "says ",
        "tool" => return Line::from(clip(&format!("uses {}", clean(&step.name)), room)),
        "ballot" => return Line::from("votes"),
        _ if step.name.is_empty() => return Line::from("works"),
        _ => return Line::from(clip(&clean(&step.name), room)),
    };
    let words = clean(&step.text);
    Line::new()
        .with(Style::Dim, verb)
        .plain(tail(&words, room.saturating_sub(verb.len())))
}

/// The open ballot, on as many lines as it takes.
fn ballot(state: &State, columns: usize) -> Vec<Line> {
    let Some(ballot) = &state.ballot else {
        return Vec::new();
    };
    let indent = state.names.columns() + 3;
    flow(
        Line::new().with(Style::Strong, "ballot").padded(indent),
        ballot.pieces(),
        columns,
    )
}
