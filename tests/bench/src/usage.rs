//! What processes and all below them have used, from /proc.

use std::collections::HashMap;
use std::fs;

/// Linux counts processor time in hundredths of a second towards programs, on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a set of process trees has used until now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Processor time, user and system, with that of children that have ended.
    pub cpu_seconds: f64,
    /// Memory, with shared pages divided among those who share them.
    pub pss_mib: f64,
    /// Resident memory; pages that are shared count once for each.
    pub rss_mib: f64,
}

/// Processor seconds of these processes and all below them.
#[must_use]
pub fn cpu_seconds(roots: &[u32]) -> f64 {
    let ticks = tree(roots).into_iter().filter_map(|id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        Some(Stat::parse(&stat)?.ticks)
    });
    #[expect(
        clippy::cast_precision_loss,
        reason = "centuries of processor time fit"
    )]
    let ticks = ticks.sum::<u64>() as f64;
    ticks / TICKS_PER_SECOND
}

/// All of it.
#[must_use]
pub fn of(roots: &[u32]) -> Usage {
    let kib = |file: &str, name: &str| {
        let sizes = tree(roots).into_iter().filter_map(|id| {
            let text = fs::read_to_string(format!("/proc/{id}/{file}")).ok()?;
            kibibytes(&text, name)
        });
        sizes.sum::<f64>() / 1024.0
    };
    Usage {
        cpu_seconds: cpu_seconds(roots),
        pss_mib: kib("smaps_rollup", "Pss:"),
        rss_mib: kib("status", "VmRSS:"),
    }
}

/// These processes and all below them.
fn tree(roots: &[u32]) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(stat) = Stat::parse(&stat) {
            children.entry(stat.parent).or_default().push(id);
        }
    }
    let mut found = Vec::new();
    let mut left = roots.to_vec();
    while let Some(id) = left.pop() {
        found.push(id);
        left.extend(children.remove(&id).unwrap_or_default());
    }
    found
}

/// What is used of a line of `/proc/<process>/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    ticks: u64,
}

impl Stat {
    fn parse(line: &str) -> Option<Self> {
        // The name, in brackets, may hold anything.
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = fields.get(11..15)?;
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            ticks: ticks
                .iter()
                .filter_map(|text| text.parse::<u64>().ok())
                .sum(),
        })
    }
}

fn kibibytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_behind_the_name() {
        let line = "7 (a) b (c) S 3 7 7 0 -1 4194560 1 2 3 4 100 20 5 1 20 0 1 0 9 1 1";
        let expected = Stat {
            parent: 3,
            ticks: 126,
        };
        assert_eq!(Stat::parse(line), Some(expected));
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn sizes_are_in_kibibytes() {
        let text = "Rss:  10 kB\nPss:        2048 kB\n";
        assert_eq!(kibibytes(text, "Pss:"), Some(2048.0));
        assert_eq!(kibibytes(text, "Swap:"), None);
    }

    #[test]
    fn this_process_has_used_something() {
        let usage = of(&[std::process::id()]);
        assert!(
            usage.pss_mib > 0.1 && usage.rss_mib >= usage.pss_mib,
            "{usage:?}"
        );
    }
}
