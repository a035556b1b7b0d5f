//! `schedules`.

use std::path::Path;

use swarm_client::{CatchUp, NewSchedule, NewTask, Schedule};
use swarm_errors::Error;
use swarm_types::PageRequest;

use super::Session;
use crate::arguments::{self, Schedules};
use crate::failure::Failure;
use crate::{toml_file, views};

pub(super) async fn execute(session: &Session, command: Schedules) -> Result<(), Failure> {
    let client = &session.connection.client;
    match command {
        Schedules::List { page } => {
            let schedules = session.call(client.list_schedules(None, &page.into()).await)?;
            session.page(&schedules, "schedules", views::schedules)
        }
        Schedules::Show { schedule } => {
            let id = id_of(session, &schedule).await?;
            let schedule = session.call(client.get_schedule(&id).await)?;
            session.show(&schedule, |columns| views::schedule(&schedule, columns))
        }
        Schedules::Create(arguments) => {
            let made = session.call(client.create_schedule(&wanted(*arguments)?).await)?;
            session.done(&made, &said(&made))
        }
        Schedules::Pause { schedule } => {
            let id = id_of(session, &schedule).await?;
            changed(session, client.pause_schedule(&id).await)
        }
        Schedules::Resume { schedule } => {
            let id = id_of(session, &schedule).await?;
            changed(session, client.resume_schedule(&id).await)
        }
        Schedules::Run { schedule } => {
            let id = id_of(session, &schedule).await?;
            let task = session.call(client.run_schedule(&id).await)?;
            session.done(&task, &format!("{} is {}", task.id, task.state))
        }
        Schedules::Delete { schedule } => {
            let id = id_of(session, &schedule).await?;
            session.call(client.delete_schedule(&id).await)?;
            let words = format!("{schedule} is gone");
            session.done(&serde_json::json!({ "id": id }), &words)
        }
    }
}

fn changed(session: &Session, answer: Result<Schedule, Error>) -> Result<(), Failure> {
    let schedule = session.call(answer)?;
    session.done(&schedule, &said(&schedule))
}

fn said(schedule: &Schedule) -> String {
    match schedule.next_at {
        Some(next) => format!(
            "{} ticks next at {} UTC",
            schedule.name,
            next.format("%Y-%m-%d %H:%M:%S")
        ),
        None => format!("{} is {}", schedule.name, schedule.state),
    }
}

/// The id of the schedule that is named, by name or id.
async fn id_of(session: &Session, named: &str) -> Result<String, Failure> {
    if named.starts_with("sched_") {
        return Ok(named.to_owned());
    }
    let client = &session.connection.client;
    let found = session.call(
        client
            .list_schedules(Some(named), &PageRequest::default())
            .await,
    )?;
    match found.items.into_iter().next() {
        Some(schedule) => Ok(schedule.id),
        None => Err(Failure::Refused(Error::invalid(
            "schedule",
            format!("there is no schedule {named}; `swarm schedules list` shows all"),
        ))),
    }
}

fn wanted(arguments: arguments::NewSchedule) -> Result<NewSchedule, Failure> {
    let (limit, age) = (arguments.catch_up_limit, arguments.catch_up_age);
    Ok(NewSchedule {
        name: arguments.name,
        cron: arguments.cron,
        zone: arguments.zone,
        every_seconds: arguments.every,
        task: read(&arguments.file)?,
        time_limit_seconds: arguments.time_limit,
        catch_up: arguments.catch_up.map(|policy| CatchUp {
            policy: policy.as_str().to_owned(),
            limit,
            max_age_seconds: age,
        }),
        overlap: arguments.overlap.map(|overlap| overlap.as_str().to_owned()),
        jitter_seconds: arguments.jitter,
        starts_at: arguments.starts,
        ends_at: arguments.ends,
        paused: arguments.paused,
    })
}

fn read(path: &Path) -> Result<NewTask, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(
            "--file",
            format!("{} cannot be read: {error}", path.display()),
        )
    })?;
    toml_file::parse(&text, "task").map_err(|error| Failure::Usage(error.context(path.display())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_example_of_a_task_is_read_and_its_mistakes_are_named() {
        let text = include_str!("../../../../docs/examples/task.toml");
        let task: NewTask = toml_file::parse(text, "task").unwrap();
        assert_eq!(task.kind, "report");
        assert!(task.input["prompt"].is_string());
        for (text, field) in [
            ("kind = 'a'\n", "input"),
            ("kind = 'a'\nspeed = 3\n[input]\nprompt = 'p'", "speed"),
            ("kind = 3\n[input]\nprompt = 'p'", "kind"),
            ("kind = ", "task"),
        ] {
            let error = toml_file::parse::<NewTask>(text, "task").unwrap_err();
            assert_eq!(error.fields()[0].field, field, "{error}");
        }
    }
}
