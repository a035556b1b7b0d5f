#![allow(clippy::unwrap_used)]
use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::schedules::Cadence;

fn at(second: i64) -> Timestamp {
    DateTime::from_timestamp(1_795_500_000 + second, 0).unwrap()
}

/// A tick each ten seconds, from 0 on.
fn table() -> Timetable {
    Timetable::new(&Cadence::Every { seconds: 10 }, at(0), None, None).unwrap()
}

fn all(limit: u32) -> CatchUp {
    CatchUp::All {
        limit,
        max_age_seconds: None,
    }
}

const LAST: CatchUp = CatchUp::Last {
    max_age_seconds: None,
};

#[test]
fn a_tick_that_comes_in_time_makes_its_task_under_every_policy() {
    for catch_up in [CatchUp::None, LAST, all(5)] {
        let plan = plan(&table(), catch_up, at(10), at(12));
        assert_eq!(plan.due, [at(10)]);
        assert_eq!((plan.missed, plan.next), (None, Some(at(20))));
    }
}

#[test]
fn nothing_is_done_before_the_time_has_come() {
    let plan = plan(&table(), all(5), at(10), at(9));
    assert!(plan.due.is_empty());
    assert_eq!((plan.missed, plan.next), (None, Some(at(10))));
}

#[test]
fn each_policy_takes_its_part_of_what_was_missed() {
    let missed = |count| {
        Some(Missed {
            first: at(10),
            count,
        })
    };
    let with = |catch_up| plan(&table(), catch_up, at(10), at(101));
    let none = with(CatchUp::None);
    assert_eq!((none.due, none.missed), (vec![at(100)], missed(9)));
    let last = with(LAST);
    assert_eq!((last.due, last.missed), (vec![at(100)], missed(9)));
    let some = with(all(3));
    assert_eq!(
        (some.due, some.missed),
        (vec![at(80), at(90), at(100)], missed(7))
    );
    let every = with(all(100));
    assert_eq!((every.due.len(), every.missed), (10, None));
    assert_eq!(every.next, Some(at(110)));
    let young = with(CatchUp::All {
        limit: 100,
        max_age_seconds: Some(21),
    });
    assert_eq!(
        (young.due, young.missed),
        (vec![at(80), at(90), at(100)], missed(7))
    );
}

#[test]
fn what_is_too_old_is_left_out() {
    let daily = Timetable::new(&Cadence::Every { seconds: 86_400 }, at(0), None, None).unwrap();
    for (catch_up, due) in [
        (CatchUp::None, vec![]),
        (LAST, vec![at(0)]),
        (
            CatchUp::Last {
                max_age_seconds: Some(3_599),
            },
            vec![],
        ),
        (
            CatchUp::Last {
                max_age_seconds: Some(3_600),
            },
            vec![at(0)],
        ),
    ] {
        let plan = plan(&daily, catch_up, at(0), at(3_600));
        assert_eq!(plan.due, due, "{catch_up:?}");
        assert_eq!(plan.missed.is_some(), due.is_empty());
        assert_eq!(plan.next, Some(at(86_400)));
    }
    let on_time = plan(&daily, CatchUp::None, at(0), at(0) + GRACE);
    assert_eq!(on_time.due, [at(0)]);
}

#[test]
fn a_year_of_missed_seconds_costs_little() {
    let begun = std::time::Instant::now();
    let cadence = Cadence::Cron {
        pattern: "* * * * * *".into(),
        zone: "Europe/Berlin".into(),
    };
    let seconds = Timetable::new(&cadence, at(0), None, None).unwrap();
    let plan = plan(&seconds, all(100), at(0), at(365 * 86_400));
    assert_eq!(plan.due.len(), 100);
    assert_eq!(plan.due[99], at(365 * 86_400));
    assert_eq!(plan.missed.unwrap().count, MOST_COUNTED);
    assert!(begun.elapsed().as_secs() < 2, "{:?}", begun.elapsed());
}

proptest! {
    /// However often one looks, every tick is decided once: it is due or missed, and none is both.
    #[test]
    fn every_tick_is_decided_once(
        policy in 0..4,
        looks in prop::collection::vec(1_i64..400, 1..30),
        period in 1_u32..50,
    ) {
        let catch_up = match policy {
            0 => CatchUp::None,
            1 => LAST,
            2 => all(100),
            _ => CatchUp::All { limit: 3, max_age_seconds: Some(100) },
        };
        let table = Timetable::new(&Cadence::Every { seconds: period }, at(0), None, None).unwrap();
        let (mut now, mut first) = (0, at(0));
        let (mut due, mut missed) = (Vec::new(), 0);
        for look in looks {
            now += look;
            let plan = plan(&table, catch_up, first, at(now));
            missed += plan.missed.map_or(0, |missed| missed.count as usize);
            due.extend(plan.due);
            first = plan.next.unwrap();
            prop_assert!(first > at(now));
        }
        prop_assert!(due.is_sorted_by(|one, next| one < next));
        prop_assert_eq!(due.len() + missed, usize::try_from(now / i64::from(period) + 1).unwrap());
        if policy == 2 && period >= 4 {
            prop_assert_eq!(missed, 0);
        }
    }
}
