//! From the wire. Fields are named as in the public shape.

use swarm_errors::{Error, Result};
use swarm_proto::agents::v1 as wire;
use swarm_proto::convert::from_wire_time;
use swarm_types::{TenantId, Timestamp};

use crate::grpc::decode::{choice, submission};
use crate::schedules::{
    Cadence, CatchUp, Definition, MAX_CATCH_UP, MAX_PERIOD_SECONDS, Overlap, Template, of_task,
};

/// The zone of a pattern that names none.
const DEFAULT_ZONE: &str = "UTC";
const DEFAULT_TIME_LIMIT_SECONDS: u32 = 24 * 60 * 60;

/// What is said of a new schedule; the engine checks it.
pub(super) fn definition(tenant: TenantId, schedule: wire::Schedule) -> Result<Definition> {
    let cadence = cadence(&schedule)?;
    let time = |field, time: Option<_>| -> Result<Option<Timestamp>> {
        time.as_ref()
            .map(|time| from_wire_time(field, time))
            .transpose()
    };
    Ok(Definition {
        name: schedule.name,
        cadence,
        catch_up: catch_up(schedule.catch_up.unwrap_or_default())?,
        overlap: overlap(schedule.overlap)?,
        jitter_seconds: schedule.jitter_seconds,
        starts_at: time("starts_at", schedule.starts_at)?,
        ends_at: time("ends_at", schedule.ends_at)?,
        task: template(tenant, schedule.task, schedule.time_limit_seconds)?,
    })
}

fn cadence(schedule: &wire::Schedule) -> Result<Cadence> {
    let (pattern, zone) = (schedule.cron.trim(), schedule.zone.as_str());
    match (pattern, schedule.every_seconds) {
        // On the wire a zero is as good as nothing.
        ("", 0) => Err(Error::invalid(
            "every_seconds",
            format!("must be between 1 and {MAX_PERIOD_SECONDS}, unless cron is given"),
        )),
        ("", _) if !zone.is_empty() => Err(Error::invalid("zone", "is for cron")),
        ("", seconds) => Ok(Cadence::Every { seconds }),
        (pattern, 0) => Ok(Cadence::Cron {
            pattern: pattern.to_owned(),
            zone: if zone.is_empty() { DEFAULT_ZONE } else { zone }.to_owned(),
        }),
        _ => Err(Error::invalid(
            "every_seconds",
            "must not be given together with cron",
        )),
    }
}

fn catch_up(catch_up: wire::CatchUp) -> Result<CatchUp> {
    use wire::CatchUpPolicy as Wire;
    let wire::CatchUp {
        policy,
        limit,
        max_age_seconds: age,
    } = catch_up;
    let policy: Wire = choice("catch_up.policy", policy)?;
    let max_age_seconds = (age > 0).then_some(age);
    if limit > 0 && policy != Wire::All {
        return Err(Error::invalid("catch_up.limit", "is for the policy all"));
    }
    Ok(match policy {
        Wire::None if age > 0 => {
            let message = "is for the policies last and all";
            return Err(Error::invalid("catch_up.max_age_seconds", message));
        }
        Wire::None => CatchUp::None,
        Wire::Last | Wire::Unspecified => CatchUp::Last { max_age_seconds },
        Wire::All => CatchUp::All {
            limit: if limit == 0 { MAX_CATCH_UP } else { limit },
            max_age_seconds,
        },
    })
}

fn overlap(value: i32) -> Result<Overlap> {
    use wire::Overlap as Wire;
    Ok(match choice("overlap", value)? {
        Wire::Allow => Overlap::Allow,
        Wire::Skip | Wire::Unspecified => Overlap::Skip,
        Wire::CancelPrevious => Overlap::CancelPrevious,
        Wire::Queue => Overlap::Queue,
    })
}

fn template(
    tenant: TenantId,
    task: Option<wire::TaskSpec>,
    time_limit_seconds: u32,
) -> Result<Template> {
    let task = task.ok_or_else(|| Error::invalid("task", "is missing"))?;
    if task.deadline.is_some() {
        let message = "is for a single task; a schedule has time_limit_seconds";
        return Err(Error::invalid("task.deadline", message));
    }
    if task.not_before.is_some() {
        let message = "is for a single task; a schedule has its ticks";
        return Err(Error::invalid("task.not_before", message));
    }
    if !task.depends_on.is_empty() {
        let message = "is for a single task; a schedule has its overlap";
        return Err(Error::invalid("task.depends_on", message));
    }
    let request = wire::SubmitTaskRequest {
        request: None,
        spec: Some(task),
        ..Default::default()
    };
    let submission = submission(tenant, request).map_err(of_task)?;
    Ok(Template {
        spec: submission.spec,
        priority: submission.priority,
        time_limit_seconds: match time_limit_seconds {
            0 => DEFAULT_TIME_LIMIT_SECONDS,
            given => given,
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn good() -> wire::Schedule {
        wire::Schedule {
            name: "nightly".into(),
            cron: "0 3 * * *".into(),
            task: Some(wire::TaskSpec {
                input_json: r#"{"prompt": "why?"}"#.into(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    #[test]
    fn what_is_left_out_takes_the_defaults() {
        let definition = definition(TenantId::new(), good()).unwrap();
        let cadence = Cadence::Cron {
            pattern: "0 3 * * *".into(),
            zone: "UTC".into(),
        };
        assert_eq!(definition.cadence, cadence);
        let catch_up = CatchUp::Last {
            max_age_seconds: None,
        };
        assert_eq!(definition.catch_up, catch_up);
        assert_eq!(definition.overlap, Overlap::Skip);
        assert_eq!(definition.task.time_limit_seconds, 86_400);
        assert_eq!(definition.task.spec.kind, "general");
    }

    #[test]
    fn what_is_wrong_is_named() {
        type Change = fn(&mut wire::Schedule);
        let changes: Vec<(&str, Change)> = vec![
            ("every_seconds", |it| it.cron.clear()),
            ("every_seconds", |it| it.every_seconds = 5),
            ("zone", |it| {
                it.cron.clear();
                it.every_seconds = 5;
                it.zone = "UTC".into();
            }),
            ("overlap", |it| it.overlap = 9),
            ("catch_up.policy", |it| {
                it.catch_up = Some(wire::CatchUp {
                    policy: 9,
                    ..Default::default()
                });
            }),
            ("catch_up.limit", |it| {
                it.catch_up = Some(wire::CatchUp {
                    limit: 1,
                    ..Default::default()
                });
            }),
            ("catch_up.max_age_seconds", |it| {
                it.catch_up = Some(wire::CatchUp {
                    policy: wire::CatchUpPolicy::None.into(),
                    max_age_seconds: 1,
                    ..Default::default()
                });
            }),
            ("task", |it| it.task = None),
            ("task.deadline", |it| {
                it.task.as_mut().unwrap().deadline = Some(Default::default());
            }),
            ("task.not_before", |it| {
                it.task.as_mut().unwrap().not_before = Some(Default::default());
            }),
            ("task.depends_on", |it| {
                it.task.as_mut().unwrap().depends_on = vec!["task_1".into()];
            }),
            ("task.input.tone", |it| {
                it.task.as_mut().unwrap().input_json = r#"{"prompt": "p", "tone": 1}"#.into();
            }),
            ("task.priority", |it| {
                it.task.as_mut().unwrap().priority = "urgent".into();
            }),
        ];
        for (field, change) in changes {
            let mut schedule = good();
            change(&mut schedule);
            let error = definition(TenantId::new(), schedule).unwrap_err();
            assert_eq!(error.fields()[0].field, field, "{error}");
        }
    }
}
