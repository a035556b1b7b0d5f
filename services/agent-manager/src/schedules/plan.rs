//! Which ticks of those that have passed make a task: pure.

use std::collections::VecDeque;

use chrono::TimeDelta;
use swarm_types::Timestamp;

use super::{CatchUp, Timetable};

/// So late a tick still counts as on time, if it is the newest.
pub const GRACE: TimeDelta = TimeDelta::seconds(60);
/// Missed ticks are counted up to here.
const MOST_COUNTED: u32 = 1_000;
const FINEST: TimeDelta = TimeDelta::microseconds(1);

/// Ticks that make no task, because nobody was there for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// The first of them.
    pub first: Timestamp,
    /// How many; from a thousand on it is only known that there are at least so many.
    pub count: u32,
}

/// What is to be done about the ticks that have passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is left out; it is before all that is not.
    pub missed: Option<Missed>,
    /// The ticks that make a task, in order.
    pub due: Vec<Timestamp>,
    /// The last tick that has passed.
    pub last: Option<Timestamp>,
    /// The first tick that has not passed.
    pub next: Option<Timestamp>,
}

/// What is to be done at `now`, where `first` is the first tick of which nothing has been decided.
#[must_use]
pub fn plan(table: &Timetable, catch_up: CatchUp, first: Timestamp, now: Timestamp) -> Plan {
    if first > now {
        return Plan {
            missed: None,
            due: Vec::new(),
            last: None,
            next: Some(first),
        };
    }
    let newest = newest(table, first, now, catch_up.limit());
    let last = newest.back().copied().unwrap_or(first);
    let oldest = match catch_up {
        CatchUp::None => now - GRACE,
        _ => catch_up
            .max_age()
            .map_or(first, |age| now - TimeDelta::seconds(i64::from(age))),
    };
    let due: Vec<Timestamp> = newest
        .iter()
        .copied()
        .filter(|tick| *tick >= oldest)
        .collect();
    let end = due.first().copied().unwrap_or(last + FINEST);
    Plan {
        missed: missed(table, first, end),
        due,
        last: Some(last),
        next: table.next_after(last),
    }
}

/// The newest `most` ticks from `first` to `now`. It looks back over a growing stretch, so that a
/// year of missed seconds is not walked through for the last few of them.
fn newest(table: &Timetable, first: Timestamp, now: Timestamp, most: usize) -> VecDeque<Timestamp> {
    let mut stretch = TimeDelta::minutes(1);
    loop {
        let from = first.max(now.checked_sub_signed(stretch).unwrap_or(first));
        let mut found = VecDeque::new();
        let mut tick = table.next_after(from - FINEST);
        while let Some(passed) = tick.filter(|tick| *tick <= now) {
            if found.len() == most {
                found.pop_front();
            }
            found.push_back(passed);
            tick = table.next_after(passed);
        }
        if from == first || found.len() == most {
            return found;
        }
        stretch = stretch * 2;
    }
}

fn missed(table: &Timetable, first: Timestamp, end: Timestamp) -> Option<Missed> {
    let (mut count, mut tick) = (0, Some(first));
    while let Some(passed) = tick.filter(|tick| *tick < end)
        && count < MOST_COUNTED
    {
        count += 1;
        tick = table.next_after(passed);
    }
    (count > 0).then_some(Missed { first, count })
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
