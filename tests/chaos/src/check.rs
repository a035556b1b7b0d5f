//! Compares what was promised with what the journal, the ledger and the readers show.

use std::collections::{BTreeMap, BTreeSet};

use swarm_client::{Client, Event, Step, Task, TaskState, TaskTree};
use swarm_test_support::ledger::Invocation;
use swarm_types::{PageRequest, Timestamp};

use crate::load::Accepted;
use crate::readers::Seen;
use crate::report::Report;
use crate::world::{CHARGE, NOTE};

/// All that the platform has of one task.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) tree: TaskTree,
    pub(crate) events: Vec<Event>,
}

impl Evidence {
    /// Reads it.
    pub(crate) async fn of(client: &Client, id: &str) -> swarm_errors::Result<Self> {
        let tree = client.task_tree(id).await?;
        let mut page = PageRequest {
            limit: 500,
            cursor: String::new(),
        };
        let mut events = Vec::new();
        loop {
            let answer = client.task_events(id, &page).await?;
            events.extend(answer.items);
            match answer.next_cursor {
                Some(cursor) => page.cursor = cursor,
                None => return Ok(Self { tree, events }),
            }
        }
    }

    fn all(&self) -> Vec<&TaskTree> {
        let mut all = vec![&self.tree];
        let mut next = 0;
        while next < all.len() {
            let tree = all[next];
            all.extend(tree.children.iter());
            next += 1;
        }
        all
    }
}

/// One accepted task: its state, and what must not have happened to it.
pub(crate) fn task(
    report: &mut Report,
    accepted: &Accepted,
    evidence: &Evidence,
    ledger: &BTreeMap<String, Vec<Invocation>>,
) {
    let task = &evidence.tree.task;
    *report.states.entry(task.state.to_string()).or_default() += 1;
    if let Some(error) = &task.error {
        let words = format!("{}: {}", error.code, error.detail);
        *report.errors.entry(words).or_default() += 1;
    }
    for one in evidence.all() {
        if !one.task.state.has_ended() {
            report
                .lost
                .push(format!("{} is {}", one.task.id, one.task.state));
        }
        if let Some((answered, _)) = accepted.cancelled {
            started_after(report, one, answered);
        }
    }
    if let Some((_, took)) = accepted.cancelled {
        report.stops.push(took);
    }
    finished_twice(report, &evidence.events);
    if !accepted.is_swarm {
        effects(report, task, &evidence.tree.steps, ledger);
    }
}

fn started_after(report: &mut Report, tree: &TaskTree, answered: Timestamp) {
    let late = |step: &&Step| step.started_at.is_some_and(|started| started > answered);
    for step in tree.steps.iter().filter(late) {
        report
            .started_after_cancel
            .push(format!("{} {}", tree.task.id, step.id));
    }
}

/// A finished step never runs again.
fn finished_twice(report: &mut Report, events: &[Event]) {
    let mut finished = BTreeSet::new();
    for event in events {
        let step = event.data["step"].as_str().unwrap_or_default();
        if event.kind == "step.finished" && !finished.insert(step) {
            report
                .repeated_steps
                .push(format!("{} {step}", event.task_id));
        }
        if event.kind == "step.started" && finished.contains(step) {
            report
                .repeated_steps
                .push(format!("{} {step}", event.task_id));
        }
    }
}

/// Effects in the outside ledger against the journal.
fn effects(
    report: &mut Report,
    task: &Task,
    steps: &[Step],
    ledger: &BTreeMap<String, Vec<Invocation>>,
) {
    for (tool, most) in [(NOTE, usize::MAX), (CHARGE, 1)] {
        let calls: Vec<(&String, usize)> = ledger
            .iter()
            .filter(|(token, calls)| {
                token.starts_with(&format!("{}/", task.id)) && calls[0].tool == tool
            })
            .map(|(token, calls)| (token, calls.len()))
            .collect();
        report.effects += calls.len();
        let invocations: usize = calls.iter().map(|(_, count)| count).sum();
        report.invocations += invocations;
        if calls.len() > 1 {
            report
                .doubled
                .push(format!("{tool} of {}: {calls:?}", task.id));
        }
        if invocations > most {
            report
                .called_again
                .push(format!("{tool} of {}: {calls:?}", task.id));
        }
        let step = steps
            .iter()
            .find(|step| step.kind == "tool" && step.name == tool);
        let state = step.map_or("", |step| step.state.as_str());
        if state == "finished" && invocations == 0 {
            report
                .doubled
                .push(format!("{tool} of {} finished and has no effect", task.id));
        }
        if tool == CHARGE {
            unknown(report, task, state, invocations);
        }
    }
}

/// A call whose end nobody knows must be said to be so.
fn unknown(report: &mut Report, task: &Task, state: &str, invocations: usize) {
    if state == "outcome_unknown" {
        report.unknown_ends += 1;
    }
    let told = task
        .result
        .as_ref()
        .is_some_and(|result| result["unknown_outcomes"][0] == CHARGE);
    let is_silent = match task.state {
        TaskState::Completed => (state == "outcome_unknown") != told || state == "started",
        TaskState::Cancelled => false,
        _ => invocations > 0 && state == "started",
    };
    if is_silent {
        report
            .unreported
            .push(format!("{} is {}, its step {state}", task.id, task.state));
    }
}

/// A reader must have seen each stored event once, in order.
pub(crate) fn reader(report: &mut Report, seen: &Seen, events: &[Event]) {
    report.resumes += seen.resumes;
    report.read += seen.numbers.len();
    let stored: Vec<u64> = events.iter().filter_map(|event| event.seq).collect();
    if stored != (1..=stored.len() as u64).collect::<Vec<_>>() {
        report
            .misread
            .push(format!("{} has events {stored:?}", seen.task));
    }
    if seen.numbers != stored {
        let words = format!("{}: read {:?} of {}", seen.task, seen.numbers, stored.len());
        report.misread.push(words);
    }
}

/// From the loss of an agent-manager, where it fell between two events of a task, to the second of
/// them, by which the task's next hold begins.
pub(crate) fn takeovers(report: &mut Report, losses: &[Timestamp], events: &[Event]) {
    for pair in events.windows(2) {
        let (Some(before), Some(at)) = (pair[0].at, pair[1].at) else {
            continue;
        };
        let loss = losses.iter().find(|loss| before <= **loss && **loss <= at);
        if pair[1].kind == "task.resumed"
            && let Some(took) = loss.and_then(|loss| (at - *loss).to_std().ok())
        {
            report.takeovers.push(took);
        }
    }
}
