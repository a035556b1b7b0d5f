//! What is printed: a line of JSON for each measurement, into a file as well, then a table of
//! ratios with the goals.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::load::Measured;
use crate::statistics::median;

/// Measurements as they come, and the goals at the end.
#[derive(Debug)]
pub struct Report {
    file: File,
    lines: Vec<Line>,
}

/// A goal and what was reached.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    what: String,
    reached: Option<f64>,
    goal: Goal,
    each: Vec<f64>,
}

/// What a number is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// No less.
    AtLeast(f64),
    /// No more.
    AtMost(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(least) => format!(">= {least}"),
            Self::AtMost(most) => format!("<= {most}"),
        }
    }
}

impl Report {
    /// A report whose lines go to this file too, in place of those of the run before.
    #[must_use]
    pub fn to_file(path: &Path) -> Self {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).unwrap();
        }
        Self {
            file: File::create(path).unwrap(),
            lines: Vec::new(),
        }
    }

    /// Prints one measurement.
    pub fn line(&mut self, section: &str, what: &impl Serialize) {
        let mut value = json!({"section": section});
        if let (Value::Object(line), Ok(Value::Object(fields))) =
            (&mut value, serde_json::to_value(what))
        {
            line.extend(
                fields
                    .into_iter()
                    .map(|(name, value)| (name, rounded(value))),
            );
        }
        writeln!(self.file, "{value}").unwrap();
    }

    /// Prints a load's measurement for people, and keeps its line.
    pub fn load(&mut self, section: &str, note: &str, measured: &Measured) {
        self.line(section, measured);
        println!(
            "{:<34} {:>3} clients {:>9.1}/s  p50 {:>7.2} ms  p99 {:>7.2} ms  {:>7.3} ms CPU a task  PSS {:>5.0} RSS {:>5.0} MiB{}",
            format!("{}{note}", measured.subject),
            measured.clients,
            measured.per_second,
            measured.p50_ms,
            measured.p99_ms,
            measured.cpu_ms,
            measured.pss_mib,
            measured.rss_mib,
            measured
                .failure
                .as_ref()
                .map_or(String::new(), |words| format!(
                    "  {} FAILED: {words}",
                    measured.failures
                )),
        );
    }

    /// Notes the ratios of pairs that a goal is about; none means that the peer is missing.
    pub fn ratios(&mut self, what: &str, each: Vec<f64>, goal: Goal) {
        let reached = Some(median(&each)).filter(|_| !each.is_empty());
        let line = Line {
            what: what.to_owned(),
            reached,
            goal,
            each,
        };
        self.line(
            "ratio",
            &json!({"what": line.what, "median": line.reached, "pairs": line.each}),
        );
        self.lines.push(line);
    }

    /// Prints the table, and says whether every goal that could be measured is met.
    #[must_use]
    pub fn finish(self) -> bool {
        println!("\nmedians of the ratios of pairs");
        for line in &self.lines {
            println!("{}", words_of(line));
        }
        println!(
            "Ratios of one run mean something on a busy machine too; absolute numbers are of this machine and hour."
        );
        self.lines
            .iter()
            .all(|line| line.reached.is_none_or(|reached| line.goal.is_met(reached)))
    }
}

fn words_of(line: &Line) -> String {
    let goal = line.goal.words();
    match line.reached {
        None => format!("  {:<58} not measured            goal {goal}", line.what),
        Some(reached) => {
            let verdict = match line.goal.is_met(reached) {
                true => "met",
                false => "MISSED",
            };
            let each: Vec<String> = line.each.iter().map(|one| format!("{one:.2}")).collect();
            format!(
                "  {:<58} {reached:>8.2}  goal {goal:<8} {verdict:<7} of {}",
                line.what,
                each.join(", ")
            )
        }
    }
}

/// Three digits behind the point are more than any of this is exact to.
fn rounded(value: Value) -> Value {
    match value.as_f64().filter(|_| value.is_f64()) {
        Some(number) => json!((number * 1e3).round() / 1e3),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_could_not_be_measured_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/lines.jsonl");
        let mut report = Report::to_file(&path);
        report.ratios("absent", Vec::new(), Goal::AtLeast(7.0));
        report.ratios("fast", vec![9.0, 7.5, 6.0], Goal::AtLeast(7.0));
        assert!(report.finish());
        let written = fs::read_to_string(&path).unwrap();
        assert!(written.contains(r#""median":7.5"#), "{written}");
    }

    #[test]
    fn one_missed_goal_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = Report::to_file(&folder.path().join("lines.jsonl"));
        report.ratios("fast", vec![9.0], Goal::AtLeast(7.0));
        report.ratios("small", vec![0.7], Goal::AtMost(0.6));
        assert!(!report.finish());
    }
}
