#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn cron(pattern: &str, zone: &str) -> Timetable {
    let cadence = Cadence::Cron {
        pattern: pattern.into(),
        zone: zone.into(),
    };
    Timetable::new(&cadence, DateTime::UNIX_EPOCH, None, None).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next ticks after a moment, as the wall in that zone shows them, with the offset.
fn shown(pattern: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let table = cron(pattern, zone);
    let zone: Tz = zone.parse().unwrap();
    let mut after = at(after);
    let mut ticks = Vec::new();
    for _ in 0..count {
        after = table.next_after(after).unwrap();
        ticks.push(
            after
                .with_timezone(&zone)
                .format("%d %H:%M %:z")
                .to_string(),
        );
    }
    ticks
}

#[test]
fn patterns_have_five_or_six_fields_or_are_words() {
    for (pattern, next) in [
        ("0 3 * * *", "2026-11-25T03:00:00Z"),
        ("30 0 3 * * *", "2026-11-25T03:00:30Z"),
        ("*/10 * * * *", "2026-11-24T12:40:00Z"),
        ("*/10 * * * * *", "2026-11-24T12:34:10Z"),
        ("0 9 * * MON-FRI", "2026-11-25T09:00:00Z"),
        ("0 0 1,15 * *", "2026-12-01T00:00:00Z"),
        ("0 0 L * *", "2026-11-30T00:00:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
        ("@hourly", "2026-11-24T13:00:00Z"),
        ("@daily", "2026-11-25T00:00:00Z"),
        ("@weekly", "2026-11-29T00:00:00Z"),
        ("@monthly", "2026-12-01T00:00:00Z"),
        ("@yearly", "2027-01-01T00:00:00Z"),
    ] {
        let found = cron(pattern, "UTC").next_after(at("2026-11-24T12:34:00Z"));
        assert_eq!(found, Some(at(next)), "{pattern}");
    }
}

#[test]
fn a_time_that_comes_twice_ticks_once() {
    // On the 25th at 3:00 summer time it is 2:00 again.
    assert_eq!(
        shown("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3),
        ["24 02:30 +02:00", "25 02:30 +02:00", "26 02:30 +01:00"]
    );
    assert_eq!(
        shown(
            "*/20 2,14 * * *",
            "Europe/Berlin",
            "2026-10-24T20:00:00Z",
            4
        ),
        [
            "25 02:00 +02:00",
            "25 02:20 +02:00",
            "25 02:40 +02:00",
            "25 14:00 +01:00"
        ]
    );
    // Asked in the second half of what comes twice, nothing of the first half is told again.
    assert_eq!(
        shown("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1),
        ["26 02:30 +01:00"]
    );
    assert_eq!(
        shown("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", 2),
        ["01 01:30 -04:00", "02 01:30 -05:00"]
    );
    // By half an hour only.
    assert_eq!(
        shown(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2027-04-03T00:00:00Z",
            2
        ),
        ["04 01:45 +11:00", "05 01:45 +10:30"]
    );
}

#[test]
fn a_time_that_never_comes_ticks_at_the_first_moment_after() {
    // On the 29th at 2:00 winter time it is 3:00.
    assert_eq!(
        shown("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        ["28 02:30 +01:00", "29 03:00 +02:00", "30 02:30 +02:00"]
    );
    // Several such times are one moment, and so one tick; what is due then by itself is the same.
    assert_eq!(
        shown("*/20 2,3 * * *", "Europe/Berlin", "2026-03-28T23:00:00Z", 3),
        ["29 03:00 +02:00", "29 03:20 +02:00", "29 03:40 +02:00"]
    );
    // Samoa had no 30 December 2011 at all.
    assert_eq!(
        shown("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 1),
        ["31 00:00 +14:00"]
    );
}

#[test]
fn a_pattern_for_every_hour_goes_on_evenly() {
    for (pattern, minutes) in [("@hourly", 60), ("*/15 * * * *", 15)] {
        for (zone, from) in [
            ("Europe/Berlin", "2026-10-24T20:00:00Z"),
            ("Europe/Berlin", "2026-03-28T20:00:00Z"),
            ("America/New_York", "2026-11-01T00:00:00Z"),
        ] {
            let table = cron(pattern, zone);
            let mut tick = at(from);
            for _ in 0..60 {
                let next = table.next_after(tick).unwrap();
                assert_eq!(
                    next - tick,
                    TimeDelta::minutes(minutes),
                    "{pattern} {zone} {tick}"
                );
                tick = next;
            }
        }
    }
}

#[test]
fn what_never_comes_is_found_out_soon() {
    let begun = std::time::Instant::now();
    for pattern in ["0 0 30 2 *", "0 0 0 31 4,6,9,11 *", "0 0 31 2 +MON"] {
        assert_eq!(
            cron(pattern, "UTC").next_after(at("2026-01-01T00:00:00Z")),
            None
        );
    }
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

#[test]
fn ticks_keep_to_their_bounds() {
    let (start, end) = (at("2026-01-01T10:00:00Z"), at("2026-01-01T12:00:00Z"));
    for cadence in [
        Cadence::Cron {
            pattern: "@hourly".into(),
            zone: "UTC".into(),
        },
        Cadence::Every { seconds: 3600 },
    ] {
        let table = Timetable::new(&cadence, at("2025-12-31T00:30:00Z"), Some(start), Some(end));
        let table = table.unwrap();
        let mut ticks = Vec::new();
        let mut after = at("2025-01-01T00:00:00Z");
        while let Some(tick) = table.next_after(after) {
            ticks.push(tick);
            after = tick;
        }
        assert_eq!(
            ticks,
            [start, start + TimeDelta::hours(1), end],
            "{cadence:?}"
        );
    }
}

const PATTERNS: [&str; 9] = [
    "30 2 * * *",
    "*/7 1-3 * * *",
    "*/15 * * * *",
    "*/40 */2 * * * *",
    "0 0 L * *",
    "0 9 * * MON-FRI",
    "@hourly",
    "0 0 29 2 *",
    "59 59 23 31 12 *",
];
const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/St_Johns",
];

proptest! {
    /// However a stretch of time is cut into looks, the same ticks are seen in it, each once.
    #[test]
    fn ticks_do_not_depend_on_when_one_looks(
        pattern in prop::sample::select(&PATTERNS[..]),
        zone in prop::sample::select(&ZONES[..]),
        start in 1_767_225_600_i64..1_830_297_600,
        micros in 0_u32..1_000_000,
        cuts in prop::collection::vec(1_i64..20_000, 1..20),
    ) {
        let table = cron(pattern, zone);
        let mut now = DateTime::from_timestamp(start, micros * 1_000).unwrap();
        let mut tick = table.next_after(now).unwrap();
        for cut in cuts {
            now += TimeDelta::seconds(cut);
            while tick <= now {
                let next = table.next_after(tick).unwrap();
                prop_assert!(next > tick);
                prop_assert!(next.timestamp_subsec_nanos() == 0);
                tick = next;
            }
            prop_assert_eq!(table.next_after(now), Some(tick));
        }
    }

    #[test]
    fn periods_are_counted_from_their_anchor(
        seconds in 1_u32..100_000,
        anchor in 0_i64..2_000_000_000,
        offset in -1_000_000_i64..1_000_000_000,
    ) {
        let anchor = DateTime::from_timestamp(anchor, 123_456_000).unwrap();
        let table = Timetable::new(&Cadence::Every { seconds }, anchor, None, None).unwrap();
        let now = anchor + TimeDelta::milliseconds(offset);
        let next = table.next_after(now).unwrap();
        prop_assert!(next > now);
        prop_assert_eq!((next - anchor).num_seconds() % i64::from(seconds), 0);
        prop_assert!(next == anchor || next - now <= TimeDelta::seconds(i64::from(seconds)));
    }
}
