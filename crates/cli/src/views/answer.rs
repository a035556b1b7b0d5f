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
    text.lines()
        .map(|line| Line::from(line.to_owned()))
        .collect()
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
    lines.push(Line::new());
    lines.extend(words(
        &format!("In the words of {}", clean(&result.answer.model)),
        &result.answer,
        columns,
    ));
    for draft in &result.drafts {
        lines.push(Line::new());
        lines.extend(words(
            &format!("A draft of {} before that", clean(&draft.model)),
            draft,
            columns,
        ));
    }
    lines
}

fn kept(passage: &Passage, columns: usize) -> Vec<Line> {
    let mut lines = hang(
        id(passage, Style::Good),
        Style::Strong,
        &clean(&passage.place),
        columns,
    );
    lines.extend(quote(4, &passage.text, columns));
    lines.extend(votes(passage.votes.as_deref().unwrap_or_default(), columns));
    if let Some(name) = &passage.found_by {
        lines.push(
            Line::new()
                .plain(" ".repeat(4))
                .with(Style::Dim, format!("found by {}", clean(name))),
        );
    }
    lines
}

fn rejected(passage: &Passage, columns: usize) -> Vec<Line> {
    let mut lines = hang(
        id(passage, Style::Bad),
        Style::Plain,
        &clean(&passage.place),
        columns,
    );
    let start = clip(&clean(&passage.text), columns.saturating_sub(6));
    lines.push(
        Line::new()
            .plain("    ")
            .with(Style::Dim, "│ ")
            .with(Style::Dim, start),
    );
    lines.extend(votes_in_short(
        passage.votes.as_deref().unwrap_or_default(),
        columns,
    ));
    lines
}

fn id(passage: &Passage, style: Style) -> Line {
    Line::new().with(style, clean(&passage.id)).padded(4)
}

fn words(title: &str, words: &Words, columns: usize) -> Vec<Line> {
    let title = Line::new().with(Style::Strong, title);
    let mut lines = flow(
        Line::new(),
        std::iter::once(title).chain(
            words
                .accepted
                .map(|accepted| verdict(accepted, &words.votes)),
        ),
        columns,
    );
    lines.extend(quote(
        4,
        if words.text.is_empty() {
            "(nothing)"
        } else {
            &words.text
        },
        columns,
    ));
    lines.extend(votes(&words.votes, columns));
    lines
}

fn verdict(accepted: bool, votes: &[Vote]) -> Line {
    let approved = votes.iter().filter(|vote| vote.approve).count();
    let (style, word) = if accepted {
        (Style::Good, "accepted")
    } else {
        (Style::Bad, "rejected")
    };
    Line::new().with(
        style,
        format!("{word} by the swarm, {approved} of {} for it", votes.len()),
    )
}

/// Who voted what and why, a line each; those who say the same share one.
fn votes(votes: &[Vote], columns: usize) -> Vec<Line> {
    let indent = || Line::new().plain(" ".repeat(4));
    grouped(votes)
        .into_iter()
        .map(|group| indent().then(said(&group, columns.saturating_sub(4))))
        .collect()
}

/// The same in as few lines as it takes.
fn votes_in_short(votes: &[Vote], columns: usize) -> Vec<Line> {
    if votes.is_empty() {
        return Vec::new();
    }
    let pieces = grouped(votes)
        .into_iter()
        .map(|group| said(&group, columns.saturating_sub(4)));
    flow(Line::new().plain(" ".repeat(4)), pieces, columns)
}

fn grouped(votes: &[Vote]) -> Vec<Vec<&Vote>> {
    let mut groups: Vec<Vec<&Vote>> = Vec::new();
    for vote in votes {
        match groups.iter_mut().find(|group| group[0].says_as(vote)) {
            Some(group) => group.push(vote),
            None => groups.push(vec![vote]),
        }
    }
    groups
}

impl Vote {
    fn says_as(&self, other: &Self) -> bool {
        (self.approve, self.dissent, &self.reason) == (other.approve, other.dissent, &other.reason)
    }
}

/// Whoever saw it differently from the swarm is marked.
fn said(group: &[&Vote], columns: usize) -> Line {
    let Some(vote) = group.first() else {
        return Line::new();
    };
    let names: Vec<String> = group.iter().map(|vote| clean(&vote.name)).collect();
    let (style, mark) = if vote.approve {
        (Style::Good, "✓ ")
    } else {
        (Style::Bad, "✗ ")
    };
    let line = Line::new().with(style, mark).plain(names.join(", "));
    let line = match (vote.dissent, group.len()) {
        (false, _) => line,
        (true, 1) => line.with(Style::Warn, " dissents"),
        (true, _) => line.with(Style::Warn, " dissent"),
    };
    let reason = clip(
        &clean(&vote.reason),
        columns.saturating_sub(line.width() + 2),
    );
    if reason.is_empty() {
        line
    } else {
        line.with(Style::Dim, format!(": {reason}"))
    }
}

fn of_one(result: &OfOne, columns: usize) -> Vec<Line> {
    let mut lines = words(
        &format!("In the words of {}", clean(&result.answer.model)),
        &result.answer,
        columns,
    );
    if !result.recalled.is_empty() {
        heading(&mut lines, "Recalled for it");
        for recalled in &result.recalled {
            lines.extend(hang(
                Line::from("  "),
                Style::Plain,
                &recalled.place(),
                columns,
            ));
            let start = clip(&clean(recalled.text()), columns.saturating_sub(6));
            lines.push(
                Line::new()
                    .plain("    ")
                    .with(Style::Dim, "│ ")
                    .with(Style::Dim, start),
            );
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
