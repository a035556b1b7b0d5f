//! `schedules`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use swarm_types::Timestamp;

use super::Listing;

/// `schedules`.
#[derive(Debug, Clone, Subcommand)]
pub enum Schedules {
    /// The schedules
    List {
        /// Which part of the list
        #[command(flatten)]
        page: Listing,
    },
    /// One schedule, and what became of its last ticks
    Show {
        /// Its name or id
        schedule: String,
    },
    /// Have a task made at given times
    Create(Box<NewSchedule>),
    /// It does not tick until it is resumed
    Pause {
        /// Its name or id
        schedule: String,
    },
    /// It ticks again, from now on
    Resume {
        /// Its name or id
        schedule: String,
    },
    /// Make its task now, beside its ticks
    Run {
        /// Its name or id
        schedule: String,
    },
    /// Delete it; what it has made goes on
    Delete {
        /// Its name or id
        schedule: String,
    },
}

/// `schedules create`.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("cadence").required(true).args(["cron", "every"])))]
pub struct NewSchedule {
    /// What it is called
    #[arg(long)]
    pub name: String,
    /// When: minute, hour, day, month and day of the week, such as "0 3 * * *", or a word such as @hourly
    #[arg(long, value_name = "PATTERN")]
    pub cron: Option<String>,
    /// The time zone in which the pattern is meant, such as Europe/Berlin [default: UTC]
    #[arg(long, requires = "cron")]
    pub zone: Option<String>,
    /// Or how often, such as 30s, 15m, 6h or 1d
    #[arg(long, value_name = "TIME", value_parser = period)]
    pub every: Option<u32>,
    /// The task, as a file in TOML such as docs/examples/task.toml
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
    /// What becomes of ticks while the platform is down [default: last]
    #[arg(long, value_enum)]
    pub catch_up: Option<CatchUp>,
    /// With all: how many of them [default: 100]
    #[arg(long, value_name = "N", requires = "catch_up")]
    pub catch_up_limit: Option<u32>,
    /// With last and all: none that is older, such as 6h
    #[arg(long, value_name = "TIME", requires = "catch_up", value_parser = seconds)]
    pub catch_up_age: Option<u32>,
    /// What a tick does while the task before still runs [default: skip]
    #[arg(long, value_enum)]
    pub overlap: Option<Overlap>,
    /// Put its ticks off by a fixed part of this, such as 5m
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub jitter: Option<u32>,
    /// How long each task may take, such as 2h [default: 1d]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub time_limit: Option<u32>,
    /// No tick before, such as 2030-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub starts: Option<Timestamp>,
    /// No tick after
    #[arg(long, value_name = "TIME")]
    pub ends: Option<Timestamp>,
    /// It does not tick before it is resumed
    #[arg(long)]
    pub paused: bool,
}

/// What becomes of ticks that nobody was there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CatchUp {
    /// They are left out
    None,
    /// The newest makes its task
    Last,
    /// The newest make their tasks
    All,
}

impl CatchUp {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Last => "last",
            Self::All => "all",
        }
    }
}

/// What a tick does while an earlier task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Overlap {
    /// It makes its task all the same
    Allow,
    /// It makes none
    Skip,
    /// The earlier task is cancelled first
    CancelPrevious,
    /// It waits until the earlier task has ended
    Queue,
}

impl Overlap {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
            Self::CancelPrevious => "cancel_previous",
            Self::Queue => "queue",
        }
    }
}

/// A length of time that is one.
fn period(text: &str) -> Result<u32, String> {
    match seconds(text)? {
        0 => Err("must be at least 1s".to_owned()),
        seconds => Ok(seconds),
    }
}

/// A length of time such as `30s`, `15m`, `6h` or `1d`, in seconds.
fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || "must be a time such as 30s, 15m, 6h or 1d".to_owned();
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    number
        .parse::<u32>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        for (text, expected) in [
            ("30s", 30),
            ("15m", 900),
            ("6h", 21_600),
            ("1d", 86_400),
            ("0s", 0),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "s", "30", "-1s", "+1s", "1.5h", "1w", "99999999d", "1é"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
