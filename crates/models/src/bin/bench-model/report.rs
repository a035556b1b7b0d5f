//! What was measured: a JSON line each as it comes, then a table, then the ratios.

use std::process::ExitCode;

use serde_json::json;

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    High,
    /// High, but only told.
    Told,
    Low,
    /// Low, and given as the peer's share of ours.
    Inverse,
}

impl Better {
    /// Times of loading are turned round, so that more is better in every ratio but that of embeddings.
    fn ratio(self, ours: f64, peer: f64) -> f64 {
        if self == Self::Inverse {
            peer / ours
        } else {
            ours / peer
        }
    }
}

#[derive(Debug)]
struct Series {
    name: &'static str,
    sequences: usize,
    better: Better,
    ours: Vec<f64>,
    peer: Vec<f64>,
}

/// Everything measured so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    series: Vec<Series>,
    notes: Vec<String>,
    malformed: Option<(usize, usize)>,
}

/// Speeds keep this share of the peer's, that of loading too.
const LEAST_SHARE: f64 = 0.95;
/// A short embedding may take this many times the peer's.
const MOST_EMBED: f64 = 1.2;

impl Report {
    pub(crate) fn pair(
        &mut self,
        name: &'static str,
        sequences: usize,
        ours: f64,
        peer: f64,
        better: Better,
    ) {
        println!(
            "{}",
            json!({"measure": name, "sequences": sequences, "ours": round(ours), "peer": round(peer), "ratio": round(better.ratio(ours, peer))})
        );
        let known = self
            .series
            .iter()
            .position(|series| series.name == name && series.sequences == sequences);
        let at = known.unwrap_or_else(|| {
            self.series.push(Series {
                name,
                sequences,
                better,
                ours: Vec::new(),
                peer: Vec::new(),
            });
            self.series.len() - 1
        });
        self.series[at].ours.push(ours);
        self.series[at].peer.push(peer);
    }

    pub(crate) fn note(&mut self, note: String) {
        println!("{}", json!({"note": note}));
        self.notes.push(note);
    }

    pub(crate) fn calls(&mut self, calls: usize, malformed: usize, seconds: f64) {
        println!(
            "{}",
            json!({"measure": "tool_calls", "calls": calls, "malformed": malformed, "seconds": round(seconds)})
        );
        self.malformed = Some((calls, malformed));
    }

    /// Prints the table; with `check` the exit code tells whether every goal was reached.
    pub(crate) fn print(&self, check: bool) -> ExitCode {
        println!(
            "\n{:<14} {:>9} {:>10} {:>10}   (medians)",
            "measure", "requests", "ours", "peer"
        );
        for series in &self.series {
            let (ours, peer) = (median(&series.ours), median(&series.peer));
            println!(
                "{:<14} {:>9} {ours:>10.2} {peer:>10.2}",
                series.name, series.sequences
            );
        }
        println!();
        for note in &self.notes {
            println!("{note}");
        }
        let mut reached = true;
        println!(
            "\n{:<14} {:>9} {:>10}   {:<22} ",
            "ratio", "requests", "share", "goal"
        );
        for series in &self.series {
            let ratio = series.ratio();
            let (good, goal) = series.judge(ratio);
            reached &= good;
            println!(
                "{:<14} {:>9} {ratio:>10.3}   {goal:<22} {}",
                series.name,
                series.sequences,
                word(good)
            );
        }
        if let Some((calls, malformed)) = self.malformed {
            reached &= malformed == 0;
            println!(
                "{:<14} {calls:>9} {malformed:>10}   {:<22} {}",
                "malformed",
                "0",
                word(malformed == 0)
            );
        }
        if check && !reached {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

impl Series {
    /// The median over the pairs: what slows a machine for a while slows both sides of a pair.
    fn ratio(&self) -> f64 {
        median(
            &self
                .ours
                .iter()
                .zip(&self.peer)
                .map(|(ours, peer)| self.better.ratio(*ours, *peer))
                .collect::<Vec<_>>(),
        )
    }

    fn judge(&self, ratio: f64) -> (bool, String) {
        match self.better {
            Better::Told => (true, String::from("(told only)")),
            Better::High | Better::Inverse => (ratio >= LEAST_SHARE, format!(">= {LEAST_SHARE}")),
            Better::Low => (ratio <= MOST_EMBED, format!("<= {MOST_EMBED}")),
        }
    }
}

fn word(good: bool) -> &'static str {
    if good { "reached" } else { "MISSED" }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
