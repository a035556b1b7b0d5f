#![allow(clippy::unwrap_used)]
use chrono::DateTime;

use super::*;

fn nightly() -> Definition {
    Definition {
        name: "nightly".into(),
        cadence: Cadence::Cron {
            pattern: "0 3 * * *".into(),
            zone: "Europe/Berlin".into(),
        },
        catch_up: CatchUp::None,
        overlap: Overlap::Skip,
        jitter_seconds: 0,
        starts_at: None,
        ends_at: None,
        task: Template {
            spec: TaskSpec::default(),
            priority: Priority::Normal,
            time_limit_seconds: 60,
        },
    }
}

fn now() -> Timestamp {
    DateTime::from_timestamp(1_795_500_000, 0).unwrap()
}

#[test]
fn what_is_wrong_is_named() {
    type Change = fn(&mut Definition);
    let cron = |pattern: &str, zone: &str| Cadence::Cron {
        pattern: pattern.into(),
        zone: zone.into(),
    };
    assert!(nightly().check(now()).is_ok());
    let changes: Vec<(&str, Change)> = vec![
        ("name", |it| it.name = " ".into()),
        ("name", |it| it.name = "x".repeat(201)),
        ("name", |it| it.name = "a\0".into()),
        ("every_seconds", |it| {
            it.cadence = Cadence::Every { seconds: 0 }
        }),
        ("every_seconds", |it| {
            it.cadence = Cadence::Every {
                seconds: MAX_PERIOD_SECONDS + 1,
            };
        }),
        ("jitter_seconds", |it| it.jitter_seconds = 3_601),
        ("time_limit_seconds", |it| it.task.time_limit_seconds = 0),
        ("time_limit_seconds", |it| {
            it.task.time_limit_seconds = MAX_TIME_LIMIT_SECONDS + 1;
        }),
        ("catch_up.limit", |it| {
            it.catch_up = CatchUp::All {
                limit: 0,
                max_age_seconds: None,
            };
        }),
        ("catch_up.limit", |it| {
            it.catch_up = CatchUp::All {
                limit: 101,
                max_age_seconds: None,
            };
        }),
        ("catch_up.max_age_seconds", |it| {
            it.catch_up = CatchUp::Last {
                max_age_seconds: Some(0),
            };
        }),
        ("ends_at", |it| it.ends_at = Some(now())),
        ("ends_at", |it| {
            it.starts_at = Some(now() + TimeDelta::days(2));
            it.ends_at = Some(now() + TimeDelta::days(1));
        }),
        ("cron", |it| {
            it.ends_at = Some(now() + TimeDelta::seconds(1));
        }),
    ];
    for (field, change) in changes {
        let mut definition = nightly();
        change(&mut definition);
        let error = definition.check(now()).unwrap_err();
        assert_eq!(error.fields()[0].field, field, "{error}");
    }
    for (pattern, zone, field) in [
        ("", "UTC", "cron"),
        ("0 3 * *", "UTC", "cron"),
        ("0 3 * * * * *", "UTC", "cron"),
        ("60 3 * * *", "UTC", "cron"),
        ("@midday", "UTC", "cron"),
        ("0 0 30 2 *", "UTC", "cron"),
        ("0 3 * * *", "Europe/Bonn", "zone"),
        ("0 3 * * *", "", "zone"),
        ("0 3 * * *", "CEST", "zone"),
    ] {
        let mut definition = nightly();
        definition.cadence = cron(pattern, zone);
        let error = definition.check(now()).unwrap_err();
        assert_eq!(error.fields()[0].field, field, "{pattern}: {error}");
    }
    let mut long = nightly();
    long.cadence = cron(&"0".repeat(201), "UTC");
    assert_eq!(long.check(now()).unwrap_err().fields()[0].field, "cron");
}

#[test]
fn jitter_stays_within_its_bound_and_spreads_schedules() {
    let mut definition = nightly();
    assert_eq!(definition.jitter_of(ScheduleId::new()), TimeDelta::zero());
    definition.jitter_seconds = 60;
    let all: std::collections::BTreeSet<i64> = (0..100)
        .map(|_| definition.jitter_of(ScheduleId::new()).num_milliseconds())
        .collect();
    assert!(
        all.iter().all(|millis| (0..=60_000).contains(millis)),
        "{all:?}"
    );
    assert!(all.len() > 50, "{all:?}");
}

#[test]
fn it_is_stored_and_read_back() {
    let mut definition = nightly();
    definition.catch_up = CatchUp::All {
        limit: 3,
        max_age_seconds: None,
    };
    let text = serde_json::to_string(&definition).unwrap();
    assert_eq!(
        serde_json::from_str::<Definition>(&text).unwrap(),
        definition
    );
}
