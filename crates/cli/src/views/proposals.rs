//! Proposals: who voted what, and why. Pure.

use swarm_client::{Proposal, ProposalOption};

use crate::Names;
use crate::console::{Column, Line, Style, Table, clean, hang, moment};

/// A list of proposals.
#[must_use]
pub fn proposals(items: &[Proposal], columns: usize) -> Vec<Line> {
    proposal_lines(items, columns)
}

pub(super) fn proposal_lines(items: &[Proposal], columns: usize) -> Vec<Line> {
    let mut table = Table::new([
        Column::new("PROPOSAL"),
        Column::new("STATE"),
        Column::number("BALLOTS"),
        Column::clipped("QUESTION"),
    ]);
    for proposal in items {
        let ballots = format!("{}/{}", proposal.ballots.len(), proposal.electorate.len());
        table.row([
            proposal.id.clone(),
            proposal.state.replace('_', "-"),
            ballots,
            proposal.title.clone(),
        ]);
    }
    table.lines(columns)
}

/// One proposal with each option's votes and their reasons; whoever was outvoted is marked.
#[must_use]
pub fn proposal(proposal: &Proposal, names: &Names, columns: usize) -> Vec<Line> {
    let mut lines = hang(Line::new(), Style::Strong, &clean(&proposal.title), columns);
    let style = if proposal.state == "decided" {
        Style::Good
    } else {
        Style::Warn
    };
    lines.push(
        Line::new()
            .with(Style::Dim, format!("{}  ", clean(&proposal.id)))
            .with(style, clean(&proposal.state.replace('_', "-"))),
    );
    let about = format!(
        "{}, {} of {} voted, {} needed, opened {} UTC",
        proposal.rule.replace('_', " "),
        proposal.ballots.len(),
        proposal.electorate.len(),
        proposal.quorum,
        moment(proposal.created_at)
    );
    lines.extend(hang(Line::new(), Style::Dim, &clean(&about), columns));
    if let Some(task) = proposal.task_id.as_deref().filter(|task| !task.is_empty()) {
        lines.push(Line::new().with(Style::Dim, format!("of {}", clean(task))));
    }
    for option in &proposal.options {
        lines.push(Line::new());
        lines.extend(option_lines(proposal, option, names, columns));
    }
    let missing: Vec<String> = proposal
        .electorate
        .iter()
        .filter(|voter| {
            !proposal
                .ballots
                .iter()
                .any(|ballot| &ballot.voter == *voter)
        })
        .map(|voter| names.name(voter))
        .collect();
    if !missing.is_empty() {
        lines.push(Line::new());
        lines.extend(hang(
            Line::new(),
            Style::Warn,
            &clean(&format!("did not vote: {}", missing.join(", "))),
            columns,
        ));
    }
    lines
}

fn option_lines(
    proposal: &Proposal,
    option: &ProposalOption,
    names: &Names,
    columns: usize,
) -> Vec<Line> {
    let tally = proposal
        .tally
        .options
        .iter()
        .find(|tally| tally.option_id == option.id);
    let verdict = match (
        proposal.state.as_str(),
        tally.is_some_and(|tally| tally.accepted),
    ) {
        ("decided", true) => Line::new().with(Style::Good, "accepted"),
        ("decided", false) => Line::new().with(Style::Bad, "rejected"),
        _ => Line::new().with(Style::Dim, "open"),
    };
    let counted = tally.map_or_else(String::new, |tally| {
        let abstain = if tally.abstain > 0 {
            format!(", {} abstained", tally.abstain)
        } else {
            String::new()
        };
        format!(
            ": {} for it, {} against{abstain}",
            tally.approve, tally.reject
        )
    });
    let id = Line::new()
        .with(Style::Strong, clean(&option.id))
        .plain("  ");
    let mut lines = vec![id.then(verdict).plain(counted)];
    lines.extend(hang(
        Line::from("    "),
        Style::Plain,
        &clean(&option.label),
        columns,
    ));
    let width = proposal
        .ballots
        .iter()
        .map(|ballot| crate::console::width(&names.name(&ballot.voter)))
        .max()
        .unwrap_or(0);
    for ballot in &proposal.ballots {
        let Some(vote) = ballot.votes.iter().find(|vote| vote.option_id == option.id) else {
            continue;
        };
        let dissents = proposal
            .tally
            .dissent
            .iter()
            .any(|dissent| dissent.voter == ballot.voter && dissent.option_id == option.id);
        let (style, mark) = match vote.choice.as_str() {
            "approve" => (Style::Good, "✓ "),
            "reject" => (Style::Bad, "✗ "),
            _ => (Style::Dim, "- "),
        };
        let name = names.name(&ballot.voter);
        let prefix = Line::new()
            .plain("    ")
            .with(style, mark)
            .with(names.style(&ballot.voter), clean(&name))
            .padded(4 + 2 + width + 2);
        let prefix = if dissents {
            prefix.with(Style::Warn, "dissents  ")
        } else {
            prefix
        };
        lines.extend(hang(prefix, Style::Plain, &clean(&vote.reason), columns));
    }
    lines
}
