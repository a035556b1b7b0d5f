//! What a run has shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::plan::Options;

const MOST_SHOWN: usize = 5;

/// The result of a run. A list that is not empty is a broken promise.
#[derive(Debug, Default)]
pub struct Report {
    /// What was asked for.
    pub options: Option<Options>,
    /// Tasks that were accepted.
    pub accepted: usize,
    /// Tasks that nobody took.
    pub refused: Vec<String>,
    /// How accepted tasks ended.
    pub states: BTreeMap<String, usize>,
    /// Why tasks failed.
    pub errors: BTreeMap<String, usize>,
    /// How often what was broken.
    pub strikes: BTreeMap<String, usize>,
    /// What ended by itself and was started again.
    pub revived: BTreeMap<String, usize>,
    /// Tokens in the ledger.
    pub effects: usize,
    /// Calls of the ledger.
    pub invocations: usize,
    /// Ends that were reported as unknown.
    pub unknown_ends: usize,
    /// Events that readers have seen.
    pub read: usize,
    /// Streams that were left and taken up again.
    pub resumes: usize,
    /// Times from a loss to the next hold.
    pub takeovers: Vec<Duration>,
    /// Times from a cancel to its answer.
    pub stops: Vec<Duration>,
    /// Accepted tasks that have not ended.
    pub lost: Vec<String>,
    /// Steps that ran again after they had finished.
    pub repeated_steps: Vec<String>,
    /// Steps with more than one effect, or none.
    pub doubled: Vec<String>,
    /// Calls that may be made once and were made again.
    pub called_again: Vec<String>,
    /// Unknown ends that nobody was told of.
    pub unreported: Vec<String>,
    /// Steps that started after a cancel was answered.
    pub started_after_cancel: Vec<String>,
    /// Readers that missed an event or saw one twice.
    pub misread: Vec<String>,
}

impl Report {
    fn promises(&self) -> [(&'static str, &Vec<String>); 7] {
        [
            ("accepted tasks lost", &self.lost),
            ("finished steps repeated", &self.repeated_steps),
            ("effects per token other than 1", &self.doubled),
            ("at-most-once calls made again", &self.called_again),
            ("unknown ends not reported", &self.unreported),
            ("steps started after a cancel", &self.started_after_cancel),
            ("readers that missed or repeated", &self.misread),
        ]
    }

    /// Whether every promise was kept, and there was something to keep.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.accepted > 0 && self.promises().iter().all(|(_, broken)| broken.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "{name:<34} {value}");
        let ended: usize = self.states.values().sum();
        row("accepted", self.accepted.to_string())?;
        row(
            "ended",
            format!(
                "{} ({})",
                ended - self.lost.len().min(ended),
                counted(&self.states)
            ),
        )?;
        row("refused", self.refused.len().to_string())?;
        row("struck", counted(&self.strikes))?;
        row("ended by themselves", counted(&self.revived))?;
        row(
            "effects, calls",
            format!("{}, {}", self.effects, self.invocations),
        )?;
        row("ends reported as unknown", self.unknown_ends.to_string())?;
        row(
            "events read, streams resumed",
            format!("{}, {}", self.read, self.resumes),
        )?;
        row("take-over p50, p99", quantiles(&self.takeovers))?;
        row("stop latency p50, p99", quantiles(&self.stops))?;
        for (name, broken) in self.promises() {
            row(name, broken.len().to_string())?;
        }
        for (name, broken) in self.promises() {
            for one in broken.iter().take(MOST_SHOWN) {
                writeln!(f, "  {name}: {one}")?;
            }
        }
        for one in self.refused.iter().take(MOST_SHOWN) {
            writeln!(f, "  refused: {one}")?;
        }
        for (error, count) in self.errors.iter().take(MOST_SHOWN) {
            writeln!(f, "  {count} failed: {error}")?;
        }
        if let Some(Options {
            tasks,
            seconds,
            seed,
        }) = self.options
        {
            writeln!(
                f,
                "again: make chaos TASKS={tasks} SECONDS={seconds} SEED={seed}"
            )?;
        }
        Ok(())
    }
}

fn counted(counts: &BTreeMap<String, usize>) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

fn quantiles(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at =
        |share: usize| sorted.get((sorted.len() * share / 100).min(sorted.len().saturating_sub(1)));
    match (at(50), at(99)) {
        (Some(middle), Some(high)) => format!(
            "{} ms, {} ms of {}",
            middle.as_millis(),
            high.as_millis(),
            sorted.len()
        ),
        _ => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_promise_breaks_the_run() {
        let mut report = Report {
            accepted: 1,
            ..Report::default()
        };
        assert!(report.is_kept());
        report.misread.push("task_1: read [1, 1]".to_owned());
        assert!(!report.is_kept());
        assert!(report.to_string().contains("read [1, 1]"));
        assert!(
            !Report::default().is_kept(),
            "a run without a task shows nothing"
        );
    }
}
