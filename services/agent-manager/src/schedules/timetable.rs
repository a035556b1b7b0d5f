//! Which ticks there are: pure.
//!
//! Where clocks change, a pattern follows one of two rules:
//! - One that names hours (`30 2 * * *`, `0 */6 * * *`) goes by the clock on the wall. A time that
//!   comes twice ticks once, the first time; one that never comes ticks at the first moment after.
//! - One for every hour (`*/15 * * * *`, `@hourly`) goes on evenly through the change: a quarter of
//!   an hour stays one, so times that come twice tick twice and those that never come do not.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use swarm_errors::{Error, Result};
use swarm_types::Timestamp;

use super::Cadence;

const FINEST: TimeDelta = TimeDelta::microseconds(1);
/// A zone that moves over the date line skips a whole day.
const LONGEST_GAP_MINUTES: i64 = 25 * 60;

/// The ticks of a schedule.
#[derive(Debug, Clone)]
pub struct Timetable {
    rule: Rule,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
enum Rule {
    /// A pattern that names hours.
    Wall(Box<Cron>, Tz),
    /// A pattern for every hour.
    Even(Box<Cron>, Tz),
    Every {
        period: TimeDelta,
        anchor: Timestamp,
    },
}

impl Timetable {
    /// The ticks of a cadence between two bounds. Periods are counted from the start, or from
    /// `anchor` where there is none.
    ///
    /// # Errors
    /// `invalid_argument` that names `cron` or `zone`.
    pub fn new(
        cadence: &Cadence,
        anchor: Timestamp,
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
    ) -> Result<Self> {
        let rule = match cadence {
            Cadence::Cron { pattern, zone } => of_pattern(pattern, zone)?,
            Cadence::Every { seconds } => Rule::Every {
                period: TimeDelta::seconds(i64::from((*seconds).max(1))),
                anchor: starts_at.unwrap_or(anchor),
            },
        };
        Ok(Self {
            rule,
            starts_at,
            ends_at,
        })
    }

    /// The first tick after a moment; `None` when there is none any more.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let after = match self.starts_at {
            Some(start) if moment < start => start - FINEST,
            _ => moment,
        };
        let tick = match &self.rule {
            Rule::Wall(cron, zone) => next_on_wall(cron, *zone, after),
            Rule::Even(cron, zone) => next_evenly(cron, *zone, after),
            Rule::Every { period, anchor } => next_of_period(*period, *anchor, after),
        };
        tick.filter(|tick| self.ends_at.is_none_or(|end| *tick <= end))
    }
}

fn of_pattern(pattern: &str, zone: &str) -> Result<Rule> {
    let zone: Tz = zone.parse().map_err(|_| {
        let message = "must be a time zone of the IANA database, such as Europe/Berlin";
        Error::invalid("zone", message)
    })?;
    let parser = CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Disallowed)
        .build();
    let cron = parser
        .parse(pattern)
        .map_err(|error| Error::invalid("cron", error.to_string()))?;
    // The pattern as it is understood: words such as @daily are spelt out.
    let fields: Vec<&str> = cron.as_str().split_whitespace().collect();
    let hours = fields.len().checked_sub(4).and_then(|at| fields.get(at));
    Ok(if hours == Some(&"*") {
        Rule::Even(Box::new(cron), zone)
    } else {
        Rule::Wall(Box::new(cron), zone)
    })
}

fn next_on_wall(cron: &Cron, zone: Tz, after: Timestamp) -> Option<Timestamp> {
    let mut wall = after.with_timezone(&zone).naive_local();
    loop {
        // An error says that the search has left the calendar.
        wall = cron.find_next_occurrence(&wall, false).ok()?;
        let tick = first_moment(zone, wall)?;
        // Within an hour that comes a second time, times of its first coming are found again.
        if tick > after {
            return Some(tick);
        }
    }
}

/// When the wall first shows this time, or what it shows after the gap that swallowed it.
fn first_moment(zone: Tz, wall: NaiveDateTime) -> Option<Timestamp> {
    let of = |wall: &NaiveDateTime| match zone.from_local_datetime(wall) {
        LocalResult::Single(tick) | LocalResult::Ambiguous(tick, _) => Some(tick.to_utc()),
        LocalResult::None => None,
    };
    of(&wall).or_else(|| {
        let minute = wall.with_second(0)?;
        (1..=LONGEST_GAP_MINUTES).find_map(|minutes| of(&(minute + TimeDelta::minutes(minutes))))
    })
}

fn next_evenly(cron: &Cron, zone: Tz, after: Timestamp) -> Option<Timestamp> {
    let next: DateTime<Tz> = cron
        .find_next_occurrence(&after.with_timezone(&zone), false)
        .ok()?;
    Some(next.with_timezone(&Utc))
}

fn next_of_period(period: TimeDelta, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
    if after < anchor {
        return Some(anchor);
    }
    let seconds = period.num_seconds();
    let periods = (after - anchor).num_seconds() / seconds + 1;
    anchor.checked_add_signed(TimeDelta::seconds(periods.checked_mul(seconds)?))
}

#[cfg(test)]
#[path = "timetable_test.rs"]
mod tests;
