//! The answer of a task: pure. It leads with the passages it rests on, each with its place and its
//! votes; the model's own words follow under the model's name.

use serde::Deserialize;
use serde_json::Value;

use super::recalled::Recalled;
use crate::console::{Line, Style, clean, clip, flow, hang, quote};

#[derive(Debug, Deserialize)]
struct OfSwarm {
    passages: Vec<Passage>,
    #[serde(default)]
    rejected: Vec<Passage>,
    answer: Words,
    #[serde(default)]
    drafts: Vec<Words>,
}

#[derive(Debug, Deserialize)]
struct OfOne {
    answer: Words,
    #[serde(default)]
    recalled: Vec<Recalled>,
}

#[derive(Debug, Deserialize)]
struct Passage {
    id: String,
    place: String,
    text: String,
    found_by: Option<String>,
    #[serde(default)]
    accepted: bool,
    #[serde(default)]
    votes: Option<Vec<Vote>>,
}

#[derive(Debug, Deserialize)]
struct Words {
    text: String,
    model: String,
    #[serde(default)]
    accepted: Option<bool>,
    #[serde(default)]
    votes: Vec<Vote>,
}

#[derive(Debug, Deserialize)]
struct Vote {
    name: String,
    approve: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dissent: bool,
}

/// The result of a task; one that no strategy of ours has written is shown as its JSON.
#[must_use]
pub fn answer(result: &Value, columns: usize) -> Vec<Line> {
    if let Ok(result) = OfSwarm::deserialize(result) {
        return of_swarm(&result, columns);
    }
    if let Ok(result) = OfOne::deserialize(result) {
        return of_one(&result, columns);
    }
    let text = serde_json::to_string_pretty(result).unwrap_or_default();
    text.lines().map(|line| Line::from(line.to_owned())).collect()
}

fn of_swarm(result: &OfSwarm, columns: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let none_accepted = result.passages.iter().all(|passage| !passage.accepted);
    let title = match (result.passages.len(), none_accepted) {
        (_, true) => "No passage was accepted; this one had the most votes",
        (1, false) => "The passage that the answer rests on",
        (_, false) => "The passages that the answer rests on",
    };
    heading(&mut lines, title);
    for (index, passage) in result.passages.iter().enumerate() {
        if index > 0 {
            lines.push(Line::new());
        }
        lines.extend(kept(passage, columns));
    }
    if !result.rejected.is_empty() {
        heading(&mut lines, "Found, and rejected by the swarm");
        for passage in &result.rejected {
            lines.extend(rejected(passage, columns));
        }
    }
    lines.extend(words(&format!("In the words of {}", clean(&result.answer.model)), &result.answer, columns));
    for draft in &result.drafts {
        lines.extend(words(&format!("A draft of {} before that", clean(&draft.model)), draft, columns));
    }
    lines
}

fn kept(passage: &Passage, columns: usize) -> Vec<Line> {
    let mut lines = hang(id(passage, Style::Good), Style::Strong, &clean(&passage.place), columns);
    lines.extend(quote(4, &passage.text, columns));
    lines.extend(votes(passage.votes.as_deref().unwrap_or_default(), columns));
    if let Some(name) = &passage.found_by {
        lines.push(Line::new().plain(" ".repeat(4)).with(Style::Dim, format!("found by {}", clean(name))));
    }
    lines
}

fn rejected(passage: &Passage, columns: usize) -> Vec<Line> {
    let mut lines = hang(id(passage, Style::Bad), Style::Plain, &clean(&passage.place), columns);
    let start = clip(&clean(&passage.text), columns.saturating_sub(6));
    lines.push(Line::new().plain("    ").with(Style::Dim, "│ ").with(Style::Dim, start));
    lines.extend(votes(passage.votes.as_deref().unwrap_or_default(), columns));
    lines
}

fn id(passage: &Passage, style: Style) -> Line {
    Line::new().with(style, clean(&passage.id)).padded(4)
}

fn words(title: &str, words: &Words, columns: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    heading(&mut lines, title);
    if let (Some(accepted), Some(line)) = (words.accepted, lines.pop()) {
        let approved = words.votes.iter().filter(|vote| vote.approve).count();
        let (style, verdict) = if accepted { (Style::Good, "accepted") } else { (Style::Bad, "rejected") };
        let count = format!(" by the swarm, {approved} of {} for it", words.votes.len());
        lines.push(line.plain(": ").with(style, format!("{verdict}{count}")));
    }
    lines.extend(quote(4, if words.text.is_empty() { "(nothing)" } else { &words.text }, columns));
    lines.extend(votes(&words.votes, columns));
    lines
}

/// Who voted what and why; whoever saw it differently from the swarm is marked.
fn votes(votes: &[Vote], columns: usize) -> Vec<Line> {
    if votes.is_empty() {
        return Vec::new();
    }
    let piece = |vote: &Vote| {
        let (style, mark) = if vote.approve { (Style::Good, "✓ ") } else { (Style::Bad, "✗ ") };
        let line = Line::new().with(style, mark).plain(clean(&vote.name));
        let line = if vote.dissent { line.with(Style::Warn, " dissents") } else { line };
        let reason = clip(&clean(&vote.reason), columns.saturating_sub(line.width() + 8));
        if reason.is_empty() { line } else { line.with(Style::Dim, format!(": {reason}")) }
    };
    flow(Line::new().plain(" ".repeat(4)), votes.iter().map(piece), columns)
}

fn of_one(result: &OfOne, columns: usize) -> Vec<Line> {
    let mut lines = words(&format!("In the words of {}", clean(&result.answer.model)), &result.answer, columns);
    if !result.recalled.is_empty() {
        heading(&mut lines, "Recalled for it");
        for recalled in &result.recalled {
            lines.extend(hang(Line::from("  "), Style::Plain, &recalled.place(), columns));
            let start = clip(&clean(recalled.text()), columns.saturating_sub(6));
            lines.push(Line::new().plain("    ").with(Style::Dim, "│ ").with(Style::Dim, start));
        }
    }
    lines
}

fn heading(lines: &mut Vec<Line>, title: &str) {
    if !lines.is_empty() {
        lines.push(Line::new());
    }
    lines.push(Line::new().with(Style::Strong, title));
}
